//! The figures of a document from its sums: what the rules compare with, and what
//! [`complete`](crate::complete) writes. There is no second arithmetic.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::calculo::{Calculo, Clase, clase_sin_marca, porcentaje, redondear, sin_iva};
use crate::model::{Campo, Detalle, Documento, TipoDte, Totales};
use crate::rules::impuestos::{Signo, signo};

/// A sum of affected lines as `MntNeto`: as it is, or without the IVA that it includes.
pub(crate) fn neto(calculo: &Calculo, suma: Decimal) -> Option<Decimal> {
    if calculo.bruto {
        sin_iva(suma, calculo.tasa)
    } else {
        Some(redondear(suma))
    }
}

/// `IVA` of a net amount: half up.
pub(crate) fn iva(neto: Decimal, tasa: Decimal) -> Option<Decimal> {
    porcentaje(neto, tasa).map(redondear)
}

/// An exempt sum as `MntExe`: whole pesos, or as it is in a foreign currency.
pub(crate) fn exento(suma: Decimal, en_pesos: bool) -> Decimal {
    if en_pesos { redondear(suma) } else { suma }
}

/// A product as a line's amount: whole pesos, or as many decimals as asked for.
pub(crate) fn base_de_linea(producto: Decimal, en_pesos: bool, decimales: u32) -> Decimal {
    if en_pesos {
        return redondear(producto);
    }
    producto.round_dp_with_strategy(decimales.min(6), RoundingStrategy::MidpointAwayFromZero)
}

/// A percentage of a line as `DescuentoMonto` or `RecargoMonto`: always whole.
pub(crate) fn modificador(base: Decimal, pct: Decimal) -> Option<Decimal> {
    porcentaje(base, pct).map(redondear)
}

/// Gross sums of a boleta as its `MntTotal`, deposits apart.
pub(crate) fn total_de_boleta(
    calculo: &Calculo,
    afecto: Decimal,
    exento: Decimal,
) -> Option<Decimal> {
    let mut total = afecto.checked_add(exento)?;
    if !calculo.bruto {
        total = total.checked_add(iva(redondear(afecto), calculo.tasa)?)?;
    }
    Some(total)
}

/// `MntTotal` from the other totals, and the other one where a tax counts by practice with
/// either sign. `None` where a part can't be read or the sign of a tax is unknown.
pub(crate) fn total(totales: &Totales, en_pesos: bool) -> Option<(Decimal, Decimal)> {
    let comisiones = totales.comisiones;
    let mut total = Decimal::ZERO;
    for parte in [
        totales.mnt_neto,
        totales.mnt_exe,
        totales.iva,
        totales.grnt_dep,
    ] {
        total = total.checked_add(parte.valor_o(Decimal::ZERO)?)?;
    }
    for parte in [
        totales.cred_ec,
        comisiones.val_com_neto,
        comisiones.val_com_exe,
        comisiones.val_com_iva,
    ] {
        total = total.checked_sub(parte.valor_o(Decimal::ZERO)?)?;
    }
    let mut otro = total;
    for impuesto in &totales.impto_reten {
        let monto = impuesto.monto_imp.valor_o(Decimal::ZERO)?;
        let (uno, dos) = match signo(impuesto)? {
            Signo::Suma => (monto, monto),
            Signo::Resta => (-monto, -monto),
            Signo::Nada => (Decimal::ZERO, Decimal::ZERO),
            Signo::Cualquiera => (monto, -monto),
        };
        total = total.checked_add(uno)?;
        otro = otro.checked_add(dos)?;
    }
    if en_pesos {
        Some((redondear(total), redondear(otro)))
    } else {
        Some((total, otro))
    }
}

/// `IVANoRet`: the IVA less what the buyer withholds of it. `None` where a part can't be
/// read.
pub(crate) fn iva_no_retenido(totales: &Totales) -> Option<Decimal> {
    totales.iva.valor()?.checked_sub(retenido(totales)?)
}

/// The sum of the withheld taxes.
pub(crate) fn retenido(totales: &Totales) -> Option<Decimal> {
    let mut suma = Decimal::ZERO;
    for impuesto in &totales.impto_reten {
        let monto = impuesto.monto_imp.valor()?;
        if signo(impuesto)? == Signo::Resta {
            suma = suma.checked_add(monto)?;
        }
    }
    Some(suma)
}

/// `MontoPeriodo`: the total and what isn't billed.
pub(crate) fn monto_periodo(totales: &Totales) -> Option<Decimal> {
    totales
        .mnt_total
        .valor()?
        .checked_add(totales.monto_nf.valor_o(Decimal::ZERO)?)
}

/// `VlrPagar`: that, and what was left to pay before.
pub(crate) fn valor_a_pagar(totales: &Totales) -> Option<Decimal> {
    monto_periodo(totales)?.checked_add(totales.saldo_anterior.valor_o(Decimal::ZERO)?)
}

/// The most that `CredEC` may be: 65 % of the IVA.
pub(crate) fn credito_constructora(iva: Decimal) -> Option<Decimal> {
    porcentaje(iva, Decimal::from(65)).map(redondear)
}

/// An amount of an export in the other currency.
pub(crate) fn en_otra_moneda(monto: Decimal, cambio: Decimal) -> Option<Decimal> {
    monto.checked_mul(cambio).map(redondear)
}

/// The sum that an additional or withheld tax is calculated of: the affected lines that
/// carry its code, with their share of the global discounts and surcharges. `None` where no
/// line carries it, one can't be read, or the lines include IVA.
pub(crate) fn base_imponible(
    documento: &Documento,
    calculo: &Calculo,
    codigo: i64,
) -> Option<Decimal> {
    let campo = Campo::Valor(codigo);
    let mut con_codigo = documento
        .detalle
        .iter()
        .filter(|linea| linea.cod_imp_adic.contains(&campo))
        .peekable();
    con_codigo.peek().filter(|_| !calculo.bruto)?;
    let mut base = Decimal::ZERO;
    for linea in con_codigo {
        base = base.checked_add(linea.monto_item.valor()?)?;
    }
    let (antes, despues) = (calculo.afecto.bruta?, calculo.afecto.final_?);
    if antes == despues || antes.is_zero() {
        return Some(base);
    }
    base.checked_mul(despues)?.checked_div(antes)
}

/// The sum of the meat tax's bases (code 17): `Retenedor/MntBaseFaena` of its lines.
pub(crate) fn base_faena(documento: &Documento, codigo: i64) -> Option<Decimal> {
    let base_de = |linea: &Detalle| linea.retenedor.as_ref()?.mnt_base_faena.valor();
    let campo = Campo::Valor(codigo);
    let mut base = Decimal::ZERO;
    for linea in &documento.detalle {
        if linea.cod_imp_adic.contains(&campo) {
            base = base.checked_add(base_de(linea)?)?;
        }
    }
    (!base.is_zero()).then_some(base)
}

/// Whether a global discount or surcharge without `IndExeDR` is for no line: it is for the
/// affected ones (formato DTE), and in an exempt document there are none.
pub(crate) fn sin_lineas_afectas(documento: &Documento, tipo: TipoDte) -> bool {
    clase_sin_marca(documento, Some(tipo)) == Clase::Exenta
}
