//! Programs in assembly for the simulator's tests.

use super::build::build;

/// A program in assembly whose code starts at `base`.
pub fn assembly(text: &str, base: u32) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("program.s");
    std::fs::write(&source, text).unwrap();
    let place = format!("-Wl,-Ttext={base:#x},--section-start=.data={:#x}", base + 0x0010_0000);
    build(&[&place, "-Wl,-e,_start", &source.display().to_string()])
}
