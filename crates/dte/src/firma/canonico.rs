//! Canonical XML 1.0 (inclusive, without comments) of one element, as the tax service's
//! signatures use it: attributes sorted, namespaces in scope, references resolved, UTF-8.
//!
//! Source: <http://www.w3.org/TR/2001/REC-xml-c14n-20010315>. Not supported, because no tax
//! document has them: `xml:` attributes of ancestors, and node sets other than one element
//! (or one without its own signature).

use super::arbol::{Arbol, Evento, Id};

/// Namespaces in scope: prefix and name.
pub(super) type Ambito<'t> = Vec<(&'t str, &'t str)>;

/// What is done with white space, to find out why a digest differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blancos {
    /// As it stands: the only canonical form.
    Exactos,
    /// Text that is only white space is dropped: the file was indented afterwards.
    Sin,
    /// A line end has its carriage return: the file was signed with Windows line ends.
    Crlf,
}

/// What is canonicalised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pedido<'p, 't> {
    /// The element.
    pub apice: Id,
    /// The namespaces that it inherits.
    pub heredado: &'p [(&'t str, &'t str)],
    /// An element inside that is left out: an enveloped signature.
    pub sin: Option<Id>,
    pub blancos: Blancos,
}

/// The namespaces that ancestors of an element declare, from `desde` (or the root) down.
pub(super) fn heredado<'a>(arbol: &'a Arbol<'_>, id: Id, desde: Option<Id>) -> Ambito<'a> {
    let mut cadena = Vec::new();
    let mut actual = arbol.elemento(id).padre;
    while let Some(este) = actual {
        cadena.push(este);
        actual = arbol.elemento(este).padre.filter(|_| Some(este) != desde);
    }
    let mut ambito: Ambito<'a> = Vec::new();
    for este in cadena.into_iter().rev() {
        for (prefijo, nombre) in &arbol.elemento(este).espacios {
            poner(&mut ambito, prefijo, nombre);
        }
    }
    ambito.retain(|(_, nombre)| !nombre.is_empty());
    ambito.sort_unstable();
    ambito
}

/// Declares a prefix, in the place of an earlier declaration of it.
pub(super) fn poner<'t>(ambito: &mut Ambito<'t>, prefijo: &'t str, nombre: &'t str) {
    match ambito.iter_mut().find(|(otro, _)| *otro == prefijo) {
        Some(entrada) => entrada.1 = nombre,
        None => ambito.push((prefijo, nombre)),
    }
}

/// The name that a prefix stands for, by the last declaration.
fn nombre_de<'t>(ambito: &[(&'t str, &'t str)], prefijo: &str) -> &'t str {
    ambito
        .iter()
        .rev()
        .find(|(otro, _)| *otro == prefijo)
        .map_or("", |(_, nombre)| *nombre)
}

/// Writes the canonical form of an element behind what `salida` holds.
pub(super) fn canonizar<'a>(arbol: &'a Arbol<'_>, pedido: &Pedido<'_, 'a>, salida: &mut Vec<u8>) {
    let (desde, hasta) = arbol.elemento(pedido.apice).eventos;
    let mut obra = Obra {
        arbol,
        ambito: pedido.heredado.to_vec(),
        marcas: Vec::new(),
        salida,
    };
    let mut lugar = desde;
    while lugar <= hasta {
        match &arbol.eventos[lugar] {
            Evento::Abre(id) if Some(*id) == pedido.sin => {
                lugar = arbol.elemento(*id).eventos.1;
            }
            Evento::Abre(id) => obra.abrir(*id, *id == pedido.apice),
            Evento::Cierra(id) => obra.cerrar(*id),
            Evento::Texto(texto) => escribir_texto(texto, pedido.blancos, obra.salida),
            Evento::Instruccion(dentro) => obra.instruccion(dentro),
        }
        lugar += 1;
    }
}

struct Obra<'a, 't, 's> {
    arbol: &'a Arbol<'t>,
    /// Every declaration written so far and still in scope; the last of a prefix counts.
    ambito: Ambito<'a>,
    /// How many there were before each open element.
    marcas: Vec<usize>,
    salida: &'s mut Vec<u8>,
}

