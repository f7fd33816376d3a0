//! Pages and files made by hand, with made-up figures that belong together.

use rust_decimal::Decimal;

use super::*;
use crate::Campo;
use crate::indicadores::{PRIMER_INTEGRADO, ULTIMO_INTEGRADO, integrados};

fn d(texto: &str) -> Decimal {
    texto.parse().unwrap()
}

fn mes(texto: &str) -> Periodo {
    Periodo::iso(texto).unwrap()
}

/// A page of a month that never was: UF 40,000 and UTM 70,000.
const PAGINA: &str = r#"<!doctype html><html><head><script>var x = "<td>$ 1</td>";</script></head><body>
<table><tr><td colspan=2><strong>VALOR UF</td></tr>
<tr><td>al 31 de Mayo 2027<td><strong>$ 40.000,00</strong>
<tr><td>al 30 de Abril 2027<td>$&nbsp;39.900,50</table>
<table><tr><th>VALOR<th>UTM<th>UTA</tr><tr><td>Mayo 2027</td><td>$ 70.000</td><td>$ 840.000</td></tr></table>
<table><tr><td>RENTAS TOPES IMPONIBLES</td></tr>
<tr><td>Para afiliados a una AFP (90,1 UF):</td><td>$ 3.604.000</td></tr>
<tr><td>Para afiliados al IPS (ex INP) (60 UF):</td><td>$ 2.394.030</td></tr>
<tr><td>Para Seguro de Cesantía (135,3 UF):</td><td>$ 5.412.000</td></tr></table>
<table><tr><td>RENTAS MÍNIMAS IMPONIBLES</td></tr>
<tr><td>Trab. Dependientes e Independientes:</td><td>$ 600.000</td></tr>
<tr><td>Menores de 18 y Mayores de 65:</td><td>$ 447.580</td></tr>
<tr><td>Trabajadores de Casa Particular:</td><td>$ 600.000</td></tr></table>
<table><tr><td>AHORRO PREVISIONAL VOLUNTARIO (APV)</td></tr>
<tr><td>Tope Mensual (50 UF):</td><td>$ 2.000.000</td></tr>
<tr><td>Tope Anual (600 UF):</td><td>$ 24.000.000</td></tr></table>
<table><tr><td>DEPÓSITO CONVENIDO</td></tr><tr><td>Tope Anual (900 UF):</td><td>$ 36.000.000</td></tr></table>
<table><tr><td>SEGURO DE CESANTÍA (AFC)</td></tr><tr><td>CONTRATO<td>EMPLEADOR<td>TRABAJADOR</tr>
<tr><td>Plazo Indefinido<td>2,4% R.I.<td>0,6% R.I.</tr><tr><td>Plazo Fijo<td>3,0% R.I.<td>-</tr>
<tr><td>Plazo Indefinido 11 años o más (*)<td>0,8% R.I.<td>-</tr></table>
<table><tr><td>AFP<td>TASA COTIZACIÓN OBLIGATORIO AFP</tr>
<tr><td>Capital<td>11,44%<td>0,1%<td>11,54%<td>13,00%</tr><tr><td>Uno<td>10,46%<td>0,1%<td>10,56%<td>12,02%</tr>
<tr><td>Plan Vital<td>11,16%<td>0,1%<td>11,26%<td>12,72%</tr></table>
<table><tr><td>SEGURO DE INVALIDEZ Y SOBREVIVENCIA (SIS)</td><td>1,56%</td></tr>
<tr><td>Expectativa de vida<td>0,9%</table>
<table><tr><td>TRAMO<td>ASIGNACIÓN FAMILIAR</tr>
<tr><td>1 (A)<td>$ 25.000<td>Renta &lt; ó = $ 700.000</tr>
<tr><td>2 (B)<td>$ 15.000<td>Renta &gt; $ 700.000 &lt; = $ 1.000.000</tr>
<tr><td>3 (C)<td>$ 5.000<td>Renta &gt; $ 1.000.000 &lt; = $ 1.600.000</tr>
<tr><td>4 (D)<td>-<td>Renta &gt; $ 1.600.000</tr></table>
<table><tr><td>Trabajo pesado<td>4%<td>2% R.I.<td>2% R.I.</tr></table>
<table><tr><td>DISTRIBUCIÓN DEL 7% SALUD</tr><tr><td>CCAF<td>4,2% R.I.</tr><tr><td>FONASA<td>2,8% R.I.</table></body>"#;

