//! The layout with the payslip's parts, as some payroll programs export it.

use findings::Members;

use super::MAX_LINEAS;
use super::datos;
use super::objeto::{Lector, Objeto, ruta};
use crate::model::{Linea, Liquidacion, Seccion, Totales};
use crate::periodo::Periodo;

const PARTES: [(&str, Seccion); 5] = [
    ("haberesImponibles", Seccion::Imponible),
    ("haberesNoImponibles", Seccion::NoImponible),
    ("descuentosLegales", Seccion::DescuentoLegal),
    ("otrosDescuentos", Seccion::OtroDescuento),
    ("aportesEmpleador", Seccion::Aporte),
];

/// Whether the object has this layout.
pub(super) fn es(raiz: &Objeto<'_>) -> bool {
    !raiz.campos.contains("lines") && PARTES.iter().any(|(parte, _)| raiz.campos.contains(parte))
}

/// Here a month that can't be read is a finding: nothing demands one.
pub(super) fn leer(lector: &mut Lector, raiz: &Objeto<'_>) -> Liquidacion {
    let periodo_texto = lector.texto(raiz, &["mes", "periodo", "period"]);
    let vacio = Objeto {
        campos: Members::default(),
        lugar: Vec::new(),
    };
    let trabajador = raiz.dentro("trabajador").unwrap_or(vacio);
    let mut lineas = Vec::new();
    for (parte, seccion) in PARTES {
        for item in lector.lista(raiz, parte).unwrap_or_default() {
            lineas.push(linea(lector, &item, seccion));
        }
    }
    if lineas.is_empty() {
        lector.error(
            raiz.loc("haberesImponibles"),
            "La liquidación debe tener al menos una línea.",
            "too_short",
        );
    } else if lineas.len() > MAX_LINEAS {
        lector.error(
            raiz.loc("haberesImponibles"),
            "La liquidación puede tener a lo más 100 líneas.",
            "too_long",
        );
    }
    Liquidacion {
        empleado: None,
        nombre: lector.texto(&trabajador, &["nombre"]),
        periodo: periodo_texto.as_deref().and_then(Periodo::leer),
        periodo_texto,
        sueldo: lector.numero(&trabajador, &["sueldoBase", "sueldo_base"]),
        desde: None,
        hasta: None,
        lineas,
        totales: Totales {
            imponible: lector.numero(raiz, &["totalImponible", "total_imponible"]),
            haberes: lector.numero(raiz, &["totalHaberes", "total_haberes"]),
            descuentos: lector.numero(raiz, &["totalDescuentos", "total_descuentos"]),
            liquido: lector.numero(
                raiz,
                &["liquido", "liquidoAPagar", "total_liquido", "sueldoLiquido"],
            ),
        },
        datos: datos::leer(lector, &trabajador),
        ilegibles: Vec::new(),
    }
}

fn linea(lector: &mut Lector, item: &Objeto<'_>, seccion: Seccion) -> Linea {
    Linea {
        ruta: ruta(&item.lugar),
        codigo: lector.texto(item, &["codigo", "code"]),
        nombre: lector.texto(item, &["concepto", "nombre", "name"]),
        categoria: None,
        monto: lector.numero(item, &["monto", "amount"]),
        total: lector.numero(item, &["total"]),
        cantidad: lector.numero(item, &["cantidad", "quantity"]),
        seccion: Some(seccion),
    }
}
