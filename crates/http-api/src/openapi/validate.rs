//! `POST /api/ai/validate`.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::schema::{
    company, list, nothing, object, optional, percent, scalar, text, text_or_null, usage, words,
};

pub(super) fn validate() -> Operation {
    Operation::new(
        "validateDte",
        "documentos",
        "¿Está bien este documento antes de enviarlo al SII?",
    )
    .description(
        "Envíe el documento en «dte_data» (objeto), «dte_xml» (texto) o «dte_xml_base64» (los bytes \
         exactos, con los que también se verifican timbre y firmas). Sin modelo de lenguaje \
         responden las reglas, con `degraded: true`.",
    )
    .body(request(), &examples())
    .problem(403)
    .answer(200, "El veredicto.", verdict())
}

fn request() -> Value {
    let xml = json!({"type": "string", "minLength": 1});
    let history = json!({
        "type": ["array", "null", "boolean"],
        "not": {"const": true},
        "maxItems": 100,
        "items": {"type": "object"},
        "description": "Errores que el SII devolvió antes y documentos anteriores; 100 KiB a lo más."
    });
    json!({
        "type": "object",
        "required": ["company_id"],
        "properties": {
            "company_id": company(),
            "history": history,
            "mode": optional(&words(&["emission", "reception"])),
            "model_check": optional(&words(&["auto", "always"]))
        },
        "oneOf": [
            one_of_three("dte_data", &dte_data()),
            one_of_three("dte_xml", &xml),
            one_of_three("dte_xml_base64", &xml)
        ]
    })
}

/// This form of the document, and nothing in the place of the others.
fn one_of_three(name: &str, schema: &Value) -> Value {
    let forms = ["dte_data", "dte_xml", "dte_xml_base64"];
    let properties: Map<String, Value> = forms
        .into_iter()
        .map(|form| {
            let schema = if form == name {
                schema.clone()
            } else {
                nothing()
            };
            (form.to_owned(), schema)
        })
        .collect();
    json!({"required": [name], "properties": properties})
}

fn dte_data() -> Value {
    let scalars = [
        ("folio", "Folio; vacío en un borrador."),
        ("fecha_emision", "AAAA-MM-DD."),
        ("rut_emisor", "Con guion y dígito verificador: 76192083-9."),
        ("razon_social_emisor", "Razón social."),
        ("giro_emisor", "Giro."),
        ("rut_receptor", "Con guion y dígito verificador."),
        ("razon_social_receptor", "Razón social."),
        ("monto_neto", "Monto neto."),
        ("monto_exento", "Monto exento."),
        ("tasa_iva", "19."),
        ("monto_iva", "IVA."),
        ("monto_total", "Monto total."),
        ("indicador_traslado", "De la guía de despacho, 1 a 9."),
        ("moneda", "De los documentos de exportación."),
    ];
    let mut properties: Map<String, Value> = scalars
        .iter()
        .map(|(name, description)| ((*name).to_owned(), scalar(description)))
        .collect();
    properties.insert(
        "tipo_dte".into(),
        json!({
            "type": "integer",
            "minimum": -999_999,
            "maximum": 999_999,
            "description": "El código del documento: 33, 34, 39, 41, 43, 46, 52, 56, 61, 110, 111 o 112. Otro se responde con un hallazgo."
        }),
    );
    for (name, keys) in LISTS {
        let members: Map<String, Value> = keys
            .iter()
            .map(|key| ((*key).to_owned(), scalar("")))
            .collect();
        let items = json!({"type": "object", "properties": members});
        properties.insert(
            (*name).to_owned(),
            json!({"type": "array", "maxItems": 1000, "items": items}),
        );
    }
    json!({
        "type": "object",
        "required": ["tipo_dte"],
        "properties": properties,
        "description": "El documento. Otras claves pasan al modelo tal como vienen."
    })
}

const LISTS: &[(&str, &[&str])] = &[
    (
        "lineas",
        &[
            "numero_linea",
            "nombre",
            "descripcion",
            "cantidad",
            "unidad",
            "precio_unitario",
            "descuento",
            "recargo",
            "monto",
            "exento",
        ],
    ),
    (
        "descuentos_recargos",
        &[
            "numero_linea",
            "tipo",
            "glosa",
            "tipo_valor",
            "valor",
            "exento",
        ],
    ),
    (
        "referencias",
        &["tipo_documento", "folio", "fecha", "codigo", "razon"],
    ),
    ("impuestos", &["codigo", "tasa", "monto"]),
];

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
            "level": words(&["rechazo", "reparo", "aviso"]),
            "sii_code": text(),
            "cause": text(),
            "cure": text()
        }
    });
    object(&[
        ("confidence", percent()),
        ("warnings", list(&text())),
        ("errors", list(&text())),
        ("recommendation", words(&["send", "review", "reject"])),
        ("findings", list(&finding)),
        ("degraded", json!({"type": "boolean"})),
        ("model", text_or_null()),
        ("usage", usage()),
    ])
}

fn examples() -> [(&'static str, Value); 2] {
    let factura = json!({
        "company_id": 1,
        "dte_data": {
            "tipo_dte": 33,
            "folio": 1042,
            "fecha_emision": "2026-11-20",
            "rut_emisor": "76192083-9",
            "razon_social_emisor": "Ferretería Los Aromos Ltda.",
            "giro_emisor": "Venta de materiales de construcción",
            "rut_receptor": "96790240-3",
            "razon_social_receptor": "Constructora Río Claro S.A.",
            "monto_neto": 50_000,
            "tasa_iva": 19,
            "monto_iva": 9_500,
            "monto_total": 59_500,
            "lineas": [{
                "numero_linea": 1,
                "nombre": "Cemento 25 kg",
                "cantidad": 10,
                "unidad": "SACO",
                "precio_unitario": 5_000,
                "monto": 50_000
            }]
        }
    });
    let mut mala = factura.clone();
    mala["dte_data"]["monto_iva"] = json!(9_400);
    mala["dte_data"]["monto_total"] = json!(59_400);
    [("factura", factura), ("factura_con_iva_errado", mala)]
}
