//! Rows to figures, by their labels.

use rust_decimal::Decimal;

use super::cosecha::{Cosecha, POCAS};
use super::error::{PreviredError, PreviredErrorKind};
use super::filas::{Fila, Valor};
use crate::afp::Afp;
use crate::indicadores::{Campo, Indicadores};
use crate::periodo::Periodo;
use crate::texto::{mes, tiene};

/// Which box of the page a row is in, where its own label doesn't tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caja {
    Otra,
    Apv,
    DepositoConvenido,
    SietePorCiento,
}

pub(super) fn leer(
    filas: &[Fila],
    pedido: Periodo,
    fuente: &'static str,
) -> Result<Indicadores, PreviredError> {
    let conocidas = filas.iter().filter(|fila| !fila.valores.is_empty()).count();
    if conocidas < POCAS {
        return Err(PreviredErrorKind::ShapeDrift { known: conocidas }.into());
    }
    let encontrado = del_mes(filas).ok_or(PreviredErrorKind::NoMonth)?;
    if encontrado != pedido {
        return Err(PreviredErrorKind::OtherMonth {
            found: encontrado,
            asked: pedido,
        }
        .into());
    }
    let mut cosecha = Cosecha::new(pedido, fuente);
    let mut caja = Caja::Otra;
    for fila in filas {
        caja = caja_de(fila).unwrap_or(caja);
        if !fila.valores.is_empty() {
            leer_fila(&mut cosecha, fila, caja, pedido)?;
        }
    }
    cosecha.terminar()
}

/// The month that a row names: `al 30 de Abril 2021`, `Abril 2021`, `Enero del 2024`.
fn mes_de(fila: &Fila) -> Option<Periodo> {
    let palabras: Vec<&str> = fila.plano.split(' ').collect();
    palabras.iter().enumerate().find_map(|(indice, palabra)| {
        let mes = mes(palabra).filter(|_| palabra.len() > 3)?;
        let mut resto = palabras
            .iter()
            .skip(indice + 1)
            .filter(|p| **p != "del" && **p != "de");
        let anio = resto.next()?.parse().ok()?;
        Periodo::new(anio, mes)
    })
}

fn es_uf(fila: &Fila) -> bool {
    (fila.plano.starts_with("al ")
        || fila.plano.starts_with("uf al ")
        || fila.plano.starts_with("valor uf al "))
        && matches!(fila.valores.as_slice(), [Valor::Pesos(_)])
}

fn es_utm(fila: &Fila) -> bool {
    !es_uf(fila)
        && mes_de(fila).is_some()
        && matches!(fila.valores.as_slice(), [Valor::Pesos(_), Valor::Pesos(_)])
}

/// The page's month: that of the UTM, which is there once; else the later one of the UF.
fn del_mes(filas: &[Fila]) -> Option<Periodo> {
    let de_la_utm = filas.iter().find(|fila| es_utm(fila)).and_then(mes_de);
    de_la_utm.or_else(|| {
        filas
            .iter()
            .filter(|fila| es_uf(fila))
            .filter_map(mes_de)
            .max()
    })
}

fn caja_de(fila: &Fila) -> Option<Caja> {
    let titulo = |frase: &str| tiene(&fila.plano, frase) && fila.pesos().is_empty();
    if titulo("ahorro previsional voluntario") {
        Some(Caja::Apv)
    } else if titulo("deposito convenido") {
        Some(Caja::DepositoConvenido)
    } else if titulo("distribucion del 7") {
        Some(Caja::SietePorCiento)
    } else if fila.valores.is_empty() && !fila.plano.is_empty() {
        // Another title ends the box, the title of a column doesn't.
        [
            "rentas",
            "seguro de cesantia",
            "tasa cotizacion",
            "asignacion familiar",
            "cotizacion para",
        ]
        .iter()
        .any(|frase| tiene(&fila.plano, frase))
        .then_some(Caja::Otra)
    } else {
        None
    }
}

