//! Invoices of made-up companies, sound in every figure, with as many lines as asked for.

use serde_json::{Value, json};

use super::template::SERIAL;

/// A factura electrónica (33) of today.
pub struct Invoice {
    date: String,
    issuer: String,
    receiver: String,
    lines: Vec<Line>,
}

struct Line {
    number: u32,
    quantity: u32,
    price: u32,
}

impl Line {
    fn amount(&self) -> u64 {
        u64::from(self.quantity) * u64::from(self.price)
    }

    fn name(&self) -> String {
        format!("Servicio de mantención, partida {:02}", self.number)
    }
}

impl Invoice {
    /// An invoice with `lines` lines, dated `date` (ISO 8601).
    pub fn new(lines: u32, date: &str) -> Self {
        let line = |number| Line {
            number,
            quantity: 1 + number % 7,
            price: 1_990 + 137 * number,
        };
        Self {
            date: date.to_owned(),
            issuer: rut(76_543_210),
            receiver: rut(77_012_345),
            lines: (1..=lines).map(line).collect(),
        }
    }

    /// Net, IVA and total in pesos; the IVA rounded half up.
    fn totals(&self) -> (u64, u64, u64) {
        let net: u64 = self.lines.iter().map(Line::amount).sum();
        let vat = (net * 19 + 50) / 100;
        (net, vat, net + vat)
    }

    /// The contract's `dte_data`.
    pub fn dte_data(&self) -> Value {
        let (net, vat, total) = self.totals();
        let line = |line: &Line| {
            json!({
                "numero_linea": line.number, "nombre": line.name(), "cantidad": line.quantity,
                "unidad": "UN", "precio_unitario": line.price, "monto": line.amount(),
            })
        };
        let folio: Value = serde_json::from_str(SERIAL).unwrap_or_default();
        json!({
            "tipo_dte": 33, "folio": folio, "fecha_emision": self.date,
            "rut_emisor": self.issuer, "razon_social_emisor": "Andamios del Valle Ficticio SpA",
            "giro_emisor": "Arriendo de andamios",
            "rut_receptor": self.receiver,
            "razon_social_receptor": "Constructora Imaginaria Limitada",
            "monto_neto": net, "tasa_iva": 19, "monto_iva": vat, "monto_total": total,
            "lineas": self.lines.iter().map(line).collect::<Vec<_>>(),
        })
    }

    /// The same invoice as the tax service's XML, without signatures.
    pub fn xml(&self) -> String {
        let (net, vat, total) = self.totals();
        let lines: String = self.lines.iter().map(xml_line).collect();
        let (date, issuer, receiver) = (&self.date, &self.issuer, &self.receiver);
        format!(
            r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0"><Documento ID="F1T33"><Encabezado>
<IdDoc><TipoDTE>33</TipoDTE><Folio>{SERIAL}</Folio><FchEmis>{date}</FchEmis></IdDoc>
<Emisor><RUTEmisor>{issuer}</RUTEmisor><RznSoc>Andamios del Valle Ficticio SpA</RznSoc>
<GiroEmis>Arriendo de andamios</GiroEmis><Acteco>773001</Acteco>
<DirOrigen>Calle Uno 123</DirOrigen><CmnaOrigen>Curico</CmnaOrigen></Emisor>
<Receptor><RUTRecep>{receiver}</RUTRecep>
<RznSocRecep>Constructora Imaginaria Limitada</RznSocRecep><GiroRecep>Obras menores</GiroRecep>
<DirRecep>Calle Dos 456</DirRecep><CmnaRecep>Talca</CmnaRecep></Receptor>
<Totales><MntNeto>{net}</MntNeto><TasaIVA>19</TasaIVA><IVA>{vat}</IVA>
<MntTotal>{total}</MntTotal></Totales></Encabezado>
{lines}</Documento></DTE>
"#
        )
    }
}

fn xml_line(line: &Line) -> String {
    // Plain ASCII, so that the declared encoding holds whatever carries the text.
    let name = line.name().replace('ó', "o");
    format!(
        "<Detalle><NroLinDet>{}</NroLinDet><NmbItem>{name}</NmbItem><QtyItem>{}</QtyItem>\
         <UnmdItem>UN</UnmdItem><PrcItem>{}</PrcItem><MontoItem>{}</MontoItem></Detalle>\n",
        line.number,
        line.quantity,
        line.price,
        line.amount()
    )
}

/// The RUT with its check digit (modulo 11).
fn rut(number: u32) -> String {
    let weights = [2, 3, 4, 5, 6, 7].into_iter().cycle();
    let digits = std::iter::successors(Some(number), |rest| Some(rest / 10));
    let sum: u32 = digits
        .take_while(|rest| *rest > 0)
        .zip(weights)
        .map(|(rest, weight)| rest % 10 * weight)
        .sum();
    match 11 - sum % 11 {
        11 => format!("{number}-0"),
        10 => format!("{number}-K"),
        digit => format!("{number}-{digit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_right() {
        for (number, expected) in [
            (60_803_000, "60803000-K"),
            (55_555_555, "55555555-5"),
            (66_666_666, "66666666-6"),
        ] {
            assert_eq!(rut(number), expected);
        }
    }

    #[test]
    fn the_figures_add_up() {
        let invoice = Invoice::new(60, "2026-11-22");
        let (net, vat, total) = invoice.totals();
        let data = invoice.dte_data();
        let lines = data["lineas"].as_array().unwrap();
        assert_eq!(lines.len(), 60);
        assert_eq!(
            lines
                .iter()
                .map(|line| line["monto"].as_u64().unwrap())
                .sum::<u64>(),
            net
        );
        assert_eq!(data["monto_total"], json!(net + vat));
        assert!(
            invoice
                .xml()
                .contains(&format!("<MntTotal>{total}</MntTotal>"))
        );
        assert_eq!(data["folio"].to_string(), SERIAL);
        assert!(invoice.xml().is_ascii());
    }
}
