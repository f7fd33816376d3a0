//! Completing against the cases of a document generator, where they are.
//!
//! They can't be passed on, so they are outside of the repository: where they aren't, this
//! test says so and does nothing. The crate's own cases are in `completar/tests.rs`.

use std::path::Path;

use dte::casos::CasoDeGenerador;

#[test]
fn every_case_is_exact() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dte_cases");
    if !folder.is_dir() {
        eprintln!("the generator's cases aren't here: nothing was tested");
        return;
    }
    let (mut wrong, mut exact) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let name = path.display();
        match CasoDeGenerador::leer(&value).map(|caso| caso.comparar()) {
            Some(Ok(differences)) if differences.is_empty() => exact += 1,
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{exact} exact, but\n{}", wrong.join("\n"));
    assert_eq!(exact, 58);
}
