//! The electronic stamp (`TED`): its signature over the exact bytes, and its fields against
//! the document's.
//!
//! Source: formato DTE 2026-02, TED: `FRMT` is SHA1withRSA with the CAF's key over `DD` without
//! white space between its tags, in ISO-8859-1, the CAF copied byte for byte.

use jiff::civil::DateTime;

use super::arbol::Id;
use super::caf;
use super::caso::Caso;
use super::codigos;
use super::escritura::escritura_firmada;
use super::llave::{LlavePublica, desde_base64};
use super::resultado::{FirmaCaf, MotivoTimbre, Timbre};
use crate::model::{TipoDte, recortado};
use crate::report::Finding;
use crate::valores;
use findings::Severity;

/// How many characters of the names a stamp holds.
const NOMBRE: usize = 40;

/// Verifies the stamp of a document and the CAF in it.
pub(super) fn verificar(caso: &mut Caso<'_>) -> (Timbre, FirmaCaf) {
    let Some(ted) = caso.arbol.hijo(caso.cuerpo, "TED") else {
        let severity = caso.trust.ausencia(caso.context.mode);
        caso.hallazgo_como(
            &codigos::TIMBRE_AUSENTE,
            severity,
            "TED",
            "El documento no tiene timbre electrónico (TED): hay que timbrarlo antes de enviarlo."
                .to_owned(),
        );
        return (Timbre::Ausente, FirmaCaf::Ausente);
    };
    let Some(partes) = Partes::leer(caso, ted) else {
        return (Timbre::Fallido(MotivoTimbre::Estructura), FirmaCaf::Ausente);
    };
    let campos = campos(caso, partes.dd);
    fecha(caso, partes.dd);
    let frma = caf::verificar(caso, partes.dd, partes.caf);
    let timbre = match firma(caso, &partes) {
        Some(motivo) => Timbre::Fallido(motivo),
        None if campos => Timbre::Verificado,
        None => Timbre::Fallido(MotivoTimbre::Campos),
    };
    (timbre, frma)
}

struct Partes {
    dd: Id,
    caf: Id,
    firma: Vec<u8>,
}

impl Partes {
    /// The parts that nothing can be verified without.
    fn leer(caso: &mut Caso<'_>, ted: Id) -> Option<Self> {
        let arbol = caso.arbol;
        let mut falta = |que: &str, ruta: &str| {
            let mensaje = format!("El timbre no se puede verificar: {que}.");
            caso.hallazgo(&codigos::TIMBRE_FORMA, ruta, mensaje);
        };
        let Some(dd) = arbol.hijo(ted, "DD") else {
            falta("no tiene sus datos (DD)", "TED/DD");
            return None;
        };
        let Some(caf) = arbol.hijo(dd, "CAF") else {
            falta("no tiene la autorización de folios (CAF)", "TED/DD/CAF");
            return None;
        };
        let Some(firma) = arbol.campo(ted, &["FRMT"]) else {
            falta("no tiene su firma (FRMT)", "TED/FRMT");
            return None;
        };
        let Some(firma) = desde_base64(&firma) else {
            falta("su firma (FRMT) no es base64", "TED/FRMT");
            return None;
        };
        Some(Self { dd, caf, firma })
    }
}

/// Verifies `FRMT`.
fn firma(caso: &mut Caso<'_>, partes: &Partes) -> Option<MotivoTimbre> {
    let arbol = caso.arbol;
    let parte = |nombre| arbol.campo(partes.caf, &["DA", "RSAPK", nombre]);
    let llave = parte("M")
        .zip(parte("E"))
        .and_then(|(modulo, exponente)| LlavePublica::desde_partes(&modulo, &exponente));
    let Some(llave) = llave else {
        caso.hallazgo(
            &codigos::TIMBRE_FORMA,
            "TED/DD/CAF/DA/RSAPK",
            "El timbre no se puede verificar: la llave pública de su CAF (RSAPK) falta o no es una llave RSA."
                .to_owned(),
        );
        return Some(MotivoTimbre::Llave);
    };
    match escritura_firmada(arbol.fuente(partes.dd), &llave, &partes.firma) {
        Some("") => None,
        Some(como) => {
            let mensaje = format!(
                "La firma del timbre (FRMT) corresponde a su contenido, pero sólo {como}; el SII la verifica sin espacios entre etiquetas y en ISO-8859-1, y puede objetarla."
            );
            caso.hallazgo(&codigos::TIMBRE_BYTES, "TED/FRMT", mensaje);
            None
        }
        None => {
            caso.hallazgo(
                &codigos::TIMBRE_FIRMA,
                "TED/FRMT",
                "La firma del timbre (FRMT) no corresponde a su contenido: los datos (DD) cambiaron después de timbrar, o se timbró con la llave de otro CAF."
                    .to_owned(),
            );
            Some(MotivoTimbre::Firma)
        }
    }
}

