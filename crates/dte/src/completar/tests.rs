//! Made-up documents whose totals are known.

use rust_decimal::Decimal;

use super::{CompletarErrorKind as Kind, Opciones, complete};
use crate::context::Context;
use crate::model::{
    Campo, ClaseDocumento, Comision, Detalle, Documento, DscRcgGlobal, OtraMoneda, Retenedor,
    TipoDte, Totales,
};
use crate::rules::pruebas::{d, documento, hoy, linea, m};
use crate::rules::validate;

/// A document of `tipo` with these lines and no totals.
fn sin_totales(tipo: i64, lineas: Vec<Detalle>) -> Documento {
    let mut doc = documento(tipo);
    let moneda = doc.encabezado.totales.tpo_moneda.take();
    doc.encabezado.totales = Totales {
        tpo_moneda: moneda,
        ..Totales::default()
    };
    doc.detalle = lineas;
    doc
}

fn sin_monto(cantidad: &str, precio: &str) -> Detalle {
    Detalle {
        monto_item: Campo::Ausente,
        ..linea(1, cantidad, precio, "0")
    }
}

fn con(ind_exe: i64, cantidad: &str, precio: &str) -> Detalle {
    Detalle {
        ind_exe: Campo::Valor(ind_exe),
        ..sin_monto(cantidad, precio)
    }
}

fn global(mov: &str, tipo: &str, valor: &str, clase: Option<i64>) -> DscRcgGlobal {
    DscRcgGlobal {
        tpo_mov: Some(mov.into()),
        tpo_valor: Some(tipo.into()),
        valor_dr: m(valor),
        ind_exe_dr: clase.into(),
        ..DscRcgGlobal::default()
    }
}

fn completo(doc: &Documento) -> Totales {
    complete(doc, Opciones::default())
        .unwrap()
        .encabezado
        .totales
}

#[test]
fn what_is_completed_is_what_the_rules_call_exact() {
    for tipo in TipoDte::TODOS {
        let original = documento(tipo.codigo().into());
        let mut doc = original.clone();
        for linea in &mut doc.detalle {
            linea.monto_item = Campo::Ausente;
        }
        let moneda = doc.encabezado.totales.tpo_moneda.clone();
        doc.encabezado.totales = Totales {
            tpo_moneda: moneda,
            ..Totales::default()
        };
        let listo = complete(&doc, Opciones::default()).unwrap();
        assert_eq!(listo.detalle.len(), original.detalle.len());
        let total = original.encabezado.totales.mnt_total;
        // Half a dollar isn't rounded away.
        let total = if tipo.es_exportacion() {
            m("14999.5")
        } else {
            total
        };
        assert_eq!(listo.encabezado.totales.mnt_total, total, "{tipo:?}");
        let report = validate(&listo, &Context::emission(hoy()));
        assert_eq!(report.findings, [], "{tipo:?}");
    }
}

#[test]
fn lines_are_rounded_half_up_and_discounts_come_from_percentages() {
    let mut una = sin_monto("3", "0.5");
    una.descuento_pct = m("50");
    let mut otra = sin_monto("1", "104090");
    otra.descuento_pct = m("10");
    otra.recargo_monto = m("7");
    let listo = complete(&sin_totales(33, vec![una, otra]), Opciones::default()).unwrap();
    let [una, otra] = listo.detalle.as_slice() else {
        panic!("two lines")
    };
    // 1.5 is 2, half of it 1.
    assert_eq!((una.descuento_monto, una.monto_item), (m("1"), m("1")));
    assert_eq!(
        (otra.descuento_monto, otra.monto_item),
        (m("10409"), m("93688"))
    );
    let totales = listo.encabezado.totales;
    assert_eq!(
        (totales.mnt_neto, totales.iva, totales.mnt_total),
        (m("93689"), m("17801"), m("111490"))
    );
}

