//! Programs for the simulator's tests, built with the target's compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

const COMPILER: &str = "riscv64-unknown-elf-gcc";

/// Where the sources are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulator/programs")
}

/// Compiles and links; `arguments` are options and sources.
pub fn build(arguments: &[&str]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let elf = dir.path().join("program.elf");
    let mut command = Command::new(COMPILER);
    command.args(["-misa-spec=2.2", "-march=rv32imfc", "-mabi=ilp32f", "-nostdlib", "-g", "-o"]).arg(&elf);
    command.args(["-Wl,--no-warn-rwx-segments,--no-relax,-N", "-I"]).arg(folder()).args(arguments);
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{COMPILER} cannot be started ({e}): scripts/setup.sh riscv installs it"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(&elf).unwrap()
}

/// A program in C of the folder, for Siracusa.
pub fn program(name: &str, arguments: &[&str]) -> Vec<u8> {
    let path = |file: &str| folder().join(file).display().to_string();
    let (source, start, link) = (path(&format!("{name}.c")), path("start.S"), path("link.ld"));
    let mut all = vec!["-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-T", &link];
    all.extend(arguments);
    all.extend([start.as_str(), source.as_str()]);
    build(&all)
}
