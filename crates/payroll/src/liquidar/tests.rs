//! The expected payslip, against hand-made cases.

use proptest::prelude::*;

use super::*;
use crate::indicadores::integrados;
use crate::periodo::Periodo;

fn d(texto: &str) -> Decimal {
    texto.parse().unwrap()
}

fn mes(anio: i16, mes: i8) -> Indicadores {
    integrados(Periodo::de(anio, mes)).unwrap()
}

#[test]
fn a_whole_month_to_the_peso() {
    let contrato = Contrato {
        tasa_accidentes: Some(d("0.95")),
        ..Contrato::new(d("1500000"), Afp::Habitat)
    };
    let pago = liquidar(&contrato, &mes(2026, 2)).unwrap();
    assert_eq!(
        (pago.afp, pago.salud, pago.afc),
        (d("169050"), d("105000"), d("9000"))
    );
    assert_eq!(
        (pago.base_impuesto, pago.impuesto),
        (d("1216950"), d("11088"))
    );
    assert_eq!(pago.liquido, d("1205862"));
    assert_eq!(
        (pago.sis, pago.afc_empleador, pago.accidentes),
        (d("23100"), d("36000"), d("14250"))
    );
    assert_eq!(pago.reforma, d("15000"));
}

#[test]
fn part_of_a_month_with_everything() {
    let contrato = Contrato {
        tipo: TipoContrato::PlazoFijo,
        plan_uf: Some(d("3.5")),
        gratificacion: Gratificacion::Articulo50,
        dias: d("15"),
        horas_extra: d("10"),
        no_imponibles: d("80000"),
        cargas: 2,
        renta_semestre: Some(d("500000")),
        otros_descuentos: d("20000"),
        ..Contrato::new(d("900000"), Afp::Modelo)
    };
    let pago = liquidar(&contrato, &mes(2025, 7)).unwrap();
    // 900.000 / 2; × 7 / (20 × 44) × 10; 25 % of both, under the cap of 209.396
    assert_eq!((pago.sueldo, pago.horas_extra), (d("450000"), d("71591")));
    assert_eq!(pago.gratificacion, d("130398"));
    assert_eq!(pago.imponible, d("651989"));
    assert_eq!(pago.asignacion_familiar, d("44014"));
    assert_eq!(pago.haberes, d("776003"));
    assert_eq!(pago.afp, d("68980"));
    assert_eq!(
        pago.salud,
        d("137127"),
        "3.5 UF × 39,179.01 is more than 7 %"
    );
    assert_eq!((pago.afc, pago.afc_empleador), (Decimal::ZERO, d("19560")));
    assert_eq!(pago.impuesto, Decimal::ZERO);
    assert_eq!(pago.liquido, d("549896"));
    assert_eq!(pago.reforma, Decimal::ZERO);
}

#[test]
fn caps_hold() {
    let pago = liquidar(&Contrato::new(d("9000000"), Afp::Uno), &mes(2026, 3)).unwrap();
    assert_eq!(pago.afp, d("375070"), "10.46 % of 3,585,755");
    assert_eq!(pago.salud, d("251003"), "7 % of 3,585,755");
    assert_eq!(pago.afc, d("32320"), "0.6 % of 5,386,601");
}

#[test]
fn pensioners_pay_health_and_tax_only() {
    let contrato = Contrato {
        afp: None,
        ..Contrato::new(d("800000"), Afp::Uno)
    };
    let pago = liquidar(&contrato, &mes(2026, 3)).unwrap();
    assert_eq!(
        (pago.afp, pago.afc, pago.sis, pago.reforma),
        Default::default()
    );
    assert_eq!(pago.salud, d("56000"));
}

#[test]
fn what_is_not_known_or_not_possible_is_an_error() {
    let contrato = Contrato::new(d("800000"), Afp::Uno);
    assert_eq!(
        liquidar(&contrato, &mes(2025, 12)),
        Err(LiquidarError::Falta(Campo::Utm))
    );
    for contrato in [
        Contrato {
            sueldo: d("-1"),
            ..contrato.clone()
        },
        Contrato {
            sueldo: Decimal::MAX,
            ..contrato.clone()
        },
        Contrato {
            dias: d("32"),
            ..contrato.clone()
        },
        Contrato {
            horas_semanales: Decimal::ZERO,
            ..contrato.clone()
        },
        Contrato {
            gratificacion: Gratificacion::Monto(Decimal::MIN),
            ..contrato.clone()
        },
    ] {
        assert!(matches!(
            liquidar(&contrato, &mes(2026, 3)),
            Err(LiquidarError::Dominio(_))
        ));
    }
}

fn contrato() -> impl Strategy<Value = Contrato> {
    (
        100_000_u32..30_000_000,
        0_usize..7,
        0_u32..=30,
        0_u32..60,
        0_u32..400_000,
        0_u32..4,
    )
        .prop_map(
            |(sueldo, afp, dias, horas, no_imponibles, cargas)| Contrato {
                dias: dias.into(),
                horas_extra: horas.into(),
                no_imponibles: no_imponibles.into(),
                cargas,
                gratificacion: Gratificacion::Articulo50,
                ..Contrato::new(sueldo.into(), Afp::TODAS[afp])
            },
        )
}

proptest! {
    #[test]
    fn net_is_pay_less_discounts_and_never_negative(contrato in contrato()) {
        let pago = liquidar(&contrato, &mes(2026, 3)).unwrap();
        prop_assert_eq!(pago.liquido, pago.haberes - pago.descuentos);
        prop_assert_eq!(pago.descuentos, pago.afp + pago.salud + pago.afc + pago.impuesto);
        prop_assert!(pago.liquido >= Decimal::ZERO);
    }

    #[test]
    fn caps_are_monotone(contrato in contrato(), mas in 0_u32..5_000_000) {
        let indicadores = mes(2026, 3);
        let menos = liquidar(&contrato, &indicadores).unwrap();
        let mas = Contrato { sueldo: contrato.sueldo + Decimal::from(mas), ..contrato };
        let mas = liquidar(&mas, &indicadores).unwrap();
        prop_assert!(mas.afp >= menos.afp && mas.salud >= menos.salud && mas.afc >= menos.afc);
        prop_assert!(mas.afp <= d("410569"), "11.45 % of the cap");
        prop_assert!(mas.salud <= d("251003") && mas.gratificacion <= d("213354"));
    }
}
