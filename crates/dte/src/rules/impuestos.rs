//! Additional and withheld taxes: their codes, their signs, their amounts.
//!
//! Source: formato DTE, the table of additional taxes and withholdings, and
//! Totales/ImptoReten, IVANoRet. The tax service answers HED-2-300 (no rate) and HED-2-302.

use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::calculo::{Calculo, porcentaje, redondear};
use crate::formulas;
use crate::model::{Campo, Documento, ImptoReten, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const CODIGO: Code = Code {
    code: "DTE-IMPUESTO-CODIGO",
    title: "El código de un impuesto adicional o retención no existe",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, tabla de impuestos adicionales y retenciones",
    sii_code: None,
};
const TASA: Code = Code {
    code: "DTE-IMPUESTO-TASA",
    title: "La tasa de un impuesto adicional o retención no es la de la tabla",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, tabla de impuestos adicionales y retenciones",
    sii_code: Some("HED-2-302"),
};
const CALCULO: Code = Code {
    code: "DTE-IMPUESTO-CALCULO",
    title: "El monto de un impuesto adicional o retención no corresponde a su base",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/ImptoReten",
    sii_code: Some("HED-2-302"),
};
const AUSENTE: Code = Code {
    code: "DTE-IMPUESTO-AUSENTE",
    title: "Una línea tiene un impuesto que no está en los totales",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Detalle/CodImpAdic y Totales/ImptoReten",
    sii_code: None,
};
const NO_RETENIDO: Code = Code {
    code: "DTE-IVA-NO-RETENIDO",
    title: "El IVA no retenido no es el IVA menos lo retenido",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/IVANoRet",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "impuestos",
    about: "Impuestos adicionales y retenciones: código, tasa y monto.",
    codes: &[&CODIGO, &TASA, &CALCULO, &AUSENTE, &NO_RETENIDO],
    check,
};

/// What a tax does to the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signo {
    /// An additional tax or one paid in advance.
    Suma,
    /// A withholding: the buyer pays it to the tax service, not to the issuer.
    Resta,
    /// Stated, not calculated with.
    Nada,
    /// Practice differs: both are accepted.
    Cualquiera,
}

/// What the rate, if it is fixed, applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// The net amount of the lines with this code.
    Lineas,
    /// The whole IVA.
    Iva,
    /// A rate that isn't fixed, or a base that isn't in the document.
    Otra,
}

struct Impuesto {
    codigo: i64,
    signo: Signo,
    /// In tenths of a percent.
    tasa: Option<i64>,
    base: Base,
}

const fn fijo(codigo: i64, signo: Signo, decimas: i64) -> Impuesto {
    Impuesto {
        codigo,
        signo,
        tasa: Some(decimas),
        base: Base::Lineas,
    }
}

const fn libre(codigo: i64, signo: Signo) -> Impuesto {
    Impuesto {
        codigo,
        signo,
        tasa: None,
        base: Base::Otra,
    }
}

/// The table of the format. A rate that the sources give differently (34: 4 or 11 %) and one
/// that follows prices or margins is left open.
const TABLA: [Impuesto; 40] = [
    libre(14, Signo::Suma),
    Impuesto {
        codigo: 15,
        signo: Signo::Resta,
        tasa: None,
        base: Base::Iva,
    },
    libre(17, Signo::Suma),
    fijo(18, Signo::Suma, 50),
    fijo(19, Signo::Suma, 120),
    fijo(23, Signo::Suma, 150),
    fijo(24, Signo::Suma, 315),
    fijo(25, Signo::Suma, 205),
    fijo(26, Signo::Suma, 205),
    fijo(27, Signo::Suma, 100),
    fijo(271, Signo::Suma, 180),
    libre(28, Signo::Suma),
    fijo(30, Signo::Resta, 100),
    libre(301, Signo::Resta),
    libre(31, Signo::Resta),
    fijo(32, Signo::Resta, 80),
    libre(321, Signo::Resta),
    fijo(33, Signo::Resta, 80),
    libre(331, Signo::Resta),
    libre(34, Signo::Resta),
    libre(341, Signo::Resta),
    libre(35, Signo::Suma),
    fijo(36, Signo::Resta, 100),
    libre(361, Signo::Resta),
    fijo(37, Signo::Resta, 100),
    libre(371, Signo::Resta),
    libre(38, Signo::Resta),
    libre(39, Signo::Resta),
    libre(41, Signo::Resta),
    fijo(44, Signo::Suma, 150),
    fijo(45, Signo::Suma, 500),
    libre(46, Signo::Resta),
    libre(47, Signo::Resta),
    fijo(48, Signo::Resta, 140),
    libre(481, Signo::Resta),
    libre(49, Signo::Nada),
    libre(50, Signo::Suma),
    libre(51, Signo::Suma),
    libre(52, Signo::Suma),
    libre(53, Signo::Cualquiera),
];

