//! `cargo run -p payroll --example payroll_rules`: the catalogue of rules in Markdown, on stdout.
//!
//! `cargo xtask rules` writes it to `docs/payroll-rules.md`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on stdout"
)]

fn main() {
    print!("{}", payroll::catalogo_markdown());
}
