//! Signed documents of made-up companies, written in their canonical form, so that what is
//! signed is known without the crate's own canonical form.

use dte::casos::taller::{Caf, firma_con};
pub use dte::casos::taller::{Llave, archivo, con_espacios, firma, latin1, sii, sii_y_xsi};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What a stamped document says.
pub struct Datos {
    pub folio: u32,
    pub total: u32,
    pub autorizado: &'static str,
    pub lineas: u32,
}

impl Default for Datos {
    fn default() -> Self {
        Self {
            folio: 123,
            total: 17_850,
            autorizado: "2026-10-01",
            lineas: 1,
        }
    }
}

/// The authorisation of folios 100 to 200, signed by the test's tax service.
fn caf(datos: &Datos) -> String {
    let caf = Caf {
        emisor: "76192083-9".to_owned(),
        razon: "FERRETERÍA LOS AROMOS LIMITADA".to_owned(),
        tipo: 33,
        rango: (100, 200),
        autorizado: datos.autorizado.to_owned(),
    };
    caf.xml(&Llave::sii())
}

fn ted(datos: &Datos) -> String {
    let dd = format!(
        "<DD><RE>76192083-9</RE><TD>33</TD><F>{}</F><FE>2026-11-20</FE><RR>77000111-0</RR>\
         <RSR>Compañía Compradora &amp; Hijos</RSR><MNT>{}</MNT><IT1>Cañería de cobre</IT1>{}\
         <TSTED>2026-11-20T10:00:00</TSTED></DD>",
        datos.folio,
        datos.total,
        caf(datos)
    );
    let frmt = Llave::caf().firmar(&latin1(&dd));
    // Between tags there may be anything white.
    let dd = dd.replace("><", ">\n<");
    format!("<TED version=\"1.0\">\n{dd}\n<FRMT algoritmo=\"SHA1withRSA\">{frmt}</FRMT>\n</TED>")
}

/// A stamped body without a namespace, in its canonical form.
pub fn cuerpo(datos: &Datos) -> String {
    let lineas: String = (1..=datos.lineas)
        .map(|linea| {
            format!(
                "<Detalle><NroLinDet>{linea}</NroLinDet><NmbItem>Cañería de cobre</NmbItem>\
                 <QtyItem>10</QtyItem><PrcItem>1500</PrcItem><MontoItem>15000</MontoItem></Detalle>\n"
            )
        })
        .collect();
    format!(
        "<Documento ID=\"F123T33\">\n<Encabezado><IdDoc><TipoDTE>33</TipoDTE><Folio>{}</Folio>\
         <FchEmis>2026-11-20</FchEmis></IdDoc>\n<Emisor><RUTEmisor>76192083-9</RUTEmisor>\
         <RznSoc>Ferretería Los Aromos Limitada</RznSoc></Emisor>\n<Receptor>\
         <RUTRecep>77000111-0</RUTRecep><RznSocRecep>Compañía Compradora &amp; Hijos</RznSocRecep>\
         </Receptor>\n<Totales><MntNeto>15000</MntNeto><TasaIVA>19</TasaIVA><IVA>2850</IVA>\
         <MntTotal>17850</MntTotal></Totales></Encabezado>\n{lineas}{}\n\
         <TmstFirma>2026-11-20T10:00:01</TmstFirma>\n</Documento>",
        datos.folio,
        ted(datos)
    )
}

/// A stamped and signed document, its signature made in these namespaces.
pub fn dte(datos: &Datos, espacios: &str) -> String {
    let cuerpo = cuerpo(datos);
    let firma = firma("F123T33", &con_espacios(&cuerpo, espacios));
    format!("<DTE{} version=\"1.0\">\n{cuerpo}\n{firma}</DTE>", sii())
}

/// A signed envelope with these documents.
pub fn envio(dtes: &[String]) -> String {
    let conjunto = format!(
        "<SetDTE ID=\"Conjunto\">\n<Caratula version=\"1.0\"><RutEmisor>76192083-9</RutEmisor>\
         <RutEnvia>12345678-5</RutEnvia><RutReceptor>60803000-K</RutReceptor>\
         <FchResol>2014-08-22</FchResol><NroResol>80</NroResol>\
         <TmstFirmaEnv>2026-11-20T10:05:00</TmstFirmaEnv><SubTotDTE><TpoDTE>33</TpoDTE>\
         <NroDTE>{}</NroDTE></SubTotDTE></Caratula>\n{}\n</SetDTE>",
        dtes.len(),
        dtes.join("\n")
    );
    // In the canonical form of the set, a document doesn't repeat the set's namespace.
    let canonico = con_espacios(
        &conjunto.replace(&format!("<DTE{}", sii()), "<DTE"),
        &sii_y_xsi(),
    );
    let firma = firma_con(
        &Llave::persona(),
        "Conjunto",
        &canonico,
        &format!(" xmlns:xsi=\"{XSI}\""),
    );
    format!(
        "<EnvioDTE{} version=\"1.0\">\n{conjunto}\n{firma}</EnvioDTE>",
        sii_y_xsi()
    )
}
