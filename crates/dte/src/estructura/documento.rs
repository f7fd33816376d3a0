//! The body and the head of every document but a boleta.
//!
//! Columns: 33, 34, 43, 46, 52, 56, 61, 110, 111, 112. Letters: see `Presencia`.
//! A value of the form `Libre` is judged by a rule of its own, which says more about it.

use super::forma::Forma::{Fecha, Hora, Libre, Rut, Valores};
use super::forma::{MONEDA, MONTO, PESO, VALOR, entero, lleno, texto};
use super::montos::{
    COMISIONES, DETALLE, DSC_RCG_GLOBAL, OTRA_MONEDA, REFERENCIA, SUB_TOT_INFO, TOTALES,
};
use super::{Elemento, campo, seccion};
use jiff::civil::{Date, date};

/// The destination of wood is part of the format since its edition of this day (Res. Ex.
/// 75 of 2024).
const RES_75_2024: Date = date(2026, 2, 16);

pub(super) const CUERPO: &[Elemento] = &[
    seccion("Encabezado", "RRRRRRRRRR", ENCABEZADO),
    seccion("Detalle", "RRRRRRRRRR", DETALLE).veces(60),
    seccion("SubTotInfo", "..........", SUB_TOT_INFO).veces(20),
    seccion("DscRcgGlobal", "..N.......", DSC_RCG_GLOBAL).veces(20),
    seccion("Referencia", "..........", REFERENCIA).veces(40),
    seccion("GeoRefEmision", "..N....NNN", GEO_REF_EMISION),
    seccion("ManejoMadera", "..N....NNN", MANEJO_MADERA),
    seccion("Comisiones", ".......NNN", COMISIONES).veces(20),
    campo("TmstFirma", "..........", Libre),
];

/// `Encabezado`.
const ENCABEZADO: &[Elemento] = &[
    seccion("IdDoc", "RRRRRRRRRR", ID_DOC),
    seccion("Emisor", "RRRRRRRRRR", EMISOR),
    campo("RUTMandante", "..N-...NNN", Rut),
    seccion("Receptor", "RRRRRRRRRR", RECEPTOR),
    campo("RUTSolicita", "..N.-..NNN", Rut),
    seccion("Transporte", "..N.......", TRANSPORTE),
    seccion("Totales", "RRRRRRRRRR", TOTALES),
    seccion("OtraMoneda", "..N.......", OTRA_MONEDA),
];

/// `Encabezado/IdDoc`.
const ID_DOC: &[Elemento] = &[
    campo("TipoDTE", "RRRRRRRRRR", Libre),
    campo("Folio", "RRRRRRRRRR", Libre),
    campo("FchEmis", "RRRRRRRRRR", Libre),
    campo("IndNoRebaja", "--N---.NNN", Valores(&["1"])),
    campo("TipoDespacho", "..N..--.--", Valores(&["1", "2", "3"])),
    campo("IndTraslado", "--N-.--NNN", Libre),
    campo("TpoImpresion", "--N-.--NNN", Valores(&["N", "T"])),
    campo("IndServicio", "....-..___", Valores(&["1", "2", "3"])),
    campo("IndServicio", "_______...", Valores(&["3", "4", "5", "6"])),
    campo("MntBruto", "....-..NNN", Valores(&["1"])),
    campo(
        "TpoTranCompra",
        ".....--NNN",
        Valores(&["1", "2", "3", "4", "5", "6", "7"]),
    ),
    campo("TpoTranVenta", ".....-.NNN", Valores(&["1", "2", "3", "4"])),
    campo("FmaPago", "..........", Valores(&["1", "2", "3"])),
    campo("FmaPagExp", "--N-.--...", entero(1, 99)),
    campo("FchCancel", "..........", Fecha),
    campo("MntCancel", "..........", MONTO),
    campo("SaldoInsol", "..........", MONTO),
    seccion("MntPagos", "..........", MNT_PAGOS).veces(30),
    campo("PeriodoDesde", "....-.....", Fecha),
    campo("PeriodoHasta", "....-.....", Fecha),
    campo(
        "MedioPago",
        "....-.....",
        Valores(&["CH", "LT", "EF", "PE", "TC", "CF", "OT"]),
    ),
    campo(
        "TpoCtaPago",
        "..........",
        Valores(&["AHORRO", "CORRIENTE", "VISTA"]),
    ),
    campo("NumCtaPago", "....-.....", texto(20)),
    campo("BcoPago", "....-.....", texto(40)),
    campo("TermPagoCdg", "..........", texto(4)),
    campo("TermPagoGlosa", "..........", texto(100)),
    campo("TermPagoDias", "..........", entero(1, 999)),
    campo("FchVenc", "....-.....", Fecha),
    campo("TipoFactEsp", ".-N---.NNN", Valores(&["1"])),
];