fn leida() -> Indicadores {
    leer(PAGINA.as_bytes(), mes("2027-05")).unwrap()
}

#[test]
fn a_page_is_read_by_its_labels() {
    let leida = leida();
    for (campo, valor) in [
        (Campo::Uf, "40000"),
        (Campo::UfMesAnterior, "39900.5"),
        (Campo::Utm, "70000"),
        (Campo::Uta, "840000"),
        (Campo::AfpTopeUf, "90.1"),
        (Campo::SaludTopeUf, "90.1"),
        (Campo::AfcTopePesos, "5412000"),
        (Campo::SueldoMinimo, "600000"),
        (Campo::SueldoMinimoMenor18Mayor65, "447580"),
        (Campo::ApvTopeAnualUf, "600"),
        (Campo::DepositoConvenidoUf, "900"),
        (Campo::AfcEmpleadorIndefinido11, "0.8"),
        (Campo::AfcTrabajadorPlazoFijo, "0"),
        (Campo::AfpPlanVital, "11.16"),
        (Campo::AfpUnoAPagar, "10.56"),
        (Campo::AfpUnoIndependiente, "12.02"),
        (Campo::AporteCuenta, "0.1"),
        (Campo::Sis, "1.56"),
        (Campo::ExpectativaVida, "0.9"),
        (Campo::AsigFam2Hasta, "1000000"),
        (Campo::AsigFam4, "0"),
        (Campo::PesadoTotal, "4"),
        (Campo::CcafDelSiete, "4.2"),
        (Campo::FonasaDelSiete, "2.8"),
    ] {
        assert_eq!(leida.get(campo), Some(d(valor)), "{campo:?}");
    }
    assert_eq!(
        leida.get(Campo::AfpCuprum),
        None,
        "not on the page: absent, not 0"
    );
    assert_eq!(comprobar(&leida, Vecinos::default()), Ok(()));
}

#[test]
fn the_text_of_a_pdf_reads_the_same() {
    let texto = html::textos(PAGINA).join("\n");
    let del_texto = leer(texto.as_bytes(), mes("2027-05")).unwrap();
    let cifras = |mes: &Indicadores| {
        mes.iter()
            .map(|(campo, cifra)| (campo, cifra.valor))
            .collect::<Vec<_>>()
    };
    assert_eq!(cifras(&del_texto), cifras(&leida()));
}

fn fallos(pagina: &str) -> Vec<&'static str> {
    let leida = leer(pagina.as_bytes(), mes("2027-05")).unwrap();
    match comprobar(&leida, Vecinos::default()) {
        Ok(()) => Vec::new(),
        Err(error) => match error.kind() {
            PreviredErrorKind::Implausible(fallos) => {
                fallos.iter().map(|fallo| fallo.prueba.nombre()).collect()
            }
            otro => panic!("{otro:?}"),
        },
    }
}

#[test]
fn a_wrong_cell_fails_its_check_by_name() {
    for (era, es, prueba) in [
        ("$ 840.000", "$ 840.012", "uta_12_utm"),
        ("$ 3.604.000", "$ 3.604.002", "tope_uf_x_uf"),
        ("(90,1 UF)", "(91,0 UF)", "tope_uf_x_uf"),
        ("13,00%", "13,10%", "columnas_afp"),
        ("1,56%", "4,56%", "columnas_afp"),
        ("2,4% R.I.", "2,5% R.I.", "afc"),
        ("$ 447.580", "$ 647.580", "sueldo_minimo"),
        ("$ 15.000", "$ 35.000", "tramos_asignacion"),
        ("<td>4%", "<td>5%", "trabajo_pesado"),
        ("$&nbsp;39.900,50", "$ 36.900,50", "uf_mes_anterior"),
    ] {
        assert!(PAGINA.contains(era), "{era}");
        let fallos = fallos(&PAGINA.replace(era, es));
        assert!(fallos.contains(&prueba), "{es}: {fallos:?}");
    }
    assert_eq!(fallos(PAGINA), Vec::<&str>::new());
}

