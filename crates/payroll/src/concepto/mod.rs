//! What a line is: told from its code, its name and its category, as real ERPs write them.

mod tabla;

use crate::afp::Afp;
use crate::model::{Linea, Seccion};
use crate::texto::{plano, tiene, tiene_palabra};

/// What a line of a payslip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concepto {
    /// Sueldo base.
    SueldoBase,
    /// Horas extraordinarias.
    HorasExtra,
    /// Gratificación.
    Gratificacion,
    /// Any other taxable pay: bonus, commission, semana corrida, holidays.
    OtroImponible,
    /// Absence or lateness taken off the pay: a negative taxable line.
    Inasistencia,
    /// Asignación familiar.
    AsignacionFamiliar,
    /// Colación.
    Colacion,
    /// Movilización.
    Movilizacion,
    /// Any other non-taxable pay: viático, tools, indemnities.
    OtroNoImponible,
    /// The worker's contribution to the pension fund, with its commission.
    Afp,
    /// The worker's contribution for health: Fonasa, Isapre, the CCAF's part of the 7 %.
    Salud,
    /// What an Isapre's plan costs over the 7 %, on a line of its own.
    SaludAdicional,
    /// The worker's part of the unemployment insurance.
    Afc,
    /// Impuesto único de segunda categoría.
    Impuesto,
    /// The worker's contribution for heavy work.
    TrabajoPesado,
    /// Voluntary savings that the tax base is reduced by (APV regime B).
    Apv,
    /// Voluntary savings that it isn't reduced by (APV regime A, cuenta 2).
    AhorroVoluntario,
    /// Advance on the wage.
    Anticipo,
    /// What a court orders: alimony, garnishment.
    RetencionJudicial,
    /// Union dues.
    CuotaSindical,
    /// Dividends and savings for a home.
    Vivienda,
    /// Credit of a caja de compensación.
    CreditoCcaf,
    /// Any other discount: loans, private insurance.
    OtroDescuento,
    /// Seguro de invalidez y sobrevivencia, employer.
    Sis,
    /// Unemployment insurance, employer.
    AfcEmpleador,
    /// Accidents at work (mutual, ISL), employer.
    Accidentes,
    /// Pension reform: the worker's own account.
    AporteCuenta,
    /// Pension reform: Seguro Social, life expectancy.
    SeguroSocial,
    /// Pension reform: contribution with protected return.
    RentabilidadProtegida,
    /// Any other cost of the employer.
    OtroAporte,
    /// A total of taxable pay.
    TotalImponible,
    /// A total of all pay.
    TotalHaberes,
    /// A total of all discounts.
    TotalDescuentos,
    /// Net pay.
    Liquido,
    /// Another subtotal, or a line for information.
    Informativo,
}

/// On which side of the payslip a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clase {
    /// Pay on which contributions and tax are due.
    Imponible,
    /// Pay on which none are due.
    NoImponible,
    /// Discount that the law orders.
    DescuentoLegal,
    /// Discount that was agreed or ordered by a court.
    OtroDescuento,
    /// Cost of the employer: no part of the net pay.
    Aporte,
    /// A sum of other lines, or information.
    Total,
}

impl Concepto {
    /// On which side it stands.
    #[must_use]
    pub const fn clase(self) -> Clase {
        match self {
            Self::SueldoBase
            | Self::HorasExtra
            | Self::Gratificacion
            | Self::OtroImponible
            | Self::Inasistencia => Clase::Imponible,
            Self::AsignacionFamiliar
            | Self::Colacion
            | Self::Movilizacion
            | Self::OtroNoImponible => Clase::NoImponible,
            Self::Afp
            | Self::Salud
            | Self::SaludAdicional
            | Self::Afc
            | Self::Impuesto
            | Self::TrabajoPesado => Clase::DescuentoLegal,
            Self::Apv
            | Self::AhorroVoluntario
            | Self::Anticipo
            | Self::RetencionJudicial
            | Self::CuotaSindical
            | Self::Vivienda
            | Self::CreditoCcaf
            | Self::OtroDescuento => Clase::OtroDescuento,
            Self::Sis
            | Self::AfcEmpleador
            | Self::Accidentes
            | Self::AporteCuenta
            | Self::SeguroSocial
            | Self::RentabilidadProtegida
            | Self::OtroAporte => Clase::Aporte,
            Self::TotalImponible
            | Self::TotalHaberes
            | Self::TotalDescuentos
            | Self::Liquido
            | Self::Informativo => Clase::Total,
        }
    }
}

/// How a line was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certeza {
    /// By its code or its name.
    Reconocida,
    /// Only its side is known, from its category or the part of the payslip.
    PorCategoria,
    /// By nothing: what it counts for is unknown.
    Desconocida,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconocida {
    /// What it is; `None` where nothing tells.
    pub concepto: Option<Concepto>,
    /// How that was told.
    pub certeza: Certeza,
    /// The pension fund that it names.
    pub afp: Option<Afp>,
    /// Whether it names an Isapre or Fonasa.
    pub isapre: Option<bool>,
}