impl Obra<'_, '_, '_> {
    fn abrir(&mut self, id: Id, apice: bool) {
        let elemento = self.arbol.elemento(id);
        self.salida.push(b'<');
        self.salida.extend_from_slice(elemento.nombre.as_bytes());
        self.marcas.push(self.ambito.len());
        let mut nuevos = if apice {
            self.ambito.clone()
        } else {
            Vec::new()
        };
        for (prefijo, nombre) in &elemento.espacios {
            if apice || nombre_de(&self.ambito, prefijo) != nombre {
                poner(&mut nuevos, prefijo, nombre);
            }
        }
        if apice {
            nuevos.retain(|(_, nombre)| !nombre.is_empty());
        }
        nuevos.sort_unstable();
        for (prefijo, nombre) in nuevos {
            self.declarar(prefijo, nombre);
            self.ambito.push((prefijo, nombre));
        }
        self.atributos(id);
        self.salida.push(b'>');
    }

    fn declarar(&mut self, prefijo: &str, nombre: &str) {
        self.salida.extend_from_slice(b" xmlns");
        if !prefijo.is_empty() {
            self.salida.push(b':');
            self.salida.extend_from_slice(prefijo.as_bytes());
        }
        self.salida.extend_from_slice(b"=\"");
        escribir_valor(nombre, self.salida);
        self.salida.push(b'"');
    }

    /// Sorted by the name of their namespace, then by local name; without a prefix first.
    fn atributos(&mut self, id: Id) {
        let mut orden: Vec<_> = self
            .arbol
            .elemento(id)
            .atributos
            .iter()
            .map(|atributo| {
                let (espacio, local) = match atributo.nombre.split_once(':') {
                    Some((prefijo, local)) => (nombre_de(&self.ambito, prefijo), local),
                    None => ("", atributo.nombre),
                };
                (espacio, local, atributo)
            })
            .collect();
        orden.sort_by_key(|(espacio, local, _)| (*espacio, *local));
        for (_, _, atributo) in orden {
            self.salida.push(b' ');
            self.salida.extend_from_slice(atributo.nombre.as_bytes());
            self.salida.extend_from_slice(b"=\"");
            escribir_valor(&atributo.valor, self.salida);
            self.salida.push(b'"');
        }
    }

    fn cerrar(&mut self, id: Id) {
        self.salida.extend_from_slice(b"</");
        self.salida
            .extend_from_slice(self.arbol.elemento(id).nombre.as_bytes());
        self.salida.push(b'>');
        let antes = self.marcas.pop().unwrap_or_default();
        self.ambito.truncate(antes);
    }

    fn instruccion(&mut self, dentro: &str) {
        let (nombre, datos) = dentro
            .split_once(|c: char| c.is_ascii_whitespace())
            .unwrap_or((dentro, ""));
        self.salida.extend_from_slice(b"<?");
        self.salida.extend_from_slice(nombre.as_bytes());
        let datos = datos.trim_ascii_start();
        if !datos.is_empty() {
            self.salida.push(b' ');
            self.salida.extend_from_slice(datos.as_bytes());
        }
        self.salida.extend_from_slice(b"?>");
    }
}

fn escribir_texto(texto: &str, blancos: Blancos, salida: &mut Vec<u8>) {
    if blancos == Blancos::Sin && texto.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return;
    }
    escribir(texto, salida, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'\r' => Some(b"&#xD;"),
        b'\n' if blancos == Blancos::Crlf => Some(b"&#xD;\n"),
        _ => None,
    });
}