/// Whether the table has the code.
pub(crate) fn existe(codigo: i64) -> bool {
    buscar(codigo).is_some()
}

fn buscar(codigo: i64) -> Option<&'static Impuesto> {
    TABLA.iter().find(|impuesto| impuesto.codigo == codigo)
}

/// What a tax does to the total; `None` for an unknown code.
pub(crate) fn signo(impuesto: &ImptoReten) -> Option<Signo> {
    impuesto
        .tipo_imp
        .valor()
        .and_then(buscar)
        .map(|impuesto| impuesto.signo)
}

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let totales = &caso.documento.encabezado.totales;
    for (indice, impuesto) in totales.impto_reten.iter().enumerate() {
        uno(caso, out, indice, impuesto);
    }
    sin_total(caso, out);
    no_retenido(caso, out);
}

/// The first line whose tax the totals don't have.
fn sin_total(caso: &Caso<'_>, out: &mut Findings) {
    let impuestos = &caso.documento.encabezado.totales.impto_reten;
    for (indice, linea) in caso.documento.detalle.iter().enumerate() {
        let falta = linea
            .cod_imp_adic
            .iter()
            .filter_map(Campo::valor)
            .find(|codigo| {
                !impuestos
                    .iter()
                    .any(|impuesto| impuesto.tipo_imp == Campo::Valor(*codigo))
            });
        if let Some(codigo) = falta {
            let mensaje = format!(
                "La línea tiene el impuesto {codigo}, que no está en los totales (ImptoReten)."
            );
            out.add(&AUSENTE, caso.ruta_linea(indice, "CodImpAdic"), mensaje);
            return;
        }
    }
}

fn uno(caso: &Caso<'_>, out: &mut Findings, indice: usize, impuesto: &ImptoReten) {
    let ruta = |campo: &str| caso.ruta_de("Encabezado/Totales/ImptoReten", indice, campo);
    let Some(codigo) = impuesto.tipo_imp.valor() else {
        return;
    };
    let Some(tabla) = buscar(codigo) else {
        let mensaje = format!(
            "El código de impuesto {codigo} no está en la tabla del SII; no se puede comprobar el total."
        );
        out.add(&CODIGO, ruta("TipoImp"), mensaje);
        return;
    };
    let fija = tabla.tasa.map(|decimas| Decimal::new(decimas, 1));
    if let (Some(fija), Some(tasa)) = (fija, impuesto.tasa_imp.valor())
        && tasa != fija
    {
        let mensaje = format!(
            "La tasa del impuesto {codigo} dice {} % y la de la tabla del SII es {} %.",
            findings::numero(tasa),
            findings::numero(fija)
        );
        out.add(&TASA, ruta("TasaImp"), mensaje);
    }
    iva_retenido(caso, out, indice, impuesto, tabla);
    let (Some(informado), Some(esperado)) = (
        impuesto.monto_imp.valor(),
        esperado(caso, tabla, impuesto, fija),
    ) else {
        return;
    };
    let lineas = caso.documento.detalle.len();
    caso.comparar(
        out,
        Comparacion {
            code: &CALCULO,
            esperado,
            informado,
            tolerancia: caso.tolerancia(lineas),
            severity: CALCULO.severity,
        },
        || (ruta("MontoImp"), format!("El monto del impuesto {codigo}")),
    );
}

