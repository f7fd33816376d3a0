//! What the rules' tests share: correct documents to damage, and one rule run alone.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use super::{Caso, Rule};
use crate::context::Context;
use crate::model::{
    Aduana, Campo, ClaseDocumento, Detalle, Documento, ImptoReten, OtraMoneda, Referencia,
    TipoBultos, Transporte,
};
use crate::report::{Finding, Findings};
use findings::Severity;

/// The day on which tests judge.
pub(crate) fn hoy() -> Date {
    date(2026, 11, 22)
}

pub(crate) fn d(texto: &str) -> Decimal {
    texto.parse().unwrap()
}

pub(crate) fn m(texto: &str) -> Campo<Decimal> {
    Campo::Valor(d(texto))
}

/// A line of `cantidad` at `precio`.
pub(crate) fn linea(numero: i64, cantidad: &str, precio: &str, monto: &str) -> Detalle {
    Detalle {
        nro_lin_det: Campo::Valor(numero),
        nmb_item: Some("Tornillos".into()),
        qty_item: m(cantidad),
        prc_item: m(precio),
        monto_item: m(monto),
        ..Detalle::default()
    }
}

/// A document of this type in which every rule finds nothing.
pub(crate) fn documento(tipo: i64) -> Documento {
    let mut doc = Documento::default();
    let encabezado = &mut doc.encabezado;
    encabezado.id_doc.tipo_dte = Campo::Valor(tipo);
    encabezado.id_doc.folio = Campo::Valor(123);
    encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 11, 20));
    encabezado.emisor.rut_emisor = Some("76192083-9".into());
    encabezado.receptor.rut_recep = Some("60803000-K".into());
    let totales = &mut encabezado.totales;
    doc.detalle = vec![
        linea(1, "10", "1000", "10000"),
        linea(2, "1.5", "3333", "5000"),
    ];
    totales.mnt_total = m("17850");
    match tipo {
        34 | 41 | 110 | 111 | 112 => {
            totales.mnt_exe = m("15000");
            totales.mnt_total = m("15000");
            for linea in &mut doc.detalle {
                linea.ind_exe = Campo::Valor(1);
            }
        }
        39 => totales.mnt_total = m("15000"),
        _ => {
            totales.mnt_neto = m("15000");
            totales.tasa_iva = m("19");
            totales.iva = m("2850");
        }
    }
    if tipo >= 110 {
        doc.clase = ClaseDocumento::Exportaciones;
        encabezado.transporte.aduana = Some(aduana());
        encabezado.receptor.rut_recep = Some("55555555-5".into());
        totales.tpo_moneda = Some("DOLAR USA".into());
        encabezado.otra_moneda = Some(OtraMoneda {
            tpo_moneda: Some("PESO CL".into()),
            tpo_cambio: m("900"),
            mnt_exe_otr_mnda: m("13500000"),
            mnt_tot_otr_mnda: m("13500000"),
        });
    }
    if tipo == 43 {
        doc.clase = ClaseDocumento::Liquidacion;
    }
    if tipo == 46 {
        totales.mnt_total = m("15000");
        for linea in &mut doc.detalle {
            linea.cod_imp_adic = vec![Campo::Valor(15)];
        }
        totales.impto_reten = vec![ImptoReten {
            tipo_imp: Campo::Valor(15),
            tasa_imp: m("19"),
            monto_imp: m("2850"),
        }];
    }
    if tipo == 52 {
        encabezado.id_doc.ind_traslado = Campo::Valor(1);
        encabezado.transporte = transporte();
    }
    if matches!(tipo, 56 | 61 | 111 | 112) {
        let original = if tipo > 100 { "110" } else { "33" };
        doc.referencia = vec![referencia(original, 3)];
    }
    doc
}

/// All that a guía says of its journey.
fn transporte() -> Transporte {
    let texto = |valor: &str| Some(valor.to_owned());
    Transporte {
        patente: texto("ABCD12"),
        rut_trans: texto("76192083-9"),
        rut_chofer: texto("11111111-1"),
        nombre_chofer: texto("Juana Soto"),
        fch_salida: texto("2026-11-20"),
        hra_salida: texto("10:00:00"),
        fch_llegada: texto("2026-11-20"),
        dir_dest: texto("Calle Dos 45"),
        cmna_dest: texto("Curicó"),
        ciudad_dest: None,
        aduana: None,
    }
}

/// What customs ask of goods.
fn aduana() -> Aduana {
    Aduana {
        cod_mod_venta: Campo::Valor(1),
        cod_clau_venta: Campo::Valor(5),
        tot_bultos: Campo::Valor(10),
        tipo_bultos: vec![TipoBultos {
            cant_bultos: Campo::Valor(10),
            marcas: Some("TORNILLOS 1 A 10".into()),
            ..TipoBultos::default()
        }],
    }
}

pub(crate) fn referencia(tipo: &str, cod_ref: i64) -> Referencia {
    Referencia {
        nro_lin_ref: Campo::Valor(1),
        tpo_doc_ref: Some(tipo.into()),
        folio_ref: Some("45".into()),
        fch_ref: Campo::Valor(date(2026, 11, 2)),
        cod_ref: Campo::Valor(cod_ref),
        ..Referencia::default()
    }
}

pub(crate) fn hallazgos(rule: &Rule, doc: &Documento) -> Vec<(&'static str, Severity)> {
    hallazgos_en(rule, doc, &Context::emission(hoy()))
}

pub(crate) fn hallazgos_en(
    rule: &Rule,
    doc: &Documento,
    context: &Context<'_>,
) -> Vec<(&'static str, Severity)> {
    completos(rule, doc, context)
        .into_iter()
        .map(|finding| (finding.code, finding.severity))
        .collect()
}

pub(crate) fn completos(rule: &Rule, doc: &Documento, context: &Context<'_>) -> Vec<Finding> {
    let mut out = Findings::new(context.mode);
    (rule.check)(&Caso::nuevo(doc, context), &mut out);
    let findings = out.into_report().findings;
    for finding in &findings {
        assert!(
            rule.codes.iter().any(|code| code.code == finding.code),
            "{} isn't listed",
            finding.code
        );
    }
    findings
}

/// A change to a correct document, and what the rule then finds.
pub(crate) type Prueba = (fn(&mut Documento), &'static [(&'static str, Severity)]);

/// Runs a table of changes to a correct document of `tipo`.
pub(crate) fn tabla(rule: &Rule, tipo: i64, pruebas: &[Prueba]) {
    assert_eq!(hallazgos(rule, &documento(tipo)), [], "the correct {tipo}");
    for (indice, (cambio, esperado)) in pruebas.iter().enumerate() {
        let mut doc = documento(tipo);
        cambio(&mut doc);
        assert_eq!(
            hallazgos(rule, &doc),
            *esperado,
            "type {tipo}, case {indice}"
        );
    }
}
