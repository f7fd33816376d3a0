//! What was changed in a file after it was stamped and signed.

use dte::casos::taller::{Llave, certificado, desde_base64, en_base64};

use super::super::body::{change, places, replaced, without};
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
    class("timbre-monto", &["DTE-TIMBRE-CAMPO"], |base| {
        in_stamp(base, "MNT", another_number)
    }),
    class("timbre-folio", &["DTE-TIMBRE-CAMPO"], |base| {
        in_stamp(base, "F", another_number)
    }),
    class("timbre-fecha", &["DTE-TIMBRE-CAMPO"], |base| {
        in_stamp(base, "FE", |_| Some("2016-02-29".to_owned()))
    }),
    class("timbre-receptor", &["DTE-TIMBRE-CAMPO"], |base| {
        in_stamp(base, "RR", |_| Some("99500840-8".to_owned()))
    }),
    class("timbre-tipo", &["DTE-TIMBRE-CAMPO"], |base| {
        in_stamp(base, "TD", |old| {
            Some(if old == "33" { "34" } else { "33" }.to_owned())
        })
    }),
    class("timbre-item", &["DTE-TIMBRE-FIRMA"], |base| {
        in_stamp(base, "IT1", |_| Some("Otra cosa muy distinta".to_owned()))
    }),
    class("timbre-nombre-receptor", &["DTE-TIMBRE-FIRMA"], |base| {
        in_stamp(base, "RSR", |_| Some("Otra persona".to_owned()))
    }),
    class("timbre-hora", &["DTE-TIMBRE-FIRMA"], |base| {
        in_stamp(base, "TSTED", |old| Some(old.replace(":0", ":1")))
    }),
    class("timbre-caf-rango", &["DTE-TIMBRE-FIRMA"], |base| {
        in_stamp(base, "H", |old| Some(format!("{old}9")))
    }),
    class("timbre-caf-llave", &["DTE-TIMBRE-FIRMA"], |base| {
        in_stamp(base, "M", another_base64)
    }),
    class("timbre-frmt", &["DTE-TIMBRE-FIRMA"], |base| {
        in_stamp(base, "FRMT", another_base64)
    }),
    class("timbre-frmt-ilegible", &["DTE-TIMBRE-FORMA"], |base| {
        in_stamp(base, "FRMT", |_| Some("no es base64 *".to_owned()))
    }),
    class("timbre-sin-frmt", &["DTE-TIMBRE-FORMA"], |base| {
        in_section(base, "TED", |ted| without(ted, "FRMT"))
    }),
    class("timbre-sin-caf", &["DTE-TIMBRE-FORMA"], |base| {
        in_section(base, "TED", |ted| without(ted, "CAF"))
    }),
    class("timbre-ausente", &["DTE-TIMBRE-AUSENTE"], |base| {
        removed(base, "TED")
    }),
    class("total-tras-timbrar", &["DTE-TIMBRE-CAMPO"], |base| {
        changed(base, "MntTotal", another_number)
    }),
    class("total-tras-firmar", &["DTE-FIRMA-CONTENIDO"], |base| {
        changed(base, "MntTotal", another_number)
    }),
    class("item-tras-firmar", &["DTE-FIRMA-CONTENIDO"], |base| {
        changed(base, "MontoItem", another_number)
    }),
    class("receptor-tras-firmar", &["DTE-FIRMA-CONTENIDO"], |base| {
        changed(base, "RznSocRecep", |_| Some("Otra persona".to_owned()))
    }),
    class("linea-agregada", &["DTE-FIRMA-CONTENIDO"], |base| {
        let place = places(&base.text, "Detalle").into_iter().next()?;
        let copy = base.text.get(place.whole.clone())?;
        bytes(replaced(&base.text, place.whole.end..place.whole.end, copy))
    }),
    // Where a file had some line ends when it was signed, which ones can't be told any more, and
    // it is as good as changed.
    class(
        "espacios-tras-firmar",
        &["DTE-FIRMA-ESPACIOS", "DTE-FIRMA-CONTENIDO"],
        |base| {
            in_section(base, "Encabezado", |head| {
                Some(head.replace("><", ">\n    <").replace(">\n<", ">\n    <"))
            })
        },
    ),
    class("firma-digest", &["DTE-FIRMA-CONTENIDO"], |base| {
        own_signature(base, |text| change(text, "DigestValue", 0, another_base64))
    }),
    class("firma-valor", &["DTE-FIRMA-VALOR"], |base| {
        own_signature(base, |text| {
            change(text, "SignatureValue", 0, another_base64)
        })
    }),
    class("firma-sin-valor", &["DTE-FIRMA-FORMA"], |base| {
        own_signature(base, |text| without(text, "SignatureValue"))
    }),
    class("firma-ausente", &["DTE-FIRMA-AUSENTE"], |base| {
        own_signature(base, |_| Some(String::new()))
    }),
    class("firma-referencia", &["DTE-FIRMA-REFERENCIA"], |base| {
        own_signature(base, |text| {
            Some(text.replacen("URI=\"#", "URI=\"#otro", 1)).filter(|new| new != text)
        })
    }),
    class("firma-algoritmo", &["DTE-FIRMA-FORMA"], |base| {
        own_signature(base, |text| {
            Some(text.replacen("#rsa-sha1", "#rsa-md5", 1)).filter(|new| new != text)
        })
    }),
    class("firma-otra-llave", &["DTE-FIRMA-VALOR"], |base| {
        own_signature(base, |text| change(text, "Modulus", 0, another_base64))
    }),
    class("certificado-ilegible", &["DTE-FIRMA-CERTIFICADO"], |base| {
        own_signature(base, |text| {
            change(text, "X509Certificate", 0, |_| Some("QUJD".to_owned()))
        })
    }),
    class(
        "certificado-no-base64",
        &["DTE-FIRMA-CERTIFICADO"],
        |base| {
            own_signature(base, |text| {
                change(text, "X509Certificate", 0, |_| Some("*".to_owned()))
            })
        },
    ),
    class("certificado-ajeno", &["DTE-FIRMA-LLAVE"], |base| {
        own_signature(base, |text| {
            change(text, "X509Certificate", 0, another_certificate)
        })
    }),
    class("caratula-cantidad", &["DTE-CARATULA-SUBTOTAL"], |base| {
        on_cover(base, "NroDTE", another_number)
    }),
    class("caratula-tipo", &["DTE-CARATULA-SUBTOTAL"], |base| {
        on_cover(base, "TpoDTE", |old| {
            Some(if old == "33" { "34" } else { "33" }.to_owned())
        })
    }),
    class(
        "caratula-sin-subtotal",
        &["DTE-CARATULA-SUBTOTAL"],
        |base| in_section(base, "Caratula", |cover| without(cover, "SubTotDTE")),
    ),
    class("caratula-emisor", &["DTE-CARATULA-EMISOR"], |base| {
        on_cover(base, "RutEmisor", |_| Some("99500840-8".to_owned()))
    }),
    class("caratula-sin-emisor", &["DTE-CARATULA-EMISOR"], |base| {
        in_section(base, "Caratula", |cover| without(cover, "RutEmisor"))
    }),
    class(
        "caratula-fecha-resolucion",
        &["DTE-CARATULA-RESOLUCION"],
        |base| on_cover(base, "FchResol", |_| Some("22-08-2014".to_owned())),
    ),
    class(
        "caratula-numero-resolucion",
        &["DTE-CARATULA-RESOLUCION"],
        |base| on_cover(base, "NroResol", |_| Some("ochenta".to_owned())),
    ),
    class("caratula-receptor", &["DTE-CARATULA-RECEPTOR"], |base| {
        on_cover(base, "RutReceptor", |_| Some("99500840-8".to_owned()))
    }),
    class("caratula-ausente", &["DTE-CARATULA-AUSENTE"], |base| {
        enveloped(base)?;
        removed(base, "Caratula")
    }),
    class("sobre-caratula-tras-firmar", &["DTE-SOBRE-FIRMA"], |base| {
        on_cover(base, "NroResol", |old| Some(format!("{old}1")))
    }),
    class("sobre-valor", &["DTE-SOBRE-FIRMA"], |base| {
        last_signature(base, |text| {
            change(text, "SignatureValue", 0, another_base64)
        })
    }),
    class("sobre-digest", &["DTE-SOBRE-FIRMA"], |base| {
        last_signature(base, |text| change(text, "DigestValue", 0, another_base64))
    }),
    class("sobre-ausente", &["DTE-SOBRE-AUSENTE"], |base| {
        last_signature(base, |_| Some(String::new()))
    }),
    class("sobre-otro-envia", &["DTE-SOBRE-TITULAR"], |base| {
        let signer = base.made.as_ref()?;
        let other = signer.timbre.emisor.clone();
        on_cover(base, "RutEnvia", |_| Some(other))
    }),
];