/// The whole IVA is withheld at the rate of the IVA, and never more than it.
fn iva_retenido(
    caso: &Caso<'_>,
    out: &mut Findings,
    indice: usize,
    impuesto: &ImptoReten,
    tabla: &Impuesto,
) {
    let Some(tasa) = impuesto.tasa_imp.valor() else {
        return;
    };
    let legal = caso.calculo.tasa;
    let todo = impuesto.monto_imp.valor() == caso.documento.encabezado.totales.iva.valor();
    if tabla.base == Base::Iva && (tasa > legal || (tasa < legal && todo)) {
        let mensaje = format!(
            "La retención {} dice una tasa de {} % y la del IVA es {} %.",
            tabla.codigo,
            findings::numero(tasa),
            findings::numero(legal)
        );
        let ruta = caso.ruta_de("Encabezado/Totales/ImptoReten", indice, "TasaImp");
        out.add(&TASA, ruta, mensaje);
    }
}

/// The rate that a tax usually has; `None` for those that follow prices, volumes or margins.
/// Those that withhold the whole IVA have its rate (formato DTE, section 4).
pub(crate) fn tasa_habitual(codigo: i64, tasa_iva: Decimal) -> Option<Decimal> {
    match codigo {
        15 | 301 | 31 | 321 | 331 | 341 | 361 | 371 | 38 | 39 | 41 | 46 | 47 | 481 => {
            Some(tasa_iva)
        }
        17 => Some(Decimal::from(5)),
        34 => Some(Decimal::from(4)),
        49 => Some(Decimal::ZERO),
        53 => Some(Decimal::new(5, 1)),
        _ => buscar(codigo)?.tasa.map(|decimas| Decimal::new(decimas, 1)),
    }
}

/// The amount that a tax of this rate should have, where the document holds its base: the
/// lines that carry its code, or the IVA that is withheld in whole.
pub(crate) fn monto(
    documento: &Documento,
    calculo: &Calculo,
    codigo: i64,
    tasa: Decimal,
) -> Option<Decimal> {
    if buscar(codigo)?.base == Base::Iva && tasa == calculo.tasa {
        // In part withheld under code 15, the rate says which part.
        return documento.encabezado.totales.iva.valor();
    }
    let base = match codigo {
        17 => formulas::base_faena(documento, codigo)?,
        _ => formulas::base_imponible(documento, calculo, codigo)?,
    };
    porcentaje(base, tasa).map(redondear)
}

/// What `MontoImp` is compared with. With several globals the share of each line is open,
/// and so are the amounts of taxes that follow margins, volumes or the price to the public.
fn esperado(
    caso: &Caso<'_>,
    tabla: &Impuesto,
    impuesto: &ImptoReten,
    fija: Option<Decimal>,
) -> Option<Decimal> {
    let tasa = match tabla.base {
        Base::Iva => impuesto.tasa_imp.valor_o(caso.calculo.tasa)?,
        Base::Lineas => impuesto.tasa_imp.valor().or(fija)?,
        Base::Otra => {
            let total = tasa_habitual(tabla.codigo, caso.calculo.tasa) == Some(caso.calculo.tasa);
            (total && tabla.signo == Signo::Resta).then(|| impuesto.tasa_imp.valor())??
        }
    };
    let total = tabla.base == Base::Iva && tasa == caso.calculo.tasa;
    if !total && (tabla.base == Base::Iva || caso.documento.dsc_rcg_global.len() > 1) {
        return None;
    }
    monto(caso.documento, &caso.calculo, tabla.codigo, tasa)
}

