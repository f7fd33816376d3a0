//! The months that come with the crate.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::tablas::{FIN, FUENTE_UTM, GRUPOS, INICIO, UF, UTM};
use super::{Campo, Cifra, Confianza, Indicadores};
use crate::afp::Afp;
use crate::periodo::Periodo;
use crate::pesos::redondear;

/// The first month that is built in.
pub const PRIMER_INTEGRADO: Periodo = INICIO;

/// The last month that is built in.
pub const ULTIMO_INTEGRADO: Periodo = FIN;

/// The built-in figures of a month; `None` before [`PRIMER_INTEGRADO`] and after
/// [`ULTIMO_INTEGRADO`]. Some months lack a figure: see [`Indicadores::completo`].
#[must_use]
pub fn integrados(periodo: Periodo) -> Option<Indicadores> {
    if !(PRIMER_INTEGRADO..=ULTIMO_INTEGRADO).contains(&periodo) {
        return None;
    }
    let mut indicadores = Indicadores::new(periodo);
    let mut poner = |campo, valor, fuente, confianza| {
        let fuente = Cow::Borrowed(fuente);
        indicadores.poner(
            campo,
            Cifra {
                valor,
                fuente,
                confianza,
            },
        );
    };
    for (campo, mes) in [
        (Campo::Uf, periodo),
        (Campo::UfMesAnterior, periodo.anterior()),
    ] {
        if let Some((_, centavos, fuente, confianza)) = UF.iter().find(|(de, ..)| *de == mes) {
            let uf = Decimal::new(i64::from(*centavos), 2);
            poner(campo, uf, fuente, *confianza);
        }
    }
    if let Some((_, pesos, confianza)) = UTM.iter().find(|(de, ..)| *de == periodo) {
        let utm = Decimal::from(*pesos);
        poner(Campo::Utm, utm, FUENTE_UTM, *confianza);
        poner(Campo::Uta, utm * Decimal::from(12), FUENTE_UTM, *confianza);
    }
    for grupo in GRUPOS {
        let (desde, hasta) = grupo.meses;
        if desde <= periodo && periodo <= hasta {
            for (campo, valor) in grupo.cifras {
                poner(*campo, *valor, grupo.fuente, grupo.confianza);
            }
        }
    }
    derivar(&mut indicadores);
    Some(indicadores)
}

/// What follows from other figures of the month by law, as sure as the less sure of them.
fn derivar(indicadores: &mut Indicadores) {
    if let Some(cifra) = indicadores.cifra(Campo::AfpTopeUf).cloned() {
        derivada(indicadores, Campo::SaludTopeUf, cifra);
    }
    for (desde, hasta) in [
        (Campo::AsigFam2Desde, Campo::AsigFam1Hasta),
        (Campo::AsigFam3Desde, Campo::AsigFam2Hasta),
        (Campo::AsigFam4Desde, Campo::AsigFam3Hasta),
    ] {
        if let Some(cifra) = indicadores.cifra(hasta).cloned() {
            derivada(indicadores, desde, cifra);
        }
    }
    for (en_pesos, en_uf, uf) in [
        (Campo::AfpTopePesos, Campo::AfpTopeUf, Campo::Uf),
        (Campo::AfcTopePesos, Campo::AfcTopeUf, Campo::Uf),
        (Campo::IpsTopePesos, Campo::IpsTopeUf, Campo::UfMesAnterior),
        (
            Campo::ApvTopeMensualPesos,
            Campo::ApvTopeMensualUf,
            Campo::Uf,
        ),
        (Campo::ApvTopeAnualPesos, Campo::ApvTopeAnualUf, Campo::Uf),
        (
            Campo::DepositoConvenidoPesos,
            Campo::DepositoConvenidoUf,
            Campo::Uf,
        ),
    ] {
        let calculada = combinada(indicadores, en_uf, uf, |tope, uf| redondear(tope * uf));
        if let Some(cifra) = calculada {
            derivada(indicadores, en_pesos, cifra);
        }
    }
    for afp in Afp::TODAS {
        let suma = |uno, dos| uno + dos;
        if let Some(cifra) = combinada(indicadores, Campo::afp(afp), Campo::AporteCuenta, suma) {
            derivada(indicadores, Campo::afp_a_pagar(afp), cifra);
        }
        if let Some(cifra) = combinada(indicadores, Campo::afp(afp), Campo::Sis, suma) {
            derivada(indicadores, Campo::afp_independiente(afp), cifra);
        }
    }
}

