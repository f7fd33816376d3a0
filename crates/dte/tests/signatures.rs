//! Stamps, signatures and covers: signed documents verify, and each defect is told by name.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/firma.rs"]
mod firma;

use dte::casos::taller::IDK;
use dte::firma::{
    ContextoFirma, Firma, FirmaCaf, Firmas, LlavePublica, MotivoFirma, MotivoTimbre, Timbre, Trust,
    verify,
};
use dte::{Context, Limits, Severity};
use firma::{Datos, Llave, archivo, envio, sii, sii_y_xsi};
use jiff::civil::date;

fn trust() -> Trust {
    let sii = Llave::sii();
    Trust::new().with_sii_key(
        IDK,
        LlavePublica::new(&sii.modulo(), &sii.exponente()).unwrap(),
    )
}

fn verificar(bytes: &[u8]) -> Firmas {
    let context = Context::emission(date(2026, 11, 22));
    verify(bytes, &Limits::default(), &trust(), &context).unwrap()
}

fn codigos(firmas: &Firmas) -> Vec<&'static str> {
    let suyos = firmas.documentos.iter().flat_map(|doc| &doc.findings);
    suyos
        .chain(&firmas.findings)
        .map(|finding| finding.code)
        .collect()
}

const VALIDA: Firma = Firma::Verificada(ContextoFirma::Suelto);

#[test]
fn a_signed_document_verifies() {
    let firmas = verificar(&archivo(&firma::dte(&Datos::default(), &sii())));
    let documento = &firmas.documentos[0];
    assert_eq!(codigos(&firmas), Vec::<&str>::new(), "{firmas:#?}");
    assert_eq!(documento.timbre, Timbre::Verificado);
    assert_eq!(documento.caf, FirmaCaf::Verificada);
    assert_eq!(documento.firma, VALIDA);
    assert!(firmas.partes.is_empty());
}

#[test]
fn an_envelope_of_them_verifies() {
    let dtes = vec![firma::dte(&Datos::default(), &sii()); 3];
    let firmas = verificar(&archivo(&envio(&dtes)));
    assert_eq!(codigos(&firmas), Vec::<&str>::new(), "{firmas:#?}");
    assert_eq!(firmas.documentos.len(), 3);
    assert!(firmas.documentos.iter().all(|doc| doc.firma == VALIDA));
    assert_eq!(
        (firmas.partes[0].ruta.as_str(), firmas.partes[0].firma),
        ("EnvioDTE/SetDTE", VALIDA)
    );
}

#[test]
fn line_ends_and_encodings_that_mean_the_same_verify() {
    let raiz = firma::dte(&Datos::default(), &sii());
    let texto = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{raiz}");
    for bytes in [
        texto.replace('\n', "\r\n").into_bytes(),
        format!("\u{feff}{texto}").into_bytes(),
        texto
            .replace("<TmstFirma>", "<!-- x --><TmstFirma>")
            .into_bytes(),
        texto
            .replace("Los Aromos", "L&#111;s Ar<![CDATA[omo]]>s")
            .into_bytes(),
        texto
            .replace(
                "<DTE xmlns=\"http://www.sii.cl/SiiDte\" version=\"1.0\">",
                "<DTE  version = '1.0'\n xmlns='http://www.sii.cl/SiiDte'>",
            )
            .into_bytes(),
    ] {
        let firmas = verificar(&bytes);
        assert_eq!(
            firmas.documentos[0].firma,
            VALIDA,
            "{}",
            bytes.escape_ascii()
        );
        assert_eq!(firmas.documentos[0].timbre, Timbre::Verificado);
    }
}

/// A change to a signed document; the stamp, the signature and the findings that follow.
type Mutante = (
    &'static str,
    &'static str,
    Timbre,
    Firma,
    &'static [&'static str],
);

const CONTENIDO: Firma = Firma::Fallida(MotivoFirma::Contenido);
const CAMPOS: Timbre = Timbre::Fallido(MotivoTimbre::Campos);
const FRMT: Timbre = Timbre::Fallido(MotivoTimbre::Firma);
const BIEN: Timbre = Timbre::Verificado;

