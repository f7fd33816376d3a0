//! The JSON that programs make of Previred's page: keys such as `AFPUnoTasaDep`, figures as texts
//! with a decimal comma, or as numbers.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::cosecha::Cosecha;
use super::error::{PreviredError, PreviredErrorKind};
use crate::afp::Afp;
use crate::indicadores::{Campo, Indicadores};
use crate::json::{Escalar, chileno, decimal};
use crate::periodo::Periodo;
use crate::pesos::calculable;

type Objeto<'a> = BTreeMap<String, &'a RawValue>;

/// Keys of one figure each.
const CLAVES: &[(&str, Campo)] = &[
    ("UFValPeriodo", Campo::Uf),
    ("UF", Campo::Uf),
    ("UFValPeriodoAnt", Campo::UfMesAnterior),
    ("UF_prev", Campo::UfMesAnterior),
    ("UTMVal", Campo::Utm),
    ("UTM", Campo::Utm),
    ("UTAVal", Campo::Uta),
    ("UTA", Campo::Uta),
    ("RTIAfpUF", Campo::AfpTopeUf),
    ("RTIIpsUF", Campo::IpsTopeUf),
    ("RTISegCesUF", Campo::AfcTopeUf),
    ("RTIAfpPesos", Campo::AfpTopePesos),
    ("tope_afp_clp", Campo::AfpTopePesos),
    ("RTIIpsPesos", Campo::IpsTopePesos),
    ("tope_ips_clp", Campo::IpsTopePesos),
    ("RTISegCesPesos", Campo::AfcTopePesos),
    ("tope_afc_clp", Campo::AfcTopePesos),
    ("RMITrabDepeInd", Campo::SueldoMinimo),
    ("dependientes", Campo::SueldoMinimo),
    ("RMIMen18May65", Campo::SueldoMinimoMenor18Mayor65),
    ("menor18_mayor65", Campo::SueldoMinimoMenor18Mayor65),
    ("RMITrabCasaPart", Campo::SueldoMinimoCasaParticular),
    ("casa_particular", Campo::SueldoMinimoCasaParticular),
    ("RMINoRemu", Campo::SueldoMinimoNoRemuneracional),
    ("no_remuneracional", Campo::SueldoMinimoNoRemuneracional),
    ("APVTopeMensUF", Campo::ApvTopeMensualUf),
    ("APVTopeAnuUF", Campo::ApvTopeAnualUf),
    ("APVTopeMensPesos", Campo::ApvTopeMensualPesos),
    ("APV_mens", Campo::ApvTopeMensualPesos),
    ("APVTopeAnuPesos", Campo::ApvTopeAnualPesos),
    ("APV_anual", Campo::ApvTopeAnualPesos),
    ("DepConvenidoUF", Campo::DepositoConvenidoUf),
    ("DepConvenidoPesos", Campo::DepositoConvenidoPesos),
    ("DC", Campo::DepositoConvenidoPesos),
    ("AFCCpiEmpleador", Campo::AfcEmpleadorIndefinido),
    ("AFCCpiTrabajador", Campo::AfcTrabajadorIndefinido),
    ("AFCCpfEmpleador", Campo::AfcEmpleadorPlazoFijo),
    ("AFCCpfTrabajador", Campo::AfcTrabajadorPlazoFijo),
    ("AFCCpi11Empleador", Campo::AfcEmpleadorIndefinido11),
    ("AFCCpi11Trabajador", Campo::AfcTrabajadorIndefinido11),
    ("AFCTcpEmpleador", Campo::AfcEmpleadorCasaParticular),
    ("AFCTcpTrabajador", Campo::AfcTrabajadorCasaParticular),
    ("TasaSIS", Campo::Sis),
    ("SIS", Campo::Sis),
    ("AFamTramoAMonto", Campo::AsigFam1),
    ("AFamTramoBMonto", Campo::AsigFam2),
    ("AFamTramoCMonto", Campo::AsigFam3),
    ("AFamTramoDMonto", Campo::AsigFam4),
    ("AFamTramoAHasta", Campo::AsigFam1Hasta),
    ("AFamTramoBHasta", Campo::AsigFam2Hasta),
    ("AFamTramoCHasta", Campo::AsigFam3Hasta),
    ("AFamTramoBDesde", Campo::AsigFam2Desde),
    ("AFamTramoCDesde", Campo::AsigFam3Desde),
    ("AFamTramoDDesde", Campo::AsigFam4Desde),
    ("TrabPesadoCalif", Campo::PesadoTotal),
    ("TrabPesadoEmpl", Campo::PesadoEmpleador),
    ("TrabPesadoTrabaj", Campo::PesadoTrabajador),
    ("TrabMenosPesadoCalif", Campo::MenosPesadoTotal),
    ("TrabMenosPesadoEmpl", Campo::MenosPesadoEmpleador),
    ("TrabMenosPesadoTrabaj", Campo::MenosPesadoTrabajador),
    ("Dist7PorcCCAF", Campo::CcafDelSiete),
    ("Dist7PorcFonasa", Campo::FonasaDelSiete),
    ("ExpectativaVida", Campo::ExpectativaVida),
    ("RentabilidadProtegida", Campo::RentabilidadProtegida),
];