/// `IVANoRet` of a factura de compra and of the notes over one.
fn no_retenido(caso: &Caso<'_>, out: &mut Findings) {
    let totales = &caso.documento.encabezado.totales;
    let Some(informado) = totales.iva_no_ret.valor() else {
        return;
    };
    if !matches!(
        caso.tipo,
        Some(TipoDte::FacturaCompra | TipoDte::NotaDebito | TipoDte::NotaCredito)
    ) {
        return;
    }
    let Some(esperado) = formulas::iva_no_retenido(totales) else {
        return;
    };
    caso.comparar(
        out,
        Comparacion {
            code: &NO_RETENIDO,
            esperado,
            informado,
            tolerancia: Decimal::ONE,
            severity: NO_RETENIDO.severity,
        },
        || {
            (
                caso.ruta("Encabezado/Totales/IVANoRet"),
                "El IVA no retenido (IVA menos lo retenido)".to_owned(),
            )
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Documento;
    use crate::rules::pruebas::{m, tabla};

    fn impuesto(doc: &mut Documento, codigo: i64, tasa: &str, monto: &str) {
        doc.encabezado.totales.impto_reten.push(ImptoReten {
            tipo_imp: Campo::Valor(codigo),
            tasa_imp: m(tasa),
            monto_imp: m(monto),
        });
    }

    #[test]
    fn every_code_stands_once() {
        for impuesto in &TABLA {
            assert_eq!(
                TABLA
                    .iter()
                    .filter(|otro| otro.codigo == impuesto.codigo)
                    .count(),
                1
            );
        }
    }

    #[test]
    fn the_whole_iva_is_withheld_at_its_own_rate() {
        let tasa: &[(&str, Severity)] = &[("DTE-IMPUESTO-TASA", Severity::Warning)];
        fn con(doc: &mut Documento, tasa: &str) {
            doc.encabezado.totales.impto_reten[0].tasa_imp = m(tasa);
        }
        tabla(
            &RULE,
            46,
            &[
                (|doc| con(doc, "20"), tasa),
                (|doc| con(doc, "13"), tasa),
                (
                    |doc| {
                        con(doc, "10");
                        doc.encabezado.totales.impto_reten[0].monto_imp = m("1500");
                    },
                    &[],
                ),
            ],
        );
    }

    #[test]
    fn additional_taxes() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| impuesto(doc, 99, "10", "1000"),
                    &[("DTE-IMPUESTO-CODIGO", Severity::Warning)],
                ),
                (
                    |doc| impuesto(doc, 24, "27", "1000"),
                    &[("DTE-IMPUESTO-TASA", Severity::Warning)],
                ),
                (|doc| impuesto(doc, 24, "31.5", "1000"), &[]),
                (
                    |doc| {
                        doc.detalle[0].cod_imp_adic.push(Campo::Valor(24));
                        impuesto(doc, 24, "31.5", "3150");
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.detalle[0].cod_imp_adic.push(Campo::Valor(24));
                        impuesto(doc, 24, "31.5", "1000");
                    },
                    &[("DTE-IMPUESTO-CALCULO", Severity::Warning)],
                ),
            ],
        );
    }

    #[test]
    fn a_tax_of_a_line_is_in_the_totals() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.detalle[1].cod_imp_adic.push(Campo::Valor(27)),
                    &[("DTE-IMPUESTO-AUSENTE", Severity::Warning)],
                ),
                (|doc| doc.detalle[1].cod_imp_adic.push(Campo::Ilegible), &[]),
            ],
        );
    }

    /// The only withholding, also of the lines.
    fn retencion(doc: &mut Documento, codigo: i64, tasa: &str, monto: &str) {
        doc.encabezado.totales.impto_reten.clear();
        for linea in &mut doc.detalle {
            linea.cod_imp_adic = vec![Campo::Valor(codigo)];
        }
        impuesto(doc, codigo, tasa, monto);
    }

    #[test]
    fn withheld_iva() {
        tabla(
            &RULE,
            46,
            &[
                (|doc| retencion(doc, 15, "19", "2850"), &[]),
                (
                    |doc| retencion(doc, 15, "19", "2000"),
                    &[("DTE-IMPUESTO-CALCULO", Severity::Warning)],
                ),
                (
                    |doc| {
                        retencion(doc, 34, "4", "600");
                        doc.encabezado.totales.iva_no_ret = m("2250");
                    },
                    &[],
                ),
                (
                    |doc| {
                        retencion(doc, 34, "4", "600");
                        doc.encabezado.totales.iva_no_ret = m("2850");
                    },
                    &[("DTE-IVA-NO-RETENIDO", Severity::Error)],
                ),
            ],
        );
    }
}
