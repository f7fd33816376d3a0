//! The sums that several rules share, exact and checked.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::model::{Campo, Detalle, Documento, DscRcgGlobal, TipoDte};

/// The general rate of IVA since 2003-10-01, in percent (Ley 19.888; formato DTE: `TasaIVA`).
pub(crate) const TASA_IVA: Decimal = Decimal::from_parts(19, 0, 0, false, 0);
const UN_PORCIENTO: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// To whole pesos, half up (formato DTE: 256.5 is 257). Halves of negative amounts, which
/// only a liquidación has, go away from zero.
pub(crate) fn redondear(monto: Decimal) -> Decimal {
    monto.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}

/// `pct` percent of `base`, not rounded; `None` where it is too large.
pub(crate) fn porcentaje(base: Decimal, pct: Decimal) -> Option<Decimal> {
    base.checked_mul(pct)?.checked_mul(UN_PORCIENTO)
}

/// The amount without IVA of an amount with IVA, in whole pesos.
pub(crate) fn sin_iva(bruto: Decimal, tasa: Decimal) -> Option<Decimal> {
    let factor = Decimal::ONE.checked_add(porcentaje(Decimal::ONE, tasa)?)?;
    bruto.checked_div(factor).map(redondear)
}

/// Price times quantity in whole pesos; `None` where one of them isn't there or it is too
/// large.
pub(crate) fn base_linea(linea: &Detalle) -> Option<Decimal> {
    producto(linea).map(redondear)
}

/// Price times quantity, not rounded.
pub(crate) fn producto(linea: &Detalle) -> Option<Decimal> {
    let (cantidad, precio) = (linea.qty_item.valor()?, linea.prc_item.valor()?);
    cantidad.checked_mul(precio)
}

/// What `MontoItem` should be for a product of price and quantity: less the discount, plus
/// the surcharge. `None` where one of these can't be read.
pub(crate) fn monto_esperado(linea: &Detalle, base: Decimal) -> Option<Decimal> {
    let descuento = linea.descuento_monto.valor_o(Decimal::ZERO)?;
    let recargo = linea.recargo_monto.valor_o(Decimal::ZERO)?;
    base.checked_sub(descuento)?.checked_add(recargo)
}

/// Whether `MontoItem` is what price, quantity, discount and surcharge make it; `None` where
/// that can't be told.
pub(crate) fn linea_exacta(linea: &Detalle) -> Option<bool> {
    let esperado = monto_esperado(linea, base_linea(linea)?)?;
    Some(linea.monto_item.valor()? == esperado)
}

/// The class of a line or of a global discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clase {
    /// Subject to IVA.
    Afecta,
    /// Exempt or not affected: `IndExe` 1.
    Exenta,
    /// Not billed: `IndExe` 2, and 6 with the opposite sign.
    NoFacturable,
    /// Deposit for packaging: `IndExe` 3.
    Garantia,
    /// A line of a guía that is no sale, or that lowers an earlier one: `IndExe` 4 and 5.
    Guia,
}

/// The sum of one class: of its lines, and after the global discounts and surcharges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Suma {
    /// How many lines are of this class.
    pub lineas: usize,
    /// The sum of the lines; `None` where one of them can't be read.
    pub bruta: Option<Decimal>,
    /// After the globals, each percentage on what the one before left.
    pub final_: Option<Decimal>,
    /// After the globals as others read them: each percentage on the sum of the lines (the
    /// format doesn't say which; with at most one they are the same), and in an exempt
    /// document without those that carry no mark.
    pub paralela: Option<Decimal>,
}

impl Suma {
    /// Of both readings, each as `figura` makes a figure of it, the one nearer to the
    /// document's.
    pub fn cercana(
        &self,
        informado: Decimal,
        figura: impl Fn(Decimal) -> Option<Decimal>,
    ) -> Option<Decimal> {
        let una = figura(self.final_?)?;
        let otra = self.paralela.and_then(figura).unwrap_or(una);
        let lejos = |figura: Decimal| {
            figura
                .checked_sub(informado)
                .map_or(Decimal::MAX, |diferencia| diferencia.abs())
        };
        Some(if lejos(otra) < lejos(una) { otra } else { una })
    }
}

/// What a document's lines sum up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calculo {
    /// Affected lines.
    pub afecto: Suma,
    /// Exempt lines.
    pub exento: Suma,
    /// Lines that aren't billed.
    pub no_facturable: Suma,
    /// Deposits.
    pub garantia: Suma,
    /// Lines of a guía with an `IndExe` of its own.
    pub guia: usize,
    /// Whether affected lines include IVA.
    pub bruto: bool,
    /// The rate of IVA: the document's own where it has a readable one, else 19.
    pub tasa: Decimal,
    /// Whether a sum went beyond what can be calculated.
    pub desborde: bool,
}

