//! The totals of a document whose lines have their amounts.

use rust_decimal::Decimal;

use super::Opciones;
use super::error::{CompletarError, CompletarErrorKind as Kind, con_caso};
use crate::calculo::{Calculo, redondear};
use crate::formulas;
use crate::model::{Campo, Documento, ImptoReten, TipoDte, Totales};
use crate::rules::{impuestos, iva};

/// A figure, or why it can't be had.
type Cifra<T> = Result<T, CompletarError>;

struct Totalizador<'a> {
    documento: &'a Documento,
    tipo: TipoDte,
    calculo: Calculo,
    en_pesos: bool,
}

pub(super) fn completar(documento: &mut Documento, tipo: TipoDte, opciones: Opciones) -> Cifra<()> {
    legibles(documento)?;
    let mut totales = documento.encabezado.totales.clone();
    let tasa = totales
        .tasa_iva
        .valor()
        .unwrap_or_else(|| iva::tasa_del_dia(documento.encabezado.id_doc.fch_emis.valor()));
    // The sums know an exempt document by its totals where nothing marks its lines.
    documento.encabezado.totales.tasa_iva = Campo::Valor(tasa);
    let totalizador = Totalizador::nuevo(documento, tipo);
    totalizador.netos(&mut totales, tasa)?;
    totalizador.apartes(&mut totales)?;
    if opciones.credito_constructora {
        let credito = totales.iva.valor().and_then(formulas::credito_constructora);
        totales.cred_ec = credito.filter(|monto| !monto.is_zero()).into();
    }
    totalizador.comisiones(&mut totales, tasa)?;
    // The whole withheld IVA is the document's own.
    documento.encabezado.totales = totales.clone();
    let totalizador = Totalizador::nuevo(documento, tipo);
    totalizador.impuestos(&mut totales, tasa)?;
    totalizador.cierre(&mut totales)?;
    documento.encabezado.totales = totales;
    otra_moneda(documento)
}

/// Everything that the sums are made of, lines apart.
fn legibles(documento: &Documento) -> Cifra<()> {
    let totales = &documento.encabezado.totales;
    for (campo, monto) in [
        ("TasaIVA", totales.tasa_iva),
        ("GrntDep", totales.grnt_dep),
        ("CredEC", totales.cred_ec),
        ("SaldoAnterior", totales.saldo_anterior),
    ] {
        if monto.es_ilegible() {
            let campo = format!("Encabezado/Totales/{campo}");
            return Err(CompletarError::new(documento, &campo, Kind::Ilegible));
        }
    }
    for (indice, global) in documento.dsc_rcg_global.iter().enumerate() {
        let mov = matches!(global.tpo_mov.as_deref(), Some("D" | "R"));
        let tipo = matches!(global.tpo_valor.as_deref(), Some("%" | "$"));
        let fallo = match (mov, tipo, global.valor_dr, global.ind_exe_dr) {
            (false, ..) => ("TpoMov", Kind::Falta),
            (_, false, ..) => ("TpoValor", Kind::Falta),
            (.., Campo::Ausente, _) => ("ValorDR", Kind::Falta),
            (.., Campo::Ilegible, _) => ("ValorDR", Kind::Ilegible),
            (.., Campo::Ilegible) => ("IndExeDR", Kind::Ilegible),
            _ => continue,
        };
        return Err(CompletarError::en(
            documento,
            "DscRcgGlobal",
            (indice, fallo.0),
            fallo.1,
        ));
    }
    Ok(())
}

impl<'a> Totalizador<'a> {
    fn nuevo(documento: &'a Documento, tipo: TipoDte) -> Self {
        let (calculo, en_pesos) = con_caso(documento, |caso| (caso.calculo, caso.en_pesos()));
        let calculo = if formulas::sin_lineas_afectas(documento, tipo) {
            // A global without a mark is for affected lines, and there are none.
            let mut marcados = documento.clone();
            marcados
                .dsc_rcg_global
                .retain(|global| !global.ind_exe_dr.es_ausente());
            Calculo::nuevo(&marcados, Some(tipo))
        } else {
            calculo
        };
        Self {
            documento,
            tipo,
            calculo,
            en_pesos,
        }
    }

    fn desborde(&self, campo: &str) -> CompletarError {
        let campo = format!("Encabezado/Totales/{campo}");
        CompletarError::new(self.documento, &campo, Kind::Desborde)
    }

