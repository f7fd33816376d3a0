//! Every rule on a payslip with one defect: found with its figure, and nothing else.

use std::collections::HashSet;

use super::pruebas::{buena, cambio, con, d, hallazgos, linea, sin};
use super::*;
use crate::afp::Afp;
use crate::ley::{RegimenGratificacion, TipoContrato};
use crate::model::Salud;
use crate::periodo::Periodo;
use crate::report::Recommendation;
use findings::Severity::{Error, Info, Warning};
use jiff::civil::date;
use rust_decimal::Decimal;

type Hallado = (&'static str, findings::Severity, Option<Decimal>);

fn uno(code: &'static str, severity: findings::Severity, esperado: &str) -> Vec<Hallado> {
    let esperado = (!esperado.is_empty()).then(|| d(esperado));
    vec![(code, severity, esperado)]
}

#[test]
fn a_right_payslip_has_no_findings() {
    assert_eq!(hallazgos(&buena()), vec![]);
    let report = validate(
        &buena(),
        crate::indicadores::integrados(Periodo::de(2026, 3)).as_ref(),
    );
    assert_eq!(report.recommendation(), Recommendation::Approve);
    assert_eq!(report.confidence(), 100);
}

#[test]
fn negative_discounts_and_odoo_categories_change_nothing() {
    let mut liquidacion = buena();
    for codigo in ["AFP", "SALUD", "AFC", "IUT"] {
        let linea = liquidacion
            .lineas
            .iter_mut()
            .find(|l| l.codigo.as_deref() == Some(codigo))
            .unwrap();
        linea.categoria = Some("DED".into());
        linea.total = linea.monto.map(|monto| -monto);
    }
    liquidacion.totales.descuentos = liquidacion.totales.descuentos.map(|total| -total);
    liquidacion
        .lineas
        .push(linea("GROSS", "Total haberes", 1_273_354));
    liquidacion.lineas.push(linea("NET", "Líquido", 1_042_758));
    assert_eq!(hallazgos(&liquidacion), vec![]);
}

#[test]
fn afp() {
    assert_eq!(
        cambio(|l| con(l, "AFP", 120_729)),
        uno("LIQ-AFP-MONTO", Error, "136745")
    );
    assert_eq!(
        cambio(|l| con(l, "AFP", 136_746)),
        uno("LIQ-AFP-MONTO", Info, "136745")
    );
    assert_eq!(cambio(|l| sin(l, "AFP"))[0].0, "LIQ-AFP-AUSENTE");
    // the tax, as deducted without AFP, is wrong as well
    assert_eq!(
        cambio(|l| {
            sin(l, "AFP");
            l.datos.afp = Some(Afp::Habitat);
        }),
        uno("LIQ-AFP-AUSENTE", Error, "136745")
    );
    assert_eq!(
        cambio(|l| l.datos.afp = Some(Afp::Uno)),
        uno("LIQ-AFP-DISTINTA", Warning, "")
    );
    let sin_nombre = |l: &mut Liquidacion| l.lineas[3].nombre = Some("AFP".into());
    assert_eq!(cambio(sin_nombre), uno("LIQ-AFP-SIN-NOMBRE", Info, ""));
    assert_eq!(
        cambio(|l| {
            sin_nombre(l);
            con(l, "AFP", 120_729);
            con(l, "IUT", 2_276);
        }),
        [("LIQ-AFP-MONTO", Error, Some(d("126917")))],
        "against the nearest fund, Uno"
    );
}

#[test]
fn the_cap_is_kept() {
    // 7,000,000 is over the caps of 3,585,755 and 5,386,601.
    let alta = |l: &mut Liquidacion| {
        l.sueldo = Some(d("7000000"));
        con(l, "BASIC", 7_000_000);
        con(l, "AFP", 404_115);
        con(l, "SALUD", 251_003);
        con(l, "AFC", 32_320);
        con(l, "IUT", 739_854);
    };
    assert_eq!(cambio(alta), vec![]);
    assert_eq!(
        cambio(|l| {
            alta(l);
            con(l, "AFP", 812_945);
        })[0],
        ("LIQ-AFP-MONTO", Error, Some(d("404115")))
    );
    // A month whose cap isn't known: pay under any cap is judged, pay over it isn't.
    let sin_indicadores = |cambiar: &dyn Fn(&mut Liquidacion)| {
        let mut liquidacion = buena();
        cambiar(&mut liquidacion);
        liquidacion.totales = crate::model::Totales::default();
        let findings = validate(&liquidacion, None).findings;
        findings.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(
        sin_indicadores(&|l| con(l, "SALUD", 1)),
        ["LIQ-SALUD-MONTO", "LIQ-INDICADORES-MES"]
    );
    assert_eq!(sin_indicadores(&alta), ["LIQ-INDICADORES-MES"]);
}

#[test]
fn salud() {
    assert_eq!(
        cambio(|l| con(l, "SALUD", 80_000)),
        uno("LIQ-SALUD-MONTO", Error, "84935")
    );
    assert_eq!(
        cambio(|l| con(l, "SALUD", 99_999)),
        uno("LIQ-SALUD-MONTO", Error, "84935")
    );
    assert_eq!(
        cambio(|l| sin(l, "SALUD")),
        uno("LIQ-SALUD-AUSENTE", Error, "84935")
    );
    let isapre = |l: &mut Liquidacion| {
        l.lineas[4].nombre = Some("Isapre Colmena".into());
        l.datos.plan_uf = Some(d("4"));
        con(l, "IUT", 0);
    };
    // 4 UF × 39,841.72; the tax base falls by the plan, under 13.5 UTM
    assert_eq!(
        cambio(|l| {
            isapre(l);
            con(l, "SALUD", 159_367);
        }),
        vec![]
    );
    assert_eq!(
        cambio(|l| {
            isapre(l);
            con(l, "SALUD", 150_000);
        }),
        uno("LIQ-SALUD-PLAN", Error, "159367")
    );
    let sin_plan = cambio(|l| {
        isapre(l);
        l.datos.plan_uf = None;
        con(l, "SALUD", 150_000);
    });
    assert_eq!(sin_plan, vec![]);
    let nadie = cambio(|l| {
        l.lineas[4].nombre = Some("Salud".into());
        con(l, "SALUD", 90_000);
        con(l, "IUT", 1_636);
    });
    assert_eq!(nadie, uno("LIQ-SALUD-MONTO", Warning, "84935"));
    let ficha = cambio(|l| {
        l.lineas[4].nombre = Some("Salud".into());
        l.datos.salud = Some(Salud::Isapre);
    });
    assert_eq!(ficha, vec![]);
    // the 7 % and the rest on two lines
    let dos = cambio(|l| {
        isapre(l);
        l.lineas.push(linea("ADISA", "Adicional Isapre", 74_432));
    });
    assert_eq!(dos, vec![]);
}

#[test]
fn cesantia() {
    assert_eq!(
        cambio(|l| con(l, "AFC", 5_895)),
        uno("LIQ-AFC-MONTO", Error, "7280")
    );
    assert_eq!(
        cambio(|l| sin(l, "AFC")),
        uno("LIQ-AFC-AUSENTE", Error, "7280")
    );
    let fijo = |l: &mut Liquidacion| {
        l.datos.contrato = Some(TipoContrato::PlazoFijo);
        con(l, "IUT", 1_927);
    };
    assert_eq!(cambio(fijo), uno("LIQ-AFC-INDEBIDO", Error, "0"));
    assert_eq!(
        cambio(|l| {
            fijo(l);
            sin(l, "AFC");
        }),
        vec![]
    );
    let once = |l: &mut Liquidacion| {
        l.datos.inicio = Some(date(2015, 3, 1));
        con(l, "IUT", 1_927);
    };
    assert_eq!(cambio(once), uno("LIQ-AFC-INDEBIDO", Error, "0"));
    let sin_tipo = cambio(|l| {
        l.datos.contrato = None;
        sin(l, "AFC");
        con(l, "IUT", 1_927);
    });
    assert_eq!(sin_tipo, uno("LIQ-AFC-AUSENTE", Warning, "7280"));
    let pensionado = |l: &mut Liquidacion| {
        l.datos.pensionado = Some(true);
        sin(l, "AFC");
        sin(l, "AFP");
        con(l, "IUT", 7_397);
    };
    assert_eq!(cambio(pensionado), vec![]);
}

#[test]
fn impuesto() {
    assert_eq!(
        cambio(|l| con(l, "IUT", 5_000)),
        uno("LIQ-IMPUESTO-MONTO", Error, "1636")
    );
    assert_eq!(
        cambio(|l| sin(l, "IUT")),
        uno("LIQ-IMPUESTO-AUSENTE", Error, "1636")
    );
    // the tax that follows a wrong AFP is told once, and mildly
    let seguido = cambio(|l| {
        con(l, "AFP", 120_729);
        con(l, "IUT", 2_276);
    });
    assert_eq!(
        seguido,
        [
            ("LIQ-AFP-MONTO", Error, Some(d("136745"))),
            ("LIQ-IMPUESTO-ARRASTRE", Info, None)
        ]
    );
    // regime B lowers the base under 13.5 UTM
    let apv = cambio(|l| {
        l.lineas.push(linea("APV", "APV régimen B", 60_000));
        con(l, "IUT", 0);
    });
    assert_eq!(apv, vec![]);
}

#[test]
fn gratificacion() {
    let con_grat = |monto: i64, afp, salud, afc, iut| {
        move |l: &mut Liquidacion| {
            for (codigo, monto) in [
                ("GRAT", monto),
                ("AFP", afp),
                ("SALUD", salud),
                ("AFC", afc),
                ("IUT", iut),
            ] {
                con(l, codigo, monto);
            }
        }
    };
    let alta = con_grat(250_000, 140_875, 87_500, 7_500, 2_825);
    assert_eq!(cambio(alta), uno("LIQ-GRAT-TOPE", Error, "213354"));
    assert_eq!(
        cambio(|l| {
            alta(l);
            l.datos.gratificacion = Some(RegimenGratificacion::Articulo47);
        }),
        vec![]
    );
    let baja = con_grat(100_000, 123_970, 77_000, 6_600, 0);
    assert_eq!(cambio(baja), uno("LIQ-GRAT-MONTO", Warning, "213354"));
    let obligada = cambio(|l| {
        baja(l);
        l.datos.gratificacion = Some(RegimenGratificacion::Articulo50);
    });
    assert_eq!(obligada, uno("LIQ-GRAT-MONTO", Error, "213354"));
    let nada = con_grat(0, 112_700, 70_000, 6_000, 0);
    assert_eq!(cambio(nada), uno("LIQ-GRAT-AUSENTE", Info, ""));
}

#[test]
fn sueldo_y_minimo() {
    assert_eq!(
        cambio(|l| l.sueldo = Some(d("1100000"))),
        uno("LIQ-SUELDO-MONTO", Warning, "1100000")
    );
    let quince = |l: &mut Liquidacion| {
        l.sueldo = Some(d("2000000"));
        l.datos.dias = Some(d("15"));
    };
    assert_eq!(cambio(quince), vec![], "15 of 30 days");
    let sin_dias = cambio(|l| {
        quince(l);
        l.datos.dias = None;
    });
    assert_eq!(sin_dias, uno("LIQ-SUELDO-MONTO", Info, ""));
    assert_eq!(
        cambio(|l| l.datos.dias = Some(d("31"))),
        vec![],
        "all days of March"
    );
    let bajo = |l: &mut Liquidacion| {
        l.sueldo = Some(d("500000"));
        l.datos.gratificacion = Some(RegimenGratificacion::Ninguno);
        sin(l, "GRAT");
        sin(l, "IUT");
        for (codigo, monto) in [
            ("BASIC", 500_000),
            ("AFP", 56_350),
            ("SALUD", 35_000),
            ("AFC", 3_000),
        ] {
            con(l, codigo, monto);
        }
    };
    assert_eq!(cambio(bajo), uno("LIQ-SUELDO-MINIMO", Error, "539000"));
    assert_eq!(
        cambio(|l| {
            bajo(l);
            l.datos.horas_semanales = None;
        }),
        uno("LIQ-SUELDO-MINIMO", Warning, "539000")
    );
    assert_eq!(
        cambio(|l| {
            bajo(l);
            l.datos.horas_semanales = Some(d("30"));
        }),
        vec![]
    );
    assert_eq!(
        cambio(|l| {
            bajo(l);
            l.datos.edad = Some(66);
        }),
        vec![],
        "402,082 for those over 65"
    );
    let aprendiz = cambio(|l| {
        bajo(l);
        l.datos.contrato = Some(TipoContrato::Aprendizaje);
        sin(l, "AFC");
    });
    assert_eq!(aprendiz, vec![]);
}

#[test]
fn horas_extra() {
    // 1,000,000 × 7 / (20 × 44) × 10
    let con_horas = |monto| {
        move |l: &mut Liquidacion| {
            let mut horas = linea("HEX50", "Horas extra", monto);
            horas.cantidad = Some(d("10"));
            l.lineas.push(horas);
        }
    };
    let de = |cambiar: &dyn Fn(&mut Liquidacion)| {
        let todos = cambio(cambiar);
        todos
            .into_iter()
            .find(|(code, ..)| *code == "LIQ-HEX-MONTO")
    };
    assert_eq!(de(&con_horas(79_545)), None);
    assert_eq!(de(&con_horas(79_550)), None, "each hour rounded");
    assert_eq!(
        de(&con_horas(77_778)),
        Some(("LIQ-HEX-MONTO", Error, Some(d("79545"))))
    );
    assert_eq!(
        de(&con_horas(90_000)),
        Some(("LIQ-HEX-MONTO", Warning, Some(d("79545"))))
    );
    let corta = |l: &mut Liquidacion| {
        con_horas(87_500)(l);
        l.datos.horas_semanales = Some(d("40"));
    };
    assert_eq!(de(&corta), None);
}

#[test]
fn asignacion_familiar() {
    let con_cargas = |monto, cargas, tramo| {
        move |l: &mut Liquidacion| {
            l.lineas
                .push(linea("ASIGFAM", "Asignación familiar", monto));
            (l.datos.cargas, l.datos.tramo) = (cargas, tramo);
        }
    };
    assert_eq!(cambio(con_cargas(27_010, Some(2), Some('B'))), vec![]);
    assert_eq!(
        cambio(con_cargas(27_010, Some(2), Some('A'))),
        uno("LIQ-ASIGFAM-MONTO", Error, "44014")
    );
    assert_eq!(
        cambio(con_cargas(27_010, Some(2), None)),
        uno("LIQ-ASIGFAM-MONTO", Info, "8534")
    );
    assert_eq!(
        cambio(con_cargas(27_011, Some(2), None)),
        uno("LIQ-ASIGFAM-MONTO", Warning, "8534")
    );
    assert_eq!(cambio(con_cargas(8_534, None, None)), vec![]);
    assert_eq!(
        cambio(con_cargas(50_000, None, None)),
        uno("LIQ-ASIGFAM-DUDOSA", Warning, "")
    );
}

#[test]
fn empleador() {
    let aportes = |sis, afc, mutual, cuenta, seguro| {
        move |l: &mut Liquidacion| {
            for (codigo, nombre, monto) in [
                ("SIS", "SIS", sis),
                ("SECEEMP", "Cesantía empleador", afc),
                ("MUT", "Mutual", mutual),
                ("CAPIND", "Aporte empleador cuenta individual", cuenta),
                ("EXVIDA", "Seguro Social", seguro),
            ] {
                if monto != 0 {
                    l.lineas.push(linea(codigo, nombre, monto));
                }
            }
        }
    };
    assert_eq!(
        cambio(aportes(18_686, 29_120, 11_284, 1_213, 10_920)),
        vec![]
    );
    assert_eq!(
        cambio(aportes(18_000, 29_120, 11_284, 1_213, 10_920)),
        uno("LIQ-SIS-MONTO", Error, "18686")
    );
    assert_eq!(
        cambio(aportes(18_686, 36_401, 11_284, 1_213, 10_920)),
        uno("LIQ-AFC-EMPLEADOR-MONTO", Error, "29120")
    );
    assert_eq!(
        cambio(aportes(18_686, 29_120, 5_000, 1_213, 10_920)),
        uno("LIQ-ACCIDENTES-MONTO", Warning, "10920")
    );
    assert_eq!(
        cambio(aportes(18_686, 29_120, 11_284, 1_213, 9_000)),
        uno("LIQ-REFORMA-MONTO", Error, "10920")
    );
    assert_eq!(
        cambio(aportes(18_686, 29_120, 11_284, 0, 0)),
        uno("LIQ-REFORMA-AUSENTE", Warning, "")
    );
    assert_eq!(
        cambio(aportes(18_686, 29_120, 11_284, 0, 12_134)),
        vec![],
        "all of it on one line"
    );
}

#[test]
fn totales() {
    let con_total = |cambiar: fn(&mut Liquidacion)| {
        let mut liquidacion = buena();
        cambiar(&mut liquidacion);
        let todos = hallazgos(&liquidacion).into_iter();
        todos
            .map(|f| (f.code, f.severity, f.expected))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        con_total(|l| l.totales.imponible = Some(d("1273354"))),
        uno("LIQ-TOTAL-IMPONIBLE", Error, "1213354")
    );
    assert_eq!(
        con_total(|l| l.totales.haberes = Some(d("1213354"))),
        uno("LIQ-TOTAL-HABERES", Error, "1273354")
    );
    assert_eq!(
        con_total(|l| l.totales.descuentos = Some(d("200000"))),
        uno("LIQ-TOTAL-DESCUENTOS", Error, "230596")
    );
    assert_eq!(
        con_total(|l| l.totales.liquido = Some(d("1042759"))),
        uno("LIQ-TOTAL-LIQUIDO", Info, "1042758")
    );
    assert_eq!(
        con_total(|l| l.totales.liquido = Some(d("1100000"))),
        uno("LIQ-TOTAL-LIQUIDO", Error, "1042758")
    );
    // a net pay that follows a wrong total is no second defect
    let seguido = con_total(|l| {
        l.totales.descuentos = Some(d("200000"));
        l.totales.liquido = Some(d("1073354"));
    });
    assert_eq!(seguido, uno("LIQ-TOTAL-DESCUENTOS", Error, "230596"));
    // a line that nobody knows explains what a total has more
    let desconocida = con_total(|l| {
        l.lineas.push(linea("Z9", "Zeta", 10_000));
        l.totales.haberes = Some(d("1283354"));
        l.totales.liquido = Some(d("1052758"));
    });
    assert_eq!(desconocida, uno("LIQ-LINEA-DESCONOCIDA", Info, ""));
    let negativo = cambio(|l| l.lineas.push(linea("PRESTA", "Préstamo", 2_000_000)));
    assert!(
        negativo
            .iter()
            .any(|(code, ..)| *code == "LIQ-LIQUIDO-NEGATIVO")
    );
}

#[test]
fn limites_de_descuentos() {
    let con_descuento = |codigo: &'static str, monto| {
        move |l: &mut Liquidacion| l.lineas.push(linea(codigo, codigo, monto))
    };
    assert_eq!(
        cambio(con_descuento("PRESTA", 191_003)),
        vec![],
        "15 % of 1,273,354"
    );
    assert_eq!(
        cambio(con_descuento("PRESTA", 191_004)),
        uno("LIQ-LIMITE-15", Warning, "")
    );
    assert_eq!(
        cambio(con_descuento("ANTICIPO", 400_000)),
        uno("LIQ-LIMITE-15", Info, "")
    );
    assert_eq!(
        cambio(con_descuento("ANTICIPO", 573_010))[1],
        ("LIQ-LIMITE-45", Warning, None)
    );
    assert_eq!(
        cambio(con_descuento("ALIMENTOS", 636_678)),
        uno("LIQ-LIMITE-50", Warning, "")
    );
    let apv = |l: &mut Liquidacion| {
        l.lineas.push(linea("APV", "APV", 1_000));
        con(l, "IUT", 1_596);
    };
    assert_eq!(cambio(apv), vec![]);
}

#[test]
fn lectura() {
    assert_eq!(
        cambio(|l| {
            let otra = l.lineas[2].clone();
            l.lineas.push(otra);
        }),
        uno("LIQ-LINEA-REPETIDA", Warning, "")
    );
    assert_eq!(
        cambio(|l| l.lineas[2].categoria = Some("No imponible".into())),
        vec![]
    );
    let lado = cambio(|l| l.lineas[1].categoria = Some("No imponible".into()));
    assert!(lado.iter().any(|(code, ..)| *code == "LIQ-LINEA-LADO"));
    assert_eq!(
        cambio(|l| l.lineas[2].monto = None),
        uno("LIQ-LINEA-SIN-MONTO", Warning, "")
    );
    assert_eq!(
        cambio(|l| l.lineas[2].monto = Some(Decimal::MAX)),
        uno("LIQ-LINEA-SIN-MONTO", Warning, "")
    );
    assert_eq!(
        cambio(|l| l.desde = Some(date(2026, 2, 28))),
        uno("LIQ-PERIODO-FECHAS", Warning, "")
    );
}

#[test]
fn a_month_that_is_not_known_is_said() {
    let codes = |periodo| {
        let mut liquidacion = buena();
        liquidacion.periodo = periodo;
        let indicadores = crate::indicadores::integrados(Periodo::de(2026, 3));
        let findings = validate(&liquidacion, indicadores.as_ref()).findings;
        findings.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(Some(Periodo::de(2026, 10))), ["LIQ-INDICADORES-MES"]);
    assert_eq!(codes(None), ["LIQ-PERIODO-ILEGIBLE", "LIQ-INDICADORES-MES"]);
    let mut diciembre = buena();
    diciembre.periodo = Some(Periodo::de(2025, 12));
    let findings = hallazgos(&diciembre);
    let cifra = findings
        .iter()
        .find(|f| f.code == "LIQ-INDICADORES-CIFRA")
        .unwrap();
    assert_eq!(
        cifra.message,
        "De 2025-12 no se conoce: utm. Lo que depende de ello no se revisó."
    );
}

#[test]
fn codes_are_unique_and_say_what_to_do() {
    let mut vistos = HashSet::new();
    for rule in RULES {
        assert!(
            rule.about.ends_with('.') && !rule.codes.is_empty(),
            "{}",
            rule.name
        );
        for code in rule.codes {
            assert!(vistos.insert(code.code), "{} twice", code.code);
            assert!(code.code.starts_with("LIQ-") && !code.source.is_empty());
            assert!(
                code.remedio.ends_with('.') && !code.title.ends_with('.'),
                "{}",
                code.code
            );
        }
    }
}
