//! The tables of the format against whole documents: each defect is found once, where it is.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/xml.rs"]
#[expect(dead_code, reason = "shared with tests that need more of it")]
mod xml;

use std::collections::BTreeSet;
use std::path::Path;

use dte::Severity::{Error, Info, Warning};
use dte::{Context, Finding, Level, Limits, Severity, read_xml, validate};
use jiff::civil::date;
use xml::FACTURA;

type Hallazgo = (&'static str, Severity, &'static str);
/// A part of the correct factura, what takes its place, and what is then found, below
/// `Documento/`.
type Mutante = (&'static str, String, &'static [Hallazgo]);

fn hallazgos(xml: &str) -> Vec<Finding> {
    let context = Context::emission(date(2026, 11, 22));
    let reading = read_xml(xml.as_bytes(), &Limits::default()).unwrap();
    reading
        .documentos
        .iter()
        .flat_map(|documento| validate(documento, &context).findings)
        .collect()
}

fn comparar(documento: &str, mutantes: &[Mutante]) {
    let mut errores = Vec::new();
    for (de, a, esperado) in mutantes {
        assert!(documento.contains(de), "{de}");
        let hallados = hallazgos(&documento.replacen(de, a, 1));
        let hallados: Vec<(&str, Severity, &str)> = hallados
            .iter()
            .map(|uno| (uno.code, uno.severity, uno.path.as_str()))
            .map(|(code, severity, path)| {
                let path = path.strip_prefix("Documento/").unwrap_or(path);
                (code, severity, path)
            })
            .collect();
        if hallados != *esperado {
            errores.push(format!("{de} → {a}: {hallados:?}, not {esperado:?}"));
        }
    }
    assert!(errores.is_empty(), "{}", errores.join("\n"));
}

/// One element after another.
fn tras(de: &'static str, mas: &str, esperado: &'static [Hallazgo]) -> Mutante {
    (de, format!("{de}{mas}"), esperado)
}

fn por(de: &'static str, a: &str, esperado: &'static [Hallazgo]) -> Mutante {
    (de, a.to_owned(), esperado)
}

#[test]
fn what_is_missing_is_an_error_where_the_schema_asks_for_it() {
    comparar(
        FACTURA,
        &[
            por(
                "<Acteco>475201</Acteco>",
                "",
                &[("DTE-CAMPO-FALTA", Error, "Encabezado/Emisor/Acteco")],
            ),
            por(
                "<GiroEmis>Venta de materiales</GiroEmis>",
                "<GiroEmis/>",
                &[("DTE-CAMPO-FALTA", Error, "Encabezado/Emisor/GiroEmis")],
            ),
            por(
                "<NmbItem>Cemento</NmbItem>",
                "",
                &[("DTE-CAMPO-FALTA", Error, "Detalle[2]/NmbItem")],
            ),
            por(
                "<FchRef>2026-11-02</FchRef>",
                "",
                &[("DTE-CAMPO-FALTA", Error, "Referencia[1]/FchRef")],
            ),
            tras(
                "<NroLinDet>2</NroLinDet>",
                "<CdgItem><TpoCodigo>INT1</TpoCodigo></CdgItem>",
                &[("DTE-CAMPO-FALTA", Error, "Detalle[2]/CdgItem/VlrCodigo")],
            ),
            por(
                "<GiroRecep>Servicios</GiroRecep>",
                "",
                &[(
                    "DTE-CAMPO-OBLIGATORIO",
                    Warning,
                    "Encabezado/Receptor/GiroRecep",
                )],
            ),
            por(
                "<CmnaOrigen>Talca</CmnaOrigen>",
                "",
                &[(
                    "DTE-CAMPO-OBLIGATORIO",
                    Warning,
                    "Encabezado/Emisor/CmnaOrigen",
                )],
            ),
        ],
    );
}

