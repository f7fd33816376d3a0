//! What the rules share: the lines with what they are, and the sums that follow.

use rust_decimal::Decimal;

use crate::concepto::{Certeza, Clase, Concepto, Reconocida, reconocer};
use crate::indicadores::{Campo, Indicadores};
use crate::model::{Linea, Liquidacion, Seccion};
use crate::periodo::Periodo;
use crate::pesos::calculable;
use crate::report::Findings;
use findings::pesos;

/// No cap in pesos of a month since January 2024 is lower: caps in UF never fall (DL 3.500,
/// art. 16). Pay under it is surely not capped, whatever the month's UF.
const PISO_AFP: Decimal = Decimal::from_parts(3_000_000, 0, 0, false, 0);
const PISO_AFC: Decimal = Decimal::from_parts(4_500_000, 0, 0, false, 0);
const PISO_DESDE: Periodo = Periodo::de(2024, 1);

/// A line with what it is.
pub(crate) struct Clasificada<'a> {
    pub linea: &'a Linea,
    pub reconocida: Reconocida,
    /// The side on which it counts: where the payslip says it, there.
    pub clase: Option<Clase>,
    /// The amount; discounts are positive, whatever sign the ERP gives them.
    pub importe: Decimal,
}

impl Clasificada<'_> {
    pub fn es(&self, concepto: Concepto) -> bool {
        self.reconocida.concepto == Some(concepto)
    }

    pub fn ruta(&self) -> String {
        self.linea.ruta.clone()
    }
}

/// One payslip under judgement.
pub(crate) struct Caso<'a> {
    pub liquidacion: &'a Liquidacion,
    /// The month's indicators, if they are of its month.
    pub indicadores: Option<&'a Indicadores>,
    pub lineas: Vec<Clasificada<'a>>,
    /// Taxable pay, not capped.
    pub imponible: Decimal,
    pub no_imponible: Decimal,
    pub descuentos_legales: Decimal,
    pub otros_descuentos: Decimal,
    /// What lines that nobody knows add up to.
    pub desconocido: Decimal,
}

impl<'a> Caso<'a> {
    pub fn new(liquidacion: &'a Liquidacion, indicadores: Option<&'a Indicadores>) -> Self {
        let mut lineas: Vec<_> = liquidacion.lineas.iter().filter_map(clasificar).collect();
        enderezar(&mut lineas);
        let suma = |clase: Option<Clase>| -> Decimal {
            let de_clase = lineas.iter().filter(|linea| linea.clase == clase);
            de_clase.map(|linea| linea.importe).sum()
        };
        let sumado = suma(Some(Clase::Imponible));
        let desconocido = suma(None);
        let imponible = imponible(liquidacion, sumado, desconocido);
        Self {
            imponible,
            no_imponible: suma(Some(Clase::NoImponible)),
            descuentos_legales: suma(Some(Clase::DescuentoLegal)),
            otros_descuentos: suma(Some(Clase::OtroDescuento)),
            desconocido,
            indicadores: indicadores.filter(|i| Some(i.periodo()) == liquidacion.periodo),
            lineas,
            liquidacion,
        }
    }

    /// All pay.
    pub fn haberes(&self) -> Decimal {
        self.imponible + self.no_imponible
    }

    /// All discounts.
    pub fn descuentos(&self) -> Decimal {
        self.descuentos_legales + self.otros_descuentos
    }

    pub fn de<'s>(&'s self, concepto: Concepto) -> impl Iterator<Item = &'s Clasificada<'a>> + 's {
        self.lineas.iter().filter(move |linea| linea.es(concepto))
    }

    /// What lines of a concept add up to; `None` where there is none.
    pub fn suma(&self, concepto: Concepto) -> Option<Decimal> {
        let mut lineas = self.de(concepto).peekable();
        lineas.peek()?;
        Some(lineas.map(|linea| linea.importe).sum())
    }

    /// The same, 0 where there is none.
    pub fn suma_o_cero(&self, concepto: Concepto) -> Decimal {
        self.suma(concepto).unwrap_or_default()
    }

    /// The place of the first line of a concept, or where it is missed.
    pub fn ruta(&self, concepto: Concepto) -> String {
        self.de(concepto)
            .next()
            .map_or_else(|| "lines".to_owned(), Clasificada::ruta)
    }

    /// A figure of the month; that it is missing is noted.
    pub fn cifra(&self, campo: Campo, out: &mut Findings) -> Option<Decimal> {
        let valor = self
            .indicadores
            .and_then(|indicadores| indicadores.get(campo));
        if valor.is_none() {
            out.falta(campo);
        }
        valor
    }

    /// The pay on which pension and health are due, and how that is said.
    pub fn base_afp(&self, out: &mut Findings) -> Option<Base> {
        let tope = self.indicadores.and_then(Indicadores::tope_afp);
        self.base(tope, PISO_AFP, Campo::AfpTopePesos, out)
    }

    /// The pay on which the unemployment insurance is due.
    pub fn base_afc(&self, out: &mut Findings) -> Option<Base> {
        let tope = self.indicadores.and_then(Indicadores::tope_afc);
        self.base(tope, PISO_AFC, Campo::AfcTopePesos, out)
    }

    fn base(
        &self,
        tope: Option<Decimal>,
        piso: Decimal,
        campo: Campo,
        out: &mut Findings,
    ) -> Option<Base> {
        match tope {
            Some(tope) if self.imponible > tope => Some(Base {
                monto: tope,
                topada: true,
            }),
            Some(_) => Some(Base {
                monto: self.imponible,
                topada: false,
            }),
            None if self.bajo_todo_tope(piso) => Some(Base {
                monto: self.imponible,
                topada: false,
            }),
            None => {
                out.falta(campo);
                None
            }
        }
    }

    fn bajo_todo_tope(&self, piso: Decimal) -> bool {
        self.imponible <= piso && self.liquidacion.periodo >= Some(PISO_DESDE)
    }

    /// Whether the worker is known to be pensioned.
    pub fn pensionado(&self) -> bool {
        self.liquidacion.datos.pensionado == Some(true)
    }

    /// Age in whole years at the month's end.
    pub fn edad(&self) -> Option<i16> {
        let dia = self.liquidacion.periodo?.ultimo_dia();
        self.liquidacion.datos.edad_al(dia)
    }

    /// Whole years of service at the month's end.
    pub fn antiguedad(&self) -> Option<i16> {
        let dia = self.liquidacion.periodo?.ultimo_dia();
        self.liquidacion.datos.antiguedad_al(dia)
    }

    /// Whether the whole month is paid: 30 days, or all of the calendar's.
    pub fn mes_completo(&self, dias: Decimal) -> bool {
        let del_mes = self.liquidacion.periodo.map_or(30, Periodo::dias);
        dias >= Decimal::from(30) || dias == Decimal::from(del_mes)
    }
}