impl Calculo {
    /// Sums the lines of a document.
    pub fn nuevo(documento: &Documento, tipo: Option<TipoDte>) -> Self {
        let sin_marca = clase_sin_marca(documento, tipo);
        let vacia = Suma {
            bruta: Some(Decimal::ZERO),
            ..Suma::default()
        };
        let mut calculo = Self {
            afecto: vacia,
            exento: vacia,
            no_facturable: vacia,
            garantia: vacia,
            guia: 0,
            bruto: es_bruto(documento, tipo),
            tasa: tasa(documento),
            desborde: false,
        };
        for linea in &documento.detalle {
            calculo.sumar(linea, sin_marca);
        }
        calculo.globales(&documento.dsc_rcg_global, sin_marca);
        calculo
    }

    fn sumar(&mut self, linea: &Detalle, sin_marca: Clase) {
        let Some(clase) = clase_de_linea(linea, sin_marca) else {
            // An unreadable IndExe: the line may be of any class.
            for suma in [&mut self.afecto, &mut self.exento, &mut self.no_facturable] {
                suma.bruta = None;
            }
            return;
        };
        let Some(suma) = self.de_clase(clase) else {
            self.guia += 1;
            return;
        };
        suma.lineas += 1;
        let negativa = linea.ind_exe == Campo::Valor(6);
        let monto = linea
            .monto_item
            .valor()
            .map(|monto| if negativa { -monto } else { monto });
        let (Some(antes), Some(monto)) = (suma.bruta, monto) else {
            suma.bruta = None;
            return;
        };
        suma.bruta = antes.checked_add(monto);
        let desborde = suma.bruta.is_none();
        self.desborde |= desborde;
    }

    fn de_clase(&mut self, clase: Clase) -> Option<&mut Suma> {
        match clase {
            Clase::Afecta => Some(&mut self.afecto),
            Clase::Exenta => Some(&mut self.exento),
            Clase::NoFacturable => Some(&mut self.no_facturable),
            Clase::Garantia => Some(&mut self.garantia),
            Clase::Guia => None,
        }
    }

    fn globales(&mut self, globales: &[DscRcgGlobal], sin_marca: Clase) {
        for suma in [
            &mut self.afecto,
            &mut self.exento,
            &mut self.no_facturable,
            &mut self.garantia,
        ] {
            suma.final_ = suma.bruta;
            suma.paralela = suma.bruta;
        }
        for global in globales {
            let Some(suma) =
                clase_de_global(global, sin_marca).and_then(|clase| self.de_clase(clase))
            else {
                continue;
            };
            suma.final_ = suma.final_.and_then(|monto| aplicar(global, monto, monto));
            // Without IndExeDR a global is for affected lines (formato DTE): in an exempt
            // document some read that as "for none", some as "for all".
            if sin_marca == Clase::Exenta && global.ind_exe_dr.es_ausente() {
                continue;
            }
            suma.paralela = suma
                .paralela
                .zip(suma.bruta)
                .and_then(|(monto, base)| aplicar(global, monto, base));
        }
    }
}

/// `monto` after one global discount or surcharge, a percentage being of `base`.
fn aplicar(global: &DscRcgGlobal, monto: Decimal, base: Decimal) -> Option<Decimal> {
    let valor = global.valor_dr.valor()?;
    let cambio = match global.tpo_valor.as_deref()? {
        "%" => redondear_fino(porcentaje(base, valor)?),
        "$" => valor,
        _ => return None,
    };
    match global.tpo_mov.as_deref()? {
        "D" => monto.checked_sub(cambio),
        "R" => monto.checked_add(cambio),
        _ => None,
    }
}

/// Keeps a sum's scale small; whether a percentage is rounded to pesos before or after the
/// sum isn't said anywhere, and the tolerance of one peso covers both.
fn redondear_fino(monto: Decimal) -> Decimal {
    monto.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)
}

/// The class of a line; `None` where its mark can't be read.
pub(crate) fn clase_de_linea(linea: &Detalle, sin_marca: Clase) -> Option<Clase> {
    match linea.ind_exe {
        Campo::Ausente => Some(sin_marca),
        Campo::Ilegible => None,
        Campo::Valor(1) => Some(Clase::Exenta),
        Campo::Valor(2 | 6) => Some(Clase::NoFacturable),
        Campo::Valor(3) => Some(Clase::Garantia),
        Campo::Valor(4 | 5) => Some(Clase::Guia),
        Campo::Valor(_) => Some(sin_marca),
    }
}

