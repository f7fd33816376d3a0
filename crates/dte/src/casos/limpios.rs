//! Correct documents of made-up companies, at least one of each type: what an evaluation makes
//! its mutants of where there are no others, each in its canonical form.

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Limpio {
    /// Its name, without an ending: the type and what is special about it.
    pub nombre: &'static str,
    /// The body, without stamp and signature.
    pub cuerpo: &'static str,
}

macro_rules! limpios {
    ($($nombre:literal),* $(,)?) => {
        /// The documents: each is judged without any finding on a day from 2026-05-15 to
        /// 2026-10-10.
        pub const LIMPIOS: &[Limpio] = &[$(Limpio {
            nombre: $nombre,
            cuerpo: include_str!(concat!("limpios/", $nombre, ".xml")),
        }),*];
    };
}

limpios![
    "110_bienes",
    "110_servicio",
    "111_alza",
    "112_anula",
    "33_bruta",
    "33_licores",
    "33_mixta",
    "33_periodo",
    "33_simple",
    "34_exenta",
    "39_mixta",
    "39_neta",
    "41_exenta",
    "43_liquidacion",
    "46_parcial",
    "46_total",
    "52_interno",
    "52_venta",
    "56_interes",
    "61_anula",
    "61_exenta",
    "61_monto",
    "61_texto",
];

#[cfg(test)]
mod tests {
    use super::LIMPIOS;
    use crate::{Context, Limits, TipoDte, read_xml, validate};
    use jiff::civil::date;

    #[test]
    fn nothing_is_found_in_any_and_every_type_is_there() {
        let mut tipos = Vec::new();
        for limpio in LIMPIOS {
            let reading = read_xml(limpio.cuerpo.as_bytes(), &Limits::default()).unwrap();
            let documento = &reading.documentos[0];
            for context in [
                Context::emission(date(2026, 5, 15)),
                Context::reception(date(2026, 10, 10)),
            ] {
                let report = validate(documento, &context);
                assert_eq!(report.findings, [], "{}", limpio.nombre);
            }
            tipos.push(documento.tipo().unwrap().codigo());
        }
        tipos.sort_unstable();
        tipos.dedup();
        assert_eq!(tipos, TipoDte::TODOS.map(TipoDte::codigo));
    }
}