/// Pay on which a contribution is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base {
    pub monto: Decimal,
    pub topada: bool,
}

impl Base {
    /// `11,45 % de $977.008`, `10,58 % del tope imponible $3.585.755`.
    pub fn formula(&self, tasa: Decimal) -> String {
        let tasa = findings::numero(tasa);
        let monto = pesos(self.monto);
        if self.topada {
            format!("{tasa} % del tope imponible {monto}")
        } else {
            format!("{tasa} % del imponible {monto}")
        }
    }
}

fn clasificar(linea: &Linea) -> Option<Clasificada<'_>> {
    let importe = linea.importe().filter(|importe| calculable(*importe))?;
    let reconocida = reconocer(linea);
    Some(Clasificada {
        linea,
        clase: lado(linea, &reconocida),
        reconocida,
        importe,
    })
}

/// Where the payslip itself says on which side a line of pay counts, it counts there.
fn lado(linea: &Linea, reconocida: &Reconocida) -> Option<Clase> {
    let clase = reconocida.concepto?.clase();
    if reconocida.certeza != Certeza::Reconocida
        || !matches!(clase, Clase::Imponible | Clase::NoImponible)
    {
        return Some(clase);
    }
    Some(lado_informado(linea).unwrap_or(clase))
}

/// The side of pay that the payslip says: its part, or a category that names it.
pub(crate) fn lado_informado(linea: &Linea) -> Option<Clase> {
    match linea.seccion {
        Some(Seccion::Imponible) => return Some(Clase::Imponible),
        Some(Seccion::NoImponible) => return Some(Clase::NoImponible),
        _ => {}
    }
    let categoria = crate::texto::plano(linea.categoria.as_deref()?);
    if [
        "no imponible",
        "noimpo",
        "no impo",
        "haber no imponible",
        "haberes no imponibles",
    ]
    .contains(&categoria.as_str())
    {
        Some(Clase::NoImponible)
    } else if ["imponible", "haber imponible", "haberes imponibles", "impo"]
        .contains(&categoria.as_str())
    {
        Some(Clase::Imponible)
    } else {
        None
    }
}

/// Discounts are positive here. An ERP that writes them negative does so throughout; contributions
/// are never negative by themselves, and neither is what is taken off for absence positive.
fn enderezar(lineas: &mut [Clasificada<'_>]) {
    let descuento = |linea: &Clasificada<'_>| {
        matches!(
            linea.clase,
            Some(Clase::DescuentoLegal | Clase::OtroDescuento)
        )
    };
    let negativas = lineas
        .iter()
        .filter(|l| descuento(l) && l.importe < Decimal::ZERO)
        .count();
    let positivas = lineas
        .iter()
        .filter(|l| descuento(l) && l.importe > Decimal::ZERO)
        .count();
    for linea in lineas {
        if matches!(linea.clase, Some(Clase::DescuentoLegal | Clase::Aporte)) {
            linea.importe = linea.importe.abs();
        } else if linea.clase == Some(Clase::OtroDescuento) && negativas > positivas {
            linea.importe = -linea.importe;
        } else if linea.es(Concepto::Inasistencia) && linea.clase == Some(Clase::Imponible) {
            linea.importe = -linea.importe.abs();
        }
    }
}

/// Taxable pay: what the lines add up to. Where some line is unknown and the ERP's total is that
/// much higher, or there is no line of pay at all, its total.
fn imponible(liquidacion: &Liquidacion, sumado: Decimal, desconocido: Decimal) -> Decimal {
    let informado = liquidacion
        .totales
        .imponible
        .filter(|total| calculable(*total));
    match informado {
        Some(informado) if sumado.is_zero() => informado,
        Some(informado) if !desconocido.is_zero() && sumado + desconocido == informado => informado,
        None if sumado.is_zero() => liquidacion
            .sueldo
            .filter(|s| calculable(*s))
            .unwrap_or_default(),
        _ => sumado,
    }
}
