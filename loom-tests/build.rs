//! Turns `cfg(loom)` on for this package alone, the way `--cfg loom` would for a whole build.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(loom)");
    println!("cargo::rustc-cfg=loom");
}
