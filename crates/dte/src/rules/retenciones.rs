//! Taxes of the totals among themselves: each once, with its rate, none over the IVA.
//!
//! Source: formato DTE 2026-02, Totales/ImptoReten and section 4; IdDoc/MntBruto (only
//! without additional taxes); DscRcgGlobal/TpoValor (`%` with several taxes). The tax
//! service answers HED-2-300 for a withholding without its rate.

use rust_decimal::Decimal;

use super::impuestos::{Signo, signo, tasa_habitual};
use super::{Caso, Rule};
use crate::calculo::TASA_IVA;
use crate::formulas;
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const SIN_TASA: Code = Code {
    code: "DTE-IMPUESTO-SIN-TASA",
    title: "Un impuesto adicional o retención no dice su tasa",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/ImptoReten/TasaImp",
    sii_code: Some("HED-2-300"),
};
const REPETIDO: Code = Code {
    code: "DTE-IMPUESTO-REPETIDO",
    title: "Un impuesto está dos veces en los totales",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/ImptoReten",
    sii_code: None,
};
const EXCESO: Code = Code {
    code: "DTE-IMPUESTO-RETENCION-EXCESO",
    title: "Lo retenido supera el IVA",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/IVANoRet",
    sii_code: Some("HED-2-302"),
};
const BRUTO: Code = Code {
    code: "DTE-IMPUESTO-BRUTO",
    title: "Un documento de precios brutos lleva impuestos adicionales",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, IdDoc/MntBruto",
    sii_code: None,
};
const GLOBAL: Code = Code {
    code: "DTE-IMPUESTO-GLOBAL-MONTO",
    title: "Un descuento global en pesos no se puede repartir entre varios impuestos",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, DscRcgGlobal/TpoValor",
    sii_code: None,
};
const COMPRA: Code = Code {
    code: "DTE-IMPUESTO-COMPRA-SIN-RETENCION",
    title: "Una factura de compra no retiene IVA",
    severity: Severity::Info,
    source: "formato DTE 2026-02, Totales/ImptoReten",
    sii_code: None,
};
const RESTO: Code = Code {
    code: "DTE-IVA-NO-RETENIDO-AUSENTE",
    title: "El IVA se retiene en parte y falta el no retenido",
    severity: Severity::Info,
    source: "formato DTE 2026-02, Totales/IVANoRet",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "retenciones",
    about: "Impuestos adicionales y retenciones entre sí y frente al IVA.",
    codes: &[
        &SIN_TASA, &REPETIDO, &EXCESO, &BRUTO, &GLOBAL, &COMPRA, &RESTO,
    ],
    check,
};

const SECCION: &str = "Encabezado/Totales/ImptoReten";

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let totales = &caso.documento.encabezado.totales;
    let iva = totales.iva.valor().filter(|iva| !iva.is_zero());
    if totales.impto_reten.is_empty() {
        if let (true, Some(iva)) = (caso.es(TipoDte::FacturaCompra), iva) {
            let mensaje = format!(
                "La factura de compra tiene IVA por {} y ninguna retención (ImptoReten, p. ej. 15).",
                caso.cifra(iva)
            );
            out.add(&COMPRA, caso.ruta(SECCION), mensaje);
        }
        return;
    }
    cada_uno(caso, out);
    if let (Some(iva), Some(retenido)) = (iva, formulas::retenido(totales))
        && retenido > iva.saturating_add(Decimal::ONE)
    {
        let mensaje = format!(
            "Lo retenido suma {} y el IVA es {}: la diferencia es de {}.",
            caso.cifra(retenido),
            caso.cifra(iva),
            caso.cifra(retenido.saturating_sub(iva))
        );
        out.add(&EXCESO, caso.ruta(SECCION), mensaje);
    }
    resto(caso, out);
    let adicional = || {
        let mut impuestos = totales.impto_reten.iter();
        impuestos.any(|impuesto| signo(impuesto) == Some(Signo::Suma))
    };
    if caso.documento.encabezado.id_doc.mnt_bruto == Campo::Valor(1) && adicional() {
        let mensaje = "Con precios brutos (MntBruto 1) no puede haber impuestos adicionales: los precios deben ser netos.";
        out.add(&BRUTO, caso.ruta("Encabezado/IdDoc/MntBruto"), mensaje);
    }
    globales(caso, out);
}

/// A factura de compra that withholds a part says how much it doesn't.
fn resto(caso: &Caso<'_>, out: &mut Findings) {
    let totales = &caso.documento.encabezado.totales;
    let ausente = caso.es(TipoDte::FacturaCompra) && totales.iva_no_ret.es_ausente();
    let resto = formulas::iva_no_retenido(totales);
    if let (true, Some(resto)) = (ausente, resto.filter(|resto| *resto > Decimal::ONE)) {
        let mensaje = format!(
            "Se retiene sólo una parte del IVA y falta IVANoRet: debería ser {}.",
            caso.cifra(resto)
        );
        out.add(&RESTO, caso.ruta("Encabezado/Totales/IVANoRet"), mensaje);
    }
}

