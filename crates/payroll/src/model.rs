//! The payslip as an ERP tells it.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::afp::Afp;
use crate::ley::{RegimenGratificacion, TipoContrato};
use crate::periodo::Periodo;

/// A payslip (liquidación de remuneraciones) of one worker and one month.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Liquidacion {
    /// The ERP's number of the worker.
    pub empleado: Option<u64>,
    /// The worker's name.
    pub nombre: Option<String>,
    /// The month; `None` where it can't be read.
    pub periodo: Option<Periodo>,
    /// The month in the words of the input.
    pub periodo_texto: Option<String>,
    /// The monthly wage of the contract (sueldo base), in pesos.
    pub sueldo: Option<Decimal>,
    /// The first day that is paid.
    pub desde: Option<Date>,
    /// The last day that is paid.
    pub hasta: Option<Date>,
    /// The lines, as they came.
    pub lineas: Vec<Linea>,
    /// The totals that the ERP calculated.
    pub totales: Totales,
    /// What is known of worker and contract.
    pub datos: Datos,
    /// Fields that couldn't be read.
    pub ilegibles: Vec<Ilegible>,
}

/// One line of a payslip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Linea {
    /// Where it is in the input: `lines[3]`.
    pub ruta: String,
    /// The ERP's code: `AFP`, `GRAT`.
    pub codigo: Option<String>,
    /// Its text.
    pub nombre: Option<String>,
    /// The ERP's category: `DED`, `IMPONIBLE`.
    pub categoria: Option<String>,
    /// The amount, in pesos.
    pub monto: Option<Decimal>,
    /// The amount with quantity and rate in it, in pesos.
    pub total: Option<Decimal>,
    /// How many of it: hours, days.
    pub cantidad: Option<Decimal>,
    /// The part of the payslip under which it stands, where the input has parts.
    pub seccion: Option<Seccion>,
}

impl Linea {
    /// What counts: the total, unless that is missing or an empty 0.
    #[must_use]
    pub fn importe(&self) -> Option<Decimal> {
        match self.total {
            Some(total) if !total.is_zero() || self.cantidad == Some(Decimal::ZERO) => Some(total),
            Some(_) | None => self.monto.or(self.total),
        }
    }

    /// How a person knows it: its name, else its code.
    #[must_use]
    pub fn titulo(&self) -> &str {
        let nombre = self.nombre.as_deref().or(self.codigo.as_deref());
        nombre.unwrap_or("línea sin nombre")
    }
}

/// The part of a payslip under which a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seccion {
    /// Haberes imponibles.
    Imponible,
    /// Haberes no imponibles.
    NoImponible,
    /// Descuentos legales.
    DescuentoLegal,
    /// Otros descuentos.
    OtroDescuento,
    /// Aportes del empleador.
    Aporte,
}

/// The totals that came with a payslip, in pesos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totales {
    /// Total imponible, not capped.
    pub imponible: Option<Decimal>,
    /// Total haberes.
    pub haberes: Option<Decimal>,
    /// Total descuentos.
    pub descuentos: Option<Decimal>,
    /// Líquido a pagar.
    pub liquido: Option<Decimal>,
}

/// What is known of worker and contract; rules that need what isn't known say less.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Datos {
    /// The kind of contract.
    pub contrato: Option<TipoContrato>,
    /// The day on which the contract began.
    pub inicio: Option<Date>,
    /// The pension fund.
    pub afp: Option<Afp>,
    /// The health insurance.
    pub salud: Option<Salud>,
    /// The plan agreed with the Isapre in UF a month.
    pub plan_uf: Option<Decimal>,
    /// The plan agreed with the Isapre in pesos a month.
    pub plan_pesos: Option<Decimal>,
    /// Days that are paid, of 30 (or all of the calendar's).
    pub dias: Option<Decimal>,
    /// Weekly hours of the contract.
    pub horas_semanales: Option<Decimal>,
    /// Hours of overtime in the month.
    pub horas_extra: Option<Decimal>,
    /// Age in whole years at the month's end.
    pub edad: Option<i16>,
    /// Day of birth.
    pub nacimiento: Option<Date>,
    /// Whether the worker has a pension and no longer contributes to one.
    pub pensionado: Option<bool>,
    /// Dependants with family allowance.
    pub cargas: Option<u32>,
    /// The bracket of the family allowance that the authority gave, `A` to `D`.
    pub tramo: Option<char>,
    /// How the gratificación is paid.
    pub gratificacion: Option<RegimenGratificacion>,
    /// The employer's whole rate for accidents at work, in percent.
    pub tasa_accidentes: Option<Decimal>,
}

/// The health insurance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Salud {
    /// The public one.
    Fonasa,
    /// A private one.
    Isapre,
}

/// A field that couldn't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ilegible {
    /// Where it is.
    pub ruta: String,
    /// What is there, shortened.
    pub texto: String,
    /// Whether it is a word that nobody knows (a kind of contract), rather than a figure or a
    /// day that is none.
    pub palabra: bool,
}

impl Datos {
    /// Age in whole years on a day.
    #[must_use]
    pub fn edad_al(&self, dia: Date) -> Option<i16> {
        self.edad.or_else(|| anios(self.nacimiento?, dia))
    }

    /// Whole years of service on a day.
    #[must_use]
    pub fn antiguedad_al(&self, dia: Date) -> Option<i16> {
        anios(self.inicio?, dia)
    }
}

fn anios(desde: Date, hasta: Date) -> Option<i16> {
    let cumplidos = (hasta.month(), hasta.day()) >= (desde.month(), desde.day());
    let anios = hasta.year() - desde.year() - i16::from(!cumplidos);
    (anios >= 0).then_some(anios)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn years_are_whole() {
        let datos = Datos {
            nacimiento: Some(date(1960, 6, 15)),
            inicio: Some(date(2030, 1, 1)),
            ..Datos::default()
        };
        assert_eq!(datos.edad_al(date(2025, 6, 14)), Some(64));
        assert_eq!(datos.edad_al(date(2025, 6, 15)), Some(65));
        assert_eq!(datos.antiguedad_al(date(2025, 1, 1)), None);
    }

    #[test]
    fn an_empty_total_is_none() {
        let linea = |monto: Option<i64>, total: Option<i64>| Linea {
            monto: monto.map(Decimal::from),
            total: total.map(Decimal::from),
            ..Linea::default()
        };
        for (monto, total, importe) in [
            (Some(5), Some(0), Some(5)),
            (Some(5), Some(7), Some(7)),
            (None, Some(0), Some(0)),
            (Some(5), None, Some(5)),
            (None, None, None),
        ] {
            assert_eq!(linea(monto, total).importe(), importe.map(Decimal::from));
        }
        let ninguna = Linea {
            cantidad: Some(Decimal::ZERO),
            ..linea(Some(5), Some(0))
        };
        assert_eq!(ninguna.importe(), Some(Decimal::ZERO));
    }
}
