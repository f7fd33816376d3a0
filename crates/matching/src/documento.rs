//! An invoice from a tax document that was read: how `reconcile` feeds the matcher.

use dte::{Detalle, Documento};

use crate::input::{Invoice, Line, Party, Reference};

/// The tax service's types of reference that name an order: orden de compra, nota de pedido.
const ORDERS: [&str; 2] = ["801", "802"];

impl From<&Documento> for Invoice {
    /// Takes the issuer as the supplier, the references of types 801 and 802 as orders.
    fn from(documento: &Documento) -> Self {
        let encabezado = &documento.encabezado;
        let references = documento.referencia.iter().filter(|reference| {
            reference
                .tpo_doc_ref
                .as_deref()
                .is_some_and(|kind| ORDERS.contains(&kind.trim()))
        });
        let texts = references.filter_map(|reference| reference.folio_ref.clone());
        Self {
            supplier: Party {
                id: None,
                rut: encabezado.emisor.rut_emisor.clone(),
                name: encabezado.emisor.rzn_soc.clone(),
            },
            total: encabezado.totales.mnt_total.valor(),
            net: encabezado.totales.mnt_neto.valor(),
            date: encabezado.id_doc.fch_emis.valor(),
            references: texts
                .map(|text| Reference {
                    text,
                    is_order: true,
                })
                .collect(),
            lines: documento.detalle.iter().map(line).collect(),
        }
    }
}

fn line(detalle: &Detalle) -> Line {
    let name = detalle.nmb_item.as_deref().unwrap_or_default();
    let more = detalle
        .dsc_item
        .as_deref()
        .filter(|more| !name.contains(*more));
    Line {
        id: None,
        description: [name, more.unwrap_or_default()].join(" ").trim().to_owned(),
        codes: detalle
            .cdg_item
            .iter()
            .filter_map(|code| code.vlr_codigo.clone())
            .collect(),
        quantity: detalle.qty_item.valor(),
        invoiced: None,
        unit: detalle.unmd_item.clone(),
        unit_price: detalle.prc_item.valor(),
        amount: detalle.monto_item.valor(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_to_orders_are_taken() {
        let xml = "<DTE><Documento><Encabezado><IdDoc><TipoDTE>33</TipoDTE><FchEmis>2026-11-20</FchEmis></IdDoc>\
            <Emisor><RUTEmisor>76192083-9</RUTEmisor><RznSoc>Ficticia</RznSoc></Emisor>\
            <Totales><MntNeto>1000</MntNeto><IVA>190</IVA><MntTotal>1190</MntTotal></Totales></Encabezado>\
            <Detalle><NroLinDet>1</NroLinDet><CdgItem><TpoCodigo>INT1</TpoCodigo><VlrCodigo>P-1</VlrCodigo></CdgItem>\
            <NmbItem>Perno</NmbItem><DscItem>1/2 pulg</DscItem><QtyItem>4</QtyItem><PrcItem>250</PrcItem><MontoItem>1000</MontoItem></Detalle>\
            <Referencia><NroLinRef>1</NroLinRef><TpoDocRef>52</TpoDocRef><FolioRef>8</FolioRef></Referencia>\
            <Referencia><NroLinRef>2</NroLinRef><TpoDocRef>801</TpoDocRef><FolioRef>OC-77</FolioRef></Referencia>\
            </Documento></DTE>";
        let reading = dte::read_xml(xml.as_bytes(), &dte::Limits::default()).unwrap();
        let invoice = Invoice::from(&reading.documentos[0]);
        assert_eq!(
            invoice.references,
            [Reference {
                text: "OC-77".into(),
                is_order: true
            }]
        );
        assert_eq!(
            (invoice.total, invoice.lines[0].description.as_str()),
            ("1190".parse().ok(), "Perno 1/2 pulg")
        );
        assert_eq!(invoice.lines[0].codes, ["P-1"]);
    }
}
