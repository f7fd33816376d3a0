//! The structure of a document from tables: which fields each type has, must have and may
//! repeat, and the form of each.
//!
//! Sources: formato DTE 2.5 of 2026-02 and formato boletas 4.1 of 2024-12 (what must be there,
//! by type), DTE_v10.xsd and EnvioBOLETA_v11.xsd (what exists, how often, in which form).
//! Where paper and schema differ in a length, the longer one counts: only the schema rejects.
//! The order of elements isn't judged.
//!
//! The reader walks the tables once, while it has the element tree, and leaves notes in
//! [`Lectura`](crate::Lectura); the rule `estructura` makes them findings.

mod boleta;
mod caracteres;
mod documento;
mod forma;
mod montos;

use jiff::civil::Date;

pub(crate) use self::caracteres::no_latinos;
pub(crate) use self::forma::Forma;
use crate::model::TipoDte;
use crate::vigencia::Vigencia;

/// More elements than any section of the tables has.
pub(crate) const MAX_ELEMENTOS: usize = 64;

/// One element of the format where it stands.
#[derive(Debug)]
pub(crate) struct Elemento {
    pub nombre: &'static str,
    /// One letter for each type, in the order of the table: see [`Presencia`].
    presencia: &'static str,
    /// How often it may stand there.
    pub veces: u16,
    pub contenido: Contenido,
    /// When its presence is demanded.
    pub vigencia: Vigencia,
}

/// What an element holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contenido {
    Seccion(&'static [Elemento]),
    Campo(Forma),
}

/// What a type's letter says of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presencia {
    /// `R`: without it the document is rejected (schema, or marked so in the paper).
    Rechazo,
    /// `M`: mandatory by the paper, which the schema doesn't enforce.
    Mandatoria,
    /// `.`: conditional or optional, or judged by a rule that knows the condition.
    Libre,
    /// `-`: the paper gives it to other types only.
    Ajena,
    /// `N`: the schema of this type doesn't have it here.
    Inexistente,
    /// `_`: another row of the same name holds for this type.
    OtraFila,
}

impl Presencia {
    const fn de(letra: u8) -> Self {
        match letra {
            b'R' => Self::Rechazo,
            b'M' => Self::Mandatoria,
            b'-' => Self::Ajena,
            b'N' => Self::Inexistente,
            b'_' => Self::OtraFila,
            _ => Self::Libre,
        }
    }
}

/// An element that holds a value.
const fn campo(nombre: &'static str, presencia: &'static str, forma: Forma) -> Elemento {
    Elemento {
        nombre,
        presencia,
        veces: 1,
        contenido: Contenido::Campo(forma),
        vigencia: Vigencia::SIEMPRE,
    }
}

/// An element that holds elements.
const fn seccion(
    nombre: &'static str,
    presencia: &'static str,
    elementos: &'static [Elemento],
) -> Elemento {
    Elemento {
        nombre,
        presencia,
        veces: 1,
        contenido: Contenido::Seccion(elementos),
        vigencia: Vigencia::SIEMPRE,
    }
}

impl Elemento {
    /// How often it may stand there.
    pub const fn veces(mut self, veces: u16) -> Self {
        self.veces = veces;
        self
    }

    /// From when its presence is demanded.
    pub const fn desde(mut self, dia: Date) -> Self {
        self.vigencia = Vigencia::desde(dia);
        self
    }

    /// What the type in this column says of it.
    pub fn presencia(&self, columna: usize) -> Presencia {
        let letra = self.presencia.as_bytes().get(columna).copied();
        letra.map_or(Presencia::Libre, Presencia::de)
    }
}

