//! The Chilean tax id (RUT): body, hyphen, check digit.

use std::fmt;

/// A RUT whose form and check digit are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rut {
    cuerpo: u32,
}

/// What is wrong with a text that should be a RUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RutError {
    /// Not `NNNNNNNN-D` (7 or 8 digits with the leading zeros gone, hyphen, 0–9 or `K`).
    Forma,
    /// Right but for how it is written: dots, a lower-case `k`, no hyphen, zeros in front.
    Escritura(Rut),
    /// The body is out of 100.000 to 99.999.999 (source: formato DTE, campo RUTEmisor).
    Rango,
    /// The check digit is another one; holds what the body asks for.
    Digito {
        /// The digit that belongs to the body.
        esperado: char,
    },
}

/// The tax service itself.
pub const RUT_SII: &str = "60803000-K";
/// The receiver of an export document or of a sale to a tourist.
pub const RUT_EXTRANJERO: &str = "55555555-5";
/// The receiver of a boleta who isn't named.
pub const RUT_BOLETA: &str = "66666666-6";

impl Rut {
    /// Reads a RUT written exactly as the tax service asks: no dots, a hyphen, a capital `K`.
    ///
    /// # Errors
    ///
    /// [`RutError`], most telling first: a form that can't be read, a range, a digit, and
    /// last a RUT that is right but written otherwise.
    pub fn leer(texto: &str) -> Result<Self, RutError> {
        let (cuerpo, digito, exacto) = partes(texto).ok_or(RutError::Forma)?;
        if !(100_000..=99_999_999).contains(&cuerpo) {
            return Err(RutError::Rango);
        }
        let esperado = digito_verificador(cuerpo);
        if digito != esperado {
            return Err(RutError::Digito { esperado });
        }
        let rut = Self { cuerpo };
        if exacto {
            Ok(rut)
        } else {
            Err(RutError::Escritura(rut))
        }
    }

    /// The number before the hyphen.
    #[must_use]
    pub const fn cuerpo(self) -> u32 {
        self.cuerpo
    }

    /// The check digit, `0` to `9` or `K`.
    #[must_use]
    pub fn digito(self) -> char {
        digito_verificador(self.cuerpo)
    }
}

impl fmt::Display for Rut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.cuerpo, self.digito())
    }
}

/// Modulo 11 with the weights 2 to 7 from the right; 11 is `0`, 10 is `K` (formato DTE).
#[must_use]
pub fn digito_verificador(cuerpo: u32) -> char {
    let mut resto = cuerpo;
    let mut peso = 2;
    let mut suma = 0;
    while resto > 0 {
        suma += resto % 10 * peso;
        resto /= 10;
        peso = if peso == 7 { 2 } else { peso + 1 };
    }
    match 11 - suma % 11 {
        11 => '0',
        10 => 'K',
        digito => char::from_digit(digito, 10).unwrap_or('0'),
    }
}

/// Body, digit, and whether it is written exactly as it must be.
fn partes(texto: &str) -> Option<(u32, char, bool)> {
    let mut cuerpo: u32 = 0;
    let mut cifras = 0;
    let mut exacto = true;
    let (antes, digito) = match texto.rsplit_once('-') {
        Some((antes, despues)) => (antes, un_caracter(despues)?),
        None => {
            exacto = false;
            let digito = texto.chars().next_back()?;
            (&texto[..texto.len() - digito.len_utf8()], digito)
        }
    };
    for caracter in antes.chars() {
        match caracter {
            '0'..='9' => {
                exacto &= cifras > 0 || caracter != '0';
                cifras += 1;
                cuerpo = cuerpo
                    .checked_mul(10)?
                    .checked_add(caracter.to_digit(10)?)?;
            }
            '.' if cifras > 0 => exacto = false,
            _ => return None,
        }
    }
    exacto &= digito != 'k';
    let digito = digito.to_ascii_uppercase();
    let valido = cifras > 0 && cifras <= 9 && (digito.is_ascii_digit() || digito == 'K');
    valido.then_some((cuerpo, digito, exacto))
}

fn un_caracter(texto: &str) -> Option<char> {
    let mut caracteres = texto.chars();
    let primero = caracteres.next()?;
    caracteres.next().is_none().then_some(primero)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_ruts_are_read() {
        for texto in [
            "76192083-9",
            RUT_SII,
            RUT_EXTRANJERO,
            RUT_BOLETA,
            "8502927-4",
            "6341301-1",
        ] {
            assert_eq!(
                Rut::leer(texto).map(|rut| rut.to_string()),
                Ok(texto.into())
            );
        }
    }

    #[test]
    fn other_spellings_are_told_from_errors() {
        for texto in ["76.192.083-9", "761920839", "076192083-9", "60803000-k"] {
            assert!(
                matches!(Rut::leer(texto), Err(RutError::Escritura(_))),
                "{texto}"
            );
        }
        for texto in [
            "",
            "-",
            "XXXXXXX-3",
            "12-3456789",
            "1e7-3",
            "76192083-",
            "-9",
            "ñ",
            "76192083-99",
            "9999999999-1",
            ".-1",
        ] {
            assert_eq!(Rut::leer(texto), Err(RutError::Forma), "{texto}");
        }
        assert_eq!(
            Rut::leer("12345678-9"),
            Err(RutError::Digito { esperado: '5' })
        );
        assert_eq!(
            Rut::leer("76.123.456-7"),
            Err(RutError::Digito { esperado: '0' })
        );
        assert_eq!(Rut::leer("99999-0"), Err(RutError::Rango));
        assert_eq!(Rut::leer("100000000-4"), Err(RutError::Rango));
    }
}
