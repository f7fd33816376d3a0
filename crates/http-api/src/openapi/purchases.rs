//! `match_po`, `reconcile`, and the analytics.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    amount, company, count, free, list, nothing, object, optional, percent, text, text_or_null,
    words,
};

const TAG: &str = "compras";

pub(super) fn match_po() -> Operation {
    let request = json!({
        "type": "object",
        "required": ["company_id", "pending_pos"],
        "properties": {
            "company_id": company(),
            "pending_pos": orders()
        },
        "anyOf": [
            {"required": ["dte_data"], "properties": {"dte_data": invoice()}},
            {
                "required": ["invoice_data"],
                "properties": {"dte_data": nothing(), "invoice_data": invoice()}
            }
        ]
    });
    let example = json!({
        "company_id": 1,
        "dte_data": {
            "partner_id": 12,
            "partner_vat": "76192083-9",
            "partner_name": "Ferretería Los Aromos Ltda.",
            "total_amount": 119_000,
            "date": "2026-11-20",
            "reference": "OC P00007",
            "lines": [{"description": "Cemento especial 25 kg", "quantity": 20, "price_unit": 5_000}]
        },
        "pending_pos": [order_example()]
    });
    Operation::new(
        "matchPurchaseOrder",
        TAG,
        "¿De qué orden de compra es esta factura?",
    )
    .description(
        "Compara referencia, RUT, líneas, cantidades, precios, totales y fechas. La confianza \
             está calibrada: de cien respuestas con 90, unas noventa aciertan. El modelo sólo \
             desempata.",
    )
    .body(request, &[("factura", example)])
    .problem(403)
    .answer(
        200,
        "La orden, o por qué ninguna.",
        matched("matched_po_id"),
    )
}

pub(super) fn reconcile() -> Operation {
    let request = json!({
        "type": "object",
        "required": ["dte_xml", "pending_pos"],
        "properties": {
            "company_id": optional(&company()),
            "dte_xml": {"type": "string", "minLength": 1, "description": "El documento como llegó."},
            "pending_pos": orders()
        }
    });
    let example = json!({
        "dte_xml": XML,
        "pending_pos": [order_example()]
    });
    Operation::new("reconcile", TAG, "Lo mismo, desde el XML recibido")
        .body(request, &[("xml", example)])
        .problem(403)
        .answer(200, "La orden, o por qué ninguna.", matched("po_id"))
}

pub(super) fn suggest_project() -> Operation {
    let line = loose(&[
        ("description", free("Qué se compró.")),
        ("quantity", free("Cuánto.")),
        ("price", free("Precio unitario, en pesos.")),
    ]);
    let project = json!({
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": id(),
            "name": free("Nombre."),
            "code": free("Código."),
            "partner_name": free("Cliente."),
            "state": free("Estado en el ERP."),
            "budget": free("Presupuesto, en pesos.")
        }
    });
    let purchase = loose(&[
        ("date", free("AAAA-MM-DD.")),
        ("project_name", free("A qué proyecto fue.")),
        ("amount", free("Monto, en pesos.")),
    ]);
    let request = json!({
        "type": "object",
        "required": ["company_id", "available_projects"],
        "properties": {
            "company_id": company(),
            "partner_id": free("El proveedor en el ERP."),
            "partner_vat": free("RUT del proveedor."),
            "partner_name": free("Nombre del proveedor."),
            "invoice_lines": optional(&bounded_list(&line, 0, 1_000)),
            "available_projects": optional(&bounded_list(&project, 0, 1_000)),
            "historical_purchases": optional(&bounded_list(&purchase, 0, 5_000))
        }
    });
    let example = json!({
        "partner_id": 12,
        "partner_vat": "76192083-9",
        "partner_name": "Ferretería Los Aromos Ltda.",
        "company_id": 1,
        "invoice_lines": [{"description": "Cemento especial 25 kg", "quantity": 20, "price": 5_000}],
        "available_projects": [
            {"id": 3, "name": "Edificio Los Robles", "code": "EDR", "partner_name": "Inmobiliaria Robles", "state": "open", "budget": 90_000_000},
            {"id": 4, "name": "Mantención bodega", "code": "MB", "partner_name": false, "state": "open", "budget": null}
        ],
        "historical_purchases": [
            {"date": "2026-10-02", "project_name": "Edificio Los Robles", "amount": 850_000},
            {"date": "2026-10-20", "project_name": "Edificio Los Robles", "amount": 420_000}
        ]
    });
    let suggestion = object(&[
        ("project_id", json!({"type": ["integer", "null"]})),
        ("project_name", text_or_null()),
        ("confidence", percent()),
        ("reasoning", text()),
    ]);
    Operation::new(
        "suggestProject",
        "analítica",
        "¿A qué proyecto va esta compra?",
    )
    .description("`project_id` es nulo bajo 70 y siempre uno de los ofrecidos.")
    .body(request, &[("compra", example)])
    .problem(403)
    .answer(200, "El proyecto, o por qué ninguno.", suggestion)
}

pub(super) fn health() -> Operation {
    let schema = object(&[
        ("status", words(&["healthy"])),
        ("service", words(&["analytics"])),
        ("anthropic_configured", json!({"type": "boolean"})),
        ("features", list(&text())),
    ]);
    Operation::new(
        "analyticsHealth",
        "analítica",
        "Qué sabe hacer la analítica",
    )
    .answer(200, "Sus funciones.", schema)
}

