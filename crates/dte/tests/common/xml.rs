//! Hand-made documents of made-up companies, as the tax service's XML.

/// A correct factura with two lines.
pub const FACTURA: &str = r##"<?xml version="1.0" encoding="ISO-8859-1"?>
<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0">
  <Documento ID="F123T33">
    <Encabezado>
      <IdDoc>
        <TipoDTE>33</TipoDTE><Folio>123</Folio><FchEmis>2026-11-20</FchEmis><FmaPago>2</FmaPago>
      </IdDoc>
      <Emisor>
        <RUTEmisor>76192083-9</RUTEmisor><RznSoc>Ferreter&#237;a Los Aromos &amp; C&#xED;a</RznSoc>
        <GiroEmis>Venta de materiales</GiroEmis><Acteco>475201</Acteco>
        <DirOrigen>Calle Uno 123</DirOrigen><CmnaOrigen>Talca</CmnaOrigen>
      </Emisor>
      <Receptor>
        <RUTRecep>60803000-K</RUTRecep><RznSocRecep>Comprador S.A.</RznSocRecep>
        <GiroRecep>Servicios</GiroRecep><DirRecep>Calle Dos 45</DirRecep><CmnaRecep>Curico</CmnaRecep>
      </Receptor>
      <Totales>
        <MntNeto>15000</MntNeto><TasaIVA>19</TasaIVA><IVA>2850</IVA><MntTotal>17850</MntTotal>
      </Totales>
    </Encabezado>
    <Detalle>
      <NroLinDet>1</NroLinDet><NmbItem><![CDATA[Tornillos < 3"]]></NmbItem>
      <QtyItem>10</QtyItem><PrcItem>1000</PrcItem><MontoItem>10000</MontoItem>
    </Detalle>
    <Detalle>
      <NroLinDet>2</NroLinDet><NmbItem>Cemento</NmbItem>
      <QtyItem>1.5</QtyItem><PrcItem>3333</PrcItem><MontoItem>5000</MontoItem>
    </Detalle>
    <Referencia>
      <NroLinRef>1</NroLinRef><TpoDocRef>801</TpoDocRef><FolioRef>OC-77</FolioRef><FchRef>2026-11-02</FchRef>
    </Referencia>
    <TED version="1.0"><DD><RE>76192083-9</RE></DD></TED>
    <TmstFirma>2026-11-20T10:00:00</TmstFirma>
  </Documento>
</DTE>
"##;

/// The correct factura's `<DTE>` without the declaration.
pub fn dte() -> &'static str {
    FACTURA
        .split_once("?>")
        .map_or(FACTURA, |(_, dte)| dte.trim())
}

/// An envelope with `n` documents.
pub fn envio(n: usize) -> String {
    let mut xml = String::from(
        "<EnvioDTE><SetDTE ID=\"S\"><Caratula version=\"1.0\"><RutEmisor>76192083-9</RutEmisor>\
         <SubTotDTE><TpoDTE>33</TpoDTE><NroDTE>2</NroDTE></SubTotDTE></Caratula>",
    );
    for _ in 0..n {
        xml.push_str(dte());
    }
    xml.push_str("</SetDTE></EnvioDTE>");
    xml
}
