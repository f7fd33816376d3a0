//! The indicators of a month: each figure with where it comes from and how sure it is.

mod campo;
mod integrados;
mod tablas;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::periodo::Periodo;
use crate::pesos::{MAX_MONTO, redondear};

pub use campo::{Campo, Unidad};
pub use integrados::{PRIMER_INTEGRADO, ULTIMO_INTEGRADO, integrados};

/// How sure a figure is; a surer one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confianza {
    /// One table of somebody else's program.
    Baja,
    /// One good source.
    Media,
    /// The official text, or two sources that don't know each other.
    Alta,
}

/// A figure of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cifra {
    /// In the [`Unidad`] of its [`Campo`].
    pub valor: Decimal,
    /// Where it comes from.
    pub fuente: Cow<'static, str>,
    /// How sure it is.
    pub confianza: Confianza,
}

/// What is known of a month. A figure that its source doesn't hold is absent, never 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicadores {
    periodo: Periodo,
    cifras: BTreeMap<Campo, Cifra>,
}

/// Without these a month can't be paid: a source that lacks one is incomplete.
pub const NECESARIOS: [Campo; 6] = [
    Campo::Uf,
    Campo::Utm,
    Campo::SueldoMinimo,
    Campo::AfpTopeUf,
    Campo::AfcTopeUf,
    Campo::Sis,
];

impl Indicadores {
    /// A month of which nothing is known yet.
    #[must_use]
    pub const fn new(periodo: Periodo) -> Self {
        Self {
            periodo,
            cifras: BTreeMap::new(),
        }
    }

    /// The month.
    #[must_use]
    pub const fn periodo(&self) -> Periodo {
        self.periodo
    }

    /// A figure's value.
    #[must_use]
    pub fn get(&self, campo: Campo) -> Option<Decimal> {
        self.cifras.get(&campo).map(|cifra| cifra.valor)
    }

    /// A figure with its source.
    #[must_use]
    pub fn cifra(&self, campo: Campo) -> Option<&Cifra> {
        self.cifras.get(&campo)
    }

    /// Puts a figure, if it is one that can be calculated with (0 to 10¹², percents to 100);
    /// says whether it did.
    pub fn poner(&mut self, campo: Campo, cifra: Cifra) -> bool {
        let maximo = match campo.unidad() {
            Unidad::Porcentaje => Decimal::ONE_HUNDRED,
            Unidad::Pesos | Unidad::Uf => MAX_MONTO,
        };
        let posible = !cifra.valor.is_sign_negative() || cifra.valor.is_zero();
        if !posible || cifra.valor > maximo || cifra.valor.scale() > 10 {
            return false;
        }
        self.cifras.insert(campo, cifra);
        true
    }

    /// All figures, in the order of [`Campo::TODOS`].
    pub fn iter(&self) -> impl Iterator<Item = (Campo, &Cifra)> {
        self.cifras.iter().map(|(campo, cifra)| (*campo, cifra))
    }

    /// How many figures there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cifras.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cifras.is_empty()
    }

    /// Whether the month can be paid with it: see [`NECESARIOS`].
    #[must_use]
    pub fn completo(&self) -> bool {
        NECESARIOS.iter().all(|campo| self.get(*campo).is_some())
    }

    /// The figures of both; where both have one, the surer, and of equals this one's.
    #[must_use]
    pub fn completado_con(mut self, otro: &Self) -> Self {
        if otro.periodo != self.periodo {
            return self;
        }
        for (campo, cifra) in &otro.cifras {
            match self.cifras.get(campo) {
                Some(propia) if propia.confianza >= cifra.confianza => {}
                _ => {
                    self.cifras.insert(*campo, cifra.clone());
                }
            }
        }
        self
    }

    /// The pay cap of AFP and health in pesos: as published, or the cap in UF at the UF of the
    /// month's last day.
    #[must_use]
    pub fn tope_afp(&self) -> Option<Decimal> {
        self.tope(Campo::AfpTopePesos, Campo::AfpTopeUf)
    }

    /// The pay cap of the unemployment insurance in pesos.
    #[must_use]
    pub fn tope_afc(&self) -> Option<Decimal> {
        self.tope(Campo::AfcTopePesos, Campo::AfcTopeUf)
    }

    /// The cap of voluntary savings (APV) of a month in pesos.
    #[must_use]
    pub fn tope_apv(&self) -> Option<Decimal> {
        self.tope(Campo::ApvTopeMensualPesos, Campo::ApvTopeMensualUf)
    }

    fn tope(&self, en_pesos: Campo, en_uf: Campo) -> Option<Decimal> {
        let calculado = || Some(redondear(self.get(en_uf)? * self.get(Campo::Uf)?));
        self.get(en_pesos).or_else(calculado)
    }
}

