//! Amounts as a Chilean reads them.

use rust_decimal::Decimal;

/// An amount in pesos as it is written in Chile: `$1.234.567`, `-$12`, `$7.383,2233`.
#[must_use]
pub fn pesos(monto: Decimal) -> String {
    format!("{}${}", signo(monto), cifras(monto))
}

/// A number as it is written in Chile, without a currency: `1.234,5`.
#[must_use]
pub fn numero(monto: Decimal) -> String {
    format!("{}{}", signo(monto), cifras(monto))
}

fn signo(monto: Decimal) -> &'static str {
    if monto.is_sign_negative() && !monto.is_zero() {
        "-"
    } else {
        ""
    }
}

/// The digits without a sign, with points for thousands and a comma for decimals.
fn cifras(monto: Decimal) -> String {
    let texto = monto.abs().normalize().to_string();
    let (entero, decimales) = texto.split_once('.').unwrap_or((&texto, ""));
    let mut salida = String::with_capacity(texto.len() + entero.len() / 3 + 1);
    for (indice, cifra) in entero.chars().enumerate() {
        if indice > 0 && (entero.len() - indice).is_multiple_of(3) {
            salida.push('.');
        }
        salida.push(cifra);
    }
    if !decimales.is_empty() {
        salida.push(',');
        salida.push_str(decimales);
    }
    salida
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_in_chile() {
        for (monto, texto) in [
            ("0", "$0"),
            ("-0.0", "$0"),
            ("999", "$999"),
            ("1000", "$1.000"),
            ("1234567", "$1.234.567"),
            ("-1234567.50", "-$1.234.567,5"),
            ("7383.2233", "$7.383,2233"),
        ] {
            assert_eq!(pesos(monto.parse().unwrap()), texto);
        }
        assert_eq!(numero("12500.25".parse().unwrap()), "12.500,25");
    }
}
