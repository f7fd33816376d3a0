//! Lines, totals, discounts, references and commissions of every document but a boleta.
//!
//! Columns: 33, 34, 43, 46, 52, 56, 61, 110, 111, 112. Letters: see `Presencia`.
//! A value of the form `Libre` is judged by a rule of its own, which says more about it.

use super::forma::Forma::{Fecha, Libre, Rut, Valores};
use super::forma::{
    CAMBIO, CANTIDAD, MONEDA, MONEDA_CERO, MONTO, MONTO_POSITIVO, PORCENTAJE, VALOR, entero, lleno,
    texto,
};
use super::{Elemento, campo, seccion};

/// The names of currencies (DTE_v10.xsd, TipMonType).
const MONEDAS: &[&str] = &[
    "BOLIVAR",
    "BOLIVIANO",
    "CHELIN",
    "CORONA DIN",
    "CORONA NOR",
    "CORONA SC",
    "CRUZEIRO REAL",
    "DIRHAM",
    "DOLAR AUST",
    "DOLAR CAN",
    "DOLAR HK",
    "DOLAR NZ",
    "DOLAR SIN",
    "DOLAR TAI",
    "DOLAR USA",
    "DRACMA",
    "ESCUDO",
    "EURO",
    "FLORIN",
    "FRANCO BEL",
    "FRANCO FR",
    "FRANCO SZ",
    "GUARANI",
    "LIBRA EST",
    "LIRA",
    "MARCO AL",
    "MARCO FIN",
    "NUEVO SOL",
    "OTRAS MONEDAS",
    "PESETA",
    "PESO",
    "PESO CL",
    "PESO COL",
    "PESO MEX",
    "PESO URUG",
    "RAND",
    "RENMINBI",
    "RUPIA",
    "SUCRE",
    "YEN",
];

/// `Encabezado/Totales`.
pub(super) const TOTALES: &[Elemento] = &[
    campo("MntNeto", ".-.....NNN", Libre),
    campo("MntExe", "..........", Libre),
    campo("MntBase", ".-N-...NNN", MONTO),
    campo("MntMargenCom", ".-N-...NNN", MONTO),
    campo("TasaIVA", ".......NNN", Libre),
    campo("IVA", ".......NNN", Libre),
    campo("IVAProp", ".-.....NNN", MONTO),
    campo("IVATerc", ".-.....NNN", MONTO),
    seccion("ImptoReten", ".......NNN", IMPTO_RETEN).veces(20),
    campo("IVANoRet", "--N.-..NNN", MONTO_POSITIVO),
    campo("CredEC", ".-N-...NNN", Libre),
    campo("GrntDep", "..N--..NNN", Libre),
    seccion("Comisiones", ".......NNN", TOTALES_COMISIONES),
    campo("MntTotal", "RRRRRRRRRR", Libre),
    campo("MontoNF", "..N....NNN", Libre),
    campo("MontoPeriodo", ".......NNN", Libre),
    campo("SaldoAnterior", ".......NNN", Libre),
    campo("VlrPagar", ".......NNN", Libre),
    campo("TpoMoneda", "NNNNNNNRRR", Valores(MONEDAS)),
];

/// `Encabezado/Totales/ImptoReten`.
const IMPTO_RETEN: &[Elemento] = &[
    campo("TipoImp", "RRRRRRRNNN", entero(1, 999)),
    campo("TasaImp", ".......NNN", PORCENTAJE),
    campo("MontoImp", "RRRRRRRNNN", Libre),
];

/// `Encabezado/Totales/Comisiones`.
const TOTALES_COMISIONES: &[Elemento] = &[
    campo("ValComNeto", "--..-..NNN", Libre),
    campo("ValComExe", "--..-..NNN", Libre),
    campo("ValComIVA", "--..-..NNN", Libre),
];