pub(super) fn stats() -> Operation {
    let top = object(&[
        ("project_id", json!({"type": "integer"})),
        ("name", text()),
        ("count", count()),
    ]);
    let mut schema = object(&[
        ("total_suggestions", count()),
        (
            "avg_confidence",
            json!({"type": "number", "minimum": 0, "maximum": 100}),
        ),
        ("projects_matched", count()),
        ("top_projects", list(&top)),
        (
            "confidence_distribution",
            object(&[("high", count()), ("medium", count()), ("low", count())]),
        ),
    ]);
    schema["properties"]["degraded"] = json!({
        "type": "boolean",
        "description": "Sólo si es `true`: son las últimas que se pudieron leer."
    });
    Operation::new(
        "analyticsStats",
        "analítica",
        "Cómo han ido las sugerencias",
    )
    .parameter(json!({
        "name": "company_id",
        "in": "query",
        "schema": {"type": "integer", "minimum": 0, "maximum": u32::MAX},
        "description": "Una compañía; sin ella, todo lo que la clave ha preguntado."
    }))
    .answer(200, "Las cifras de la clave.", schema)
    .problem(400)
    .problem(403)
    .problem(500)
    .problem(503)
}

/// An object of a request: these members, any others, none of them needed.
fn loose(members: &[(&str, Value)]) -> Value {
    let mut schema = object(members);
    schema["required"] = json!([]);
    schema
}

fn bounded_list(items: &Value, least: usize, most: usize) -> Value {
    json!({"type": "array", "minItems": least, "maxItems": most, "items": items})
}

/// The ERP's number of a record: whole, also as a text, also as Odoo's `[id, name]`.
fn id() -> Value {
    let number = json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX});
    let text = json!({"type": "string", "pattern": "^-?[0-9]{1,18}$"});
    let reference = json!({
        "type": "array",
        "prefixItems": [{"anyOf": [number, text]}],
        "minItems": 1
    });
    json!({"anyOf": [number, text, reference]})
}

fn line() -> Value {
    loose(&[
        ("description", free("Qué es.")),
        ("quantity", free("Cantidad.")),
        ("price_unit", free("Precio unitario, en pesos.")),
        ("amount", free("Monto de la línea, en pesos.")),
        ("code", free("Código del producto.")),
        ("uom", free("Unidad de medida.")),
    ])
}

fn invoice() -> Value {
    loose(&[
        ("partner_id", free("El proveedor en el ERP.")),
        ("partner_vat", free("RUT del proveedor.")),
        ("partner_name", free("Nombre del proveedor.")),
        ("total_amount", free("Monto total, en pesos.")),
        ("date", free("AAAA-MM-DD.")),
        ("reference", free("Lo que la factura dice de la orden.")),
        ("lines", optional(&bounded_list(&line(), 0, 1_000))),
    ])
}

fn orders() -> Value {
    let mut order = loose(&[
        ("id", id()),
        ("name", free("Como se llama la orden.")),
        ("partner_name", free("Nombre del proveedor.")),
        ("partner_vat", free("RUT del proveedor.")),
        ("amount_total", free("Monto total, en pesos.")),
        ("date_order", free("Cuándo se hizo.")),
        ("lines", optional(&bounded_list(&line(), 0, 1_000))),
    ]);
    order["required"] = json!(["id"]);
    bounded_list(&order, 1, 200)
}

fn matched(id: &str) -> Value {
    let line = object(&[
        ("invoice_line", count()),
        ("po_line", count()),
        ("po_id", json!({"type": "integer"})),
        ("po_line_id", json!({"type": ["integer", "null"]})),
        ("score", amount()),
        ("quantity_ok", json!({"type": "boolean"})),
        ("price_ok", json!({"type": "boolean"})),
    ]);
    object(&[
        (id, json!({"type": ["integer", "null"]})),
        ("confidence", percent()),
        ("line_matches", list(&line)),
        ("reasoning", text()),
        ("other_po_ids", list(&json!({"type": "integer"}))),
        ("degraded", json!({"type": "boolean"})),
    ])
}

fn order_example() -> Value {
    json!({
        "id": 7,
        "name": "P00007",
        "partner_name": "Ferretería Los Aromos Ltda.",
        "partner_vat": "76192083-9",
        "amount_total": 119_000,
        "date_order": "2026-11-12",
        "lines": [{"description": "Cemento especial 25 kg", "quantity": 20, "price_unit": 5_000}]
    })
}

const XML: &str = "<DTE version=\"1.0\"><Documento ID=\"F1042T33\"><Encabezado><IdDoc><TipoDTE>33</TipoDTE>\
    <Folio>1042</Folio><FchEmis>2026-11-20</FchEmis></IdDoc><Emisor><RUTEmisor>76192083-9</RUTEmisor>\
    <RznSoc>Ferretería Los Aromos Ltda.</RznSoc></Emisor><Receptor><RUTRecep>96790240-3</RUTRecep>\
    <RznSocRecep>Constructora Río Claro S.A.</RznSocRecep></Receptor><Totales><MntNeto>100000</MntNeto>\
    <TasaIVA>19</TasaIVA><IVA>19000</IVA><MntTotal>119000</MntTotal></Totales></Encabezado><Detalle>\
    <NroLinDet>1</NroLinDet><NmbItem>Cemento especial 25 kg</NmbItem><QtyItem>20</QtyItem>\
    <PrcItem>5000</PrcItem><MontoItem>100000</MontoItem></Detalle><Referencia><NroLinRef>1</NroLinRef>\
    <TpoDocRef>801</TpoDocRef><FolioRef>P00007</FolioRef><FchRef>2026-11-12</FchRef></Referencia>\
    </Documento></DTE>";