fn escribir_valor(texto: &str, salida: &mut Vec<u8>) {
    escribir(texto, salida, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'"' => Some(b"&quot;"),
        b'\t' => Some(b"&#x9;"),
        b'\n' => Some(b"&#xA;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    });
}

/// Copies a text but for the bytes that have another form; all of those are ASCII.
fn escribir(texto: &str, salida: &mut Vec<u8>, forma: impl Fn(u8) -> Option<&'static [u8]>) {
    let bytes = texto.as_bytes();
    let mut desde = 0;
    for (lugar, byte) in bytes.iter().enumerate() {
        if let Some(otra) = forma(*byte) {
            salida.extend_from_slice(&bytes[desde..lugar]);
            salida.extend_from_slice(otra);
            desde = lugar + 1;
        }
    }
    salida.extend_from_slice(&bytes[desde..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn canonico(xml: &str, local: &str, blancos: Blancos) -> String {
        let arbol = Arbol::leer(xml, &Limits::default()).unwrap();
        let apice = (0..arbol.elementos.len())
            .find(|id| arbol.elemento(*id).local() == local)
            .unwrap();
        let heredado = heredado(&arbol, apice, None);
        let mut salida = Vec::new();
        let sin = (apice + 1..arbol.elementos.len())
            .find(|id| arbol.elemento(*id).local() == "Signature");
        canonizar(
            &arbol,
            &Pedido {
                apice,
                heredado: &heredado,
                sin,
                blancos,
            },
            &mut salida,
        );
        String::from_utf8(salida).unwrap()
    }

    /// The right side of each was written by `xmllint --c14n` (but for the comment).
    #[test]
    fn the_form_is_that_of_the_recommendation() {
        for (xml, forma) in [
            ("<?xml version='1.0'?>\n<a/>\n", "<a></a>"),
            (
                "<a b = 'x\"y' a=\"1&#10;2\t3&amp;&lt;>'\"/>",
                "<a a=\"1&#xA;2 3&amp;&lt;>'\" b=\"x&quot;y\"></a>",
            ),
            (
                "<a><![CDATA[<&>]]>&#13;&gt;&apos;&quot;<!-- c --><?p  q ?></a>",
                "<a>&lt;&amp;&gt;&#xD;&gt;'\"<?p q ?></a>",
            ),
            (
                "<a xmlns:y='u:1' xmlns:x='u:2' xmlns='u:0' y:b='1' x:a='2' c='3'/>",
                "<a xmlns=\"u:0\" xmlns:x=\"u:2\" xmlns:y=\"u:1\" c=\"3\" y:b=\"1\" x:a=\"2\"></a>",
            ),
            (
                "<a xmlns='u:0'><b xmlns='u:0'><c xmlns=''><d xmlns=''/></c></b></a>",
                "<a xmlns=\"u:0\"><b><c xmlns=\"\"><d></d></c></b></a>",
            ),
            (
                "<a xmlns:p='u:1'><p:b xmlns:p='u:2'/><p:c/></a>",
                "<a xmlns:p=\"u:1\"><p:b xmlns:p=\"u:2\"></p:b><p:c></p:c></a>",
            ),
            ("<a>\u{f1} \n</a>", "<a>\u{f1} \n</a>"),
        ] {
            assert_eq!(canonico(xml, "a", Blancos::Exactos), forma, "{xml}");
        }
    }

    #[test]
    fn an_element_takes_the_namespaces_that_it_inherits() {
        const SOBRE: &str = "<e xmlns='u:0' xmlns:xsi='u:x' xsi:z='1'><d xmlns:q='u:q'>\
            <f ID='1'>\n <g/>\n<Signature><h/></Signature></f></d></e>";
        assert_eq!(
            canonico(SOBRE, "f", Blancos::Exactos),
            "<f xmlns=\"u:0\" xmlns:q=\"u:q\" xmlns:xsi=\"u:x\" ID=\"1\">\n <g></g>\n</f>"
        );
        assert_eq!(
            canonico(SOBRE, "f", Blancos::Sin),
            "<f xmlns=\"u:0\" xmlns:q=\"u:q\" xmlns:xsi=\"u:x\" ID=\"1\"><g></g></f>"
        );
        assert_eq!(
            canonico("<f>\n<g/></f>", "f", Blancos::Crlf),
            "<f>&#xD;\n<g></g></f>"
        );
        let arbol = Arbol::leer(SOBRE, &Limits::default()).unwrap();
        assert_eq!(heredado(&arbol, 2, Some(1)), [("q", "u:q")]);
    }
}
