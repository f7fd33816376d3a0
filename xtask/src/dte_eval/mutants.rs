//! The classes of defects, and how each is made: a correct document in, a wrong one out.
//!
//! A new class is a line in [`CLASSES`] and a function from a [`Subject`] to the mutant, or
//! `None` where the document has nothing that could be wrong in this way.

mod amounts;
mod form;
mod more;
mod references;

use crate::random::Random;

/// A correct document.
pub struct Subject<'a> {
    /// Its body as XML.
    pub body: &'a str,
    /// Its type's code.
    pub kind: u16,
}

impl Subject<'_> {
    fn is(&self, kinds: &[u16]) -> bool {
        kinds.contains(&self.kind)
    }

    fn is_note(&self) -> bool {
        self.is(&[56, 61, 111, 112])
    }

    fn is_ticket(&self) -> bool {
        self.is(&[39, 41])
    }

    fn is_export(&self) -> bool {
        self.is(&[110, 111, 112])
    }
}

type Mutate = fn(&Subject<'_>, &mut Random) -> Option<String>;

/// What the rules are told besides the mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge {
    /// Nothing.
    None,
    /// That the correct document was issued before.
    Itself,
    /// What the note annuls, with another total.
    OtherOriginal,
}

/// A class of defects.
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// What the rules are told.
    pub knowledge: Knowledge,
    /// Starts of the codes that count as found; any new finding where empty.
    pub codes: &'static [&'static str],
    /// Makes a mutant.
    pub mutate: Mutate,
}

const fn any(name: &'static str, mutate: Mutate) -> Class {
    coded(name, &[], mutate)
}