/// Compares the stamp with the document; true where all fields that identify it agree.
fn campos(caso: &mut Caso<'_>, dd: Id) -> bool {
    let doc = caso.documento;
    let encabezado = &doc.encabezado;
    let (id_doc, totales) = (&encabezado.id_doc, &encabezado.totales);
    let entero = |valor: Option<i64>| valor.map(|valor| valor.to_string());
    let comparaciones = [
        (
            "RE",
            "el RUT del emisor",
            encabezado.emisor.rut_emisor.clone(),
        ),
        ("TD", "el tipo", entero(id_doc.tipo_dte.valor())),
        ("F", "el folio", entero(id_doc.folio.valor())),
        (
            "FE",
            "la fecha de emisión",
            id_doc.fch_emis.valor().map(|fecha| fecha.to_string()),
        ),
        (
            "RR",
            "el RUT del receptor",
            encabezado.receptor.rut_recep.clone(),
        ),
    ];
    let mut bien = true;
    for (nombre, que, suyo) in comparaciones {
        let Some(suyo) = suyo else { continue };
        let timbrado = caso.arbol.campo(dd, &[nombre]).unwrap_or_default();
        let iguales = timbrado == suyo
            || valores::entero(&timbrado).is_some_and(|numero| numero.to_string() == suyo);
        if !iguales {
            bien = false;
            let mensaje = format!(
                "El timbre dice «{}» como {que} y el documento dice «{}»: el timbre es de otro documento.",
                recortado(&timbrado),
                recortado(&suyo)
            );
            caso.hallazgo(&codigos::TIMBRE_CAMPO, &format!("TED/DD/{nombre}"), mensaje);
        }
    }
    if let Some(total) = totales.mnt_total.valor() {
        bien &= monto(caso, dd, total);
    }
    texto(
        caso,
        dd,
        "RSR",
        "el nombre del receptor",
        encabezado.receptor.rzn_soc_recep.as_deref(),
    );
    let item = doc
        .detalle
        .first()
        .and_then(|linea| linea.nmb_item.as_deref());
    texto(caso, dd, "IT1", "el nombre del primer ítem", item);
    bien
}

fn monto(caso: &mut Caso<'_>, dd: Id, total: rust_decimal::Decimal) -> bool {
    let escrito = caso.arbol.campo(dd, &["MNT"]).unwrap_or_default();
    let Some(timbrado) = valores::decimal(&escrito) else {
        let mensaje = format!(
            "El monto del timbre (MNT), «{}», no es un número; el total del documento es {}.",
            recortado(&escrito),
            crate::pesos(total)
        );
        caso.hallazgo(&codigos::TIMBRE_CAMPO, "TED/DD/MNT", mensaje);
        return false;
    };
    if timbrado == total {
        return true;
    }
    // An export has decimals, and its stamp the whole units.
    let exportacion = caso.documento.tipo().is_some_and(TipoDte::es_exportacion);
    let diferencia = timbrado.checked_sub(total);
    if exportacion && diferencia.is_some_and(|diferencia| diferencia.abs() < 1.into()) {
        return true;
    }
    let code = &codigos::TIMBRE_CAMPO;
    let cuanto = diferencia.map_or_else(String::new, |diferencia| {
        format!(": la diferencia es de {}", crate::pesos(diferencia))
    });
    caso.findings.push(Finding {
        code: code.code,
        severity: code.severity,
        message: format!(
            "El timbre se hizo por {} y el total del documento es {}{cuanto}.",
            crate::pesos(timbrado),
            crate::pesos(total)
        ),
        path: caso.ruta("TED/DD/MNT"),
        expected: Some(total.normalize()),
        actual: Some(timbrado.normalize()),
        difference: diferencia.map(|diferencia| diferencia.normalize()),
        sii_code: code.sii_code,
    });
    false
}