/// `Encabezado/OtraMoneda`.
pub(super) const OTRA_MONEDA: &[Elemento] = &[
    campo("TpoMoneda", "RRNRRRRRRR", Valores(MONEDAS)),
    campo("TpoCambio", "..N.......", CAMBIO),
    campo("MntNetoOtrMnda", ".-N....NNN", MONEDA),
    campo("MntExeOtrMnda", "..N.......", MONEDA_CERO),
    campo("MntFaeCarneOtrMnda", ".-N-...NNN", MONEDA),
    campo("MntMargComOtrMnda", ".-N-...NNN", MONEDA),
    campo("IVAOtrMnda", "..N....NNN", MONEDA),
    seccion("ImpRetOtrMnda", "..N....NNN", IMP_RET_OTR_MNDA).veces(20),
    campo("IVANoRetOtrMnda", "--N.-..NNN", MONEDA),
    campo("MntTotOtrMnda", "RRNRRRRRRR", MONEDA_CERO),
];

/// `Encabezado/OtraMoneda/ImpRetOtrMnda`.
const IMP_RET_OTR_MNDA: &[Elemento] = &[
    campo("TipoImpOtrMnda", "RRNRRRRNNN", entero(1, 999)),
    campo("TasaImpOtrMnda", "..N....NNN", PORCENTAJE),
    campo("VlrImpOtrMnda", "RRNRRRRNNN", MONEDA),
];

/// `Detalle`.
pub(super) const DETALLE: &[Elemento] = &[
    campo("NroLinDet", "RRRRRRRRRR", entero(1, 99)),
    seccion("CdgItem", "..........", CDG_ITEM).veces(5),
    campo(
        "IndExe",
        "..........",
        Valores(&["1", "2", "3", "4", "5", "6"]),
    ),
    seccion("Retenedor", "..N....NNN", RETENEDOR),
    campo("NmbItem", "RRRRRRRRRR", texto(80)),
    campo("DscItem", "..........", texto(1000)),
    campo("QtyRef", "..........", CANTIDAD),
    campo("UnmdRef", "..........", texto(4)),
    campo("PrcRef", "..........", CANTIDAD),
    campo("QtyItem", "....M.....", CANTIDAD),
    seccion("Subcantidad", "..........", SUBCANTIDAD).veces(5),
    campo("FchElabor", "..........", Fecha),
    campo("FchVencim", "..........", Fecha),
    campo("UnmdItem", "..........", texto(4)),
    campo("PrcItem", "..........", CANTIDAD),
    seccion("OtrMnda", "..N.......", OTR_MNDA),
    campo("DescuentoPct", "..N.......", PORCENTAJE),
    campo("DescuentoMonto", "..N.......", MONTO_POSITIVO),
    seccion("SubDscto", "..N.......", SUB_DSCTO).veces(5),
    campo("RecargoPct", "..N.......", PORCENTAJE),
    campo("RecargoMonto", "..N.......", MONTO_POSITIVO),
    seccion("SubRecargo", "..N.......", SUB_RECARGO).veces(5),
    campo("CodImpAdic", "..-....NNN", entero(1, 999)).veces(2),
    campo("MontoItem", "RRRRRRRRRR", Libre),
    campo("TpoDocLiq", "NNRNNNNNNN", lleno(3)),
];

/// `Detalle/CdgItem`.
const CDG_ITEM: &[Elemento] = &[
    campo("TpoCodigo", "RRRRRRRRRR", texto(10)),
    campo("VlrCodigo", "RRRRRRRRRR", texto(35)),
];

/// `Detalle/Retenedor`.
const RETENEDOR: &[Elemento] = &[
    campo("IndAgente", "RRNRRRRNNN", Valores(&["R"])),
    campo("MntBaseFaena", ".-N....NNN", MONTO),
    campo("MntMargComer", ".-N....NNN", MONTO),
    campo("PrcConsFinal", ".-N-...NNN", MONTO),
];