#[test]
fn lengths_values_forms_and_ranges() {
    comparar(
        FACTURA,
        &[
            // 80 characters of two bytes each.
            por(
                "<NmbItem>Cemento<",
                &format!("<NmbItem>{}<", "&#241;".repeat(80)),
                &[],
            ),
            por(
                "<NmbItem>Cemento<",
                &format!("<NmbItem>{}<", "x".repeat(81)),
                &[("DTE-CAMPO-LARGO", Warning, "Detalle[2]/NmbItem")],
            ),
            por(
                "<FmaPago>2<",
                "<FmaPago>4<",
                &[("DTE-CAMPO-VALOR", Error, "Encabezado/IdDoc/FmaPago")],
            ),
            // 4 exists in exports only.
            tras(
                "</FchEmis>",
                "<IndServicio>4</IndServicio>",
                &[("DTE-CAMPO-VALOR", Error, "Encabezado/IdDoc/IndServicio")],
            ),
            tras(
                "<NmbItem>Cemento</NmbItem>",
                "<QtyRef>0</QtyRef>",
                &[("DTE-CAMPO-RANGO", Warning, "Detalle[2]/QtyRef")],
            ),
            tras(
                "<PrcItem>3333</PrcItem>",
                "<DescuentoMonto>0</DescuentoMonto>",
                &[("DTE-CAMPO-RANGO", Warning, "Detalle[2]/DescuentoMonto")],
            ),
            tras(
                "</Receptor>",
                "<Transporte><RUTTrans>76.192.083-9</RUTTrans></Transporte>",
                &[("DTE-CAMPO-FORMA", Error, "Encabezado/Transporte/RUTTrans")],
            ),
            tras(
                "</Receptor>",
                "<Transporte><RUTTrans>76192083-1</RUTTrans></Transporte>",
                &[(
                    "DTE-CAMPO-DIGITO",
                    Warning,
                    "Encabezado/Transporte/RUTTrans",
                )],
            ),
            tras(
                "</Receptor>",
                "<Transporte><HraSalida>25:00:00</HraSalida></Transporte>",
                &[("DTE-CAMPO-FORMA", Error, "Encabezado/Transporte/HraSalida")],
            ),
            tras(
                "</FmaPago>",
                "<FchCancel/>",
                &[("DTE-CAMPO-VACIO", Warning, "Encabezado/IdDoc/FchCancel")],
            ),
            // Text may be empty where the schema doesn't say otherwise.
            tras("</CmnaOrigen>", "<CiudadOrigen></CiudadOrigen>", &[]),
        ],
    );
}

#[test]
fn repetition_and_what_other_types_have() {
    let acteco = "<Acteco>475202</Acteco>";
    let codigo = "<CdgItem><TpoCodigo>INT1</TpoCodigo><VlrCodigo>7</VlrCodigo></CdgItem>";
    let telefono = "<Telefono>+56 71 1</Telefono>";
    comparar(
        FACTURA,
        &[
            tras("</Acteco>", &acteco.repeat(3), &[]),
            // Seen in an accepted document.
            tras(
                "</Acteco>",
                &acteco.repeat(4),
                &[(
                    "DTE-CAMPO-REPETICIONES",
                    Warning,
                    "Encabezado/Emisor/Acteco",
                )],
            ),
            tras("</GiroEmis>", &telefono.repeat(2), &[]),
            tras(
                "</GiroEmis>",
                &telefono.repeat(3),
                &[(
                    "DTE-CAMPO-REPETICIONES",
                    Error,
                    "Encabezado/Emisor/Telefono",
                )],
            ),
            tras("</NroLinDet>", &codigo.repeat(5), &[]),
            tras(
                "</NroLinDet>",
                &codigo.repeat(6),
                &[("DTE-CAMPO-REPETICIONES", Error, "Detalle[1]/CdgItem")],
            ),
            tras(
                "</FchEmis>",
                "<IndNoRebaja>1</IndNoRebaja>",
                &[("DTE-CAMPO-AJENO", Info, "Encabezado/IdDoc/IndNoRebaja")],
            ),
            tras(
                "</FchEmis>",
                "<IndMntNeto>2</IndMntNeto>",
                &[(
                    "DTE-CAMPO-INEXISTENTE",
                    Warning,
                    "Encabezado/IdDoc/IndMntNeto",
                )],
            ),
        ],
    );
}

#[test]
fn characters_that_a_latin_file_can_t_hold() {
    comparar(
        FACTURA,
        &[
            por(
                "<NmbItem>Cemento<",
                "<NmbItem>Ca&#241;er&#237;a &#189;<",
                &[],
            ),
            por(
                "<NmbItem>Cemento<",
                "<NmbItem>Cemento &#x201C;Bio&#x201D;<",
                &[("DTE-CARACTER-LATIN", Error, "Detalle[2]/NmbItem")],
            ),
            por(
                "<NmbItem>Cemento<",
                "<NmbItem>Ce&#x85;mento<",
                &[("DTE-CARACTER-CONTROL", Warning, "Detalle[2]/NmbItem")],
            ),
            // In a file that is UTF-8 and says otherwise, which of the two is meant nobody knows.
            por(
                "<NmbItem>Cemento<",
                "<NmbItem>Cemento 😀<",
                &[
                    ("DTE-CODIFICACION-DISTINTA", Warning, "Documento"),
                    ("DTE-CARACTER-LATIN", Warning, "Detalle[2]/NmbItem"),
                ],
            ),
        ],
    );
}

