//! What [`liquidar`] calculates is what [`validate`] accepts, whatever the contract; and one wrong
//! figure is found, with the right one.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail with it")]

use payroll::{
    Afp, Contrato, Finding, Gratificacion, Liquidada, Periodo, Severity, TipoContrato, integrados,
    liquidar, read_json, validate,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Months in which every figure is known.
const MONTHS: [&str; 8] = [
    "2024-01", "2024-06", "2024-08", "2024-12", "2025-05", "2025-09", "2026-02", "2026-03",
];

fn contracts() -> impl Strategy<Value = (Contrato, Periodo)> {
    let kind = prop::sample::select(vec![
        TipoContrato::Indefinido,
        TipoContrato::PlazoFijo,
        TipoContrato::Obra,
        TipoContrato::CasaParticular,
    ]);
    let plan = prop_oneof![3 => Just(None), 1 => (100_u32..900).prop_map(Some)];
    let month = prop::sample::select(MONTHS.to_vec());
    let pay = (
        539_000_u32..9_000_000,
        0_u32..300_000,
        0_u32..120_000,
        0_u32..=30,
    );
    (
        pay,
        kind,
        prop::sample::select(Afp::TODAS.to_vec()),
        plan,
        month,
        prop::option::of(1_i16..20),
        0_u32..4,
    )
        .prop_map(
            |((wage, bonus, lunch, hours), kind, afp, plan, month, years, cargas)| {
                let contract = Contrato {
                    tipo: kind,
                    plan_uf: plan.map(|hundredths| Decimal::new(hundredths.into(), 2)),
                    gratificacion: Gratificacion::Articulo50,
                    horas_extra: if hours == 1 {
                        Decimal::ZERO
                    } else {
                        hours.into()
                    },
                    otros_imponibles: bonus.into(),
                    no_imponibles: lunch.into(),
                    antiguedad: years,
                    cargas,
                    ..Contrato::new(wage.into(), afp)
                };
                (contract, Periodo::iso(month).unwrap())
            },
        )
}

/// The payslip as an ERP of this contract would send it.
fn payslip(contract: &Contrato, period: Periodo, pay: &Liquidada) -> Value {
    let kind = match contract.tipo {
        TipoContrato::Indefinido => "Indefinido",
        TipoContrato::PlazoFijo => "Plazo Fijo",
        TipoContrato::Obra => "Por obra o faena",
        _ => "Trabajador de casa particular",
    };
    let number = |amount: Decimal| -> Value { serde_json::from_str(&amount.to_string()).unwrap() };
    let line = |code: &str, name: &str, amount: Decimal| json!({"code": code, "name": name, "amount": number(amount)});
    let health = if contract.plan_uf.is_some() {
        "Isapre Consalud"
    } else {
        "Fonasa"
    };
    let years = contract.antiguedad.unwrap_or(0);
    let mut overtime = line("HEX50", "Horas extra 50%", pay.horas_extra);
    overtime["quantity"] = number(contract.horas_extra);
    let mut lines = vec![
        line("BASIC", "Sueldo base", pay.sueldo),
        overtime,
        line("BONO", "Bono de producción", contract.otros_imponibles),
        line("GRAT", "Gratificación legal", pay.gratificacion),
        line("COL", "Colación", contract.no_imponibles),
        line("ASIGFAM", "Asignación familiar", pay.asignacion_familiar),
        line(
            "AFP",
            &format!("AFP {}", contract.afp.unwrap().nombre()),
            -pay.afp,
        ),
        line("SALUD", health, -pay.salud),
        line("AFC", "Seguro de cesantía", -pay.afc),
        line("IUT", "Impuesto único", -pay.impuesto),
        line("SIS", "SIS", pay.sis),
        line("SECEEMP", "Cesantía empleador", pay.afc_empleador),
        line("MUT", "Mutual", pay.accidentes),
    ];
    if !pay.reforma.is_zero() {
        lines.push(line("EXVIDA", "Aporte reforma empleador", pay.reforma));
    }
    json!({
        "employee_id": 1, "period": period.to_string(), "wage": number(contract.sueldo), "lines": lines,
        "contract_type": kind, "weekly_hours": 44, "worked_days": 30, "gratification_type": "art50",
        "date_start": format!("{}-01-01", i32::from(period.anio()) - i32::from(years)),
        "plan_uf": contract.plan_uf.map(number), "dependents": contract.cargas,
        "total_imponible": number(pay.imponible), "total_haberes": number(pay.haberes),
        "total_descuentos": number(pay.descuentos), "total_liquido": number(pay.liquido),
    })
}

fn judge(payslip: &Value) -> Vec<Finding> {
    let read = read_json(&payslip.to_string()).unwrap();
    let indicators = read.periodo.and_then(integrados);
    validate(&read, indicators.as_ref()).findings
}

fn calculated(contract: &Contrato, period: Periodo) -> Liquidada {
    liquidar(contract, &integrados(period).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_calculated_is_accepted((contract, period) in contracts()) {
        let pay = calculated(&contract, period);
        let findings = judge(&payslip(&contract, period, &pay));
        prop_assert_eq!(findings, vec![]);
    }

    #[test]
    fn one_wrong_figure_is_found(
        (contract, period) in contracts(),
        which in prop::sample::select(vec![
            (6_usize, "LIQ-AFP-MONTO"), (7, "LIQ-SALUD-MONTO"), (9, "LIQ-IMPUESTO-MONTO"),
            (10, "LIQ-SIS-MONTO"), (11, "LIQ-AFC-EMPLEADOR-MONTO"),
        ]),
        by in prop_oneof![-900_i64..-3, 3_i64..900],
    ) {
        let contract = Contrato { plan_uf: None, ..contract };
        let pay = calculated(&contract, period);
        let mut wrong = payslip(&contract, period, &pay);
        let (line, code) = which;
        let right = wrong["lines"][line]["amount"].as_i64().unwrap_or_default();
        prop_assume!(right.abs() > 1_000);
        let moved = right + by;
        wrong["lines"][line]["amount"] = json!(moved);
        let findings = judge(&wrong);
        let found = findings.iter().find(|finding| finding.code == code);
        prop_assert!(found.is_some(), "{:?}", findings);
        let found = found.unwrap();
        prop_assert_eq!(found.severity, Severity::Error);
        prop_assert_eq!(found.expected, Some(Decimal::from(right.abs())));
        prop_assert_eq!(found.actual, Some(Decimal::from(moved.abs())));
    }
}
