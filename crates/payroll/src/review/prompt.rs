//! The text that a model is given.

use serde_json::{Map, Value, json};

use crate::model::{Linea, Liquidacion};
use crate::report::Report;

/// Changes whenever a model could answer otherwise to the same payslip; part of cache keys.
pub const PROMPT_VERSION: &str = "1";

/// The most findings that are told to the model: with more, the rules have said enough.
const MAX_FINDINGS: usize = 40;

const INSTRUCTIONS: &str = include_str!("instructions.md");

/// The stable prefix of every call: who the model is, what it may say, how it must answer.
#[must_use]
pub const fn instructions() -> &'static str {
    INSTRUCTIONS
}

/// The payslip and the rules' findings, fenced as data. The worker's name and number aren't in
/// it: nobody needs them to judge a payslip. Inside the fences there is only JSON whose `<` and
/// `>` are escaped: no text from outside can close a fence.
#[must_use]
pub fn question(liquidacion: &Liquidacion, report: &Report) -> String {
    let mut texto = String::with_capacity(2_048);
    cercar(&mut texto, "liquidacion", &datos(liquidacion));
    let findings: Vec<Value> = report
        .findings
        .iter()
        .take(MAX_FINDINGS)
        .map(|finding| {
            json!({
                "code": finding.code,
                "severity": finding.severity.as_str(),
                "message": finding.message,
                "path": finding.path,
            })
        })
        .collect();
    cercar(
        &mut texto,
        "hallazgos_de_las_reglas",
        &Value::Array(findings),
    );
    texto.push_str("Revise la liquidación y responda sólo con el JSON pedido.");
    texto
}

fn cercar(texto: &mut String, nombre: &str, datos: &Value) {
    let json = datos
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    for parte in ["<", nombre, ">\n", &json, "\n</", nombre, ">\n\n"] {
        texto.push_str(parte);
    }
}

fn datos(liquidacion: &Liquidacion) -> Value {
    let datos = &liquidacion.datos;
    let mut mapa = Map::new();
    let mut poner = |clave: &str, valor: Option<String>| {
        if let Some(valor) = valor {
            mapa.insert(clave.to_owned(), Value::String(valor));
        }
    };
    poner(
        "period",
        liquidacion.periodo.map(|periodo| periodo.to_string()),
    );
    poner("wage", liquidacion.sueldo.map(|monto| monto.to_string()));
    poner("date_from", liquidacion.desde.map(|dia| dia.to_string()));
    poner("date_to", liquidacion.hasta.map(|dia| dia.to_string()));
    poner(
        "contract_type",
        datos.contrato.map(|tipo| tipo.nombre().to_owned()),
    );
    poner("worked_days", datos.dias.map(|dias| dias.to_string()));
    poner(
        "total_haberes",
        liquidacion.totales.haberes.map(|monto| monto.to_string()),
    );
    poner(
        "total_descuentos",
        liquidacion
            .totales
            .descuentos
            .map(|monto| monto.to_string()),
    );
    poner(
        "total_liquido",
        liquidacion.totales.liquido.map(|monto| monto.to_string()),
    );
    mapa.insert(
        "lines".to_owned(),
        liquidacion.lineas.iter().map(linea).collect(),
    );
    Value::Object(mapa)
}

fn linea(linea: &Linea) -> Value {
    let mut mapa = Map::new();
    let mut poner = |clave: &str, valor: Option<String>| {
        if let Some(valor) = valor {
            mapa.insert(clave.to_owned(), Value::String(valor));
        }
    };
    poner("path", Some(linea.ruta.clone()));
    poner("code", linea.codigo.clone());
    poner("name", linea.nombre.clone());
    poner("category", linea.categoria.clone());
    poner("amount", linea.importe().map(|monto| monto.to_string()));
    poner(
        "quantity",
        linea.cantidad.map(|cantidad| cantidad.to_string()),
    );
    Value::Object(mapa)
}
