//! The JSON reader: the contract's object as ERPs write it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/json.rs"]
mod json;

use dte::{
    Campo, Context, Documento, MAX_JSON_BYTES, PathSegment, ReadErrorKind, Recommendation,
    Severity, read_json, validate,
};
use jiff::civil::date;
use json::JSON;

fn codigos(documento: &Documento) -> Vec<(&'static str, Severity)> {
    validate(documento, &Context::emission(date(2026, 11, 22)))
        .findings
        .iter()
        .map(|finding| (finding.code, finding.severity))
        .collect()
}

fn con(de: &str, a: &str) -> Documento {
    assert!(JSON.contains(de), "{de}");
    read_json(&JSON.replace(de, a)).unwrap()
}

#[test]
fn a_correct_document_has_no_finding() {
    assert_eq!(codigos(&read_json(JSON).unwrap()), []);
}

#[test]
fn sloppy_values_are_read_the_same() {
    let limpio = read_json(JSON).unwrap();
    for (de, a) in [
        ("\"tipo_dte\": 33", "\"tipo_dte\": \"33\""),
        (
            "\"tipo_dte\": 33",
            "\"tipo_dte\": 33.0, \"desconocida\": [1, {\"a\": null}]",
        ),
        ("\"monto_neto\": 15000", "\"monto_neto\": 15000.0"),
        ("\"monto_neto\": 15000", "\"monto_neto\": \" 15000 \""),
        ("\"monto_neto\": 15000", "\"monto_neto\": 1.5e4"),
        ("\"monto_neto\": 15000", "\"monto_neto\": 15000.00000000001"),
        ("\"2026-11-20\"", "\"2026-11-20 10:00:00\""),
        ("\"2026-11-20\"", "\"2026-11-20T10:00:00.000Z\""),
        (
            "\"monto_neto\": 15000",
            "\"monto_neto\": 15000, \"monto_exento\": false",
        ),
        (
            "\"monto_neto\": 15000",
            "\"monto_neto\": 15000, \"impuestos\": null",
        ),
        (
            "\"nombre\": \"Cemento\"",
            "\"nombre\": \"Cemento\", \"exento\": false, \"descuento\": \"\"",
        ),
        (
            "\"nombre\": \"Cemento\"",
            "\"nombre\": \"Cemento\", \"exento\": 0",
        ),
        (
            "\"tasa_iva\": 19",
            "\"tasa_iva\": 19, \"impuestos\": [{\"codigo\": 14, \"tasa\": 19, \"monto\": 2850}]",
        ),
    ] {
        let documento = con(de, a);
        assert_eq!(codigos(&documento), [], "{a}");
        assert_eq!(
            documento.encabezado.totales.mnt_neto, limpio.encabezado.totales.mnt_neto,
            "{a}"
        );
        assert_eq!(documento.encabezado.id_doc, limpio.encabezado.id_doc, "{a}");
    }
}

#[test]
fn a_rut_is_normalised_with_a_note() {
    for escrito in ["76.192.083-9", "761920839", "CL76192083-9", "CL761920839"] {
        let documento = con("\"76192083-9\"", &format!("\"{escrito}\""));
        assert_eq!(
            documento.encabezado.emisor.rut_emisor.as_deref(),
            Some("76192083-9")
        );
        assert_eq!(
            codigos(&documento),
            [("DTE-CAMPO-NORMALIZADO", Severity::Info)],
            "{escrito}"
        );
    }
    let documento = con("60803000-K", "60803000-k");
    assert_eq!(
        codigos(&documento),
        [("DTE-CAMPO-NORMALIZADO", Severity::Info)]
    );
    let documento = con("60803000-K", "60.803.000-1");
    assert_eq!(
        codigos(&documento),
        [("DTE-RUT-RECEPTOR-DV", Severity::Error)]
    );
}

#[test]
fn unreadable_values_are_findings_without_follow_ups() {
    for (de, a, ruta) in [
        (
            "\"monto_iva\": 2850",
            "\"monto_iva\": \"2.850,0\"",
            "monto_iva",
        ),
        ("\"monto_iva\": 2850", "\"monto_iva\": true", "monto_iva"),
        ("\"2026-11-20\"", "\"20/11/2026\"", "fecha_emision"),
        (
            "\"monto\": 5000",
            "\"monto\": \"cinco mil\"",
            "lineas[1].monto",
        ),
    ] {
        let documento = con(de, a);
        assert_eq!(
            codigos(&documento),
            [("DTE-CAMPO-ILEGIBLE", Severity::Error)],
            "{a}"
        );
        assert_eq!(documento.lectura.ilegibles[0].ruta, ruta);
    }
}

