//! The catalogue as a page for people.

use std::fmt::{self, Write as _};

use super::{Entrada, catalogo, secciones};
use crate::nivel::Level;
use crate::rules::{RULES, RULES_VERSION};
use crate::vigencia::Vigencia;

const INTRODUCCION: &str = "\
# Catálogo de reglas

<!-- Generado por `cargo xtask rules`. No se edita a mano. -->

Lo que el servicio revisa en un documento tributario electrónico: cada código con su gravedad, lo
que el SII probablemente hará, su causa y su remedio.

- **Gravedad** (`severity`): lo que conviene hacer. `error`: no enviar así; `warning`: que alguien
  lo mire; `info`: para saberlo. Una diferencia dentro del redondeo es siempre `info`, y en un
  documento recibido un defecto de forma baja un grado.
- **Nivel**: lo que el SII probablemente hará. `rechazo`: no lo recibe; `reparo`: lo recibe con
  objeción; `aviso`: nada, o un reparo leve. El nivel nunca supera lo que permite la gravedad. Puede
  ser menor: el SII acepta con reparo un total mal sumado, y quien lo recibe no.
- **Código SII**: el que probablemente responderá, donde se ha visto.
- **Vigencia**: las fechas de emisión a las que se aplica la regla; sin ella, todas.
";

/// The whole catalogue in Markdown: what `docs/dte-rules.md` holds.
#[must_use]
pub fn catalogo_markdown() -> String {
    let mut pagina = String::from(INTRODUCCION);
    // Writing to a String can't fail.
    let _ = escribir(&mut pagina);
    pagina
}

fn escribir(pagina: &mut String) -> fmt::Result {
    let cuantos = catalogo().count();
    write!(
        pagina,
        "\nVersión de las reglas: `{RULES_VERSION}`. {} reglas, {cuantos} códigos",
        RULES.len()
    )?;
    for level in Level::TODOS {
        let de_nivel = catalogo().filter(|entrada| entrada.code.level() == level);
        write!(pagina, ", {} de {}", de_nivel.count(), level.as_str())?;
    }
    writeln!(pagina, ".")?;
    for seccion in secciones() {
        writeln!(pagina, "\n## {}\n\n{}", seccion.nombre, seccion.about)?;
        for entrada in catalogo().filter(|entrada| entrada.rule == seccion.nombre) {
            codigo(pagina, &entrada)?;
        }
    }
    Ok(())
}

fn codigo(pagina: &mut String, entrada: &Entrada) -> fmt::Result {
    let code = entrada.code;
    writeln!(pagina, "\n### `{}`\n\n{}.\n", code.code, code.title)?;
    write!(
        pagina,
        "- Gravedad `{}`, nivel `{}`",
        code.severity.as_str(),
        code.level().as_str()
    )?;
    if let Some(sii_code) = code.sii_code {
        write!(pagina, ", código SII `{sii_code}`")?;
    }
    writeln!(pagina)?;
    if let Some(ficha) = entrada.ficha {
        writeln!(pagina, "- Causa: {}", escapado(ficha.causa))?;
        writeln!(pagina, "- Remedio: {}", escapado(ficha.remedio))?;
        if ficha.vigencia != Vigencia::SIEMPRE {
            writeln!(pagina, "- Vigencia: {}", vigencia(ficha.vigencia))?;
        }
    }
    writeln!(pagina, "- Fuente: {}", code.source)
}

/// Element names in angle brackets are no HTML.
fn escapado(texto: &str) -> String {
    texto.replace('<', "&lt;").replace('>', "&gt;")
}

fn vigencia(vigencia: Vigencia) -> String {
    let partes: Vec<String> = [("desde", vigencia.desde), ("hasta", vigencia.hasta)]
        .into_iter()
        .filter_map(|(palabra, dia)| Some(format!("{palabra} el {}", dia?)))
        .collect();
    partes.join(" y ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_page_names_every_code_once() {
        let pagina = catalogo_markdown();
        for entrada in catalogo() {
            let titulo = format!("\n### `{}`\n", entrada.code.code);
            assert_eq!(pagina.matches(&titulo).count(), 1, "{}", entrada.code.code);
        }
        assert!(pagina.contains("- Vigencia: desde el 2026-05-01\n"));
        assert!(!pagina.contains("<Exportaciones>"));
    }

    #[test]
    fn both_ends_of_a_validity_are_said() {
        let ambos = Vigencia {
            desde: Some(date(2025, 1, 1)),
            hasta: Some(date(2025, 12, 31)),
        };
        assert_eq!(vigencia(ambos), "desde el 2025-01-01 y hasta el 2025-12-31");
    }
}
