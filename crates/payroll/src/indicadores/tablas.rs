//! The built-in figures: facts with their dates, typed from the sources that each names.
//!
//! A figure that two sources disagree about, or that none was found for, isn't here: the month
//! then lacks it. So the family allowance of January to April 2025, and the UTM of December 2025
//! and January 2026.

use rust_decimal::Decimal;

use super::{Campo, Confianza};
use crate::periodo::Periodo;

use Confianza::{Alta, Baja, Media};

/// Figures of one source that hold from one month to another, both counted.
pub(super) struct Grupo {
    pub meses: (Periodo, Periodo),
    pub fuente: &'static str,
    pub confianza: Confianza,
    pub cifras: &'static [(Campo, Decimal)],
}

const fn m(anio: i16, mes: i8) -> Periodo {
    Periodo::de(anio, mes)
}

/// `valor` with `decimales` of its digits after the point.
const fn d(valor: u32, decimales: u32) -> Decimal {
    Decimal::from_parts(valor, 0, 0, false, decimales)
}

pub(super) const FUENTE_UTM: &str = "UTM del SII, tabla de terceros";
const UNA: &str = "UF del Banco Central, tabla de terceros";
const DOS: &str = "UF del Banco Central, dos tablas de terceros que coinciden";
const PREVIRED: &str = "Previred";
const CIRCULAR: &str = "Superintendencia de Pensiones, tope imponible del año";
const PROVISORIO: &str = "Superintendencia de Pensiones, tope provisorio de enero de 2026";
const COMISION: &str = "Superintendencia de Pensiones, comisión desde octubre de 2025";
const TERCEROS: &str = "tabla de terceros";
const CESANTIA: &str = "Ley 19.728";
const CASA_PARTICULAR: &str = "Ley 21.269";
const ACCIDENTES: &str = "Leyes 16.744 y 21.063";
const MINIMO_2023: &str = "Ley 21.578";
const MINIMO_2025: &str = "Ley 21.751";
const REFORMA: &str = "Ley 21.735";
const SALUD: &str = "DL 3.500, art. 84";
const PESADO: &str = "DL 3.500, art. 17 bis";
const CONVENIDO: &str = "DL 3.500, art. 20";
const APV: &str = "DL 824, art. 42 bis";

/// The UF of the last day of each month, in hundredths of a peso.
pub(super) const UF: &[(Periodo, u32, &str, Confianza)] = &[
    (m(2024, 1), 3_673_304, PREVIRED, Alta),
    (m(2024, 2), 3_685_650, UNA, Baja),
    (m(2024, 3), 3_709_352, DOS, Alta),
    (m(2024, 4), 3_726_198, DOS, Alta),
    (m(2024, 5), 3_743_891, DOS, Alta),
    (m(2024, 6), 3_757_186, DOS, Alta),
    (m(2024, 7), 3_757_895, DOS, Alta),
    (m(2024, 8), 3_775_447, DOS, Alta),
    (m(2024, 9), 3_791_042, DOS, Alta),
    (m(2024, 10), 3_797_142, DOS, Alta),
    (m(2024, 11), 3_824_792, DOS, Alta),
    (m(2024, 12), 3_841_669, DOS, Alta),
    (m(2025, 1), 3_838_441, DOS, Alta),
    (m(2025, 2), 3_864_794, DOS, Alta),
    (m(2025, 3), 3_889_411, DOS, Alta),
    (m(2025, 4), 3_907_541, DOS, Alta),
    (m(2025, 5), 3_918_945, DOS, Alta),
    (m(2025, 6), 3_926_707, PREVIRED, Alta),
    (m(2025, 7), 3_917_901, PREVIRED, Alta),
    (m(2025, 8), 3_938_307, DOS, Alta),
    (m(2025, 9), 3_948_565, DOS, Alta),
    (m(2025, 10), 3_959_767, UNA, Media),
    (m(2025, 11), 3_964_359, DOS, Alta),
    (m(2025, 12), 3_972_796, DOS, Alta),
    (m(2026, 1), 3_970_607, UNA, Baja),
    (m(2026, 2), 3_979_063, PREVIRED, Alta),
    (m(2026, 3), 3_984_172, PREVIRED, Alta),
];

