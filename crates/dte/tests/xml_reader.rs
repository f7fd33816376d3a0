//! The XML reader: what it reads, what it refuses and how it says so, and its bounds.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/xml.rs"]
mod xml;

use dte::{
    Bound, Charset, ClaseDocumento, Context, Envoltorio, Found, Limits, Motivo, NotXml, ReadError,
    ReadErrorKind, Reading, TipoDte, read_xml, validate,
};
use jiff::civil::date;
use xml::{FACTURA, dte, envio};

fn leer(xml: &[u8]) -> Result<Reading, ReadError> {
    read_xml(xml, &Limits::default())
}

fn kind(xml: impl AsRef<[u8]>) -> ReadErrorKind {
    let error = leer(xml.as_ref()).unwrap_err();
    assert!(!error.user_message().is_empty() && !error.code().is_empty());
    error.kind().clone()
}

#[test]
fn a_correct_document_is_read_whole_and_has_no_finding() {
    let reading = leer(FACTURA.as_bytes()).unwrap();
    assert_eq!(reading.envoltorio, Envoltorio::Dte);
    assert_eq!(reading.codificacion.real, Charset::Ascii);
    let [doc] = reading.documentos.as_slice() else {
        unreachable!()
    };
    assert_eq!(doc.tipo(), Some(TipoDte::Factura));
    assert_eq!(doc.id.as_deref(), Some("F123T33"));
    assert_eq!(
        doc.encabezado.emisor.rzn_soc.as_deref(),
        Some("Ferretería Los Aromos & Cía")
    );
    assert_eq!(doc.detalle[0].nmb_item.as_deref(), Some("Tornillos < 3\""));
    assert_eq!(doc.detalle[1].qty_item.valor().unwrap().to_string(), "1.5");
    assert_eq!(doc.referencia[0].folio_ref.as_deref(), Some("OC-77"));
    assert!(doc.lectura.con_ted && doc.lectura.ilegibles.is_empty());
    assert_eq!(
        validate(doc, &Context::emission(date(2026, 11, 22))).findings,
        []
    );
}

#[test]
fn every_wrapping_is_read() {
    let cuerpo = dte()
        .split_once('\n')
        .unwrap()
        .1
        .rsplit_once("</DTE>")
        .unwrap()
        .0
        .trim();
    let exportacion = "<DTE><Exportaciones><Encabezado/></Exportaciones></DTE>";
    let liquidacion = "<DTE><Liquidacion><Encabezado/></Liquidacion></DTE>";
    let casos: [(String, Envoltorio, ClaseDocumento, usize); 8] = [
        (cuerpo.to_owned(), Envoltorio::DocumentoSuelto, ClaseDocumento::Documento, 1),
        (envio(3), Envoltorio::EnvioDte, ClaseDocumento::Documento, 3),
        (envio(1).replace("EnvioDTE", "EnvioBOLETA"), Envoltorio::EnvioBoleta, ClaseDocumento::Documento, 1),
        (format!("<SetDTE>{}</SetDTE>", dte()), Envoltorio::EnvioDte, ClaseDocumento::Documento, 1),
        (
            format!("<AEC><DocumentoAEC><Cesiones><DTECedido><DocumentoDTECedido>{}</DocumentoDTECedido></DTECedido></Cesiones></DocumentoAEC></AEC>", dte()),
            Envoltorio::Aec,
            ClaseDocumento::Documento,
            1,
        ),
        (exportacion.to_owned(), Envoltorio::Dte, ClaseDocumento::Exportaciones, 1),
        (liquidacion.to_owned(), Envoltorio::Dte, ClaseDocumento::Liquidacion, 1),
        (
            "<s:DTE xmlns:s='http://www.sii.cl/SiiDte'><s:Documento><s:Encabezado/></s:Documento></s:DTE>".to_owned(),
            Envoltorio::Dte,
            ClaseDocumento::Documento,
            1,
        ),
    ];
    for (xml, envoltorio, clase, cuantos) in casos {
        let reading = leer(xml.as_bytes()).unwrap();
        assert_eq!(reading.envoltorio, envoltorio);
        assert_eq!(reading.documentos.len(), cuantos);
        assert!(reading.documentos.iter().all(|doc| doc.clase == clase));
    }
}

#[test]
fn the_cover_and_the_place_in_the_envelope_are_kept() {
    let xml = envio(2)
        .replacen("<IVA>2850</IVA>", "<IVA>x</IVA>", 2)
        .replacen("<IVA>x</IVA>", "<IVA>2850</IVA>", 1);
    let reading = leer(xml.as_bytes()).unwrap();
    let caratula = reading.caratula.unwrap();
    assert_eq!(caratula.rut_emisor.as_deref(), Some("76192083-9"));
    assert_eq!(
        caratula.sub_tot_dte,
        [(Some("33".into()), Some("2".into()))]
    );
    let report = validate(
        &reading.documentos[1],
        &Context::emission(date(2026, 11, 22)),
    );
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(
        report.findings[0].path,
        "DTE[2]/Documento/Encabezado/Totales/IVA"
    );
}

