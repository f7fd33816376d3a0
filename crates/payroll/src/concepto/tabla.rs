//! The table of codes, words and categories.
//!
//! Codes are those of Odoo's standard structure, of the Chilean localisations that were seen,
//! and of common exports; words are matched at the beginning of a word, without accents. A bar
//! stands between two.

use super::{Concepto, Patronal, del_empleador};
use crate::texto::{tiene, tiene_palabra};

use Concepto::{
    Accidentes, Afc, AfcEmpleador, Afp, AhorroVoluntario, Anticipo, AporteCuenta, Apv,
    AsignacionFamiliar, Colacion, CreditoCcaf, CuotaSindical, Gratificacion, HorasExtra, Impuesto,
    Inasistencia, Informativo, Liquido, Movilizacion, OtroAporte, OtroDescuento, OtroImponible,
    OtroNoImponible, RentabilidadProtegida, RetencionJudicial, Salud, SaludAdicional, SeguroSocial,
    Sis, SueldoBase, TotalDescuentos, TotalHaberes, TotalImponible, TrabajoPesado, Vivienda,
};

/// Words that name an Isapre.
pub(super) const ISAPRES: [&str; 9] = [
    "isapre",
    "banmedica",
    "colmena",
    "consalud",
    "cruz blanca",
    "cruzblanca",
    "nueva masvida",
    "vida tres",
    "esencial",
];

/// Codes without spaces or punctuation, in lower case.
const CODIGOS: &[(Concepto, &str)] = &[
    (
        SueldoBase,
        "basic|sueldo|sueldobase|sb|base|sbase|wage|sueld",
    ),
    (
        HorasExtra,
        "hex|hex50|hex100|hexde|horasextra|horasextras|overtime|ot|he50|he|hhee",
    ),
    (
        Gratificacion,
        "grat|gratif|gratificacion|gratlegal|grat50|gratificacionlegal",
    ),
    (
        OtroImponible,
        "bono|comi|comision|comisiones|semcorr|semanacorrida|agui|aguinaldo|\
         bonos|vac|vacaciones",
    ),
    (
        Inasistencia,
        "ausencia|inasistencia|atraso|atrasos|falta|lwp|unpaid",
    ),
    (
        AsignacionFamiliar,
        "asigfam|asfam|af|asignacionfamiliar|asfretro|cargas|cargasfamiliares",
    ),
    (Colacion, "col|colacion|colac"),
    (Movilizacion, "mov|movilizacion|movil|loc"),
    (
        OtroNoImponible,
        "viasan|viatico|viaticos|tool|herramientas|indem|indemnizacion|\
         salacuna|percaja|reembolso",
    ),
    (Afp, "afp|prev|prevision|pension"),
    (
        Salud,
        "salud|fonasa|isapre|health|cajacomp|pccaf|ccaf|caja|sal",
    ),
    (
        SaludAdicional,
        "adisa|adicionalisapre|isapreadicional|saludadicional|adicionalsalud|\
         difisapre",
    ),
    (Afc, "afc|sece|cesantia|segces|segurocesantia|sc"),
    (
        Impuesto,
        "impuni|iut|iu|iusc|impuesto|impuestounico|imp|tax|impunico|isc",
    ),
    (TrabajoPesado, "tpesado|trabajopesado|pesado"),
    (Apv, "apv|apvb"),
    (AhorroVoluntario, "apva|cuenta2|cta2|ahorroafp|ctaahorro"),
    (Anticipo, "ant|anticipo|antc|adv|advance|quincena"),
    (
        RetencionJudicial,
        "retjud|pensionalimenticia|alimentos|attachsalary|retencionjudicial",
    ),
    (CuotaSindical, "sindicato|sind|cuotasindical"),
    (CreditoCcaf, "creditoccaf|ccafcredito|credccaf"),
    (
        OtroDescuento,
        "presta|prestamo|desc|descuento|otrosdesc|loan|segcomp",
    ),
    (Sis, "sis"),
    (
        AfcEmpleador,
        "seceemp|afcemp|afcempleador|secemp|afcer|cesantiaempleador",
    ),
    (Accidentes, "mut|mutual|isl|achs|accidentes|atep"),
    (
        AporteCuenta,
        "capind|aporteafp|afpemp|afpempleador|cuentaindividual",
    ),
    (
        SeguroSocial,
        "exvida|expvida|segsocial|segurosocial|expectativavida",
    ),
    (RentabilidadProtegida, "crp|rentprot"),
    (TotalImponible, "totim|imponible|totalimponible|totimp"),
    (TotalHaberes, "gross|hab|totalhaberes|tothab|bruto"),
    (TotalDescuentos, "totaldescuentos|totdesc|td"),
    (Liquido, "net|liq|liquido|neto|liquidoapagar|sueldoliquido"),
    (
        Informativo,
        "tribu|tributable|totnoi|totalnoimponible|tde|tod|ctc|costoempresa|\
         basetributable",
    ),
];

