//! What only the figures tell: where ERPs differ in what they mean by the same key.

use rust_decimal::Decimal;

use crate::calculo;
use crate::model::{Campo, Detalle, Documento, ImptoReten, Totales};

/// Reads a line's discount or surcharge as percentages where only that makes the line right.
pub(super) fn porcentajes(linea: &mut Detalle) {
    if calculo::linea_exacta(linea) != Some(false) {
        return;
    }
    let Some(base) = calculo::base_linea(linea) else {
        return;
    };
    let mut otra = linea.clone();
    let como_porcentaje = |campo: Campo<Decimal>| {
        let valor = campo.valor()?;
        let posible = valor > Decimal::ZERO && valor <= Decimal::ONE_HUNDRED;
        let monto = calculo::porcentaje(base, valor)?;
        posible.then_some((Campo::Valor(valor), Campo::Valor(calculo::redondear(monto))))
    };
    if let Some((pct, monto)) = como_porcentaje(linea.descuento_monto) {
        (otra.descuento_pct, otra.descuento_monto) = (pct, monto);
    }
    if let Some((pct, monto)) = como_porcentaje(linea.recargo_monto) {
        (otra.recargo_pct, otra.recargo_monto) = (pct, monto);
    }
    if calculo::linea_exacta(&otra) == Some(true) {
        *linea = otra;
    }
}

/// Additional taxes, without the IVA itself under Odoo's code 14.
pub(super) fn agregar_impuestos(totales: &mut Totales, impuestos: Vec<ImptoReten>) {
    for impuesto in impuestos {
        let tasa_general = impuesto.tasa_imp.valor() == Some(calculo::TASA_IVA);
        let es_iva = impuesto.tipo_imp == Campo::Valor(14)
            && tasa_general
            && (totales.iva.es_ausente() || totales.iva == impuesto.monto_imp);
        if es_iva {
            totales.iva = impuesto.monto_imp;
        } else {
            totales.impto_reten.push(impuesto);
        }
    }
}

/// Marks a boleta whose lines sum up to its net amount as one with net lines.
pub(super) fn lineas_netas(documento: &mut Documento) {
    if documento.tipo().is_none_or(|tipo| !tipo.es_boleta()) {
        return;
    }
    let totales = &documento.encabezado.totales;
    let (Some(neto), Some(iva)) = (totales.mnt_neto.valor(), totales.iva.valor()) else {
        return;
    };
    let mut suma = Decimal::ZERO;
    for linea in documento
        .detalle
        .iter()
        .filter(|linea| linea.ind_exe.es_ausente())
    {
        let Some(siguiente) = linea
            .monto_item
            .valor()
            .and_then(|monto| suma.checked_add(monto))
        else {
            return;
        };
        suma = siguiente;
    }
    if suma == neto && !iva.is_zero() {
        documento.encabezado.id_doc.ind_mnt_neto = Campo::Valor(2);
    }
}
