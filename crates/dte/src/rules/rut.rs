//! The tax ids of issuer and receiver.
//!
//! Source: formato DTE (form, range, modulo 11), the reserved ones: 55555555-5 is
//! the receiver of an export or of a sale to a tourist, 66666666-6 that of a boleta without a
//! name; a boleta may also have the receiver 0 with an own code (formato boletas).

use super::{Caso, Rule};
use crate::historia::rut;
use crate::model::{Campo, RUT_BOLETA, RUT_EXTRANJERO, Rut, RutError, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const FUENTE: &str = "formato DTE 2026-02, RUTEmisor y RUTRecep";

const fn codigo(
    code: &'static str,
    title: &'static str,
    severity: Severity,
    sii_code: Option<&'static str>,
) -> Code {
    Code {
        code,
        title,
        severity,
        source: FUENTE,
        sii_code,
    }
}

const EMISOR_AUSENTE: Code = codigo(
    "DTE-RUT-EMISOR-AUSENTE",
    "Falta el RUT del emisor",
    Severity::Error,
    Some("ENV-3-0"),
);
const EMISOR_FORMA: Code = codigo(
    "DTE-RUT-EMISOR-FORMA",
    "El RUT del emisor está mal escrito",
    Severity::Error,
    Some("ENV-3-0"),
);
const EMISOR_DV: Code = codigo(
    "DTE-RUT-EMISOR-DV",
    "El dígito verificador del RUT del emisor no corresponde",
    Severity::Error,
    None,
);
const EMISOR_RESERVADO: Code = codigo(
    "DTE-RUT-EMISOR-RESERVADO",
    "El RUT del emisor es uno reservado para receptores",
    Severity::Error,
    None,
);
const RECEPTOR_AUSENTE: Code = codigo(
    "DTE-RUT-RECEPTOR-AUSENTE",
    "Falta el RUT del receptor",
    Severity::Error,
    Some("ENV-3-0"),
);
const RECEPTOR_FORMA: Code = codigo(
    "DTE-RUT-RECEPTOR-FORMA",
    "El RUT del receptor está mal escrito",
    Severity::Error,
    Some("ENV-3-0"),
);
const RECEPTOR_DV: Code = codigo(
    "DTE-RUT-RECEPTOR-DV",
    "El dígito verificador del RUT del receptor no corresponde",
    Severity::Error,
    None,
);
const RECEPTOR_RESERVADO: Code = codigo(
    "DTE-RUT-RECEPTOR-RESERVADO",
    "El RUT genérico del receptor no corresponde a este tipo de documento",
    Severity::Warning,
    None,
);

const RECEPTOR_PROPIO: Code = codigo(
    "DTE-RUT-RECEPTOR-PROPIO",
    "El receptor es el mismo emisor",
    Severity::Info,
    None,
);
const RECEPTOR_EXTRANJERO: Code = codigo(
    "DTE-RUT-RECEPTOR-EXTRANJERO",
    "El receptor de una exportación no lleva el RUT genérico del extranjero",
    Severity::Warning,
    None,
);

pub(super) static RULE: Rule = Rule {
    name: "rut",
    about: "RUT del emisor y del receptor: forma, dígito verificador y reservados.",
    codes: &[
        &EMISOR_AUSENTE,
        &EMISOR_FORMA,
        &EMISOR_DV,
        &EMISOR_RESERVADO,
        &RECEPTOR_AUSENTE,
        &RECEPTOR_FORMA,
        &RECEPTOR_DV,
        &RECEPTOR_RESERVADO,
        &RECEPTOR_PROPIO,
        &RECEPTOR_EXTRANJERO,
    ],
    check,
};

/// One of the two parties, with its codes.
struct Parte {
    quien: &'static str,
    campo: &'static str,
    ausente: &'static Code,
    forma: &'static Code,
    dv: &'static Code,
}

const EMISOR: Parte = Parte {
    quien: "emisor",
    campo: "Encabezado/Emisor/RUTEmisor",
    ausente: &EMISOR_AUSENTE,
    forma: &EMISOR_FORMA,
    dv: &EMISOR_DV,
};
const RECEPTOR: Parte = Parte {
    quien: "receptor",
    campo: "Encabezado/Receptor/RUTRecep",
    ausente: &RECEPTOR_AUSENTE,
    forma: &RECEPTOR_FORMA,
    dv: &RECEPTOR_DV,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let encabezado = &caso.documento.encabezado;
    let emisor = encabezado.emisor.rut_emisor.as_deref();
    let receptor = encabezado.receptor.rut_recep.as_deref();
    una_parte(caso, out, &EMISOR, emisor);
    if let Some(rut @ (RUT_EXTRANJERO | RUT_BOLETA)) = emisor {
        let mensaje =
            format!("{rut} es un RUT genérico para receptores: no puede emitir documentos.");
        out.add(&EMISOR_RESERVADO, caso.ruta(EMISOR.campo), mensaje);
    }
    let boleta = caso.tipo.is_some_and(TipoDte::es_boleta);
    let sin_receptor = boleta && matches!(receptor, None | Some("0" | "0-0"));
    if !sin_receptor {
        una_parte(caso, out, &RECEPTOR, receptor);
    }
    receptor_reservado(caso, out, receptor);
    receptor_de_este_tipo(caso, out);
}

/// Goods move within one company under a guía; what is exported goes to a receiver without RUT.
fn receptor_de_este_tipo(caso: &Caso<'_>, out: &mut Findings) {
    let encabezado = &caso.documento.encabezado;
    let emisor = encabezado.emisor.rut_emisor.as_deref();
    let receptor = encabezado.receptor.rut_recep.as_deref();
    let Some(tipo) = caso.tipo else {
        return;
    };
    // What isn't a RUT was said already.
    if tipo.es_exportacion() {
        if let Some(otro) = rut(receptor.filter(|texto| *texto != RUT_EXTRANJERO)) {
            let mensaje = format!(
                "El receptor de una exportación no tiene RUT chileno: va {RUT_EXTRANJERO} y dice {otro}."
            );
            out.add(&RECEPTOR_EXTRANJERO, caso.ruta(RECEPTOR.campo), mensaje);
        }
    } else if emisor == receptor
        && tipo != TipoDte::GuiaDespacho
        && let Some(mismo) = rut(receptor)
    {
        let mensaje = format!("El receptor, {mismo}, es el mismo emisor.");
        out.add(&RECEPTOR_PROPIO, caso.ruta(RECEPTOR.campo), mensaje);
    }
}

fn una_parte(caso: &Caso<'_>, out: &mut Findings, parte: &Parte, rut: Option<&str>) {
    let ruta = || caso.ruta(parte.campo);
    let quien = parte.quien;
    let Some(rut) = rut else {
        caso.falta(
            out,
            parte.ausente,
            ruta(),
            format!("Falta el RUT del {quien}."),
        );
        return;
    };
    let texto = crate::model::recortado(rut);
    match Rut::leer(rut) {
        Ok(_) => {}
        Err(RutError::Forma) => {
            let mensaje = format!("El RUT del {quien}, «{texto}», no tiene la forma 12345678-9.");
            out.add(parte.forma, ruta(), mensaje);
        }
        Err(RutError::Escritura(rut)) => {
            let mensaje =
                format!("El RUT del {quien} está escrito «{texto}»; el SII lo pide como {rut}.");
            out.add_form(parte.forma, ruta(), mensaje);
        }
        Err(RutError::Rango) => {
            let mensaje = format!(
                "El RUT del {quien}, «{texto}», está fuera de rango (100.000 a 99.999.999)."
            );
            out.add(parte.forma, ruta(), mensaje);
        }
        Err(RutError::Digito { esperado }) => {
            let mensaje = format!(
                "El RUT del {quien}, «{texto}», debería terminar en {esperado}: su dígito verificador no corresponde."
            );
            out.add(parte.dv, ruta(), mensaje);
        }
    }
}

fn receptor_reservado(caso: &Caso<'_>, out: &mut Findings, receptor: Option<&str>) {
    let Some(tipo) = caso.tipo else {
        return;
    };
    let turista = caso.documento.encabezado.id_doc.tipo_fact_esp == Campo::Valor(1);
    let corresponde = match receptor {
        // A note may correct an export or a tourist's invoice, a guía may carry an export,
        // and the receiver of a factura de compra is the seller, who may be abroad.
        Some(RUT_EXTRANJERO) => {
            turista
                || tipo.es_exportacion()
                || tipo.es_boleta()
                || tipo.es_nota()
                || matches!(tipo, TipoDte::GuiaDespacho | TipoDte::FacturaCompra)
        }
        // A note may correct a boleta.
        Some(RUT_BOLETA) => tipo.es_boleta() || tipo.es_nota(),
        _ => true,
    };
    if !corresponde {
        let mensaje = format!(
            "El RUT {} es genérico y no corresponde en una {}: el receptor debe estar identificado.",
            receptor.unwrap_or_default(),
            tipo.nombre()
        );
        out.add(&RECEPTOR_RESERVADO, caso.ruta(RECEPTOR.campo), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Formato;
    use crate::rules::pruebas::{documento, hallazgos};

    fn con(tipo: i64, emisor: &str, receptor: &str) -> Vec<(&'static str, Severity)> {
        let mut doc = documento(tipo);
        let algo = |rut: &str| (!rut.is_empty()).then(|| rut.to_owned());
        doc.encabezado.emisor.rut_emisor = algo(emisor);
        doc.encabezado.receptor.rut_recep = algo(receptor);
        hallazgos(&RULE, &doc)
    }

    #[test]
    fn issuer_and_receiver() {
        const E: &str = "76192083-9";
        type Prueba = (
            i64,
            &'static str,
            &'static str,
            &'static [(&'static str, Severity)],
        );
        let casos: [Prueba; 20] = [
            (33, E, "60803000-K", &[]),
            (33, "8502927-4", "6341301-1", &[]),
            (
                33,
                "",
                "",
                &[
                    ("DTE-RUT-EMISOR-AUSENTE", Severity::Error),
                    ("DTE-RUT-RECEPTOR-AUSENTE", Severity::Error),
                ],
            ),
            (
                33,
                "XXXXXXX-3",
                "60803000-K",
                &[("DTE-RUT-EMISOR-FORMA", Severity::Error)],
            ),
            (
                33,
                "76.192.083-9",
                "60803000-K",
                &[("DTE-RUT-EMISOR-FORMA", Severity::Error)],
            ),
            (
                33,
                "60803000-k",
                E,
                &[("DTE-RUT-EMISOR-FORMA", Severity::Error)],
            ),
            (
                33,
                E,
                "12345678-9",
                &[("DTE-RUT-RECEPTOR-DV", Severity::Error)],
            ),
            (
                33,
                E,
                "12-3456789",
                &[("DTE-RUT-RECEPTOR-FORMA", Severity::Error)],
            ),
            (33, E, "1-9", &[("DTE-RUT-RECEPTOR-FORMA", Severity::Error)]),
            (
                33,
                "66666666-6",
                E,
                &[("DTE-RUT-EMISOR-RESERVADO", Severity::Error)],
            ),
            (
                33,
                E,
                "66666666-6",
                &[("DTE-RUT-RECEPTOR-RESERVADO", Severity::Warning)],
            ),
            (
                33,
                E,
                "55555555-5",
                &[("DTE-RUT-RECEPTOR-RESERVADO", Severity::Warning)],
            ),
            (39, E, "66666666-6", &[]),
            (39, E, "", &[]),
            (39, E, "0", &[]),
            (110, E, "55555555-5", &[]),
            (46, E, "55555555-5", &[]),
            (
                110,
                E,
                "60803000-K",
                &[("DTE-RUT-RECEPTOR-EXTRANJERO", Severity::Warning)],
            ),
            (33, E, E, &[("DTE-RUT-RECEPTOR-PROPIO", Severity::Info)]),
            (52, E, E, &[]),
        ];
        for (tipo, emisor, receptor, esperado) in casos {
            assert_eq!(
                con(tipo, emisor, receptor),
                esperado,
                "{tipo} {emisor} {receptor}"
            );
        }
    }

    #[test]
    fn a_part_sent_as_json_is_only_warned_about() {
        let mut doc = documento(33);
        doc.lectura.formato = Formato::Json;
        doc.encabezado.receptor.rut_recep = None;
        assert_eq!(
            hallazgos(&RULE, &doc),
            [("DTE-RUT-RECEPTOR-AUSENTE", Severity::Warning)]
        );
    }
}
