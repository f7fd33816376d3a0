//! The head of a document: what it is, who issues, who receives, the totals.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Campo;

/// `Encabezado`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Encabezado {
    /// What the document is.
    pub id_doc: IdDoc,
    /// Who issues it.
    pub emisor: Emisor,
    /// Who receives it.
    pub receptor: Receptor,
    /// How the goods travel.
    pub transporte: Transporte,
    /// The amounts.
    pub totales: Totales,
    /// The amounts of an export document in another currency, mostly pesos.
    pub otra_moneda: Option<OtraMoneda>,
}

/// `IdDoc`: identification and terms.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IdDoc {
    /// `TipoDTE`, as written; see [`TipoDte`](super::TipoDte) for the known ones.
    pub tipo_dte: Campo<i64>,
    /// `Folio`: the document's number.
    pub folio: Campo<i64>,
    /// `FchEmis`: the day of issue.
    pub fch_emis: Campo<Date>,
    /// `FchVenc`: the day on which payment is due.
    pub fch_venc: Campo<Date>,
    /// `IndNoRebaja`: 1 for a credit note that doesn't reduce the debit.
    pub ind_no_rebaja: Campo<i64>,
    /// `TipoDespacho`: 1 by the receiver, 2 and 3 by the issuer.
    pub tipo_despacho: Campo<i64>,
    /// `IndTraslado`: why the goods of a guía move, 1 to 9.
    pub ind_traslado: Campo<i64>,
    /// `IndServicio`: the kind of service.
    pub ind_servicio: Campo<i64>,
    /// `MntBruto`: 1 where prices and amounts of the lines include IVA.
    pub mnt_bruto: Campo<i64>,
    /// `IndMntNeto` (boletas): 2 where the lines are net; they are gross without it.
    pub ind_mnt_neto: Campo<i64>,
    /// `FmaPago`: 1 cash, 2 credit, 3 free of charge.
    pub fma_pago: Campo<i64>,
    /// `FmaPagExp`: the form of payment of an export; 21 is without payment.
    pub fma_pag_exp: Campo<i64>,
    /// `TipoFactEsp`: 1 for a sale to a foreign tourist.
    pub tipo_fact_esp: Campo<i64>,
    /// `MedioPago`, as written.
    pub medio_pago: Option<String>,
    /// `TpoTranCompra`: the kind of purchase for the buyer.
    pub tpo_tran_compra: Campo<i64>,
    /// `TpoTranVenta`: the kind of sale for the seller.
    pub tpo_tran_venta: Campo<i64>,
    /// `PeriodoDesde`.
    pub periodo_desde: Campo<Date>,
    /// `PeriodoHasta`.
    pub periodo_hasta: Campo<Date>,
}

/// `Emisor`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Emisor {
    /// `RUTEmisor`, as written.
    pub rut_emisor: Option<String>,
    /// `RznSoc`, or a boleta's `RznSocEmisor`.
    pub rzn_soc: Option<String>,
    /// `GiroEmis`, or a boleta's `GiroEmisor`.
    pub giro_emis: Option<String>,
    /// `Acteco`: the codes of the issuer's activities.
    pub acteco: Vec<String>,
    /// `Telefono`.
    pub telefono: Vec<String>,
    /// `CorreoEmisor`.
    pub correo_emisor: Option<String>,
    /// `Sucursal`.
    pub sucursal: Option<String>,
    /// `CdgSIISucur`.
    pub cdg_sii_sucur: Option<String>,
    /// `DirOrigen`.
    pub dir_origen: Option<String>,
    /// `CmnaOrigen`.
    pub cmna_origen: Option<String>,
    /// `CiudadOrigen`.
    pub ciudad_origen: Option<String>,
    /// `CdgVendedor`.
    pub cdg_vendedor: Option<String>,
    /// `GuiaExport`: who moves the goods of an export.
    pub guia_export: Option<GuiaExport>,
}

/// `GuiaExport`: a guía whose goods leave the country.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuiaExport {
    /// `CdgTraslado`: 1 exporter, 2 customs agent, 3 seller, 4 taxpayer authorised for it.
    pub cdg_traslado: Campo<i64>,
    /// `FolioAut`: the number of that authorisation, as written.
    pub folio_aut: Option<String>,
    /// `FchAut`: its day, as written.
    pub fch_aut: Option<String>,
}

/// `Receptor`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receptor {
    /// `RUTRecep`, as written.
    pub rut_recep: Option<String>,
    /// `CdgIntRecep`: the issuer's own code for the receiver.
    pub cdg_int_recep: Option<String>,
    /// `RznSocRecep`.
    pub rzn_soc_recep: Option<String>,
    /// `Extranjero/NumId`.
    pub num_id: Option<String>,
    /// `Extranjero/Nacionalidad`.
    pub nacionalidad: Option<String>,
    /// `GiroRecep`.
    pub giro_recep: Option<String>,
    /// `Contacto`.
    pub contacto: Option<String>,
    /// `TelefonoRecep` (boletas).
    pub telefono_recep: Option<String>,
    /// `CorreoRecep`.
    pub correo_recep: Option<String>,
    /// `DirRecep`.
    pub dir_recep: Option<String>,
    /// `CmnaRecep`.
    pub cmna_recep: Option<String>,
    /// `CiudadRecep`.
    pub ciudad_recep: Option<String>,
}

