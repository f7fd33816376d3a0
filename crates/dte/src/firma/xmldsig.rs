//! One XML signature (XML-DSig) as the tax service's documents have it: one reference to an
//! element beside it, canonical XML 1.0, SHA-1 or SHA-256 with RSA, key and certificate inside.
//!
//! Source: xmldsignature_v10.xsd; <http://www.w3.org/TR/2002/REC-xmldsig-core-20020212>.

use base64::Engine as _;

use super::arbol::{Arbol, Id};
use super::canonico::{Ambito, Blancos, Pedido, canonizar, heredado, poner};
use super::llave::{Abierta, LlavePublica, Resumen, desde_base64};
use super::resultado::{ContextoFirma, Firma, MotivoFirma};
use super::x509::Certificado;

const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const ENVUELTA: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const SII: &str = "http://www.sii.cl/SiiDte";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A file under examination, and how much work may still be spent on it.
#[derive(Debug)]
pub(super) struct Taller<'a, 't> {
    pub arbol: &'a Arbol<'t>,
    /// The same file, decoded by the letter of its declaration, where that differs.
    pub literal: Option<&'a Arbol<'t>>,
    /// Bytes that may still be canonicalised.
    pub presupuesto: usize,
    bytes: Vec<u8>,
}

/// What an examination found.
#[derive(Debug)]
pub(super) struct Examen {
    pub fallas: Vec<MotivoFirma>,
    pub contexto: ContextoFirma,
    pub certificado: Option<Certificado>,
    /// The digest in the signature and that of the content, in base64.
    pub resumenes: Option<(String, String)>,
}

impl Examen {
    pub fn estado(&self) -> Firma {
        match self.fallas.first() {
            Some(motivo) => Firma::Fallida(*motivo),
            None => Firma::Verificada(self.contexto),
        }
    }
}

/// The parts of a signature.
struct Partes {
    firma: Id,
    info: Id,
    resumen_info: Resumen,
    valor: Vec<u8>,
    uri: String,
    envuelta: bool,
    resumen: Resumen,
    declarado: Vec<u8>,
}

impl<'a, 't> Taller<'a, 't> {
    pub fn nuevo(arbol: &'a Arbol<'t>, literal: Option<&'a Arbol<'t>>) -> Self {
        let presupuesto = arbol.texto.len().saturating_mul(24).saturating_add(1 << 20);
        Self {
            arbol,
            literal,
            presupuesto,
            bytes: Vec::new(),
        }
    }

    /// Examines the signature `firma`, which must be over `firmado`.
    pub fn examinar(&mut self, firma: Id, firmado: Id) -> Examen {
        let mut examen = Examen {
            fallas: Vec::new(),
            contexto: ContextoFirma::Suelto,
            certificado: None,
            resumenes: None,
        };
        match partes(self.arbol, firma) {
            Ok(partes) => {
                self.referencia(&partes, firmado, &mut examen);
                self.valor(&partes, &mut examen);
            }
            Err(motivo) => examen.fallas.push(motivo),
        }
        examen
    }

    fn referencia(&mut self, partes: &Partes, firmado: Id, examen: &mut Examen) {
        let padre = self.arbol.elemento(partes.firma).padre;
        let apice = match partes.uri.strip_prefix('#') {
            Some(id) if self.arbol.atributo(firmado, "ID") == Some(id) => firmado,
            None if partes.uri.is_empty() && partes.envuelta && padre == Some(0) => 0,
            _ => {
                examen.fallas.push(MotivoFirma::Referencia);
                return;
            }
        };
        let sin = partes.envuelta.then_some(partes.firma);
        let ambitos = ambitos(self.arbol, apice);
        match self.buscar(partes, apice, sin, &ambitos) {
            Hallazgo::En(contexto) => examen.contexto = contexto,
            Hallazgo::Blancos => examen.fallas.push(MotivoFirma::Espacios),
            Hallazgo::Agotado => examen.fallas.push(MotivoFirma::Trabajo),
            Hallazgo::Nada(propio) => {
                examen.fallas.push(MotivoFirma::Contenido);
                let base64 = |bytes| base64::engine::general_purpose::STANDARD.encode(bytes);
                examen.resumenes = Some((base64(&partes.declarado), base64(&propio)));
            }
        }
    }

