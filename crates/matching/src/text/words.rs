//! Words that say nothing, and words that are written short.

/// What an abbreviation stands for, in the order of the alphabet; nothing for articles,
/// prepositions and the like, and for the word that a piece is counted by. Cut words ("galv",
/// "cem") need no row: comparing prefixes finds them.
const ROWS: [(u64, &str); 127] = [
    (packed("a"), ""),
    (packed("adh"), "adhesivo"),
    (packed("ag"), "agregado"),
    (packed("agr"), "agregado"),
    (packed("al"), ""),
    (packed("az"), "azul"),
    (packed("bca"), "blanco"),
    (packed("bco"), "blanco"),
    (packed("bdja"), "bandeja"),
    (packed("blco"), "blanco"),
    (packed("bls"), "bolsa"),
    (packed("bol"), "bolsa"),
    (packed("bolsas"), "bolsa"),
    (packed("bot"), "botella"),
    (packed("bsa"), "bolsa"),
    (packed("btl"), "botella"),
    (packed("c"), ""),
    (packed("cajas"), "caja"),
    (packed("cert"), "certificado"),
    (packed("cj"), "caja"),
    (packed("cja"), "caja"),
    (packed("cjs"), "caja"),
    (packed("cod"), ""),
    (packed("codigo"), ""),
    (packed("con"), ""),
    (packed("cuch"), "cuchillo"),
    (packed("d"), ""),
    (packed("de"), ""),
    (packed("del"), ""),
    (packed("desc"), "desechable"),
    (packed("desech"), "desechable"),
    (packed("dna"), "docena"),
    (packed("doc"), "docena"),
    (packed("docenas"), "docena"),
    (packed("e"), ""),
    (packed("el"), ""),
    (packed("elec"), "electrico"),
    (packed("en"), ""),
    (packed("fe"), "fierro"),
    (packed("gal"), "galon"),
    (packed("gl"), "galon"),
    (packed("gln"), "galon"),
    (packed("herr"), "herramienta"),
    (packed("hgon"), "hormigon"),
    (packed("horm"), "hormigon"),
    (packed("imp"), "impresora"),
    (packed("inox"), "inoxidable"),
    (packed("inst"), "instalacion"),
    (packed("kgs"), "kg"),
    (packed("kilo"), "kg"),
    (packed("kilos"), "kg"),
    (packed("la"), ""),
    (packed("laptop"), "notebook"),
    (packed("las"), ""),
    (packed("lic"), "licencia"),
    (packed("litro"), "l"),
    (packed("litros"), "l"),
    (packed("lo"), ""),
    (packed("los"), ""),
    (packed("lt"), "l"),
    (packed("lts"), "l"),
    (packed("mant"), "mantencion"),
    (packed("mantto"), "mantencion"),
    (packed("mat"), "material"),
    (packed("metro"), "m"),
    (packed("metros"), "m"),
    (packed("mt"), "m"),
    (packed("mts"), "m"),
    (packed("n"), ""),
    (packed("neg"), "negro"),
    (packed("ngo"), "negro"),
    (packed("ngro"), "negro"),
    (packed("no"), ""),
    (packed("notbook"), "notebook"),
    (packed("nro"), ""),
    (packed("num"), ""),
    (packed("numero"), ""),
    (packed("o"), ""),
    (packed("p"), ""),
    (packed("paq"), "paquete"),
    (packed("paquetes"), "paquete"),
    (packed("para"), ""),
    (packed("pch"), "plancha"),
    (packed("pieza"), ""),
    (packed("piezas"), ""),
    (packed("pl"), "plancha"),
    (packed("pla"), "plancha"),
    (packed("plch"), "plancha"),
    (packed("por"), ""),
    (packed("pq"), "paquete"),
    (packed("pqt"), "paquete"),
    (packed("pqte"), "paquete"),
    (packed("prof"), "profesional"),
    (packed("pte"), "paquete"),
    (packed("pza"), ""),
    (packed("quim"), "quimico"),
    (packed("rl"), "rollo"),
    (packed("rll"), "rollo"),
    (packed("rllo"), "rollo"),
    (packed("s"), ""),
    (packed("saco"), "bolsa"),
    (packed("sacos"), "bolsa"),
    (packed("sc"), "bolsa"),
    (packed("sco"), "bolsa"),
    (packed("segun"), ""),
    (packed("serv"), "servicio"),
    (packed("sin"), ""),
    (packed("ss"), "servicio"),
    (packed("su"), ""),
    (packed("svc"), "servicio"),
    (packed("tab"), "tablero"),
    (packed("tbo"), "tubo"),
    (packed("tor"), "tornillo"),
    (packed("torn"), "tornillo"),
    (packed("trans"), "transporte"),
    (packed("transp"), "transporte"),
    (packed("u"), ""),
    (packed("un"), ""),
    (packed("una"), ""),
    (packed("und"), ""),
    (packed("unid"), ""),
    (packed("unidad"), ""),
    (packed("unidades"), ""),
    (packed("vde"), "verde"),
    (packed("vrde"), "verde"),
    (packed("x"), ""),
    (packed("y"), ""),
];

/// A word of at most eight bytes as a number, in the order of the alphabet.
const fn packed(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let (mut number, mut at) = (0, 0);
    while at < 8 {
        number <<= 8;
        if at < bytes.len() {
            number |= bytes[at] as u64;
        }
        at += 1;
    }
    number
}

/// The word that is meant; itself where the table has no row, `None` where it says nothing.
pub(super) fn canonical(word: &str) -> Option<&str> {
    if word.len() > 8 {
        return Some(if word == "mantenimiento" {
            "mantencion"
        } else {
            word
        });
    }
    let wanted = packed(word);
    let found = ROWS.binary_search_by_key(&wanted, |(short, _)| *short);
    match found.ok().and_then(|at| ROWS.get(at)) {
        Some((_, "")) => None,
        Some((_, long)) => Some(long),
        None => Some(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_leads_to_final_words() {
        assert!(ROWS.is_sorted_by(|a, b| a.0 < b.0));
        for (_, long) in ROWS {
            assert!(long.is_empty() || canonical(long) == Some(long), "{long}");
        }
        assert_eq!(canonical("pqte"), Some("paquete"));
        assert_eq!((canonical("de"), canonical("perno")), (None, Some("perno")));
    }
}
