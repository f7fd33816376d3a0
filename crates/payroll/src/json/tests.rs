//! Payslips as ERPs send them.

use rust_decimal::Decimal;

use super::*;
use crate::afp::Afp;
use crate::ley::{RegimenGratificacion, TipoContrato};
use crate::model::{Salud, Seccion};
use crate::periodo::Periodo;
use findings::PathSegment;
use jiff::civil::date;

const ODOO: &str = r#"{
  "employee_id": [12, "Ana Prueba"], "employee_name": "Ana Prueba", "period": "2026-03",
  "wage": 1000000.0, "date_from": "2026-03-01 00:00:00", "date_to": "2026-03-31",
  "x_studio": {"any": ["thing"]}, "contract_type": [3, "Plazo fijo"], "afp": [7, "AFP Modelo"],
  "isapre": "Colmena", "plan_uf": "3,52", "birth_date": "15/06/1990", "dependents": 2.0,
  "tramo": "B", "pensionado": false, "gratification_type": "art50", "weekly_hours": "44",
  "lines": [
    {"code": "BASIC", "name": "Sueldo Base", "category": [1, "Basic"], "amount": 1000000.0,
     "quantity": 1.0, "rate": 100.0, "total": 1000000.0, "sequence": 1},
    {"code": "AFP", "name": false, "category": null, "amount": -105799.99999999999, "total": 0.0},
    {"code": "GRAT", "amount": false}
  ],
  "total_imponible": "1.213.354", "total_liquido": false, "total_haberes": null
}"#;

#[test]
fn an_odoo_body_is_read_in_its_own_ways() {
    let leida = read_json(ODOO).unwrap();
    assert_eq!(
        (leida.empleado, leida.periodo),
        (Some(12), Periodo::iso("2026-03"))
    );
    assert_eq!(leida.desde, Some(date(2026, 3, 1)));
    assert_eq!(leida.sueldo, Some(Decimal::from(1_000_000)));
    assert_eq!(leida.lineas[0].categoria.as_deref(), Some("Basic"));
    assert_eq!(leida.lineas[1].importe(), Some(Decimal::from(-105_800)));
    assert_eq!(
        (&leida.lineas[1].nombre, leida.lineas[1].ruta.as_str()),
        (&None, "lines[1]")
    );
    assert_eq!(
        leida.lineas[2].importe(),
        Some(Decimal::ZERO),
        "false is Odoo's 0"
    );
    assert_eq!(leida.totales.imponible, Some(Decimal::from(1_213_354)));
    assert_eq!((leida.totales.liquido, leida.totales.haberes), (None, None));
    let datos = &leida.datos;
    assert_eq!(
        (datos.contrato, datos.afp),
        (Some(TipoContrato::PlazoFijo), Some(Afp::Modelo))
    );
    assert_eq!(
        (datos.salud, datos.plan_uf),
        (Some(Salud::Isapre), Some("3.52".parse().unwrap()))
    );
    assert_eq!(
        (datos.cargas, datos.tramo, datos.pensionado),
        (Some(2), Some('B'), Some(false))
    );
    assert_eq!(datos.gratificacion, Some(RegimenGratificacion::Articulo50));
    assert_eq!(datos.nacimiento, Some(date(1990, 6, 15)));
    assert_eq!(leida.ilegibles, vec![]);
}

