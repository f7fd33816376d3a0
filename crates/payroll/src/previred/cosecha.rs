//! Figures as they are found: each once.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::error::{PreviredError, PreviredErrorKind};
use crate::indicadores::{Campo, Cifra, Confianza, Indicadores};
use crate::periodo::Periodo;

/// Fewer figures than this aren't the page, or no longer.
pub(super) const POCAS: usize = 5;

/// Collects figures and refuses a second, different value.
pub(super) struct Cosecha {
    indicadores: Indicadores,
    fuente: Cow<'static, str>,
}

impl Cosecha {
    pub fn new(periodo: Periodo, fuente: impl Into<Cow<'static, str>>) -> Self {
        Self {
            indicadores: Indicadores::new(periodo),
            fuente: fuente.into(),
        }
    }

    pub fn poner(&mut self, campo: Campo, valor: Decimal) -> Result<(), PreviredError> {
        if self
            .indicadores
            .get(campo)
            .is_some_and(|otro| otro != valor)
        {
            return Err(PreviredErrorKind::Conflict(campo).into());
        }
        let cifra = Cifra {
            valor: valor.normalize(),
            fuente: self.fuente.clone(),
            confianza: Confianza::Alta,
        };
        if self.indicadores.poner(campo, cifra) {
            Ok(())
        } else {
            Err(PreviredErrorKind::Figure(campo).into())
        }
    }

    pub fn terminar(self) -> Result<Indicadores, PreviredError> {
        if self.indicadores.len() < POCAS {
            let known = self.indicadores.len();
            return Err(PreviredErrorKind::ShapeDrift { known }.into());
        }
        Ok(self.indicadores)
    }
}