fn bytes(text: Option<String>) -> Option<Vec<u8>> {
    Some(Base::bytes(&text?))
}

fn changed(base: &Base, tag: &str, by: impl FnOnce(&str) -> Option<String>) -> Option<Vec<u8>> {
    bytes(change(&base.text, tag, 0, by))
}

fn removed(base: &Base, tag: &str) -> Option<Vec<u8>> {
    in_section(base, tag, |_| Some(String::new()))
}

/// The file with its first section of this name replaced.
fn in_section(
    base: &Base,
    section: &str,
    by: impl FnOnce(&str) -> Option<String>,
) -> Option<Vec<u8>> {
    let place = places(&base.text, section).into_iter().next()?;
    let old = base.text.get(place.whole.clone())?;
    let new = by(old).filter(|new| new != old)?;
    bytes(replaced(&base.text, place.whole, &new))
}

fn in_stamp(base: &Base, tag: &str, by: impl FnOnce(&str) -> Option<String>) -> Option<Vec<u8>> {
    in_section(base, "TED", |ted| change(ted, tag, 0, by))
}

fn on_cover(base: &Base, tag: &str, by: impl FnOnce(&str) -> Option<String>) -> Option<Vec<u8>> {
    enveloped(base)?;
    in_section(base, "Caratula", |cover| change(cover, tag, 0, by))
}

