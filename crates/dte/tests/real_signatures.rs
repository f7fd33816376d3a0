//! x
use dte::firma::{Trust, verify};
use dte::{Context, Limits};
use jiff::civil::date;
#[test]
fn explora() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dte");
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    for p in names {
        let bytes = std::fs::read(&p).unwrap();
        let Ok(f) = verify(
            &bytes,
            &Limits::default(),
            &Trust::new(),
            &Context::emission(date(2026, 11, 22)),
        ) else {
            continue;
        };
        let n = p.file_name().unwrap().to_str().unwrap();
        for d in &f.documentos {
            println!("{n} {:?} {:?} {:?}", d.timbre, d.caf, d.firma);
            for x in &d.findings {
                println!("    {} {:?} {} {}", x.code, x.severity, x.path, x.message);
            }
        }
        for d in &f.partes {
            println!("{n}   + {} {:?}", d.ruta, d.firma);
        }
        for x in &f.findings {
            println!("   * {} {:?} {} {}", x.code, x.severity, x.path, x.message);
        }
    }
}