fn leer_fila(
    cosecha: &mut Cosecha,
    fila: &Fila,
    caja: Caja,
    pedido: Periodo,
) -> Result<(), PreviredError> {
    if es_uf(fila) {
        return uf(cosecha, fila, pedido);
    }
    if es_utm(fila) {
        return dos(cosecha, &fila.pesos(), Campo::Utm, Campo::Uta);
    }
    if let Some((en_uf, en_pesos)) = tope(fila, caja) {
        if let Some(uf) = fila.uf() {
            cosecha.poner(en_uf, uf)?;
        }
        return uno(cosecha, fila.pesos().first(), en_pesos);
    }
    if let Some(campo) = minimo(fila) {
        return uno(cosecha, fila.pesos().first(), campo);
    }
    if let Some((empleador, trabajador)) = cesantia(fila) {
        return dos(cosecha, &fila.porcentajes(), empleador, trabajador);
    }
    if let Some(letra) = tramo(fila) {
        return asignacion(cosecha, fila, letra);
    }
    if let Some(afp) = afp(fila) {
        return tasas_afp(cosecha, afp, &fila.porcentajes());
    }
    tasas(cosecha, fila, caja)
}

fn uf(cosecha: &mut Cosecha, fila: &Fila, pedido: Periodo) -> Result<(), PreviredError> {
    match mes_de(fila) {
        Some(mes) if mes == pedido => uno(cosecha, fila.pesos().first(), Campo::Uf),
        Some(mes) if mes == pedido.anterior() => {
            uno(cosecha, fila.pesos().first(), Campo::UfMesAnterior)
        }
        _ => Ok(()),
    }
}

fn uno(cosecha: &mut Cosecha, valor: Option<&Decimal>, campo: Campo) -> Result<(), PreviredError> {
    valor.map_or(Ok(()), |valor| cosecha.poner(campo, *valor))
}

fn dos(
    cosecha: &mut Cosecha,
    valores: &[Decimal],
    primero: Campo,
    segundo: Campo,
) -> Result<(), PreviredError> {
    match valores {
        [uno, dos] => {
            cosecha.poner(primero, *uno)?;
            cosecha.poner(segundo, *dos)
        }
        _ => Err(PreviredErrorKind::ColumnShift(primero).into()),
    }
}

fn tope(fila: &Fila, caja: Caja) -> Option<(Campo, Campo)> {
    let dice = |frase: &str| tiene(&fila.plano, frase) && !fila.pesos().is_empty();
    if dice("para afiliados a una afp") || dice("afiliados a una afp") {
        Some((Campo::AfpTopeUf, Campo::AfpTopePesos))
    } else if dice("afiliados al ips") || dice("para afiliados al inp") {
        Some((Campo::IpsTopeUf, Campo::IpsTopePesos))
    } else if dice("para seguro de cesantia") || (dice("seguro de cesantia") && fila.uf().is_some())
    {
        Some((Campo::AfcTopeUf, Campo::AfcTopePesos))
    } else if dice("tope mensual") {
        Some((Campo::ApvTopeMensualUf, Campo::ApvTopeMensualPesos))
    } else if dice("tope anual") && caja == Caja::DepositoConvenido {
        Some((Campo::DepositoConvenidoUf, Campo::DepositoConvenidoPesos))
    } else if dice("tope anual") && caja == Caja::Apv {
        Some((Campo::ApvTopeAnualUf, Campo::ApvTopeAnualPesos))
    } else {
        None
    }
}

fn minimo(fila: &Fila) -> Option<Campo> {
    let dice = |frase: &str| tiene(&fila.plano, frase) && fila.pesos().len() == 1;
    if dice("trab dependientes e independientes")
        || dice("trabajadores dependientes e independientes")
    {
        Some(Campo::SueldoMinimo)
    } else if dice("menores de 18") {
        Some(Campo::SueldoMinimoMenor18Mayor65)
    } else if dice("trabajadores de casa particular") || dice("trabajador de casa particular") {
        Some(Campo::SueldoMinimoCasaParticular)
    } else if dice("fines no remuneracionales") || dice("para fines no remuneracionales") {
        Some(Campo::SueldoMinimoNoRemuneracional)
    } else {
        None
    }
}

