//! Stamp and signature.
mod arbol;
mod canonico;
mod llave;
mod resultado;
mod x509;
mod xmldsig;
pub use resultado::*;

#[cfg(test)]
mod explora {
    use super::*;
    #[test]
    fn explora() {
        let dir = std::path::Path::new("/work/shared/data/dte");
        let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        for p in names {
            let bytes = std::fs::read(&p).unwrap();
            let Some((t, _c)) = crate::codificacion::decodificar(&bytes) else { continue };
            let t = arbol::normalizar(t);
            let Some(a) = arbol::Arbol::leer(t.trim_start(), &crate::Limits::default()) else { println!("{p:?} no arbol"); continue };
            let mut taller = xmldsig::Taller::nuevo(&a, None);
            for i in 0..a.elementos.len() {
                if a.elemento(i).local() == "Signature" {
                    let padre = a.elemento(i).padre.unwrap_or(0);
                    let f = a.hijos(padre).find(|h| a.atributo(*h, "ID").is_some());
                    let Some(f) = f else { println!("no target"); continue };
                    let e = taller.examinar(i, f);
                    println!("{} {} {:?} {:?} {:?}", p.file_name().unwrap().to_str().unwrap(), a.elemento(f).nombre, e.fallas, e.contexto, e.certificado.map(|c| (c.nombre, c.rut.map(|r| r.to_string()), c.desde.to_string(), c.hasta.to_string())));
                }
            }
        }
    }
}