/// A name, of which the stamp holds the first 40 characters. Only what is another text
/// altogether is worth saying: programs cut and clean names in many ways.
fn texto(caso: &mut Caso<'_>, dd: Id, nombre: &str, que: &str, suyo: Option<&str>) {
    let Some(suyo) = suyo else { return };
    let timbrado = caso.arbol.campo(dd, &[nombre]).unwrap_or_default();
    if comparable(&timbrado) == comparable(&suyo.chars().take(NOMBRE).collect::<String>()) {
        return;
    }
    let (uno, otro) = (comparable(&timbrado), comparable(suyo));
    let abreviado = uno.len() >= 8 && (otro.starts_with(&uno) || otro.contains(&uno));
    if abreviado {
        return;
    }
    let mensaje = format!(
        "El timbre dice «{}» como {que} y el documento empieza con «{}».",
        recortado(&timbrado),
        recortado(&suyo.chars().take(NOMBRE).collect::<String>())
    );
    caso.hallazgo(&codigos::TIMBRE_TEXTO, &format!("TED/DD/{nombre}"), mensaje);
}

/// Letters and digits only, in lower case: what cutting and cleaning leave alone.
pub(super) fn comparable(texto: &str) -> String {
    texto
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// `TSTED`: in its form, and neither in the future nor before the CAF.
fn fecha(caso: &mut Caso<'_>, dd: Id) {
    let Some(escrita) = caso.arbol.campo(dd, &["TSTED"]) else {
        caso.hallazgo(
            &codigos::TIMBRE_FECHA,
            "TED/DD/TSTED",
            "El timbre no dice cuándo se hizo (TSTED).".to_owned(),
        );
        return;
    };
    let Some(hora) = momento(&escrita) else {
        let mensaje = format!(
            "La hora del timbre (TSTED), «{}», no tiene la forma AAAA-MM-DDTHH:MM:SS.",
            recortado(&escrita)
        );
        caso.hallazgo(&codigos::TIMBRE_FECHA, "TED/DD/TSTED", mensaje);
        return;
    };
    let hoy = caso.context.today;
    if hoy.tomorrow().is_ok_and(|manana| hora.date() > manana) {
        let mensaje = format!(
            "El timbre dice que se hizo el {}, y hoy es {hoy}.",
            hora.date()
        );
        caso.hallazgo(&codigos::TIMBRE_FECHA, "TED/DD/TSTED", mensaje);
    }
    caso.timbrado = Some(hora.date());
    let autorizado = caso.arbol.campo(dd, &["CAF", "DA", "FA"]);
    if let Some(autorizado) = autorizado.as_deref().and_then(valores::fecha)
        && hora.date() < autorizado
    {
        let mensaje = format!(
            "El timbre dice que se hizo el {}, antes de que el SII autorizara sus folios, el {autorizado}.",
            hora.date()
        );
        caso.hallazgo_como(
            &codigos::TIMBRE_FECHA,
            Severity::Warning,
            "TED/DD/TSTED",
            mensaje,
        );
    }
}

/// `AAAA-MM-DDTHH:MM:SS`, local time in Chile; with a fraction or a zone the same.
pub(super) fn momento(escrito: &str) -> Option<DateTime> {
    let (fecha, hora) = escrito.split_once('T')?;
    let dia = valores::fecha(fecha)?;
    let hora = hora.get(..8)?.as_bytes();
    if hora[2] != b':' || hora[5] != b':' {
        return None;
    }
    let campo = |lugar: usize| -> Option<i8> {
        let (uno, dos) = (hora[lugar], hora[lugar + 1]);
        let cifras = uno.is_ascii_digit() && dos.is_ascii_digit();
        let valor = uno
            .wrapping_sub(b'0')
            .wrapping_mul(10)
            .wrapping_add(dos.wrapping_sub(b'0'));
        cifras.then(|| i8::try_from(valor).ok())?
    };
    let (horas, minutos, segundos) = (campo(0)?, campo(3)?, campo(6)?);
    let time = jiff::civil::Time::new(horas, minutos, segundos.min(59), 0).ok()?;
    Some(dia.to_datetime(time))
}
