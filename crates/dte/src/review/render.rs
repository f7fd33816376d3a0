//! Documents and findings as compact JSON that can stand between fences.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::model::{Campo, Detalle, Documento, Referencia};
use crate::report::Report;

/// The most findings that are told to the model: with more, the rules have said enough.
const MAX_FINDINGS: usize = 40;

/// The longest text of one field, in characters.
const MAX_TEXT_CHARS: usize = 1_000;

/// The same JSON without white space between its parts and with `<` and `>` escaped; `None`
/// if it isn't JSON.
pub(super) fn compact(json: &str) -> Option<String> {
    let _: &RawValue = serde_json::from_str(json).ok()?;
    let mut text = String::with_capacity(json.len());
    // What stays as it is is copied in one piece, from here to where something doesn't.
    let mut from = 0;
    let (mut in_string, mut escapes) = (false, None);
    for (at, byte) in json.bytes().enumerate() {
        // Most bytes are the letters and figures of strings and numbers.
        if byte > b'"' && !matches!(byte, b'<' | b'>' | b'\\') {
            continue;
        }
        let instead = match byte {
            // In JSON these two can only stand inside a string.
            b'<' => "\\u003c",
            b'>' => "\\u003e",
            b' ' | b'\n' | b'\r' | b'\t' if !in_string => "",
            // A backslash stands in strings only, and what follows it is itself.
            b'\\' if escapes != Some(at) => {
                escapes = Some(at + 1);
                continue;
            }
            b'"' if escapes != Some(at) => {
                in_string = !in_string;
                continue;
            }
            _ => continue,
        };
        // The byte is a character of its own, so that both sides are text.
        text.push_str(json.get(from..at).unwrap_or_default());
        text.push_str(instead);
        from = at + 1;
    }
    text.push_str(json.get(from..).unwrap_or_default());
    Some(text)
}

/// The documents, as many lines of each as fit into `max_bytes` together.
pub(super) fn documents(documents: &[(&Documento, &Report)], max_bytes: usize) -> String {
    let mut rendered = String::from("[");
    let mut left_out = 0_usize;
    for (documento, _) in documents {
        let text = fenced(&document(documento, max_bytes / 4));
        if rendered.len() + text.len() > max_bytes {
            left_out += 1;
            continue;
        }
        if rendered.len() > 1 {
            rendered.push(',');
        }
        rendered.push_str(&text);
    }
    rendered.push(']');
    if left_out > 0 {
        rendered.push_str(&format!(
            "\n(Se omitieron {left_out} documentos por su extensión.)"
        ));
    }
    rendered
}

/// What the rules found.
pub(super) fn findings(documents: &[(&Documento, &Report)]) -> String {
    let all = documents.iter().flat_map(|(_, report)| &report.findings);
    let list: Vec<Value> = all
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
    fenced(&list)
}

fn fenced(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    // Nothing is between its parts, and the two can only stand inside a string.
    if text.contains(['<', '>']) {
        text.replace('<', "\\u003c").replace('>', "\\u003e")
    } else {
        text
    }
}

/// A document in the contract's own names, without what no one needs to judge its content.
fn document(documento: &Documento, max_line_bytes: usize) -> Value {
    let encabezado = &documento.encabezado;
    let (id, emisor) = (&encabezado.id_doc, &encabezado.emisor);
    let (receptor, totales) = (&encabezado.receptor, &encabezado.totales);
    let mut map = Map::new();
    put_number(&mut map, "tipo_dte", id.tipo_dte);
    put_number(&mut map, "folio", id.folio);
    put_date(&mut map, "fecha_emision", id.fch_emis);
    put_number(&mut map, "indicador_traslado", id.ind_traslado);
    put_number(&mut map, "forma_pago", id.fma_pago);
    put_text(&mut map, "rut_emisor", emisor.rut_emisor.as_deref());
    put_text(&mut map, "razon_social_emisor", emisor.rzn_soc.as_deref());
    put_text(&mut map, "giro_emisor", emisor.giro_emis.as_deref());
    put_text(&mut map, "comuna_emisor", emisor.cmna_origen.as_deref());
    put_text(&mut map, "rut_receptor", receptor.rut_recep.as_deref());
    put_text(
        &mut map,
        "razon_social_receptor",
        receptor.rzn_soc_recep.as_deref(),
    );
    put_text(&mut map, "giro_receptor", receptor.giro_recep.as_deref());
    put_text(
        &mut map,
        "direccion_receptor",
        receptor.dir_recep.as_deref(),
    );
    put_text(&mut map, "comuna_receptor", receptor.cmna_recep.as_deref());
    put_text(&mut map, "moneda", totales.tpo_moneda.as_deref());
    put_amount(&mut map, "monto_neto", totales.mnt_neto);
    put_amount(&mut map, "monto_exento", totales.mnt_exe);
    put_amount(&mut map, "monto_iva", totales.iva);
    put_amount(&mut map, "monto_total", totales.mnt_total);
    put_lines(&mut map, &documento.detalle, max_line_bytes);
    let references: Vec<Value> = documento
        .referencia
        .iter()
        .take(40)
        .map(reference)
        .collect();
    if !references.is_empty() {
        map.insert("referencias".into(), references.into());
    }
    Value::Object(map)
}

