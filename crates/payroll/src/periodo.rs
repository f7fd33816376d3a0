//! A month of pay.

use std::fmt;

use jiff::civil::{Date, date};

use crate::texto;

/// A calendar month: what a payslip is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Periodo {
    anio: i16,
    mes: i8,
}

impl Periodo {
    /// A month of the years 1980 (when the AFP began) to 2100; `None` for any other.
    #[must_use]
    pub const fn new(anio: i16, mes: i8) -> Option<Self> {
        if anio >= 1980 && anio <= 2100 && mes >= 1 && mes <= 12 {
            Some(Self { anio, mes })
        } else {
            None
        }
    }

    /// A month that is known to be one, for tables.
    pub(crate) const fn de(anio: i16, mes: i8) -> Self {
        Self { anio, mes }
    }

    /// The month of a day.
    #[must_use]
    pub fn del_dia(dia: Date) -> Option<Self> {
        Self::new(dia.year(), dia.month())
    }

    /// The contract's form, exactly `AAAA-MM`.
    #[must_use]
    pub fn iso(texto: &str) -> Option<Self> {
        let (anio, mes) = texto.split_once('-')?;
        (anio.len() == 4 && mes.len() == 2).then(|| Self::partes(anio, mes))?
    }

    /// As people and systems write it: `2024-06`, `2024-06-30`, `06/2024`, `062024`,
    /// `Junio 2024`, `jun-24` (a year of two digits is of this century).
    #[must_use]
    pub fn leer(texto: &str) -> Option<Self> {
        let plano = texto::plano(texto);
        let partes: Vec<&str> = plano
            .split(' ')
            .filter(|parte| *parte != "de" && *parte != "del")
            .collect();
        match partes.as_slice() {
            [seis] if seis.len() == 6 && cifras(seis) => Self::partes(&seis[2..], &seis[..2])
                .or_else(|| Self::partes(&seis[..4], &seis[4..])),
            [uno, dos] => Self::dos_partes(uno, dos),
            [anio, mes, _dia] if anio.len() == 4 => Self::partes(anio, mes),
            [_dia, mes, anio] => Self::dos_partes(mes, anio),
            _ => None,
        }
    }

    fn dos_partes(uno: &str, dos: &str) -> Option<Self> {
        if let Some(mes) = texto::mes(uno) {
            return Self::new(anio(dos)?, mes);
        }
        if uno.len() == 4 {
            return Self::partes(uno, dos);
        }
        Self::new(anio(dos)?, numero(uno)?)
    }

    fn partes(anio: &str, mes: &str) -> Option<Self> {
        Self::new(self::anio(anio)?, numero(mes)?)
    }

    /// The year.
    #[must_use]
    pub const fn anio(self) -> i16 {
        self.anio
    }

    /// The month, 1 to 12.
    #[must_use]
    pub const fn mes(self) -> i8 {
        self.mes
    }

    /// The first day.
    #[must_use]
    pub fn primer_dia(self) -> Date {
        // Always a day: the constructor holds both within their bounds.
        Date::new(self.anio, self.mes, 1).unwrap_or(date(2000, 1, 1))
    }

    /// The last day.
    #[must_use]
    pub fn ultimo_dia(self) -> Date {
        self.primer_dia().last_of_month()
    }

    /// How many days it has.
    #[must_use]
    pub fn dias(self) -> i8 {
        self.primer_dia().days_in_month()
    }

    /// The month before.
    #[must_use]
    pub const fn anterior(self) -> Self {
        if self.mes == 1 {
            Self {
                anio: self.anio - 1,
                mes: 12,
            }
        } else {
            Self {
                anio: self.anio,
                mes: self.mes - 1,
            }
        }
    }

    /// The month after.
    #[must_use]
    pub const fn siguiente(self) -> Self {
        if self.mes == 12 {
            Self {
                anio: self.anio + 1,
                mes: 1,
            }
        } else {
            Self {
                anio: self.anio,
                mes: self.mes + 1,
            }
        }
    }
}

fn cifras(texto: &str) -> bool {
    !texto.is_empty() && texto.bytes().all(|byte| byte.is_ascii_digit())
}

fn numero(texto: &str) -> Option<i8> {
    (cifras(texto) && texto.len() <= 2).then(|| texto.parse().ok())?
}

fn anio(texto: &str) -> Option<i16> {
    match texto.len() {
        4 if cifras(texto) => texto.parse().ok(),
        2 if cifras(texto) => texto.parse::<i16>().ok().map(|corto| corto + 2000),
        _ => None,
    }
}

impl fmt::Display for Periodo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.anio, self.mes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_as_they_are_written() {
        let junio = Periodo::new(2024, 6);
        for texto in [
            "2024-06",
            "2024-6",
            "2024/06",
            "06/2024",
            "6-2024",
            "062024",
            "202406",
            "Junio 2024",
            "junio de 2024",
            "JUN-24",
            "2024-06-30",
            "30/06/2024",
            "30 de junio de 2024",
        ] {
            assert_eq!(Periodo::leer(texto), junio, "{texto}");
        }
        for texto in [
            "Test Mes",
            "",
            "2024",
            "2024-13",
            "13/2024",
            "mes 6",
            "1900-01",
            "2024-06-30-1",
            "é",
        ] {
            assert_eq!(Periodo::leer(texto), None, "{texto}");
        }
        assert_eq!(Periodo::iso("2024-06"), junio);
        assert_eq!(
            (Periodo::iso("2024-6"), Periodo::iso("2024-06-01")),
            (None, None)
        );
    }

    #[test]
    fn neighbours_and_days() {
        let enero = Periodo::de(2024, 1);
        assert_eq!(enero.anterior(), Periodo::de(2023, 12));
        assert_eq!(enero.anterior().siguiente(), enero);
        assert_eq!(Periodo::de(2024, 2).ultimo_dia(), date(2024, 2, 29));
        assert_eq!(enero.to_string(), "2024-01");
    }
}