fn clase_de_global(global: &DscRcgGlobal, sin_marca: Clase) -> Option<Clase> {
    match global.ind_exe_dr {
        Campo::Ausente => Some(sin_marca),
        Campo::Valor(1) => Some(Clase::Exenta),
        Campo::Valor(2) => Some(Clase::NoFacturable),
        Campo::Valor(_) | Campo::Ilegible => None,
    }
}

/// What a line without `IndExe` is: affected, but for the exempt types, and for notes and
/// guías that correct or move something exempt and mark no line (seen in real 56s).
pub(crate) fn clase_sin_marca(documento: &Documento, tipo: Option<TipoDte>) -> Clase {
    let Some(tipo) = tipo else {
        return Clase::Afecta;
    };
    let totales = &documento.encabezado.totales;
    let cero = |monto: Campo<Decimal>| monto.valor_o(Decimal::ZERO).is_some_and(|m| m.is_zero());
    let solo_exento = matches!(
        tipo,
        TipoDte::NotaDebito | TipoDte::NotaCredito | TipoDte::GuiaDespacho
    ) && cero(totales.mnt_neto)
        && cero(totales.iva)
        && totales
            .mnt_exe
            .valor()
            .is_some_and(|exento| !exento.is_zero())
        && documento
            .detalle
            .iter()
            .all(|linea| linea.ind_exe != Campo::Valor(1));
    if tipo.es_exento() || solo_exento {
        Clase::Exenta
    } else {
        Clase::Afecta
    }
}

/// Boletas are gross unless they say otherwise, all else is net unless it says otherwise.
fn es_bruto(documento: &Documento, tipo: Option<TipoDte>) -> bool {
    let id_doc = &documento.encabezado.id_doc;
    match tipo {
        Some(tipo) if tipo.es_boleta() => id_doc.ind_mnt_neto != Campo::Valor(2),
        _ => id_doc.mnt_bruto == Campo::Valor(1),
    }
}

fn tasa(documento: &Documento) -> Decimal {
    match documento.encabezado.totales.tasa_iva.valor() {
        Some(tasa) if tasa > Decimal::ZERO && tasa < Decimal::ONE_HUNDRED => tasa,
        _ => TASA_IVA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(texto: &str) -> Decimal {
        texto.parse().unwrap()
    }

    #[test]
    fn halves_go_up() {
        for (monto, entero) in [
            ("256.5", "257"),
            ("0.49999", "0"),
            ("45780.5", "45781"),
            ("-0.5", "-1"),
        ] {
            assert_eq!(redondear(d(monto)), d(entero));
        }
        assert_eq!(porcentaje(d("1350"), TASA_IVA), Some(d("256.50")));
        assert_eq!(sin_iva(d("119000"), TASA_IVA), Some(d("100000")));
        assert_eq!(porcentaje(Decimal::MAX, d("200")), None);
    }

    #[test]
    fn globals_apply_to_their_class_in_order() {
        let linea = |monto: &str, ind_exe: Option<i64>| Detalle {
            monto_item: Campo::Valor(d(monto)),
            ind_exe: ind_exe.into(),
            ..Detalle::default()
        };
        let global = |mov: &str, tipo: &str, valor: &str, clase: Option<i64>| DscRcgGlobal {
            tpo_mov: Some(mov.into()),
            tpo_valor: Some(tipo.into()),
            valor_dr: Campo::Valor(d(valor)),
            ind_exe_dr: clase.into(),
            ..DscRcgGlobal::default()
        };
        let documento = Documento {
            detalle: vec![
                linea("1000", None),
                linea("500", Some(1)),
                linea("70", Some(2)),
                linea("20", Some(6)),
            ],
            dsc_rcg_global: vec![
                global("D", "%", "10", None),
                global("R", "%", "10", None),
                global("D", "$", "100", Some(1)),
            ],
            ..Documento::default()
        };
        let calculo = Calculo::nuevo(&documento, Some(TipoDte::Factura));
        assert_eq!(calculo.afecto.final_, Some(d("990")));
        assert_eq!(calculo.afecto.paralela, Some(d("1000")));
        assert_eq!(calculo.exento.final_, Some(d("400")));
        assert_eq!(calculo.no_facturable.final_, Some(d("50")));
    }
}
