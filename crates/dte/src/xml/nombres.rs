//! The element names of the format that the model doesn't hold, section by section, so that
//! only names that the format doesn't have count as strange.
//!
//! Sources: DTE_v10.xsd and EnvioBOLETA_v11.xsd; formato DTE 2026-02 for what is newer.

pub(super) const DOCUMENTO: &[&str] = &["SubTotInfo", "GeoRefEmision", "ManejoMadera"];

pub(super) const ENCABEZADO: &[&str] = &["RUTMandante", "RUTSolicita", "RUTProvSW"];

pub(super) const ID_DOC: &[&str] = &[
    "TpoImpresion",
    "FchCancel",
    "MntCancel",
    "SaldoInsol",
    "MntPagos",
    "TpoCtaPago",
    "NumCtaPago",
    "BcoPago",
    "TermPagoCdg",
    "TermPagoGlosa",
    "TermPagoDias",
];

pub(super) const EMISOR: &[&str] = &[
    "CodAdicSucur",
    "IdAdicEmisor",
    "RUTProveedor",
    "RznSocProveedor",
];

pub(super) const RECEPTOR: &[&str] = &["DirPostal", "CmnaPostal", "CiudadPostal"];

pub(super) const TRANSPORTE: &[&str] = &["PatenteCarro"];

pub(super) const TOTALES: &[&str] = &["MntBase", "MntMargenCom", "IVAProp", "IVATerc"];

pub(super) const OTRA_MONEDA: &[&str] = &[
    "MntNetoOtrMnda",
    "MntFaeCarneOtrMnda",
    "MntMargComOtrMnda",
    "IVAOtrMnda",
    "ImpRetOtrMnda",
    "IVANoRetOtrMnda",
];

pub(super) const DETALLE: &[&str] = &[
    "ItemEspectaculo",
    "RUTMandante",
    "InfoTicket",
    "QtyRef",
    "UnmdRef",
    "PrcRef",
    "Subcantidad",
    "FchElabor",
    "FchVencim",
    "OtrMnda",
    "SubDscto",
    "SubRecargo",
];

pub(super) const REFERENCIA: &[&str] = &["IdAdicOtr", "CodVndor", "CodCaja"];

/// Elements that may stand more than once where they stand.
pub(super) const REPETIBLES: &[&str] = &[
    "Detalle",
    "Referencia",
    "DscRcgGlobal",
    "Comisiones",
    "SubTotInfo",
    "ImptoReten",
    "Acteco",
    "Telefono",
    "CdgItem",
    "CodImpAdic",
    "MntPagos",
    "TipoBultos",
    "Subcantidad",
    "SubDscto",
    "SubRecargo",
    "ImpRetOtrMnda",
];

/// Sections and fields that rules need: found elsewhere, they are misplaced.
const CON_LUGAR: &[&str] = &[
    "Encabezado",
    "IdDoc",
    "Emisor",
    "Receptor",
    "Transporte",
    "Totales",
    "OtraMoneda",
    "Detalle",
    "DscRcgGlobal",
    "Referencia",
    "Comisiones",
    "TED",
    "TipoDTE",
    "Folio",
    "FchEmis",
    "MntBruto",
    "IndTraslado",
    "RUTEmisor",
    "RUTRecep",
    "MntNeto",
    "MntExe",
    "TasaIVA",
    "IVA",
    "ImptoReten",
    "MntTotal",
    "NroLinDet",
    "NmbItem",
    "QtyItem",
    "PrcItem",
    "MontoItem",
    "IndExe",
    "CodRef",
    "TpoDocRef",
    "FolioRef",
    "FchRef",
    "TpoCodigo",
    "VlrCodigo",
];

/// Whether a document has an element of this name somewhere.
pub(super) fn existe(nombre: &str) -> bool {
    CON_LUGAR.contains(&nombre)
}