fn cada_uno(caso: &Caso<'_>, out: &mut Findings) {
    let impuestos = &caso.documento.encabezado.totales.impto_reten;
    for (indice, impuesto) in impuestos.iter().enumerate() {
        let Some(codigo) = impuesto.tipo_imp.valor() else {
            continue;
        };
        let antes = impuestos.get(..indice.min(20)).unwrap_or_default();
        if antes.iter().any(|otro| otro.tipo_imp == impuesto.tipo_imp) {
            let mensaje = format!("El impuesto {codigo} está más de una vez en los totales.");
            out.add(&REPETIDO, caso.ruta_de(SECCION, indice, "TipoImp"), mensaje);
        }
        let con_tasa = matches!(signo(impuesto), Some(Signo::Resta | Signo::Suma));
        let usual = tasa_habitual(codigo, TASA_IVA);
        if let (true, Campo::Ausente, Some(usual)) = (con_tasa, impuesto.tasa_imp, usual) {
            let mensaje = format!(
                "El impuesto o retención {codigo} no dice su tasa (TasaImp): la usual es {} %.",
                findings::numero(usual)
            );
            out.add(&SIN_TASA, caso.ruta_de(SECCION, indice, "TasaImp"), mensaje);
        }
    }
}

/// Which line's tax a discount in pesos lowers can't be told, where there are several.
fn globales(caso: &Caso<'_>, out: &mut Findings) {
    if caso.documento.encabezado.totales.impto_reten.len() < 2 {
        return;
    }
    let en_pesos = caso.documento.dsc_rcg_global.iter().position(|global| {
        global.tpo_valor.as_deref() == Some("$") && global.ind_exe_dr.es_ausente()
    });
    if let Some(indice) = en_pesos {
        let mensaje = "Con varios impuestos adicionales, un descuento o recargo global debe ser un porcentaje.";
        out.add(
            &GLOBAL,
            caso.ruta_de("DscRcgGlobal", indice, "TpoValor"),
            mensaje,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Documento, DscRcgGlobal, ImptoReten};
    use crate::rules::pruebas::{m, tabla};

    fn impuesto(doc: &mut Documento, codigo: i64, tasa: Option<&str>, monto: &str) {
        doc.encabezado.totales.impto_reten.push(ImptoReten {
            tipo_imp: Campo::Valor(codigo),
            tasa_imp: tasa.map_or(Campo::Ausente, m),
            monto_imp: m(monto),
        });
    }

    #[test]
    fn taxes_are_consistent_among_themselves() {
        tabla(
            &RULE,
            33,
            &[
                (|doc| impuesto(doc, 24, Some("31.5"), "1"), &[]),
                (|doc| impuesto(doc, 28, None, "1"), &[]),
                (
                    |doc| impuesto(doc, 24, None, "1"),
                    &[("DTE-IMPUESTO-SIN-TASA", Severity::Warning)],
                ),
                (
                    |doc| impuesto(doc, 15, None, "2850"),
                    &[("DTE-IMPUESTO-SIN-TASA", Severity::Warning)],
                ),
                (
                    |doc| {
                        impuesto(doc, 24, Some("31.5"), "1");
                        impuesto(doc, 24, Some("31.5"), "1");
                    },
                    &[("DTE-IMPUESTO-REPETIDO", Severity::Warning)],
                ),
                (|doc| impuesto(doc, 15, Some("19"), "2851"), &[]),
                (
                    |doc| impuesto(doc, 15, Some("19"), "2852"),
                    &[("DTE-IMPUESTO-RETENCION-EXCESO", Severity::Warning)],
                ),
                (
                    |doc| {
                        impuesto(doc, 24, Some("31.5"), "1");
                        doc.encabezado.id_doc.mnt_bruto = Campo::Valor(1);
                    },
                    &[("DTE-IMPUESTO-BRUTO", Severity::Warning)],
                ),
                (
                    |doc| {
                        impuesto(doc, 24, Some("31.5"), "1");
                        impuesto(doc, 27, Some("10"), "1");
                        doc.dsc_rcg_global = vec![DscRcgGlobal {
                            tpo_valor: Some("$".into()),
                            ..DscRcgGlobal::default()
                        }];
                    },
                    &[("DTE-IMPUESTO-GLOBAL-MONTO", Severity::Warning)],
                ),
            ],
        );
        tabla(
            &RULE,
            46,
            &[
                (
                    |doc| doc.encabezado.totales.impto_reten.clear(),
                    &[("DTE-IMPUESTO-COMPRA-SIN-RETENCION", Severity::Info)],
                ),
                (
                    |doc| doc.encabezado.totales.impto_reten[0].monto_imp = m("600"),
                    &[("DTE-IVA-NO-RETENIDO-AUSENTE", Severity::Info)],
                ),
            ],
        );
    }
}
