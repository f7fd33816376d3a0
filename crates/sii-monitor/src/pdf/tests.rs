//! Small PDFs made here, and the official manuals where they are at hand.

use std::path::Path;

use super::*;

/// A PDF with one page for each list of lines, `(size, x, y, text)`.
fn pdf(pages: &[&[(u32, u32, u32, &str)]]) -> Vec<u8> {
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        String::new(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    let mut kids = String::new();
    for lines in pages {
        let mut stream = String::new();
        for (size, x, y, text) in *lines {
            stream.push_str(&format!(
                "BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n"
            ));
        }
        let page = objects.len() + 1;
        kids.push_str(&format!("{page} 0 R "));
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/Contents {} 0 R>>",
            page + 1
        ));
        objects.push(format!(
            "<</Length {}>>stream\n{stream}\nendstream",
            stream.len()
        ));
    }
    objects[1] = format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len());
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let xref = file.len();
    file.push_str(&format!(
        "xref\n0 {}\n0000000000 65535 f \n",
        offsets.len() + 1
    ));
    for offset in &offsets {
        file.push_str(&format!("{offset:010} 00000 n \n"));
    }
    file.push_str(&format!(
        "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n",
        offsets.len() + 1
    ));
    file.into_bytes()
}

fn texts(text: &PdfText) -> Vec<&str> {
    text.pieces
        .iter()
        .map(|piece| piece.text.as_str())
        .collect()
}

#[test]
fn lines_become_paragraphs_under_headings() {
    let bytes = pdf(&[&[
        (14, 50, 700, "1.- ALCANCE"),
        (10, 50, 680, "Los emisores deben informar"),
        (10, 50, 668, "la patente del veh\\355culo."),
        (10, 50, 640, "Otro p\\341rrafo."),
    ]]);
    let text = read(&bytes, PdfLimits::default()).unwrap();
    assert_eq!(
        texts(&text),
        [
            "1.- ALCANCE",
            "Los emisores deben informar la patente del vehículo.",
            "Otro párrafo."
        ]
    );
    assert_eq!(text.pieces[1].section, ["1.- ALCANCE"]);
    assert!(!text.truncated);
}

#[test]
fn heads_and_feet_of_pages_are_left_out() {
    let page = |foot: &'static str, own: &'static str| {
        let mut lines = vec![(10, 50, 800, "Formato DTE"), (10, 50, 20, foot)];
        lines.extend((0..6).map(|n| (10, 50, 700 - 60 * n, "Valor 10 20 30")));
        lines.push((10, 50, 300, own));
        lines
    };
    let pages = [
        page("Pag. 1 de 4", "uno"),
        page("Pag. 2 de 4", "dos"),
        page("Pag. 3 de 4", "tres"),
        page("Otro pie", "cuatro"),
    ];
    let pages: Vec<&[_]> = pages.iter().map(Vec::as_slice).collect();
    let text = read(&pdf(&pages), PdfLimits::default()).unwrap();
    let texts = texts(&text);
    assert!(
        !texts
            .iter()
            .any(|text| text.contains("Formato") || text.starts_with("Pag."))
    );
    for own in ["uno", "dos", "tres", "cuatro", "Otro pie"] {
        assert!(texts.contains(&own), "{own}: {texts:?}");
    }
    // Rows that every page has stay, but for one of each page at most that stands like a head.
    let rows = texts
        .iter()
        .filter(|text| text.starts_with("Valor"))
        .count();
    assert!(rows >= 4 * 4, "{rows}");
}

#[test]
fn limits_hold() {
    let page: &[(u32, u32, u32, &str)] = &[(10, 50, 700, "hola")];
    let limits = PdfLimits {
        pages: 2,
        ..PdfLimits::default()
    };
    let text = read(&pdf(&[page; 5]), limits).unwrap();
    assert!(text.truncated);
    let none = PdfLimits {
        time: Duration::ZERO,
        ..PdfLimits::default()
    };
    assert_eq!(read(&pdf(&[page]), none), Err(PdfError::Timeout));
}

#[test]
fn what_is_no_pdf_is_an_error_and_no_panic() {
    let good = pdf(&[&[(10, 50, 700, "hola")]]);
    assert!(is_pdf(&good) && !is_pdf(b"<html>"));
    assert_eq!(read(b"", PdfLimits::default()), Err(PdfError::Broken));
    assert_eq!(
        read(b"%PDF-1.4\n", PdfLimits::default()),
        Err(PdfError::Broken)
    );
    assert_eq!(
        read(&pdf(&[&[]]), PdfLimits::default()),
        Err(PdfError::NoText)
    );
    for cut in (0..good.len()).step_by(7) {
        let _ = read(&good[..cut], PdfLimits::default());
        let mut bent = good.clone();
        bent[cut] ^= 0x15;
        let _ = read(&bent, PdfLimits::default());
    }
}

#[tokio::test]
async fn off_the_runtime() {
    let reader = PdfReader::new(PdfLimits::default(), 1);
    let bytes = Bytes::from(pdf(&[&[(10, 50, 700, "hola")]]));
    let text = reader.read(bytes).await.unwrap();
    assert_eq!(texts(&text), ["hola"]);
    assert_eq!(reader.read(Bytes::new()).await, Err(PdfError::Broken));
}

#[test]
fn the_official_manuals_have_text_and_sections() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/manuals");
    let Ok(files) = std::fs::read_dir(folder) else {
        return;
    };
    for file in files.flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        let text = read(&bytes, PdfLimits::default()).unwrap();
        let chars: usize = text.pieces.iter().map(|piece| piece.text.len()).sum();
        let name = file.file_name();
        assert!(chars > 5_000 && !text.truncated, "{name:?}: {chars}");
        assert!(
            text.pieces.iter().any(|piece| !piece.section.is_empty()),
            "{name:?}"
        );
    }
}
