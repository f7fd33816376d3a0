//! For tests and evaluations: cases of a document generator (lines in, expected totals), correct
//! documents of every type, and a workshop that stamps and signs them.
//!
//! Two layouts are read, both as generic values (a YAML reader makes these): the document's
//! own structure with the totals under `Test.ExpectedValues`, and the flat form of a web
//! page, with a list for each column and the totals beside it.

mod limpios;
#[cfg(feature = "firma")]
pub mod taller;

pub use self::limpios::{LIMPIOS, Limpio};

use rust_decimal::Decimal;
use serde_json::Value;

use crate::completar::{CompletarError, Opciones, complete};
use crate::model::{
    Campo, ClaseDocumento, Detalle, Documento, DscRcgGlobal, ImptoReten, OtraMoneda, Referencia,
    TipoDte, Totales,
};
use crate::valores;

/// One case: a document without totals, and what they should be.
#[derive(Debug, Clone, PartialEq)]
pub struct CasoDeGenerador {
    /// The document.
    pub documento: Documento,
    /// Each expected total by its name, in the order of the case.
    pub esperados: Vec<(String, Decimal)>,
}

/// A total that isn't as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diferencia {
    /// The total's name.
    pub campo: String,
    /// What the case says.
    pub esperado: Decimal,
    /// What was calculated.
    pub calculado: Decimal,
}

impl CasoDeGenerador {
    /// Reads a case; `None` where it is neither of the two layouts.
    #[must_use]
    pub fn leer(valor: &Value) -> Option<Self> {
        if valor.get("TpoDoc").is_some() {
            formulario(valor)
        } else {
            estructura(valor)
        }
    }

    /// Completes the document and compares every expected total; a total that isn't there
    /// counts as 0.
    ///
    /// # Errors
    ///
    /// [`CompletarError`] where the document can't be completed.
    pub fn comparar(&self) -> Result<Vec<Diferencia>, CompletarError> {
        let totales = complete(&self.documento, Opciones::default())?
            .encabezado
            .totales;
        Ok(self
            .esperados
            .iter()
            .filter_map(|(campo, esperado)| {
                let calculado = total(&totales, campo).unwrap_or_default();
                (calculado != *esperado).then(|| Diferencia {
                    campo: campo.clone(),
                    esperado: *esperado,
                    calculado,
                })
            })
            .collect())
    }
}

/// A total by its name; taxes as `ImptoReten/CODE/FIELD`.
fn total(totales: &Totales, campo: &str) -> Option<Decimal> {
    let directo = match campo {
        "MntNeto" => totales.mnt_neto,
        "MntExe" => totales.mnt_exe,
        "TasaIVA" => totales.tasa_iva,
        "IVA" => totales.iva,
        "IVANoRet" => totales.iva_no_ret,
        "CredEC" => totales.cred_ec,
        "MntTotal" => totales.mnt_total,
        "MontoNF" => totales.monto_nf,
        "MontoPeriodo" => totales.monto_periodo,
        "VlrPagar" => totales.vlr_pagar,
        _ => {
            let (codigo, campo) = campo.strip_prefix("ImptoReten/")?.split_once('/')?;
            let codigo = Campo::Valor(valores::entero(codigo)?);
            let impuesto = totales.impto_reten.iter().find(|i| i.tipo_imp == codigo)?;
            match campo {
                "TasaImp" => impuesto.tasa_imp,
                "MontoImp" => impuesto.monto_imp,
                _ => return None,
            }
        }
    };
    directo.valor()
}

fn estructura(valor: &Value) -> Option<CasoDeGenerador> {
    let encabezado = valor.get("Encabezado")?;
    let mut documento = nuevo(numero(encabezado.pointer("/IdDoc/TipoDTE")?)?);
    let id_doc = &mut documento.encabezado.id_doc;
    let en = |ruta: &str| encabezado.pointer(ruta).and_then(numero);
    id_doc.ind_mnt_neto = entero(en("/IdDoc/IndMntNeto"));
    id_doc.mnt_bruto = entero(en("/IdDoc/MntBruto"));
    id_doc.fma_pag_exp = entero(en("/IdDoc/FmaPagExp"));
    id_doc.ind_traslado = entero(en("/IdDoc/IndTraslado"));
    documento.encabezado.totales.tpo_moneda =
        encabezado.pointer("/Totales/TpoMoneda").and_then(texto);
    documento.encabezado.otra_moneda = encabezado.get("OtraMoneda").map(|otra| OtraMoneda {
        tpo_moneda: otra.get("TpoMoneda").and_then(texto),
        tpo_cambio: otra.get("TpoCambio").and_then(numero).into(),
        ..OtraMoneda::default()
    });
    documento.detalle = uno_o_varios(valor.get("Detalle")).map(detalle).collect();
    documento.dsc_rcg_global = uno_o_varios(valor.get("DscRcgGlobal"))
        .map(global)
        .collect();
    documento.referencia = uno_o_varios(valor.get("Referencia"))
        .map(referencia)
        .collect();
    let totales = valor.pointer("/Test/ExpectedValues/Encabezado/Totales")?;
    Some(CasoDeGenerador {
        documento,
        esperados: esperados(totales)?,
    })
}

