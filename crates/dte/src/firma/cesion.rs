//! A cession (`AEC`) against the document that it cedes: what it says of it, and who ceded it to
//! whom.
//!
//! Source: the parts of a cession as they stand in verified files; no schema of it is at hand,
//! and so what its parts must have isn't judged here.

use super::arbol::{Arbol, Id};
use super::caso::hallazgo;
use super::codigos;
use crate::model::{Documento, recortado};
use crate::report::{Code, Finding};
use crate::valores;

/// More cessions than a document has ever seen aren't looked at.
const MAXIMO: usize = 64;

/// One `DocumentoCesion`.
struct Cesion {
    id: Id,
    ruta: String,
    cedente: Option<String>,
    cesionario: Option<String>,
}

/// Checks every cession of a file that is an `AEC`.
pub(super) fn verificar(arbol: &Arbol<'_>, documentos: &[Documento], findings: &mut Vec<Finding>) {
    let (Some(aec), Some(documento)) = (arbol.bajo(0, &["DocumentoAEC"]), documentos.first())
    else {
        return;
    };
    if arbol.elemento(0).local() != "AEC" {
        return;
    }
    let cesiones = cesiones(arbol, aec);
    let mut decir = |code: &Code, ruta: String, mensaje: String| {
        findings.push(hallazgo(code, code.severity, ruta, mensaje));
    };
    for cesion in &cesiones {
        el_documento(arbol, cesion, documento, &mut decir);
        el_monto(arbol, cesion, documento, &mut decir);
    }
    cadena(arbol, &cesiones, documento, &mut decir);
    caratula(arbol, aec, cesiones.last(), &mut decir);
}

fn cesiones(arbol: &Arbol<'_>, aec: Id) -> Vec<Cesion> {
    let Some(lista) = arbol.hijo(aec, "Cesiones") else {
        return Vec::new();
    };
    arbol
        .hijos(lista)
        .filter(|hijo| arbol.elemento(*hijo).local() == "Cesion")
        .filter_map(|hijo| arbol.hijo(hijo, "DocumentoCesion"))
        .take(MAXIMO)
        .enumerate()
        .map(|(indice, id)| Cesion {
            id,
            ruta: format!(
                "DocumentoAEC/Cesiones/Cesion[{}]/DocumentoCesion",
                indice + 1
            ),
            cedente: arbol.campo(id, &["Cedente", "RUT"]),
            cesionario: arbol.campo(id, &["Cesionario", "RUT"]),
        })
        .collect()
}

type Decir<'a> = dyn FnMut(&Code, String, String) + 'a;

/// `IdDTE`: each cession names the document, and it is always the same.
fn el_documento(arbol: &Arbol<'_>, cesion: &Cesion, documento: &Documento, decir: &mut Decir<'_>) {
    let encabezado = &documento.encabezado;
    let id_doc = &encabezado.id_doc;
    let numero = |numero: Option<i64>| numero.map(|numero| numero.to_string());
    let total = encabezado.totales.mnt_total.valor();
    for (campo, suyo) in [
        ("TipoDTE", numero(id_doc.tipo_dte.valor())),
        ("RUTEmisor", encabezado.emisor.rut_emisor.clone()),
        ("RUTReceptor", encabezado.receptor.rut_recep.clone()),
        ("Folio", numero(id_doc.folio.valor())),
        (
            "FchEmis",
            id_doc.fch_emis.valor().map(|dia| dia.to_string()),
        ),
        ("MntTotal", total.map(|total| total.normalize().to_string())),
    ] {
        let dice = arbol.campo(cesion.id, &["IdDTE", campo]);
        let (Some(dice), Some(suyo)) = (dice, suyo) else {
            continue;
        };
        let igual = dice == suyo || valores::entero(&dice).is_some_and(|n| n.to_string() == suyo);
        if !igual {
            let mensaje = format!(
                "La cesión dice {campo} «{}» y el documento cedido dice «{}»: es la cesión de otro documento.",
                recortado(&dice),
                recortado(&suyo)
            );
            decir(
                &codigos::CESION_DOCUMENTO,
                format!("{}/IdDTE/{campo}", cesion.ruta),
                mensaje,
            );
        }
    }
}

/// Nobody cedes more than there is.
fn el_monto(arbol: &Arbol<'_>, cesion: &Cesion, documento: &Documento, decir: &mut Decir<'_>) {
    let cedido = arbol.campo(cesion.id, &["MontoCesion"]);
    let cedido = cedido.as_deref().and_then(valores::decimal);
    let total = documento.encabezado.totales.mnt_total.valor();
    if let (Some(cedido), Some(total)) = (cedido, total)
        && cedido > total
    {
        let mensaje = format!(
            "Se ceden {} de un documento de {}: {} de más.",
            crate::pesos(cedido),
            crate::pesos(total),
            crate::pesos(cedido.saturating_sub(total))
        );
        decir(
            &codigos::CESION_MONTO,
            format!("{}/MontoCesion", cesion.ruta),
            mensaje,
        );
    }
}

