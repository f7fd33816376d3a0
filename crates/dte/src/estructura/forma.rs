//! The form that a field's value has.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use crate::model::{Falla, Rut, RutError, recortado};
use crate::valores;

/// The form of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Forma {
    /// Another rule judges it.
    Libre,
    /// Up to so many characters.
    Texto { vacio: bool, maximo: u16 },
    /// One of these.
    Valores(&'static [&'static str]),
    /// A whole number in a range.
    Entero { minimo: i64, maximo: i64 },
    /// A decimal number of at least `minimo` (a mantissa, with `decimales` places).
    Decimal {
        minimo: i64,
        enteros: u32,
        decimales: u32,
    },
    /// A day.
    Fecha,
    /// A time of day.
    Hora,
    /// A RUT without dots.
    Rut,
}

/// Text, which may be empty.
pub(super) const fn texto(maximo: u16) -> Forma {
    let vacio = true;
    Forma::Texto { vacio, maximo }
}

/// Text of at least one character.
pub(super) const fn lleno(maximo: u16) -> Forma {
    let vacio = false;
    Forma::Texto { vacio, maximo }
}

/// A whole number.
pub(super) const fn entero(minimo: i64, maximo: i64) -> Forma {
    Forma::Entero { minimo, maximo }
}

const fn decimal(minimo: i64, enteros: u32, decimales: u32) -> Forma {
    Forma::Decimal {
        minimo,
        enteros,
        decimales,
    }
}

/// 18 digits.
const DIECIOCHO: i64 = 999_999_999_999_999_999;

/// `MontoType`: whole pesos.
pub(super) const MONTO: Forma = entero(0, DIECIOCHO);
/// `MntImpType`: whole pesos, not none.
pub(super) const MONTO_POSITIVO: Forma = entero(1, DIECIOCHO);
/// `Dec12_6Type`: quantities and prices.
pub(super) const CANTIDAD: Forma = decimal(1, 12, 6);
/// `Dec14_4Type`: amounts in another currency.
pub(super) const MONEDA: Forma = decimal(1, 14, 4);
/// `Dec14_4-0Type`: the same, or nothing.
pub(super) const MONEDA_CERO: Forma = decimal(0, 14, 4);
/// `Dec6_4Type`: rates of exchange.
pub(super) const CAMBIO: Forma = decimal(1, 6, 4);
/// `Dec16_2Type`: percentages or amounts.
pub(super) const VALOR: Forma = decimal(1, 16, 2);
/// `PctType`.
pub(super) const PORCENTAJE: Forma = decimal(1, 3, 2);
/// `PctType` of the boleta, where 0 is one.
pub(super) const PORCENTAJE_CERO: Forma = decimal(0, 3, 2);
/// Weights.
pub(super) const PESO: Forma = decimal(0, 8, 2);

const FECHAS: (Date, Date) = (date(2000, 1, 1), date(2050, 12, 31));

impl Forma {
    /// Whether the value may be empty where its element is there.
    pub const fn admite_vacio(self) -> bool {
        matches!(self, Self::Libre | Self::Texto { vacio: true, .. })
    }

    /// What is wrong with a value that isn't empty.
    pub fn revisar(self, valor: &str) -> Option<Falla> {
        match self {
            Self::Libre => None,
            Self::Texto { maximo, .. } => {
                // Bytes are at least as many as characters: most texts need no counting.
                if valor.len() <= usize::from(maximo) {
                    return None;
                }
                let largo = valor.chars().count();
                (largo > usize::from(maximo)).then_some(Falla::Largo { largo, maximo })
            }
            Self::Valores(valores) => (!valores.contains(&valor)).then(|| Falla::Valor {
                texto: recortado(valor),
                valores,
            }),
            Self::Entero { minimo, maximo } => numero(valor, |numero| {
                let fuera = numero.scale() > 0
                    || numero < Decimal::from(minimo)
                    || numero > Decimal::from(maximo);
                fuera.then(|| format!("un entero entre {minimo} y {maximo}"))
            }),
            Self::Decimal {
                minimo,
                enteros,
                decimales,
            } => numero(valor, |numero| {
                let minimo = Decimal::new(minimo, decimales);
                let fuera = numero < minimo
                    || numero.normalize().scale() > decimales
                    || cifras_enteras(numero) > enteros;
                fuera.then(|| {
                    format!(
                        "un número desde {}, con hasta {enteros} enteros y {decimales} decimales",
                        minimo.normalize()
                    )
                })
            }),
            Self::Fecha => fecha(valor),
            Self::Hora => (!es_hora(valor)).then(|| forma(valor, "una hora HH:MM:SS")),
            Self::Rut => rut(valor),
        }
    }
}

fn forma(valor: &str, esperado: &'static str) -> Falla {
    Falla::Forma {
        texto: recortado(valor),
        esperado,
    }
}

