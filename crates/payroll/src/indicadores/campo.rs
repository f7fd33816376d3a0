//! The names of the indicators, as the HTTP contract has them.

use crate::afp::Afp;

/// In what a figure is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unidad {
    /// Pesos.
    Pesos,
    /// Unidades de fomento.
    Uf,
    /// Percent.
    Porcentaje,
}

macro_rules! campos {
    ($($variante:ident $nombre:literal $unidad:ident $doc:literal,)*) => {
        /// An indicator of a month.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Campo {
            $(#[doc = $doc] $variante,)*
        }

        impl Campo {
            /// Every indicator, in the order of the page that publishes them.
            pub const TODOS: &'static [Self] = &[$(Self::$variante,)*];

            /// The name under which an ERP reads it.
            #[must_use]
            pub const fn nombre(self) -> &'static str {
                match self { $(Self::$variante => $nombre,)* }
            }

            /// In what it is counted.
            #[must_use]
            pub const fn unidad(self) -> Unidad {
                match self { $(Self::$variante => Unidad::$unidad,)* }
            }

            /// What it is.
            #[must_use]
            pub const fn descripcion(self) -> &'static str {
                match self { $(Self::$variante => $doc,)* }
            }
        }
    };
}

campos! {
    Uf "uf" Pesos "Valor de la UF el último día del mes.",
    UfMesAnterior "uf_mes_anterior" Pesos "Valor de la UF el último día del mes anterior.",
    Utm "utm" Pesos "Unidad tributaria mensual.",
    Uta "uta" Pesos "Unidad tributaria anual: doce UTM.",
    AfpTopeUf "afp_tope_uf" Uf "Tope imponible de AFP.",
    SaludTopeUf "salud_tope_uf" Uf "Tope imponible de salud: el de AFP.",
    IpsTopeUf "ips_tope_uf" Uf "Tope imponible del IPS.",
    AfcTopeUf "afc_tope_uf" Uf "Tope imponible del seguro de cesantía.",
    AfpTopePesos "afp_tope_clp" Pesos "Tope imponible de AFP y salud.",
    IpsTopePesos "ips_tope_clp" Pesos "Tope imponible del IPS, con la UF del mes anterior.",
    AfcTopePesos "afc_tope_clp" Pesos "Tope imponible del seguro de cesantía.",
    SueldoMinimo "sueldo_minimo" Pesos "Ingreso mínimo mensual.",
    SueldoMinimoMenor18Mayor65 "sueldo_minimo_menor18_mayor65" Pesos "Ingreso mínimo de menores de 18 y mayores de 65 años.",
    SueldoMinimoCasaParticular "sueldo_minimo_casa_particular" Pesos "Ingreso mínimo en casa particular.",
    SueldoMinimoNoRemuneracional "sueldo_minimo_no_remuneracional" Pesos "Ingreso mínimo para fines no remuneracionales.",
    ApvTopeMensualUf "apv_tope_mensual_uf" Uf "Tope mensual del ahorro previsional voluntario.",
    ApvTopeAnualUf "apv_tope_anual_uf" Uf "Tope anual del ahorro previsional voluntario.",
    ApvTopeMensualPesos "apv_tope_mensual_clp" Pesos "Tope mensual del ahorro previsional voluntario.",
    ApvTopeAnualPesos "apv_tope_anual_clp" Pesos "Tope anual del ahorro previsional voluntario.",
    DepositoConvenidoUf "deposito_convenido_tope_uf" Uf "Tope anual del depósito convenido.",
    DepositoConvenidoPesos "deposito_convenido_tope_clp" Pesos "Tope anual del depósito convenido.",
    AfcEmpleadorIndefinido "afc_empleador_indefinido" Porcentaje "Cesantía, contrato indefinido, empleador.",
    AfcTrabajadorIndefinido "afc_trabajador_indefinido" Porcentaje "Cesantía, contrato indefinido, trabajador.",
    AfcEmpleadorPlazoFijo "afc_empleador_plazo_fijo" Porcentaje "Cesantía, plazo fijo u obra, empleador.",
    AfcTrabajadorPlazoFijo "afc_trabajador_plazo_fijo" Porcentaje "Cesantía, plazo fijo u obra, trabajador.",
    AfcEmpleadorIndefinido11 "afc_empleador_indefinido_11" Porcentaje "Cesantía, indefinido de 11 años o más, empleador.",
    AfcTrabajadorIndefinido11 "afc_trabajador_indefinido_11" Porcentaje "Cesantía, indefinido de 11 años o más, trabajador.",
    AfcEmpleadorCasaParticular "afc_empleador_casa_particular" Porcentaje "Cesantía, casa particular, empleador.",
    AfcTrabajadorCasaParticular "afc_trabajador_casa_particular" Porcentaje "Cesantía, casa particular, trabajador.",
    AfpCapital "afp_capital_pct" Porcentaje "AFP Capital: 10 % más comisión.",
    AfpCuprum "afp_cuprum_pct" Porcentaje "AFP Cuprum: 10 % más comisión.",
    AfpHabitat "afp_habitat_pct" Porcentaje "AFP Habitat: 10 % más comisión.",
    AfpModelo "afp_modelo_pct" Porcentaje "AFP Modelo: 10 % más comisión.",
    AfpPlanVital "afp_planvital_pct" Porcentaje "AFP PlanVital: 10 % más comisión.",
    AfpProVida "afp_provida_pct" Porcentaje "AFP ProVida: 10 % más comisión.",
    AfpUno "afp_uno_pct" Porcentaje "AFP Uno: 10 % más comisión.",
    AfpCapitalAPagar "afp_capital_a_pagar_pct" Porcentaje "AFP Capital: trabajador más 0,1 % del empleador.",
    AfpCuprumAPagar "afp_cuprum_a_pagar_pct" Porcentaje "AFP Cuprum: trabajador más 0,1 % del empleador.",
    AfpHabitatAPagar "afp_habitat_a_pagar_pct" Porcentaje "AFP Habitat: trabajador más 0,1 % del empleador.",
    AfpModeloAPagar "afp_modelo_a_pagar_pct" Porcentaje "AFP Modelo: trabajador más 0,1 % del empleador.",
    AfpPlanVitalAPagar "afp_planvital_a_pagar_pct" Porcentaje "AFP PlanVital: trabajador más 0,1 % del empleador.",
    AfpProVidaAPagar "afp_provida_a_pagar_pct" Porcentaje "AFP ProVida: trabajador más 0,1 % del empleador.",
    AfpUnoAPagar "afp_uno_a_pagar_pct" Porcentaje "AFP Uno: trabajador más 0,1 % del empleador.",
    AfpCapitalIndependiente "afp_capital_independiente_pct" Porcentaje "AFP Capital, independientes (con SIS).",
    AfpCuprumIndependiente "afp_cuprum_independiente_pct" Porcentaje "AFP Cuprum, independientes (con SIS).",
    AfpHabitatIndependiente "afp_habitat_independiente_pct" Porcentaje "AFP Habitat, independientes (con SIS).",
    AfpModeloIndependiente "afp_modelo_independiente_pct" Porcentaje "AFP Modelo, independientes (con SIS).",
    AfpPlanVitalIndependiente "afp_planvital_independiente_pct" Porcentaje "AFP PlanVital, independientes (con SIS).",
    AfpProVidaIndependiente "afp_provida_independiente_pct" Porcentaje "AFP ProVida, independientes (con SIS).",
    AfpUnoIndependiente "afp_uno_independiente_pct" Porcentaje "AFP Uno, independientes (con SIS).",
    Sis "sis_pct" Porcentaje "Seguro de invalidez y sobrevivencia, empleador.",
    ExpectativaVida "exvida_pct" Porcentaje "Seguro Social, expectativa de vida, empleador.",
    AporteCuenta "aporte_cuenta_individual_pct" Porcentaje "Aporte del empleador a la cuenta individual.",
    RentabilidadProtegida "rentabilidad_protegida_pct" Porcentaje "Cotización con rentabilidad protegida, empleador.",
    Fonasa "fonasa_pct" Porcentaje "Cotización legal de salud, Fonasa.",
    CcafDelSiete "ccaf_pct" Porcentaje "Parte del 7 % que va a la caja de compensación.",
    FonasaDelSiete "fonasa_con_ccaf_pct" Porcentaje "Parte del 7 % que va a Fonasa con caja de compensación.",
    AccidentesBase "accidentes_base_pct" Porcentaje "Accidentes del trabajo, cotización básica con SANNA, empleador.",
    AsigFam1 "asig_fam_tramo_1" Pesos "Asignación familiar por carga, tramo A.",
    AsigFam2 "asig_fam_tramo_2" Pesos "Asignación familiar por carga, tramo B.",
    AsigFam3 "asig_fam_tramo_3" Pesos "Asignación familiar por carga, tramo C.",
    AsigFam4 "asig_fam_tramo_4" Pesos "Asignación familiar por carga, tramo D.",
    AsigFam1Hasta "asig_fam_tramo_1_hasta" Pesos "Renta máxima del tramo A.",
    AsigFam2Hasta "asig_fam_tramo_2_hasta" Pesos "Renta máxima del tramo B.",
    AsigFam3Hasta "asig_fam_tramo_3_hasta" Pesos "Renta máxima del tramo C.",
    AsigFam2Desde "asig_fam_tramo_2_desde" Pesos "Renta sobre la que empieza el tramo B.",
    AsigFam3Desde "asig_fam_tramo_3_desde" Pesos "Renta sobre la que empieza el tramo C.",
    AsigFam4Desde "asig_fam_tramo_4_desde" Pesos "Renta sobre la que empieza el tramo D.",
    PesadoTotal "trabajo_pesado_pct" Porcentaje "Trabajo pesado, total.",
    PesadoEmpleador "trabajo_pesado_empleador_pct" Porcentaje "Trabajo pesado, empleador.",
    PesadoTrabajador "trabajo_pesado_trabajador_pct" Porcentaje "Trabajo pesado, trabajador.",
    MenosPesadoTotal "trabajo_menos_pesado_pct" Porcentaje "Trabajo menos pesado, total.",
    MenosPesadoEmpleador "trabajo_menos_pesado_empleador_pct" Porcentaje "Trabajo menos pesado, empleador.",
    MenosPesadoTrabajador "trabajo_menos_pesado_trabajador_pct" Porcentaje "Trabajo menos pesado, trabajador.",
}

