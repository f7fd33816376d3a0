//! `cargo run -p dte --example dte_rules`: the catalogue of rules in Markdown, on stdout.
//!
//! `cargo xtask rules` writes it to `docs/dte-rules.md`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on stdout"
)]

fn main() {
    print!("{}", dte::catalogo_markdown());
}