    /// Net amount, exempt amount and IVA.
    fn netos(&self, totales: &mut Totales, tasa: Decimal) -> Cifra<()> {
        let neto = || self.desborde("MntNeto");
        let exento = self.calculo.exento;
        let suma = exento.final_.ok_or_else(|| self.desborde("MntExe"))?;
        let con_exento = exento.lineas > 0 || self.tipo.es_exento();
        totales.mnt_exe = si(con_exento, formulas::exento(suma, self.en_pesos));
        if self.tipo.es_exento() {
            (totales.mnt_neto, totales.iva, totales.tasa_iva) = Default::default();
            return Ok(());
        }
        let suma = self.calculo.afecto.final_.ok_or_else(neto)?;
        let monto = formulas::neto(&self.calculo, suma).ok_or_else(neto)?;
        let iva = if self.tipo.es_boleta() && self.calculo.bruto {
            // Formato boletas: the IVA is what is left of the gross amount.
            redondear(suma).checked_sub(monto)
        } else {
            formulas::iva(monto, tasa)
        };
        let iva = iva.ok_or_else(|| self.desborde("IVA"))?;
        let con_neto = self.calculo.afecto.lineas > 0;
        totales.mnt_neto = si(con_neto, monto);
        totales.tasa_iva = si(con_neto, tasa);
        totales.iva = si(con_neto, iva);
        Ok(())
    }

    /// What isn't billed, and deposits.
    fn apartes(&self, totales: &mut Totales) -> Cifra<()> {
        let no_facturable = self.calculo.no_facturable;
        let suma = no_facturable.final_;
        let suma = suma.ok_or_else(|| self.desborde("MontoNF"))?;
        totales.monto_nf = si(
            no_facturable.lineas > 0,
            formulas::exento(suma, self.en_pesos),
        );
        let garantia = self.calculo.garantia;
        if garantia.lineas > 0 {
            let suma = garantia.final_.ok_or_else(|| self.desborde("GrntDep"))?;
            totales.grnt_dep = Campo::Valor(formulas::exento(suma, self.en_pesos));
        }
        Ok(())
    }

    /// The totals of a liquidación's commissions.
    fn comisiones(&self, totales: &mut Totales, tasa: Decimal) -> Cifra<()> {
        let (mut neto, mut exento, mut iva) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        if self.documento.comisiones.is_empty() {
            return Ok(());
        }
        for (indice, comision) in self.documento.comisiones.iter().enumerate() {
            let fallo = |campo, kind| {
                CompletarError::en(self.documento, "Comisiones", (indice, campo), kind)
            };
            let leer = |campo, monto: Campo<Decimal>| {
                let leido = monto.valor_o(Decimal::ZERO);
                leido.ok_or_else(|| fallo(campo, Kind::Ilegible))
            };
            let desborde = || fallo("ValComNeto", Kind::Desborde);
            let parte = leer("ValComNeto", comision.val_com_neto)?;
            let suyo = match comision.val_com_iva {
                Campo::Ausente => formulas::iva(parte, tasa).ok_or_else(desborde)?,
                escrito => leer("ValComIVA", escrito)?,
            };
            neto = neto.checked_add(parte).ok_or_else(desborde)?;
            iva = iva.checked_add(suyo).ok_or_else(desborde)?;
            let parte = leer("ValComExe", comision.val_com_exe)?;
            exento = exento.checked_add(parte).ok_or_else(desborde)?;
        }
        totales.comisiones.val_com_neto = Campo::Valor(neto);
        totales.comisiones.val_com_exe = si(!exento.is_zero(), exento);
        totales.comisiones.val_com_iva = Campo::Valor(iva);
        Ok(())
    }

    /// The taxes of the lines' codes, in the order in which they appear.
    fn impuestos(&self, totales: &mut Totales, tasa_iva: Decimal) -> Cifra<()> {
        let lineas = self.documento.detalle.iter();
        for codigo in lineas
            .flat_map(|linea| &linea.cod_imp_adic)
            .filter_map(Campo::valor)
        {
            let nuevo = ImptoReten {
                tipo_imp: Campo::Valor(codigo),
                ..ImptoReten::default()
            };
            if totales
                .impto_reten
                .iter()
                .any(|i| i.tipo_imp == nuevo.tipo_imp)
            {
                continue;
            }
            // There are as many codes as the table has, however many lines there are.
            impuestos::signo(&nuevo).ok_or_else(|| {
                let kind = Kind::ImpuestoSinTasa { codigo };
                CompletarError::new(self.documento, "Encabezado/Totales/ImptoReten", kind)
            })?;
            totales.impto_reten.push(nuevo);
        }
        for (indice, impuesto) in totales.impto_reten.iter_mut().enumerate() {
            self.impuesto(impuesto, tasa_iva).ok_or_else(|| {
                let codigo = impuesto.tipo_imp.valor().unwrap_or_default();
                CompletarError::en(
                    self.documento,
                    "Encabezado/Totales/ImptoReten",
                    (indice, "MontoImp"),
                    Kind::ImpuestoSinTasa { codigo },
                )
            })?;
        }
        Ok(())
    }