#[test]
fn paths_are_the_contracts() {
    let documento = con("\"monto\": 5000", "\"monto\": 6000");
    let report = validate(&documento, &Context::emission(date(2026, 11, 22)));
    let rutas: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.path.as_str())
        .collect();
    assert_eq!(rutas, ["lineas[1].monto", "monto_neto"]);
    assert_eq!(report.recommendation(), Recommendation::Reject);
}

#[test]
fn a_discount_is_an_amount_or_the_percentage_that_makes_the_line_right() {
    let monto = con("\"monto\": 10000", "\"descuento\": 500, \"monto\": 9500");
    assert_eq!(monto.detalle[0].descuento_monto, Campo::Valor(500.into()));
    assert_eq!(monto.detalle[0].descuento_pct, Campo::Ausente);
    let porcentaje = con("\"monto\": 10000", "\"descuento\": 5.0, \"monto\": 9500");
    assert_eq!(
        porcentaje.detalle[0].descuento_monto,
        Campo::Valor(500.into())
    );
    assert_eq!(porcentaje.detalle[0].descuento_pct, Campo::Valor(5.into()));
    // Right as neither: it stays an amount, and the line is wrong.
    let ninguno = con("\"monto\": 10000", "\"descuento\": 5, \"monto\": 9000");
    assert!(codigos(&ninguno).contains(&("DTE-LINEA-MONTO", Severity::Error)));
}

#[test]
fn the_lines_of_a_boleta_may_be_net_or_gross() {
    let neta = JSON.replace("\"tipo_dte\": 33", "\"tipo_dte\": 39");
    assert_eq!(codigos(&read_json(&neta).unwrap()), []);
    let bruta = neta
        .replace("\"monto_neto\": 15000", "\"monto_neto\": 12605")
        .replace("2850", "2395")
        .replace("17850", "15000");
    assert_eq!(codigos(&read_json(&bruta).unwrap()), []);
}

#[test]
fn a_part_is_read_and_only_warned_about() {
    let documento = read_json(r#"{"tipo_dte": "33", "lineas": [], "monto_total": 1190}"#).unwrap();
    let codigos = codigos(&documento);
    assert!(
        codigos.contains(&("DTE-LINEAS-AUSENTES", Severity::Warning)),
        "{codigos:?}"
    );
    assert!(
        codigos
            .iter()
            .all(|(_, severity)| *severity < Severity::Error),
        "{codigos:?}"
    );
}

#[test]
fn every_shape_error_is_reported() {
    let error = read_json(
        r#"{"tipo_dte": "factura", "folio": {}, "lineas": [1, {"monto": []}], "referencias": "x"}"#,
    )
    .unwrap_err();
    let errores: Vec<(Vec<PathSegment>, &str)> = error
        .shape_errors()
        .iter()
        .map(|e| (e.loc.clone(), e.kind))
        .collect();
    let key = |k: &str| PathSegment::Key(k.into());
    assert_eq!(
        errores,
        [
            (vec![key("tipo_dte")], "value_error"),
            (vec![key("folio")], "type_error"),
            (vec![key("lineas"), PathSegment::Index(0)], "type_error"),
            (
                vec![key("lineas"), PathSegment::Index(1), key("monto")],
                "type_error"
            ),
            (vec![key("referencias")], "type_error"),
        ]
    );
    for (texto, kind) in [
        ("[]", "type_error"),
        ("{}", "missing"),
        (r#"{"tipo_dte": false}"#, "missing"),
    ] {
        let error = read_json(texto).unwrap_err();
        assert_eq!(error.shape_errors()[0].kind, kind, "{texto}");
        assert!(!error.user_message().is_empty());
    }
}

#[test]
fn what_is_no_json_or_too_large_is_refused() {
    assert!(matches!(
        read_json("{").unwrap_err().kind(),
        ReadErrorKind::JsonSyntax { line: 1, column: 1 }
    ));
    assert!(matches!(
        read_json(" ").unwrap_err().kind(),
        ReadErrorKind::Empty
    ));
    let grande = " ".repeat(MAX_JSON_BYTES + 1);
    assert!(matches!(
        read_json(&grande).unwrap_err().kind(),
        ReadErrorKind::TooLarge { .. }
    ));
    let largas = format!(r#"{{"tipo_dte": 33, "lineas": [{}1]}}"#, "1,".repeat(5_000));
    assert_eq!(
        read_json(&largas).unwrap_err().shape_errors()[0].kind,
        "too_long"
    );
    let honda = format!(r#"{{"tipo_dte": 33, "x": {}}}"#, "[".repeat(500_000));
    assert!(matches!(
        read_json(&honda).unwrap_err().kind(),
        ReadErrorKind::JsonSyntax { .. }
    ));
}
