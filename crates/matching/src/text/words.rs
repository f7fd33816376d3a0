//! Words that say nothing, and words that are written short.

/// True for articles, prepositions and the like, and for units that stand alone.
pub(super) fn is_stop(word: &str) -> bool {
    matches!(
        word,
        "a" | "al"
            | "c"
            | "con"
            | "cod"
            | "codigo"
            | "d"
            | "de"
            | "del"
            | "e"
            | "el"
            | "en"
            | "la"
            | "las"
            | "lo"
            | "los"
            | "n"
            | "no"
            | "nro"
            | "num"
            | "numero"
            | "o"
            | "p"
            | "para"
            | "pieza"
            | "piezas"
            | "por"
            | "pza"
            | "s"
            | "segun"
            | "sin"
            | "su"
            | "u"
            | "un"
            | "una"
            | "und"
            | "unid"
            | "unidad"
            | "unidades"
            | "x"
            | "y"
    )
}

/// What an abbreviation stands for; itself where it is none. Cut words ("galv", "cem") need
/// no entry: comparing prefixes finds them.
pub(super) fn canonical(word: &str) -> &str {
    match word {
        "adh" => "adhesivo",
        "ag" | "agr" => "agregado",
        "az" => "azul",
        "bca" | "bco" | "blco" => "blanco",
        "bls" | "bsa" | "bol" | "sco" | "sc" | "saco" | "sacos" | "bolsas" => "bolsa",
        "bdja" => "bandeja",
        "bot" | "btl" => "botella",
        "cert" => "certificado",
        "cj" | "cja" | "cjs" | "cajas" => "caja",
        "cuch" => "cuchillo",
        "desc" | "desech" => "desechable",
        "doc" | "dna" | "docenas" => "docena",
        "elec" => "electrico",
        "fe" => "fierro",
        "gl" | "gal" | "gln" => "galon",
        "herr" => "herramienta",
        "hgon" | "horm" => "hormigon",
        "imp" => "impresora",
        "inox" => "inoxidable",
        "inst" => "instalacion",
        "kgs" | "kilo" | "kilos" => "kg",
        "lic" => "licencia",
        "lts" | "lt" | "litro" | "litros" => "l",
        "mant" | "mantto" => "mantencion",
        "mantenimiento" => "mantencion",
        "mat" => "material",
        "mts" | "mt" | "metro" | "metros" => "m",
        "ngo" | "ngro" | "neg" => "negro",
        "notbook" | "laptop" => "notebook",
        "pch" => "plancha",
        "pl" | "plch" | "pla" => "plancha",
        "pqt" | "pqte" | "paq" | "pq" | "pte" | "paquetes" => "paquete",
        "prof" => "profesional",
        "quim" => "quimico",
        "rll" | "rllo" | "rl" => "rollo",
        "serv" | "svc" | "ss" => "servicio",
        "tab" => "tablero",
        "tbo" => "tubo",
        "tor" | "torn" => "tornillo",
        "trans" | "transp" => "transporte",
        "vde" | "vrde" => "verde",
        _ => word,
    }
}
