//! Totals against the lines.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::indicadores::Indicadores;
use crate::pesos::calculable;
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::pesos;

const FUENTE: &str = "Código del Trabajo, art. 54";

const IMPONIBLE: Code = Code {
    code: "LIQ-TOTAL-IMPONIBLE",
    title: "El total imponible no es la suma de sus haberes",
    severity: Severity::Error,
    source: "Código del Trabajo, art. 41; DL 3.500, art. 16",
    remedio: "Sumar de nuevo los haberes imponibles, sin los que no lo son.",
};
const HABERES: Code = Code {
    code: "LIQ-TOTAL-HABERES",
    title: "El total de haberes no es su suma",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Sumar de nuevo los haberes imponibles y no imponibles.",
};
const DESCUENTOS: Code = Code {
    code: "LIQ-TOTAL-DESCUENTOS",
    title: "El total de descuentos no es su suma",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Sumar de nuevo los descuentos legales y los otros; los aportes del empleador no son descuentos.",
};
const LIQUIDO: Code = Code {
    code: "LIQ-TOTAL-LIQUIDO",
    title: "El líquido no es haberes menos descuentos",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Calcular de nuevo el líquido.",
};
const NEGATIVO: Code = Code {
    code: "LIQ-LIQUIDO-NEGATIVO",
    title: "Los descuentos superan los haberes",
    severity: Severity::Error,
    source: "Código del Trabajo, art. 58",
    remedio: "Revisar los descuentos: no puede pagarse un líquido negativo.",
};

pub(super) static RULE: Rule = Rule {
    name: "totales",
    about: "Totales y líquido contra la suma de las líneas.",
    codes: &[&IMPONIBLE, &HABERES, &DESCUENTOS, &LIQUIDO, &NEGATIVO],
    check,
};

/// A total that the payslip gives, and where.
fn informado(
    caso: &Caso<'_>,
    campo: Option<Decimal>,
    nombre: &str,
    concepto: Concepto,
) -> Option<(Decimal, String)> {
    if let Some(total) = campo.filter(|total| calculable(*total)) {
        return Some((total, nombre.to_owned()));
    }
    let linea = caso.de(concepto).last()?;
    Some((linea.importe, linea.ruta()))
}

fn check(caso: &Caso<'_>, out: &mut Findings) {
    imponible(caso, out);
    let (haberes, haberes_mal) = haberes(caso, out);
    let (descuentos, descuentos_mal) = descuentos(caso, out);
    // A net pay that only follows a wrong total isn't another defect.
    let seguido = haberes.zip(descuentos).map(|(mas, menos)| mas - menos);
    liquido(caso, out, seguido.filter(|_| haberes_mal || descuentos_mal));
}

fn dos(uno: (&str, Decimal), signo: &str, otro: (&str, Decimal)) -> String {
    let (a, b) = (pesos(uno.1), pesos(otro.1));
    format!("{} {a} {signo} {} {b}", uno.0, otro.0)
}

fn imponible(caso: &Caso<'_>, out: &mut Findings) {
    let total = caso.liquidacion.totales.imponible;
    let Some((total, ruta)) = informado(caso, total, "total_imponible", Concepto::TotalImponible)
    else {
        return;
    };
    // A capped total is the cap, said another way.
    let topes = [Indicadores::tope_afp, Indicadores::tope_afc];
    let es_tope = |i: &Indicadores| topes.iter().any(|tope| tope(i) == Some(total));
    if caso.imponible > total && caso.indicadores.is_some_and(es_tope) {
        return;
    }
    let suma = Suma {
        code: &IMPONIBLE,
        ruta,
        que: "El total imponible",
        esperado: caso.imponible,
        formula: "suma de los haberes imponibles".to_owned(),
    };
    suma.comparar(caso, out, total);
}

fn haberes(caso: &Caso<'_>, out: &mut Findings) -> (Option<Decimal>, bool) {
    let campo = caso.liquidacion.totales.haberes;
    let Some((total, ruta)) = informado(caso, campo, "total_haberes", Concepto::TotalHaberes)
    else {
        return (None, false);
    };
    // Odoo's gross pay may leave out what isn't taxable.
    if campo.is_none() && total == caso.imponible {
        return (None, false);
    }
    let suma = Suma {
        code: &HABERES,
        ruta,
        que: "El total de haberes",
        esperado: caso.haberes(),
        formula: dos(
            ("imponibles", caso.imponible),
            "+",
            ("no imponibles", caso.no_imponible),
        ),
    };
    (Some(total), suma.comparar(caso, out, total))
}

fn descuentos(caso: &Caso<'_>, out: &mut Findings) -> (Option<Decimal>, bool) {
    let campo = caso.liquidacion.totales.descuentos;
    let informado = informado(caso, campo, "total_descuentos", Concepto::TotalDescuentos);
    let Some((total, ruta)) = informado.map(|(total, ruta)| (total.abs(), ruta)) else {
        return (None, false);
    };
    let suma = Suma {
        code: &DESCUENTOS,
        ruta,
        que: "El total de descuentos",
        esperado: caso.descuentos(),
        formula: dos(
            ("legales", caso.descuentos_legales),
            "+",
            ("otros", caso.otros_descuentos),
        ),
    };
    (Some(total), suma.comparar(caso, out, total))
}

fn liquido(caso: &Caso<'_>, out: &mut Findings, seguido: Option<Decimal>) {
    let (haberes, descuentos) = (caso.haberes(), caso.descuentos());
    let esperado = haberes - descuentos;
    let campo = caso.liquidacion.totales.liquido;
    let informado = informado(caso, campo, "total_liquido", Concepto::Liquido);
    if let Some((total, ruta)) = informado.filter(|(total, _)| seguido != Some(*total)) {
        let suma = Suma {
            code: &LIQUIDO,
            ruta,
            que: "El líquido",
            esperado,
            formula: dos(("haberes", haberes), "−", ("descuentos", descuentos)),
        };
        suma.comparar(caso, out, total);
    }
    if esperado < Decimal::ZERO {
        let mensaje = format!(
            "Los descuentos {} superan los haberes {}: el líquido sería {}.",
            pesos(descuentos),
            pesos(haberes),
            pesos(esperado)
        );
        out.add(&NEGATIVO, "lines", mensaje);
    }
}

struct Suma<'c> {
    code: &'static Code,
    ruta: String,
    que: &'c str,
    esperado: Decimal,
    formula: String,
}

impl Suma<'_> {
    /// A line that nobody knows may be what a total has more or less.
    fn comparar(self, caso: &Caso<'_>, out: &mut Findings, informado: Decimal) -> bool {
        let sobra = informado - self.esperado;
        if !sobra.is_zero() && sobra.abs() == caso.desconocido.abs() {
            return false;
        }
        out.comparar(Comparacion {
            code: self.code,
            severity: self.code.severity,
            path: self.ruta,
            que: self.que,
            esperado: self.esperado,
            informado,
            tolerancia: Decimal::ONE,
            formula: self.formula,
        })
    }
}