#[test]
fn the_layout_with_parts_is_read() {
    let leida = read_json(
        r#"{"mes": "Junio 2024", "trabajador": {"sueldoBase": 500000, "prevision": "AFP Uno",
        "salud": "Fonasa", "tipoContrato": "Indefinido", "diasTrabajados": 30},
        "haberesImponibles": [{"concepto": "Sueldo Base", "monto": 500000}],
        "haberesNoImponibles": [], "descuentosLegales": [{"concepto": "AFP Uno", "monto": 52450}]}"#,
    )
    .unwrap();
    assert_eq!(leida.periodo, Periodo::iso("2024-06"));
    assert_eq!(
        (leida.datos.afp, leida.datos.salud),
        (Some(Afp::Uno), Some(Salud::Fonasa))
    );
    assert_eq!(leida.lineas[1].seccion, Some(Seccion::DescuentoLegal));
    assert_eq!(leida.lineas[1].ruta, "descuentosLegales[0]");
    let sin_mes = read_json(
        r#"{"mes": "Test Mes", "haberesImponibles": [{"concepto": "Sueldo", "monto": 1}]}"#,
    )
    .unwrap();
    assert_eq!(
        (sin_mes.periodo, sin_mes.periodo_texto.as_deref()),
        (None, Some("Test Mes"))
    );
}

#[test]
fn every_place_of_a_wrong_shape_is_told() {
    let lugares = |texto: &str| -> Vec<(String, &'static str)> {
        let error = read_json(texto).unwrap_err();
        let errores = error.shape_errors().iter();
        errores
            .map(|error| (objeto::ruta(&error.loc), error.kind))
            .collect()
    };
    assert_eq!(lugares("[]"), [(String::new(), "type_error")]);
    let de = |pares: &[(&str, &'static str)]| {
        pares
            .iter()
            .map(|(a, b)| ((*a).to_owned(), *b))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lugares("{}"),
        de(&[
            ("period", "missing"),
            ("wage", "missing"),
            ("lines", "missing")
        ])
    );
    assert_eq!(
        lugares(
            r#"{"employee_id": 0, "period": "2026-13", "wage": -1, "lines": [1, {}, {"code": "A"}]}"#
        ),
        de(&[
            ("period", "value_error"),
            ("employee_id", "value_error"),
            ("wage", "value_error"),
            ("lines[0]", "type_error"),
            ("lines[1].code", "missing"),
            ("lines[1].amount", "missing"),
            ("lines[2].amount", "missing"),
        ])
    );
    assert_eq!(
        lugares(r#"{"period": "2026-01", "wage": 1, "lines": "x"}"#)[0].1,
        "type_error"
    );
    assert_eq!(
        lugares(r#"{"period": "2026-01", "wage": 1, "lines": []}"#),
        de(&[("lines", "too_short")])
    );
    let muchas = format!(
        r#"{{"period": "2026-01", "wage": 1, "lines": [{}{{"code":"A","amount":1}}]}}"#,
        r#"{"code":"A","amount":1},"#.repeat(100)
    );
    assert_eq!(lugares(&muchas), de(&[("lines", "too_long")]));
    let error = read_json(r#"{"employee_id": 1, "period": "2026-01", "wage": 1}"#).unwrap_err();
    assert_eq!(
        error.shape_errors()[0].loc,
        [PathSegment::Key("lines".into())]
    );
    assert_eq!(error.user_message(), "Faltan las líneas de la liquidación.");
}

#[test]
fn what_is_no_payslip_is_refused() {
    assert_eq!(read_json("nada").unwrap_err().code(), "not_json");
    assert_eq!(read_json("").unwrap_err().code(), "not_json");
    assert_eq!(
        read_json(&" ".repeat(MAX_JSON_BYTES + 1))
            .unwrap_err()
            .code(),
        "payslip_too_large"
    );
    let honda = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(read_json(&honda).unwrap_err().code(), "invalid_shape");
}

#[test]
fn optional_fields_that_cannot_be_read_are_findings() {
    let leida = read_json(
        r#"{"employee_id": 1, "period": "2026-03", "wage": 1, "date_from": "ayer", "age": "x",
        "contract_type": "raro", "total_liquido": 1e300, "lines": [{"code": "A", "amount": {}}]}"#,
    )
    .unwrap();
    let rutas: Vec<&str> = leida.ilegibles.iter().map(|i| i.ruta.as_str()).collect();
    assert_eq!(
        rutas,
        [
            "date_from",
            "lines[0].amount",
            "total_liquido",
            "contract_type",
            "age"
        ]
    );
}
