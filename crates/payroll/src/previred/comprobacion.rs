//! Whether figures can be those of their month: against each other, and against the months before.

use rust_decimal::Decimal;

use super::error::{PreviredError, PreviredErrorKind};
use super::prueba::{Fallo, Prueba};
use crate::afp::Afp;
use crate::indicadores::{Campo, Indicadores};
use crate::pesos::redondear;

/// The months before, as far as they are known for sure.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vecinos<'a> {
    /// The month before.
    pub anterior: Option<&'a Indicadores>,
    /// The one before that.
    pub trasanterior: Option<&'a Indicadores>,
}

const fn d(valor: u32, decimales: u32) -> Decimal {
    Decimal::from_parts(valor, 0, 0, false, decimales)
}

/// Prices have moved by at most 2 % in a month in thirty years.
const MAX_CAMBIO: Decimal = d(3, 2);
/// Prices are published to 0.1 %: half of that, and a little for rounding.
const MAX_IPC: Decimal = d(7, 4);

/// Holds the figures of a month against each other and against the months before.
///
/// A check whose figures aren't there says nothing. Neighbours that aren't the two months before
/// are ignored.
///
/// # Errors
///
/// [`PreviredErrorKind::Implausible`] with every check that failed.
pub fn comprobar(mes: &Indicadores, vecinos: Vecinos<'_>) -> Result<(), PreviredError> {
    let periodo = mes.periodo();
    let vecinos = Vecinos {
        anterior: vecinos
            .anterior
            .filter(|otro| otro.periodo() == periodo.anterior()),
        trasanterior: vecinos
            .trasanterior
            .filter(|otro| otro.periodo() == periodo.anterior().anterior()),
    };
    let mut pruebas = Pruebas {
        mes,
        fallos: Vec::new(),
    };
    pruebas.uta();
    pruebas.topes();
    pruebas.magnitudes();
    pruebas.contra_anterior(vecinos);
    pruebas.utm_contra_uf(vecinos);
    pruebas.tasas_afp();
    pruebas.otras_tasas();
    pruebas.minimos(vecinos);
    pruebas.tramos();
    if pruebas.fallos.is_empty() {
        Ok(())
    } else {
        Err(PreviredErrorKind::Implausible(pruebas.fallos).into())
    }
}

struct Pruebas<'a> {
    mes: &'a Indicadores,
    fallos: Vec<Fallo>,
}

