//! Lines as real systems write them.

use super::*;

fn linea(codigo: &str, nombre: &str, categoria: &str) -> Linea {
    let texto = |texto: &str| (!texto.is_empty()).then(|| texto.to_owned());
    Linea {
        codigo: texto(codigo),
        nombre: texto(nombre),
        categoria: texto(categoria),
        ..Linea::default()
    }
}

#[test]
fn lines_are_told_as_real_systems_write_them() {
    use Concepto as C;
    for (codigo, nombre, categoria, concepto) in [
        ("BASIC", "", "BASIC", C::SueldoBase),
        ("SUELDO", "Sueldo Base", "", C::SueldoBase),
        ("", "Sueldo base mensual", "", C::SueldoBase),
        ("GRAT", "", "", C::Gratificacion),
        ("", "Gratificación Legal Art. 50", "", C::Gratificacion),
        ("HEX50", "Horas extra 50%", "", C::HorasExtra),
        ("", "Sobretiempo", "", C::HorasExtra),
        ("COMI", "Comisiones de venta", "IMPONIBLE", C::OtroImponible),
        ("", "Bono de responsabilidad", "", C::OtroImponible),
        ("", "Aguinaldo Fiestas Patrias", "", C::OtroImponible),
        ("COL", "Colación", "NOIMPO", C::Colacion),
        ("", "Bono de colación", "", C::Colacion),
        ("MOV", "Movilización", "", C::Movilizacion),
        ("ASIGFAM", "", "", C::AsignacionFamiliar),
        ("", "Cargas Familiares", "", C::AsignacionFamiliar),
        ("", "Viáticos", "", C::OtroNoImponible),
        (
            "",
            "Indemnización por años de servicio",
            "",
            C::OtroNoImponible,
        ),
        ("AFP", "AFP Provida", "DED", C::Afp),
        ("PREV", "Previsión", "", C::Afp),
        ("", "A.F.P. Habitat 11,27%", "", C::Afp),
        ("", "Cotización obligatoria AFP", "", C::Afp),
        ("SALUD", "Salud", "DED", C::Salud),
        ("", "Fonasa 7%", "", C::Salud),
        ("", "Isapre Banmédica", "", C::Salud),
        ("", "Cruz Blanca", "", C::Salud),
        ("ADISA", "Adicional Isapre", "", C::SaludAdicional),
        ("", "Diferencia plan Isapre", "", C::SaludAdicional),
        ("AFC", "Seguro de Cesantía", "DED", C::Afc),
        ("", "Seguro Desempleo", "", C::Afc),
        ("SECE", "", "", C::Afc),
        ("AFC", "Seguro Cesantía Empleador", "COMP", C::AfcEmpleador),
        ("SECEEMP", "", "", C::AfcEmpleador),
        ("IMPUNI", "Impuesto Único", "", C::Impuesto),
        ("IUT", "", "", C::Impuesto),
        ("", "Impuesto a la renta 2da categoría", "", C::Impuesto),
        ("APV", "APV régimen B", "", C::Apv),
        ("", "Cuenta 2 AFP Modelo", "", C::AhorroVoluntario),
        ("", "Anticipo de sueldo", "", C::Anticipo),
        ("", "Pensión de alimentos", "", C::RetencionJudicial),
        ("", "Cuota sindical", "", C::CuotaSindical),
        ("", "Crédito Caja Los Andes", "", C::CreditoCcaf),
        ("", "Préstamo empresa", "", C::OtroDescuento),
        ("", "Seguro complementario de salud", "", C::OtroDescuento),
        ("SIS", "Seguro de invalidez y sobrevivencia", "COMP", C::Sis),
        ("MUT", "Mutual de Seguridad", "", C::Accidentes),
        (
            "",
            "Aporte empleador cuenta individual AFP 0,1%",
            "",
            C::AporteCuenta,
        ),
        (
            "",
            "Seguro social expectativa de vida",
            "COMP",
            C::SeguroSocial,
        ),
        (
            "",
            "Cotización con rentabilidad protegida",
            "",
            C::RentabilidadProtegida,
        ),
        ("", "Bono empresa", "", C::OtroImponible),
        ("", "Salud empleador", "", C::OtroAporte),
        ("BONO", "Bono", "COMP", C::OtroAporte),
        ("GROSS", "", "GROSS", C::TotalHaberes),
        ("TOTIM", "Total Imponible", "", C::TotalImponible),
        ("", "Total No Imponible", "", C::Informativo),
        ("NET", "Net Salary", "NET", C::Liquido),
        ("LIQ", "Líquido a pagar", "", C::Liquido),
        ("", "Total descuentos legales", "", C::Informativo),
        ("", "Total Descuentos", "", C::TotalDescuentos),
        ("", "Descuento por inasistencia", "", C::Inasistencia),
        ("CAJACOMP", "Caja de compensación 0,6%", "", C::Salud),
        ("", "Trabajo pesado trabajador 2%", "", C::TrabajoPesado),
    ] {
        let reconocida = reconocer(&linea(codigo, nombre, categoria));
        assert_eq!(
            reconocida.concepto,
            Some(concepto),
            "{codigo} {nombre} {categoria}"
        );
        assert_eq!(reconocida.certeza, Certeza::Reconocida, "{codigo} {nombre}");
    }
}

#[test]
fn a_category_tells_the_side_and_nothing_tells_nothing() {
    let lado = |categoria: &str| reconocer(&linea("X1", "Zeta", categoria));
    assert_eq!(lado("ALW").concepto, Some(Concepto::OtroImponible));
    assert_eq!(
        lado("NO IMPONIBLE").concepto,
        Some(Concepto::OtroNoImponible)
    );
    assert_eq!(lado("DED").concepto, Some(Concepto::OtroDescuento));
    assert_eq!(lado("COMP").concepto, Some(Concepto::OtroAporte));
    assert_eq!(lado("DED").certeza, Certeza::PorCategoria);
    assert_eq!(lado("").concepto, None);
    assert_eq!(lado("").certeza, Certeza::Desconocida);
}

#[test]
fn parts_of_the_payslip_keep_lines_on_their_side() {
    let en = |nombre: &str, seccion| {
        let linea = Linea {
            seccion: Some(seccion),
            ..linea("", nombre, "")
        };
        reconocer(&linea).concepto
    };
    assert_eq!(
        en("AFP Provida", Seccion::DescuentoLegal),
        Some(Concepto::Afp)
    );
    assert_eq!(
        en("Bono navidad entregado", Seccion::OtroDescuento),
        Some(Concepto::OtroDescuento)
    );
    assert_eq!(
        en("Devolución AFP", Seccion::NoImponible),
        Some(Concepto::OtroNoImponible)
    );
    assert_eq!(
        en("Zeta", Seccion::Imponible),
        Some(Concepto::OtroImponible)
    );
}

#[test]
fn funds_and_insurances_are_named() {
    let reconocida = reconocer(&linea("AFP_MODELO", "", "DED"));
    assert_eq!(
        (reconocida.concepto, reconocida.afp),
        (Some(Concepto::Afp), Some(Afp::Modelo))
    );
    assert_eq!(
        reconocer(&linea("", "Isapre Colmena", "")).isapre,
        Some(true)
    );
    assert_eq!(reconocer(&linea("", "Fonasa", "")).isapre, Some(false));
}