#[test]
fn globals_are_for_their_class() {
    let mut doc = sin_totales(
        33,
        vec![
            sin_monto("1", "1000"),
            con(1, "1", "500"),
            con(2, "1", "80"),
            con(6, "1", "20"),
            con(3, "2", "150"),
        ],
    );
    doc.dsc_rcg_global = vec![
        global("D", "%", "10", None),
        global("R", "$", "50", None),
        global("D", "$", "100", Some(1)),
        global("D", "%", "50", Some(2)),
    ];
    doc.encabezado.totales.saldo_anterior = m("1000");
    let totales = completo(&doc);
    assert_eq!(totales.mnt_neto, m("950"));
    assert_eq!(totales.mnt_exe, m("400"));
    assert_eq!(totales.iva, m("181"));
    assert_eq!(totales.grnt_dep, m("300"));
    assert_eq!(totales.monto_nf, m("30"));
    assert_eq!(totales.mnt_total, m("1831"));
    assert_eq!(totales.monto_periodo, m("1861"));
    assert_eq!(totales.vlr_pagar, m("2861"));
    let mut exenta = sin_totales(34, vec![con(1, "5", "25000")]);
    exenta.dsc_rcg_global = vec![global("D", "%", "10", None)];
    assert_eq!(completo(&exenta).mnt_total, m("125000"));
    exenta.dsc_rcg_global = vec![global("D", "%", "10", Some(1))];
    assert_eq!(completo(&exenta).mnt_total, m("112500"));
}

#[test]
fn gross_prices_lose_their_iva() {
    let mut factura = sin_totales(33, vec![sin_monto("1", "11900")]);
    factura.encabezado.id_doc.mnt_bruto = Campo::Valor(1);
    let totales = completo(&factura);
    assert_eq!((totales.mnt_neto, totales.iva), (m("10000"), m("1900")));
    let totales = completo(&sin_totales(
        39,
        vec![sin_monto("5", "1000"), con(1, "1", "700")],
    ));
    assert_eq!(
        (totales.mnt_neto, totales.iva, totales.mnt_total),
        (m("4202"), m("798"), m("5700"))
    );
    let mut neta = sin_totales(39, vec![sin_monto("1", "4500")]);
    neta.encabezado.id_doc.ind_mnt_neto = Campo::Valor(2);
    assert_eq!(completo(&neta).mnt_total, m("5355"));
}

#[test]
fn taxes_follow_their_codes() {
    let gravada = |codigo: i64, precio: &str| Detalle {
        cod_imp_adic: vec![Campo::Valor(codigo)],
        ..sin_monto("1", precio)
    };
    let mut doc = sin_totales(33, vec![gravada(24, "1000"), gravada(271, "500")]);
    doc.dsc_rcg_global = vec![global("D", "%", "10", None)];
    let totales = completo(&doc);
    let montos: Vec<_> = totales
        .impto_reten
        .iter()
        .map(|i| (i.tasa_imp, i.monto_imp))
        .collect();
    assert_eq!(montos, [(m("31.5"), m("284")), (m("18"), m("81"))]);
    assert_eq!(totales.mnt_total, m("1972"));

    let parcial = completo(&sin_totales(46, vec![gravada(34, "10000")]));
    assert_eq!(
        (parcial.iva_no_ret, parcial.mnt_total),
        (m("1500"), m("11500"))
    );
    let total = completo(&sin_totales(46, vec![gravada(15, "123973")]));
    assert_eq!(
        (total.iva_no_ret, total.mnt_total),
        (Campo::Ausente, m("123973"))
    );
    let mut carne = gravada(17, "10000");
    carne.retenedor = Some(Retenedor {
        mnt_base_faena: m("8000"),
        ..Retenedor::default()
    });
    assert_eq!(
        completo(&sin_totales(33, vec![carne])).mnt_total,
        m("12300")
    );
}

