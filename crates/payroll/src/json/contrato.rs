//! The contract's layout.

use rust_decimal::Decimal;

use super::MAX_LINEAS;
use super::datos;
use super::escalar::{self, Escalar};
use super::objeto::{Lector, Objeto, ruta};
use crate::model::{Linea, Liquidacion, Totales};
use crate::periodo::Periodo;
use crate::pesos::calculable;

pub(super) fn leer(lector: &mut Lector, raiz: &Objeto<'_>) -> Liquidacion {
    let periodo_texto = lector.texto(raiz, &["period", "periodo"]);
    let periodo = periodo_texto.as_deref().and_then(Periodo::leer);
    if periodo.is_none() {
        let (msg, kind) = match periodo_texto {
            None => ("Falta el período, como AAAA-MM.", "missing"),
            Some(_) => ("El período debe ser un mes, como AAAA-MM.", "value_error"),
        };
        lector.error(raiz.loc("period"), msg, kind);
    }
    Liquidacion {
        empleado: empleado(lector, raiz),
        nombre: lector.texto(raiz, &["employee_name", "nombre"]),
        periodo,
        periodo_texto,
        sueldo: sueldo(lector, raiz),
        desde: lector.fecha(raiz, &["date_from", "desde"]),
        hasta: lector.fecha(raiz, &["date_to", "hasta"]),
        lineas: lineas(lector, raiz),
        totales: Totales {
            imponible: lector.numero(raiz, &["total_imponible"]),
            haberes: lector.numero(raiz, &["total_haberes"]),
            descuentos: lector.numero(raiz, &["total_descuentos"]),
            liquido: lector.numero(raiz, &["total_liquido", "liquido"]),
        },
        datos: datos::leer(lector, raiz),
        ilegibles: Vec::new(),
    }
}

fn empleado(lector: &mut Lector, raiz: &Objeto<'_>) -> Option<u64> {
    let loc = raiz.loc("employee_id");
    let crudo = raiz.campos.get("employee_id")?;
    // Odoo's reference: here the number is wanted.
    let id = match serde_json::from_str::<(u64, String)>(crudo.get()) {
        Ok((id, _)) => Some(id),
        Err(_) => match Escalar::leer(crudo) {
            Escalar::Vacio => {
                lector.error(loc, "Falta el número del trabajador.", "missing");
                return None;
            }
            escalar => escalar::decimal(&escalar)
                .filter(Decimal::is_integer)
                .and_then(|valor| u64::try_from(valor).ok()),
        },
    };
    let id = id.filter(|id| *id > 0);
    if id.is_none() {
        lector.error(
            loc,
            "El número del trabajador debe ser un entero mayor que 0.",
            "value_error",
        );
    }
    id
}

fn sueldo(lector: &mut Lector, raiz: &Objeto<'_>) -> Option<Decimal> {
    let loc = raiz.loc("wage");
    let Some((_, escalar)) = raiz.valor(&["wage", "sueldo_base"]) else {
        lector.error(loc, "Falta el sueldo base.", "missing");
        return None;
    };
    let sueldo =
        escalar::decimal(&escalar).filter(|valor| *valor > Decimal::ZERO && calculable(*valor));
    if sueldo.is_none() {
        lector.error(
            loc,
            "El sueldo base debe ser un monto mayor que 0.",
            "value_error",
        );
    }
    sueldo
}

fn lineas(lector: &mut Lector, raiz: &Objeto<'_>) -> Vec<Linea> {
    let Some(items) = lector.lista(raiz, "lines") else {
        lector.error(
            raiz.loc("lines"),
            "Faltan las líneas de la liquidación.",
            "missing",
        );
        return Vec::new();
    };
    if items.is_empty() {
        lector.error(
            raiz.loc("lines"),
            "La liquidación debe tener al menos una línea.",
            "too_short",
        );
    } else if items.len() > MAX_LINEAS {
        lector.error(
            raiz.loc("lines"),
            "La liquidación puede tener a lo más 100 líneas.",
            "too_long",
        );
    }
    items.iter().map(|item| linea(lector, item)).collect()
}

fn linea(lector: &mut Lector, item: &Objeto<'_>) -> Linea {
    let mut linea = Linea {
        ruta: ruta(&item.lugar),
        codigo: lector.texto(item, &["code", "codigo"]),
        nombre: lector.texto(item, &["name", "nombre", "concepto"]),
        categoria: lector.texto(
            item,
            &["category", "category_code", "category_id", "categoria"],
        ),
        monto: lector.numero(item, &["amount", "monto"]),
        total: lector.numero(item, &["total"]),
        cantidad: lector.numero(item, &["quantity", "cantidad"]),
        seccion: None,
    };
    if linea.codigo.is_none() && linea.nombre.is_none() {
        lector.error(item.loc("code"), "Falta el código de la línea.", "missing");
    }
    if item.valor(&["amount", "monto", "total"]).is_none() {
        // An amount of `false` is Odoo's 0; a line without any is none.
        if ["amount", "monto"]
            .iter()
            .any(|nombre| item.campos.contains(nombre))
        {
            linea.monto = Some(Decimal::ZERO);
        } else {
            lector.error(item.loc("amount"), "Falta el monto de la línea.", "missing");
        }
    }
    linea
}
