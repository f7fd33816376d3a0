//! An export in a foreign currency says its amounts in pesos too.
//!
//! Source: formato DTE, change of 2017-05-31: OtraMoneda with TpoMoneda, TpoCambio,
//! MntExeOtrMnda and MntTotOtrMnda is mandatory in 110, 111 and 112 (HED-3-834).

use jiff::civil::date;

use super::{Caso, Rule};
use crate::model::TipoDte;
use crate::report::{Code, Findings, Severity};
use crate::vigencia::Vigencia;

const AUSENTE: Code = Code {
    code: "DTE-OTRA-MONEDA-AUSENTE",
    title: "El documento de exportación no dice sus montos en pesos",
    severity: Severity::Error,
    source: "formato DTE 2026-02, OtraMoneda (cambio del 2017-05-31)",
    sii_code: Some("HED-3-834"),
};

/// When the rule holds.
pub(crate) const VIGENCIA: Vigencia = Vigencia::desde(date(2017, 5, 31));

pub(super) static RULE: Rule = Rule {
    name: "otra_moneda",
    about: "Montos en pesos de los documentos de exportación.",
    codes: &[&AUSENTE],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let encabezado = &caso.documento.encabezado;
    // A note without amounts corrects a text and has nothing to convert.
    let sin_monto = encabezado
        .totales
        .mnt_total
        .valor()
        .is_none_or(|total| total.is_zero());
    if caso.es_json()
        || sin_monto
        || caso.en_pesos()
        || !caso.tipo.is_some_and(TipoDte::es_exportacion)
        || !VIGENCIA.rige(encabezado.id_doc.fch_emis.valor())
    {
        return;
    }
    let faltan: Vec<&str> = match &encabezado.otra_moneda {
        None => vec!["OtraMoneda"],
        Some(otra) => [
            ("TpoMoneda", otra.tpo_moneda.is_none()),
            ("TpoCambio", otra.tpo_cambio.es_ausente()),
            ("MntExeOtrMnda", otra.mnt_exe_otr_mnda.es_ausente()),
            ("MntTotOtrMnda", otra.mnt_tot_otr_mnda.es_ausente()),
        ]
        .into_iter()
        .filter_map(|(nombre, falta)| falta.then_some(nombre))
        .collect(),
    };
    for nombre in faltan {
        let (ruta, mensaje) = if nombre == "OtraMoneda" {
            (
                caso.ruta("Encabezado/OtraMoneda"),
                "Falta la sección OtraMoneda con los montos en pesos (PESO CL) y el tipo de cambio."
                    .to_owned(),
            )
        } else {
            (
                caso.ruta(&format!("Encabezado/OtraMoneda/{nombre}")),
                format!("Falta {nombre}: una exportación dice también sus montos en pesos."),
            )
        };
        out.add_form(&AUSENTE, ruta, mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Campo, OtraMoneda};
    use crate::rules::pruebas::{m, tabla};

    const FALTA: (&str, Severity) = ("DTE-OTRA-MONEDA-AUSENTE", Severity::Error);

    #[test]
    fn exports_say_their_amounts_in_pesos() {
        for tipo in [110, 111, 112] {
            tabla(
                &RULE,
                tipo,
                &[
                    (|doc| doc.encabezado.otra_moneda = None, &[FALTA]),
                    (
                        |doc| {
                            doc.encabezado.otra_moneda = Some(OtraMoneda {
                                tpo_moneda: Some("PESO CL".into()),
                                mnt_exe_otr_mnda: m("1"),
                                ..OtraMoneda::default()
                            });
                        },
                        &[FALTA, FALTA],
                    ),
                    (
                        |doc| {
                            doc.encabezado.otra_moneda = None;
                            doc.encabezado.totales.tpo_moneda = Some("PESO CL".into());
                        },
                        &[],
                    ),
                    (
                        |doc| {
                            doc.encabezado.otra_moneda = None;
                            doc.encabezado.totales.mnt_total = m("0");
                        },
                        &[],
                    ),
                    (
                        |doc| {
                            doc.encabezado.otra_moneda = None;
                            doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2017, 5, 30));
                        },
                        &[],
                    ),
                ],
            );
        }
        tabla(&RULE, 33, &[(|doc| doc.encabezado.otra_moneda = None, &[])]);
    }
}
