//! A row of a table: its words, and the figures that carry their unit.

use rust_decimal::Decimal;

use crate::json::chileno;
use crate::pesos::calculable;
use crate::texto::plano;

/// The most characters of a row that are looked at, and rows of a text.
const MAX_FILA: usize = 2_000;
const MAX_FILAS: usize = 5_000;

/// A figure with its unit. A bare number has none and is never taken: it may be a year, an age,
/// a footnote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Valor {
    Pesos(Decimal),
    Porcentaje(Decimal),
    Uf(Decimal),
    /// `-`: the page's nothing.
    Guion,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fila {
    /// Its words, without accents and punctuation.
    pub plano: String,
    /// Its figures, in their order.
    pub valores: Vec<Valor>,
}

impl Fila {
    pub fn de_linea(linea: &str) -> Self {
        let linea: String = linea.chars().take(MAX_FILA).collect();
        Self {
            plano: plano(&linea),
            valores: valores(&linea),
        }
    }

    pub fn pesos(&self) -> Vec<Decimal> {
        let pesos = self.valores.iter().filter_map(|valor| match valor {
            Valor::Pesos(monto) => Some(*monto),
            _ => None,
        });
        pesos.collect()
    }

    /// Percents, where `-` is the page's 0.
    pub fn porcentajes(&self) -> Vec<Decimal> {
        let tasas = self.valores.iter().filter_map(|valor| match valor {
            Valor::Porcentaje(tasa) => Some(*tasa),
            Valor::Guion => Some(Decimal::ZERO),
            Valor::Pesos(_) | Valor::Uf(_) => None,
        });
        tasas.collect()
    }

    pub fn uf(&self) -> Option<Decimal> {
        self.valores.iter().find_map(|valor| match valor {
            Valor::Uf(uf) => Some(*uf),
            _ => None,
        })
    }
}

/// Each line of a text is a row.
pub(super) fn de_texto(texto: &str) -> Vec<Fila> {
    let lineas = texto.lines().filter(|linea| !linea.trim().is_empty());
    lineas.take(MAX_FILAS).map(Fila::de_linea).collect()
}

fn valores(linea: &str) -> Vec<Valor> {
    let limpia = linea
        .replace('\u{a0}', " ")
        .replace('$', " $ ")
        .replace('%', " % ")
        .replace(['(', ')'], " ");
    let palabras: Vec<&str> = limpia.split_whitespace().collect();
    let mut valores = Vec::new();
    for (indice, palabra) in palabras.iter().enumerate() {
        if *palabra == "-" || *palabra == "–" {
            valores.push(Valor::Guion);
            continue;
        }
        let Some(numero) = numero(palabra) else {
            continue;
        };
        let antes = indice.checked_sub(1).and_then(|antes| palabras.get(antes));
        match (
            antes,
            palabras
                .get(indice + 1)
                .map(|despues| despues.trim_end_matches([':', '.', ','])),
        ) {
            (Some(&"$"), _) => valores.push(Valor::Pesos(numero)),
            (_, Some("%")) => valores.push(Valor::Porcentaje(numero)),
            (_, Some("UF" | "uf" | "U.F")) => valores.push(Valor::Uf(numero)),
            _ => {}
        }
    }
    valores
}

/// `68.923`, `10,58`, `67.429,12`.
fn numero(palabra: &str) -> Option<Decimal> {
    let cuerpo = palabra.trim_end_matches([':', ';', '.', ',']);
    let valido = cuerpo.starts_with(|c: char| c.is_ascii_digit())
        && cuerpo
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    if !valido {
        return None;
    }
    chileno(cuerpo).filter(|numero| calculable(*numero))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(texto: &str) -> Decimal {
        texto.parse().unwrap()
    }

    #[test]
    fn only_figures_with_a_unit_count() {
        let fila = |texto| Fila::de_linea(texto).valores;
        assert_eq!(
            fila("al 30 de Abril 2021 $ 29.494,13"),
            [Valor::Pesos(d("29494.13"))]
        );
        assert_eq!(
            fila("Para afiliados a una AFP (81,6 UF): $2.406.721"),
            [Valor::Uf(d("81.6")), Valor::Pesos(d("2406721"))]
        );
        assert_eq!(
            fila("Plazo Indefinido 11 años o más (*) 0,8% R.I. -"),
            [Valor::Porcentaje(d("0.8")), Valor::Guion]
        );
        assert_eq!(
            fila("2 (B) $ 8.224 Renta > $ 342.346 < = $\u{a0}500.033"),
            [
                Valor::Pesos(d("8224")),
                Valor::Pesos(d("342346")),
                Valor::Pesos(d("500033"))
            ]
        );
        assert_eq!(fila("$ mil 7 % %"), [Valor::Porcentaje(d("7"))]);
        assert_eq!(fila("$ 1,2,3"), []);
    }
}
