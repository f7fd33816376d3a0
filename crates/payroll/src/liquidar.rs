//! The payslip that a contract should give, with the rules' own arithmetic.

use rust_decimal::Decimal;
use thiserror::Error;

use crate::afp::Afp;
use crate::impuesto::{Periodicidad, TablaImpuesto};
use crate::indicadores::{Campo, Indicadores};
use crate::ley::{
    Reforma, TipoContrato, asignacion_familiar, hora_extra, tasas_afc, tope_gratificacion,
};
use crate::pesos::{MAX_MONTO, porcentaje, redondear};

/// What a month is paid by. [`Contrato::new`] fills in the usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contrato {
    /// Monthly wage in pesos.
    pub sueldo: Decimal,
    /// Kind of contract.
    pub tipo: TipoContrato,
    /// Pension fund; `None` for a pensioner who no longer contributes.
    pub afp: Option<Afp>,
    /// Plan with an Isapre in UF a month; `None` for Fonasa.
    pub plan_uf: Option<Decimal>,
    /// How the gratificación is paid.
    pub gratificacion: Gratificacion,
    /// Days paid, of 30.
    pub dias: Decimal,
    /// Weekly hours of the contract, for overtime.
    pub horas_semanales: Decimal,
    /// Hours of overtime.
    pub horas_extra: Decimal,
    /// Other taxable pay in pesos.
    pub otros_imponibles: Decimal,
    /// Non-taxable pay in pesos, without the family allowance.
    pub no_imponibles: Decimal,
    /// Dependants with family allowance.
    pub cargas: u32,
    /// Income that the family allowance's bracket follows from; this month's pay where absent.
    pub renta_semestre: Option<Decimal>,
    /// Voluntary savings of regime B in pesos.
    pub apv: Decimal,
    /// Other discounts in pesos.
    pub otros_descuentos: Decimal,
    /// Whole years of service.
    pub antiguedad: Option<i16>,
    /// The employer's whole rate for accidents in percent; the basic one where absent.
    pub tasa_accidentes: Option<Decimal>,
}

/// How the gratificación of a month comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gratificacion {
    /// None.
    Ninguna,
    /// A given amount in pesos.
    Monto(Decimal),
    /// Art. 50: 25 % of the taxable pay, capped.
    Articulo50,
}

impl Contrato {
    /// A whole month at a wage, without limit of time, with Fonasa and nothing else.
    #[must_use]
    pub const fn new(sueldo: Decimal, afp: Afp) -> Self {
        Self {
            sueldo,
            tipo: TipoContrato::Indefinido,
            afp: Some(afp),
            plan_uf: None,
            gratificacion: Gratificacion::Ninguna,
            dias: Decimal::from_parts(30, 0, 0, false, 0),
            horas_semanales: Decimal::from_parts(44, 0, 0, false, 0),
            horas_extra: Decimal::ZERO,
            otros_imponibles: Decimal::ZERO,
            no_imponibles: Decimal::ZERO,
            cargas: 0,
            renta_semestre: None,
            apv: Decimal::ZERO,
            otros_descuentos: Decimal::ZERO,
            antiguedad: None,
            tasa_accidentes: None,
        }
    }
}

/// A month's pay, every amount in whole pesos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Liquidada {
    /// Wage for the days.
    pub sueldo: Decimal,
    /// Overtime.
    pub horas_extra: Decimal,
    /// Gratificación.
    pub gratificacion: Decimal,
    /// All taxable pay, not capped.
    pub imponible: Decimal,
    /// Family allowance.
    pub asignacion_familiar: Decimal,
    /// All pay.
    pub haberes: Decimal,
    /// Pension fund, worker.
    pub afp: Decimal,
    /// Health, worker, with what a plan costs over the 7 %.
    pub salud: Decimal,
    /// Unemployment insurance, worker.
    pub afc: Decimal,
    /// Base of the tax.
    pub base_impuesto: Decimal,
    /// Tax.
    pub impuesto: Decimal,
    /// All discounts.
    pub descuentos: Decimal,
    /// Net pay.
    pub liquido: Decimal,
    /// SIS, employer; 0 from August 2026, where it is part of `reforma`.
    pub sis: Decimal,
    /// Unemployment insurance, employer.
    pub afc_empleador: Decimal,
    /// Accidents, employer.
    pub accidentes: Decimal,
    /// Pension reform, employer.
    pub reforma: Decimal,
}

