//! Each line's amount, with its discount and its surcharge.

use rust_decimal::Decimal;

use super::error::{CompletarError, CompletarErrorKind as Kind, con_caso};
use crate::calculo;
use crate::formulas;
use crate::model::{Campo, Detalle, Documento};

/// The decimals of an export's line: those of its currency.
const DECIMALES: u32 = 2;

pub(super) fn completar(documento: &mut Documento) -> Result<(), CompletarError> {
    let en_pesos = con_caso(documento, |caso| caso.en_pesos());
    let mut lineas = std::mem::take(&mut documento.detalle);
    let fallo = lineas
        .iter_mut()
        .enumerate()
        .find_map(|(indice, linea)| Some((indice, una(linea, en_pesos).err()?)));
    documento.detalle = lineas;
    match fallo {
        None => Ok(()),
        Some((indice, (campo, kind))) => Err(CompletarError::en(
            documento,
            "Detalle",
            (indice, campo),
            kind,
        )),
    }
}

type Fallo = (&'static str, Kind);

fn una(linea: &mut Detalle, en_pesos: bool) -> Result<(), Fallo> {
    legible(linea)?;
    let Some(precio) = linea.prc_item.valor() else {
        // Free: without a price the amount stands for itself.
        linea.monto_item = Campo::Valor(linea.monto_item.valor().unwrap_or_default());
        return Ok(());
    };
    let Some(cantidad) = linea.qty_item.valor() else {
        return if linea.monto_item.es_ausente() {
            Err(("QtyItem", Kind::Falta))
        } else {
            Ok(())
        };
    };
    let desborde = ("MontoItem", Kind::Desborde);
    let producto = cantidad.checked_mul(precio).ok_or(desborde)?;
    let base = formulas::base_de_linea(producto, en_pesos, DECIMALES);
    let (descuento, recargo) = (linea.descuento_monto, linea.recargo_monto);
    linea.descuento_monto = modificador(base, linea.descuento_pct, descuento).ok_or(desborde)?;
    linea.recargo_monto = modificador(base, linea.recargo_pct, recargo).ok_or(desborde)?;
    let monto = calculo::monto_esperado(linea, base).ok_or(desborde)?;
    linea.monto_item = Campo::Valor(monto);
    Ok(())
}

fn legible(linea: &Detalle) -> Result<(), Fallo> {
    let campos = [
        ("QtyItem", linea.qty_item),
        ("PrcItem", linea.prc_item),
        ("DescuentoPct", linea.descuento_pct),
        ("DescuentoMonto", linea.descuento_monto),
        ("RecargoPct", linea.recargo_pct),
        ("RecargoMonto", linea.recargo_monto),
    ];
    let ilegible = campos.iter().find(|(_, campo)| campo.es_ilegible());
    match ilegible {
        Some((campo, _)) => Err((campo, Kind::Ilegible)),
        None if linea.ind_exe.es_ilegible() => Err(("IndExe", Kind::Ilegible)),
        None if linea.monto_item.es_ilegible() && linea.prc_item.es_ausente() => {
            Err(("MontoItem", Kind::Ilegible))
        }
        None if linea.cod_imp_adic.iter().any(Campo::es_ilegible) => {
            Err(("CodImpAdic", Kind::Ilegible))
        }
        None => Ok(()),
    }
}

/// The amount that is written, or that of the percentage; `None` where it is too large.
fn modificador(
    base: Decimal,
    pct: Campo<Decimal>,
    monto: Campo<Decimal>,
) -> Option<Campo<Decimal>> {
    match pct.valor() {
        Some(pct) if monto.es_ausente() => {
            let monto = formulas::modificador(base, pct)?;
            Some(if monto.is_zero() {
                Campo::Ausente
            } else {
                Campo::Valor(monto)
            })
        }
        _ => Some(monto),
    }
}