/// The concept of a known code.
pub(super) fn por_codigo(codigo: &str) -> Option<Concepto> {
    if codigo.is_empty() {
        return None;
    }
    let junto = codigo.replace(' ', "");
    CODIGOS
        .iter()
        .find(|(_, codigos)| codigos.split('|').any(|codigo| codigo == junto))
        .map(|(concepto, _)| *concepto)
}

/// The first row of which a phrase is in the name decides, so the narrower stand first.
const PALABRAS: &[(Concepto, &str)] = &[
    (
        Liquido,
        "liquido|alcance liquido|total a pagar|neto a pagar|net salary|net pay|\
         saldo a pagar",
    ),
    (
        Informativo,
        "total no imponible|total haberes no imponible|total tributable|\
         base tributable|renta tributable|base impuesto|\
         total descuentos legales|total descuentos previsionales|\
         total leyes sociales|total otros descuentos|\
         total descuentos voluntarios|costo empresa|costo total|total aportes|\
         tope imponible|dias trabajados",
    ),
    (
        TotalImponible,
        "total imponible|total haberes imponible|renta imponible|\
         base imponible|total remuneracion imponible",
    ),
    (
        TotalHaberes,
        "total haberes|total haber|total ganado|sueldo bruto|total bruto|gross",
    ),
    (
        TotalDescuentos,
        "total descuento|total deduccion|total deduction",
    ),
    (RentabilidadProtegida, "rentabilidad protegida"),
    (SeguroSocial, "expectativa de vida|seguro social"),
    (
        Sis,
        "invalidez y sobrevivencia|invalidez sobrevivencia|seguro de invalidez",
    ),
    (
        Accidentes,
        "mutual|accidentes del trabajo|accidente del trabajo|ley 16744|\
         ley 16 744|instituto de seguridad laboral",
    ),
    (
        AsignacionFamiliar,
        "asignacion familiar|asig familiar|asignaciones familiares|\
         cargas familiares|carga familiar|asig fam|family allowance",
    ),
    (
        SaludAdicional,
        "adicional isapre|adicional salud|salud adicional|isapre adicional|\
         diferencia plan|diferencia isapre|exceso isapre|adicional plan|\
         excedente plan",
    ),
    (
        OtroDescuento,
        "seguro complementario|seguro de vida|seguro dental|seguro colectivo|\
         seguro catastrofico|prestamo|descuento convenio|cuota prestamo",
    ),
    (
        CreditoCcaf,
        "credito caja|credito ccaf|credito social|prestamo caja|leasing caja|\
         credito los andes|credito la araucana",
    ),
    (
        AhorroVoluntario,
        "cuenta 2|cuenta ahorro|cuenta de ahorro|ahorro voluntario afp|\
         apv regimen a|apv a|ahorro afp",
    ),
    (
        Apv,
        "apv|ahorro previsional voluntario|apvc|deposito convenido",
    ),
    (
        RetencionJudicial,
        "retencion judicial|pension de alimentos|pension alimenticia|alimentos|\
         embargo",
    ),
    (CuotaSindical, "cuota sindical|sindicato|cuota sindicato"),
    (
        Vivienda,
        "dividendo hipotecario|vivienda|ahorro para la vivienda",
    ),
    (Anticipo, "anticipo|adelanto"),
    (
        TrabajoPesado,
        "trabajo pesado|trabajos pesados|trabajo menos pesado",
    ),
    (
        Afc,
        "seguro de cesantia|seguro cesantia|seg cesantia|cesantia|\
         seguro desempleo|seguro de desempleo|afc|unemployment",
    ),
    (Impuesto, "impuesto|iusc|income tax"),
    (
        Salud,
        "fonasa|isapre|cotizacion salud|cotizacion de salud|salud|banmedica|\
         colmena|consalud|cruz blanca|cruzblanca|nueva masvida|vida tres|\
         esencial|caja de compensacion|ccaf|health",
    ),
    (
        Afp,
        "afp|a f p|prevision|cotizacion previsional|cotizacion obligatoria|\
         fondo de pensiones|cotizacion pension|pension",
    ),
    (Gratificacion, "gratif"),
    (
        HorasExtra,
        "horas extra|hora extra|hrs extra|hs extra|hh ee|sobretiempo|\
         horas extraordinarias|overtime|horas al 50|recargo domingo|horas 50",
    ),
    (
        Inasistencia,
        "inasistencia|ausencia|dias no trabajados|atraso|permiso sin goce|\
         dias licencia|descuento dias",
    ),
    (
        Colacion,
        "colacion|bono colacion|asignacion colacion|almuerzo|alimentacion",
    ),
    (
        Movilizacion,
        "movilizacion|locomocion|bono de movilizacion|\
         asignacion de movilizacion|transporte",
    ),
    (
        OtroNoImponible,
        "viatico|desgaste de herramienta|desgaste herramienta|herramientas|\
         indemniza|perdida de caja|asignacion de caja|asignacion caja|\
         reembolso|devolucion de gastos|sala cuna|teletrabajo|\
         feriado proporcional|bono no imponible|no imponible|finiquito|\
         vacaciones proporcionales",
    ),
    (
        SueldoBase,
        "sueldo base|sueldo mensual|sueldo contractual|basic salary|\
         salario base|sueldo convenido|sueldo",
    ),
    (
        OtroImponible,
        "bono|comision|semana corrida|aguinaldo|participacion|incentivo|premio|\
         feriado|vacaciones|asignacion de titulo|asignacion zona|\
         asignacion de zona|tratos|propina|diferencia de sueldo|\
         responsabilidad|turno|produccion|remuneracion variable|antiguedad|\
         haber imponible",
    ),
];

