//! Payslips and the indicators of a month.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    company, count, free, list, object, optional, percent, text, text_or_null, usage, words,
};

const TAG: &str = "remuneraciones";

/// A month, as the contract writes it.
const PERIOD: &str = "^(19[89][0-9]|20[0-9][0-9]|2100)-(0[1-9]|1[0-2])$";

/// Amounts up to here are calculated with, in pesos.
const MAX_AMOUNT: u64 = 1_000_000_000_000;

pub(super) fn validate() -> Operation {
    Operation::new(
        "validatePayslip",
        TAG,
        "¿Está bien esta liquidación antes de pagarla?",
    )
    .description(
        "Las reglas calculan cada línea con los indicadores del mes. Los haberes van con monto \
         positivo y los descuentos con negativo o positivo. Lo que se sepa del contrato (`afp`, \
         `health`, `plan_uf`, `contract_type`, `worked_days`, `weekly_hours`, `dependents`, …) \
         afina la revisión; un campo optativo ilegible es un hallazgo y no un rechazo. Sin modelo \
         de lenguaje responden las reglas, con `degraded: true`.",
    )
    .body(request(), &examples())
    .problem(403)
    .answer(200, "El veredicto.", verdict())
}

pub(super) fn indicators() -> Operation {
    let metadata = json!({
        "type": "object",
        "required": ["source", "url", "period", "fields_count", "fetched_at", "complete"],
        "properties": {
            "source": words(&["builtin", "previred", "previred+model"]),
            "url": text_or_null(),
            "period": text(),
            "fields_count": count(),
            "fetched_at": {"type": "string", "description": "Cuándo se obtuvo; de un mes incorporado, cuándo se respondió."},
            "complete": {"type": "boolean", "description": "Si están todas las cifras con que se paga un mes."},
            "degraded": {"type": "string", "description": "Por qué no es la respuesta más nueva o completa que se pidió."},
            "model": text(),
            "cost_usd": {"type": "number", "minimum": 0}
        }
    });
    let detail = object(&[
        ("unit", words(&["clp", "uf", "percent"])),
        ("source", text()),
        ("confidence", words(&["high", "medium", "low"])),
    ]);
    let schema = object(&[
        ("success", json!({"const": true})),
        (
            "indicators",
            json!({"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}),
        ),
        ("metadata", metadata),
        (
            "details",
            json!({"type": "object", "additionalProperties": detail}),
        ),
    ]);
    Operation::new(
        "payrollIndicators",
        TAG,
        "Los indicadores previsionales de un mes",
    )
    .description(
        "De los meses incorporados, de lo que se guardó, o de Previred. Una cifra que la fuente \
         no trae está ausente, nunca es 0.",
    )
    .parameter(json!({
        "name": "period",
        "in": "path",
        "required": true,
        "schema": {"type": "string", "pattern": PERIOD},
        "description": "AAAA-MM.",
        "example": "2026-03"
    }))
    .parameter(json!({
        "name": "force",
        "in": "query",
        "schema": {"type": "string", "enum": ["true", "false", "1", "0", ""]},
        "description": "Preguntar de nuevo a la fuente aunque el mes se conozca."
    }))
    .answer(200, "Las cifras.", schema)
    .problem(400)
    .problem(404)
    .problem(500)
    .problem(502)
    .problem(503)
}

fn request() -> Value {
    let employee = json!({
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": u64::MAX},
            {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"},
            {
                "type": "array",
                "prefixItems": [{"type": "integer", "minimum": 1, "maximum": u64::MAX}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2
            }
        ],
        "description": "El trabajador en el ERP."
    });
    let wage = json!({
        "anyOf": [
            {"type": "number", "minimum": 1, "maximum": MAX_AMOUNT},
            {"type": "string", "pattern": "^[1-9][0-9]{0,11}$"}
        ],
        "description": "Sueldo base, en pesos."
    });
    json!({
        "type": "object",
        "required": ["employee_id", "period", "wage", "lines"],
        "properties": {
            "company_id": optional(&company()),
            "employee_id": employee,
            "period": {"type": "string", "pattern": PERIOD, "description": "AAAA-MM."},
            "wage": wage,
            "lines": {"type": "array", "minItems": 1, "maxItems": 100, "items": line()},
            "employee_name": free("No se usa en los cálculos ni llega al modelo."),
            "date_from": free("AAAA-MM-DD."),
            "date_to": free("AAAA-MM-DD."),
            "total_imponible": free("Pesos."),
            "total_haberes": free("Pesos."),
            "total_descuentos": free("Pesos."),
            "total_liquido": free("Pesos.")
        }
    })
}

/// A line has a code or a name, and an amount or a total.
fn line() -> Value {
    let label = json!({"type": ["string", "number"], "pattern": "[A-Za-z0-9]"});
    json!({
        "type": "object",
        "properties": {
            "code": free("El código de la regla en el ERP."),
            "amount": free("Pesos, como número o texto; `false` es 0."),
            "name": free("Como la muestra la liquidación."),
            "category": free("La categoría, como código o como [id, nombre]."),
            "total": free("Pesos.")
        },
        "allOf": [
            {
                "anyOf": [
                    {"required": ["code"], "properties": {"code": label}},
                    {"required": ["name"], "properties": {"name": label}}
                ]
            },
            {
                "anyOf": [
                    {"required": ["amount"]},
                    {"required": ["total"], "properties": {"total": {"type": "number"}}}
                ]
            }
        ]
    })
}

fn verdict() -> Value {
    let finding = json!({
        "type": "object",
        "required": ["code", "severity", "message", "path", "source"],
        "properties": {
            "code": text(),
            "severity": words(&["error", "warning", "info"]),
            "message": text(),
            "path": text(),
            "source": words(&["rule", "model"]),
            "expected": {"type": "number"},
            "actual": {"type": "number"},
            "difference": {"type": "number"},
            "formula": text(),
            "legal_source": text(),
            "cure": text()
        }
    });
    object(&[
        ("success", json!({"const": true})),
        ("confidence", percent()),
        ("errors", list(&text())),
        ("warnings", list(&text())),
        ("recommendation", words(&["approve", "review", "reject"])),
        ("findings", list(&finding)),
        ("degraded", json!({"type": "boolean"})),
        ("model", text_or_null()),
        ("usage", usage()),
    ])
}

fn examples() -> [(&'static str, Value); 2] {
    let buena = json!({
        "employee_id": 7,
        "employee_name": "Ana Soto",
        "period": "2024-06",
        "wage": 786_000,
        "date_from": "2024-06-01",
        "date_to": "2024-06-30",
        "lines": [
            {"code": "BASIC", "name": "Sueldo base", "amount": 786_000},
            {"code": "GRAT", "name": "Gratificación legal", "amount": 182_083},
            {"code": "AFP", "name": "AFP ProVida", "amount": -110_846},
            {"code": "FONASA", "name": "Fonasa 7%", "amount": -67_766},
            {"code": "AFC", "name": "Seguro de cesantía", "amount": -5_808}
        ]
    });
    let mut mala = buena.clone();
    mala["lines"][2]["amount"] = json!(-96_326);
    [("liquidacion", buena), ("afp_errada", mala)]
}
