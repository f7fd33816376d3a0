//! What is known of worker and contract, under its many names.

use rust_decimal::Decimal;

use super::objeto::{Lector, Objeto};
use crate::afp::Afp;
use crate::ley::{RegimenGratificacion, TipoContrato};
use crate::model::{Datos, Salud};
use crate::texto::{plano, tiene};

type Nombres = &'static [&'static str];

const AFP: Nombres = &["afp", "afp_name", "afp_id", "prevision"];
const SALUD: Nombres = &[
    "health",
    "salud",
    "isapre",
    "isapre_name",
    "isapre_id",
    "prevision_salud",
];
const CONTRATO: Nombres = &[
    "contract_type",
    "tipo_contrato",
    "tipoContrato",
    "contract_type_id",
];
const INICIO: Nombres = &[
    "contract_start",
    "date_start",
    "fecha_inicio",
    "fechaIngreso",
];
const PLAN_UF: Nombres = &["health_plan_uf", "plan_uf", "isapre_plan_uf", "planUf"];
const PLAN_PESOS: Nombres = &["health_plan_clp", "plan_clp", "plan_pesos"];
const DIAS: Nombres = &["worked_days", "dias_trabajados", "diasTrabajados"];
const HORAS: Nombres = &["weekly_hours", "horas_semanales", "horasSemanales"];
const HORAS_EXTRA: Nombres = &["overtime_hours", "horas_extra", "horasExtra"];
const NACIMIENTO: Nombres = &[
    "birth_date",
    "birthday",
    "fecha_nacimiento",
    "fechaNacimiento",
];
const CARGAS: Nombres = &[
    "dependents",
    "cargas",
    "cargas_familiares",
    "cargasFamiliares",
];
const TRAMO: Nombres = &["family_bracket", "tramo", "tramo_asignacion"];
const GRATIFICACION: Nombres = &[
    "gratification_type",
    "tipo_gratificacion",
    "tipoGratificacion",
];
const ACCIDENTES: Nombres = &["work_injury_rate", "tasa_mutual", "tasa_accidentes"];

/// Beside the contract's members, or in `trabajador`.
pub(super) fn leer(lector: &mut Lector, objeto: &Objeto<'_>) -> Datos {
    let afp = objeto.valor(AFP);
    let salud = objeto.valor(SALUD);
    let cargas = lector.numero(objeto, CARGAS);
    Datos {
        contrato: lector.eleccion(objeto, CONTRATO, TipoContrato::leer),
        inicio: lector.fecha(objeto, INICIO),
        afp: afp.and_then(|(_, escalar)| Afp::leer(&format!("afp {}", escalar.muestra()))),
        salud: salud.and_then(|(nombre, escalar)| tipo_salud(nombre, &escalar.muestra())),
        plan_uf: lector.numero(objeto, PLAN_UF),
        plan_pesos: lector.numero(objeto, PLAN_PESOS),
        dias: lector.numero(objeto, DIAS),
        horas_semanales: lector.numero(objeto, HORAS),
        horas_extra: lector.numero(objeto, HORAS_EXTRA),
        edad: lector.numero(objeto, &["age", "edad"]).and_then(edad),
        nacimiento: lector.fecha(objeto, NACIMIENTO),
        pensionado: pensionado(objeto),
        cargas: cargas.and_then(|valor| u32::try_from(valor).ok()),
        tramo: lector.eleccion(objeto, TRAMO, tramo),
        gratificacion: lector.eleccion(objeto, GRATIFICACION, RegimenGratificacion::leer),
        tasa_accidentes: lector.numero(objeto, ACCIDENTES),
    }
}

fn edad(valor: Decimal) -> Option<i16> {
    i16::try_from(valor.trunc())
        .ok()
        .filter(|edad| (10..=120).contains(edad))
}

fn tipo_salud(nombre: &str, texto: &str) -> Option<Salud> {
    let plano = plano(texto);
    if tiene(&plano, "fonasa") {
        Some(Salud::Fonasa)
    } else if nombre.starts_with("isapre") || crate::concepto::nombra_isapre(&plano) {
        Some(Salud::Isapre)
    } else {
        None
    }
}

fn pensionado(objeto: &Objeto<'_>) -> Option<bool> {
    let crudo = ["pensioner", "pensionado", "jubilado"]
        .iter()
        .find_map(|nombre| objeto.campos.get(nombre))?;
    match crudo.get().trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn tramo(texto: &str) -> Option<char> {
    let plano = plano(texto);
    match plano.trim_start_matches("tramo").trim() {
        "a" | "1" => Some('A'),
        "b" | "2" => Some('B'),
        "c" | "3" => Some('C'),
        "d" | "4" => Some('D'),
        _ => None,
    }
}
