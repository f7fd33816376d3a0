//! Totals against the lines.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::pesos::{calculable, pesos};
use crate::report::{Code, Comparacion, Findings, Severity};

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
    let totales = &caso.liquidacion.totales;
    let imponible = informado(
        caso,
        totales.imponible,
        "total_imponible",
        Concepto::TotalImponible,
    );
    let haberes = informado(
        caso,
        totales.haberes,
        "total_haberes",
        Concepto::TotalHaberes,
    );
    let descuentos = informado(
        caso,
        totales.descuentos,
        "total_descuentos",
        Concepto::TotalDescuentos,
    )
    .map(|(total, ruta)| (total.abs(), ruta));
    let liquido = informado(caso, totales.liquido, "total_liquido", Concepto::Liquido);
    let cifras = |uno: &str, a: Decimal, signo: &str, otro: &str, b: Decimal| {
        format!("{uno} {} {signo} {otro} {}", pesos(a), pesos(b))
    };
    let mut mal = false;
    if let Some((total, ruta)) = imponible {
        let formula = "suma de los haberes imponibles".to_owned();
        let suma = Suma {
            code: &IMPONIBLE,
            ruta,
            que: "El total imponible",
            esperado: caso.imponible,
            formula,
        };
        // A capped total is the cap, said another way.
        let topes = [
            crate::indicadores::Indicadores::tope_afp,
            crate::indicadores::Indicadores::tope_afc,
        ];
        let topado = caso
            .indicadores
            .is_some_and(|i| topes.iter().any(|tope| tope(i) == Some(total)));
        if !(topado && caso.imponible > total) {
            suma.comparar(caso, out, total);
        }
    }
    if let Some((total, ruta)) = &haberes {
        let formula = cifras(
            "imponibles",
            caso.imponible,
            "+",
            "no imponibles",
            caso.no_imponible,
        );
        // Odoo's gross pay may leave out what isn't taxable.
        let bruto = totales.haberes.is_none() && *total == caso.imponible;
        if !bruto {
            let suma = Suma {
                code: &HABERES,
                ruta: ruta.clone(),
                que: "El total de haberes",
                esperado: caso.haberes(),
                formula,
            };
            mal |= suma.comparar(caso, out, *total);
        }
    }
    if let Some((total, ruta)) = &descuentos {
        let formula = cifras(
            "legales",
            caso.descuentos_legales,
            "+",
            "otros",
            caso.otros_descuentos,
        );
        let suma = Suma {
            code: &DESCUENTOS,
            ruta: ruta.clone(),
            que: "El total de descuentos",
            esperado: caso.descuentos(),
            formula,
        };
        mal |= suma.comparar(caso, out, *total);
    }
    let esperado = caso.haberes() - caso.descuentos();
    if let Some((total, ruta)) = liquido {
        let formula = cifras(
            "haberes",
            caso.haberes(),
            "−",
            "descuentos",
            caso.descuentos(),
        );
        // A net pay that only follows a wrong total isn't another defect.
        let seguido = haberes
            .zip(descuentos)
            .map(|((haberes, _), (descuentos, _))| haberes - descuentos);
        if !(mal && seguido == Some(total)) {
            Suma {
                code: &LIQUIDO,
                ruta,
                que: "El líquido",
                esperado,
                formula,
            }
            .comparar(caso, out, total);
        }
    }
    if esperado < Decimal::ZERO {
        let mensaje = format!(
            "Los descuentos {} superan los haberes {}: el líquido sería {}.",
            pesos(caso.descuentos()),
            pesos(caso.haberes()),
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