/// The UTM of each month, in pesos.
pub(super) const UTM: &[(Periodo, u32, Confianza)] = &[
    (m(2024, 1), 64_666, Alta),
    (m(2024, 2), 64_343, Alta),
    (m(2024, 3), 64_793, Media),
    (m(2024, 4), 65_182, Media),
    (m(2024, 5), 65_443, Media),
    (m(2024, 6), 65_770, Media),
    (m(2024, 7), 65_967, Media),
    (m(2024, 8), 65_901, Media),
    (m(2024, 9), 66_362, Media),
    (m(2024, 10), 66_561, Media),
    (m(2024, 11), 66_628, Media),
    (m(2024, 12), 67_294, Media),
    (m(2025, 1), 67_429, Media),
    (m(2025, 2), 67_294, Media),
    (m(2025, 3), 68_034, Media),
    (m(2025, 4), 68_306, Media),
    (m(2025, 5), 68_648, Media),
    (m(2025, 6), 68_785, Media),
    (m(2025, 7), 68_923, Alta),
    (m(2025, 8), 68_647, Media),
    (m(2025, 9), 69_265, Media),
    (m(2025, 10), 69_265, Media),
    (m(2025, 11), 69_542, Media),
    (m(2026, 2), 69_611, Media),
    (m(2026, 3), 69_889, Alta),
];

/// The first and the last month of the tables.
pub(super) const INICIO: Periodo = m(2024, 1);
pub(super) const FIN: Periodo = m(2026, 3);

type Meses = (Periodo, Periodo);

const SIEMPRE: Meses = (INICIO, FIN);
const EN_2024: Meses = (m(2024, 1), m(2024, 12));
const EN_2025: Meses = (m(2025, 1), m(2025, 12));
const ENERO_2026: Meses = (m(2026, 1), m(2026, 1));
const DESDE_FEBRERO_2026: Meses = (m(2026, 2), FIN);
const SEMESTRE_2024: Meses = (m(2024, 1), m(2024, 6));
const JULIO_2024: Meses = (m(2024, 7), m(2024, 12));
const ENERO_2025: Meses = (m(2025, 1), m(2025, 4));
const MAYO_2025: Meses = (m(2025, 5), m(2025, 12));
const DESDE_2026: Meses = (m(2026, 1), FIN);
const CON_REFORMA: Meses = (m(2025, 8), FIN);

