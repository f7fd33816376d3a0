//! Whatever comes in: no panic, and a verdict that follows its findings.

use payroll::previred::{extraccion, leer, leer_tablas};
use payroll::{Periodo, Recommendation, Severity, integrados, read_json, validate};
use proptest::prelude::*;

fn amount() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (-2_000_000_i64..20_000_000).prop_map(|amount| amount.to_string()),
        1 => any::<f64>().prop_map(|amount| if amount.is_finite() { amount.to_string() } else { "null".into() }),
        1 => any::<i64>().prop_map(|amount| amount.to_string()),
        1 => prop::sample::select(vec!["null", "false", "true", "\"1.234.567\"", "\"x\"", "[]", "{}", "1e27", "-0.0"]).prop_map(str::to_owned),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let codes = vec![
        "BASIC", "GRAT", "HEX", "COL", "ASIGFAM", "AFP", "SALUD", "ADISA", "AFC", "IUT", "APV",
        "ANTICIPO", "PRESTA", "SIS", "MUT", "SECEEMP", "CAPIND", "GROSS", "NET", "Z9", "AUSENCIA",
    ];
    let names = vec![
        "AFP Modelo",
        "Isapre Colmena",
        "Fonasa",
        "Bono",
        "Viático",
        "",
        "\u{301}ñ%",
    ];
    let categories = vec![
        "null",
        "\"DED\"",
        "\"No imponible\"",
        "\"COMP\"",
        "\"ALW\"",
        "[1, \"Basic\"]",
    ];
    (prop::sample::select(codes), prop::sample::select(names), prop::sample::select(categories), amount(), amount())
        .prop_map(|(code, name, category, one, two)| {
            format!(r#"{{"code": "{code}", "name": "{name}", "category": {category}, "amount": {one}, "total": {two}, "quantity": {two}}}"#)
        })
}

fn payslip() -> impl Strategy<Value = String> {
    let periods = vec![
        "2024-02", "2025-02", "2025-12", "2026-03", "2026-11", "1999-01",
    ];
    (prop::sample::select(periods), 1_u64..30_000_000, prop::collection::vec(line(), 1..20), prop::collection::vec(amount(), 10))
        .prop_map(|(period, wage, lines, more)| {
            format!(
                r#"{{"employee_id": 1, "period": "{period}", "wage": {wage}, "lines": [{}],
                "total_imponible": {}, "total_haberes": {}, "total_descuentos": {}, "total_liquido": {},
                "worked_days": {}, "weekly_hours": {}, "plan_uf": {}, "age": {}, "dependents": {}, "overtime_hours": {}}}"#,
                lines.join(","), more[0], more[1], more[2], more[3], more[4], more[5], more[6], more[7], more[8], more[9]
            )
        })
}

proptest! {
    #[test]
    fn any_payslip_has_a_verdict_that_follows(text in payslip()) {
        let Ok(payslip) = read_json(&text) else {
            return Ok(());
        };
        let indicators = payslip.periodo.and_then(integrados);
        let report = validate(&payslip, indicators.as_ref());
        let worst = report.findings.iter().map(|finding| finding.severity).max();
        let follows = match worst {
            Some(Severity::Error) => Recommendation::Reject,
            Some(Severity::Warning) => Recommendation::Review,
            _ => Recommendation::Approve,
        };
        prop_assert_eq!(report.recommendation(), follows);
        for finding in &report.findings {
            prop_assert!(!finding.message.is_empty() && finding.code.starts_with("LIQ-"));
            if let (Some(expected), Some(actual)) = (finding.expected, finding.actual) {
                prop_assert_eq!(finding.difference, Some((actual - expected).normalize()));
            }
        }
        prop_assert!(validate(&payslip, None).findings.len() < 1_000);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,300}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_json(&text);
        let _ = Periodo::leer(&text);
        let _ = leer_tablas(&text);
        let may = Periodo::iso("2027-05").unwrap();
        let _ = leer(text.as_bytes(), may);
        let _ = leer(&bytes, may);
        let _ = extraccion::leer_respuesta(&text, may);
        let html = format!("<table><tr><td>{text}<td>$ 1.000 {text} 3%</table>");
        let _ = leer(html.as_bytes(), may);
    }
}
