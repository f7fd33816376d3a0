//! A document, its lines, its global discounts and its references.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Campo, Encabezado, Lectura, TipoDte};

/// One tax document as it was written, right or wrong.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Documento {
    /// Which of the three bodies holds it.
    pub clase: ClaseDocumento,
    /// The `ID` attribute that its signature refers to.
    pub id: Option<String>,
    /// `Encabezado`.
    pub encabezado: Encabezado,
    /// `Detalle`: the lines.
    pub detalle: Vec<Detalle>,
    /// `DscRcgGlobal`: discounts and surcharges over all lines of a class.
    pub dsc_rcg_global: Vec<DscRcgGlobal>,
    /// `Referencia`: other documents.
    pub referencia: Vec<Referencia>,
    /// `Comisiones`: the commissions and other charges of a liquidación.
    pub comisiones: Vec<Comision>,
    /// `TmstFirma`, as written.
    pub tmst_firma: Option<String>,
    /// How the document came, and what of it couldn't be read.
    pub lectura: Lectura,
}

impl Documento {
    /// The type, where it can be read and is one that exists.
    #[must_use]
    pub fn tipo(&self) -> Option<TipoDte> {
        self.encabezado
            .id_doc
            .tipo_dte
            .valor()
            .and_then(TipoDte::desde_codigo)
    }
}

/// The element that holds a document's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClaseDocumento {
    /// `Documento`: everything that isn't one of the other two.
    #[default]
    Documento,
    /// `Exportaciones`: 110, 111 and 112.
    Exportaciones,
    /// `Liquidacion`: 43.
    Liquidacion,
}

impl ClaseDocumento {
    /// The element's name.
    #[must_use]
    pub const fn elemento(self) -> &'static str {
        match self {
            Self::Documento => "Documento",
            Self::Exportaciones => "Exportaciones",
            Self::Liquidacion => "Liquidacion",
        }
    }
}

/// One `Detalle`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Detalle {
    /// `NroLinDet`.
    pub nro_lin_det: Campo<i64>,
    /// `CdgItem`: codes of the good or service.
    pub cdg_item: Vec<CdgItem>,
    /// `TpoDocLiq` (43): the type of the settled document.
    pub tpo_doc_liq: Option<String>,
    /// `IndExe`: 1 exempt, 2 not billed, 3 deposit, 4 and 5 lines of a guía, 6 not billed,
    /// negative.
    pub ind_exe: Campo<i64>,
    /// `Retenedor`: of a sale with withheld tax.
    pub retenedor: Option<Retenedor>,
    /// `NmbItem`.
    pub nmb_item: Option<String>,
    /// `DscItem`.
    pub dsc_item: Option<String>,
    /// `QtyItem`, up to 6 decimals.
    pub qty_item: Campo<Decimal>,
    /// `UnmdItem`.
    pub unmd_item: Option<String>,
    /// `PrcItem`, up to 6 decimals.
    pub prc_item: Campo<Decimal>,
    /// `DescuentoPct`, in percent.
    pub descuento_pct: Campo<Decimal>,
    /// `DescuentoMonto`.
    pub descuento_monto: Campo<Decimal>,
    /// `RecargoPct`, in percent.
    pub recargo_pct: Campo<Decimal>,
    /// `RecargoMonto`.
    pub recargo_monto: Campo<Decimal>,
    /// `CodImpAdic`: codes of the additional or withheld taxes of the line.
    pub cod_imp_adic: Vec<Campo<i64>>,
    /// `MontoItem`.
    pub monto_item: Campo<Decimal>,
}

impl Detalle {
    /// Whether nothing that a line is judged by is in it, not even unreadable: a wrapper
    /// around other lines, mostly.
    #[must_use]
    pub fn es_vacia(&self) -> bool {
        self.nro_lin_det.es_ausente()
            && self.nmb_item.is_none()
            && self.qty_item.es_ausente()
            && self.prc_item.es_ausente()
            && self.monto_item.es_ausente()
    }
}

/// One `CdgItem`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CdgItem {
    /// `TpoCodigo`: the coding system.
    pub tpo_codigo: Option<String>,
    /// `VlrCodigo`.
    pub vlr_codigo: Option<String>,
}

/// `Retenedor` of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retenedor {
    /// `IndAgente`: `R` where the issuer is a withholding agent.
    pub ind_agente: Option<String>,
    /// `MntBaseFaena`.
    pub mnt_base_faena: Campo<Decimal>,
    /// `MntMargComer`.
    pub mnt_marg_comer: Campo<Decimal>,
    /// `PrcConsFinal`.
    pub prc_cons_final: Campo<Decimal>,
}

/// One `DscRcgGlobal`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DscRcgGlobal {
    /// `NroLinDR`.
    pub nro_lin_dr: Campo<i64>,
    /// `TpoMov`: `D` discount, `R` surcharge.
    pub tpo_mov: Option<String>,
    /// `GlosaDR`.
    pub glosa_dr: Option<String>,
    /// `TpoValor`: `%` or `$`.
    pub tpo_valor: Option<String>,
    /// `ValorDR`: percent or amount.
    pub valor_dr: Campo<Decimal>,
    /// `IndExeDR`: absent for affected lines, 1 exempt, 2 not billed.
    pub ind_exe_dr: Campo<i64>,
}

/// One `Referencia`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Referencia {
    /// `NroLinRef`.
    pub nro_lin_ref: Campo<i64>,
    /// `TpoDocRef`: a document type's code, or free text.
    pub tpo_doc_ref: Option<String>,
    /// `IndGlobal`: 1 where the reference stands for more than 20 documents.
    pub ind_global: Campo<i64>,
    /// `FolioRef`, which may hold letters.
    pub folio_ref: Option<String>,
    /// `RUTOtr`: the other taxpayer whose document this is.
    pub rut_otr: Option<String>,
    /// `FchRef`.
    pub fch_ref: Campo<Date>,
    /// `CodRef`: 1 annuls, 2 corrects text, 3 corrects amounts.
    pub cod_ref: Campo<i64>,
    /// `RazonRef`.
    pub razon_ref: Option<String>,
}

/// One `Comisiones` of a liquidación.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comision {
    /// `NroLinCom`.
    pub nro_lin_com: Campo<i64>,
    /// `TipoMovim`: `C` commission, `O` other charge.
    pub tipo_movim: Option<String>,
    /// `Glosa`.
    pub glosa: Option<String>,
    /// `TasaComision`, in percent.
    pub tasa_comision: Campo<Decimal>,
    /// `ValComNeto`.
    pub val_com_neto: Campo<Decimal>,
    /// `ValComExe`.
    pub val_com_exe: Campo<Decimal>,
    /// `ValComIVA`.
    pub val_com_iva: Campo<Decimal>,
}