/// A stamp and a signature hold names and text of their own, of which the tables say nothing.
#[test]
fn stamp_and_signature_are_left_alone() {
    let sobre = FACTURA.replace(
        "</Documento>",
        "</Documento><Signature><KeyName>&#x201C;x&#x201D;</KeyName></Signature>",
    );
    assert_eq!(hallazgos(&sobre), []);
    let timbre = FACTURA.replace("<RE>76192083-9</RE>", "<RE>x</RE><IT1>&#x201C;</IT1>");
    assert_eq!(hallazgos(&timbre), []);
}

/// By the rules of its own day: wood's destination is part of the format since February 2026.
#[test]
fn presence_has_a_date() {
    let madera = "<ManejoMadera><ComunaRolOrigen>1</ComunaRolOrigen><MnzRolOrigen>1</MnzRolOrigen>\
        <PrdRolOrigen>1</PrdRolOrigen><CodPlanConaf>A</CodPlanConaf>\
        <LatitudOrigenMadera>1</LatitudOrigenMadera><LongitudOrigenMadera>1</LongitudOrigenMadera>\
        <SistemareferenciaMadera>1</SistemareferenciaMadera></ManejoMadera>";
    let con = |dia: &str| {
        let xml = FACTURA
            .replace("</Referencia>", &format!("</Referencia>{madera}"))
            .replace("2026-11-20</FchEmis>", &format!("{dia}</FchEmis>"));
        let faltas = hallazgos(&xml);
        faltas
            .iter()
            .filter(|finding| finding.code == "DTE-CAMPO-OBLIGATORIO")
            .count()
    };
    assert_eq!((con("2026-02-15"), con("2026-02-16")), (0, 5));
}

/// Garbage of a section's size makes no more notes than a report can use, in time that grows
/// with its size.
#[test]
fn a_document_of_defects_is_bounded() {
    let linea = "<Detalle><NroLinDet>0</NroLinDet><UnmdItem>Unidades</UnmdItem></Detalle>";
    let xml = FACTURA.replacen(
        "<Referencia>",
        &format!("{}<Referencia>", linea.repeat(19_900)),
        1,
    );
    let reading = read_xml(xml.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(reading.documentos[0].lectura.desajustes.len(), 100);
}

/// Rejections in a document that the index holds for clean: file, code, and why it is right.
/// The index only compares figures.
const RECHAZOS_CON_RAZON: &[(&str, &str, &str)] = &[
    ("p044.xml", "DTE-ESTRUCTURA-LUGAR", MONTO_BRUTO),
    ("p074.xml", "DTE-TIPO-CUERPO", EXPORTACION),
    ("p076.xml", "DTE-TIPO-CUERPO", EXPORTACION),
    ("p110.xml", "DTE-LINEAS-AUSENTES", SIN_LINEAS),
    ("p113.xml", "DTE-LINEAS-AUSENTES", SIN_LINEAS),
    ("p120.xml", "DTE-LINEAS-AUSENTES", SIN_LINEAS),
];
const MONTO_BRUTO: &str = "a boleta with MntBruto in its lines, which no schema has there";
const EXPORTACION: &str = "exports in Documento, whose schema knows only 33, 34, 46, 52, 56 and 61: drafts of a generator";
const SIN_LINEAS: &str = "guías without a single Detalle, of which the schema asks for one";

#[test]
fn no_real_clean_document_would_be_rejected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dte");
    if !folder.is_dir() {
        eprintln!("the collected documents aren't here: nothing was tested");
        return;
    }
    let context = Context::emission(date(2026, 11, 22));
    let index = std::fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let limpios: BTreeSet<&str> = index
        .lines()
        .skip(1)
        .filter(|line| line.split('\t').nth(3).unwrap_or_default().is_empty())
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert!(limpios.len() > 50, "{}", limpios.len());
    let mut rechazos = Vec::new();
    for file in limpios {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let Ok(reading) = read_xml(&bytes, &Limits::default()) else {
            continue;
        };
        for documento in &reading.documentos {
            let findings = validate(documento, &context).findings;
            rechazos.extend(
                findings
                    .into_iter()
                    .filter(|finding| finding.level() == Level::Rechazo)
                    .filter(|finding| {
                        !RECHAZOS_CON_RAZON
                            .iter()
                            .any(|(name, code, _)| *name == file && *code == finding.code)
                    })
                    .map(|finding| format!("{file}: {} {}", finding.code, finding.message)),
            );
        }
    }
    assert!(rechazos.is_empty(), "{}", rechazos.join("\n"));
    for (file, code, razon) in RECHAZOS_CON_RAZON {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let reading = read_xml(&bytes, &Limits::default()).unwrap();
        let sigue = reading.documentos.iter().any(|documento| {
            let findings = validate(documento, &context).findings;
            findings.iter().any(|finding| finding.code == *code)
        });
        assert!(
            sigue,
            "{file}, {code}: nothing to explain any more: {razon}"
        );
    }
}