fn cesantia(fila: &Fila) -> Option<(Campo, Campo)> {
    let dice = |frase: &str| fila.plano.starts_with(frase) && fila.pesos().is_empty();
    if dice("plazo indefinido 11") || dice("contrato plazo indefinido 11") {
        Some((
            Campo::AfcEmpleadorIndefinido11,
            Campo::AfcTrabajadorIndefinido11,
        ))
    } else if dice("plazo indefinido") || dice("contrato plazo indefinido") {
        Some((
            Campo::AfcEmpleadorIndefinido,
            Campo::AfcTrabajadorIndefinido,
        ))
    } else if dice("plazo fijo") || dice("contrato plazo fijo") {
        Some((Campo::AfcEmpleadorPlazoFijo, Campo::AfcTrabajadorPlazoFijo))
    } else if dice("trabajador de casa particular") {
        Some((
            Campo::AfcEmpleadorCasaParticular,
            Campo::AfcTrabajadorCasaParticular,
        ))
    } else {
        None
    }
}

fn tramo(fila: &Fila) -> Option<char> {
    let sin_tramo = fila.plano.strip_prefix("tramo ").unwrap_or(&fila.plano);
    [("1 a", 'A'), ("2 b", 'B'), ("3 c", 'C'), ("4 d", 'D')]
        .into_iter()
        .find(|(inicio, _)| tiene(sin_tramo, "renta") && sin_tramo.starts_with(inicio))
        .map(|(_, letra)| letra)
}

/// The amount, then the bracket's bounds: the upper one is the last, but for the open last.
fn asignacion(cosecha: &mut Cosecha, fila: &Fila, letra: char) -> Result<(), PreviredError> {
    let pesos = fila.pesos();
    let (monto, desde, hasta) = match letra {
        'A' => (Campo::AsigFam1, None, Campo::AsigFam1Hasta),
        'B' => (
            Campo::AsigFam2,
            Some(Campo::AsigFam2Desde),
            Campo::AsigFam2Hasta,
        ),
        'C' => (
            Campo::AsigFam3,
            Some(Campo::AsigFam3Desde),
            Campo::AsigFam3Hasta,
        ),
        _ => return ultimo_tramo(cosecha, fila, &pesos),
    };
    match (pesos.as_slice(), desde) {
        ([pago, tope], _) => {
            cosecha.poner(monto, *pago)?;
            cosecha.poner(hasta, *tope)
        }
        ([pago, inicio, tope], Some(desde)) => {
            cosecha.poner(monto, *pago)?;
            cosecha.poner(desde, *inicio)?;
            cosecha.poner(hasta, *tope)
        }
        _ => Err(PreviredErrorKind::ColumnShift(monto).into()),
    }
}

/// The last bracket has no end, and `-` for its amount.
fn ultimo_tramo(
    cosecha: &mut Cosecha,
    fila: &Fila,
    pesos: &[Decimal],
) -> Result<(), PreviredError> {
    match pesos {
        [inicio] if fila.valores.contains(&Valor::Guion) => {
            cosecha.poner(Campo::AsigFam4, Decimal::ZERO)?;
            cosecha.poner(Campo::AsigFam4Desde, *inicio)
        }
        [pago, inicio] => {
            cosecha.poner(Campo::AsigFam4, *pago)?;
            cosecha.poner(Campo::AsigFam4Desde, *inicio)
        }
        [_] => Ok(()),
        _ => Err(PreviredErrorKind::ColumnShift(Campo::AsigFam4).into()),
    }
}