/// `Detalle/Subcantidad`.
const SUBCANTIDAD: &[Elemento] = &[
    campo("SubQty", "RRRRRRRRRR", CANTIDAD),
    campo("SubCod", "RRRRRRRRRR", texto(35)),
    campo("TipCodSubQty", "NNNNNNN...", lleno(10)),
];

/// `Detalle/OtrMnda`.
const OTR_MNDA: &[Elemento] = &[
    campo("PrcOtrMon", "RRNRRRRRRR", CANTIDAD),
    campo("Moneda", "RRNRRRRRRR", texto(3)),
    campo("FctConv", "..N.......", CAMBIO),
    campo("DctoOtrMnda", "..N.......", MONEDA),
    campo("RecargoOtrMnda", "..N.......", MONEDA),
    campo("MontoItemOtrMnda", "..N....RRR", MONEDA),
];

/// `Detalle/SubDscto`.
const SUB_DSCTO: &[Elemento] = &[
    campo("TipoDscto", "RRNRRRRRRR", Valores(&["%", "$"])),
    campo("ValorDscto", "RRNRRRRRRR", VALOR),
];

/// `Detalle/SubRecargo`.
const SUB_RECARGO: &[Elemento] = &[
    campo("TipoRecargo", "RRNRRRRRRR", Valores(&["%", "$"])),
    campo("ValorRecargo", "RRNRRRRRRR", VALOR),
];

/// `SubTotInfo`.
pub(super) const SUB_TOT_INFO: &[Elemento] = &[
    campo("NroSTI", "RRRRRRRRRR", entero(1, 99)),
    campo("GlosaSTI", "RRRRRRRRRR", texto(40)),
    campo("OrdenSTI", "..........", entero(1, 99)),
    campo("SubTotNetoSTI", ".......---", VALOR),
    campo("SubTotIVASTI", ".......---", VALOR),
    campo("SubTotAdicSTI", ".......---", VALOR),
    campo("SubTotExeSTI", "..........", VALOR),
    campo("ValSubtotSTI", "..........", VALOR),
    campo("LineasDeta", "..........", entero(1, 60)).veces(60),
];

/// `DscRcgGlobal`.
pub(super) const DSC_RCG_GLOBAL: &[Elemento] = &[
    campo("NroLinDR", "RRNRRRRRRR", entero(1, 20)),
    campo("TpoMov", "..N.......", Libre),
    campo("GlosaDR", "..N.......", texto(45)),
    campo("TpoValor", "..N.......", Libre),
    campo("ValorDR", "..N.......", Libre),
    campo("ValorDROtrMnda", "..N.......", MONEDA),
    campo("IndExeDR", "..N.......", Valores(&["1", "2"])),
];

/// `Referencia`.
pub(super) const REFERENCIA: &[Elemento] = &[
    campo("NroLinRef", "RRRRRRRRRR", entero(1, 99)),
    campo("TpoDocRef", "RRRRRRRRRR", lleno(3)),
    campo("IndGlobal", "..........", Valores(&["1"])),
    campo("FolioRef", "RRRRRRRRRR", lleno(18)),
    campo("RUTOtr", "--N.-.....", Rut),
    campo("FchRef", "RRRRRRRRRR", Libre),
    campo("CodRef", "..........", Libre),
    campo("RazonRef", "..........", texto(90)),
    campo("IdAdicOtr", "NNNNNNN...", lleno(20)),
];

/// `Comisiones`.
pub(super) const COMISIONES: &[Elemento] = &[
    campo("NroLinCom", "RRRRRRRNNN", entero(1, 20)),
    campo("TipoMovim", "RRRRRRRNNN", Valores(&["C", "O"])),
    campo("Glosa", "RRRRRRRNNN", lleno(60)),
    campo("TasaComision", ".......NNN", PORCENTAJE),
    campo("ValComNeto", "RRRRRRRNNN", Libre),
    campo("ValComExe", "RRRRRRRNNN", Libre),
    campo("ValComIVA", "--..-..NNN", Libre),
];