impl Pruebas<'_> {
    fn get(&self, campo: Campo) -> Option<Decimal> {
        self.mes.get(campo)
    }

    fn exigir(
        &mut self,
        bien: bool,
        prueba: Prueba,
        campo: Campo,
        (esperado, leido): (Decimal, Decimal),
    ) {
        if !bien {
            self.fallos.push(Fallo {
                prueba,
                campo,
                esperado,
                leido,
            });
        }
    }

    fn uta(&mut self) {
        if let (Some(utm), Some(uta)) = (self.get(Campo::Utm), self.get(Campo::Uta)) {
            let doce = utm * Decimal::from(12);
            self.exigir(uta == doce, Prueba::UtaDoceUtm, Campo::Uta, (doce, uta));
        }
    }

    fn topes(&mut self) {
        for (en_pesos, en_uf, uf) in [
            (Campo::AfpTopePesos, Campo::AfpTopeUf, Campo::Uf),
            (Campo::AfcTopePesos, Campo::AfcTopeUf, Campo::Uf),
            (Campo::IpsTopePesos, Campo::IpsTopeUf, Campo::UfMesAnterior),
            (
                Campo::ApvTopeMensualPesos,
                Campo::ApvTopeMensualUf,
                Campo::Uf,
            ),
            (Campo::ApvTopeAnualPesos, Campo::ApvTopeAnualUf, Campo::Uf),
            (
                Campo::DepositoConvenidoPesos,
                Campo::DepositoConvenidoUf,
                Campo::Uf,
            ),
        ] {
            if let (Some(pesos), Some(tope), Some(uf)) =
                (self.get(en_pesos), self.get(en_uf), self.get(uf))
            {
                let esperado = redondear(tope * uf);
                let bien = (pesos - esperado).abs() <= Decimal::ONE;
                self.exigir(bien, Prueba::TopeEnPesos, en_pesos, (esperado, pesos));
            }
        }
    }

    /// Bounds that hold from 1995 to any near future; what they catch is a wrong cell.
    fn magnitudes(&mut self) {
        for (campo, minimo, maximo) in [
            (Campo::Uf, d(11_000, 0), d(120_000, 0)),
            (Campo::UfMesAnterior, d(11_000, 0), d(120_000, 0)),
            (Campo::Utm, d(19_000, 0), d(210_000, 0)),
            (Campo::AfpTopeUf, d(60, 0), d(150, 0)),
            (Campo::AfcTopeUf, d(90, 0), d(225, 0)),
        ] {
            if let Some(valor) = self.get(campo) {
                let limite = if valor < minimo { minimo } else { maximo };
                self.exigir(
                    valor >= minimo && valor <= maximo,
                    Prueba::Magnitud,
                    campo,
                    (limite, valor),
                );
            }
        }
    }

    fn contra_anterior(&mut self, vecinos: Vecinos<'_>) {
        let antes = |campo| vecinos.anterior.and_then(|anterior| anterior.get(campo));
        let uf_antes = self.get(Campo::UfMesAnterior).or_else(|| antes(Campo::Uf));
        for (prueba, campo, antes) in [
            (Prueba::UfContraAnterior, Campo::Uf, uf_antes),
            (Prueba::UtmContraAnterior, Campo::Utm, antes(Campo::Utm)),
        ] {
            if let (Some(valor), Some(antes)) = (self.get(campo), antes) {
                let bien = (valor - antes).abs() <= antes * MAX_CAMBIO;
                self.exigir(bien, prueba, campo, (antes, valor));
            }
        }
        if let (Some(dice), Some(era)) = (self.get(Campo::UfMesAnterior), antes(Campo::Uf)) {
            self.exigir(
                dice == era,
                Prueba::UfContraAnterior,
                Campo::UfMesAnterior,
                (era, dice),
            );
        }
    }

    fn utm_contra_uf(&mut self, vecinos: Vecinos<'_>) {
        let (Some(utm), Some(anterior), Some(trasanterior)) =
            (self.get(Campo::Utm), vecinos.anterior, vecinos.trasanterior)
        else {
            return;
        };
        if let Some(esperada) = utm_esperada(anterior, trasanterior) {
            let bien = (utm - esperada).abs() <= esperada * MAX_IPC + Decimal::ONE;
            self.exigir(
                bien,
                Prueba::UtmContraUf,
                Campo::Utm,
                (redondear(esperada), utm),
            );
        }
    }

    fn tasas_afp(&mut self) {
        let sis = self.get(Campo::Sis);
        for afp in Afp::TODAS {
            let campo = Campo::afp(afp);
            let Some(tasa) = self.get(campo) else {
                continue;
            };
            let bien = tasa >= Decimal::TEN && tasa <= d(13, 0);
            self.exigir(bien, Prueba::TasaAfp, campo, (Decimal::TEN, tasa));
            for (otra, mas) in [
                (Campo::afp_a_pagar(afp), Some(d(1, 1))),
                (Campo::afp_independiente(afp), sis),
            ] {
                if let (Some(leida), Some(mas)) = (self.get(otra), mas) {
                    self.exigir(
                        leida == tasa + mas,
                        Prueba::ColumnasAfp,
                        otra,
                        (tasa + mas, leida),
                    );
                }
            }
        }
    }

    fn otras_tasas(&mut self) {
        if let Some(sis) = self.get(Campo::Sis) {
            let bien = sis >= d(5, 1) && sis <= d(4, 0);
            self.exigir(bien, Prueba::TasaSis, Campo::Sis, (d(15, 1), sis));
        }
        for (campo, legal) in [
            (Campo::AfcTrabajadorIndefinido, d(6, 1)),
            (Campo::AfcEmpleadorIndefinido, d(24, 1)),
            (Campo::AfcTrabajadorPlazoFijo, d(0, 0)),
            (Campo::AfcEmpleadorPlazoFijo, d(3, 0)),
            (Campo::AfcEmpleadorIndefinido11, d(8, 1)),
            (Campo::AfcTrabajadorIndefinido11, d(0, 0)),
        ] {
            if let Some(tasa) = self.get(campo) {
                self.exigir(tasa == legal, Prueba::TasaAfc, campo, (legal, tasa));
            }
        }
        for (total, empleador, trabajador) in [
            (
                Campo::PesadoTotal,
                Campo::PesadoEmpleador,
                Campo::PesadoTrabajador,
            ),
            (
                Campo::MenosPesadoTotal,
                Campo::MenosPesadoEmpleador,
                Campo::MenosPesadoTrabajador,
            ),
        ] {
            if let (Some(leido), Some(uno), Some(dos)) =
                (self.get(total), self.get(empleador), self.get(trabajador))
            {
                self.exigir(
                    leido == uno + dos,
                    Prueba::TrabajoPesado,
                    total,
                    (uno + dos, leido),
                );
            }
        }
    }

    fn minimos(&mut self, vecinos: Vecinos<'_>) {
        let Some(minimo) = self.get(Campo::SueldoMinimo) else {
            return;
        };
        for campo in [
            Campo::SueldoMinimoMenor18Mayor65,
            Campo::SueldoMinimoNoRemuneracional,
        ] {
            if let Some(menor) = self.get(campo) {
                let bien = menor < minimo && menor > minimo / Decimal::TWO;
                self.exigir(bien, Prueba::SueldoMinimo, campo, (minimo, menor));
            }
        }
        if let Some(antes) = vecinos
            .anterior
            .and_then(|anterior| anterior.get(Campo::SueldoMinimo))
        {
            let bien = minimo >= antes && minimo <= antes * d(13, 1);
            self.exigir(
                bien,
                Prueba::SueldoMinimo,
                Campo::SueldoMinimo,
                (antes, minimo),
            );
        }
    }

    fn tramos(&mut self) {
        let tramos = [
            (Campo::AsigFam1Hasta, Campo::AsigFam1),
            (Campo::AsigFam2Hasta, Campo::AsigFam2),
            (Campo::AsigFam3Hasta, Campo::AsigFam3),
        ];
        for [(hasta, monto), (hasta_siguiente, monto_siguiente)] in tramos.array_windows() {
            if let (Some(menos), Some(mas)) = (self.get(*hasta), self.get(*hasta_siguiente)) {
                self.exigir(
                    mas > menos,
                    Prueba::TramosAsignacion,
                    *hasta_siguiente,
                    (menos, mas),
                );
            }
            if let (Some(mas), Some(menos)) = (self.get(*monto), self.get(*monto_siguiente)) {
                self.exigir(
                    menos < mas,
                    Prueba::TramosAsignacion,
                    *monto_siguiente,
                    (mas, menos),
                );
            }
        }
        for (hasta, monto) in tramos {
            if let (Some(hasta), Some(leido)) = (self.get(hasta), self.get(monto)) {
                self.exigir(
                    leido < hasta / Decimal::TEN,
                    Prueba::TramosAsignacion,
                    monto,
                    (hasta, leido),
                );
            }
        }
    }
}