/// The issuer cedes first, and then each holder to the next, in order.
fn cadena(arbol: &Arbol<'_>, cesiones: &[Cesion], documento: &Documento, decir: &mut Decir<'_>) {
    let mut dueno = documento.encabezado.emisor.rut_emisor.clone();
    for (indice, cesion) in cesiones.iter().enumerate() {
        let secuencia = arbol.campo(cesion.id, &["SeqCesion"]);
        let numero = secuencia.as_deref().and_then(valores::entero);
        let lugar = i64::try_from(indice + 1).unwrap_or(i64::MAX);
        if let Some(numero) = numero.filter(|numero| *numero != lugar) {
            let mensaje = format!("La cesión {lugar} dice ser la {numero} (SeqCesion).");
            decir(
                &codigos::CESION_CADENA,
                format!("{}/SeqCesion", cesion.ruta),
                mensaje,
            );
        }
        if let (Some(dueno), Some(cedente)) = (&dueno, &cesion.cedente)
            && dueno != cedente
        {
            let mensaje = format!(
                "En la cesión {lugar} cede {} y el crédito era de {}.",
                recortado(cedente),
                recortado(dueno)
            );
            decir(
                &codigos::CESION_CADENA,
                format!("{}/Cedente/RUT", cesion.ruta),
                mensaje,
            );
        }
        dueno.clone_from(&cesion.cesionario);
    }
}

/// The cover is that of the last cession.
fn caratula(arbol: &Arbol<'_>, aec: Id, ultima: Option<&Cesion>, decir: &mut Decir<'_>) {
    let Some(ultima) = ultima else {
        return;
    };
    for (campo, quien, suyo) in [
        ("RutCedente", "cede", &ultima.cedente),
        ("RutCesionario", "recibe", &ultima.cesionario),
    ] {
        let dice = arbol.campo(aec, &["Caratula", campo]);
        if let (Some(dice), Some(suyo)) = (dice, suyo)
            && dice != *suyo
        {
            let mensaje = format!(
                "La carátula dice que {quien} {} ({campo}) y en la última cesión {quien} {}.",
                recortado(&dice),
                recortado(suyo)
            );
            decir(
                &codigos::CESION_CARATULA,
                format!("DocumentoAEC/Caratula/{campo}"),
                mensaje,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Trust, verify};
    use crate::{Context, Limits};
    use jiff::civil::date;

    /// A cession of a cession, without signatures.
    const AEC: &str = "<AEC><DocumentoAEC><Caratula><RutCedente>77000111-0</RutCedente>\
        <RutCesionario>60803000-K</RutCesionario></Caratula><Cesiones><DTECedido>\
        <DocumentoDTECedido><DTE><Documento><Encabezado><IdDoc><TipoDTE>33</TipoDTE>\
        <Folio>7</Folio><FchEmis>2026-05-15</FchEmis></IdDoc><Emisor>\
        <RUTEmisor>76192083-9</RUTEmisor></Emisor><Receptor><RUTRecep>12345678-5</RUTRecep>\
        </Receptor><Totales><MntTotal>1190</MntTotal></Totales></Encabezado></Documento></DTE>\
        </DocumentoDTECedido></DTECedido><Cesion><DocumentoCesion><SeqCesion>1</SeqCesion><IdDTE>\
        <TipoDTE>33</TipoDTE><RUTEmisor>76192083-9</RUTEmisor><RUTReceptor>12345678-5</RUTReceptor>\
        <Folio>7</Folio><FchEmis>2026-05-15</FchEmis><MntTotal>1190</MntTotal></IdDTE><Cedente>\
        <RUT>76192083-9</RUT></Cedente><Cesionario><RUT>77000111-0</RUT></Cesionario>\
        <MontoCesion>1190</MontoCesion></DocumentoCesion></Cesion><Cesion><DocumentoCesion>\
        <SeqCesion>2</SeqCesion><Cedente><RUT>77000111-0</RUT></Cedente><Cesionario>\
        <RUT>60803000-K</RUT></Cesionario><MontoCesion>1000</MontoCesion></DocumentoCesion>\
        </Cesion></Cesiones></DocumentoAEC></AEC>";

    fn codigos(xml: &str) -> Vec<&'static str> {
        let context = Context::reception(date(2026, 11, 22));
        let firmas = verify(xml.as_bytes(), &Limits::default(), &Trust::new(), &context).unwrap();
        let findings = firmas.findings.iter().map(|finding| finding.code);
        findings.collect()
    }

    #[test]
    fn a_cession_is_of_its_document_and_of_who_holds_it() {
        assert_eq!(codigos(AEC), Vec::<&str>::new());
        for (viejo, nuevo, codigo) in [
            (
                "<Folio>7</Folio><FchEmis>2026-05-15</FchEmis><MntTotal>",
                "<Folio>8</Folio><FchEmis>2026-05-15</FchEmis><MntTotal>",
                "DTE-CESION-DOCUMENTO",
            ),
            (
                "<MntTotal>1190</MntTotal></IdDTE>",
                "<MntTotal>1191</MntTotal></IdDTE>",
                "DTE-CESION-DOCUMENTO",
            ),
            (
                "<MontoCesion>1190<",
                "<MontoCesion>1191<",
                "DTE-CESION-MONTO",
            ),
            ("<SeqCesion>2<", "<SeqCesion>1<", "DTE-CESION-CADENA"),
            (
                "<Cedente><RUT>76192083-9<",
                "<Cedente><RUT>60803000-K<",
                "DTE-CESION-CADENA",
            ),
            (
                "<RutCedente>77000111-0<",
                "<RutCedente>76192083-9<",
                "DTE-CESION-CARATULA",
            ),
            (
                "<RutCesionario>60803000-K<",
                "<RutCesionario>76192083-9<",
                "DTE-CESION-CARATULA",
            ),
        ] {
            assert!(AEC.contains(viejo), "{viejo}");
            assert_eq!(codigos(&AEC.replacen(viejo, nuevo, 1)), [codigo], "{nuevo}");
        }
    }
}