fn afp(fila: &Fila) -> Option<Afp> {
    let inicio = fila.plano.strip_prefix("afp ").unwrap_or(&fila.plano);
    let afp = Afp::TODAS.into_iter().find(|afp| {
        let nombre = afp.nombre().to_lowercase();
        inicio.starts_with(&nombre) || inicio.replacen(' ', "", 1).starts_with(&nombre)
    });
    afp.filter(|_| !fila.porcentajes().is_empty() && fila.pesos().is_empty())
}

/// Columns are told by their figures: the worker's rate comes first; what equals it plus 0.1 is
/// the rate to pay, plus the SIS that of the self-employed; a small one is the SIS or the
/// employer's 0.1.
pub(super) fn tasas_afp(
    cosecha: &mut Cosecha,
    afp: Afp,
    tasas: &[Decimal],
) -> Result<(), PreviredError> {
    let corrida = || PreviredError::from(PreviredErrorKind::ColumnShift(Campo::afp(afp)));
    let diez = Decimal::TEN;
    let (dependiente, resto) = tasas.split_first().ok_or_else(corrida)?;
    if *dependiente < diez || resto.len() > 4 {
        return Err(corrida());
    }
    cosecha.poner(Campo::afp(afp), *dependiente)?;
    let decimo = Decimal::new(1, 1);
    let mut sis = None;
    for tasa in resto {
        if *tasa == decimo {
            cosecha.poner(Campo::AporteCuenta, decimo)?;
        } else if *tasa < diez {
            sis = Some(*tasa);
            cosecha.poner(Campo::Sis, *tasa)?;
        } else if *tasa == *dependiente + decimo {
            cosecha.poner(Campo::afp_a_pagar(afp), *tasa)?;
        } else if sis.is_none_or(|sis| *tasa == *dependiente + sis) {
            cosecha.poner(Campo::afp_independiente(afp), *tasa)?;
        } else {
            return Err(corrida());
        }
    }
    Ok(())
}

fn tasas(cosecha: &mut Cosecha, fila: &Fila, caja: Caja) -> Result<(), PreviredError> {
    let porcentajes = fila.porcentajes();
    let dice = |frase: &str| tiene(&fila.plano, frase);
    if let Some((total, empleador, trabajador)) = pesado(fila) {
        let [uno, dos, tres] = porcentajes.as_slice() else {
            return Err(PreviredErrorKind::ColumnShift(total).into());
        };
        cosecha.poner(total, *uno)?;
        cosecha.poner(empleador, *dos)?;
        return cosecha.poner(trabajador, *tres);
    }
    let [tasa] = porcentajes.as_slice() else {
        return Ok(());
    };
    if dice("expectativa de vida") {
        cosecha.poner(Campo::ExpectativaVida, *tasa)
    } else if dice("rentabilidad protegida") {
        cosecha.poner(Campo::RentabilidadProtegida, *tasa)
    } else if dice("invalidez") || fila.plano.starts_with("sis") || dice("tasa sis") {
        cosecha.poner(Campo::Sis, *tasa)
    } else if caja == Caja::SietePorCiento && dice("ccaf") {
        cosecha.poner(Campo::CcafDelSiete, *tasa)
    } else if caja == Caja::SietePorCiento && dice("fonasa") {
        cosecha.poner(Campo::FonasaDelSiete, *tasa)
    } else {
        Ok(())
    }
}

fn pesado(fila: &Fila) -> Option<(Campo, Campo, Campo)> {
    if fila.plano.starts_with("trabajo pesado") {
        Some((
            Campo::PesadoTotal,
            Campo::PesadoEmpleador,
            Campo::PesadoTrabajador,
        ))
    } else if fila.plano.starts_with("trabajo menos pesado") {
        Some((
            Campo::MenosPesadoTotal,
            Campo::MenosPesadoEmpleador,
            Campo::MenosPesadoTrabajador,
        ))
    } else {
        None
    }
}
