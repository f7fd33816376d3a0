//! The catalogue of the rules as a page for people: `docs/payroll-rules.md`.

use std::fmt::{self, Write as _};

use crate::report::Code;
use crate::rules::{RULES, RULES_VERSION};

const INTRODUCCION: &str = "\
# Catálogo de reglas de liquidaciones

<!-- Generado por `cargo xtask rules`. No se edita a mano. -->

Lo que el servicio revisa en una liquidación de remuneraciones: cada código con su gravedad, su
fuente y su remedio.

- **Gravedad** (`severity`): `error`: no pagar así; `warning`: que alguien lo mire; `info`: para
  saberlo. Una diferencia de un peso es siempre `info`. La que se muestra es la usual: baja donde
  falta un dato para estar seguro, y el mensaje lo dice.
- Las cifras de cada mes (UF, UTM, topes, tasas, tramos) son los indicadores del mes. De un mes o
  una cifra que no se conoce se dice, y lo que depende de ella no se revisa.
";

/// The whole catalogue in Markdown.
#[must_use]
pub fn catalogo_markdown() -> String {
    let mut pagina = String::from(INTRODUCCION);
    // Writing to a String can't fail.
    let _ = escribir(&mut pagina);
    pagina
}

fn escribir(pagina: &mut String) -> fmt::Result {
    let cuantos: usize = RULES.iter().map(|rule| rule.codes.len()).sum();
    writeln!(
        pagina,
        "\nVersión de las reglas: `{RULES_VERSION}`. {} reglas, {cuantos} códigos.",
        RULES.len()
    )?;
    for rule in RULES {
        writeln!(pagina, "\n## {}\n\n{}", rule.name, rule.about)?;
        for code in rule.codes {
            codigo(pagina, code)?;
        }
    }
    Ok(())
}

fn codigo(pagina: &mut String, code: &Code) -> fmt::Result {
    writeln!(pagina, "\n### `{}`\n\n{}.\n", code.code, code.title)?;
    writeln!(pagina, "- Gravedad `{}`", code.severity.as_str())?;
    writeln!(pagina, "- Remedio: {}", code.remedio)?;
    writeln!(pagina, "- Fuente: {}", code.source)
}
