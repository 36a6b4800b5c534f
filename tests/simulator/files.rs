//! Files that are no programs for the chip: a diagnostic each, never a crash; and the exit codes of the command.

use std::path::Path;
use std::process::Command;

use tilewright::sim::{self, Options};

use super::assembly::assembly;
use super::build;

fn error(bytes: &[u8]) -> String {
    sim::simulate(bytes, &sim::soc("siracusa").unwrap(), &Options::default()).unwrap_err().to_string()
}

#[test]
fn files_of_other_kinds() {
    assert!(error(b"").contains("is not an ELF file"));
    assert!(error(b"#!/bin/sh\nexit\n").contains("is not an ELF file"));
    assert!(error(b"\x7fELF").contains("not a whole ELF file"));
    // This test itself.
    let host = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let message = error(&host);
    assert!(message.contains("is a program for ") && message.contains("64 bits"), "{message}");
    let mut elf = build::program("faults", &["-DCASE=52"]);
    elf[18] = 40;
    assert!(error(&elf).contains("is a program for ARM (32 bits, little-endian)"));
}

#[test]
fn damaged_programs() {
    let elf = build::program("faults", &["-DCASE=52"]);
    let soc = sim::soc("siracusa").unwrap();
    let options = Options { max_cycles: Some(20_000), ..Options::default() };
    for length in (0..elf.len()).step_by(97) {
        // What is cut off may be nothing that matters; then the program runs.
        let _ = sim::simulate(&elf[..length], &soc, &options);
    }
    let half = error(&elf[..elf.len() / 2]);
    assert!(half.contains("not a whole ELF file"), "{half}");
    // Every byte of the header and the program headers, changed.
    for at in 0..180 {
        let mut damaged = elf.clone();
        damaged[at] ^= 0x55;
        let _ = sim::simulate(&damaged, &soc, &options);
        damaged[at] = 0xff;
        let _ = sim::simulate(&damaged, &soc, &options);
    }
}

#[test]
fn segments_where_the_chip_loads_nothing() {
    let at = |base| error(&assembly(".globl _start\n_start: j _start\n.data\n.word 1\n", base));
    let message = at(0x1000_0000);
    assert!(message.contains("in L1, which cannot be loaded into: the hardware hangs at start"), "{message}");
    let message = at(0x8000_0000);
    assert!(message.contains("where siracusa has no memory"), "{message}");
}

#[test]
fn exit_codes_of_the_command() {
    let dir = tempfile::tempdir().unwrap();
    let simulate = |elf: &[u8], arguments: &[&str]| {
        let program = dir.path().join("program.elf");
        std::fs::write(&program, elf).unwrap();
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_tilewright")));
        let output = command.arg("simulate").arg(&program).args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, stderr) = simulate(&build::program("faults", &["-DCASE=52"]), &[]);
    assert!(code == Some(1) && stderr.contains("ended with status 42"), "{code:?} {stderr}");
    let (code, _, stderr) = simulate(&build::program("faults", &["-DCASE=50"]), &["--max-cycles", "50000"]);
    assert!(code == Some(7) && stderr.contains("did not end within 50,000 cycles"), "{code:?} {stderr}");
    assert!(stderr.contains("cluster core 0 runs at 0x") && stderr.contains("culprit"), "{stderr}");
    let (code, _, stderr) = simulate(&build::program("faults", &["-DCASE=1"]), &[]);
    assert!(code == Some(7) && stderr.contains("where nothing is mapped"), "{code:?} {stderr}");
    let (code, _, stderr) = simulate(b"nothing", &[]);
    assert!(code == Some(3) && stderr.contains("program.elf: is not an ELF file"), "{code:?} {stderr}");
    let (code, _, stderr) = simulate(b"", &["--soc", "gap8"]);
    assert!(code == Some(3) && stderr.contains("known chips: siracusa"), "{code:?} {stderr}");
    let trace = dir.path().join("trace.json");
    let elf = build::program("dot_costs", &[]);
    let (code, stdout, stderr) = simulate(&elf, &["--profile", "--trace", &trace.display().to_string()]);
    assert!(code == Some(0) && stdout.contains("dot_pulp "), "{code:?} {stderr}");
    assert!(stderr.contains("function") && stderr.contains("plain"), "{stderr}");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&trace).unwrap()).unwrap();
    assert!(json["traceEvents"].is_array());
}