#[test]
fn a_wrong_page_is_refused() {
    let codigo =
        |pagina: &str, pedido: &str| leer(pagina.as_bytes(), mes(pedido)).unwrap_err().code();
    assert_eq!(codigo(PAGINA, "2027-06"), "other_month");
    assert_eq!(codigo("", "2027-05"), "empty_source");
    assert_eq!(codigo("%PDF-1.7 …", "2027-05"), "source_not_text");
    assert_eq!(
        codigo("<html><body>En mantención</body></html>", "2027-05"),
        "shape_drift"
    );
    // columns swapped: the worker's rate isn't first any more
    let corrida = PAGINA.replace(
        "<td>Capital<td>11,44%<td>0,1%",
        "<td>Capital<td>0,1%<td>11,44%",
    );
    assert_eq!(codigo(&corrida, "2027-05"), "column_shift");
    let otra = PAGINA.replace(
        "<td>2,4% R.I.<td>0,6% R.I.",
        "<td>2,4% R.I.<td>1%<td>0,6% R.I.",
    );
    assert_eq!(codigo(&otra, "2027-05"), "column_shift");
    let dos = PAGINA.replace("<tr><td>Uno", "<tr><td>Capital<td>11,40%</tr><tr><td>Uno");
    assert_eq!(codigo(&dos, "2027-05"), "conflicting_figures");
    let sin_mes = PAGINA
        .replace("Mayo 2027", "Mayo")
        .replace("Abril 2027", "Abril");
    assert_eq!(codigo(&sin_mes, "2027-05"), "source_without_month");
    assert_eq!(
        leer(&vec![b' '; MAX_BYTES + 1], mes("2027-05"))
            .unwrap_err()
            .code(),
        "source_too_large"
    );
}

#[test]
fn json_of_both_years_is_read() {
    let de_2026 = r#"{"PeriodoMY": "052027", "UFValPeriodo": "40000,00", "UTMVal": "70000", "UTAVal": 840000,
        "RTIAfpUF": "90,1", "TasaSIS": "1,56", "AFPUnoTasaDepTrab": "10,46", "AFPUnoTasaDepAPagar": "10,56",
        "OtraCosa": "x"}"#;
    let leida = leer(de_2026.as_bytes(), mes("2027-05")).unwrap();
    assert_eq!(
        (leida.get(Campo::Uf), leida.get(Campo::AfpUno)),
        (Some(d("40000")), Some(d("10.46")))
    );
    assert_eq!(comprobar(&leida, Vecinos::default()), Ok(()));
    let de_2022 = r#"{"PeriodoMY": "072022", "AFPUnoTasaDep": "10,69", "AFPUnoTasaSIS": "1,84", "AFPUnoTasaInd": "12,53",
        "AFPModeloTasaSIS": "1,85", "RTIIpsUF": "60", "UTMVal": "58248"}"#;
    assert_eq!(
        leer(de_2022.as_bytes(), mes("2022-07")).unwrap_err().code(),
        "conflicting_figures"
    );
    for (texto, code) in [
        ("{", "source_not_json"),
        ("[]", "source_not_json"),
        ("{}", "source_without_month"),
        (r#"{"PeriodoMY": "052027", "Uf": "1"}"#, "shape_drift"),
        (
            r#"{"PeriodoMY": "052027", "UTMVal": "setenta mil"}"#,
            "impossible_figure",
        ),
        (
            r#"{"PeriodoMY": "052027", "TasaSIS": "154"}"#,
            "impossible_figure",
        ),
        (r#"{"PeriodoMY": "042027"}"#, "other_month"),
    ] {
        assert_eq!(
            leer(texto.as_bytes(), mes("2027-05")).unwrap_err().code(),
            code,
            "{texto}"
        );
    }
}

#[test]
fn the_built_in_months_pass_their_own_checks() {
    let mut periodo = PRIMER_INTEGRADO;
    while periodo <= ULTIMO_INTEGRADO {
        let (anterior, trasanterior) = (
            integrados(periodo.anterior()),
            integrados(periodo.anterior().anterior()),
        );
        let vecinos = Vecinos {
            anterior: anterior.as_ref(),
            trasanterior: trasanterior.as_ref(),
        };
        assert_eq!(
            comprobar(&integrados(periodo).unwrap(), vecinos),
            Ok(()),
            "{periodo}"
        );
        periodo = periodo.siguiente();
    }
}

#[test]
fn a_utm_that_the_uf_does_not_allow_is_refused() {
    // The UF stood still from 10 March to 9 April 2026: so must the UTM of April.
    let abril = |utm: &str| {
        let texto = format!(
            r#"{{"PeriodoMY": "042026", "UTMVal": "{utm}", "UFValPeriodo": "40120,20", "RTIAfpUF": "90",
            "RTISegCesUF": "135,2", "TasaSIS": "1,54"}}"#
        );
        let leida = leer(texto.as_bytes(), mes("2026-04")).unwrap();
        let (marzo, febrero) = (integrados(mes("2026-03")), integrados(mes("2026-02")));
        let vecinos = Vecinos {
            anterior: marzo.as_ref(),
            trasanterior: febrero.as_ref(),
        };
        comprobar(&leida, vecinos).map_err(|error| error.to_string())
    };
    assert_eq!(abril("69889"), Ok(()));
    assert_eq!(
        abril("70200"),
        Err("read indicators (implausible: utm_contra_uf)".to_owned())
    );
}