/// The same for the employer's side.
const PATRONALES: &[(Concepto, &str)] = &[
    (RentabilidadProtegida, "rentabilidad protegida|crp"),
    (SeguroSocial, "expectativa|seguro social|exvida"),
    (Sis, "sis|invalidez"),
    (AfcEmpleador, "cesantia|afc|desempleo|sece"),
    (Accidentes, "mutual|accidente|isl|achs|ist|16744|mut"),
    (
        AporteCuenta,
        "cuenta individual|capitalizacion|afp|reforma|cotizacion adicional",
    ),
];

/// The concept that the words of a name or a code tell.
pub(super) fn por_palabras(plano: &str, patronal: Patronal) -> Option<Concepto> {
    if plano.is_empty() {
        return None;
    }
    if patronal != Patronal::No
        && let Some(concepto) = primera(PATRONALES, plano)
    {
        return Some(concepto);
    }
    if tiene_palabra(plano, "sis") {
        return Some(Sis);
    }
    // A contribution of the employer's that has no name of its own.
    let concepto = primera(PALABRAS, plano)?;
    Some(if del_empleador(concepto, patronal) {
        OtroAporte
    } else {
        concepto
    })
}

fn primera(tabla: &[(Concepto, &str)], plano: &str) -> Option<Concepto> {
    tabla
        .iter()
        .find(|(_, frases)| frases.split('|').any(|frase| tiene(plano, frase)))
        .map(|(concepto, _)| *concepto)
}

/// The side that a category tells.
pub(super) fn por_categoria(categoria: &str) -> Option<Concepto> {
    if categoria.is_empty() {
        return None;
    }
    let es = |palabras: &[&str]| palabras.iter().any(|palabra| tiene(categoria, palabra));
    if es(&["no imponible", "noimpo", "no imp", "noimp", "exento"]) {
        Some(OtroNoImponible)
    } else if es(&[
        "comp",
        "contrib",
        "aporte",
        "empleador",
        "patronal",
        "costo",
    ]) {
        Some(OtroAporte)
    } else if es(&["ded", "desc", "otros desc", "legal", "prev", "salud"]) {
        Some(OtroDescuento)
    } else if es(&["net", "liq"]) {
        Some(Liquido)
    } else if es(&["gross", "total"]) {
        Some(Informativo)
    } else if es(&[
        "alw",
        "allowance",
        "imponible",
        "impo",
        "haber",
        "basic",
        "bono",
    ]) {
        Some(OtroImponible)
    } else {
        None
    }
}
