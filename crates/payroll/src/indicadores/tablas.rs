//! The built-in figures: facts with their dates, typed from the sources that each names.
//!
//! A figure that two sources disagree about, or that none was found for, isn't here: the month
//! then lacks it.

use rust_decimal::Decimal;

use super::{Campo, Confianza};
use crate::periodo::Periodo;

/// A figure that holds from one month to another, both counted.
pub(super) struct Tramo {
    pub campo: Campo,
    pub desde: Periodo,
    pub hasta: Periodo,
    pub valor: Decimal,
    pub fuente: &'static str,
    pub confianza: Confianza,
}

use Confianza::{Alta, Baja, Media};

const fn m(anio: i16, mes: i8) -> Periodo {
    Periodo::de(anio, mes)
}

/// `valor` with `decimales` of its digits after the point.
const fn d(valor: u32, decimales: u32) -> Decimal {
    Decimal::from_parts(valor, 0, 0, false, decimales)
}

const SERVICIO: &str = "UTM del SII, tabla de terceros";
const TABLA: &str = "UF del Banco Central, tabla de terceros";
const DOS_TABLAS: &str = "UF del Banco Central, dos tablas de terceros que coinciden";
const PREVIRED: &str = "Previred";
const CIRCULAR: &str = "Superintendencia de Pensiones, tope imponible del año";
const LEY_21751: &str = "Ley 21.751";
const LEY_21578: &str = "Ley 21.578";
const LEY_21735: &str = "Ley 21.735";

