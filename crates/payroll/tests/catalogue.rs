//! The page of the catalogue is what the code says.

use std::path::Path;

#[test]
fn the_page_is_in_step_with_the_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/payroll-rules.md");
    let written = std::fs::read_to_string(page).unwrap();
    assert!(
        written == payroll::catalogo_markdown(),
        "docs/payroll-rules.md is out of step: run `cargo xtask rules`"
    );
}