impl Campo {
    /// The indicator of a name.
    #[must_use]
    pub fn de_nombre(nombre: &str) -> Option<Self> {
        Self::TODOS
            .iter()
            .copied()
            .find(|campo| campo.nombre() == nombre)
    }

    /// What a worker of a fund pays.
    #[must_use]
    pub const fn afp(afp: Afp) -> Self {
        match afp {
            Afp::Capital => Self::AfpCapital,
            Afp::Cuprum => Self::AfpCuprum,
            Afp::Habitat => Self::AfpHabitat,
            Afp::Modelo => Self::AfpModelo,
            Afp::PlanVital => Self::AfpPlanVital,
            Afp::ProVida => Self::AfpProVida,
            Afp::Uno => Self::AfpUno,
        }
    }

    /// What is paid to a fund with the employer's share.
    #[must_use]
    pub const fn afp_a_pagar(afp: Afp) -> Self {
        match afp {
            Afp::Capital => Self::AfpCapitalAPagar,
            Afp::Cuprum => Self::AfpCuprumAPagar,
            Afp::Habitat => Self::AfpHabitatAPagar,
            Afp::Modelo => Self::AfpModeloAPagar,
            Afp::PlanVital => Self::AfpPlanVitalAPagar,
            Afp::ProVida => Self::AfpProVidaAPagar,
            Afp::Uno => Self::AfpUnoAPagar,
        }
    }

