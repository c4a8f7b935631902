//! Measures futon beside its peers, and writes `docs/performance.md`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    futon_benches::main()
}