pub(super) fn leer(texto: &str, pedido: Periodo) -> Result<Indicadores, PreviredError> {
    let objeto: Objeto<'_> = serde_json::from_str(texto).map_err(|_| PreviredErrorKind::Json)?;
    let encontrado = del_mes(&objeto).ok_or(PreviredErrorKind::NoMonth)?;
    if encontrado != pedido {
        return Err(PreviredErrorKind::OtherMonth {
            found: encontrado,
            asked: pedido,
        }
        .into());
    }
    let mut cosecha = Cosecha::new(pedido, "Previred, JSON de terceros");
    planas(&mut cosecha, &objeto)?;
    // Some nest the minimum incomes, the funds and the brackets.
    if let Some(minimos) = dentro(&objeto, "RMI") {
        planas(&mut cosecha, &minimos)?;
    }
    for afp in Afp::TODAS {
        de_afp(&mut cosecha, &objeto, afp)?;
    }
    tramos(&mut cosecha, &objeto)?;
    cosecha.terminar()
}

/// `PeriodoMY` is month and year, `012024`.
fn del_mes(objeto: &Objeto<'_>) -> Option<Periodo> {
    ["PeriodoMY", "periodo", "period"].iter().find_map(|clave| {
        match Escalar::leer(objeto.get(*clave)?) {
            Escalar::Texto(texto) => Periodo::leer(&texto),
            _ => None,
        }
    })
}

fn dentro<'a>(objeto: &Objeto<'a>, clave: &str) -> Option<Objeto<'a>> {
    serde_json::from_str(objeto.get(clave)?.get()).ok()
}

fn planas(cosecha: &mut Cosecha, objeto: &Objeto<'_>) -> Result<(), PreviredError> {
    for (clave, campo) in CLAVES {
        if let Some(crudo) = objeto.get(*clave) {
            poner(cosecha, *campo, crudo)?;
        }
    }
    Ok(())
}

/// Here a text's comma is always the decimal one, and a point one for thousands.
fn poner(cosecha: &mut Cosecha, campo: Campo, crudo: &RawValue) -> Result<(), PreviredError> {
    let escalar = Escalar::leer(crudo);
    let valor = match &escalar {
        Escalar::Vacio => return Ok(()),
        Escalar::Texto(texto) => chileno(
            texto
                .trim_start_matches(['$', ' '])
                .trim_end_matches(['%', ' ']),
        ),
        otro => decimal(otro),
    };
    match valor.filter(|valor| calculable(*valor)) {
        Some(valor) => cosecha.poner(campo, valor),
        None => Err(PreviredErrorKind::Figure(campo).into()),
    }
}

fn de_afp(cosecha: &mut Cosecha, objeto: &Objeto<'_>, afp: Afp) -> Result<(), PreviredError> {
    let nombre = afp.nombre();
    for (sufijo, campo) in [
        ("TasaDep", Campo::afp(afp)),
        ("TasaDepTrab", Campo::afp(afp)),
        ("TasaDepAPagar", Campo::afp_a_pagar(afp)),
        ("TasaInd", Campo::afp_independiente(afp)),
        ("TasaSIS", Campo::Sis),
    ] {
        if let Some(crudo) = objeto.get(&format!("AFP{nombre}{sufijo}")) {
            poner(cosecha, campo, crudo)?;
        }
    }
    match dentro(objeto, "AFP_dep").and_then(|tasas| tasas.get(nombre).copied()) {
        Some(crudo) => poner(cosecha, Campo::afp(afp), crudo),
        None => Ok(()),
    }
}

/// `[[0, 353356, 13832], …]`: from, to, amount.
fn tramos(cosecha: &mut Cosecha, objeto: &Objeto<'_>) -> Result<(), PreviredError> {
    let Some(crudo) = objeto.get("asignacion_familiar") else {
        return Ok(());
    };
    let campo = |_| PreviredErrorKind::ColumnShift(Campo::AsigFam1);
    let filas: Vec<[u32; 3]> = serde_json::from_str(crudo.get()).map_err(campo)?;
    let campos = [
        (Campo::AsigFam1Hasta, Campo::AsigFam1),
        (Campo::AsigFam2Hasta, Campo::AsigFam2),
        (Campo::AsigFam3Hasta, Campo::AsigFam3),
    ];
    for ([_, hasta, monto], (campo_hasta, campo_monto)) in filas.iter().zip(campos) {
        cosecha.poner(campo_hasta, Decimal::from(*hasta))?;
        cosecha.poner(campo_monto, Decimal::from(*monto))?;
    }
    Ok(())
}