/// The table of a type's body, and the type's column in it.
pub(crate) fn tabla(tipo: TipoDte) -> (&'static [Elemento], usize) {
    let columna = match tipo {
        TipoDte::Boleta => return (boleta::CUERPO, 0),
        TipoDte::BoletaExenta => return (boleta::CUERPO, 1),
        TipoDte::Factura => 0,
        TipoDte::FacturaExenta => 1,
        TipoDte::LiquidacionFactura => 2,
        TipoDte::FacturaCompra => 3,
        TipoDte::GuiaDespacho => 4,
        TipoDte::NotaDebito => 5,
        TipoDte::NotaCredito => 6,
        TipoDte::FacturaExportacion => 7,
        TipoDte::NotaDebitoExportacion => 8,
        TipoDte::NotaCreditoExportacion => 9,
    };
    (documento::CUERPO, columna)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row for each type, in both tables, however deep.
    #[test]
    fn every_row_has_a_letter_for_every_type_of_its_table() {
        for (cuerpo, tipos) in [(documento::CUERPO, 10), (boleta::CUERPO, 2)] {
            let mut pendientes = vec![cuerpo];
            let mut filas = 0;
            while let Some(elementos) = pendientes.pop() {
                assert!(elementos.len() <= MAX_ELEMENTOS);
                for elemento in elementos {
                    filas += 1;
                    let letras = elemento.presencia;
                    assert_eq!(letras.len(), tipos, "{}", elemento.nombre);
                    assert!(
                        letras.bytes().all(|letra| b"RM.-N_".contains(&letra)),
                        "{}: {letras}",
                        elemento.nombre
                    );
                    assert!(elemento.veces > 0);
                    if let Contenido::Seccion(hijos) = elemento.contenido {
                        assert!(!hijos.is_empty());
                        pendientes.push(hijos);
                    }
                }
            }
            assert!(filas > 80, "{filas}");
        }
    }

    /// Fields whose presence a rule of their own judges, or that practice has otherwise than
    /// the paper: there the table says less than the paper.
    const DE_OTRAS_REGLAS: &[&str] = &[
        "IndTraslado",
        "MntExe",
        "Patente",
        "PatenteCarro",
        "DirDest",
        "CmnaDest",
        "FchSalida",
        "HraSalida",
        "FchLlegada",
        "Transporte",
        "CodRef",
        "TpoMov",
        "TpoValor",
        "ValorDR",
        "ValorDROtrMnda",
        "GiroRecep",
        "NumId",
    ];

    /// The letters of a name, where the table has it once.
    fn letras(nombre: &str) -> Option<&'static str> {
        let mut pendientes = vec![documento::CUERPO];
        let mut halladas = Vec::new();
        while let Some(elementos) = pendientes.pop() {
            for elemento in elementos {
                if elemento.nombre == nombre {
                    halladas.push(elemento.presencia);
                }
                if let Contenido::Seccion(hijos) = elemento.contenido {
                    pendientes.push(hijos);
                }
            }
        }
        match halladas[..] {
            [una] => Some(una),
            _ => None,
        }
    }

    /// What the paper says of presence, field by field, against the letters: the schema may
    /// say more, and the fields of other rules less.
    #[test]
    fn letters_agree_with_the_paper() {
        const COLUMNAS: [usize; 10] = [0, 1, 4, 6, 5, 3, 2, 7, 9, 8];
        let hechos = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/facts/dte_fields.csv");
        let Ok(hechos) = std::fs::read_to_string(hechos) else {
            eprintln!("the facts aren't here: nothing was compared");
            return;
        };
        let (mut comparados, mut distintos) = (0, Vec::new());
        for fila in hechos.lines().skip(1) {
            let celdas: Vec<&str> = fila.split(',').collect();
            let nombre = celdas[2];
            let Some(letras) = letras(nombre).filter(|_| !DE_OTRAS_REGLAS.contains(&nombre)) else {
                continue;
            };
            comparados += 1;
            for (celda, columna) in celdas[5..15].iter().zip(COLUMNAS) {
                let letra = letras.as_bytes()[columna];
                let bien = match *celda {
                    "0" => matches!(letra, b'-' | b'N' | b'R'),
                    "1" => matches!(letra, b'R' | b'M' | b'N'),
                    _ => matches!(letra, b'.' | b'R' | b'N'),
                };
                if !bien {
                    distintos.push(format!("{nombre}, column {columna}: {celda} in the paper"));
                }
            }
        }
        assert!(distintos.is_empty(), "{}", distintos.join("\n"));
        assert!(comparados > 120, "{comparados}");
    }

    #[test]
    fn two_rows_of_a_name_share_the_types_between_them() {
        let mut pendientes = vec![documento::CUERPO, boleta::CUERPO];
        while let Some(elementos) = pendientes.pop() {
            for (indice, elemento) in elementos.iter().enumerate() {
                for otro in &elementos[indice + 1..] {
                    if otro.nombre != elemento.nombre {
                        continue;
                    }
                    for columna in 0..elemento.presencia.len() {
                        let dos = [elemento, otro]
                            .iter()
                            .filter(|fila| fila.presencia(columna) != Presencia::OtraFila)
                            .count();
                        assert_eq!(dos, 1, "{} in column {columna}", elemento.nombre);
                    }
                }
                if let Contenido::Seccion(hijos) = elemento.contenido {
                    pendientes.push(hijos);
                }
            }
        }
    }
}