#[test]
fn neighbours_of_any_size_do_no_harm() {
    let con = |periodo: &str, uf: &str, utm: &str| {
        let mut indicadores = Indicadores::new(mes(periodo));
        for (campo, valor) in [(Campo::Uf, uf), (Campo::Utm, utm)] {
            let cifra = crate::Cifra {
                valor: d(valor),
                fuente: "prueba".into(),
                confianza: crate::Confianza::Alta,
            };
            assert!(indicadores.poner(campo, cifra));
        }
        indicadores
    };
    let tallas = ["0", "0.0000000001", "1", "1000000000000"];
    for (uf, utm) in tallas.iter().flat_map(|uf| tallas.map(|utm| (*uf, utm))) {
        for (uf_2, utm_2) in tallas.iter().flat_map(|uf| tallas.map(|utm| (*uf, utm))) {
            let (marzo, febrero) = (con("2026-03", uf, utm), con("2026-02", uf_2, utm_2));
            let vecinos = Vecinos {
                anterior: Some(&marzo),
                trasanterior: Some(&febrero),
            };
            let _ = comprobar(&con("2026-04", "40000", "70000"), vecinos);
        }
    }
}

#[test]
fn published_tax_tables_are_compared_to_the_cent() {
    let tabla = r#"{"PeriodoMY": "052027", "TR1Desde": "0", "TR1Hasta": "945000,00", "TR1Factor": "0", "TR1CReb": "0",
        "TR2Desde": "945000,01", "TR2Hasta": "2100000,00", "TR2Factor": "0,04", "TR2CReb": "37800,00"}"#;
    let tablas = leer_tablas(tabla).unwrap();
    assert_eq!(tablas[0].diferencias(d("70000")), Vec::<String>::new());
    assert_eq!(tablas[0].periodo, Some(mes("2027-05")));
    let corrida = leer_tablas(&tabla.replace("37800,00", "37800,01")).unwrap();
    assert_eq!(corrida[0].diferencias(d("70000")).len(), 1);
    assert_eq!(leer_tablas("{}").unwrap_err().code(), "shape_drift");
    assert_eq!(leer_tablas("[{}]").unwrap_err().code(), "shape_drift");
    assert_eq!(leer_tablas("x").unwrap_err().code(), "source_not_json");
}

#[test]
fn a_model_reads_by_schema_and_no_more() {
    let pregunta = extraccion::question(PAGINA.as_bytes(), mes("2027-05"));
    assert!(pregunta.contains("Período pedido: 2027-05") && pregunta.contains("$ 3.604.000"));
    assert_eq!(pregunta.matches('<').count(), 2, "only our own fence");
    assert_eq!(
        extraccion::schema()["properties"]["indicadores"]["items"]["properties"]["nombre"]["enum"]
            .as_array()
            .unwrap()
            .len(),
        Campo::TODOS.len()
    );
    let buena = r#"{"periodo": "2027-05", "indicadores": [{"nombre": "uf", "valor": "40.000,00"}, {"nombre": "utm", "valor": "70.000"}, {"nombre": "uta", "valor": "840.000"}, {"nombre": "sis_pct", "valor": "1,56"}, {"nombre": "afp_uno_pct", "valor": "10,46"}]}"#;
    let leida = extraccion::leer_respuesta(buena, mes("2027-05")).unwrap();
    assert_eq!(leida.get(Campo::Utm), Some(d("70000")));
    for (era, es, code) in [
        ("2027-05", "2027-04", "other_month"),
        ("\"uf\"", "\"ufo\"", "shape_drift"),
        ("\"utm\"", "\"uf\"", "conflicting_figures"),
        ("\"1,56\"", "1.56", "impossible_figure"),
        ("\"1,56\"", "\"156\"", "impossible_figure"),
        ("{\"periodo\"", "{\"x\": 1, \"periodo\"", "source_not_json"),
    ] {
        let error =
            extraccion::leer_respuesta(&buena.replacen(era, es, 1), mes("2027-05")).unwrap_err();
        assert_eq!(error.code(), code, "{es}");
    }
}
