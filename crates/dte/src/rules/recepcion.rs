//! A received document against what the same supplier sent before.
//!
//! Nothing here is a rule of the tax service: each finding says which figures are compared,
//! so that a person can judge. Amounts by median and median absolute deviation (MAD), both
//! exact; nothing is said on fewer than six earlier documents of the type.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::repetido::identidad;
use super::{Caso, Rule};
use crate::context::Mode;
use crate::estadistica::{mediana, mediana_y_desviacion};
use crate::historia::{Anterior, rut};
use crate::model::{Rut, TipoDte, recortado};
use crate::report::{Code, Finding, Findings};
use findings::Severity;

const FUENTE: &str = "historia del proveedor";

const fn codigo(code: &'static str, title: &'static str, severity: Severity) -> Code {
    Code {
        code,
        title,
        severity,
        source: FUENTE,
        sii_code: None,
    }
}

const MONTO: Code = codigo(
    "DTE-HISTORIA-MONTO",
    "El total está lejos de los anteriores del proveedor",
    Severity::Warning,
);
const GEMELO: Code = codigo(
    "DTE-HISTORIA-GEMELO",
    "Otro documento del proveedor tiene el mismo total y la misma fecha",
    Severity::Warning,
);
const FOLIO_ATRAS: Code = codigo(
    "DTE-HISTORIA-FOLIO-ATRAS",
    "El folio es menor que el de un documento de fecha anterior",
    Severity::Info,
);
const FOLIO_SALTO: Code = codigo(
    "DTE-HISTORIA-FOLIO-SALTO",
    "El folio salta mucho más que los anteriores",
    Severity::Info,
);
const RAZON: Code = codigo(
    "DTE-HISTORIA-RAZON-SOCIAL",
    "La razón social del proveedor cambió",
    Severity::Warning,
);
const GIRO: Code = codigo(
    "DTE-HISTORIA-GIRO",
    "El giro del proveedor cambió",
    Severity::Info,
);
const DIRECCION: Code = codigo(
    "DTE-HISTORIA-DIRECCION",
    "La dirección del proveedor cambió",
    Severity::Info,
);

pub(super) static RULE: Rule = Rule {
    name: "recepcion",
    about: "Documento recibido contra la historia del mismo proveedor.",
    codes: &[
        &MONTO,
        &GEMELO,
        &FOLIO_ATRAS,
        &FOLIO_SALTO,
        &RAZON,
        &GIRO,
        &DIRECCION,
    ],
    check,
};

/// Fewer earlier documents say nothing about what is usual.
const MINIMO: usize = 6;
/// More than so many MADs from the median is far, if it is also another order of amount.
const DESVIACIONES: Decimal = Decimal::from_parts(10, 0, 0, false, 0);
const VECES: Decimal = Decimal::from_parts(3, 0, 0, false, 0);
/// A leap of folios is one of more than so many, and of so many times the usual step.
const SALTO: i64 = 1_000;
const PASOS: Decimal = Decimal::from_parts(50, 0, 0, false, 0);

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let context = caso.context;
    if context.mode != Mode::Reception || context.history.is_empty() {
        return;
    }
    let Some((emisor, tipo, folio)) = identidad(caso.documento) else {
        return;
    };
    let suyos: Vec<&Anterior> = context
        .history
        .iter()
        .filter(|anterior| anterior.rut_emisor == emisor && !anterior.es(emisor, tipo, folio))
        .collect();
    datos(caso, out, &suyos, emisor);
    let moneda = &caso.documento.encabezado.totales.tpo_moneda;
    let iguales: Vec<&Anterior> = suyos
        .into_iter()
        .filter(|anterior| anterior.tipo == tipo && anterior.moneda == *moneda)
        .collect();
    let id_doc = &caso.documento.encabezado.id_doc;
    if let Some(total) = caso.documento.encabezado.totales.mnt_total.valor() {
        monto(caso, out, &iguales, total);
        if let Some(fecha) = id_doc.fch_emis.valor() {
            gemelo(caso, out, &iguales, total, fecha);
        }
    }
    if let Some(fecha) = id_doc.fch_emis.valor() {
        folio_atras(caso, out, &iguales, folio, fecha);
    }
    salto(caso, out, &iguales, folio, tipo);
}