    /// In which namespaces, encoding and white space the content has the declared digest.
    fn buscar(
        &mut self,
        partes: &Partes,
        apice: Id,
        sin: Option<Id>,
        ambitos: &[(ContextoFirma, Ambito<'a>)],
    ) -> Hallazgo {
        let mut propio = Vec::new();
        for blancos in [Blancos::Exactos, Blancos::Crlf, Blancos::Sin] {
            for (contexto, ambito) in ambitos {
                let pedido = Pedido {
                    apice,
                    heredado: ambito,
                    sin,
                    blancos,
                };
                if !self.canonico(self.arbol, &pedido) {
                    return Hallazgo::Agotado;
                }
                let resumen = partes.resumen.de(&self.bytes);
                if resumen == partes.declarado {
                    return match blancos {
                        Blancos::Exactos => Hallazgo::En(*contexto),
                        Blancos::Sin | Blancos::Crlf => Hallazgo::Blancos,
                    };
                }
                if propio.is_empty() {
                    propio = resumen;
                }
                if let Some(literal) = self.literal
                    && blancos == Blancos::Exactos
                {
                    if !self.canonico(literal, &pedido) {
                        return Hallazgo::Agotado;
                    }
                    if partes.resumen.de(&self.bytes) == partes.declarado {
                        return Hallazgo::En(ContextoFirma::OtraCodificacion);
                    }
                }
            }
        }
        Hallazgo::Nada(propio)
    }

    /// Fills `self.bytes`; false where the budget is spent.
    fn canonico<'x>(&mut self, arbol: &'x Arbol<'_>, pedido: &Pedido<'_, 'x>) -> bool {
        let (desde, hasta) = arbol.elemento(pedido.apice).fuente;
        let costo = hasta.saturating_sub(desde).saturating_add(64);
        let Some(resto) = self.presupuesto.checked_sub(costo) else {
            return false;
        };
        self.presupuesto = resto;
        self.bytes.clear();
        canonizar(arbol, pedido, &mut self.bytes);
        true
    }

    fn valor(&mut self, partes: &Partes, examen: &mut Examen) {
        let (llave, certificado) = self.llaves(partes.firma, examen);
        let Some(usada) = llave.as_ref().or(certificado.as_ref()) else {
            if !examen.fallas.contains(&MotivoFirma::Certificado) {
                examen.fallas.push(MotivoFirma::Estructura);
            }
            return;
        };
        let ambitos = ambitos_info(self.arbol, partes);
        let abierta = usada.abrir(&partes.valor);
        let mut encontrado = None;
        'todos: for blancos in [Blancos::Exactos, Blancos::Crlf, Blancos::Sin] {
            for (contexto, ambito) in &ambitos {
                let pedido = Pedido {
                    apice: partes.info,
                    heredado: ambito,
                    sin: None,
                    blancos,
                };
                if !self.canonico(self.arbol, &pedido) {
                    examen.fallas.push(MotivoFirma::Trabajo);
                    return;
                }
                let suya = |abierta: &Abierta| abierta.es_de(partes.resumen_info, &self.bytes);
                if abierta.as_ref().is_some_and(suya) {
                    encontrado = Some((blancos, *contexto));
                    break 'todos;
                }
            }
        }
        match encontrado {
            Some((Blancos::Exactos, contexto)) => examen.contexto = examen.contexto.max(contexto),
            Some(_) => examen.fallas.push(MotivoFirma::Espacios),
            None => examen.fallas.push(MotivoFirma::Valor),
        }
        if let (Some(llave), Some(certificado)) = (&llave, &certificado)
            && llave != certificado
        {
            examen.fallas.push(MotivoFirma::Llave);
        }
    }

    /// The key in `KeyValue`, and that of the certificate.
    fn llaves(
        &self,
        firma: Id,
        examen: &mut Examen,
    ) -> (Option<LlavePublica>, Option<LlavePublica>) {
        let arbol = self.arbol;
        let Some(info) = arbol.hijo(firma, "KeyInfo") else {
            return (None, None);
        };
        let llave = arbol
            .bajo(info, &["KeyValue", "RSAKeyValue"])
            .and_then(|rsa| {
                let (modulo, exponente) = (
                    arbol.campo(rsa, &["Modulus"])?,
                    arbol.campo(rsa, &["Exponent"])?,
                );
                LlavePublica::desde_partes(&modulo, &exponente)
            });
        let certificado = arbol.bajo(info, &["X509Data", "X509Certificate"]);
        let leido = certificado
            .and_then(|id| desde_base64(&arbol.texto_de(id)))
            .and_then(|der| Certificado::leer(&der));
        if certificado.is_some() && leido.is_none() {
            examen.fallas.push(MotivoFirma::Certificado);
        }
        let suya = leido.as_ref().and_then(|leido| leido.llave.clone());
        examen.certificado = leido;
        (llave, suya)
    }
}

enum Hallazgo {
    En(ContextoFirma),
    Blancos,
    Agotado,
    /// Nowhere; the digest that the content has.
    Nada(Vec<u8>),
}

