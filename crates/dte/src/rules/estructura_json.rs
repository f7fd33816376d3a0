//! The fields that the contract's JSON knows: which are missing, too long, or can't be written
//! in ISO-8859-1.
//!
//! Source: as in `estructura`. An ERP makes the XML later: it may fill in what is missing and
//! cut what is too long, so that these are infos, and characters a warning.

use super::estructura::{LATIN, latin};
use super::{Caso, Rule};
use crate::estructura::no_latinos;
use crate::model::{Falla, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const FALTA: Code = Code {
    code: "DTE-JSON-FALTA",
    title: "Los datos no traen un campo que el documento necesita",
    severity: Severity::Info,
    source: "formato DTE 2026-02",
    sii_code: None,
};
const LARGO: Code = Code {
    code: "DTE-JSON-LARGO",
    title: "Un texto es más largo de lo que cabe en el documento",
    severity: Severity::Info,
    source: "formato DTE 2026-02; DTE_v10.xsd",
    sii_code: None,
};
const CARACTER: Code = Code {
    code: "DTE-JSON-CARACTER",
    severity: Severity::Warning,
    ..LATIN
};

pub(super) static RULE: Rule = Rule {
    name: "estructura_json",
    about: "Presencia, largo y caracteres de los campos de un documento en JSON.",
    codes: &[&FALTA, &LARGO, &CARACTER],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    if !caso.es_json() {
        return;
    }
    let encabezado = &caso.documento.encabezado;
    let (emisor, receptor) = (&encabezado.emisor, &encabezado.receptor);
    let boleta = caso.tipo.is_some_and(TipoDte::es_boleta);
    for (xml, valor, maximo, pedido) in [
        ("Encabezado/Emisor/RznSoc", &emisor.rzn_soc, 100, !boleta),
        ("Encabezado/Emisor/GiroEmis", &emisor.giro_emis, 80, !boleta),
        (
            "Encabezado/Receptor/RznSocRecep",
            &receptor.rzn_soc_recep,
            100,
            !boleta,
        ),
    ] {
        texto(caso, out, valor.as_deref(), maximo, pedido, || {
            caso.ruta(xml)
        });
    }
    for (indice, linea) in caso.documento.detalle.iter().enumerate() {
        for (campo, valor, maximo, pedido) in [
            ("NmbItem", &linea.nmb_item, 80, !linea.es_vacia()),
            ("DscItem", &linea.dsc_item, 1000, false),
            ("UnmdItem", &linea.unmd_item, 4, false),
        ] {
            let ruta = || caso.ruta_linea(indice, campo);
            texto(caso, out, valor.as_deref(), maximo, pedido, ruta);
        }
    }
    for (indice, global) in caso.documento.dsc_rcg_global.iter().enumerate() {
        let ruta = || caso.ruta_de("DscRcgGlobal", indice, "GlosaDR");
        texto(caso, out, global.glosa_dr.as_deref(), 45, false, ruta);
    }
    for (indice, referencia) in caso.documento.referencia.iter().enumerate() {
        for (campo, valor, maximo) in [
            ("TpoDocRef", &referencia.tpo_doc_ref, 3),
            ("FolioRef", &referencia.folio_ref, 18),
            ("RazonRef", &referencia.razon_ref, 90),
        ] {
            let ruta = || caso.ruta_de("Referencia", indice, campo);
            texto(caso, out, valor.as_deref(), maximo, false, ruta);
        }
    }
}

fn texto(
    caso: &Caso<'_>,
    out: &mut Findings,
    valor: Option<&str>,
    maximo: usize,
    pedido: bool,
    ruta: impl Fn() -> String,
) {
    let Some(valor) = valor else {
        if pedido {
            let ruta = ruta();
            let mensaje = format!("Falta «{}» para armar el documento.", nombre(&ruta));
            caso.falta(out, &FALTA, ruta, mensaje);
        }
        return;
    };
    // Bytes are at least as many as characters: most texts need no counting.
    if valor.len() > maximo {
        let largo = valor.chars().count();
        if largo > maximo {
            let ruta = ruta();
            let mensaje = format!(
                "«{}» tiene {largo} caracteres; en el documento caben {maximo}: sobran {}.",
                nombre(&ruta),
                largo.saturating_sub(maximo)
            );
            out.add(&LARGO, ruta, mensaje);
        }
    }
    if let Some(Falla::Latin { caracteres }) = no_latinos(valor) {
        let ruta = ruta();
        let mensaje = latin(&format!("«{}»", nombre(&ruta)), &caracteres);
        out.add(&CARACTER, ruta, mensaje);
    }
}

fn nombre(ruta: &str) -> &str {
    ruta.rsplit('.').next().unwrap_or(ruta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Documento, Formato};
    use crate::rules::pruebas::{documento, hallazgos};

    fn json(cambio: fn(&mut Documento)) -> Vec<(&'static str, Severity)> {
        let mut doc = documento(33);
        doc.lectura.formato = Formato::Json;
        doc.encabezado.emisor.rzn_soc = Some("Ferretería Los Aromos".into());
        doc.encabezado.emisor.giro_emis = Some("Venta".into());
        doc.encabezado.receptor.rzn_soc_recep = Some("Comprador S.A.".into());
        cambio(&mut doc);
        hallazgos(&RULE, &doc)
    }

    #[test]
    fn what_an_erp_may_still_mend() {
        assert_eq!(json(|_| {}), []);
        assert_eq!(
            json(|doc| doc.encabezado.emisor.giro_emis = None),
            [("DTE-JSON-FALTA", Severity::Info)]
        );
        assert_eq!(
            json(|doc| doc.detalle[1].nmb_item = Some("ñ".repeat(81))),
            [("DTE-JSON-LARGO", Severity::Info)]
        );
        assert_eq!(
            json(|doc| doc.detalle[1].nmb_item = Some("ñ".repeat(80))),
            []
        );
        assert_eq!(
            json(|doc| doc.detalle[0].dsc_item = Some("Té “verde”".into())),
            [("DTE-JSON-CARACTER", Severity::Warning)]
        );
        assert_eq!(
            json(|doc| {
                doc.encabezado.emisor.giro_emis = None;
                doc.lectura.formato = Formato::Xml;
            }),
            []
        );
    }
}