fn nuevo(tipo: Decimal) -> Documento {
    let mut documento = Documento::default();
    documento.encabezado.id_doc.tipo_dte = entero(Some(tipo));
    documento.clase = match documento.tipo() {
        Some(TipoDte::LiquidacionFactura) => ClaseDocumento::Liquidacion,
        Some(tipo) if tipo.es_exportacion() => ClaseDocumento::Exportaciones,
        _ => ClaseDocumento::Documento,
    };
    documento
}

fn detalle(linea: &Value) -> Detalle {
    let en = |campo: &str| linea.get(campo).and_then(numero);
    Detalle {
        ind_exe: entero(en("IndExe").filter(|indicador| !indicador.is_zero())),
        nmb_item: linea.get("NmbItem").and_then(texto),
        qty_item: en("QtyItem").into(),
        prc_item: en("PrcItem").into(),
        descuento_pct: en("DescuentoPct").into(),
        descuento_monto: en("DescuentoMonto").into(),
        recargo_pct: en("RecargoPct").into(),
        recargo_monto: en("RecargoMonto").into(),
        cod_imp_adic: uno_o_varios(linea.get("CodImpAdic"))
            .filter_map(numero)
            .map(|codigo| entero(Some(codigo)))
            .collect(),
        monto_item: en("MontoItem").into(),
        ..Detalle::default()
    }
}

fn global(global: &Value) -> DscRcgGlobal {
    DscRcgGlobal {
        tpo_mov: global.get("TpoMov").and_then(texto),
        tpo_valor: global.get("TpoValor").and_then(texto),
        valor_dr: global.get("ValorDR").and_then(numero).into(),
        ind_exe_dr: entero(global.get("IndExeDR").and_then(numero)),
        ..DscRcgGlobal::default()
    }
}

fn referencia(referencia: &Value) -> Referencia {
    Referencia {
        tpo_doc_ref: referencia.get("TpoDocRef").and_then(texto),
        folio_ref: referencia.get("FolioRef").and_then(texto),
        cod_ref: entero(referencia.get("CodRef").and_then(numero)),
        ..Referencia::default()
    }
}

fn esperados(totales: &Value) -> Option<Vec<(String, Decimal)>> {
    let mut esperados = Vec::new();
    for (campo, valor) in totales.as_object()? {
        if campo != "ImptoReten" {
            esperados.push((campo.clone(), numero(valor)?));
            continue;
        }
        for impuesto in uno_o_varios(Some(valor)) {
            let codigo = impuesto.get("TipoImp").and_then(numero)?;
            for campo in ["TasaImp", "MontoImp"] {
                if let Some(monto) = impuesto.get(campo).and_then(numero) {
                    esperados.push((format!("ImptoReten/{codigo}/{campo}"), monto));
                }
            }
        }
    }
    Some(esperados)
}

/// The form of a web page: its prices are net also in a boleta, and its one global discount
/// is for the affected and the exempt lines.
fn formulario(valor: &Value) -> Option<CasoDeGenerador> {
    let mut documento = nuevo(numero(valor.get("TpoDoc")?)?);
    if documento.tipo() == Some(TipoDte::Boleta) {
        documento.encabezado.id_doc.ind_mnt_neto = Campo::Valor(2);
    }
    documento.encabezado.totales.tpo_moneda = valor.get("TpoMoneda").and_then(texto);
    let columna = |campo: &str, fila: usize| valor.get(campo).and_then(|columna| columna.get(fila));
    let cuantas = valor.get("NmbItem")?.as_array()?.len();
    for fila in 0..cuantas {
        documento
            .detalle
            .push(fila_de_formulario(&|campo| columna(campo, fila)));
    }
    let pct = valor.get("ValorDR_global").and_then(numero);
    if let Some(pct) = pct.filter(|pct| !pct.is_zero()) {
        documento.dsc_rcg_global = [None, Some(1)]
            .into_iter()
            .map(|clase| DscRcgGlobal {
                tpo_mov: Some("D".to_owned()),
                tpo_valor: valor.get("TpoValor_global").and_then(texto),
                valor_dr: Campo::Valor(pct),
                ind_exe_dr: clase.into(),
                ..DscRcgGlobal::default()
            })
            .collect();
    }
    for (codigo, tasa) in tasas_de_formulario(valor) {
        documento.encabezado.totales.impto_reten.push(ImptoReten {
            tipo_imp: Campo::Valor(codigo),
            tasa_imp: Campo::Valor(tasa),
            ..ImptoReten::default()
        });
    }
    let esperados = [
        ("MntNeto", "neto"),
        ("MntExe", "exento"),
        ("IVA", "iva"),
        ("MntTotal", "total"),
    ];
    let esperados = esperados
        .into_iter()
        .map(|(campo, clave)| Some((campo.to_owned(), numero(valor.get(clave)?)?)))
        .collect::<Option<_>>()?;
    Some(CasoDeGenerador {
        documento,
        esperados,
    })
}