#[test]
fn credits_commissions_and_exports_have_rules_of_their_own() {
    let doc = sin_totales(33, vec![sin_monto("1", "15000")]);
    let opciones = Opciones {
        credito_constructora: true,
    };
    let totales = complete(&doc, opciones).unwrap().encabezado.totales;
    assert_eq!(
        (totales.cred_ec, totales.mnt_total),
        (m("1853"), m("15997"))
    );

    let mut doc = sin_totales(43, vec![sin_monto("1", "1000")]);
    doc.clase = ClaseDocumento::Liquidacion;
    doc.comisiones = vec![Comision {
        val_com_neto: m("2000"),
        ..Comision::default()
    }];
    let totales = completo(&doc);
    assert_eq!(totales.comisiones.val_com_iva, m("380"));
    assert_eq!(totales.mnt_total, m("-1190"));

    let mut doc = sin_totales(110, vec![con(1, "3", "33.335")]);
    doc.encabezado.otra_moneda = Some(OtraMoneda {
        tpo_moneda: Some("PESO CL".into()),
        tpo_cambio: m("928.37"),
        ..OtraMoneda::default()
    });
    let listo = complete(&doc, Opciones::default()).unwrap();
    assert_eq!(listo.encabezado.totales.mnt_total, m("100.01"));
    let otra = listo.encabezado.otra_moneda.unwrap();
    assert_eq!(otra.mnt_tot_otr_mnda, m("92846"));
    doc.encabezado.id_doc.fma_pag_exp = Campo::Valor(21);
    assert_eq!(completo(&doc).mnt_total, m("0"));
}

#[test]
fn what_cannot_be_calculated_is_said_with_its_place() {
    let fallo = |cambio: fn(&mut Documento)| {
        let mut doc = documento(33);
        cambio(&mut doc);
        let error = complete(&doc, Opciones::default()).unwrap_err();
        assert!(error.user_message().contains(error.path()), "{error}");
        (error.path().to_owned(), error.kind())
    };
    let en = |campo: &str| format!("Documento/{campo}");
    for (cambio, campo, kind) in [
        (
            (|doc| doc.encabezado.id_doc.tipo_dte = Campo::Ausente) as fn(&mut Documento),
            "Encabezado/IdDoc/TipoDTE",
            Kind::Falta,
        ),
        (
            |doc| doc.encabezado.id_doc.tipo_dte = Campo::Valor(30),
            "Encabezado/IdDoc/TipoDTE",
            Kind::TipoDesconocido,
        ),
        (
            |doc| doc.detalle[1].qty_item = Campo::Ilegible,
            "Detalle[2]/QtyItem",
            Kind::Ilegible,
        ),
        (
            |doc| {
                doc.detalle[0].qty_item = Campo::Ausente;
                doc.detalle[0].monto_item = Campo::Ausente;
            },
            "Detalle[1]/QtyItem",
            Kind::Falta,
        ),
        (
            |doc| doc.detalle[0].prc_item = Campo::Valor(Decimal::MAX),
            "Detalle[1]/MontoItem",
            Kind::Desborde,
        ),
        (
            |doc| doc.dsc_rcg_global = vec![global("X", "%", "1", None)],
            "DscRcgGlobal[1]/TpoMov",
            Kind::Falta,
        ),
        (
            |doc| doc.detalle[0].cod_imp_adic = vec![Campo::Valor(28)],
            "Encabezado/Totales/ImptoReten[1]/MontoImp",
            Kind::ImpuestoSinTasa { codigo: 28 },
        ),
    ] {
        assert_eq!(fallo(cambio), (en(campo), kind));
    }
    // A price-following tax whose amount is written stays.
    let mut doc = documento(33);
    doc.encabezado.totales.impto_reten = vec![crate::model::ImptoReten {
        tipo_imp: Campo::Valor(28),
        monto_imp: m("777"),
        ..crate::model::ImptoReten::default()
    }];
    assert_eq!(
        completo(&doc).mnt_total,
        Campo::Valor(d("17850") + d("777"))
    );
}
