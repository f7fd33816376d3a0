//! Prints `docs/metrics.md`, from the catalogue. `cargo xtask metrics` writes it there.
#![expect(clippy::print_stdout, reason = "what it prints is its result")]

fn main() {
    print!("{}", observability::catalogue::markdown());
}