/// `Encabezado/IdDoc/MntPagos`.
const MNT_PAGOS: &[Elemento] = &[
    campo("FchPago", "RRRRRRRRRR", Fecha),
    campo("MntPago", "RRRRRRRRRR", MONTO),
    campo("GlosaPagos", "..........", texto(40)),
];

/// `Encabezado/Emisor`.
const EMISOR: &[Elemento] = &[
    campo("RUTEmisor", "RRRRRRRRRR", Libre),
    campo("RznSoc", "RRRRRRRRRR", texto(100)),
    campo("GiroEmis", "RRRRRRRRRR", lleno(80)),
    campo("Telefono", "..........", texto(20)).veces(2),
    campo("CorreoEmisor", "..........", texto(80)),
    campo("Acteco", "RRRRRRRRRR", entero(1, 999_999)).veces(4),
    seccion("GuiaExport", "..N....NNN", GUIA_EXPORT),
    campo("Sucursal", "..........", texto(20)),
    campo("CdgSIISucur", "..........", entero(1, 999_999_999)),
    campo("DirOrigen", "MMRMM..M..", texto(70)),
    campo("CmnaOrigen", "MM..M.....", texto(20)),
    campo("CiudadOrigen", ".......M..", texto(20)),
    campo("CdgVendedor", "..........", texto(60)),
    campo("IdAdicEmisor", "--N-.--...", lleno(20)),
    campo("RUTProveedor", "..N....NNN", Rut),
    campo("RznSocProveedor", "..N....NNN", texto(100)),
    campo("CodAdicSucur", "NNNNNNN...", texto(20)),
];

/// `Encabezado/Emisor/GuiaExport`.
const GUIA_EXPORT: &[Elemento] = &[
    campo("CdgTraslado", "--N-.--NNN", Valores(&["1", "2", "3", "4"])),
    campo("FolioAut", "--N-.--NNN", entero(0, 999_999)),
    campo("FchAut", "--N-.--NNN", Fecha),
];

/// `Encabezado/Receptor`.
const RECEPTOR: &[Elemento] = &[
    campo("RUTRecep", "RRRRRRRRRR", Libre),
    campo("CdgIntRecep", "..........", texto(20)),
    campo("RznSocRecep", "RRRRRRRRRR", texto(100)),
    seccion("Extranjero", "..N.......", EXTRANJERO),
    // 46: the paper asks for it, but sellers without a line of business are the rule [seen].
    campo("GiroRecep", "MMR.M.....", texto(40)),
    campo("Contacto", "..........", texto(80)),
    campo("CorreoRecep", "..........", texto(80)),
    campo("DirRecep", "MMRMM..M..", texto(70)),
    campo("CmnaRecep", "MMRMM.....", texto(20)),
    campo("CiudadRecep", ".......M..", texto(20)),
    campo("DirPostal", "..........", texto(70)),
    campo("CmnaPostal", "..........", texto(20)),
    campo("CiudadPostal", "..........", texto(20)),
];

/// `Encabezado/Receptor/Extranjero`.
const EXTRANJERO: &[Elemento] = &[
    // 46: foreign sellers have one [seen].
    campo("NumId", ".-N.--....", lleno(20)),
    campo("Nacionalidad", "..N.......", lleno(3)),
    campo("TipoDocID", ".-N---.NNN", Valores(&["1", "2"])),
    campo("IdAdicRecep", "NNNNNNN...", lleno(20)),
];

/// `Encabezado/Transporte`.
const TRANSPORTE: &[Elemento] = &[
    campo("Patente", "..N..--.--", texto(8)),
    campo("PatenteCarro", "..N..--NNN", texto(8)),
    campo("RUTTrans", "..N.......", Rut),
    seccion("Chofer", "..N.......", CHOFER),
    campo("DirDest", "..N.......", texto(70)),
    campo("CmnaDest", "..N.......", texto(20)),
    campo("CiudadDest", "..N.......", texto(20)),
    seccion("Aduana", "..N.......", ADUANA),
    campo("FchSalida", "..N....NNN", Fecha),
    campo("HraSalida", "..N....NNN", Hora),
    campo("FchLlegada", "..N....NNN", Fecha),
];

/// `Encabezado/Transporte/Chofer`.
const CHOFER: &[Elemento] = &[
    campo("RUTChofer", "RRNRRRRRRR", Rut),
    campo("NombreChofer", "RRNRRRRRRR", texto(30)),
];

