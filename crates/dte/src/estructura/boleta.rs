//! The boleta, which has a schema of its own.
//!
//! Columns: 39, 41. Letters: see `Presencia`.
//! A value of the form `Libre` is judged by a rule of its own, which says more about it.

use super::forma::Forma::{Fecha, Libre, Rut, Valores};
use super::forma::{CANTIDAD, PORCENTAJE_CERO, VALOR, entero, texto};
use super::{Elemento, campo, seccion};

pub(super) const CUERPO: &[Elemento] = &[
    seccion("Encabezado", "RR", ENCABEZADO),
    seccion("Detalle", "..", DETALLE).veces(1000),
    seccion("SubTotInfo", "..", SUB_TOT_INFO).veces(20),
    seccion("DscRcgGlobal", "..", DSC_RCG_GLOBAL).veces(20),
    seccion("Referencia", "..", REFERENCIA).veces(40),
    seccion("GeoRefEmision", "..", GEO_REF_EMISION),
    campo("TmstFirma", "..", Libre),
];

/// `Encabezado`.
const ENCABEZADO: &[Elemento] = &[
    seccion("IdDoc", "RR", ID_DOC),
    seccion("Emisor", "RR", EMISOR),
    seccion("Receptor", "RR", RECEPTOR),
    campo("RUTProvSW", "..", Rut),
    seccion("Totales", "RR", TOTALES),
];

/// `Encabezado/IdDoc`.
const ID_DOC: &[Elemento] = &[
    campo("TipoDTE", "RR", Libre),
    campo("Folio", "RR", Libre),
    campo("FchEmis", "RR", Libre),
    campo("IndServicio", "RR", Valores(&["1", "2", "3", "4"])),
    campo("IndMntNeto", "..", Valores(&["2"])),
    campo("PeriodoDesde", "..", Fecha),
    campo("PeriodoHasta", "..", Fecha),
    campo("FchVenc", "..", Fecha),
    campo("MedioPago", "..", Valores(&["1", "2", "3", "4", "5"])),
];

/// `Encabezado/Emisor`.
const EMISOR: &[Elemento] = &[
    campo("RUTEmisor", "RR", Libre),
    campo("RznSocEmisor", "..", texto(100)),
    campo("GiroEmisor", "..", texto(80)),
    campo("CdgSIISucur", "..", entero(1, 999_999_999)),
    campo("DirOrigen", "..", texto(70)),
    campo("CmnaOrigen", "..", texto(20)),
    campo("CiudadOrigen", "..", texto(20)),
];

/// `Encabezado/Receptor`.
const RECEPTOR: &[Elemento] = &[
    campo("RUTRecep", "RR", Libre),
    campo("CdgIntRecep", "..", texto(20)),
    campo("RznSocRecep", "..", texto(100)),
    campo("Contacto", "..", texto(80)),
    campo("CorreoRecep", "..", texto(80)),
    campo("TelefonoRecep", "..", texto(40)),
    campo("DirRecep", "..", texto(70)),
    campo("CmnaRecep", "..", texto(20)),
    campo("CiudadRecep", "..", texto(20)),
    campo("DirPostal", "..", texto(70)),
    campo("CmnaPostal", "..", texto(20)),
    campo("CiudadPostal", "..", texto(20)),
];

/// `Encabezado/Totales`.
const TOTALES: &[Elemento] = &[
    campo("MntNeto", "..", Libre),
    campo("MntExe", "..", Libre),
    campo("IVA", "..", Libre),
    campo("MntTotal", "RR", Libre),
    campo("MontoNF", "..", Libre),
    campo("TotalPeriodo", "..", Libre),
    campo("SaldoAnterior", "..", Libre),
    campo("VlrPagar", "..", Libre),
];

/// `Detalle`.
const DETALLE: &[Elemento] = &[
    campo("NroLinDet", "RR", entero(1, 1_000)),
    seccion("CdgItem", "..", CDG_ITEM).veces(5),
    campo("IndExe", "..", Valores(&["1", "2", "6"])),
    campo("ItemEspectaculo", "..", Valores(&["01", "02"])),
    campo("RUTMandante", "..", Rut),
    campo("NmbItem", "RR", texto(80)),
    seccion("InfoTicket", "..", INFO_TICKET),
    campo("DscItem", "..", texto(1000)),
    campo("QtyItem", "..", CANTIDAD),
    campo("UnmdItem", "..", texto(4)),
    campo("PrcItem", "..", CANTIDAD),
    campo("DescuentoPct", "..", PORCENTAJE_CERO),
    campo("DescuentoMonto", "..", entero(0, 999_999_999_999_999_999)),
    campo("RecargoPct", "..", PORCENTAJE_CERO),
    campo("RecargoMonto", "..", entero(0, 999_999_999_999_999_999)),
    campo("MontoItem", "RR", Libre),
];

/// `Detalle/CdgItem`.
const CDG_ITEM: &[Elemento] = &[
    campo("TpoCodigo", "RR", texto(10)),
    campo("VlrCodigo", "RR", texto(35)),
];

/// `Detalle/InfoTicket`.
const INFO_TICKET: &[Elemento] = &[
    campo("FolioTicket", "RR", entero(1, 999_999)),
    campo("FchGenera", "RR", Libre),
    campo("NmbEvento", "RR", texto(80)),
    campo("TpoTicket", "RR", texto(10)),
    campo("CdgEvento", "RR", texto(5)),
    campo("FchEvento", "RR", Libre),
    campo("LugarEvento", "RR", texto(80)),
    campo("UbicEvento", "RR", texto(20)),
    campo("FilaUbicEvento", "..", texto(3)),
    campo("AsntoUbicEvento", "..", texto(3)),
];

/// `SubTotInfo`.
const SUB_TOT_INFO: &[Elemento] = &[
    campo("NroSTI", "RR", entero(1, 20)),
    campo("GlosaSTI", "..", texto(80)),
    campo("OrdenSTI", "..", entero(1, 99)),
    campo("SubTotNetoSTI", "..", VALOR),
    campo("SubTotIVASTI", "..", VALOR),
    campo("SubTotAdicSTI", "..", VALOR),
    campo("SubTotExeSTI", "..", VALOR),
    campo("ValSubtotSTI", "..", VALOR),
    campo("LineasDeta", "..", entero(1, 1_000)).veces(1_000),
];

/// `DscRcgGlobal`.
const DSC_RCG_GLOBAL: &[Elemento] = &[
    campo("NroLinDR", "RR", entero(1, 20)),
    campo("TpoMov", "..", Libre),
    campo("GlosaDR", "..", texto(45)),
    campo("TpoValor", "..", Libre),
    campo("ValorDR", "..", Libre),
    campo("IndExeDR", "..", Valores(&["1", "2"])),
];

/// `Referencia`.
const REFERENCIA: &[Elemento] = &[
    campo("NroLinRef", "RR", entero(1, 40)),
    campo("TpoDocRef", "..", texto(3)),
    campo("FolioRef", "..", texto(18)),
    campo("CodRef", "..", texto(18)),
    campo("RazonRef", "..", texto(90)),
    campo("CodVndor", "..", texto(8)),
    campo("CodCaja", "..", texto(8)),
];

/// `GeoRefEmision`.
const GEO_REF_EMISION: &[Elemento] = &[
    campo("LatitudEmision", "RR", texto(30)),
    campo("LongitudEmision", "RR", texto(30)),
    campo("SistemaReferencia", "RR", entero(1, 9)),
];
