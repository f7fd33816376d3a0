//! What ERPs send, and what they shouldn't.

use proptest::prelude::*;

use super::*;

#[test]
fn an_invoice_as_odoo_sends_it() {
    let invoice = read_invoice(
        r#"{"partner_id": [7, "Ferretería Ficticia"], "partner_vat": "CL76192083-9", "partner_name": false,
            "total_amount": 11900.0, "date": "2026-11-20 10:15:00", "reference": "OC-00123", "x_extra": {"a": []},
            "lines": [{"name": "Perno", "description": "Perno 1/2\"", "quantity": 10.0, "price_unit": "1000",
                       "product_id": [5, "[PER] Perno 1/2\""], "uom": [1, "Unidades"], "price_subtotal": 1e4, "taxes": [3]}]}"#,
    )
    .unwrap();
    assert_eq!(invoice.supplier.id, Some(7));
    assert_eq!(
        invoice.supplier.name.as_deref(),
        Some("Ferretería Ficticia")
    );
    assert_eq!(invoice.total, "11900".parse().ok());
    assert_eq!(invoice.date.unwrap().to_string(), "2026-11-20");
    assert_eq!(invoice.references[0].text, "OC-00123");
    let line = &invoice.lines[0];
    assert_eq!(line.description, "[PER] Perno 1/2\"");
    assert_eq!(
        (line.unit.as_deref(), line.amount),
        (Some("Unidades"), "10000".parse().ok())
    );
}

#[test]
fn the_contracts_tax_document_keys_are_read_as_well() {
    let invoice = read_invoice(
        r#"{"rut_emisor": "76192083-9", "monto_total": "1190", "fecha_emision": "20/11/2026",
            "referencias": [{"tipo_documento": 801, "folio": 55}, {"tipo_documento": "52", "folio": "9"}],
            "lineas": [{"nombre": "Perno", "cantidad": 1, "precio_unitario": 1000}]}"#,
    )
    .unwrap();
    assert_eq!(
        invoice.references,
        [Reference {
            text: "55".into(),
            is_order: true
        }]
    );
    assert_eq!(invoice.date.unwrap().to_string(), "2026-11-20");
    assert_eq!(invoice.lines.len(), 1);
}

#[test]
fn orders_need_an_id_and_every_wrong_place_is_told() {
    let orders =
        read_orders(r#"[{"id": 7.0, "name": "P00007", "order_line": false, "date_order": null}]"#)
            .unwrap();
    assert_eq!((orders[0].id, orders[0].lines.len()), (7, 0));
    let error = read_orders(r#"[{"name": "x"}, 5, {"id": 1, "lines": 3}]"#).unwrap_err();
    let kinds: Vec<&str> = error
        .shape_errors()
        .iter()
        .map(|error| error.kind)
        .collect();
    assert_eq!(kinds, ["missing", "type_error", "type_error"]);
    assert!(read_orders("{").unwrap_err().shape_errors().is_empty());
    let many = format!("[{}]", vec![r#"{"id":1}"#; 201].join(","));
    assert_eq!(
        read_orders(&many).unwrap_err().shape_errors()[0].kind,
        "too_long"
    );
}

#[test]
fn a_project_question_with_nulls() {
    let query = read_project_query(
        r#"{"partner_id": 5, "partner_vat": null, "partner_name": "X", "invoice_lines": [{"description": "Arena", "quantity": 2, "price": 10.5}],
            "available_projects": [{"id": 3, "name": "Edificio", "code": false, "partner_name": "Y", "state": "open", "budget": 0.0}],
            "historical_purchases": null}"#,
    )
    .unwrap();
    assert_eq!(query.projects[0].code, None);
    assert_eq!(query.lines[0].unit_price, "10.5".parse().ok());
    assert!(query.history.is_empty());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", value in "[\\[\\]{}\",:0-9a-z.eE+-]{0,60}") {
        let _ = read_invoice(&text);
        let body = format!(r#"{{"total_amount": {value}, "lines": [{{"quantity": {value}, "name": "{value}"}}]}}"#);
        let _ = (read_invoice(&body), read_orders(&body), read_project_query(&body));
    }
}