/// The namespaces in which a signed element may have been canonicalised, the right ones first.
fn ambitos<'a>(arbol: &'a Arbol<'_>, apice: Id) -> Vec<(ContextoFirma, Ambito<'a>)> {
    let todo = heredado(arbol, apice, None);
    let padre = arbol.elemento(apice).padre;
    let mut suelto = heredado(arbol, apice, padre);
    let defecto = todo.iter().find(|(prefijo, _)| prefijo.is_empty());
    if let Some((_, nombre)) = defecto
        && !suelto.iter().any(|(prefijo, _)| prefijo.is_empty())
    {
        poner(&mut suelto, "", nombre);
        suelto.sort_unstable();
    }
    let mut lista = vec![
        (ContextoFirma::Suelto, suelto),
        (ContextoFirma::Sobre, todo),
    ];
    for ajeno in [
        vec![("", SII)],
        vec![("", SII), ("xsi", XSI)],
        Vec::new(),
        vec![("xsi", XSI)],
    ] {
        lista.push((ContextoFirma::Ajeno, ajeno));
    }
    distintos(lista)
}

/// The same for `SignedInfo`, which stands inside `Signature`.
fn ambitos_info<'a>(arbol: &'a Arbol<'_>, partes: &Partes) -> Vec<(ContextoFirma, Ambito<'a>)> {
    let padre = arbol.elemento(partes.firma).padre;
    let todo = heredado(arbol, partes.info, None);
    let suelto = heredado(arbol, partes.info, padre);
    let propio = heredado(arbol, partes.info, Some(partes.firma));
    let mut con_xsi = propio.clone();
    poner(&mut con_xsi, "xsi", XSI);
    distintos(vec![
        (ContextoFirma::Suelto, suelto),
        (ContextoFirma::Sobre, todo),
        (ContextoFirma::Ajeno, propio),
        (ContextoFirma::Ajeno, con_xsi),
    ])
}

fn distintos(lista: Vec<(ContextoFirma, Ambito<'_>)>) -> Vec<(ContextoFirma, Ambito<'_>)> {
    let mut unicos: Vec<(ContextoFirma, Ambito<'_>)> = Vec::new();
    for (contexto, ambito) in lista {
        if !unicos.iter().any(|(_, otro)| *otro == ambito) {
            unicos.push((contexto, ambito));
        }
    }
    unicos
}

fn partes(arbol: &Arbol<'_>, firma: Id) -> Result<Partes, MotivoFirma> {
    let falta = || MotivoFirma::Estructura;
    let info = arbol.hijo(firma, "SignedInfo").ok_or_else(falta)?;
    let mut referencias = arbol
        .hijos(info)
        .filter(|hijo| arbol.elemento(*hijo).local() == "Reference");
    let referencia = referencias.next().ok_or_else(falta)?;
    if referencias.next().is_some() {
        return Err(MotivoFirma::Estructura);
    }
    let binario = |id, nombre: &str| arbol.campo(id, &[nombre]).and_then(|t| desde_base64(&t));
    let valor = binario(firma, "SignatureValue").ok_or_else(falta)?;
    let declarado = binario(referencia, "DigestValue").ok_or_else(falta)?;
    let resumen_info = algoritmo(arbol, info, "SignatureMethod").and_then(Resumen::desde_uri);
    let resumen = algoritmo(arbol, referencia, "DigestMethod").and_then(Resumen::desde_uri);
    let canonica = algoritmo(arbol, info, "CanonicalizationMethod") == Some(C14N);
    let envuelta = transformaciones(arbol, referencia).ok_or(MotivoFirma::Algoritmo)?;
    match (resumen_info, resumen, canonica) {
        (Some(resumen_info), Some(resumen), true) => Ok(Partes {
            firma,
            info,
            resumen_info,
            valor,
            uri: arbol
                .atributo(referencia, "URI")
                .unwrap_or_default()
                .to_owned(),
            envuelta,
            resumen,
            declarado,
        }),
        _ => Err(MotivoFirma::Algoritmo),
    }
}

fn algoritmo<'a>(arbol: &'a Arbol<'_>, id: Id, nombre: &str) -> Option<&'a str> {
    arbol.atributo(arbol.hijo(id, nombre)?, "Algorithm")
}

/// Whether the signature takes itself out of what it signs; `None` for a transformation that
/// isn't known.
fn transformaciones(arbol: &Arbol<'_>, referencia: Id) -> Option<bool> {
    let mut envuelta = false;
    if let Some(lista) = arbol.hijo(referencia, "Transforms") {
        for transformacion in arbol.hijos(lista) {
            if arbol.elemento(transformacion).local() == "Transform" {
                match arbol.atributo(transformacion, "Algorithm")? {
                    C14N => {}
                    ENVUELTA => envuelta = true,
                    _ => return None,
                }
            }
        }
    }
    Some(envuelta)
}
