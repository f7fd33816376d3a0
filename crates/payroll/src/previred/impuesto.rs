//! Published tables of the tax on wages, in the two shapes in which programs keep them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::error::{PreviredError, PreviredErrorKind};
use crate::impuesto::{Periodicidad, TablaImpuesto, Tramo};
use crate::indicadores::Campo;
use crate::json::{Escalar, chileno, decimal};
use crate::periodo::Periodo;
use crate::pesos::calculable;

/// The brackets of one table, as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablaPublicada {
    /// The month; the table itself may not say it.
    pub periodo: Option<Periodo>,
    /// How often the wage is paid.
    pub periodicidad: Periodicidad,
    /// The brackets, from the lowest.
    pub tramos: Vec<Tramo>,
}

impl TablaPublicada {
    /// Where the table differs from the one that follows from a UTM: bracket by bracket, to the
    /// cent. Empty where it is the same. Two cents above the end of a bracket aren't compared:
    /// only ends, factors and rebates.
    #[must_use]
    pub fn diferencias(&self, utm: Decimal) -> Vec<String> {
        let Some(calculada) = TablaImpuesto::de_utm(utm, self.periodicidad) else {
            return vec![format!("{utm} is no UTM")];
        };
        let mut diferencias = Vec::new();
        if self.tramos.len() > calculada.tramos().len() || self.tramos.is_empty() {
            diferencias.push(format!("{} brackets", self.tramos.len()));
        }
        for (indice, (publicado, tramo)) in self.tramos.iter().zip(calculada.tramos()).enumerate() {
            let bracket = indice + 1;
            for (que, publicada, esperada) in [
                ("from", Some(publicado.desde), Some(tramo.desde)),
                ("to", publicado.hasta, tramo.hasta),
                ("factor", Some(publicado.factor), Some(tramo.factor)),
                ("rebate", Some(publicado.rebaja), Some(tramo.rebaja)),
            ] {
                if publicada != esperada {
                    diferencias.push(format!(
                        "bracket {bracket}, {que}: {publicada:?} is not {esperada:?}"
                    ));
                }
            }
        }
        diferencias
    }
}

/// Reads tables: the object with `TR1Desde`, `TR1Hasta`, `TR1Factor`, `TR1CReb`…, or the list of
/// `{periodo, desde, hasta, factor, cantidad_rebajar}` with a table for each periodicity.
///
/// # Errors
///
/// [`PreviredErrorKind::Json`] for what is no JSON, [`PreviredErrorKind::ShapeDrift`] for JSON
/// without these keys, [`PreviredErrorKind::Figure`] for a figure that can't be read.
pub fn leer_tablas(texto: &str) -> Result<Vec<TablaPublicada>, PreviredError> {
    if texto.trim_start().starts_with('[') {
        let filas: Vec<BTreeMap<String, &RawValue>> =
            serde_json::from_str(texto).map_err(|_| PreviredErrorKind::Json)?;
        return de_lista(&filas);
    }
    let objeto: BTreeMap<String, &RawValue> =
        serde_json::from_str(texto).map_err(|_| PreviredErrorKind::Json)?;
    de_objeto(&objeto).map(|tabla| vec![tabla])
}

/// A bracket's end from here on is the last one's "no end".
const SIN_FIN: Decimal = Decimal::from_parts(99_999_999, 0, 0, false, 0);

fn figura(
    objeto: &BTreeMap<String, &RawValue>,
    clave: &str,
) -> Result<Option<Decimal>, PreviredError> {
    let Some(crudo) = objeto.get(clave) else {
        return Ok(None);
    };
    let escalar = Escalar::leer(crudo);
    let valor = match &escalar {
        Escalar::Texto(texto) if texto.contains(',') => chileno(texto),
        otro => decimal(otro),
    };
    match valor.filter(|valor| calculable(*valor)) {
        Some(valor) => Ok(Some(valor)),
        None => Err(PreviredErrorKind::Figure(Campo::Utm).into()),
    }
}

fn de_objeto(objeto: &BTreeMap<String, &RawValue>) -> Result<TablaPublicada, PreviredError> {
    let mut tramos = Vec::new();
    for numero in 1..=8_u8 {
        let de = |que: &str| figura(objeto, &format!("TR{numero}{que}"));
        let (Some(desde), hasta, Some(factor), Some(rebaja)) =
            (de("Desde")?, de("Hasta")?, de("Factor")?, de("CReb")?)
        else {
            break;
        };
        let hasta = hasta.filter(|hasta| *hasta < SIN_FIN);
        tramos.push(Tramo {
            desde,
            hasta,
            factor,
            rebaja,
        });
    }
    if tramos.is_empty() {
        return Err(PreviredErrorKind::ShapeDrift { known: 0 }.into());
    }
    let periodo = objeto
        .get("PeriodoMY")
        .and_then(|crudo| match Escalar::leer(crudo) {
            Escalar::Texto(texto) => Periodo::leer(&texto),
            _ => None,
        });
    Ok(TablaPublicada {
        periodo,
        periodicidad: Periodicidad::Mensual,
        tramos,
    })
}

fn de_lista(filas: &[BTreeMap<String, &RawValue>]) -> Result<Vec<TablaPublicada>, PreviredError> {
    let mut tablas = Vec::new();
    for periodicidad in [
        Periodicidad::Mensual,
        Periodicidad::Quincenal,
        Periodicidad::Semanal,
        Periodicidad::Diaria,
    ] {
        let mut tramos = Vec::new();
        for fila in filas {
            let suya = fila.get("periodo").map(|crudo| Escalar::leer(crudo));
            if !matches!(suya, Some(Escalar::Texto(texto)) if texto == periodicidad.nombre()) {
                continue;
            }
            let (Some(desde), hasta, Some(factor), Some(rebaja)) = (
                figura(fila, "desde")?,
                figura(fila, "hasta")?,
                figura(fila, "factor")?,
                figura(fila, "cantidad_rebajar")?,
            ) else {
                return Err(PreviredErrorKind::ShapeDrift {
                    known: tramos.len(),
                }
                .into());
            };
            let hasta = hasta.filter(|hasta| !hasta.is_zero());
            tramos.push(Tramo {
                desde,
                hasta,
                factor,
                rebaja,
            });
        }
        if !tramos.is_empty() {
            tablas.push(TablaPublicada {
                periodo: None,
                periodicidad,
                tramos,
            });
        }
    }
    if tablas.is_empty() {
        return Err(PreviredErrorKind::ShapeDrift { known: 0 }.into());
    }
    Ok(tablas)
}