/// The UTM that must follow two months. The UTM of m moves by the prices of m−2; so does the UF
/// from the 10th of m−1 on, and from the 10th of m−2 to the 9th of m−1 by those of m−3, which
/// are also what the UTM of m−1 moved by. Small powers are taken as products: the error is under
/// 0.003 %.
fn utm_esperada(anterior: &Indicadores, trasanterior: &Indicadores) -> Option<Decimal> {
    let (utm_1, utm_2) = (anterior.get(Campo::Utm)?, trasanterior.get(Campo::Utm)?);
    let (uf_1, uf_2) = (anterior.get(Campo::Uf)?, trasanterior.get(Campo::Uf)?);
    let nueve = Decimal::from(9);
    let dias_2 = Decimal::from(trasanterior.periodo().dias());
    let dias_1 = Decimal::from(anterior.periodo().dias());
    // Checked: neighbours are the caller's, and may be of any size.
    let ipc_3 = utm_1.checked_div(utm_2)? - Decimal::ONE;
    let movida = Decimal::ONE + ipc_3.checked_mul(nueve)? / dias_2;
    let uf_dia_9 = uf_2.checked_mul(movida)?;
    let ipc_2 =
        (uf_1.checked_div(uf_dia_9)? - Decimal::ONE).checked_mul(dias_1)? / (dias_1 - nueve);
    utm_1.checked_mul(Decimal::ONE + ipc_2)
}
