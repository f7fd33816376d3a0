//! A document's elements against the tables of the format.

use super::arbol::{Arbol, Id};
use crate::estructura::{Contenido, Elemento, Forma, MAX_ELEMENTOS, Presencia, no_latinos, tabla};
use crate::model::{Documento, Falla, Lectura, MAX_NOTAS};

/// Compares every element of a body with the table of its type and leaves notes. A type that
/// isn't known has no table, and only its characters are looked at.
pub(super) fn revisar(arbol: &Arbol<'_>, raiz: Id, documento: &mut Documento) {
    let dia = documento.encabezado.id_doc.fch_emis.valor();
    let columna = documento.tipo().map(tabla);
    let mut revision = Revision {
        arbol,
        raiz,
        lectura: &mut documento.lectura,
    };
    revision.caracteres();
    let Some((cuerpo, columna)) = columna else {
        return;
    };
    let rige = |elemento: &Elemento| elemento.vigencia.rige(dia);
    let mut pendientes = vec![(raiz, cuerpo)];
    let mut siguiente = 0;
    while let Some((id, elementos)) = pendientes.get(siguiente).copied() {
        siguiente += 1;
        let veces = revision.hijos(id, elementos, columna, &mut pendientes);
        for (elemento, veces) in elementos.iter().zip(veces) {
            match elemento.presencia(columna) {
                Presencia::Rechazo if veces == 0 && rige(elemento) => {
                    revision.nota_bajo(id, elemento.nombre, Falla::Falta { rechazo: true });
                }
                Presencia::Mandatoria if veces == 0 && rige(elemento) => {
                    revision.nota_bajo(id, elemento.nombre, Falla::Falta { rechazo: false });
                }
                Presencia::OtraFila => {}
                _ => revision.repetido(id, elemento, veces),
            }
        }
    }
}

struct Revision<'a, 't> {
    arbol: &'a Arbol<'t>,
    raiz: Id,
    lectura: &'a mut Lectura,
}

impl Revision<'_, '_> {
    /// Looks at each child of a section and counts those that aren't empty, by row of the
    /// table; sections among them are put off.
    fn hijos(
        &mut self,
        id: Id,
        elementos: &'static [Elemento],
        columna: usize,
        pendientes: &mut Vec<(Id, &'static [Elemento])>,
    ) -> [usize; MAX_ELEMENTOS] {
        let arbol = self.arbol;
        let mut veces = [0; MAX_ELEMENTOS];
        // Documents follow the schema's order: the next row is mostly at or after the last.
        let mut fila = 0;
        for (hijo, nodo) in arbol.hijos(id) {
            let Some(encontrada) = buscar(elementos, nodo.nombre, columna, fila) else {
                if !matches!(nodo.nombre, "TED" | "Signature") {
                    self.nota(hijo, Falla::Inexistente);
                }
                continue;
            };
            fila = encontrada;
            let elemento = &elementos[fila];
            let vacio = arbol.texto(hijo).is_none() && arbol.hijos(hijo).next().is_none();
            let primero = veces.get(fila).is_some_and(|cuantos| *cuantos == 0);
            if !primero && elemento.veces == 1 {
                self.segundo(hijo);
                continue; // The first one counts.
            }
            match elemento.presencia(columna) {
                Presencia::Inexistente if primero => {
                    self.nota_bajo(id, elemento.nombre, Falla::Inexistente);
                }
                Presencia::Ajena if primero && !vacio => {
                    self.nota_bajo(id, elemento.nombre, Falla::Ajena);
                }
                _ => {}
            }
            let exigido = matches!(
                elemento.presencia(columna),
                Presencia::Rechazo | Presencia::Mandatoria
            );
            if !(vacio && exigido)
                && let Some(cuantos) = veces.get_mut(fila)
            {
                *cuantos += 1;
            }
            match elemento.contenido {
                Contenido::Seccion(hijos) => pendientes.push((hijo, hijos)),
                Contenido::Campo(forma) if vacio => {
                    if !exigido && !forma.admite_vacio() {
                        self.nota(hijo, Falla::Vacio);
                    }
                }
                Contenido::Campo(forma) => self.valor(hijo, forma),
            }
        }
        veces
    }

    fn valor(&mut self, id: Id, forma: Forma) {
        let texto = self.arbol.texto(id).unwrap_or_default();
        if let Some(falla) = forma.revisar(texto) {
            self.nota(id, falla);
        }
    }

    /// A second one of what stands there once. In the sections that the model holds, the reader
    /// has noted it.
    fn segundo(&mut self, id: Id) {
        if self.lectura.extranos.len() >= MAX_NOTAS || self.lectura.desajustes.len() >= MAX_NOTAS {
            return; // Enough was said, and every path costs a walk along the brothers.
        }
        let ruta = format!("{}{}", self.lectura.prefijo, self.arbol.ruta(self.raiz, id));
        if !self.lectura.extranos.iter().any(|nota| nota.ruta == ruta) {
            let (veces, maximo) = (2, 1);
            self.lectura
                .desajuste(|_| ruta, Falla::Repeticion { veces, maximo });
        }
    }

    fn repetido(&mut self, id: Id, elemento: &Elemento, veces: usize) {
        let maximo = elemento.veces;
        // What stands there once and is repeated, the reader has noted already.
        if maximo > 1 && veces > usize::from(maximo) {
            self.nota_bajo(id, elemento.nombre, Falla::Repeticion { veces, maximo });
        }
    }

    /// Every text of the body but those of stamp and signature.
    fn caracteres(&mut self) {
        let arbol = self.arbol;
        let mut pendientes = vec![self.raiz];
        while let Some(id) = pendientes.pop() {
            if let Some(falla) = arbol.texto(id).and_then(no_latinos) {
                self.nota(id, falla);
            }
            let hijos = arbol
                .hijos(id)
                .filter(|(_, nodo)| !matches!(nodo.nombre, "TED" | "Signature"))
                .map(|(hijo, _)| hijo);
            let antes = pendientes.len();
            pendientes.extend(hijos);
            pendientes[antes..].reverse();
        }
    }

    fn nota(&mut self, id: Id, falla: Falla) {
        let (arbol, raiz) = (self.arbol, self.raiz);
        self.lectura.desajuste(
            |lectura| format!("{}{}", lectura.prefijo, arbol.ruta(raiz, id)),
            falla,
        );
    }

    fn nota_bajo(&mut self, id: Id, nombre: &str, falla: Falla) {
        let (arbol, raiz) = (self.arbol, self.raiz);
        self.lectura.desajuste(
            |lectura| format!("{}{}/{nombre}", lectura.prefijo, arbol.ruta(raiz, id)),
            falla,
        );
    }
}

/// The row of a name, looked for from a row on and then from the start.
fn buscar(elementos: &[Elemento], nombre: &str, columna: usize, desde: usize) -> Option<usize> {
    let es = |elemento: &Elemento| {
        elemento.nombre == nombre && elemento.presencia(columna) != Presencia::OtraFila
    };
    let (antes, despues) = elementos.split_at_checked(desde)?;
    despues
        .iter()
        .position(es)
        .map(|lugar| desde + lugar)
        .or_else(|| antes.iter().position(es))
}