fn monto(caso: &Caso<'_>, out: &mut Findings, iguales: &[&Anterior], total: Decimal) {
    if iguales.len() < MINIMO {
        return;
    }
    let montos = iguales.iter().map(|anterior| anterior.total).collect();
    let Some((centro, desviacion)) = mediana_y_desviacion(montos) else {
        return;
    };
    let Some(distancia) = total.checked_sub(centro) else {
        return;
    };
    let lejos = desviacion
        .checked_mul(DESVIACIONES)
        .is_some_and(|limite| distancia.abs() > limite);
    let veces = |mayor: Decimal, menor: Decimal| {
        menor
            .checked_mul(VECES)
            .is_some_and(|limite| mayor > limite)
    };
    if !lejos || !(veces(total, centro) || veces(centro, total)) {
        return;
    }
    let donde = if distancia > Decimal::ZERO {
        "sobre"
    } else {
        "bajo"
    };
    let message = format!(
        "El total es {} y la mediana de {} documentos anteriores de este proveedor es {} (desviación mediana {}): está {} {donde} ella.",
        caso.cifra(total),
        iguales.len(),
        caso.cifra(centro),
        caso.cifra(desviacion),
        caso.cifra(distancia.abs())
    );
    // A small amount surprises, but costs nothing.
    let severity = if distancia > Decimal::ZERO {
        MONTO.severity
    } else {
        Severity::Info
    };
    out.push(Finding {
        code: MONTO.code,
        severity,
        message,
        path: caso.ruta("Encabezado/Totales/MntTotal"),
        expected: Some(centro.normalize()),
        actual: Some(total.normalize()),
        difference: Some(distancia.normalize()),
        sii_code: None,
    });
}

fn gemelo(caso: &Caso<'_>, out: &mut Findings, iguales: &[&Anterior], total: Decimal, fecha: Date) {
    let receptor = rut(caso.documento.encabezado.receptor.rut_recep.as_deref());
    let gemelo = iguales.iter().find(|anterior| {
        let mismo = anterior
            .rut_receptor
            .is_none_or(|otro| Some(otro) == receptor);
        anterior.total == total && anterior.fecha == fecha && !total.is_zero() && mismo
    });
    if let Some(gemelo) = gemelo {
        let mut mensaje = format!(
            "El proveedor ya emitió el {fecha} la {} N° {} por el mismo total, {}: puede ser la misma operación facturada dos veces",
            gemelo.tipo.nombre(),
            gemelo.folio,
            caso.cifra(total)
        );
        let pares = pares(iguales);
        let severity = if pares == 0 {
            GEMELO.severity
        } else {
            mensaje.push_str(&format!("; en su historia hay {pares} coincidencias así"));
            Severity::Info
        };
        mensaje.push('.');
        out.add_as(
            &GEMELO,
            severity,
            caso.ruta("Encabezado/Totales/MntTotal"),
            mensaje,
        );
    }
}

/// How often the supplier did that before: a habit surprises nobody.
fn pares(iguales: &[&Anterior]) -> usize {
    let mut claves: Vec<_> = iguales
        .iter()
        .map(|anterior| (anterior.fecha, anterior.total, anterior.rut_receptor))
        .collect();
    claves.sort_unstable();
    claves
        .windows(2)
        .filter(|par| par.first() == par.last())
        .count()
}

/// The greatest folio of an earlier day that is beyond this one.
fn folio_atras(
    caso: &Caso<'_>,
    out: &mut Findings,
    iguales: &[&Anterior],
    folio: i64,
    fecha: Date,
) {
    let mayor = iguales
        .iter()
        .filter(|anterior| anterior.fecha < fecha && anterior.folio > folio)
        .max_by_key(|anterior| anterior.folio);
    if let Some(mayor) = mayor {
        let mensaje = format!(
            "El folio {folio} es del {fecha}, y el proveedor ya iba en el {} el {}: usa otra serie, o la fecha o el folio no son correctos.",
            mayor.folio, mayor.fecha
        );
        out.add(&FOLIO_ATRAS, caso.ruta("Encabezado/IdDoc/Folio"), mensaje);
    }
}