    /// One tax; where its base isn't in the document, what is written stays.
    fn impuesto(&self, impuesto: &mut ImptoReten, tasa_iva: Decimal) -> Option<()> {
        let codigo = impuesto.tipo_imp.valor()?;
        impuestos::signo(impuesto)?;
        let tasa = match impuesto.tasa_imp {
            Campo::Ausente => impuestos::tasa_habitual(codigo, tasa_iva),
            escrita => Some(escrita.valor()?),
        };
        let monto =
            tasa.and_then(|tasa| impuestos::monto(self.documento, &self.calculo, codigo, tasa));
        let marcado = self
            .documento
            .detalle
            .iter()
            .any(|linea| linea.cod_imp_adic.contains(&Campo::Valor(codigo)));
        match (monto, impuesto.monto_imp.valor()) {
            (Some(monto), _) if marcado || impuesto.monto_imp.es_ausente() => {
                impuesto.tasa_imp = tasa.into();
                impuesto.monto_imp = Campo::Valor(monto);
                Some(())
            }
            (_, escrito) => escrito.map(|_| ()),
        }
    }

    /// What the rest makes the document cost.
    fn cierre(&self, totales: &mut Totales) -> Cifra<()> {
        if self.tipo == TipoDte::FacturaCompra {
            let retenido = formulas::retenido(totales).unwrap_or_default();
            let resto = formulas::iva_no_retenido(totales)
                .filter(|resto| !retenido.is_zero() && !resto.is_zero());
            totales.iva_no_ret = resto.into();
        }
        let sin_pago = self.documento.encabezado.id_doc.fma_pag_exp == Campo::Valor(21);
        let total = if sin_pago && self.tipo.es_exportacion() {
            Some(Decimal::ZERO)
        } else if self.tipo == TipoDte::GuiaDespacho && self.documento.detalle.is_empty() {
            totales.mnt_total.valor()
        } else {
            formulas::total(totales, self.en_pesos).map(|(total, _)| total)
        };
        let total = total.ok_or_else(|| self.desborde("MntTotal"))?;
        totales.mnt_total = Campo::Valor(total);
        let aparte = !totales.monto_nf.es_ausente();
        let periodo = formulas::monto_periodo(totales);
        let periodo = periodo.ok_or_else(|| self.desborde("MontoPeriodo"))?;
        totales.monto_periodo = si(aparte, periodo);
        let pagar = formulas::valor_a_pagar(totales);
        let pagar = pagar.ok_or_else(|| self.desborde("VlrPagar"))?;
        totales.vlr_pagar = si(aparte || !totales.saldo_anterior.es_ausente(), pagar);
        Ok(())
    }
}

fn si(condicion: bool, monto: Decimal) -> Campo<Decimal> {
    condicion.then_some(monto).into()
}

/// The amounts of an export in the other currency, where its rate is given.
fn otra_moneda(documento: &mut Documento) -> Cifra<()> {
    let totales = &documento.encabezado.totales;
    let (exento, total) = (totales.mnt_exe.valor(), totales.mnt_total.valor());
    let Some(otra) = &documento.encabezado.otra_moneda else {
        return Ok(());
    };
    const CAMPO: &str = "Encabezado/OtraMoneda/TpoCambio";
    if otra.tpo_cambio.es_ilegible() {
        return Err(CompletarError::new(documento, CAMPO, Kind::Ilegible));
    }
    let Some(cambio) = otra.tpo_cambio.valor() else {
        return Ok(());
    };
    let convertir = |monto: Option<Decimal>| match monto {
        None => Ok(Campo::Ausente),
        Some(monto) => formulas::en_otra_moneda(monto, cambio)
            .map(Campo::Valor)
            .ok_or_else(|| CompletarError::new(documento, CAMPO, Kind::Desborde)),
    };
    let (exento, total) = (convertir(exento)?, convertir(total)?);
    if let Some(otra) = &mut documento.encabezado.otra_moneda {
        (otra.mnt_exe_otr_mnda, otra.mnt_tot_otr_mnda) = (exento, total);
    }
    Ok(())
}