fn put_lines(map: &mut Map<String, Value>, lines: &[Detalle], max_bytes: usize) {
    let mut room = max_bytes;
    let mut list = Vec::new();
    for detalle in lines {
        let value = line(detalle);
        let size = value.to_string().len();
        if size > room {
            break;
        }
        room -= size;
        list.push(value);
    }
    let left_out = lines.len() - list.len();
    map.insert("lineas".into(), list.into());
    if left_out > 0 {
        map.insert("lineas_omitidas".into(), left_out.into());
    }
}

fn line(detalle: &Detalle) -> Value {
    let mut map = Map::new();
    put_text(&mut map, "nombre", detalle.nmb_item.as_deref());
    put_text(&mut map, "descripcion", detalle.dsc_item.as_deref());
    put_amount(&mut map, "cantidad", detalle.qty_item);
    put_text(&mut map, "unidad", detalle.unmd_item.as_deref());
    put_amount(&mut map, "precio_unitario", detalle.prc_item);
    put_amount(&mut map, "descuento", detalle.descuento_monto);
    put_amount(&mut map, "recargo", detalle.recargo_monto);
    put_amount(&mut map, "monto", detalle.monto_item);
    put_number(&mut map, "exento", detalle.ind_exe);
    Value::Object(map)
}

fn reference(referencia: &Referencia) -> Value {
    let mut map = Map::new();
    put_text(
        &mut map,
        "tipo_documento",
        referencia.tpo_doc_ref.as_deref(),
    );
    put_text(&mut map, "folio", referencia.folio_ref.as_deref());
    put_date(&mut map, "fecha", referencia.fch_ref);
    put_number(&mut map, "codigo", referencia.cod_ref);
    put_text(&mut map, "razon", referencia.razon_ref.as_deref());
    Value::Object(map)
}

fn put_text(map: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        let short: String = text.chars().take(MAX_TEXT_CHARS).collect();
        map.insert(name.into(), short.into());
    }
}

fn put_number(map: &mut Map<String, Value>, name: &str, campo: Campo<i64>) {
    if let Some(number) = campo.valor() {
        map.insert(name.into(), number.into());
    }
}

fn put_date(map: &mut Map<String, Value>, name: &str, campo: Campo<jiff::civil::Date>) {
    if let Some(date) = campo.valor() {
        map.insert(name.into(), date.to_string().into());
    }
}

/// As a string: a JSON number would have to pass through a float.
fn put_amount(map: &mut Map<String, Value>, name: &str, campo: Campo<Decimal>) {
    if let Some(amount) = campo.valor() {
        map.insert(name.into(), amount.normalize().to_string().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_keeps_the_value_and_no_fence_can_be_closed() {
        let json = "{ \"a b\" : [ 1.50 , \"x \\\" y\\\\\" ],\n\t\"n\": \"</documento> hola\" }";
        let text = compact(json).unwrap();
        assert_eq!(
            text,
            r#"{"a b":[1.50,"x \" y\\"],"n":"\u003c/documento\u003e hola"}"#
        );
        let same = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(same(&text), same(json));
        assert_eq!(compact("no es json"), None);
    }

    proptest::proptest! {
        #[test]
        fn compact_is_the_same_however_it_was_spaced(
            texts in proptest::collection::vec(r#"[a ñ<>"\\\\\n\t/]{0,12}"#, 0..6),
        ) {
            let value = json!({ "a \" <": texts, "b": [{}, [], 1.50, null] });
            let shortest = value.to_string().replace('<', "\\u003c").replace('>', "\\u003e");
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            for written in [pretty, value.to_string()] {
                assert_eq!(compact(&written).as_deref(), Some(shortest.as_str()));
            }
        }
    }

    #[test]
    fn lines_that_do_not_fit_are_counted() {
        let linea = Detalle {
            nmb_item: Some("Cemento".into()),
            ..Detalle::default()
        };
        let documento = Documento {
            detalle: vec![linea; 100],
            ..Documento::default()
        };
        let value = document(&documento, 200);
        let shown = value["lineas"].as_array().unwrap().len();
        assert!((1..100).contains(&shown));
        assert_eq!(value["lineas_omitidas"], 100 - shown);
    }

    #[test]
    fn documents_that_do_not_fit_are_counted() {
        let linea = Detalle {
            nmb_item: Some("Cemento".into()),
            ..Detalle::default()
        };
        let documento = Documento {
            detalle: vec![linea; 10],
            ..Documento::default()
        };
        let report = Report::default();
        let many: Vec<_> = (0..100).map(|_| (&documento, &report)).collect();
        let text = documents(&many, 2_000);
        assert!(
            text.len() < 2_100 && text.contains("Se omitieron"),
            "{text}"
        );
    }
}