#[test]
fn every_encoding_is_read_whatever_it_is_called() {
    let con = |declarada: &str| {
        FACTURA
            .replace("ISO-8859-1", declarada)
            .replace("Cemento", "Cañería “PVC”")
            .into_bytes()
    };
    let latin = |declarada: &str| {
        let texto = FACTURA
            .replace("ISO-8859-1", declarada)
            .replace("Cemento", "Cañería");
        texto
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect::<Vec<u8>>()
    };
    for declarada in ["UTF-8", "ISO-8859-1", "windows-1252"] {
        let reading = leer(&con(declarada)).unwrap();
        assert_eq!(reading.codificacion.real, Charset::Utf8);
        assert_eq!(reading.codificacion.coincide(), declarada == "UTF-8");
        assert_eq!(
            reading.documentos[0].detalle[1].nmb_item.as_deref(),
            Some("Cañería “PVC”")
        );
        let reading = leer(&latin(declarada)).unwrap();
        assert_eq!(reading.codificacion.real, Charset::Iso8859_1);
        assert_eq!(
            reading.documentos[0].detalle[1].nmb_item.as_deref(),
            Some("Cañería")
        );
    }
    let mut bom = vec![0xEF, 0xBB, 0xBF];
    bom.extend(con("utf-8"));
    let reading = leer(&bom).unwrap();
    assert!(reading.codificacion.bom && reading.codificacion.coincide());
}