    /// What a self-employed person of a fund pays.
    #[must_use]
    pub const fn afp_independiente(afp: Afp) -> Self {
        match afp {
            Afp::Capital => Self::AfpCapitalIndependiente,
            Afp::Cuprum => Self::AfpCuprumIndependiente,
            Afp::Habitat => Self::AfpHabitatIndependiente,
            Afp::Modelo => Self::AfpModeloIndependiente,
            Afp::PlanVital => Self::AfpPlanVitalIndependiente,
            Afp::ProVida => Self::AfpProVidaIndependiente,
            Afp::Uno => Self::AfpUnoIndependiente,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_contract_s_names_are_there_once() {
        let nombres: HashSet<_> = Campo::TODOS.iter().map(|campo| campo.nombre()).collect();
        assert_eq!(nombres.len(), Campo::TODOS.len());
        assert!(nombres.len() >= 60);
        for nombre in [
            "uf",
            "utm",
            "uta",
            "sueldo_minimo",
            "afp_tope_uf",
            "afc_tope_uf",
            "salud_tope_uf",
            "apv_tope_mensual_uf",
            "apv_tope_anual_uf",
            "asig_fam_tramo_1",
            "asig_fam_tramo_2",
            "asig_fam_tramo_3",
            "asig_fam_tramo_4",
            "exvida_pct",
            "afc_trabajador_indefinido",
            "afc_empleador_indefinido",
            "afc_trabajador_plazo_fijo",
            "afc_empleador_plazo_fijo",
            "fonasa_pct",
            "sis_pct",
        ] {
            assert_eq!(Campo::de_nombre(nombre).map(Campo::nombre), Some(nombre));
        }
        for afp in Afp::TODAS {
            let nombre = format!("afp_{}_pct", afp.nombre().to_lowercase());
            assert_eq!(Campo::de_nombre(&nombre), Some(Campo::afp(afp)));
        }
        assert_eq!(Campo::de_nombre("nada"), None);
    }
}