/// `Transporte`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transporte {
    /// `Patente`: the vehicle.
    pub patente: Option<String>,
    /// `RUTTrans`: the carrier.
    pub rut_trans: Option<String>,
    /// `Chofer/RUTChofer`.
    pub rut_chofer: Option<String>,
    /// `Chofer/NombreChofer`.
    pub nombre_chofer: Option<String>,
    /// `FchSalida`, as written.
    pub fch_salida: Option<String>,
    /// `HraSalida`, as written.
    pub hra_salida: Option<String>,
    /// `FchLlegada`, as written.
    pub fch_llegada: Option<String>,
    /// `DirDest`.
    pub dir_dest: Option<String>,
    /// `CmnaDest`.
    pub cmna_dest: Option<String>,
    /// `CiudadDest`.
    pub ciudad_dest: Option<String>,
    /// `Aduana`: what customs ask of an export.
    pub aduana: Option<Aduana>,
}

/// `Transporte/Aduana`, as far as the tax service looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aduana {
    /// `CodModVenta`: firm, on consignment, …, by the code of customs.
    pub cod_mod_venta: Campo<i64>,
    /// `CodClauVenta`: FOB, CIF, …, by the code of customs.
    pub cod_clau_venta: Campo<i64>,
    /// `TotBultos`: packages in all.
    pub tot_bultos: Campo<i64>,
    /// `TipoBultos`: the packages by kind.
    pub tipo_bultos: Vec<TipoBultos>,
}

/// One `TipoBultos`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TipoBultos {
    /// `CantBultos`: packages of this kind.
    pub cant_bultos: Campo<i64>,
    /// `Marcas`: the marks on them.
    pub marcas: Option<String>,
    /// `IdContainer`.
    pub id_container: Option<String>,
    /// `Sello`: the container's seal.
    pub sello: Option<String>,
}

/// `Totales`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Totales {
    /// `TpoMoneda`: the currency of an export document, by the tax service's name.
    pub tpo_moneda: Option<String>,
    /// `MntNeto`: affected amount before IVA.
    pub mnt_neto: Campo<Decimal>,
    /// `MntExe`: exempt or not affected amount.
    pub mnt_exe: Campo<Decimal>,
    /// `TasaIVA`, in percent.
    pub tasa_iva: Campo<Decimal>,
    /// `IVA`.
    pub iva: Campo<Decimal>,
    /// `IVANoRet`: the part of the IVA that the buyer doesn't withhold.
    pub iva_no_ret: Campo<Decimal>,
    /// `ImptoReten`: additional and withheld taxes.
    pub impto_reten: Vec<ImptoReten>,
    /// `CredEC`: special credit of construction companies.
    pub cred_ec: Campo<Decimal>,
    /// `GrntDep`: deposit for packaging.
    pub grnt_dep: Campo<Decimal>,
    /// `Comisiones`: the totals of a liquidación's commissions.
    pub comisiones: TotalesComisiones,
    /// `MntTotal`.
    pub mnt_total: Campo<Decimal>,
    /// `MontoNF`: what isn't billed.
    pub monto_nf: Campo<Decimal>,
    /// `MontoPeriodo`.
    pub monto_periodo: Campo<Decimal>,
    /// `SaldoAnterior`.
    pub saldo_anterior: Campo<Decimal>,
    /// `VlrPagar`.
    pub vlr_pagar: Campo<Decimal>,
}

/// One `ImptoReten`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImptoReten {
    /// `TipoImp`: the code of the tax.
    pub tipo_imp: Campo<i64>,
    /// `TasaImp`, in percent.
    pub tasa_imp: Campo<Decimal>,
    /// `MontoImp`.
    pub monto_imp: Campo<Decimal>,
}

/// `Totales/Comisiones`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TotalesComisiones {
    /// `ValComNeto`.
    pub val_com_neto: Campo<Decimal>,
    /// `ValComExe`.
    pub val_com_exe: Campo<Decimal>,
    /// `ValComIVA`.
    pub val_com_iva: Campo<Decimal>,
}

/// `OtraMoneda`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OtraMoneda {
    /// `TpoMoneda`.
    pub tpo_moneda: Option<String>,
    /// `TpoCambio`: pesos for one unit.
    pub tpo_cambio: Campo<Decimal>,
    /// `MntExeOtrMnda`.
    pub mnt_exe_otr_mnda: Campo<Decimal>,
    /// `MntTotOtrMnda`.
    pub mnt_tot_otr_mnda: Campo<Decimal>,
}