#[test]
fn what_is_no_tax_document_is_named() {
    let otro = |xml: &str| match kind(xml) {
        ReadErrorKind::OtherXml { found, .. } => found,
        otro => unreachable!("{otro:?}"),
    };
    assert_eq!(kind(b" \n\t"), ReadErrorKind::Empty);
    assert_eq!(otro("<AUTORIZACION><CAF/></AUTORIZACION>"), Found::Caf);
    assert_eq!(otro("<LibroCompraVenta/>"), Found::Libro);
    assert_eq!(otro("<RespuestaDTE/>"), Found::Respuesta);
    assert_eq!(otro("<SII:RESPUESTA xmlns:SII='x'/>"), Found::RespuestaSii);
    assert_eq!(otro("<ConsumoFolios/>"), Found::ConsumoFolios);
    assert_eq!(otro("<soap:Envelope xmlns:soap='x'/>"), Found::Soap);
    assert_eq!(otro("<TED/>"), Found::Firma);
    assert_eq!(otro("<Invoice/>"), Found::FacturaExtranjera);
    assert_eq!(otro("<loquesea/>"), Found::Other);
    for (bytes, que) in [
        (&b"<!DOCTYPE html><html></html>"[..], NotXml::Html),
        (b"<HTML><body>", NotXml::Html),
        (b"%PDF-1.7", NotXml::Pdf),
        (b"PK\x03\x04abc", NotXml::Archive),
        (b"\x1f\x8b\x08", NotXml::Archive),
        (b"{\"tipo_dte\": 33}", NotXml::Json),
        (b"PD94bWwgdmVyc2lvbj0iMS4wIj8+", NotXml::Base64),
        (b"\xFF\xFE<\0", NotXml::Utf16),
        (b"hola", NotXml::Other),
        (b"\0\0\0", NotXml::Other),
    ] {
        assert_eq!(
            kind(bytes),
            ReadErrorKind::NotXml(que),
            "{}",
            bytes.escape_ascii()
        );
    }
    let vacio = "<EnvioDTE><SetDTE/></EnvioDTE>";
    assert_eq!(
        kind(vacio),
        ReadErrorKind::NoDocument {
            root: "EnvioDTE".into()
        }
    );
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_place() {
    for (xml, lugar) in [
        ("<DTE><Documento></DTE>", (1, 17)),
        ("<DTE>\n<Documento>", (2, 12)),
        ("<DTE/><DTE/>", (1, 7)),
        ("<DTE/>texto", (1, 7)),
        ("<DTE>a & b</DTE>", (1, 8)),
        ("<DTE>&#0;</DTE>", (1, 6)),
        ("<DTE", (1, 1)),
    ] {
        match kind(xml) {
            ReadErrorKind::Malformed {
                line,
                column,
                detail,
            } => {
                assert_eq!((line, column), lugar, "{xml}: {detail}");
            }
            otro => unreachable!("{xml}: {otro:?}"),
        }
    }
}

#[test]
fn entities_and_document_types_are_refused() {
    let risas = r#"<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ja"><!ENTITY b "&a;&a;&a;&a;">]><DTE>&b;</DTE>"#;
    assert_eq!(kind(risas), ReadErrorKind::Doctype);
    let externa = r#"<!DOCTYPE d SYSTEM "file:///etc/passwd"><DTE/>"#;
    assert_eq!(kind(externa), ReadErrorKind::Doctype);
    assert_eq!(
        kind("<DTE>&otra;</DTE>"),
        ReadErrorKind::Entity {
            name: "otra".into()
        }
    );
}

#[test]
fn every_bound_holds() {
    let limits = Limits {
        bytes: 4000,
        depth: 5,
        elements: 20,
        items: 9,
        attributes: 3,
        text: 50,
        documents: 2,
    };
    let kind = |xml: &str| {
        read_xml(xml.as_bytes(), &limits)
            .unwrap_err()
            .kind()
            .clone()
    };
    let hondo = format!("{}{}", "<a>".repeat(6), "</a>".repeat(6));
    assert_eq!(kind(&hondo), ReadErrorKind::Limit(Bound::Depth(5)));
    assert_eq!(
        kind(&format!("<a>{}</a>", "<b/>".repeat(20))),
        ReadErrorKind::Limit(Bound::Elements(20))
    );
    assert_eq!(
        kind(&format!(
            "<a>{}{}</a>",
            "<Detalle/>".repeat(6),
            "<Referencia/>".repeat(4)
        )),
        ReadErrorKind::Limit(Bound::Items(9))
    );
    assert_eq!(
        kind("<a b='1' c='2' d='3' e='4'/>"),
        ReadErrorKind::Limit(Bound::Attributes(3))
    );
    assert_eq!(
        kind(&format!("<a>{}</a>", "x".repeat(51))),
        ReadErrorKind::Limit(Bound::Text(50))
    );
    assert_eq!(
        kind(&format!("<a>{}</a>", "&amp;".repeat(51))),
        ReadErrorKind::Limit(Bound::Text(50))
    );
    let doc = "<DTE><Documento/></DTE>";
    assert_eq!(
        kind(&format!("<SetDTE>{}</SetDTE>", doc.repeat(3))),
        ReadErrorKind::Limit(Bound::Documents(2))
    );
    assert_eq!(
        kind(&" ".repeat(4001)),
        ReadErrorKind::TooLarge {
            bytes: 4001,
            limit: 4000
        }
    );
}

#[test]
fn a_file_of_100_megabytes_is_refused_by_its_size() {
    let grande = vec![b'<'; 100 * 1024 * 1024];
    assert!(matches!(kind(&grande), ReadErrorKind::TooLarge { .. }));
}

#[test]
fn a_deep_file_neither_recurses_nor_is_slow_to_be_refused() {
    let limits = Limits {
        depth: usize::MAX,
        ..Limits::default()
    };
    let hondo = format!("<DTE>{}", "<a>".repeat(190_000));
    assert!(matches!(
        read_xml(hondo.as_bytes(), &limits).unwrap_err().kind(),
        ReadErrorKind::Malformed { .. }
    ));
}

#[test]
fn unreadable_and_misplaced_values_are_noted_with_their_path() {
    let xml = FACTURA
        .replace(
            "<Folio>123</Folio>",
            "<Folio>F-123</Folio><MntBruto/><Extra/>",
        )
        .replace(
            "<MontoItem>5000</MontoItem>",
            "<MontoItem>5.000,0</MontoItem><MntBruto>1</MntBruto>",
        );
    let reading = leer(xml.as_bytes()).unwrap();
    let lectura = &reading.documentos[0].lectura;
    let rutas: Vec<&str> = lectura
        .ilegibles
        .iter()
        .map(|nota| nota.ruta.as_str())
        .collect();
    assert_eq!(
        rutas,
        [
            "Documento/Encabezado/IdDoc/Folio",
            "Documento/Detalle[2]/MontoItem"
        ]
    );
    let extranos: Vec<(&str, Motivo)> = lectura
        .extranos
        .iter()
        .map(|nota| (nota.ruta.as_str(), nota.motivo))
        .collect();
    assert_eq!(
        extranos,
        [
            ("Documento/Encabezado/IdDoc/Extra", Motivo::Desconocido),
            ("Documento/Detalle[2]/MntBruto", Motivo::FueraDeLugar)
        ]
    );
    // One finding for each defect (the empty MntBruto is one), and none that follows from it.
    let report = validate(
        &reading.documentos[0],
        &Context::emission(date(2026, 11, 22)),
    );
    assert_eq!(report.findings.len(), 5, "{report:?}");
}

/// Finding each one's place among its brothers would take minutes here.
#[test]
fn a_file_of_garbage_keeps_a_hundred_notes_and_doesn_t_take_the_square_of_its_size() {
    let raro = "<Detalle><MontoItem>x</MontoItem><Raro/></Detalle>";
    let xml = format!("<DTE><Documento>{}</Documento></DTE>", raro.repeat(20_000));
    let reading = leer(xml.as_bytes()).unwrap();
    let doc = &reading.documentos[0];
    assert_eq!(doc.detalle.len(), 20_000);
    assert_eq!(
        (doc.lectura.ilegibles.len(), doc.lectura.extranos.len()),
        (100, 100)
    );
    let report = validate(doc, &Context::emission(date(2026, 11, 22)));
    assert_eq!(report.findings.len(), 500);
}