/// Why a month can't be calculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LiquidarError {
    /// An indicator of the month isn't known. Not the caller's fault; with the indicator the
    /// same call succeeds.
    #[error("calculate payslip (the month's {} isn't known)", .0.nombre())]
    Falta(Campo),
    /// The steps of the pension reform of this month aren't confirmed.
    #[error("calculate payslip (the pension reform's rates of the month aren't confirmed)")]
    Reforma,
    /// An amount is negative or too large, or days or hours are outside a month. The caller's
    /// fault.
    #[error("calculate payslip ({0} is outside its domain)")]
    Dominio(&'static str),
}

/// Calculates a month: each contribution rounded to the peso, half up, as is practised.
///
/// # Errors
///
/// [`LiquidarError`] where the month lacks an indicator that is needed, or the contract has a
/// value outside its domain.
pub fn liquidar(
    contrato: &Contrato,
    indicadores: &Indicadores,
) -> Result<Liquidada, LiquidarError> {
    comprobar(contrato)?;
    let mut mes = haberes(contrato, indicadores)?;
    let falta = |campo| LiquidarError::Falta(campo);
    let tope_afp = indicadores.tope_afp().ok_or(falta(Campo::AfpTopePesos))?;
    let tope_afc = indicadores.tope_afc().ok_or(falta(Campo::AfcTopePesos))?;
    let (base_afp, base_afc) = (mes.imponible.min(tope_afp), mes.imponible.min(tope_afc));
    let de = |base, tasa| redondear(porcentaje(base, tasa));
    let cifra = |campo| indicadores.get(campo).ok_or(falta(campo));

    if let Some(afp) = contrato.afp {
        mes.afp = de(base_afp, cifra(Campo::afp(afp))?);
    }
    let siete = de(base_afp, cifra(Campo::Fonasa)?);
    mes.salud = match contrato.plan_uf {
        Some(plan) => siete.max(redondear(plan * cifra(Campo::Uf)?)),
        None => siete,
    };
    // Who has a pension is outside the unemployment insurance.
    let (trabajador, empleador) = if contrato.afp.is_none() {
        (Decimal::ZERO, Decimal::ZERO)
    } else {
        tasas_afc(contrato.tipo, contrato.antiguedad, indicadores)
            .ok_or(falta(Campo::AfcTrabajadorIndefinido))?
    };
    mes.afc = de(base_afc, trabajador);
    mes.afc_empleador = de(base_afc, empleador);
    let salud_rebajable = mes.salud.min(de(tope_afp, cifra(Campo::Fonasa)?));
    let apv = contrato
        .apv
        .min(indicadores.tope_apv().unwrap_or(MAX_MONTO));
    mes.base_impuesto =
        (mes.imponible - mes.afp - salud_rebajable - mes.afc - apv).max(Decimal::ZERO);
    let tabla = TablaImpuesto::de_utm(cifra(Campo::Utm)?, Periodicidad::Mensual);
    mes.impuesto = tabla.ok_or(falta(Campo::Utm))?.impuesto(mes.base_impuesto);

    mes.descuentos =
        mes.afp + mes.salud + mes.afc + mes.impuesto + contrato.apv + contrato.otros_descuentos;
    mes.liquido = mes.haberes - mes.descuentos;
    del_empleador(&mut mes, contrato, indicadores, base_afp)?;
    Ok(mes)
}