/// Only these have a cover that is compared with what is in them.
fn enveloped(base: &Base) -> Option<()> {
    let envelope = ["EnvioDTE", "EnvioBOLETA"];
    envelope
        .iter()
        .any(|tag| !places(&base.text, tag).is_empty())
        .then_some(())
}

/// The first signature, which is the first document's own.
fn own_signature(base: &Base, by: impl FnOnce(&str) -> Option<String>) -> Option<Vec<u8>> {
    in_section(base, "Signature", by)
}

/// The last signature of an envelope, which is the envelope's own.
fn last_signature(base: &Base, by: impl FnOnce(&str) -> Option<String>) -> Option<Vec<u8>> {
    enveloped(base)?;
    let place = places(&base.text, "Signature").into_iter().next_back()?;
    let old = base.text.get(place.whole.clone())?;
    let new = by(old).filter(|new| new != old)?;
    bytes(replaced(&base.text, place.whole, &new))
}

/// A number that differs by more than any rounding.
fn another_number(old: &str) -> Option<String> {
    let whole = old.split('.').next()?;
    Some((whole.parse::<i64>().ok()? + 100).to_string())
}

/// Base64 of as many bytes, one of them changed.
fn another_base64(old: &str) -> Option<String> {
    let (head, tail) = old.split_at_checked(20)?;
    let first = tail.chars().find(char::is_ascii_alphanumeric)?;
    let other = if first == 'A' { "B" } else { "A" };
    Some(format!("{head}{}", tail.replacen(first, other, 1)))
}

/// A certificate of another key than this one's: the built-in person's for one of the folder,
/// and for a built-in one the same with another modulus.
fn another_certificate(own: &str) -> Option<String> {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    if squeezed(own) != squeezed(certificado()) {
        return Some(certificado().to_owned());
    }
    swapped_modulus(&squeezed(own))
}

fn swapped_modulus(own: &str) -> Option<String> {
    let mut der = desde_base64(own)?;
    let modulus = Llave::persona().modulo();
    let at = der
        .windows(modulus.len())
        .position(|window| window == modulus.as_slice())?;
    let middle = der.get_mut(at + modulus.len() / 2)?;
    *middle ^= 0xFF;
    Some(en_base64(&der))
}