fn numero(valor: &str, fuera: impl Fn(Decimal) -> Option<String>) -> Option<Falla> {
    let Some(numero) = valores::decimal(valor) else {
        return Some(forma(valor, "un número"));
    };
    fuera(numero).map(|esperado| Falla::Rango {
        texto: recortado(valor),
        esperado,
    })
}

/// The digits before the point, without zeros in front.
fn cifras_enteras(numero: Decimal) -> u32 {
    let mut resto = numero.abs().trunc().mantissa();
    let mut cifras = 0;
    while resto > 0 {
        resto /= 10;
        cifras += 1;
    }
    cifras
}

fn fecha(valor: &str) -> Option<Falla> {
    let Some(dia) = valores::fecha(valor) else {
        return Some(forma(valor, "una fecha AAAA-MM-DD"));
    };
    (dia < FECHAS.0 || dia > FECHAS.1).then(|| Falla::Rango {
        texto: recortado(valor),
        esperado: format!("una fecha entre {} y {}", FECHAS.0, FECHAS.1),
    })
}

/// `HH:MM:SS`, or without seconds: the schema has them, the paper gives it 5 characters.
fn es_hora(valor: &str) -> bool {
    let mut partes = valor.split(':');
    let mut parte = |tope: u8| {
        partes.next().is_some_and(|dos| {
            dos.len() == 2
                && dos.bytes().all(|b| b.is_ascii_digit())
                && dos.parse::<u8>().is_ok_and(|numero| numero < tope)
        })
    };
    let hora = parte(24) && parte(60);
    let con_segundos = valor.len() > 5;
    hora && (!con_segundos || parte(60)) && partes.next().is_none()
}

fn rut(valor: &str) -> Option<Falla> {
    match Rut::leer(valor) {
        Ok(_) => None,
        Err(RutError::Forma | RutError::Escritura(_)) => {
            Some(forma(valor, "un RUT como 76192083-9, sin puntos"))
        }
        Err(RutError::Rango) => Some(Falla::Rango {
            texto: recortado(valor),
            esperado: "un RUT entre 100000 y 99999999".to_owned(),
        }),
        Err(RutError::Digito { esperado, .. }) => Some(Falla::Digito {
            texto: recortado(valor),
            esperado,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clase(falla: Option<Falla>) -> &'static str {
        match falla {
            None => "",
            Some(Falla::Largo { .. }) => "largo",
            Some(Falla::Valor { .. }) => "valor",
            Some(Falla::Forma { .. }) => "forma",
            Some(Falla::Rango { .. }) => "rango",
            Some(Falla::Digito { .. }) => "digito",
            Some(_) => "otra",
        }
    }

    #[test]
    fn each_form_knows_its_own() {
        for (forma, valor, esperado) in [
            (Forma::Libre, "lo que sea", ""),
            (texto(4), "Unid", ""),
            (texto(4), "años", ""),
            (texto(4), "Unida", "largo"),
            (Forma::Valores(&["1", "2"]), "2", ""),
            (Forma::Valores(&["1", "2"]), "02", "valor"),
            (entero(1, 99), "99", ""),
            (entero(1, 99), "0", "rango"),
            (entero(1, 99), "100", "rango"),
            (entero(1, 99), "9.5", "rango"),
            (entero(1, 99), "nueve", "forma"),
            (MONTO, "999999999999999999", ""),
            (MONTO, "1000000000000000000", "rango"),
            (MONTO, "-1", "rango"),
            (CANTIDAD, "0.000001", ""),
            (CANTIDAD, "999999999999.999999", ""),
            (CANTIDAD, "1.500000000", ""),
            (CANTIDAD, "0", "rango"),
            (CANTIDAD, "0.0000001", "rango"),
            (CANTIDAD, "1000000000000", "rango"),
            (CANTIDAD, "1,5", "forma"),
            (PORCENTAJE_CERO, "0", ""),
            (PORCENTAJE, "0", "rango"),
            (PORCENTAJE, "1000", "rango"),
            (Forma::Fecha, "2026-02-28", ""),
            (Forma::Fecha, "2026-02-29", "forma"),
            (Forma::Fecha, "1999-12-31", "rango"),
            (Forma::Hora, "23:59:59", ""),
            (Forma::Hora, "08:30", ""),
            (Forma::Hora, "24:00:00", "forma"),
            (Forma::Hora, "8:30", "forma"),
            (Forma::Hora, "08:30:00:00", "forma"),
            (Forma::Hora, "08:3\u{e9}", "forma"),
            (Forma::Rut, "76192083-9", ""),
            (Forma::Rut, "76.192.083-9", "forma"),
            (Forma::Rut, "76192083-8", "digito"),
            (Forma::Rut, "99999-9", "rango"),
        ] {
            assert_eq!(clase(forma.revisar(valor)), esperado, "{forma:?} {valor}");
        }
    }
}