fn fila_de_formulario<'v>(en: &dyn Fn(&str) -> Option<&'v Value>) -> Detalle {
    let cifra = |campo: &str| en(campo).and_then(numero);
    let mut linea = Detalle {
        ind_exe: entero(cifra("IndExe").filter(|indicador| !indicador.is_zero())),
        nmb_item: en("NmbItem").and_then(texto),
        qty_item: cifra("QtyItem").into(),
        prc_item: cifra("PrcItem").into(),
        cod_imp_adic: en("CodImpAdic")
            .and_then(numero)
            .filter(|codigo| !codigo.is_zero())
            .map(|codigo| entero(Some(codigo)))
            .into_iter()
            .collect(),
        ..Detalle::default()
    };
    let descuento = cifra("ValorDR").filter(|valor| !valor.is_zero()).into();
    match en("TpoValor").and_then(Value::as_str) {
        Some("%") => linea.descuento_pct = descuento,
        _ => linea.descuento_monto = descuento,
    }
    linea
}

/// `impuesto_adicional_tasa_CODE` keys.
fn tasas_de_formulario(valor: &Value) -> impl Iterator<Item = (i64, Decimal)> {
    valor
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(clave, tasa)| {
            let codigo = clave.strip_prefix("impuesto_adicional_tasa_")?;
            Some((valores::entero(codigo)?, numero(tasa)?))
        })
}

fn uno_o_varios(valor: Option<&Value>) -> impl Iterator<Item = &Value> {
    let lista = match valor {
        Some(Value::Array(lista)) => lista.as_slice(),
        Some(uno) => std::slice::from_ref(uno),
        None => &[],
    };
    lista.iter()
}

fn numero(valor: &Value) -> Option<Decimal> {
    match valor {
        Value::Number(numero) => valores::decimal(&numero.to_string()),
        Value::String(texto) => valores::decimal(texto),
        _ => None,
    }
}

fn entero(valor: Option<Decimal>) -> Campo<i64> {
    valor
        .and_then(|valor| valores::entero(&valor.normalize().to_string()))
        .into()
}

fn texto(valor: &Value) -> Option<String> {
    match valor {
        Value::String(texto) if !texto.is_empty() => Some(texto.clone()),
        Value::Number(numero) => Some(numero.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_structured_layout_is_compared() {
        let caso = json!({
            "Encabezado": {"IdDoc": {"TipoDTE": 46}},
            "Detalle": {"NmbItem": "Trigo", "QtyItem": 2.5, "PrcItem": 4000, "CodImpAdic": 34},
            "Test": {"ExpectedValues": {"Encabezado": {"Totales": {
                "MntNeto": 10000, "IVA": 1900, "IVANoRet": 1500, "MntTotal": 11500,
                "ImptoReten": [{"TipoImp": 34, "TasaImp": 4, "MontoImp": 400}],
            }}}},
        });
        let mut caso = CasoDeGenerador::leer(&caso).unwrap();
        assert_eq!(caso.esperados.len(), 6);
        assert_eq!(caso.comparar().unwrap(), []);
        caso.esperados[0].1 += Decimal::ONE;
        assert_eq!(caso.comparar().unwrap().len(), 1);
    }

    #[test]
    fn the_form_is_net_and_its_global_is_for_all() {
        let formulario = |tipo: i64, exento: i64, totales: [i64; 4]| {
            json!({
                "TpoDoc": tipo, "NmbItem": ["Prueba"], "IndExe": [exento], "QtyItem": [1],
                "PrcItem": [5000], "ValorDR": [1000], "TpoValor": ["$"],
                "ValorDR_global": 10, "TpoValor_global": "%",
                "neto": totales[0], "exento": totales[1], "iva": totales[2], "total": totales[3],
            })
        };
        for (tipo, exento, totales) in [
            (39, 0, [3600, 0, 684, 4284]),
            (34, 1, [0, 3600, 0, 3600]),
            (33, 0, [3600, 0, 684, 4284]),
        ] {
            let caso = CasoDeGenerador::leer(&formulario(tipo, exento, totales)).unwrap();
            assert_eq!(caso.comparar().unwrap(), [], "{tipo}");
        }
        assert_eq!(CasoDeGenerador::leer(&json!({"otra": 1})), None);
    }
}