fn derivada(indicadores: &mut Indicadores, campo: Campo, cifra: Cifra) {
    if indicadores.get(campo).is_none() {
        indicadores.poner(campo, cifra);
    }
}

fn combinada(
    indicadores: &Indicadores,
    uno: Campo,
    dos: Campo,
    operacion: impl Fn(Decimal, Decimal) -> Decimal,
) -> Option<Cifra> {
    let (primera, segunda) = (indicadores.cifra(uno)?, indicadores.cifra(dos)?);
    let confianza: Confianza = primera.confianza.min(segunda.confianza);
    Some(Cifra {
        valor: operacion(primera.valor, segunda.valor),
        fuente: format!("calculado de {} y {}", uno.nombre(), dos.nombre()).into(),
        confianza,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(texto: &str) -> Decimal {
        texto.parse().unwrap()
    }

    #[test]
    fn months_are_known_from_the_first_to_the_last_and_no_further() {
        assert_eq!(integrados(PRIMER_INTEGRADO.anterior()), None);
        assert_eq!(integrados(ULTIMO_INTEGRADO.siguiente()), None);
        let mut mes = PRIMER_INTEGRADO;
        let mut cuantos = 0;
        while mes <= ULTIMO_INTEGRADO {
            let indicadores = integrados(mes).unwrap();
            assert!(indicadores.len() >= 45, "{mes}: {}", indicadores.len());
            assert!(indicadores.tope_afp() >= Some(d("3000000")), "{mes}");
            mes = mes.siguiente();
            cuantos += 1;
        }
        assert_eq!(cuantos, UF.len());
    }

    #[test]
    fn what_is_calculated_is_what_was_published() {
        for (anio, mes, campo, publicado) in [
            (2024, 1, Campo::AfpTopePesos, "3096595"),
            (2024, 1, Campo::AfcTopePesos, "4650403"),
            (2024, 1, Campo::Uta, "775992"),
            (2024, 1, Campo::AfpHabitatIndependiente, "12.76"),
            (2025, 7, Campo::AfpTopePesos, "3439917"),
            (2025, 7, Campo::AfcTopePesos, "5167711"),
            (2025, 7, Campo::IpsTopePesos, "2356024"),
            (2026, 3, Campo::AfpTopePesos, "3585755"),
            (2026, 3, Campo::AfcTopePesos, "5386601"),
            (2026, 3, Campo::AfpUnoIndependiente, "12.00"),
            (2025, 9, Campo::AfpUno, "10.49"),
            (2025, 10, Campo::AfpUno, "10.46"),
            (2025, 8, Campo::AfpCapitalAPagar, "11.54"),
        ] {
            let indicadores = integrados(Periodo::de(anio, mes)).unwrap();
            assert_eq!(
                indicadores.get(campo),
                Some(d(publicado)),
                "{anio}-{mes} {campo:?}"
            );
        }
    }

    #[test]
    fn what_was_not_found_is_absent() {
        let mes = |anio, mes| integrados(Periodo::de(anio, mes)).unwrap();
        assert_eq!(mes(2025, 12).get(Campo::Utm), None);
        assert_eq!(mes(2026, 1).get(Campo::Sis), None);
        assert_eq!(mes(2025, 2).get(Campo::AsigFam1), None);
        assert_eq!(mes(2025, 7).get(Campo::ExpectativaVida), None);
        assert!(mes(2026, 3).completo() && !mes(2025, 12).completo());
    }

    #[test]
    fn no_two_rows_speak_of_one_month() {
        let cifras = |grupo: &'static crate::indicadores::tablas::Grupo| {
            grupo.cifras.iter().map(|(campo, _)| (*campo, grupo.meses))
        };
        let filas: Vec<_> = GRUPOS.iter().flat_map(cifras).collect();
        for (indice, (campo, (desde, hasta))) in filas.iter().enumerate() {
            for (otro, (de, a)) in &filas[indice + 1..] {
                assert!(campo != otro || hasta < de || a < desde, "{campo:?}");
            }
        }
    }
}
