//! Lines and fields: what can't be read, what nobody knows, what is there twice.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::{Caso, lado_informado};
use crate::concepto::{Certeza, Clase};
use crate::pesos::calculable;
use crate::report::{Code, Findings};
use findings::Severity;
use findings::pesos;

const PRACTICA: &str = "práctica de remuneraciones";

const ILEGIBLE: Code = Code {
    code: "LIQ-CAMPO-ILEGIBLE",
    title: "Un dato no se puede leer",
    severity: Severity::Warning,
    source: PRACTICA,
    remedio: "Corregir el dato y validar de nuevo: lo que depende de él no se revisó.",
};
const SIN_MONTO: Code = Code {
    code: "LIQ-LINEA-SIN-MONTO",
    title: "Una línea no tiene un monto utilizable",
    severity: Severity::Warning,
    source: PRACTICA,
    remedio: "Informar el monto de la línea, en pesos.",
};
const DESCONOCIDA: Code = Code {
    code: "LIQ-LINEA-DESCONOCIDA",
    title: "No se sabe qué es una línea",
    severity: Severity::Info,
    source: PRACTICA,
    remedio: "Darle un código, nombre o categoría que diga si es haber imponible, no imponible, descuento o aporte.",
};
const REPETIDA: Code = Code {
    code: "LIQ-LINEA-REPETIDA",
    title: "Una línea está dos veces",
    severity: Severity::Warning,
    source: PRACTICA,
    remedio: "Quitar la línea repetida, si no son dos conceptos distintos.",
};
const LADO: Code = Code {
    code: "LIQ-LINEA-LADO",
    title: "Un haber está clasificado al revés",
    severity: Severity::Warning,
    source: "Código del Trabajo, art. 41; DL 3.500, art. 10",
    remedio: "Revisar si el haber es imponible: colación, movilización, viáticos y asignación familiar no lo son; bonos, comisiones y gratificación sí.",
};

pub(super) static RULE: Rule = Rule {
    name: "lectura",
    about: "Datos que no se pueden leer y líneas que no se reconocen, se repiten o están al revés.",
    codes: &[&ILEGIBLE, &SIN_MONTO, &DESCONOCIDA, &REPETIDA, &LADO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    for ilegible in &caso.liquidacion.ilegibles {
        let mensaje = format!("No se pudo leer «{}».", ilegible.texto);
        let severity = if ilegible.palabra {
            Severity::Info
        } else {
            ILEGIBLE.severity
        };
        out.add_as(&ILEGIBLE, severity, ilegible.ruta.clone(), mensaje);
    }
    for linea in &caso.liquidacion.lineas {
        if linea.importe().is_none_or(|importe| !calculable(importe)) {
            let mensaje = format!(
                "«{}» no tiene un monto con el que se pueda calcular.",
                linea.titulo()
            );
            out.add(&SIN_MONTO, linea.ruta.clone(), mensaje);
        }
    }
    for linea in &caso.lineas {
        if linea.reconocida.certeza == Certeza::Desconocida && !linea.importe.is_zero() {
            let mensaje = format!(
                "No se sabe qué es «{}» ({}): no se consideró en los cálculos.",
                linea.linea.titulo(),
                pesos(linea.importe)
            );
            out.add(&DESCONOCIDA, linea.ruta(), mensaje);
        }
    }
    repetidas(caso, out);
    lados(caso, out);
}

fn repetidas(caso: &Caso<'_>, out: &mut Findings) {
    for (indice, linea) in caso.lineas.iter().enumerate() {
        let igual = |otra: &&super::caso::Clasificada<'_>| {
            otra.importe == linea.importe
                && otra.linea.codigo == linea.linea.codigo
                && otra.linea.nombre == linea.linea.nombre
                && otra.linea.seccion == linea.linea.seccion
        };
        let antes = caso.lineas.iter().take(indice).find(igual);
        if linea.importe != Decimal::ZERO && antes.is_some() {
            let mensaje = format!(
                "«{}» por {} está dos veces.",
                linea.linea.titulo(),
                pesos(linea.importe)
            );
            out.add(&REPETIDA, linea.ruta(), mensaje);
        }
    }
}

fn lados(caso: &Caso<'_>, out: &mut Findings) {
    for linea in &caso.lineas {
        let Some(concepto) = linea.reconocida.concepto else {
            continue;
        };
        let (Some(informado), Certeza::Reconocida) =
            (lado_informado(linea.linea), linea.reconocida.certeza)
        else {
            continue;
        };
        let haber = matches!(concepto.clase(), Clase::Imponible | Clase::NoImponible);
        if haber && informado != concepto.clase() && !linea.importe.is_zero() {
            let (dice, es) = match informado {
                Clase::Imponible => ("imponible", "no suele serlo"),
                _ => ("no imponible", "suele serlo"),
            };
            let mensaje = format!("«{}» está como haber {dice} y {es}.", linea.linea.titulo());
            out.add(&LADO, linea.ruta(), mensaje);
        }
    }
}