fn salto(caso: &Caso<'_>, out: &mut Findings, iguales: &[&Anterior], folio: i64, tipo: TipoDte) {
    if iguales.len() < MINIMO {
        return;
    }
    let mut folios: Vec<i64> = iguales.iter().map(|anterior| anterior.folio).collect();
    folios.sort_unstable();
    let mut pasos: Vec<Decimal> = folios
        .windows(2)
        .filter_map(|par| Some(Decimal::from(par.last()?.checked_sub(*par.first()?)?)))
        .collect();
    let (Some(paso), Some(ultimo)) = (mediana(&mut pasos), folios.last()) else {
        return;
    };
    let Some(salto) = folio.checked_sub(*ultimo) else {
        return;
    };
    let usual = paso.max(Decimal::ONE).checked_mul(PASOS);
    if salto > SALTO && usual.is_some_and(|usual| Decimal::from(salto) > usual) {
        let mensaje = format!(
            "El folio {folio} está {salto} más allá del mayor conocido de sus documentos {} ({ultimo}); entre los anteriores hay {} de mediana.",
            tipo.codigo(),
            findings::numero(paso)
        );
        out.add(&FOLIO_SALTO, caso.ruta("Encabezado/IdDoc/Folio"), mensaje);
    }
}

type Dato = fn(&Anterior) -> Option<&String>;