const fn coded(name: &'static str, codes: &'static [&'static str], mutate: Mutate) -> Class {
    Class {
        name,
        knowledge: Knowledge::None,
        codes,
        mutate,
    }
}

/// Every class.
pub const CLASSES: &[Class] = &[
    coded("rut-emisor-dv", &["DTE-RUT-EMISOR"], form::issuer_digit),
    coded(
        "rut-receptor-dv",
        &["DTE-RUT-RECEPTOR"],
        form::receiver_digit,
    ),
    coded("rut-con-puntos", &["DTE-RUT-"], form::dots),
    coded("rut-sin-guion", &["DTE-RUT-"], form::no_hyphen),
    any("rut-receptor-ausente", form::no_receiver),
    any("razon-social-larga", form::long_name),
    any("linea-nombre-largo", form::long_item),
    any("caracter-fuera-de-latin1", form::arrow),
    any("linea-sin-nombre", form::no_item_name),
    any("linea-numero-repetido", form::repeated_number),
    any("lineas-61", form::too_many_lines),
    any("traslado-ausente", form::no_reason),
    any("traslado-desconocido", form::unknown_reason),
    any("tipo-33-34", form::swapped_type),
    coded("tipo-desconocido", &["DTE-TIPO-"], form::unknown_type),
    coded("folio-cero", &["DTE-FOLIO-"], form::folio_zero),
    coded("folio-ausente", &["DTE-FOLIO-"], form::no_folio),
    coded("folio-largo", &["DTE-FOLIO-"], form::long_folio),
    coded("fecha-futura", &["DTE-FECHA-FUTURA"], form::future),
    coded("fecha-antigua", &["DTE-FECHA-ANTIGUA"], form::past),
    any("fecha-malformada", form::malformed_date),
    any("fecha-inexistente", form::no_such_day),
    coded("vencimiento-antes", &["DTE-FECHA-"], form::due_before),
    any("elemento-repetido", form::twice),
    any("elemento-desconocido", form::unknown_element),
    coded(
        "iva-1",
        &["DTE-IVA-", "DTE-TOTAL-", "DTE-BOLETA-"],
        amounts::vat_by_1,
    ),
    coded("iva-100", &["DTE-IVA-", "DTE-TOTAL-"], amounts::vat_by_100),
    any("iva-ausente", amounts::no_vat),
    any("total-1", amounts::total_by_1),
    any("total-100", amounts::total_by_100),
    any("total-ausente", amounts::no_total),
    any("total-negativo", amounts::negative_total),
    any("total-con-decimales", amounts::decimals),
    any("total-con-coma", amounts::comma),
    any("neto-1000", amounts::net),
    any("exento-1000", amounts::exempt),
    any("linea-monto-1000", amounts::line),
    any("linea-sin-monto", amounts::no_line_amount),
    any("cantidad-cambiada", amounts::quantity),
    any("precio-cambiado", amounts::price),
    any("descuento-de-linea-fuera", amounts::no_line_discount),
    any("descuento-global-fuera", amounts::no_global),
    any("linea-afecta-como-exenta", amounts::exempt_line),
    any("exenta-con-iva", amounts::vat_in_exempt),
    coded("tasa-iva", &["DTE-IVA-TASA"], amounts::vat_rate),
    coded(
        "tasa-iva-fraccion",
        &["DTE-IVA-TASA"],
        amounts::vat_fraction,
    ),
    any("precios-brutos", amounts::gross),
    coded(
        "impuesto-desconocido",
        &["DTE-IMPUESTO-"],
        amounts::unknown_tax,
    ),
    coded("impuesto-tasa", &["DTE-IMPUESTO-TASA"], amounts::tax_rate),
    any("retencion-cambiada", amounts::withheld),
    any("moneda-ausente", amounts::no_currency),
    any("otra-moneda-ausente", amounts::no_pesos),
    any("tipo-de-cambio", amounts::exchange_rate),
    coded("referencia-ausente", &["DTE-REF-"], references::none),
    coded("codref-ausente", &["DTE-REF-"], references::no_code),
    coded(
        "codref-desconocido",
        &["DTE-REF-"],
        references::unknown_code,
    ),
    coded(
        "codref-2-con-montos",
        &["DTE-REF-"],
        references::text_with_amounts,
    ),
    coded(
        "codref-3-en-cero",
        &["DTE-REF-"],
        references::amounts_at_zero,
    ),
    coded("nota-sobre-guia", &["DTE-REF-"], references::over_guide),
    coded("nota-sobre-orden", &["DTE-REF-"], references::over_order),
    coded("referencia-propia", &["DTE-REF-"], references::itself),
    coded("referencia-sin-folio", &["DTE-REF-"], references::no_folio),
    coded("referencia-futura", &["DTE-REF-"], references::future),
    coded("referencia-tipo", &["DTE-REF-"], references::unknown_type),
    coded("referencias-41", &["DTE-REF-"], references::too_many),
    any("giro-ausente", more::no_business),
    any("comuna-ausente", more::no_district),
    any("direccion-ausente", more::no_address),
    any("razon-social-ausente", more::no_issuer_name),
    any("acteco-ausente", more::no_activity),
    coded("fecha-ausente", &["DTE-FECHA-AUSENTE"], more::no_date),
    any("totales-ausentes", more::no_totals),
    coded("lineas-ausentes", &["DTE-LINEAS-AUSENTES"], more::no_lines),
    coded("rut-emisor-vacio", &["DTE-RUT-EMISOR"], more::empty_issuer),
    any("nombre-de-linea-vacio", more::empty_item),
    coded(
        "codificado-dos-veces",
        &["DTE-CARACTER-DOS-VECES"],
        more::encoded_twice,
    ),
    coded(
        "caracter-de-control",
        &["DTE-CARACTER-CONTROL"],
        more::control,
    ),
    coded("giro-largo", &["DTE-CAMPO-LARGO"], more::long_business),
    coded("unidad-larga", &["DTE-CAMPO-LARGO"], more::long_unit),
    coded(
        "codigo-de-item-largo",
        &["DTE-CAMPO-LARGO"],
        more::long_code,
    ),
    any("precio-negativo", more::negative_price),
    any("cantidad-negativa", more::negative_quantity),
    any("iva-negativo", more::negative_vat),
    any("cantidad-7-decimales", more::seven_decimals),
    any("total-con-puntos-de-miles", more::thousands),
    coded(
        "linea-no-empieza-en-1",
        &["DTE-LINEA-NUMERO"],
        more::not_from_one,
    ),
    coded("periodo-invertido", &["DTE-FECHA-PERIODO"], more::backwards),
    coded(
        "periodo-sin-fin",
        &["DTE-FECHA-PERIODO"],
        more::half_a_period,
    ),
    coded("forma-de-pago", &["DTE-CAMPO-VALOR"], more::payment),
    any("medio-de-pago", more::means_of_payment),
    coded("tipo-de-venta", &["DTE-CAMPO-VALOR"], more::kind_of_sale),
    coded("tipo-de-despacho", &["DTE-CAMPO-"], more::kind_of_dispatch),
    any("indicador-de-exencion", more::exemption),
    any("boleta-sin-servicio", more::ticket_service),
    coded("iva-sin-tasa", &["DTE-IVA-TASA"], more::no_rate),
    any("descuento-como-recargo", more::global_direction),
    any("descuento-global-valor", more::global_value),
    coded("retencion-tasa", &["DTE-IMPUESTO-"], more::withholding_rate),
    coded(
        "iva-no-retenido",
        &["DTE-IVA-NO-RETENIDO"],
        more::not_withheld,
    ),
    coded("retencion-sumada", &["DTE-TOTAL-"], more::withholding_added),
    coded("comision-cambiada", &["DTE-COMISIONES-"], more::commission),
    any("liquidacion-sin-tipo", more::no_liquidated_type),
    any("moneda-desconocida", more::unknown_currency),
    coded(
        "sin-tipo-de-cambio",
        &["DTE-OTRA-MONEDA-"],
        more::no_exchange,
    ),
    coded(
        "bultos-descuadrados",
        &["DTE-EXPORTACION-BULTOS"],
        more::packages,
    ),
    coded(
        "exportacion-receptor-chileno",
        &["DTE-RUT-RECEPTOR"],
        more::national_receiver,
    ),
    coded(
        "guia-exportacion-incompleta",
        &["DTE-GUIA-EXPORTACION"],
        more::export_guide,
    ),
    coded("guia-venta-en-cero", &["DTE-GUIA-"], more::free_sale),
    coded(
        "referencia-posterior",
        &["DTE-REF-FECHA"],
        more::later_reference,
    ),
    coded("referencia-folio-cero", &["DTE-REF-"], more::reference_zero),
    coded(
        "referencia-numero-repetido",
        &["DTE-REF-NUMERO"],
        more::reference_number,
    ),
    coded(
        "referencia-folio-en-letras",
        &["DTE-REF-FOLIO"],
        more::folio_in_letters,
    ),
    Class {
        name: "folio-repetido",
        knowledge: Knowledge::Itself,
        codes: &["DTE-FOLIO-REPETIDO"],
        mutate: |subject, _| Some(subject.body.to_owned()),
    },
    Class {
        name: "anula-otro-total",
        knowledge: Knowledge::OtherOriginal,
        codes: &["DTE-REF-ANULA-MONTO"],
        mutate: references::annulment,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A note with everything that a class may want to change.
    const NOTE: &str = "<Documento ID=\"a\"><Encabezado><IdDoc><TipoDTE>61</TipoDTE><Folio>9</Folio>\
        <FchEmis>2026-11-20</FchEmis></IdDoc><Emisor><RUTEmisor>76192083-9</RUTEmisor>\
        <RznSoc>Uno</RznSoc></Emisor><Receptor><RUTRecep>60803000-K</RUTRecep></Receptor>\
        <Totales><MntNeto>1000</MntNeto><MntExe>10</MntExe><TasaIVA>19</TasaIVA><IVA>190</IVA>\
        <MntTotal>1200</MntTotal></Totales></Encabezado><Detalle><NroLinDet>1</NroLinDet>\
        <NmbItem>Perno</NmbItem><QtyItem>1</QtyItem><PrcItem>1000</PrcItem><MontoItem>1000</MontoItem>\
        </Detalle><Detalle><NroLinDet>2</NroLinDet><IndExe>1</IndExe><NmbItem>Libro</NmbItem>\
        <QtyItem>1</QtyItem><PrcItem>10</PrcItem><MontoItem>10</MontoItem></Detalle><Referencia>\
        <NroLinRef>1</NroLinRef><TpoDocRef>33</TpoDocRef><FolioRef>5</FolioRef>\
        <FchRef>2026-11-02</FchRef><CodRef>1</CodRef></Referencia></Documento>";

    #[test]
    fn there_are_enough_classes_and_each_has_its_name() {
        assert!(CLASSES.len() >= 30);
        for (index, class) in CLASSES.iter().enumerate() {
            let first = CLASSES.iter().position(|other| other.name == class.name);
            assert_eq!(first, Some(index), "{}", class.name);
        }
    }

    #[test]
    fn mutants_differ_and_the_same_seed_makes_the_same() {
        let subject = Subject {
            body: NOTE,
            kind: 61,
        };
        let make = |class: &Class| (class.mutate)(&subject, &mut Random::new(7, class.name));
        let mut made = 0;
        for class in CLASSES {
            let mutant = make(class);
            assert_eq!(mutant, make(class), "{}", class.name);
            let Some(mutant) = mutant else { continue };
            made += 1;
            let same = mutant == NOTE;
            assert_eq!(same, class.knowledge != Knowledge::None, "{}", class.name);
        }
        assert!(made >= 45, "only {made}");
    }

    #[test]
    fn a_document_without_the_thing_has_no_mutant() {
        let subject = Subject {
            body: "<Documento></Documento>",
            kind: 33,
        };
        for class in CLASSES {
            let mutant = (class.mutate)(&subject, &mut Random::new(7, class.name));
            let may = class.knowledge == Knowledge::Itself;
            assert_eq!(mutant.is_some(), may, "{}", class.name);
        }
    }
}