pub(super) const GRUPOS: &[Grupo] = &[
    Grupo {
        meses: EN_2024,
        fuente: CIRCULAR,
        confianza: Alta,
        cifras: &[
            (Campo::AfpTopeUf, d(843, 1)),
            (Campo::AfcTopeUf, d(1266, 1)),
        ],
    },
    Grupo {
        meses: EN_2025,
        fuente: CIRCULAR,
        confianza: Alta,
        cifras: &[
            (Campo::AfpTopeUf, d(878, 1)),
            (Campo::AfcTopeUf, d(1319, 1)),
        ],
    },
    Grupo {
        meses: ENERO_2026,
        fuente: PROVISORIO,
        confianza: Media,
        cifras: &[
            (Campo::AfpTopeUf, d(899, 1)),
            (Campo::AfcTopeUf, d(1351, 1)),
        ],
    },
    Grupo {
        meses: DESDE_FEBRERO_2026,
        fuente: CIRCULAR,
        confianza: Alta,
        cifras: &[(Campo::AfpTopeUf, d(90, 0)), (Campo::AfcTopeUf, d(1352, 1))],
    },
    Grupo {
        meses: SIEMPRE,
        fuente: PREVIRED,
        confianza: Alta,
        cifras: &[
            (Campo::IpsTopeUf, d(60, 0)),
            (Campo::AfpCapital, d(1144, 2)),
            (Campo::AfpCuprum, d(1144, 2)),
            (Campo::AfpHabitat, d(1127, 2)),
            (Campo::AfpModelo, d(1058, 2)),
            (Campo::AfpPlanVital, d(1116, 2)),
            (Campo::AfpProVida, d(1145, 2)),
        ],
    },
    Grupo {
        meses: SIEMPRE,
        fuente: APV,
        confianza: Alta,
        cifras: &[
            (Campo::ApvTopeMensualUf, d(50, 0)),
            (Campo::ApvTopeAnualUf, d(600, 0)),
        ],
    },
    Grupo {
        meses: SIEMPRE,
        fuente: CONVENIDO,
        confianza: Alta,
        cifras: &[(Campo::DepositoConvenidoUf, d(900, 0))],
    },
    Grupo {
        meses: SEMESTRE_2024,
        fuente: MINIMO_2023,
        confianza: Alta,
        cifras: &[
            (Campo::SueldoMinimo, d(460_000, 0)),
            (Campo::SueldoMinimoCasaParticular, d(460_000, 0)),
        ],
    },
    Grupo {
        meses: JULIO_2024,
        fuente: MINIMO_2023,
        confianza: Alta,
        cifras: &[
            (Campo::SueldoMinimo, d(500_000, 0)),
            (Campo::SueldoMinimoCasaParticular, d(500_000, 0)),
            (Campo::AsigFam4, d(0, 0)),
        ],
    },
    Grupo {
        meses: ENERO_2025,
        fuente: MINIMO_2023,
        confianza: Alta,
        cifras: &[
            (Campo::SueldoMinimo, d(510_636, 0)),
            (Campo::SueldoMinimoCasaParticular, d(510_636, 0)),
        ],
    },
    Grupo {
        meses: MAYO_2025,
        fuente: MINIMO_2025,
        confianza: Alta,
        cifras: &[
            (Campo::SueldoMinimo, d(529_000, 0)),
            (Campo::SueldoMinimoCasaParticular, d(529_000, 0)),
            (Campo::SueldoMinimoMenor18Mayor65, d(394_622, 0)),
            (Campo::SueldoMinimoNoRemuneracional, d(340_988, 0)),
            (Campo::AsigFam1, d(22_007, 0)),
            (Campo::AsigFam2, d(13_505, 0)),
            (Campo::AsigFam3, d(4_267, 0)),
            (Campo::AsigFam1Hasta, d(620_251, 0)),
            (Campo::AsigFam2Hasta, d(905_941, 0)),
            (Campo::AsigFam3Hasta, d(1_412_957, 0)),
            (Campo::AsigFam4, d(0, 0)),
        ],
    },
    Grupo {
        meses: DESDE_2026,
        fuente: MINIMO_2025,
        confianza: Alta,
        cifras: &[
            (Campo::SueldoMinimo, d(539_000, 0)),
            (Campo::SueldoMinimoCasaParticular, d(539_000, 0)),
            (Campo::SueldoMinimoMenor18Mayor65, d(402_082, 0)),
            (Campo::SueldoMinimoNoRemuneracional, d(347_434, 0)),
            (Campo::AsigFam4, d(0, 0)),
        ],
    },
    Grupo {
        meses: SEMESTRE_2024,
        fuente: PREVIRED,
        confianza: Alta,
        cifras: &[
            (Campo::SueldoMinimoMenor18Mayor65, d(343_150, 0)),
            (Campo::SueldoMinimoNoRemuneracional, d(296_511, 0)),
            (Campo::Sis, d(149, 2)),
            (Campo::AsigFam1, d(20_328, 0)),
            (Campo::AsigFam2, d(12_475, 0)),
            (Campo::AsigFam3, d(3_942, 0)),
            (Campo::AsigFam1Hasta, d(539_328, 0)),
            (Campo::AsigFam2Hasta, d(787_746, 0)),
            (Campo::AsigFam3Hasta, d(1_228_614, 0)),
            (Campo::AsigFam4, d(0, 0)),
        ],
    },
    Grupo {
        meses: (INICIO, m(2025, 9)),
        fuente: PREVIRED,
        confianza: Alta,
        cifras: &[(Campo::AfpUno, d(1049, 2))],
    },
    Grupo {
        meses: (m(2025, 10), FIN),
        fuente: COMISION,
        confianza: Alta,
        cifras: &[(Campo::AfpUno, d(1046, 2))],
    },
    Grupo {
        meses: (m(2024, 7), m(2024, 9)),
        fuente: TERCEROS,
        confianza: Baja,
        cifras: &[(Campo::Sis, d(201, 2))],
    },
    Grupo {
        meses: (m(2024, 10), m(2024, 12)),
        fuente: TERCEROS,
        confianza: Baja,
        cifras: &[(Campo::Sis, d(150, 2))],
    },
    Grupo {
        meses: (m(2025, 1), m(2025, 3)),
        fuente: TERCEROS,
        confianza: Baja,
        cifras: &[(Campo::Sis, d(138, 2))],
    },
    Grupo {
        meses: (m(2025, 4), m(2025, 6)),
        fuente: TERCEROS,
        confianza: Baja,
        cifras: &[(Campo::Sis, d(178, 2))],
    },
    Grupo {
        meses: (m(2025, 7), m(2025, 12)),
        fuente: PREVIRED,
        confianza: Media,
        cifras: &[(Campo::Sis, d(188, 2))],
    },
    Grupo {
        meses: DESDE_FEBRERO_2026,
        fuente: PREVIRED,
        confianza: Alta,
        cifras: &[(Campo::Sis, d(154, 2))],
    },
    Grupo {
        meses: CON_REFORMA,
        fuente: REFORMA,
        confianza: Alta,
        cifras: &[
            (Campo::AporteCuenta, d(1, 1)),
            (Campo::ExpectativaVida, d(9, 1)),
        ],
    },
    Grupo {
        meses: SIEMPRE,
        fuente: SALUD,
        confianza: Alta,
        cifras: &[(Campo::Fonasa, d(7, 0))],
    },
    Grupo {
        meses: SIEMPRE,
        fuente: ACCIDENTES,
        confianza: Alta,
        cifras: &[(Campo::AccidentesBase, d(93, 2))],
    },
    Grupo {
        meses: SIEMPRE,
        fuente: CESANTIA,
        confianza: Alta,
        cifras: &[
            (Campo::AfcTrabajadorIndefinido, d(6, 1)),
            (Campo::AfcEmpleadorIndefinido, d(24, 1)),
            (Campo::AfcTrabajadorPlazoFijo, d(0, 0)),
            (Campo::AfcEmpleadorPlazoFijo, d(3, 0)),
            (Campo::AfcTrabajadorIndefinido11, d(0, 0)),
            (Campo::AfcEmpleadorIndefinido11, d(8, 1)),
        ],
    },
    Grupo {
        meses: SIEMPRE,
        fuente: CASA_PARTICULAR,
        confianza: Alta,
        cifras: &[
            (Campo::AfcTrabajadorCasaParticular, d(0, 0)),
            (Campo::AfcEmpleadorCasaParticular, d(3, 0)),
        ],
    },
    Grupo {
        meses: JULIO_2024,
        fuente: TERCEROS,
        confianza: Baja,
        cifras: &[
            (Campo::AsigFam1, d(21_243, 0)),
            (Campo::AsigFam2, d(13_036, 0)),
            (Campo::AsigFam3, d(4_119, 0)),
            (Campo::AsigFam1Hasta, d(586_227, 0)),
            (Campo::AsigFam2Hasta, d(856_247, 0)),
            (Campo::AsigFam3Hasta, d(1_335_450, 0)),
        ],
    },
    Grupo {
        meses: DESDE_2026,
        fuente: MINIMO_2025,
        confianza: Media,
        cifras: &[
            (Campo::AsigFam1, d(22_007, 0)),
            (Campo::AsigFam2, d(13_505, 0)),
            (Campo::AsigFam3, d(4_267, 0)),
            (Campo::AsigFam1Hasta, d(631_976, 0)),
            (Campo::AsigFam2Hasta, d(923_067, 0)),
            (Campo::AsigFam3Hasta, d(1_439_668, 0)),
        ],
    },
    Grupo {
        meses: SIEMPRE,
        fuente: PESADO,
        confianza: Alta,
        cifras: &[
            (Campo::PesadoTotal, d(4, 0)),
            (Campo::PesadoEmpleador, d(2, 0)),
            (Campo::PesadoTrabajador, d(2, 0)),
            (Campo::MenosPesadoTotal, d(2, 0)),
            (Campo::MenosPesadoEmpleador, d(1, 0)),
            (Campo::MenosPesadoTrabajador, d(1, 0)),
        ],
    },
];
