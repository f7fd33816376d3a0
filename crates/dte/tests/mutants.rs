//! A correct document with one defect: exactly the findings that this defect deserves.
//!
//! The rules' own tables test them alone; here they run together, over the XML, so that one
//! rule's finding doesn't drag nonsense of another behind it.

#[path = "common/xml.rs"]
#[expect(dead_code, reason = "shared with tests that need more of it")]
mod xml;

use dte::Severity::{Error, Info, Warning};
use dte::{Context, Limits, Severity, read_xml, validate};
use jiff::civil::date;
use xml::FACTURA;

type Mutant = (
    &'static str,
    &'static str,
    &'static [(&'static str, Severity)],
);

const MUTANTS: &[Mutant] = &[
    (
        "</Totales>",
        "<MntTotal>1</MntTotal></Totales>",
        &[("DTE-ESTRUCTURA-REPETIDO", Error)],
    ),
    (
        "</Encabezado>",
        "<Totales/></Encabezado>",
        &[("DTE-ESTRUCTURA-REPETIDO", Error)],
    ),
    (
        "</Documento>",
        "<Encabezado/></Documento>",
        &[("DTE-ESTRUCTURA-REPETIDO", Error)],
    ),
    (
        "</Totales>",
        "<Descuento>1</Descuento></Totales>",
        &[("DTE-ESTRUCTURA-DESCONOCIDO", Warning)],
    ),
    ("76192083-9", "76192083-8", &[("DTE-RUT-EMISOR-DV", Error)]),
    (
        "60803000-K",
        "60.803.000-K",
        &[("DTE-RUT-RECEPTOR-FORMA", Error)],
    ),
    (
        "<RUTRecep>60803000-K</RUTRecep>",
        "",
        &[("DTE-RUT-RECEPTOR-AUSENTE", Error)],
    ),
    (
        "<Folio>123</Folio>",
        "<Folio>0</Folio>",
        &[("DTE-FOLIO-RANGO", Error)],
    ),
    ("<Folio>123</Folio>", "", &[("DTE-FOLIO-AUSENTE", Error)]),
    (
        "2026-11-20</FchEmis>",
        "2027-01-01</FchEmis>",
        &[("DTE-FECHA-FUTURA", Error)],
    ),
    (
        "2026-11-20</FchEmis>",
        "2002-01-01</FchEmis>",
        &[
            ("DTE-FECHA-ANTIGUA", Error),
            ("DTE-IVA-TASA", Error),
            ("DTE-IVA-CALCULO", Error),
        ],
    ),
    (
        "2026-11-20</FchEmis>",
        "20-11-2026</FchEmis>",
        &[("DTE-CAMPO-ILEGIBLE", Error)],
    ),
    (
        "<TipoDTE>33<",
        "<TipoDTE>35<",
        &[("DTE-TIPO-DESCONOCIDO", Error)],
    ),
    (
        "<TipoDTE>33<",
        "<TipoDTE>39<",
        &[
            ("DTE-BOLETA-LINEAS-NETAS", Warning),
            ("DTE-REF-BOLETA", Warning),
            ("DTE-CAMPO-INEXISTENTE", Warning), // FmaPago
            ("DTE-CAMPO-INEXISTENTE", Warning), // RznSoc, which is RznSocEmisor there
            ("DTE-CAMPO-FALTA", Error),         // IndServicio
            ("DTE-CAMPO-INEXISTENTE", Warning), // GiroEmis
            ("DTE-CAMPO-INEXISTENTE", Warning), // Acteco
            ("DTE-CAMPO-INEXISTENTE", Warning), // GiroRecep
            ("DTE-CAMPO-INEXISTENTE", Warning), // TasaIVA
            ("DTE-CAMPO-INEXISTENTE", Warning), // FchRef
        ],
    ),
    (
        "<TipoDTE>33<",
        "<TipoDTE>52<",
        &[
            ("DTE-GUIA-TRASLADO-AUSENTE", Error),
            ("DTE-TRANSPORTE-INCOMPLETO", Warning),
        ],
    ),
    (
        "<TipoDTE>33<",
        "<TipoDTE>61<",
        &[("DTE-REF-CODREF-AUSENTE", Error)],
    ),
    (
        "<IVA>2850<",
        "<IVA>2851<",
        &[("DTE-IVA-CALCULO", Info), ("DTE-TOTAL-CALCULO", Info)],
    ),
    (
        "<IVA>2850<",
        "<IVA>2950<",
        &[("DTE-IVA-CALCULO", Error), ("DTE-TOTAL-CALCULO", Error)],
    ),
    (
        "<IVA>2850<",
        "<IVA>28<x/>50<",
        &[("DTE-CAMPO-ILEGIBLE", Error)],
    ),
    ("<IVA>2850<", "<IVA>28<!-- -->50<", &[]),
    ("<IVA>2850</IVA>", "", &[("DTE-IVA-AUSENTE", Error)]),
    (
        "<IVA>2850<",
        "<IVA>2850,0<",
        &[("DTE-CAMPO-ILEGIBLE", Error)],
    ),
    ("<TasaIVA>19<", "<TasaIVA>0.19<", &[("DTE-IVA-TASA", Error)]),
    (
        "<TasaIVA>19</TasaIVA>",
        "",
        &[("DTE-IVA-TASA-AUSENTE", Warning)],
    ),
    (
        "<NroLinDet>1<",
        "<NroLinDet>4<",
        &[("DTE-LINEA-NUMERO-ORDEN", Info)],
    ),
    // Of a section that the model doesn't hold.
    (
        "</IdDoc>",
        "<MntPagos><FchPago>2026-11-20</FchPago><MntPago>1</MntPago><MntPago>2</MntPago></MntPagos></IdDoc>",
        &[("DTE-CAMPO-REPETICIONES", Error)],
    ),
    (
        "<MntNeto>15000</MntNeto>",
        "",
        &[("DTE-NETO-AUSENTE", Error)],
    ),
    (
        "<MntNeto>15000<",
        "<MntNeto>15000.0<",
        &[("DTE-MONTO-DECIMALES", Warning)],
    ),
    (
        "<MntTotal>17850<",
        "<MntTotal>17950<",
        &[("DTE-TOTAL-CALCULO", Error)],
    ),
    (
        "<MntTotal>17850</MntTotal>",
        "",
        &[("DTE-TOTAL-AUSENTE", Error)],
    ),
    (
        "<MontoItem>5000<",
        "<MontoItem>5001<",
        &[("DTE-LINEA-MONTO", Info), ("DTE-NETO-CALCULO", Info)],
    ),
    (
        "<MontoItem>5000<",
        "<MontoItem>5100<",
        &[("DTE-LINEA-MONTO", Error), ("DTE-NETO-CALCULO", Error)],
    ),
    (
        "<MontoItem>5000<",
        "<MontoItem>-5000<",
        &[
            ("DTE-MONTO-NEGATIVO", Error),
            ("DTE-LINEA-MONTO", Error),
            ("DTE-NETO-CALCULO", Error),
        ],
    ),
    (
        "<MontoItem>5000</MontoItem>",
        "",
        &[("DTE-LINEA-MONTO-AUSENTE", Error)],
    ),
    (
        "<QtyItem>10<",
        "<QtyItem>11<",
        &[("DTE-LINEA-MONTO", Error)],
    ),
    ("<QtyItem>10</QtyItem>", "", &[]),
    (
        "<NroLinDet>2<",
        "<NroLinDet>1<",
        &[("DTE-LINEA-NUMERO-REPETIDO", Warning)],
    ),
    (
        "<NroLinDet>2<",
        "<IndExe>1</IndExe><NroLinDet>2<",
        &[
            ("DTE-EXENTO-LINEAS-SIN-MONTO", Error),
            ("DTE-NETO-CALCULO", Error),
        ],
    ),
    (
        "<NroLinDet>2<",
        "<CodImpAdic>24</CodImpAdic><NroLinDet>2<",
        &[("DTE-IMPUESTO-AUSENTE", Warning)],
    ),
    (
        "<FmaPago>2<",
        "<MntBruto>1</MntBruto><FmaPago>2<",
        &[("DTE-NETO-CALCULO", Error)],
    ),
    (
        "<FolioRef>OC-77</FolioRef>",
        "",
        &[("DTE-REF-INCOMPLETA", Warning)],
    ),
    (
        "<FchRef>2026-11-02<",
        "<FchRef>2026-12-02<",
        &[("DTE-REF-FECHA", Warning)],
    ),
    (
        "<NmbItem>Cemento<",
        "<NmbItem>Cañería<",
        &[("DTE-CODIFICACION-DISTINTA", Warning)],
    ),
    (
        "</Encabezado>",
        "</Encabezado><Totales/>",
        &[("DTE-ESTRUCTURA-LUGAR", Error)],
    ),
    (
        "<Referencia>",
        "<DscRcgGlobal><NroLinDR>1</NroLinDR><TpoMov>D</TpoMov><TpoValor>%</TpoValor><ValorDR>10</ValorDR></DscRcgGlobal><Referencia>",
        &[("DTE-NETO-CALCULO", Error)],
    ),
];

#[test]
fn every_mutant_gets_what_it_deserves() {
    let context = Context::emission(date(2026, 11, 22));
    let mut wrong = Vec::new();
    for (from, to, expected) in MUTANTS {
        assert!(FACTURA.contains(from), "{from}");
        let xml = FACTURA.replace(from, to);
        let codes: Vec<(&str, Severity)> = match read_xml(xml.as_bytes(), &Limits::default()) {
            Ok(reading) => validate(&reading.documentos[0], &context)
                .findings
                .iter()
                .map(|finding| (finding.code, finding.severity))
                .collect(),
            Err(error) => vec![(error.code(), Error)],
        };
        if codes != *expected {
            wrong.push(format!("{from} → {to}: {codes:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