/// `Encabezado/Transporte/Aduana`.
const ADUANA: &[Elemento] = &[
    campo("CodModVenta", "--N-.--...", entero(1, 99)),
    campo("CodClauVenta", "--N-.--...", entero(1, 99)),
    campo("TotClauVenta", "--N-.--...", VALOR),
    campo("CodViaTransp", "--N-.--...", entero(1, 99)),
    campo("NombreTransp", "--N-.--...", texto(40)),
    campo("RUTCiaTransp", "--N-.--...", Rut),
    campo("NomCiaTransp", "--N-.--...", texto(40)),
    campo("IdAdicTransp", "--N-.--...", lleno(20)),
    campo("Booking", "--N-.--...", lleno(20)),
    campo("Operador", "--N-.--...", lleno(20)),
    campo("CodPtoEmbarque", "--N-.--...", entero(1, 9_999)),
    campo("IdAdicPtoEmb", "--N-.--...", lleno(20)),
    campo("CodPtoDesemb", "--N-.--...", entero(1, 9_999)),
    campo("IdAdicPtoDesemb", "--N-.--...", lleno(20)),
    campo("Tara", "--N-.--...", entero(1, 9_999_999)),
    campo("CodUnidMedTara", "--N-.--...", entero(1, 99)),
    campo("PesoBruto", "--N-.--...", PESO),
    campo("CodUnidPesoBruto", "--N-.--...", entero(1, 99)),
    campo("PesoNeto", "--N-.--...", PESO),
    campo("CodUnidPesoNeto", "--N-.--...", entero(1, 99)),
    campo("TotItems", "--N-.--...", entero(1, 999_999_999_999_999_999)),
    campo(
        "TotBultos",
        "--N-.--M..",
        entero(1, 999_999_999_999_999_999),
    ),
    seccion("TipoBultos", "--N-.--...", TIPO_BULTOS).veces(10),
    campo("MntFlete", "--N-.--...", MONEDA),
    campo("MntSeguro", "--N-.--...", MONEDA),
    campo("CodPaisRecep", "--N-.--M..", entero(1, 999)),
    campo("CodPaisDestin", "--N-.--...", entero(1, 999)),
];

/// `Encabezado/Transporte/Aduana/TipoBultos`.
const TIPO_BULTOS: &[Elemento] = &[
    campo("CodTpoBultos", "--N-.--...", entero(1, 999)),
    campo("CantBultos", "--N-.--...", entero(1, 9_999_999_999)),
    campo("Marcas", "--N-.--...", texto(255)),
    campo("IdContainer", "--N-.--...", texto(25)),
    campo("Sello", "--N-.--...", texto(20)),
    campo("EmisorSello", "--N-.--...", texto(70)),
];

/// `GeoRefEmision`.
const GEO_REF_EMISION: &[Elemento] = &[
    campo("LatitudEmision", "RRNRRRRNNN", texto(30)),
    campo("LongitudEmision", "RRNRRRRNNN", texto(30)),
    campo("SistemaReferencia", "RRNRRRRNNN", entero(1, 9)),
];

/// `ManejoMadera`.
const MANEJO_MADERA: &[Elemento] = &[
    campo("ComunaRolOrigen", "RRNRRRRNNN", entero(1, 999_999)),
    campo("MnzRolOrigen", "RRNRRRRNNN", entero(1, 999_999)),
    campo("PrdRolOrigen", "RRNRRRRNNN", entero(1, 999_999)),
    campo("ComunaRolDestino", "M-N-M--NNN", entero(1, 999_999)).desde(RES_75_2024),
    campo("MnzRolDestino", "M-N-M--NNN", entero(1, 999_999)).desde(RES_75_2024),
    campo("PrdRolDestino", "M-N-M--NNN", entero(1, 999_999)).desde(RES_75_2024),
    campo("CodPlanConaf", "RRNRRRRNNN", texto(40)),
    campo("AvisoEjecucionFaena", ".-N-.--NNN", texto(40)),
    campo("LatitudOrigenMadera", "RRNRRRRNNN", texto(30)),
    campo("LongitudOrigenMadera", "RRNRRRRNNN", texto(30)),
    campo("LatitudDestinoMadera", "M-N-M--NNN", texto(30)).desde(RES_75_2024),
    campo("LongitudDestinoMadera", "M-N-M--NNN", texto(30)).desde(RES_75_2024),
    campo("SistemareferenciaMadera", "RRNRRRRNNN", entero(1, 9)),
];