#[test]
fn each_defect_is_told_by_name() {
    let original = firma::dte(&Datos::default(), &sii());
    let mutantes: [Mutante; 24] = [
        (
            "<MntTotal>17850<",
            "<MntTotal>17851<",
            CAMPOS,
            CONTENIDO,
            &["DTE-TIMBRE-CAMPO", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<MNT>17850<",
            "<MNT>1785<",
            FRMT,
            CONTENIDO,
            &[
                "DTE-TIMBRE-CAMPO",
                "DTE-TIMBRE-FIRMA",
                "DTE-FIRMA-CONTENIDO",
            ],
        ),
        (
            "<Folio>123<",
            "<Folio>124<",
            CAMPOS,
            CONTENIDO,
            &["DTE-TIMBRE-CAMPO", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<Folio>123<",
            "<Folio>201<",
            CAMPOS,
            CONTENIDO,
            &["DTE-TIMBRE-CAMPO", "DTE-CAF-RANGO", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<TipoDTE>33<",
            "<TipoDTE>34<",
            CAMPOS,
            CONTENIDO,
            &["DTE-TIMBRE-CAMPO", "DTE-CAF-TIPO", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<RUTEmisor>76192083-9<",
            "<RUTEmisor>76543210-3<",
            CAMPOS,
            CONTENIDO,
            &["DTE-TIMBRE-CAMPO", "DTE-CAF-EMISOR", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<RUTRecep>77000111-0<",
            "<RUTRecep>76543210-3<",
            CAMPOS,
            CONTENIDO,
            &["DTE-TIMBRE-CAMPO", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<RznSoc>Ferretería Los",
            "<RznSoc>Pastelería Los",
            BIEN,
            CONTENIDO,
            &["DTE-CAF-RAZON", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<RznSocRecep>Compañía",
            "<RznSocRecep>Otra",
            BIEN,
            CONTENIDO,
            &["DTE-TIMBRE-TEXTO", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<FchEmis>2026-11-20",
            "<FchEmis>2026-11-21",
            CAMPOS,
            CONTENIDO,
            &["DTE-TIMBRE-CAMPO", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<FRMT algoritmo=\"SHA1withRSA\">",
            "<FRMT algoritmo=\"SHA1withRSA\">*",
            Timbre::Fallido(MotivoTimbre::Estructura),
            CONTENIDO,
            &["DTE-TIMBRE-FORMA", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<E>Aw==</E>",
            "<E></E>",
            Timbre::Fallido(MotivoTimbre::Llave),
            CONTENIDO,
            &["DTE-CAF-FIRMA", "DTE-TIMBRE-FORMA", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<D>100<",
            "<D>1<",
            FRMT,
            CONTENIDO,
            &["DTE-CAF-FIRMA", "DTE-TIMBRE-FIRMA", "DTE-FIRMA-CONTENIDO"],
        ),
        (
            "<TSTED>2026-11-20T",
            "<TSTED>2027-11-20T",
            FRMT,
            CONTENIDO,
            &[
                "DTE-TIMBRE-FECHA",
                "DTE-CAF-VENCIDO",
                "DTE-TIMBRE-FIRMA",
                "DTE-FIRMA-CONTENIDO",
            ],
        ),
        (
            "<TSTED>2026-11-20T10:00:00",
            "<TSTED>20/11/2026",
            FRMT,
            CONTENIDO,
            &[
                "DTE-TIMBRE-FECHA",
                "DTE-TIMBRE-FIRMA",
                "DTE-FIRMA-CONTENIDO",
            ],
        ),
        (
            "\n<Emisor>",
            "\n  <Emisor>",
            BIEN,
            Firma::Fallida(MotivoFirma::Espacios),
            &["DTE-FIRMA-ESPACIOS"],
        ),
        (
            "#F123T33",
            "#F124T33",
            BIEN,
            Firma::Fallida(MotivoFirma::Referencia),
            &["DTE-FIRMA-REFERENCIA", "DTE-FIRMA-VALOR"],
        ),
        (
            "<DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1",
            "<DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#md5",
            BIEN,
            Firma::Fallida(MotivoFirma::Algoritmo),
            &["DTE-FIRMA-FORMA"],
        ),
        (
            "<SignatureValue>",
            "<SignatureValue>AAAA",
            BIEN,
            Firma::Fallida(MotivoFirma::Valor),
            &["DTE-FIRMA-VALOR"],
        ),
        (
            "<SignatureValue>",
            "<SignatureValue>*",
            BIEN,
            Firma::Fallida(MotivoFirma::Estructura),
            &["DTE-FIRMA-FORMA"],
        ),
        (
            "<X509Certificate>",
            "<X509Certificate>*",
            BIEN,
            Firma::Fallida(MotivoFirma::Certificado),
            &["DTE-FIRMA-CERTIFICADO"],
        ),
        (
            "<X509Certificate>",
            "<X509Certificate>AAAA",
            BIEN,
            Firma::Fallida(MotivoFirma::Certificado),
            &["DTE-FIRMA-CERTIFICADO"],
        ),
        (
            "<TmstFirma>2026-11",
            "<TmstFirma>2025-11",
            BIEN,
            CONTENIDO,
            &["DTE-FIRMA-CONTENIDO", "DTE-FIRMA-VIGENCIA"],
        ),
        (
            "<Exponent>AQAB",
            "<Exponent>AQAD",
            BIEN,
            Firma::Fallida(MotivoFirma::Valor),
            &["DTE-FIRMA-VALOR", "DTE-FIRMA-LLAVE"],
        ),
    ];
    for (de, a, timbre, firma, esperados) in mutantes {
        assert!(original.contains(de), "{de}");
        // A file without its indentation: white space can be dropped to find the digest.
        let base = if de.starts_with('\n') {
            sin_indentar()
        } else {
            original.clone()
        };
        let de = if base == original {
            de
        } else {
            de.trim_start()
        };
        let firmas = verificar(&archivo(&base.replacen(de, a, 1)));
        let documento = &firmas.documentos[0];
        assert_eq!(codigos(&firmas), esperados, "{a}");
        assert_eq!((documento.timbre, documento.firma), (timbre, firma), "{a}");
    }
}

/// A document that was signed without white space between its elements.
fn sin_indentar() -> String {
    let cuerpo = firma::cuerpo(&Datos::default()).replace(">\n<", "><");
    let firmado = firma::firma("F123T33", &firma::con_espacios(&cuerpo, &sii()));
    format!("<DTE{} version=\"1.0\">{cuerpo}{firmado}</DTE>", sii())
}

#[test]
fn the_amount_of_a_stamp_is_told_with_both_figures() {
    let otro = firma::dte(&Datos::default(), &sii()).replace("<MntTotal>17850", "<MntTotal>20000");
    let firmas = verificar(&archivo(&otro));
    let finding = &firmas.documentos[0].findings[0];
    assert_eq!(
        finding.message,
        "El timbre se hizo por $17.850 y el total del documento es $20.000: la diferencia es de -$2.150."
    );
    assert_eq!(finding.path, "Documento/TED/DD/MNT");
    assert_eq!(finding.sii_code, Some("TED-2-510"));
    assert_eq!(finding.difference, Some((-2150).into()));
}

#[test]
fn the_inherited_namespace_is_told_apart() {
    let casos = [
        (sii(), ContextoFirma::Suelto, None),
        (
            sii_y_xsi(),
            ContextoFirma::Sobre,
            Some(("DTE-FIRMA-CONTEXTO", Severity::Warning)),
        ),
        (
            String::new(),
            ContextoFirma::Ajeno,
            Some(("DTE-FIRMA-NAMESPACE", Severity::Info)),
        ),
    ];
    for (espacios, contexto, esperado) in casos {
        let un_dte = firma::dte(&Datos::default(), &espacios);
        let firmas = verificar(&archivo(&envio(&[un_dte])));
        let documento = &firmas.documentos[0];
        assert_eq!(documento.firma, Firma::Verificada(contexto), "{espacios}");
        let hallado = documento.findings.first().map(|f| (f.code, f.severity));
        assert_eq!(hallado, esperado, "{espacios}");
    }
    // Taken out of its envelope, the namespace that it was signed in is nowhere in the file.
    let suelto = verificar(&archivo(&firma::dte(&Datos::default(), &sii_y_xsi())));
    assert_eq!(
        suelto.documentos[0].firma,
        Firma::Verificada(ContextoFirma::Ajeno)
    );
}

#[test]
fn a_false_declaration_is_told_apart() {
    // Signed by who read UTF-8 as the ISO-8859-1 that the file declares.
    let cuerpo = firma::cuerpo(&Datos::default());
    let leido: String = cuerpo.bytes().map(char::from).collect();
    let firmado = firma::firma("F123T33", &firma::con_espacios(&leido, &sii()));
    let texto = format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<DTE{} version=\"1.0\">{cuerpo}{firmado}</DTE>",
        sii()
    );
    let firmas = verificar(texto.as_bytes());
    assert_eq!(
        firmas.documentos[0].firma,
        Firma::Verificada(ContextoFirma::OtraCodificacion)
    );
    assert_eq!(codigos(&firmas), ["DTE-FIRMA-CODIFICACION"]);
}

#[test]
fn a_caf_lasts_six_months() {
    for (autorizado, esperados) in [
        ("2026-05-20", &[][..]),
        ("2026-05-19", &["DTE-CAF-VENCIDO"][..]),
        ("2018-06-30", &[]),
        ("2026-11-21", &["DTE-TIMBRE-FECHA", "DTE-CAF-FECHA"]),
        ("20-05-2026", &["DTE-TIMBRE-FORMA"]),
    ] {
        let datos = Datos {
            autorizado,
            ..Datos::default()
        };
        let firmas = verificar(&archivo(&firma::dte(&datos, &sii())));
        assert_eq!(codigos(&firmas), esperados, "{autorizado}");
        assert_eq!(firmas.documentos[0].caf, FirmaCaf::Verificada);
    }
}

#[test]
fn a_caf_is_only_as_good_as_the_key_that_is_configured() {
    let bytes = archivo(&firma::dte(&Datos::default(), &sii()));
    let context = Context::emission(date(2026, 11, 22));
    let otra = Llave::caf();
    let otra = LlavePublica::new(&otra.modulo(), &otra.exponente()).unwrap();
    for (trust, esperada) in [
        (Trust::new(), FirmaCaf::SinLlave),
        (
            Trust::new().with_sii_key(300, otra.clone()),
            FirmaCaf::SinLlave,
        ),
        (Trust::new().with_sii_key(IDK, otra), FirmaCaf::Fallida),
        (trust(), FirmaCaf::Verificada),
    ] {
        let firmas = verify(&bytes, &Limits::default(), &trust, &context).unwrap();
        assert_eq!(firmas.documentos[0].caf, esperada);
    }
}

#[test]
fn what_is_missing_is_as_bad_as_the_caller_says() {
    let desnudo = archivo(
        "<EnvioDTE><SetDTE ID=\"S\"><Caratula/><DTE><Documento ID=\"D\"/></DTE></SetDTE></EnvioDTE>",
    );
    let dia = date(2026, 11, 22);
    for (trust, context, severity) in [
        (Trust::new(), Context::emission(dia), Severity::Info),
        (Trust::new(), Context::reception(dia), Severity::Warning),
        (
            Trust::new().with_missing(Severity::Error),
            Context::emission(dia),
            Severity::Error,
        ),
    ] {
        let firmas = verify(&desnudo, &Limits::default(), &trust, &context).unwrap();
        let ausencias = [
            "DTE-TIMBRE-AUSENTE",
            "DTE-FIRMA-AUSENTE",
            "DTE-SOBRE-AUSENTE",
        ];
        let documento = &firmas.documentos[0];
        let todos = documento.findings.iter().chain(&firmas.findings);
        let suyos: Vec<_> = todos.filter(|f| ausencias.contains(&f.code)).collect();
        assert_eq!(suyos.len(), 3);
        assert!(suyos.iter().all(|finding| finding.severity == severity));
        assert_eq!(
            (documento.timbre, documento.firma),
            (Timbre::Ausente, Firma::Ausente)
        );
        assert_eq!(firmas.partes[0].firma, Firma::Ausente);
    }
}

#[test]
fn a_cover_must_fit_its_contents() {
    let original = envio(&[firma::dte(&Datos::default(), &sii())]);
    for (de, a, esperados) in [
        (
            "<NroDTE>1<",
            "<NroDTE>2<",
            &["DTE-SOBRE-FIRMA", "DTE-CARATULA-SUBTOTAL"][..],
        ),
        (
            "<TpoDTE>33<",
            "<TpoDTE>34<",
            &[
                "DTE-SOBRE-FIRMA",
                "DTE-CARATULA-SUBTOTAL",
                "DTE-CARATULA-SUBTOTAL",
            ],
        ),
        (
            "<TpoDTE>33</TpoDTE>",
            "",
            &["DTE-SOBRE-FIRMA", "DTE-CARATULA-SUBTOTAL"],
        ),
        (
            "<RutEmisor>76192083-9<",
            "<RutEmisor>76543210-3<",
            &["DTE-SOBRE-FIRMA", "DTE-CARATULA-EMISOR"],
        ),
        (
            "<RutEnvia>12345678-5<",
            "<RutEnvia>76543210-3<",
            &["DTE-SOBRE-FIRMA", "DTE-SOBRE-TITULAR"],
        ),
        (
            "<RutReceptor>60803000-K<",
            "<RutReceptor>77000111-0<",
            &["DTE-SOBRE-FIRMA", "DTE-CARATULA-RECEPTOR"],
        ),
        (
            "<FchResol>2014-08-22<",
            "<FchResol>22-08-2014<",
            &["DTE-SOBRE-FIRMA", "DTE-CARATULA-RESOLUCION"],
        ),
        (
            "<NroResol>80<",
            "<NroResol>ochenta<",
            &["DTE-SOBRE-FIRMA", "DTE-CARATULA-RESOLUCION"],
        ),
        (
            "<TmstFirmaEnv>2026",
            "<TmstFirmaEnv>2030",
            &["DTE-SOBRE-FIRMA", "DTE-SOBRE-VIGENCIA"],
        ),
    ] {
        assert!(original.contains(de), "{de}");
        let firmas = verificar(&archivo(&original.replacen(de, a, 1)));
        assert_eq!(codigos(&firmas), esperados, "{a}");
        assert_eq!(firmas.partes[0].firma, CONTENIDO);
    }
}

#[test]
fn a_stamp_that_was_written_otherwise_is_told_apart() {
    // Stamped over the white space between its tags, and over UTF-8.
    let cuerpo = firma::cuerpo(&Datos::default());
    let dd = &cuerpo[cuerpo.find("<DD>").unwrap()..cuerpo.find("</DD>").unwrap() + 5];
    let frmt = |bytes: &[u8]| {
        let inicio = cuerpo.find("SHA1withRSA\">").unwrap();
        assert!(inicio > 0);
        let (antes, despues) = cuerpo.rsplit_once("SHA1withRSA\">").unwrap();
        let (_, despues) = despues.split_once('<').unwrap();
        format!(
            "{antes}SHA1withRSA\">{}<{despues}",
            Llave::caf().firmar(bytes)
        )
    };
    for (otro, como) in [
        (frmt(&firma::latin1(dd)), "con los espacios"),
        (frmt(dd.replace(">\n<", "><").as_bytes()), "en UTF-8"),
    ] {
        let firmas = verificar(&archivo(&format!("<DTE{}>{otro}</DTE>", sii())));
        let documento = &firmas.documentos[0];
        assert_eq!(documento.timbre, Timbre::Verificado);
        assert_eq!(documento.findings[0].code, "DTE-TIMBRE-BYTES");
        assert!(documento.findings[0].message.contains(como));
    }
}

#[test]
fn work_is_bounded() {
    // Bodies within bodies, each with a signature over all that is inside.
    let mut nido = String::from("<x>y</x>");
    for _ in 0..14 {
        let firma = firma::firma("N", "otro contenido");
        nido = format!(
            "<DTE><Documento ID=\"N\">{nido}{}</Documento>{firma}</DTE>",
            " ".repeat(9_000)
        );
    }
    let firmas = verificar(&archivo(&nido));
    assert_eq!(firmas.documentos.len(), 14);
    let sin_trabajo = firmas
        .documentos
        .iter()
        .filter(|doc| doc.firma == Firma::Fallida(MotivoFirma::Trabajo));
    assert!(sin_trabajo.count() > 0);
}

#[test]
fn signatures_beyond_the_bound_are_told_and_not_verified() {
    // Beside each other they are one, and apart no more than a cession could have.
    let juntas = "<Signature/>".repeat(20_000);
    let firmas = verificar(&archivo(&format!(
        "<AEC><DTE><Documento/></DTE>{juntas}</AEC>"
    )));
    assert_eq!(firmas.partes.len(), 1);
    let sueltas = "<x><Signature/></x>".repeat(100);
    let firmas = verificar(&archivo(&format!(
        "<AEC><DTE><Documento/></DTE>{sueltas}</AEC>"
    )));
    assert_eq!(firmas.partes.len(), 64);
    assert_eq!(codigos(&firmas).last(), Some(&"DTE-FIRMA-TRABAJO"));
}

#[test]
fn what_has_no_canonical_form_is_an_error() {
    let bytes = archivo("<DTE a=\"b&c\"><Documento ID=\"D\"/></DTE>");
    assert!(dte::read_xml(&bytes, &Limits::default()).is_ok());
    let context = Context::emission(date(2026, 11, 22));
    let error = verify(&bytes, &Limits::default(), &trust(), &context).unwrap_err();
    assert!(error.user_message().contains("mal escrita"), "{error}");
}
