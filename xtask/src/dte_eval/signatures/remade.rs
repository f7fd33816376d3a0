//! What was wrong already when a document was stamped and signed.

use dte::casos::taller::{Llave, Papel, Sobre, archivo, sii_y_xsi};
use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

use super::{Base, Class};

const fn class(
    name: &'static str,
    codes: &'static [&'static str],
    mutate: fn(&Base) -> Option<Vec<u8>>,
) -> Class {
    Class {
        name,
        codes,
        mutate,
    }
}

/// Every class.
pub const CLASSES: &[Class] = &[
    class("folio-bajo-el-caf", &["DTE-CAF-RANGO"], |base| {
        remade(base, |paper| {
            let folio = paper.timbre.folio;
            paper.caf.rango = (folio + 1, folio + 50);
            Some(())
        })
    }),
    class("folio-sobre-el-caf", &["DTE-CAF-RANGO"], |base| {
        remade(base, |paper| {
            let folio = paper.timbre.folio;
            paper.caf.rango = (1, folio - 1);
            Some(())
        })
    }),
    class("caf-de-otro-tipo", &["DTE-CAF-TIPO"], |base| {
        remade(base, |paper| {
            paper.caf.tipo = if paper.caf.tipo == 33 { 34 } else { 33 };
            Some(())
        })
    }),
    class("caf-de-otro-emisor", &["DTE-CAF-EMISOR"], |base| {
        remade(base, |paper| {
            paper.caf.emisor = "99500840-8".to_owned();
            Some(())
        })
    }),
    class("caf-vencido", &["DTE-CAF-VENCIDO"], |base| {
        remade(base, |paper| {
            paper.caf.autorizado = moved(&paper.timbre.fecha, 7.months().days(1), -1)?;
            Some(())
        })
    }),
    class("caf-posterior", &["DTE-CAF-FECHA"], |base| {
        remade(base, |paper| {
            paper.caf.autorizado = moved(&paper.timbre.fecha, 2.days(), 1)?;
            Some(())
        })
    }),
    class("caf-falso", &["DTE-CAF-FIRMA"], |base| {
        remade(base, |paper| {
            paper.llave_sii = Llave::caf();
            Some(())
        })
    }),
    class("caf-otra-razon", &["DTE-CAF-RAZON"], |base| {
        remade(base, |paper| {
            paper.caf.razon = "Otra Sociedad Imaginaria SpA".to_owned();
            Some(())
        })
    }),
    class("timbrado-otro-monto", &["DTE-TIMBRE-CAMPO"], |base| {
        remade(base, |paper| {
            paper.timbre.monto.push('0');
            (paper.timbre.monto != "00").then_some(())
        })
    }),
    class("timbrado-otro-folio", &["DTE-TIMBRE-CAMPO"], |base| {
        remade(base, |paper| {
            paper.timbre.folio += 1;
            Some(())
        })
    }),
    class("timbrado-otra-fecha", &["DTE-TIMBRE-CAMPO"], |base| {
        remade(base, |paper| {
            paper.timbre.fecha = moved(&paper.timbre.fecha, 1.days(), -1)?;
            Some(())
        })
    }),
    class("timbrado-otro-tipo", &["DTE-TIMBRE-CAMPO"], |base| {
        remade(base, |paper| {
            paper.timbre.tipo = if paper.timbre.tipo == 33 { 34 } else { 33 };
            Some(())
        })
    }),
    class("timbrado-otro-emisor", &["DTE-TIMBRE-CAMPO"], |base| {
        remade(base, |paper| {
            paper.timbre.emisor = "99500840-8".to_owned();
            Some(())
        })
    }),
    class("timbrado-otro-receptor", &["DTE-TIMBRE-CAMPO"], |base| {
        remade(base, |paper| {
            paper.timbre.receptor = "99500840-8".to_owned();
            Some(())
        })
    }),
    class("timbrado-otro-nombre", &["DTE-TIMBRE-TEXTO"], |base| {
        remade(base, |paper| {
            paper.timbre.nombre = "Otra Persona Imaginaria".to_owned();
            Some(())
        })
    }),
    class("timbrado-otro-item", &["DTE-TIMBRE-TEXTO"], |base| {
        remade(base, |paper| {
            paper.timbre.item = "Una cosa muy distinta".to_owned();
            Some(())
        })
    }),
    class("timbrado-con-otra-llave", &["DTE-TIMBRE-FIRMA"], |base| {
        remade(base, |paper| {
            paper.llave_timbre = Llave::sii();
            Some(())
        })
    }),
    class("timbrado-en-utf8", &["DTE-TIMBRE-BYTES"], |base| {
        remade(base, |paper| {
            paper.timbre_en_utf8 = true;
            (!paper.ted().is_ascii()).then_some(())
        })
    }),
    class("timbrado-en-el-futuro", &["DTE-TIMBRE-FECHA"], |base| {
        remade(base, |paper| {
            paper.timbre.hora = "2049-06-15T10:00:00".to_owned();
            Some(())
        })
    }),
    class("timbrado-hora-ilegible", &["DTE-TIMBRE-FECHA"], |base| {
        remade(base, |paper| {
            paper.timbre.hora = "15-06-2026 10:00".to_owned();
            Some(())
        })
    }),
    class("firmado-con-otra-llave", &["DTE-FIRMA-VALOR"], |base| {
        remade(base, |paper| {
            paper.llave_firma = Llave::sii();
            Some(())
        })
    }),
    class("certificado-vencido", &["DTE-FIRMA-VIGENCIA"], |base| {
        remade(base, |paper| {
            paper.firmado = "2029-06-15T10:00:00".to_owned();
            Some(())
        })
    }),
    class("certificado-futuro", &["DTE-FIRMA-VIGENCIA"], |base| {
        remade(base, |paper| {
            paper.firmado = "2025-06-15T10:00:00".to_owned();
            Some(())
        })
    }),
    class("firmado-en-el-sobre", &["DTE-FIRMA-CONTEXTO"], |base| {
        remade(base, |paper| {
            paper.espacios = sii_y_xsi();
            Some(())
        })
    }),
    class("firmado-sin-namespace", &["DTE-FIRMA-NAMESPACE"], |base| {
        remade(base, |paper| {
            paper.espacios = String::new();
            Some(())
        })
    }),
    class("sobre-vencido", &["DTE-SOBRE-VIGENCIA"], |base| {
        enveloped(base, |cover| {
            cover.firmado = "2029-06-15T10:00:00".to_owned()
        })
    }),
    class("sobre-de-otra-persona", &["DTE-SOBRE-TITULAR"], |base| {
        enveloped(base, |cover| cover.envia = "99500840-8".to_owned())
    }),
    class("sobre-cuenta-de-mas", &["DTE-CARATULA-SUBTOTAL"], |base| {
        enveloped(base, |cover| cover.subtotales[0].1 += 1)
    }),
    class(
        "sobre-cuenta-otro-tipo",
        &["DTE-CARATULA-SUBTOTAL"],
        |base| enveloped(base, |cover| cover.subtotales.push((60, 1))),
    ),
    class("sobre-de-otro-emisor", &["DTE-CARATULA-EMISOR"], |base| {
        enveloped(base, |cover| cover.emisor = "99500840-8".to_owned())
    }),
    class(
        "sobre-sin-resolucion",
        &["DTE-CARATULA-RESOLUCION"],
        |base| enveloped(base, |cover| cover.fecha_resolucion.clear()),
    ),
];

/// The built-in document, made wrong, stamped, signed and put into its envelope.
fn remade(base: &Base, wrong: impl FnOnce(&mut Papel) -> Option<()>) -> Option<Vec<u8>> {
    let mut paper = base.made.clone()?;
    let cover = Sobre::de(std::slice::from_ref(&paper))?;
    wrong(&mut paper)?;
    let cover = Sobre {
        dtes: vec![paper.dte()],
        ..cover
    };
    Some(archivo(&cover.xml()))
}

/// The built-in document in an envelope that is made wrong and signed.
fn enveloped(base: &Base, wrong: impl FnOnce(&mut Sobre)) -> Option<Vec<u8>> {
    let paper = base.made.clone()?;
    let mut cover = Sobre::de(&[paper])?;
    wrong(&mut cover);
    Some(archivo(&cover.xml()))
}

/// A day moved back or forth.
fn moved(day: &str, span: Span, sign: i64) -> Option<String> {
    let day: Date = day.parse().ok()?;
    Some(day.checked_add(span * sign).ok()?.to_string())
}
