//! The document types that the tax service defines, and what sets them apart.

/// A type of electronic tax document (source: formato DTE 2026-02, formato boletas 2024-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TipoDte {
    /// 33: factura electrónica (affected).
    Factura,
    /// 34: factura no afecta o exenta.
    FacturaExenta,
    /// 39: boleta (affected).
    Boleta,
    /// 41: boleta no afecta o exenta.
    BoletaExenta,
    /// 43: liquidación-factura.
    LiquidacionFactura,
    /// 46: factura de compra.
    FacturaCompra,
    /// 52: guía de despacho.
    GuiaDespacho,
    /// 56: nota de débito.
    NotaDebito,
    /// 61: nota de crédito.
    NotaCredito,
    /// 110: factura de exportación.
    FacturaExportacion,
    /// 111: nota de débito de exportación.
    NotaDebitoExportacion,
    /// 112: nota de crédito de exportación.
    NotaCreditoExportacion,
}

impl TipoDte {
    /// Every type, in the order of its code.
    pub const TODOS: [Self; 12] = [
        Self::Factura,
        Self::FacturaExenta,
        Self::Boleta,
        Self::BoletaExenta,
        Self::LiquidacionFactura,
        Self::FacturaCompra,
        Self::GuiaDespacho,
        Self::NotaDebito,
        Self::NotaCredito,
        Self::FacturaExportacion,
        Self::NotaDebitoExportacion,
        Self::NotaCreditoExportacion,
    ];

    /// The type with this code, if it is an electronic document's.
    #[must_use]
    pub fn desde_codigo(codigo: i64) -> Option<Self> {
        Self::TODOS
            .into_iter()
            .find(|tipo| i64::from(tipo.codigo()) == codigo)
    }

    /// The tax service's code.
    #[must_use]
    pub const fn codigo(self) -> u16 {
        match self {
            Self::Factura => 33,
            Self::FacturaExenta => 34,
            Self::Boleta => 39,
            Self::BoletaExenta => 41,
            Self::LiquidacionFactura => 43,
            Self::FacturaCompra => 46,
            Self::GuiaDespacho => 52,
            Self::NotaDebito => 56,
            Self::NotaCredito => 61,
            Self::FacturaExportacion => 110,
            Self::NotaDebitoExportacion => 111,
            Self::NotaCreditoExportacion => 112,
        }
    }

    /// The name that a person knows it by, in Spanish.
    #[must_use]
    pub const fn nombre(self) -> &'static str {
        match self {
            Self::Factura => "factura electrónica",
            Self::FacturaExenta => "factura no afecta o exenta",
            Self::Boleta => "boleta electrónica",
            Self::BoletaExenta => "boleta no afecta o exenta",
            Self::LiquidacionFactura => "liquidación-factura",
            Self::FacturaCompra => "factura de compra",
            Self::GuiaDespacho => "guía de despacho",
            Self::NotaDebito => "nota de débito",
            Self::NotaCredito => "nota de crédito",
            Self::FacturaExportacion => "factura de exportación",
            Self::NotaDebitoExportacion => "nota de débito de exportación",
            Self::NotaCreditoExportacion => "nota de crédito de exportación",
        }
    }

    /// 39 or 41: prices include IVA unless `IndMntNeto` is 2, and limits differ.
    #[must_use]
    pub const fn es_boleta(self) -> bool {
        matches!(self, Self::Boleta | Self::BoletaExenta)
    }

    /// 110, 111 or 112: no IVA, amounts may be in a foreign currency.
    #[must_use]
    pub const fn es_exportacion(self) -> bool {
        matches!(
            self,
            Self::FacturaExportacion | Self::NotaDebitoExportacion | Self::NotaCreditoExportacion
        )
    }

    /// 34, 41 and the export types: nothing in them is affected.
    #[must_use]
    pub const fn es_exento(self) -> bool {
        self.es_exportacion() || matches!(self, Self::FacturaExenta | Self::BoletaExenta)
    }

    /// 56, 61, 111 or 112: corrects another document, which it must reference.
    #[must_use]
    pub const fn es_nota(self) -> bool {
        matches!(
            self,
            Self::NotaDebito
                | Self::NotaCredito
                | Self::NotaDebitoExportacion
                | Self::NotaCreditoExportacion
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_round_trip_and_others_are_unknown() {
        for tipo in TipoDte::TODOS {
            assert_eq!(TipoDte::desde_codigo(tipo.codigo().into()), Some(tipo));
        }
        for codigo in [0, -33, 30, 35, 48, 50, 801, 65_569] {
            assert_eq!(TipoDte::desde_codigo(codigo), None);
        }
    }
}