/// Tells what a line is.
///
/// A known code decides; then the words of the name, then those of the code; a line of the
/// employer's side is never taken for the worker's. Else the category, or the part of the
/// payslip, tells at least the side.
#[must_use]
pub fn reconocer(linea: &Linea) -> Reconocida {
    let nombre = plano(linea.nombre.as_deref().unwrap_or_default());
    let codigo = plano(linea.codigo.as_deref().unwrap_or_default());
    let categoria = plano(linea.categoria.as_deref().unwrap_or_default());
    let patronal = patronal(linea, &nombre, &codigo, &categoria);
    let del_codigo = tabla::por_codigo(&codigo);
    let concepto = match del_codigo {
        Some(concepto) if del_empleador(concepto, patronal) => None,
        otro => otro,
    }
    .or_else(|| tabla::por_palabras(&nombre, patronal))
    .or_else(|| tabla::por_palabras(&codigo, patronal));
    let afp = Afp::leer(&nombre).or_else(|| Afp::leer(&codigo));
    let isapre = isapre(&nombre).or_else(|| isapre(&codigo));
    let (concepto, certeza) = match concepto.map(|concepto| en_su_seccion(concepto, linea)) {
        Some(concepto) => (Some(concepto), Certeza::Reconocida),
        None => match por_lado(linea, &categoria) {
            Some(concepto) => (Some(concepto), Certeza::PorCategoria),
            None => (None, Certeza::Desconocida),
        },
    };
    Reconocida {
        concepto,
        certeza,
        afp: afp.filter(|_| concepto == Some(Concepto::Afp)),
        isapre,
    }
}

/// Whether a concept of the worker's side can't be meant on a line of the employer's.
fn del_empleador(concepto: Concepto, patronal: Patronal) -> bool {
    match (patronal, concepto.clase()) {
        (Patronal::No, _) | (_, Clase::Aporte | Clase::Total) => false,
        (_, Clase::DescuentoLegal) => true,
        (Patronal::PorLugar, _) => true,
        (Patronal::PorPalabra, _) => false,
    }
}

/// Whether a line says that it is the employer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patronal {
    No,
    /// A word of it says so: for a contribution that decides, for pay ("bono empresa") not.
    PorPalabra,
    /// It stands among the employer's costs.
    PorLugar,
}

fn patronal(linea: &Linea, nombre: &str, codigo: &str, categoria: &str) -> Patronal {
    const PALABRAS: [&str; 6] = [
        "empleador",
        "empresa",
        "patronal",
        "employer",
        "company",
        "patron",
    ];
    const LUGARES: [&str; 6] = ["comp", "aporte", "aportes", "er", "costo", "patronal"];
    let lugar =
        LUGARES.iter().any(|p| tiene_palabra(categoria, p)) || tiene(categoria, "empleador");
    if linea.seccion == Some(Seccion::Aporte) || (linea.seccion.is_none() && lugar) {
        return Patronal::PorLugar;
    }
    let palabra = PALABRAS
        .iter()
        .any(|p| tiene(nombre, p) || tiene(codigo, p))
        || tiene_palabra(nombre, "empl")
        || ["emp", "er"].iter().any(|p| tiene_palabra(codigo, p));
    if palabra {
        Patronal::PorPalabra
    } else {
        Patronal::No
    }
}

/// Whether a text names an Isapre.
pub(crate) fn nombra_isapre(plano: &str) -> bool {
    tabla::ISAPRES.iter().any(|nombre| tiene(plano, nombre))
}

fn isapre(texto: &str) -> Option<bool> {
    if tiene(texto, "fonasa") {
        Some(false)
    } else if nombra_isapre(texto) {
        Some(true)
    } else {
        None
    }
}

/// Where the payslip has parts, a word can't move a line across the middle: a "bono" among the
/// discounts is a discount, "AFP" among the pay is pay.
fn en_su_seccion(concepto: Concepto, linea: &Linea) -> Concepto {
    use Clase::{Imponible, NoImponible};
    let haber = matches!(concepto.clase(), Imponible | NoImponible);
    match linea.seccion {
        Some(Seccion::DescuentoLegal | Seccion::OtroDescuento)
            if haber && concepto != Concepto::Inasistencia =>
        {
            Concepto::OtroDescuento
        }
        Some(Seccion::DescuentoLegal | Seccion::OtroDescuento)
            if concepto == Concepto::Inasistencia =>
        {
            Concepto::OtroDescuento
        }
        Some(Seccion::Imponible) if !haber && concepto.clase() != Clase::Total => {
            Concepto::OtroImponible
        }
        Some(Seccion::NoImponible) if !haber && concepto.clase() != Clase::Total => {
            Concepto::OtroNoImponible
        }
        _ => concepto,
    }
}

fn por_lado(linea: &Linea, categoria: &str) -> Option<Concepto> {
    match linea.seccion {
        Some(Seccion::Imponible) => return Some(Concepto::OtroImponible),
        Some(Seccion::NoImponible) => return Some(Concepto::OtroNoImponible),
        Some(Seccion::DescuentoLegal | Seccion::OtroDescuento) => {
            return Some(Concepto::OtroDescuento);
        }
        Some(Seccion::Aporte) => return Some(Concepto::OtroAporte),
        None => {}
    }
    tabla::por_categoria(categoria)
}

#[cfg(test)]
mod tests;