/// A month as it is kept: names and exact texts.
#[derive(Serialize, Deserialize)]
struct Guardado<'a> {
    periodo: Cow<'a, str>,
    cifras: BTreeMap<Cow<'a, str>, CifraGuardada<'a>>,
}

#[derive(Serialize, Deserialize)]
struct CifraGuardada<'a> {
    valor: Cow<'a, str>,
    fuente: Cow<'a, str>,
    confianza: Confianza,
}

impl Serialize for Indicadores {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cifras = self.iter().map(|(campo, cifra)| {
            let guardada = CifraGuardada {
                valor: cifra.valor.to_string().into(),
                fuente: Cow::Borrowed(&cifra.fuente),
                confianza: cifra.confianza,
            };
            (Cow::Borrowed(campo.nombre()), guardada)
        });
        Guardado {
            periodo: self.periodo.to_string().into(),
            cifras: cifras.collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Indicadores {
    /// Names that this version doesn't know are left out.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let guardado = Guardado::deserialize(deserializer)?;
        let periodo = Periodo::iso(&guardado.periodo)
            .ok_or_else(|| serde::de::Error::custom("not a month: AAAA-MM"))?;
        let mut indicadores = Self::new(periodo);
        for (nombre, cifra) in guardado.cifras {
            let valor = Decimal::from_str_exact(&cifra.valor).map_err(serde::de::Error::custom)?;
            if let Some(campo) = Campo::de_nombre(&nombre) {
                let cifra = Cifra {
                    valor,
                    fuente: Cow::Owned(cifra.fuente.into_owned()),
                    confianza: cifra.confianza,
                };
                indicadores.poner(campo, cifra);
            }
        }
        Ok(indicadores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cifra(valor: &str, confianza: Confianza) -> Cifra {
        Cifra {
            valor: valor.parse().unwrap(),
            fuente: "prueba".into(),
            confianza,
        }
    }

    #[test]
    fn caps_follow_the_uf_where_pesos_are_not_published() {
        let mut mes = Indicadores::new(Periodo::de(2026, 3));
        mes.poner(Campo::Uf, cifra("39841.72", Confianza::Alta));
        assert_eq!(mes.tope_afp(), None);
        mes.poner(Campo::AfpTopeUf, cifra("90", Confianza::Alta));
        assert_eq!(mes.tope_afp(), Some("3585755".parse().unwrap()));
        mes.poner(Campo::AfpTopePesos, cifra("3585700", Confianza::Alta));
        assert_eq!(mes.tope_afp(), Some("3585700".parse().unwrap()));
    }

    #[test]
    fn impossible_figures_are_not_taken_and_the_surer_wins() {
        let mut mes = Indicadores::new(Periodo::de(2026, 3));
        assert!(!mes.poner(Campo::Sis, cifra("154", Confianza::Alta)));
        assert!(!mes.poner(Campo::Utm, cifra("-1", Confianza::Alta)));
        assert!(!mes.poner(
            Campo::Utm,
            cifra("79228162514264337593543950335", Confianza::Alta)
        ));
        assert!(mes.is_empty());
        mes.poner(Campo::Utm, cifra("69889", Confianza::Media));
        let mut otro = Indicadores::new(Periodo::de(2026, 3));
        otro.poner(Campo::Utm, cifra("69890", Confianza::Alta));
        otro.poner(Campo::Sis, cifra("1.54", Confianza::Baja));
        let juntos = mes.completado_con(&otro);
        assert_eq!(juntos.get(Campo::Utm), Some("69890".parse().unwrap()));
        assert_eq!(juntos.len(), 2);
    }

    #[test]
    fn a_month_survives_its_text() {
        let mes = integrados(Periodo::de(2026, 2)).unwrap();
        let texto = serde_json::to_string(&mes).unwrap();
        assert_eq!(serde_json::from_str::<Indicadores>(&texto).unwrap(), mes);
        assert!(serde_json::from_str::<Indicadores>(r#"{"periodo":"x","cifras":{}}"#).is_err());
    }
}