/// What the supplier says of itself, where no earlier document said the same.
fn datos(caso: &Caso<'_>, out: &mut Findings, suyos: &[&Anterior], rut: Rut) {
    let emisor = &caso.documento.encabezado.emisor;
    let campos: [(&'static Code, &str, &str, &Option<String>, Dato); 3] = [
        (&RAZON, "RznSoc", "La razón social", &emisor.rzn_soc, |a| {
            a.razon_social.as_ref()
        }),
        (&GIRO, "GiroEmis", "El giro", &emisor.giro_emis, |a| {
            a.giro.as_ref()
        }),
        (
            &DIRECCION,
            "DirOrigen",
            "La dirección",
            &emisor.dir_origen,
            |a| a.direccion.as_ref(),
        ),
    ];
    for (code, campo, nombre, actual, dato) in campos {
        let Some(actual) = actual else {
            continue;
        };
        let forma = normal(actual);
        let conocido = |texto: &String| normal(texto) == forma;
        let mut anteriores = suyos
            .iter()
            .filter_map(|anterior| dato(anterior))
            .peekable();
        if anteriores.peek().is_none() || anteriores.any(conocido) {
            continue;
        }
        let ultimo = suyos
            .iter()
            .filter_map(|anterior| Some((anterior.fecha, dato(anterior)?)))
            .max_by_key(|(fecha, _)| *fecha);
        if let Some((fecha, antes)) = ultimo {
            let (antes, ahora) = (recortado(antes), recortado(actual));
            let mensaje = format!(
                "{nombre} de {rut} dice «{ahora}» y en sus documentos anteriores (el último, del {fecha}) decía «{antes}»."
            );
            out.add(
                code,
                caso.ruta(&format!("Encabezado/Emisor/{campo}")),
                mensaje,
            );
        }
    }
}

/// Only letters and digits count, without case and accents: `S.p.A.` is `SPA`.
fn normal(texto: &str) -> String {
    texto
        .chars()
        .flat_map(char::to_lowercase)
        .filter_map(|letra| match letra {
            'á' | 'à' | 'ä' => Some('a'),
            'é' | 'è' | 'ë' => Some('e'),
            'í' | 'ì' | 'ï' => Some('i'),
            'ó' | 'ò' | 'ö' => Some('o'),
            'ú' | 'ù' | 'ü' => Some('u'),
            otra => otra.is_alphanumeric().then_some(otra),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::model::{Campo, Documento};
    use crate::rules::pruebas::{completos, documento, hallazgos_en, hoy, m};
    use jiff::civil::date;

    /// Eight invoices of about 100,000 each, folios 100 to 107, one a month.
    fn historia() -> Vec<Anterior> {
        let mut base = documento(33);
        base.encabezado.emisor.rzn_soc = Some("Ferretería Los Aromos S.p.A.".into());
        base.encabezado.emisor.giro_emis = Some("Ferretería".into());
        base.encabezado.emisor.dir_origen = Some("Calle Uno 123".into());
        let base = Anterior::desde(&base).unwrap();
        (0..8_i8)
            .map(|mes| Anterior {
                folio: 100 + i64::from(mes),
                fecha: date(2026, 1 + mes, 5),
                total: Decimal::from(100_000 + 500 * i64::from(mes)),
                ..base.clone()
            })
            .collect()
    }

    fn recibido(cambio: fn(&mut Documento)) -> Vec<(&'static str, Severity)> {
        let mut doc = documento(33);
        doc.encabezado.totales.mnt_total = m("101000");
        cambio(&mut doc);
        let historia = historia();
        let emision = Context::emission(hoy()).with_history(&historia);
        assert_eq!(hallazgos_en(&RULE, &doc, &emision), []);
        hallazgos_en(
            &RULE,
            &doc,
            &Context::reception(hoy()).with_history(&historia),
        )
    }

    #[test]
    fn amounts_are_measured_against_the_median() {
        assert_eq!(recibido(|_| {}), []);
        assert_eq!(
            recibido(|d| d.encabezado.totales.mnt_total = m("200000")),
            []
        );
        assert_eq!(
            recibido(|d| d.encabezado.totales.mnt_total = m("900000")),
            [("DTE-HISTORIA-MONTO", Severity::Warning)]
        );
        assert_eq!(
            recibido(|d| d.encabezado.totales.mnt_total = m("9000")),
            [("DTE-HISTORIA-MONTO", Severity::Info)]
        );
        let mut doc = documento(33);
        doc.encabezado.totales.mnt_total = m("900000");
        let historia = historia();
        let context = Context::reception(hoy()).with_history(&historia);
        assert_eq!(
            completos(&RULE, &doc, &context)[0].message,
            "El total es $900.000 y la mediana de 8 documentos anteriores de este proveedor es $101.750 (desviación mediana $1.000): está $798.250 sobre ella."
        );
        let pocos = Context::reception(hoy()).with_history(&historia[..5]);
        assert_eq!(hallazgos_en(&RULE, &doc, &pocos), []);
    }

    #[test]
    fn folios_follow_each_other() {
        assert_eq!(
            recibido(|d| d.encabezado.id_doc.folio = Campo::Valor(50)),
            [("DTE-HISTORIA-FOLIO-ATRAS", Severity::Info)]
        );
        assert_eq!(
            recibido(|d| d.encabezado.id_doc.folio = Campo::Valor(900)),
            []
        );
        assert_eq!(
            recibido(|d| d.encabezado.id_doc.folio = Campo::Valor(90_000)),
            [("DTE-HISTORIA-FOLIO-SALTO", Severity::Info)]
        );
    }

    #[test]
    fn the_same_amount_on_the_same_day_is_said() {
        assert_eq!(
            recibido(|d| {
                d.encabezado.totales.mnt_total = m("100500");
                d.encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 2, 5));
                d.encabezado.id_doc.folio = Campo::Valor(108);
            }),
            [("DTE-HISTORIA-GEMELO", Severity::Warning)]
        );
        // What another one bought isn't the same operation.
        assert_eq!(
            recibido(|d| {
                d.encabezado.totales.mnt_total = m("100500");
                d.encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 2, 5));
                d.encabezado.id_doc.folio = Campo::Valor(108);
                d.encabezado.receptor.rut_recep = Some("76192083-9".into());
            }),
            []
        );
    }

    #[test]
    fn what_happens_often_is_no_warning() {
        let mut historia = historia();
        let repetido = historia[0].clone();
        historia.push(Anterior {
            folio: 110,
            ..repetido
        });
        let mut doc = documento(33);
        doc.encabezado.totales.mnt_total = m("100500");
        doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 2, 5));
        doc.encabezado.id_doc.folio = Campo::Valor(111);
        let context = Context::reception(hoy()).with_history(&historia);
        assert_eq!(
            hallazgos_en(&RULE, &doc, &context),
            [("DTE-HISTORIA-GEMELO", Severity::Info)]
        );
    }

    #[test]
    fn a_change_of_name_is_one_of_letters() {
        assert_eq!(
            recibido(|d| {
                d.encabezado.emisor.rzn_soc = Some("FERRETERIA LOS AROMOS SPA".into());
                d.encabezado.emisor.giro_emis = Some("ferreteria".into());
            }),
            []
        );
        assert_eq!(
            recibido(|d| {
                d.encabezado.emisor.rzn_soc = Some("Los Aromos Dos Limitada".into());
                d.encabezado.emisor.giro_emis = Some("Arriendo de grúas".into());
                d.encabezado.emisor.dir_origen = Some("Calle Dos 5".into());
            }),
            [
                ("DTE-HISTORIA-RAZON-SOCIAL", Severity::Warning),
                ("DTE-HISTORIA-GIRO", Severity::Info),
                ("DTE-HISTORIA-DIRECCION", Severity::Info)
            ]
        );
    }
}