/// UF of the month's last day in cents, UTM in pesos, with how sure each is.
type Mes = (
    Periodo,
    Option<(u32, &'static str, Confianza)>,
    Option<(u32, Confianza)>,
);

pub(super) const MESES: &[Mes] = &[
    (
        m(2024, 1),
        Some((3_673_304, PREVIRED, Alta)),
        Some((64_666, Alta)),
    ),
    (
        m(2024, 2),
        Some((3_685_650, TABLA, Baja)),
        Some((64_343, Alta)),
    ),
    (
        m(2024, 3),
        Some((3_709_352, DOS_TABLAS, Alta)),
        Some((64_793, Media)),
    ),
    (
        m(2024, 4),
        Some((3_726_198, DOS_TABLAS, Alta)),
        Some((65_182, Media)),
    ),
    (
        m(2024, 5),
        Some((3_743_891, DOS_TABLAS, Alta)),
        Some((65_443, Media)),
    ),
    (
        m(2024, 6),
        Some((3_757_186, DOS_TABLAS, Alta)),
        Some((65_770, Media)),
    ),
    (
        m(2024, 7),
        Some((3_757_895, DOS_TABLAS, Alta)),
        Some((65_967, Media)),
    ),
    (
        m(2024, 8),
        Some((3_775_447, DOS_TABLAS, Alta)),
        Some((65_901, Media)),
    ),
    (
        m(2024, 9),
        Some((3_791_042, DOS_TABLAS, Alta)),
        Some((66_362, Media)),
    ),
    (
        m(2024, 10),
        Some((3_797_142, DOS_TABLAS, Alta)),
        Some((66_561, Media)),
    ),
    (
        m(2024, 11),
        Some((3_824_792, DOS_TABLAS, Alta)),
        Some((66_628, Media)),
    ),
    (
        m(2024, 12),
        Some((3_841_669, DOS_TABLAS, Alta)),
        Some((67_294, Media)),
    ),
    (
        m(2025, 1),
        Some((3_838_441, DOS_TABLAS, Alta)),
        Some((67_429, Media)),
    ),
    (
        m(2025, 2),
        Some((3_864_794, DOS_TABLAS, Alta)),
        Some((67_294, Media)),
    ),
    (
        m(2025, 3),
        Some((3_889_411, DOS_TABLAS, Alta)),
        Some((68_034, Media)),
    ),
    (
        m(2025, 4),
        Some((3_907_541, DOS_TABLAS, Alta)),
        Some((68_306, Media)),
    ),
    (
        m(2025, 5),
        Some((3_918_945, DOS_TABLAS, Alta)),
        Some((68_648, Media)),
    ),
    (
        m(2025, 6),
        Some((3_926_707, "Previred, tope del IPS de 2025-07", Alta)),
        Some((68_785, Media)),
    ),
    (
        m(2025, 7),
        Some((3_917_901, "Previred, topes de 2025-07", Alta)),
        Some((68_923, Alta)),
    ),
    (
        m(2025, 8),
        Some((3_938_307, DOS_TABLAS, Alta)),
        Some((68_647, Media)),
    ),
    (
        m(2025, 9),
        Some((3_948_565, DOS_TABLAS, Alta)),
        Some((69_265, Media)),
    ),
    (
        m(2025, 10),
        Some((3_959_767, TABLA, Media)),
        Some((69_265, Media)),
    ),
    (
        m(2025, 11),
        Some((3_964_359, DOS_TABLAS, Alta)),
        Some((69_542, Media)),
    ),
    (
        m(2025, 12),
        Some((3_972_796, "SII, tabla UF 2025", Alta)),
        None,
    ),
    (m(2026, 1), Some((3_970_607, TABLA, Baja)), None),
    (
        m(2026, 2),
        Some((3_979_063, PREVIRED, Alta)),
        Some((69_611, Media)),
    ),
    (
        m(2026, 3),
        Some((3_984_172, PREVIRED, Alta)),
        Some((69_889, Alta)),
    ),
];

pub(super) const FUENTE_UTM: &str = SERVICIO;

/// The last month of the tables: what has no other end ends here.
pub(super) const FIN: Periodo = m(2026, 3);
const INICIO: Periodo = m(2024, 1);

const fn t(
    campo: Campo,
    (desde, hasta): (Periodo, Periodo),
    valor: Decimal,
    fuente: &'static str,
    confianza: Confianza,
) -> Tramo {
    Tramo {
        campo,
        desde,
        hasta,
        valor,
        fuente,
        confianza,
    }
}

const TODO: (Periodo, Periodo) = (INICIO, FIN);
const EN_2024: (Periodo, Periodo) = (m(2024, 1), m(2024, 12));
const EN_2025: (Periodo, Periodo) = (m(2025, 1), m(2025, 12));
const ENERO_2026: (Periodo, Periodo) = (m(2026, 1), m(2026, 1));
const DESDE_FEBRERO_2026: (Periodo, Periodo) = (m(2026, 2), FIN);
const SEMESTRE_2024: (Periodo, Periodo) = (m(2024, 1), m(2024, 6));
const JULIO_2024: (Periodo, Periodo) = (m(2024, 7), m(2024, 12));
const ENERO_2025: (Periodo, Periodo) = (m(2025, 1), m(2025, 4));
const MAYO_2025: (Periodo, Periodo) = (m(2025, 5), m(2025, 12));
const DESDE_2026: (Periodo, Periodo) = (m(2026, 1), FIN);
const REFORMA: (Periodo, Periodo) = (m(2025, 8), FIN);

pub(super) const TRAMOS: &[Tramo] = &[
    // Pay caps. That of January 2026 was provisional.
    t(Campo::AfpTopeUf, EN_2024, d(843, 1), CIRCULAR, Alta),
    t(Campo::AfpTopeUf, EN_2025, d(878, 1), CIRCULAR, Alta),
    t(
        Campo::AfpTopeUf,
        ENERO_2026,
        d(899, 1),
        "tope provisorio de enero de 2026",
        Media,
    ),
    t(
        Campo::AfpTopeUf,
        DESDE_FEBRERO_2026,
        d(90, 0),
        CIRCULAR,
        Alta,
    ),
    t(Campo::AfcTopeUf, EN_2024, d(1266, 1), CIRCULAR, Alta),
    t(Campo::AfcTopeUf, EN_2025, d(1319, 1), CIRCULAR, Alta),
    t(
        Campo::AfcTopeUf,
        ENERO_2026,
        d(1351, 1),
        "tope provisorio de enero de 2026",
        Media,
    ),
    t(
        Campo::AfcTopeUf,
        DESDE_FEBRERO_2026,
        d(1352, 1),
        CIRCULAR,
        Alta,
    ),
    t(Campo::IpsTopeUf, TODO, d(60, 0), PREVIRED, Alta),
    t(
        Campo::ApvTopeMensualUf,
        TODO,
        d(50, 0),
        "DL 824, art. 42 bis",
        Alta,
    ),
    t(
        Campo::ApvTopeAnualUf,
        TODO,
        d(600, 0),
        "DL 824, art. 42 bis",
        Alta,
    ),
    t(
        Campo::DepositoConvenidoUf,
        TODO,
        d(900, 0),
        "DL 3.500, art. 20",
        Alta,
    ),
    // Minimum income.
    t(
        Campo::SueldoMinimo,
        SEMESTRE_2024,
        d(460_000, 0),
        LEY_21578,
        Alta,
    ),
    t(
        Campo::SueldoMinimo,
        JULIO_2024,
        d(500_000, 0),
        LEY_21578,
        Alta,
    ),
    t(
        Campo::SueldoMinimo,
        ENERO_2025,
        d(510_636, 0),
        LEY_21578,
        Alta,
    ),
    t(
        Campo::SueldoMinimo,
        MAYO_2025,
        d(529_000, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::SueldoMinimo,
        DESDE_2026,
        d(539_000, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::SueldoMinimoCasaParticular,
        SEMESTRE_2024,
        d(460_000, 0),
        LEY_21578,
        Alta,
    ),
    t(
        Campo::SueldoMinimoCasaParticular,
        JULIO_2024,
        d(500_000, 0),
        LEY_21578,
        Alta,
    ),
    t(
        Campo::SueldoMinimoCasaParticular,
        ENERO_2025,
        d(510_636, 0),
        LEY_21578,
        Alta,
    ),
    t(
        Campo::SueldoMinimoCasaParticular,
        MAYO_2025,
        d(529_000, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::SueldoMinimoCasaParticular,
        DESDE_2026,
        d(539_000, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::SueldoMinimoMenor18Mayor65,
        SEMESTRE_2024,
        d(343_150, 0),
        PREVIRED,
        Alta,
    ),
    t(
        Campo::SueldoMinimoMenor18Mayor65,
        MAYO_2025,
        d(394_622, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::SueldoMinimoMenor18Mayor65,
        DESDE_2026,
        d(402_082, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::SueldoMinimoNoRemuneracional,
        SEMESTRE_2024,
        d(296_511, 0),
        PREVIRED,
        Alta,
    ),
    t(
        Campo::SueldoMinimoNoRemuneracional,
        MAYO_2025,
        d(340_988, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::SueldoMinimoNoRemuneracional,
        DESDE_2026,
        d(347_434, 0),
        LEY_21751,
        Alta,
    ),
    // Pension funds.
    t(Campo::AfpCapital, TODO, d(1144, 2), PREVIRED, Alta),
    t(Campo::AfpCuprum, TODO, d(1144, 2), PREVIRED, Alta),
    t(Campo::AfpHabitat, TODO, d(1127, 2), PREVIRED, Alta),
    t(Campo::AfpModelo, TODO, d(1058, 2), PREVIRED, Alta),
    t(Campo::AfpPlanVital, TODO, d(1116, 2), PREVIRED, Alta),
    t(Campo::AfpProVida, TODO, d(1145, 2), PREVIRED, Alta),
    t(
        Campo::AfpUno,
        (INICIO, m(2025, 9)),
        d(1049, 2),
        PREVIRED,
        Alta,
    ),
    t(
        Campo::AfpUno,
        (m(2025, 10), FIN),
        d(1046, 2),
        "Superintendencia de Pensiones, comisión desde 2025-10",
        Alta,
    ),
    t(Campo::Sis, SEMESTRE_2024, d(149, 2), PREVIRED, Alta),
    t(
        Campo::Sis,
        (m(2024, 7), m(2024, 9)),
        d(201, 2),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::Sis,
        (m(2024, 10), m(2024, 12)),
        d(150, 2),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::Sis,
        (m(2025, 1), m(2025, 3)),
        d(138, 2),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::Sis,
        (m(2025, 4), m(2025, 6)),
        d(178, 2),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::Sis,
        (m(2025, 7), m(2025, 12)),
        d(188, 2),
        PREVIRED,
        Media,
    ),
    t(Campo::Sis, DESDE_FEBRERO_2026, d(154, 2), PREVIRED, Alta),
    t(Campo::AporteCuenta, REFORMA, d(1, 1), LEY_21735, Alta),
    t(Campo::ExpectativaVida, REFORMA, d(9, 1), LEY_21735, Alta),
    // Health and accidents.
    t(Campo::Fonasa, TODO, d(7, 0), "DL 3.500, art. 84", Alta),
    t(
        Campo::AccidentesBase,
        TODO,
        d(93, 2),
        "Leyes 16.744 y 21.063",
        Alta,
    ),
    // Unemployment insurance.
    t(
        Campo::AfcTrabajadorIndefinido,
        TODO,
        d(6, 1),
        "Ley 19.728",
        Alta,
    ),
    t(
        Campo::AfcEmpleadorIndefinido,
        TODO,
        d(24, 1),
        "Ley 19.728",
        Alta,
    ),
    t(
        Campo::AfcTrabajadorPlazoFijo,
        TODO,
        d(0, 0),
        "Ley 19.728",
        Alta,
    ),
    t(
        Campo::AfcEmpleadorPlazoFijo,
        TODO,
        d(3, 0),
        "Ley 19.728",
        Alta,
    ),
    t(
        Campo::AfcTrabajadorIndefinido11,
        TODO,
        d(0, 0),
        "Ley 19.728",
        Alta,
    ),
    t(
        Campo::AfcEmpleadorIndefinido11,
        TODO,
        d(8, 1),
        "Ley 19.728",
        Alta,
    ),
    t(
        Campo::AfcTrabajadorCasaParticular,
        TODO,
        d(0, 0),
        "Ley 21.269",
        Alta,
    ),
    t(
        Campo::AfcEmpleadorCasaParticular,
        TODO,
        d(3, 0),
        "Ley 21.269",
        Alta,
    ),
    // Family allowance. January to April 2025 was found nowhere.
    t(Campo::AsigFam1, SEMESTRE_2024, d(20_328, 0), PREVIRED, Alta),
    t(Campo::AsigFam2, SEMESTRE_2024, d(12_475, 0), PREVIRED, Alta),
    t(Campo::AsigFam3, SEMESTRE_2024, d(3_942, 0), PREVIRED, Alta),
    t(
        Campo::AsigFam1Hasta,
        SEMESTRE_2024,
        d(539_328, 0),
        PREVIRED,
        Alta,
    ),
    t(
        Campo::AsigFam2Hasta,
        SEMESTRE_2024,
        d(787_746, 0),
        PREVIRED,
        Alta,
    ),
    t(
        Campo::AsigFam3Hasta,
        SEMESTRE_2024,
        d(1_228_614, 0),
        PREVIRED,
        Alta,
    ),
    t(
        Campo::AsigFam1,
        JULIO_2024,
        d(21_243, 0),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::AsigFam2,
        JULIO_2024,
        d(13_036, 0),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::AsigFam3,
        JULIO_2024,
        d(4_119, 0),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::AsigFam1Hasta,
        JULIO_2024,
        d(586_227, 0),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::AsigFam2Hasta,
        JULIO_2024,
        d(856_247, 0),
        "tabla de terceros",
        Baja,
    ),
    t(
        Campo::AsigFam3Hasta,
        JULIO_2024,
        d(1_335_450, 0),
        "tabla de terceros",
        Baja,
    ),
    t(Campo::AsigFam1, MAYO_2025, d(22_007, 0), LEY_21751, Alta),
    t(Campo::AsigFam2, MAYO_2025, d(13_505, 0), LEY_21751, Alta),
    t(Campo::AsigFam3, MAYO_2025, d(4_267, 0), LEY_21751, Alta),
    t(
        Campo::AsigFam1Hasta,
        MAYO_2025,
        d(620_251, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::AsigFam2Hasta,
        MAYO_2025,
        d(905_941, 0),
        LEY_21751,
        Alta,
    ),
    t(
        Campo::AsigFam3Hasta,
        MAYO_2025,
        d(1_412_957, 0),
        LEY_21751,
        Alta,
    ),
    t(Campo::AsigFam1, DESDE_2026, d(22_007, 0), LEY_21751, Media),
    t(Campo::AsigFam2, DESDE_2026, d(13_505, 0), LEY_21751, Media),
    t(Campo::AsigFam3, DESDE_2026, d(4_267, 0), LEY_21751, Media),
    t(
        Campo::AsigFam1Hasta,
        DESDE_2026,
        d(631_976, 0),
        LEY_21751,
        Media,
    ),
    t(
        Campo::AsigFam2Hasta,
        DESDE_2026,
        d(923_067, 0),
        LEY_21751,
        Media,
    ),
    t(
        Campo::AsigFam3Hasta,
        DESDE_2026,
        d(1_439_668, 0),
        LEY_21751,
        Media,
    ),
    t(Campo::AsigFam4, SEMESTRE_2024, d(0, 0), PREVIRED, Alta),
    t(Campo::AsigFam4, JULIO_2024, d(0, 0), LEY_21578, Alta),
    t(Campo::AsigFam4, MAYO_2025, d(0, 0), LEY_21751, Alta),
    t(Campo::AsigFam4, DESDE_2026, d(0, 0), LEY_21751, Alta),
    // Heavy work.
    t(
        Campo::PesadoTotal,
        TODO,
        d(4, 0),
        "DL 3.500, art. 17 bis",
        Alta,
    ),
    t(
        Campo::PesadoEmpleador,
        TODO,
        d(2, 0),
        "DL 3.500, art. 17 bis",
        Alta,
    ),
    t(
        Campo::PesadoTrabajador,
        TODO,
        d(2, 0),
        "DL 3.500, art. 17 bis",
        Alta,
    ),
    t(
        Campo::MenosPesadoTotal,
        TODO,
        d(2, 0),
        "DL 3.500, art. 17 bis",
        Alta,
    ),
    t(
        Campo::MenosPesadoEmpleador,
        TODO,
        d(1, 0),
        "DL 3.500, art. 17 bis",
        Alta,
    ),
    t(
        Campo::MenosPesadoTrabajador,
        TODO,
        d(1, 0),
        "DL 3.500, art. 17 bis",
        Alta,
    ),
];
