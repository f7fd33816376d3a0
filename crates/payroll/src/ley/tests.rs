//! The law's dates and figures.

use super::*;
use crate::indicadores::integrados;

fn dec(texto: &str) -> Decimal {
    texto.parse().unwrap()
}

#[test]
fn caps_of_the_gratificacion() {
    for (minimo, tope) in [
        (460_000, 182_083),
        (500_000, 197_917),
        (510_636, 202_127),
        (529_000, 209_396),
        (539_000, 213_354),
    ] {
        assert_eq!(tope_gratificacion(minimo.into()), Decimal::from(tope));
    }
}

#[test]
fn overtime_follows_the_week() {
    // The Dirección del Trabajo's factors: 0.0077777 (45), 0.00795454 (44), 0.00875 (40).
    for (horas, factor) in [
        (45, "0.0077778"),
        (44, "0.0079545"),
        (42, "0.0083333"),
        (40, "0.00875"),
    ] {
        let hora = hora_extra(Decimal::ONE, horas.into()).unwrap();
        assert_eq!(hora.round_dp(7), dec(factor), "{horas}");
    }
    assert_eq!(hora_extra(Decimal::ONE, Decimal::ZERO), None);
    assert_eq!(hora_extra(Decimal::MAX, Decimal::from(44)), None);
}

#[test]
fn the_week_shortens_on_its_days() {
    for (dia, horas) in [
        (date(2024, 4, 25), 45),
        (date(2024, 4, 26), 44),
        (date(2026, 4, 25), 44),
        (date(2026, 4, 26), 42),
        (date(2028, 4, 26), 40),
    ] {
        assert_eq!(jornada_ordinaria(dia), Decimal::from(horas), "{dia}");
    }
    assert_eq!(jornada_del_mes(Periodo::de(2024, 4)), Decimal::from(45));
}

#[test]
fn the_reform_has_its_steps() {
    let total = |anio, mes| Reforma::del_mes(Periodo::de(anio, mes)).map(|r| r.total());
    assert_eq!(total(2025, 7), Some(Decimal::ZERO));
    assert_eq!(total(2025, 8), Some(Decimal::ONE));
    assert_eq!(total(2026, 7), Some(Decimal::ONE));
    assert_eq!(total(2026, 8), Some(dec("3.5")));
    assert_eq!(total(2027, 8), None);
}

#[test]
fn family_allowance_by_bracket() {
    let mes = integrados(Periodo::de(2025, 7)).unwrap();
    for (renta, tramo) in [
        (0, ('A', 22_007)),
        (620_251, ('A', 22_007)),
        (620_252, ('B', 13_505)),
        (1_412_957, ('C', 4_267)),
        (1_412_958, ('D', 0)),
    ] {
        let (letra, monto) = asignacion_familiar(renta.into(), &mes).unwrap();
        assert_eq!((letra, monto), (tramo.0, Decimal::from(tramo.1)), "{renta}");
    }
    let sin_tramos = integrados(Periodo::de(2025, 2)).unwrap();
    assert_eq!(asignacion_familiar(Decimal::ZERO, &sin_tramos), None);
}

#[test]
fn contracts_and_regimes_by_their_names() {
    for (texto, tipo) in [
        ("Indefinido", Some(TipoContrato::Indefinido)),
        ("indefinite", Some(TipoContrato::Indefinido)),
        ("Plazo Fijo", Some(TipoContrato::PlazoFijo)),
        ("fixed_term", Some(TipoContrato::PlazoFijo)),
        ("Por obra o faena", Some(TipoContrato::Obra)),
        ("Contrato de Aprendizaje", Some(TipoContrato::Aprendizaje)),
        (
            "Trabajador de casa particular",
            Some(TipoContrato::CasaParticular),
        ),
        ("otro", None),
    ] {
        assert_eq!(TipoContrato::leer(texto), tipo, "{texto}");
    }
    assert_eq!(
        RegimenGratificacion::leer("Art. 50"),
        Some(RegimenGratificacion::Articulo50)
    );
    assert_eq!(
        RegimenGratificacion::leer("art47"),
        Some(RegimenGratificacion::Articulo47)
    );
    assert_eq!(
        RegimenGratificacion::leer("none"),
        Some(RegimenGratificacion::Ninguno)
    );
    assert_eq!(RegimenGratificacion::leer("?"), None);
    let mes = integrados(Periodo::de(2025, 7)).unwrap();
    let tasas = |tipo, anios| tasas_afc(tipo, anios, &mes).unwrap();
    assert_eq!(
        tasas(TipoContrato::Indefinido, Some(10)),
        (dec("0.6"), dec("2.4"))
    );
    assert_eq!(
        tasas(TipoContrato::Indefinido, Some(11)),
        (dec("0"), dec("0.8"))
    );
    assert_eq!(tasas(TipoContrato::Obra, None), (dec("0"), dec("3")));
    assert_eq!(tasas(TipoContrato::Aprendizaje, None), (dec("0"), dec("0")));
}
