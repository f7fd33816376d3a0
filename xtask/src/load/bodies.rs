//! The bodies that are sent: documents, payslips and questions of made-up companies.

use serde_json::{Value, json};

use crate::bench::invoice::Invoice;
use crate::bench::template::SERIAL;

/// A sound invoice, or one whose IVA is far off: a reject by the rules, which needs no model.
pub fn document(lines: u32, wrong: bool) -> Value {
    let today = jiff::Zoned::now().date().to_string();
    let mut data = Invoice::new(lines, &today).dte_data();
    if wrong {
        data["monto_iva"] = json!(1);
    }
    json!({ "dte_data": data, "company_id": 1 })
}

/// A payslip with errors, which the rules find by themselves.
pub fn payslip(employee: Value) -> Value {
    json!({
        "employee_id": employee, "period": "2026-03", "wage": 1_000_000,
        "lines": [
            { "code": "BASIC", "name": "Sueldo base", "amount": 1_000_000 },
            { "code": "GRAT", "name": "Gratificación legal", "amount": 213_354 },
            { "code": "AFP", "name": "AFP Uno", "amount": -100_000 },
            { "code": "FONASA", "name": "Fonasa 7%", "amount": -86_625 },
            { "code": "AFC", "name": "Seguro de cesantía", "amount": -7_425 },
        ],
    })
}

/// A received invoice and ten open orders, one of which it is for.
pub fn purchase() -> Value {
    let order = |id: u32| {
        let price = 4_900 + 10 * id;
        json!({
            "id": id, "name": format!("P{id:05}"), "partner_vat": "76192083-9",
            "partner_name": "Ferretería Los Alerces Ficticios Ltda.",
            "amount_total": 10 * price * 119 / 100, "date_order": "2026-11-18",
            "lines": [{ "description": "Cemento 25 kg", "quantity": 10, "price": price }],
        })
    };
    json!({
        "company_id": 1,
        "dte_data": {
            "partner_id": 12, "partner_vat": "76192083-9",
            "partner_name": "Ferretería Los Alerces Ficticios Ltda.",
            "total_amount": 59_500, "date": "2026-11-20", "reference": format!("F-{SERIAL}"),
            "lines": [{ "description": "Cemento 25 kg", "quantity": 10, "price": 5_000 }],
        },
        "pending_pos": (1..=10).map(order).collect::<Vec<_>>(),
    })
}

/// A received invoice and two projects that it may be for.
pub fn project() -> Value {
    json!({
        "company_id": 1, "partner_id": 12, "partner_vat": "76192083-9",
        "partner_name": "Ferretería Los Alerces Ficticios Ltda.",
        "invoice_lines": [
            { "description": format!("Cemento 25 kg, guía {SERIAL}"), "quantity": 10, "price": 5_000 },
        ],
        "available_projects": [
            { "id": 3, "name": "Edificio Los Robles", "state": "open", "budget": 90_000_000 },
            { "id": 4, "name": "Mantención bodega", "state": "open", "budget": false },
        ],
        "historical_purchases": [
            { "date": "2026-10-02", "project_name": "Edificio Los Robles", "amount": 850_000 },
            { "date": "2026-10-20", "project_name": "Edificio Los Robles", "amount": 420_000 },
        ],
    })
}

/// A question to the chat.
pub fn question() -> Value {
    json!({ "message": format!("¿Cómo emito una nota de crédito para la factura {SERIAL}?") })
}
