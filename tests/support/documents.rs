//! Documents of companies that don't exist.

use serde_json::{Value, json};

/// The body of a validation of a good invoice.
pub fn valid() -> Value {
    json!({ "company_id": 1, "dte_data": factura() })
}

/// An invoice that the rules find nothing wrong with.
pub fn factura() -> Value {
    factura_con("Cemento 25 kg")
}

/// The same invoice with another item.
pub fn factura_con(nombre: &str) -> Value {
    json!({
        "tipo_dte": 33, "folio": 1042, "fecha_emision": "2026-11-20",
        "rut_emisor": "76192083-9", "razon_social_emisor": "Ferretería El Clavo SpA",
        "giro_emisor": "Venta de materiales de construcción",
        "rut_receptor": "12345678-5", "razon_social_receptor": "Constructora Los Robles Ltda",
        "monto_neto": 10000, "tasa_iva": 19, "monto_iva": 1900, "monto_total": 11900,
        "lineas": [{
            "numero_linea": 1, "nombre": nombre, "cantidad": 2, "precio_unitario": 5000,
            "monto": 10000,
        }],
    })
}

/// The same invoice in the tax service's XML, with this total.
pub fn factura_xml(total: u64) -> String {
    format!(
        r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0"><Documento ID="F1042T33"><Encabezado>
<IdDoc><TipoDTE>33</TipoDTE><Folio>1042</Folio><FchEmis>2026-11-20</FchEmis></IdDoc>
<Emisor><RUTEmisor>76192083-9</RUTEmisor><RznSoc>Ferretería El Clavo SpA</RznSoc>
<GiroEmis>Venta de materiales de construcción</GiroEmis><Acteco>475201</Acteco>
<DirOrigen>Los Aromos 12</DirOrigen><CmnaOrigen>Rancagua</CmnaOrigen></Emisor>
<Receptor><RUTRecep>12345678-5</RUTRecep><RznSocRecep>Constructora Los Robles Ltda</RznSocRecep>
<GiroRecep>Construcción</GiroRecep><DirRecep>Av. Norte 100</DirRecep><CmnaRecep>Talca</CmnaRecep>
</Receptor><Totales><MntNeto>10000</MntNeto><TasaIVA>19</TasaIVA><IVA>1900</IVA>
<MntTotal>{total}</MntTotal></Totales></Encabezado><Detalle><NroLinDet>1</NroLinDet>
<NmbItem>Cemento 25 kg</NmbItem><QtyItem>2</QtyItem><PrcItem>5000</PrcItem>
<MontoItem>10000</MontoItem></Detalle></Documento></DTE>"#
    )
}

/// Standard base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0_usize, |bits, i| {
            bits << 8 | usize::from(*chunk.get(i).unwrap_or(&0))
        });
        let sign = |i: usize| {
            if i <= chunk.len() {
                char::from(ALPHABET[bits >> (18 - 6 * i) & 63])
            } else {
                '='
            }
        };
        [sign(0), sign(1), sign(2), sign(3)]
    };
    bytes.chunks(3).flat_map(group).collect()
}