fn haberes(contrato: &Contrato, indicadores: &Indicadores) -> Result<Liquidada, LiquidarError> {
    let sueldo = redondear(contrato.sueldo * contrato.dias / Decimal::from(30));
    let hora = hora_extra(contrato.sueldo, contrato.horas_semanales)
        .ok_or(LiquidarError::Dominio("horas_semanales"))?;
    let horas_extra = redondear(hora * contrato.horas_extra);
    let devengado = sueldo + horas_extra + contrato.otros_imponibles;
    let gratificacion = match contrato.gratificacion {
        Gratificacion::Ninguna => Decimal::ZERO,
        Gratificacion::Monto(monto) => monto,
        Gratificacion::Articulo50 => {
            let minimo = indicadores.get(Campo::SueldoMinimo);
            let minimo = minimo.ok_or(LiquidarError::Falta(Campo::SueldoMinimo))?;
            let cuarto = redondear(porcentaje(devengado, Decimal::from(25)));
            cuarto.min(tope_gratificacion(minimo))
        }
    };
    let imponible = devengado + gratificacion;
    let asignacion_familiar = if contrato.cargas == 0 {
        Decimal::ZERO
    } else {
        let renta = contrato.renta_semestre.unwrap_or(imponible);
        let (_, monto) = asignacion_familiar(renta, indicadores)
            .ok_or(LiquidarError::Falta(Campo::AsigFam1Hasta))?;
        monto * Decimal::from(contrato.cargas)
    };
    Ok(Liquidada {
        sueldo,
        horas_extra,
        gratificacion,
        imponible,
        asignacion_familiar,
        haberes: imponible + contrato.no_imponibles + asignacion_familiar,
        ..Liquidada::default()
    })
}

fn del_empleador(
    mes: &mut Liquidada,
    contrato: &Contrato,
    indicadores: &Indicadores,
    base: Decimal,
) -> Result<(), LiquidarError> {
    let de = |tasa| redondear(porcentaje(base, tasa));
    let basica = || indicadores.get(Campo::AccidentesBase);
    let accidentes = contrato.tasa_accidentes.or_else(basica);
    mes.accidentes = de(accidentes.ok_or(LiquidarError::Falta(Campo::AccidentesBase))?);
    if contrato.afp.is_none() {
        return Ok(());
    }
    let reforma = Reforma::del_mes(indicadores.periodo()).ok_or(LiquidarError::Reforma)?;
    mes.reforma =
        de(reforma.cuenta) + de(reforma.rentabilidad_protegida) + de(reforma.seguro_social);
    if !reforma.incluye_sis {
        let sis = indicadores.get(Campo::Sis);
        mes.sis = de(sis.ok_or(LiquidarError::Falta(Campo::Sis))?);
    }
    Ok(())
}

fn comprobar(contrato: &Contrato) -> Result<(), LiquidarError> {
    let gratificacion = match contrato.gratificacion {
        Gratificacion::Monto(monto) => monto,
        Gratificacion::Ninguna | Gratificacion::Articulo50 => Decimal::ZERO,
    };
    for (nombre, valor, maximo) in [
        ("sueldo", contrato.sueldo, MAX_MONTO),
        (
            "plan_uf",
            contrato.plan_uf.unwrap_or_default(),
            Decimal::from(1_000),
        ),
        ("gratificacion", gratificacion, MAX_MONTO),
        ("dias", contrato.dias, Decimal::from(31)),
        ("horas_extra", contrato.horas_extra, Decimal::from(744)),
        ("otros_imponibles", contrato.otros_imponibles, MAX_MONTO),
        ("no_imponibles", contrato.no_imponibles, MAX_MONTO),
        ("cargas", Decimal::from(contrato.cargas), Decimal::from(100)),
        (
            "renta_semestre",
            contrato.renta_semestre.unwrap_or_default(),
            MAX_MONTO,
        ),
        ("apv", contrato.apv, MAX_MONTO),
        ("otros_descuentos", contrato.otros_descuentos, MAX_MONTO),
        (
            "tasa_accidentes",
            contrato.tasa_accidentes.unwrap_or_default(),
            Decimal::ONE_HUNDRED,
        ),
    ] {
        if valor < Decimal::ZERO || valor > maximo || valor.scale() > 6 {
            return Err(LiquidarError::Dominio(nombre));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
