//! A boleta over 135 UF names its receiver.
//!
//! Source: Ley 21.713 (art. 92 ter del Código Tributario), in force for boletas since
//! 2025-09-01; formato boletas 2024-12: RUTRecep, RznSocRecep and MedioPago, and for cash
//! CorreoRecep and TelefonoRecep. The UF is that of 31 December of the year before. The crate
//! knows no UF: the caller gives it ([`Context::uf`](crate::Context::uf)); without it, what
//! could be above is said as an info.

use jiff::civil::date;
use rust_decimal::Decimal;

use super::{Caso, Rule};
use crate::model::{RUT_BOLETA, TipoDte};
use crate::report::{Code, Findings};
use crate::vigencia::Vigencia;
use findings::Severity;
use findings::pesos;

const RECEPTOR: Code = Code {
    code: "DTE-BOLETA-MAYOR-RECEPTOR",
    title: "Una boleta de más de 135 UF no identifica a su receptor",
    severity: Severity::Warning,
    source: "Ley 21.713; formato boletas 2024-12, RUTRecep y MedioPago",
    sii_code: None,
};

/// When the rule holds.
pub(crate) const VIGENCIA: Vigencia = Vigencia::desde(date(2025, 9, 1));

/// 135 times 38,000: below 135 UF on every day that counts (from 31 December 2024 on).
const POSIBLE: Decimal = Decimal::from_parts(5_130_000, 0, 0, false, 0);
const UNIDADES: Decimal = Decimal::from_parts(135, 0, 0, false, 0);

pub(super) static RULE: Rule = Rule {
    name: "boleta_mayor",
    about: "Receptor y medio de pago de las boletas de más de 135 UF.",
    codes: &[&RECEPTOR],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let encabezado = &caso.documento.encabezado;
    if !caso.tipo.is_some_and(TipoDte::es_boleta)
        || !VIGENCIA.rige(encabezado.id_doc.fch_emis.valor())
    {
        return;
    }
    let Some(total) = encabezado.totales.mnt_total.valor() else {
        return;
    };
    let limite = match caso.context.uf {
        None => POSIBLE,
        Some(uf) => match uf.checked_mul(UNIDADES) {
            Some(limite) => limite,
            None => return,
        },
    };
    if total <= limite {
        return;
    }
    let faltan = faltan(caso);
    if faltan.is_empty() {
        return;
    }
    let faltan = faltan.join(", ");
    let (severity, mensaje) = if caso.context.uf.is_some() {
        let severity = if caso.es_json() {
            Severity::Info
        } else {
            RECEPTOR.severity
        };
        let mensaje = format!(
            "El total, {}, supera 135 UF ({}): la boleta debe identificar al receptor, y falta {faltan}.",
            pesos(total),
            pesos(limite)
        );
        (severity, mensaje)
    } else {
        let mensaje = format!(
            "El total, {}, puede superar 135 UF (según la UF del 31 de diciembre anterior); si es así, falta {faltan}.",
            pesos(total)
        );
        (Severity::Info, mensaje)
    };
    out.add_as(
        &RECEPTOR,
        severity,
        caso.ruta("Encabezado/Receptor/RUTRecep"),
        mensaje,
    );
}

fn faltan(caso: &Caso<'_>) -> Vec<&'static str> {
    let receptor = &caso.documento.encabezado.receptor;
    let medio = caso.documento.encabezado.id_doc.medio_pago.as_deref();
    let generico = receptor
        .rut_recep
        .as_deref()
        .is_none_or(|rut| matches!(rut, RUT_BOLETA | "0" | "0-0"));
    let mut faltan = Vec::new();
    let mut pedir = |nombre, falta: bool| {
        if falta {
            faltan.push(nombre);
        }
    };
    pedir("el RUT real (RUTRecep)", generico);
    pedir("el nombre (RznSocRecep)", receptor.rzn_soc_recep.is_none());
    // The contract's JSON has no place for the rest.
    if !caso.es_json() {
        pedir("el medio de pago (MedioPago)", medio.is_none());
        let efectivo = medio == Some("1");
        pedir(
            "el correo (CorreoRecep)",
            efectivo && receptor.correo_recep.is_none(),
        );
        pedir(
            "el teléfono (TelefonoRecep)",
            efectivo && receptor.telefono_recep.is_none(),
        );
    }
    faltan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::model::{Campo, Documento};
    use crate::rules::pruebas::{completos, d, documento, hoy, m};

    fn boleta(total: &str) -> Documento {
        let mut doc = documento(39);
        doc.encabezado.totales.mnt_total = m(total);
        doc.encabezado.receptor.rut_recep = Some(RUT_BOLETA.into());
        doc
    }

    fn severidades(doc: &Documento, context: &Context<'_>) -> Vec<Severity> {
        let hallados = completos(&RULE, doc, context);
        hallados.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn above_the_limit_the_receiver_is_named() {
        let sin_uf = Context::emission(hoy());
        let con_uf = sin_uf.with_uf(d("40000"));
        for (total, sin, con) in [
            ("5130000", None, None),
            ("5130001", Some(Severity::Info), None),
            ("5400000", Some(Severity::Info), None),
            ("5400001", Some(Severity::Info), Some(Severity::Warning)),
        ] {
            let doc = boleta(total);
            assert_eq!(severidades(&doc, &sin_uf), Vec::from_iter(sin), "{total}");
            assert_eq!(severidades(&doc, &con_uf), Vec::from_iter(con), "{total}");
        }
        let mut antigua = boleta("9000000");
        antigua.encabezado.id_doc.fch_emis = Campo::Valor(date(2025, 8, 31));
        assert_eq!(severidades(&antigua, &con_uf), []);
    }

    #[test]
    fn who_pays_in_cash_is_named_more_closely() {
        let con_uf = Context::emission(hoy()).with_uf(d("40000"));
        let mut doc = boleta("9000000");
        let encabezado = &mut doc.encabezado;
        encabezado.receptor.rut_recep = Some("76192083-9".into());
        encabezado.receptor.rzn_soc_recep = Some("Ferretería Los Aromos".into());
        encabezado.id_doc.medio_pago = Some("2".into());
        assert_eq!(severidades(&doc, &con_uf), []);
        doc.encabezado.id_doc.medio_pago = Some("1".into());
        let hallados = completos(&RULE, &doc, &con_uf);
        assert!(hallados[0].message.contains("CorreoRecep"));
        assert!(hallados[0].message.contains("$5.400.000"));
        doc.encabezado.receptor.correo_recep = Some("a@b.cl".into());
        doc.encabezado.receptor.telefono_recep = Some("+56 2 1".into());
        assert_eq!(severidades(&doc, &con_uf), []);
    }
}
