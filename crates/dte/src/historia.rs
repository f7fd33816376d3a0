//! Earlier documents, as far as a later one is judged against them.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::model::{Documento, Rut, RutError, TipoDte};

/// One earlier document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anterior {
    /// Its type.
    pub tipo: TipoDte,
    /// Its number.
    pub folio: i64,
    /// Who issued it.
    pub rut_emisor: Rut,
    /// Who received it, where known.
    pub rut_receptor: Option<Rut>,
    /// The day of issue.
    pub fecha: Date,
    /// `MntTotal`, in the document's currency.
    pub total: Decimal,
    /// `TpoMoneda` of an export; `None` for pesos.
    pub moneda: Option<String>,
    /// `RznSoc` of the issuer.
    pub razon_social: Option<String>,
    /// `GiroEmis`.
    pub giro: Option<String>,
    /// `DirOrigen`.
    pub direccion: Option<String>,
    /// What a note corrects: its references with a `CodRef`.
    pub corrige: Vec<Corregido>,
}

/// A document that a note corrects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corregido {
    /// Its type.
    pub tipo: TipoDte,
    /// Its number.
    pub folio: i64,
    /// `CodRef`: 1 annuls, 2 corrects text, 3 corrects amounts.
    pub cod_ref: i64,
}

impl Anterior {
    /// What later documents are judged against; `None` where the type, the folio, the
    /// issuer, the day or the total can't be read.
    #[must_use]
    pub fn desde(documento: &Documento) -> Option<Self> {
        let encabezado = &documento.encabezado;
        let (id_doc, emisor) = (&encabezado.id_doc, &encabezado.emisor);
        Some(Self {
            tipo: documento.tipo()?,
            folio: id_doc.folio.valor()?,
            rut_emisor: rut(emisor.rut_emisor.as_deref())?,
            rut_receptor: rut(encabezado.receptor.rut_recep.as_deref()),
            fecha: id_doc.fch_emis.valor()?,
            total: encabezado.totales.mnt_total.valor()?,
            moneda: encabezado.totales.tpo_moneda.clone(),
            razon_social: emisor.rzn_soc.clone(),
            giro: emisor.giro_emis.clone(),
            direccion: emisor.dir_origen.clone(),
            corrige: documento
                .referencia
                .iter()
                .filter_map(corregido_tributario)
                .collect(),
        })
    }

    /// Whether it is this document, by what identifies one: issuer, type and folio.
    pub(crate) fn es(&self, emisor: Rut, tipo: TipoDte, folio: i64) -> bool {
        self.folio == folio && self.tipo == tipo && self.rut_emisor == emisor
    }
}

/// What a reference with a `CodRef` corrects, where it is an electronic tax document.
pub(crate) fn corregido_tributario(referencia: &crate::model::Referencia) -> Option<Corregido> {
    let tipo = crate::valores::entero(referencia.tpo_doc_ref.as_deref()?)?;
    Some(Corregido {
        tipo: TipoDte::desde_codigo(tipo)?,
        folio: crate::valores::entero(referencia.folio_ref.as_deref()?)?,
        cod_ref: referencia.cod_ref.valor()?,
    })
}

/// A RUT that is right, however it is written.
pub(crate) fn rut(texto: Option<&str>) -> Option<Rut> {
    match Rut::leer(texto?) {
        Ok(rut) | Err(RutError::Escritura(rut)) => Some(rut),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Campo;
    use crate::rules::pruebas::{documento, referencia};

    #[test]
    fn what_identifies_a_document_must_be_readable() {
        let mut doc = documento(61);
        doc.referencia.push(referencia("801", 1));
        let anterior = Anterior::desde(&doc).unwrap();
        assert_eq!(
            anterior.corrige,
            [Corregido {
                tipo: TipoDte::Factura,
                folio: 45,
                cod_ref: 3
            }]
        );
        assert!(anterior.es(anterior.rut_emisor, TipoDte::NotaCredito, 123));
        assert!(!anterior.es(anterior.rut_emisor, TipoDte::NotaDebito, 123));
        doc.encabezado.totales.mnt_total = Campo::Ilegible;
        assert_eq!(Anterior::desde(&doc), None);
    }
}
