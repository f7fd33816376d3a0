//! The contract's JSON, as sloppy as ERPs write it: `null`, `false` and `""` are nothing,
//! numbers may be texts or end in `.0`, a many-to-one field may be `[id, "name"]`, a date may
//! carry a time, further keys are ignored. No number goes through a float.

mod object;

use self::object::{Errors, Object, list, parse};
use crate::error::InputError;
use crate::input::{Invoice, Line, MAX_LINES, MAX_ORDERS, Order, Party, Reference};
use crate::projects::{MAX_PROJECTS, MAX_PURCHASES, Project, ProjectQuery, Purchase};

/// Reads the contract's `dte_data` (or `invoice_data`) of `match_po`.
///
/// # Errors
///
/// [`InputError`] for what is no JSON, no object, or has a list that is none or too long. A
/// scalar that can't be read is nothing.
pub fn read_invoice(json: &str) -> Result<Invoice, InputError> {
    let mut errors = Errors::default();
    let invoice = Object::read(parse(json)?, Vec::new(), &mut errors)
        .map(|object| invoice(&object, &mut errors));
    errors.finish(invoice.unwrap_or_default())
}

/// Reads the contract's `pending_pos`: a list of at most [`MAX_ORDERS`] orders.
///
/// # Errors
///
/// As [`read_invoice`]; and for an order without an `id`.
pub fn read_orders(json: &str) -> Result<Vec<Order>, InputError> {
    let mut errors = Errors::default();
    let orders = list(parse(json)?, Vec::new(), MAX_ORDERS, &mut errors, order);
    errors.finish(orders)
}

/// Reads the body of `suggest_project`.
///
/// # Errors
///
/// As [`read_invoice`]; and for a project without an `id`.
pub fn read_project_query(json: &str) -> Result<ProjectQuery, InputError> {
    let mut errors = Errors::default();
    let query = Object::read(parse(json)?, Vec::new(), &mut errors)
        .map(|object| project_query(&object, &mut errors));
    errors.finish(query.unwrap_or_default())
}

fn party(object: &Object<'_>) -> Party {
    Party {
        id: object.id(&["partner_id"]),
        rut: object.text(&["partner_vat", "rut_emisor", "vat", "partner_rut"]),
        name: object
            .text(&["partner_name", "razon_social_emisor"])
            .or_else(|| {
                object
                    .text(&["partner_id"])
                    .filter(|name| name.parse::<f64>().is_err())
            }),
    }
}

fn invoice(object: &Object<'_>, errors: &mut Errors) -> Invoice {
    let free = object.texts(&["reference", "ref", "invoice_origin", "origin"]);
    let orders = object.texts(&["purchase_order", "po_number", "orden_compra", "oc"]);
    let reference = |is_order| move |text| Reference { text, is_order };
    let mut references: Vec<Reference> = free.into_iter().map(reference(false)).collect();
    references.extend(orders.into_iter().map(reference(true)));
    references.extend(object.list(
        &["referencias", "references"],
        MAX_LINES,
        errors,
        dte_reference,
    ));
    Invoice {
        supplier: party(object),
        total: object.number(&["total_amount", "amount_total", "monto_total"]),
        net: object.number(&["amount_untaxed", "net_amount", "monto_neto"]),
        date: object.date(&["date", "invoice_date", "fecha_emision", "date_invoice"]),
        references,
        lines: object.list(
            &["lines", "lineas", "invoice_lines"],
            MAX_LINES,
            errors,
            line,
        ),
    }
}

/// Types 801 and 802 of the tax document's references are orders; others aren't.
fn dte_reference(object: &Object<'_>, _: &mut Errors) -> Option<Reference> {
    let kind = object.text(&["tipo_documento", "tipo", "type"]);
    let text = object.text(&["folio", "folio_ref", "number"])?;
    matches!(kind.as_deref(), Some("801" | "802")).then_some(Reference {
        text,
        is_order: true,
    })
}

fn order(object: &Object<'_>, errors: &mut Errors) -> Option<Order> {
    let Some(id) = object.id(&["id", "po_id"]) else {
        object.missing("id", errors);
        return None;
    };
    Some(Order {
        id,
        name: object.text(&["name", "number", "display_name"]),
        partner_ref: object.text(&["partner_ref", "origin"]),
        supplier: party(object),
        total: object.number(&["amount_total", "total_amount", "total"]),
        net: object.number(&["amount_untaxed", "net_amount"]),
        date: object.date(&["date_order", "date", "date_approve"]),
        lines: object.list(
            &["lines", "order_line", "order_lines", "lineas"],
            MAX_LINES,
            errors,
            line,
        ),
    })
}

fn line(object: &Object<'_>, _: &mut Errors) -> Option<Line> {
    let texts = object.texts(&[
        "name",
        "nombre",
        "product_name",
        "description",
        "descripcion",
        "product_id",
    ]);
    let readable = texts
        .into_iter()
        .filter(|text| text.parse::<f64>().is_err());
    let codes = [
        "product_code",
        "default_code",
        "code",
        "codigo",
        "sku",
        "barcode",
        "supplier_code",
    ];
    Some(Line {
        id: object.id(&["id", "line_id"]),
        description: longest_of_each(readable),
        codes: object.texts(&codes),
        quantity: object.number(&[
            "quantity",
            "product_qty",
            "qty",
            "cantidad",
            "product_uom_qty",
        ]),
        invoiced: object.number(&["qty_invoiced", "invoiced_qty"]),
        unit: object.text(&[
            "product_uom",
            "uom",
            "unidad",
            "unit",
            "product_uom_id",
            "uom_name",
        ]),
        unit_price: object.number(&[
            "price_unit",
            "unit_price",
            "price",
            "precio_unitario",
            "precio",
        ]),
        amount: object.number(&["price_subtotal", "subtotal", "monto", "amount"]),
    })
}

/// The texts one after the other, without those that another one begins with.
fn longest_of_each(texts: impl Iterator<Item = String>) -> String {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if kept.iter().any(|other| other.contains(&text)) {
            continue;
        }
        kept.retain(|other| !text.contains(other.as_str()));
        kept.push(text);
    }
    kept.join(" ")
}

fn project_query(object: &Object<'_>, errors: &mut Errors) -> ProjectQuery {
    let history = object.list(&["historical_purchases"], MAX_PURCHASES, errors, purchase);
    ProjectQuery {
        supplier: party(object),
        lines: object.list(&["invoice_lines", "lines"], MAX_LINES, errors, line),
        projects: object.list(
            &["available_projects", "projects"],
            MAX_PROJECTS,
            errors,
            project,
        ),
        history,
    }
}

fn project(object: &Object<'_>, errors: &mut Errors) -> Option<Project> {
    let Some(id) = object.id(&["id"]) else {
        object.missing("id", errors);
        return None;
    };
    Some(Project {
        id,
        name: object.text(&["name", "display_name"]).unwrap_or_default(),
        code: object.text(&["code", "default_code", "reference"]),
        client: object.text(&["partner_name", "partner_id"]),
        state: object.text(&["state", "stage", "stage_id"]),
        budget: object.number(&["budget", "budget_amount"]),
    })
}

fn purchase(object: &Object<'_>, _: &mut Errors) -> Option<Purchase> {
    Some(Purchase {
        date: object.date(&["date", "invoice_date"]),
        project: object.text(&["project_name", "project", "project_id"])?,
        amount: object.number(&["amount", "total", "amount_total"]),
        description: object.text(&["description", "name"]),
    })
}

#[cfg(test)]
mod tests;
