//! The page of the catalogue is what the code says.

use std::path::Path;

#[test]
fn the_page_is_in_step_with_the_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dte-rules.md");
    let written = std::fs::read_to_string(page).unwrap();
    let generated = dte::catalogo_markdown();
    let different = written
        .lines()
        .zip(generated.lines())
        .position(|(written, generated)| written != generated);
    assert!(
        written == generated,
        "docs/dte-rules.md differs from line {:?} on: run `cargo xtask rules`",
        different.map(|line| line + 1)
    );
}
