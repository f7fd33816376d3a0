//! Golden cases: a contract, and the payslip that it gives.

use std::path::Path;

use payroll::{
    Afp, Contrato, Gratificacion, Liquidada, Periodo, TipoContrato, integrados, liquidar, redondear,
};
use rust_decimal::Decimal;
use serde_json::Value;

use super::files;
use super::report::{Line, Report};
use crate::error::Error;

/// The program that the cases come from adds 0.02 % of risk to the 0.93 % for accidents.
const ACCIDENTS: Decimal = Decimal::from_parts(95, 0, 0, false, 2);

/// Whether a file is a golden case.
pub fn is_golden(text: &str) -> bool {
    let value: Result<Value, _> = serde_json::from_str(text);
    value.is_ok_and(|value| value["request"].is_object() && value["expected"].is_object())
}

/// Calculates every golden case of a folder, and compares figure by figure.
///
/// # Errors
///
/// [`Error::Io`] for a folder or file that can't be read.
pub fn evaluate(folder: &Path, previred: Option<&Path>, report: &mut Report) -> Result<(), Error> {
    let accidents = match previred {
        Some(previred) => accidents(previred)?,
        None => ACCIDENTS,
    };
    for (name, bytes) in files(folder)? {
        let text = String::from_utf8_lossy(&bytes);
        if name.ends_with(".json") && is_golden(&text) {
            let case: Value = serde_json::from_str(&text).unwrap_or_default();
            compare(&name, &case, accidents, report);
        }
    }
    Ok(())
}

/// The rate of the same program's parameters, where they are there.
fn accidents(previred: &Path) -> Result<Decimal, Error> {
    let parameters = files(previred)?
        .into_iter()
        .find(|(name, _)| name.starts_with("payroll-complete-params"));
    let rate = parameters.and_then(|(_, bytes)| {
        let value: Value = serde_json::from_slice(&bytes).ok()?;
        number(&value["work_injury"]["employer_rate_default"])
    });
    Ok(rate.map_or(ACCIDENTS, |rate| rate * Decimal::ONE_HUNDRED))
}

/// The number in the words of the file.
fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn contract(request: &Value, accidents: Decimal) -> Option<(Contrato, Periodo)> {
    let text = |key: &str| request[key].as_str();
    let afp = Afp::leer(&format!("afp {}", text("afp")?))?;
    let gratificacion = match &request["gratificacion"] {
        Value::Bool(true) => Gratificacion::Articulo50,
        Value::String(_) if number(&request["gratificacion"]).is_none() => {
            Gratificacion::Articulo50
        }
        other => number(other).map_or(Gratificacion::Ninguna, Gratificacion::Monto),
    };
    let plan = ["health_plan_uf", "plan_uf", "isapre_plan_uf"]
        .iter()
        .find_map(|key| number(&request[*key]));
    let other = |key: &str| number(&request[key]).unwrap_or_default();
    let contract = Contrato {
        tipo: text("contract_type")
            .and_then(TipoContrato::leer)
            .unwrap_or(TipoContrato::Indefinido),
        plan_uf: plan.filter(|_| text("health").is_some_and(|health| !health.contains("fonasa"))),
        gratificacion,
        otros_imponibles: other("otros_imponibles"),
        no_imponibles: other("no_imponibles"),
        tasa_accidentes: Some(accidents),
        ..Contrato::new(number(&request["base_salary_clp"])?, afp)
    };
    Some((contract, Periodo::leer(text("periodo")?)?))
}

fn compare(name: &str, case: &Value, accidents: Decimal, report: &mut Report) {
    let Some((contract, period)) = contract(&case["request"], accidents) else {
        report
            .golden
            .push(Line::new(name, "the request isn't understood", false));
        return;
    };
    let Some(indicators) = integrados(period) else {
        report
            .golden
            .push(Line::new(name, format!("{period} isn't built in"), false));
        return;
    };
    match liquidar(&contract, &indicators) {
        Err(error) => report
            .golden
            .push(Line::new(name, error.to_string(), false)),
        Ok(pay) => {
            for (key, value) in case["expected"].as_object().into_iter().flatten() {
                report.golden.push(figure(name, key, value, &pay));
            }
        }
    }
}

fn figure(name: &str, key: &str, value: &Value, pay: &Liquidada) -> Line {
    let ours = match key {
        "afp" => pay.afp,
        "salud" => pay.salud,
        "afc" => pay.afc,
        "impuesto_unico" | "impuesto" => pay.impuesto,
        "total_legal" => pay.afp + pay.salud + pay.afc + pay.impuesto,
        "liquido" => pay.liquido,
        "sis_empleador" | "sis" => pay.sis,
        "afc_empleador" => pay.afc_empleador,
        "mutual" => pay.accidentes,
        "gratificacion" => pay.gratificacion,
        "imponible" | "total_imponible" => pay.imponible,
        "haberes" | "total_haberes" => pay.haberes,
        _ => return Line::new(name, format!("{key}: not a figure that is known"), false),
    };
    let theirs = number(value);
    let good = theirs.is_some_and(|theirs| redondear(theirs) == ours);
    let theirs = theirs.map_or_else(|| "no number".to_owned(), |theirs| theirs.to_string());
    Line::new(name, format!("{key}: {ours}, expected {theirs}"), good)
}
