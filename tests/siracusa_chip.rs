//! The cluster's kernels on the simulated chip: every instruction of `tw_xpulp.h` does what its twin does, every kernel
//! computes in L1 what its twin computes on this machine, on one core and on eight, and loses no speed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "siracusa/chip.rs"]
mod chip;

use std::path::Path;

use chip::Folder;

#[test]
fn instructions_do_what_their_twins_do() {
    let header = include_str!("../kernels/siracusa/tw_xpulp.h");
    let list = include_str!("siracusa/intrinsics.c");
    let kinds = ["TW_UNARY(", "TW_BINARY(", "TW_TERNARY(", "TW_INSERT(", "TW_EACH_B(", "TW_EACH_H("];
    let lines = header.lines().filter_map(|l| kinds.iter().find_map(|k| l.strip_prefix(k)));
    let names: Vec<&str> = lines.filter_map(|l| l.strip_prefix("tw_")?.split(',').next()).collect();
    assert!(names.len() > 70, "{}", names.len());
    for name in &names {
        assert!(list.contains(&format!("({name})")), "intrinsics.c does not try {name}");
    }
    let folder = Folder::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/siracusa/intrinsics.c");
    let object = |flags: &[&str], name: &str| {
        folder.object(chip::COMPILER, &[chip::CHIP, flags].concat(), &source, name)
    };
    let objects =
        [object(&["-DTABLE=instructions"], "instructions"), object(&["-DTABLE=twins", "-DTW_TWIN"], "twins")];
    let report = folder.chip_program("intrinsics", &objects, 1).simulate();
    let text = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(text.contains("wrong: 0\n") && !text.contains("tried: 0"), "{text}");
}

/// Figures that must not get worse: MAC (or elements) per cycle on eight cores, and how much of eight times one core that is.
const FLOORS: [(&str, f64, f64); 21] = [
    ("conv 3x3 32-32 16x16", 15.5, 0.9),
    ("pointwise 64-64 10x10", 12.0, 0.88),
    ("pointwise 128-128 8x8", 14.5, 0.9),
    ("first 3x3 3-16 32x32", 6.4, 0.85),
    ("depthwise 3x3 32 16x16", 3.9, 0.85),
    ("matmul constant 16x256x64", 14.5, 0.88),
    ("matmul constant 64x64x64", 11.5, 0.85),
    ("gemv constant 256x256", 8.3, 0.85),
    ("gemv constant 64x64", 3.0, 0.5),
    ("gemv a*bT 128x128", 5.6, 0.55),
    ("16 of 64x4 times 4x64", 2.6, 0.85),
    ("int32 matmul 32x64x64", 3.4, 0.85),
    ("sum 16384", 1.2, 0.75),
    ("requantise 16384", 1.85, 0.75),
    ("look up 16384", 2.1, 0.85),
    ("softmax 256x64", 0.38, 0.85),
    ("RMS norm 64x64", 0.31, 0.8),
    ("float32 softmax 64x64", 0.14, 0.6),
    ("float32 GELU 4096", 0.16, 0.7),
    ("float32 matmul a*b 64x64x64", 2.7, 0.85),
    ("float32 conv 3x3 16-16 16x16", 2.5, 0.85),
];

#[test]
fn kernels_in_l1_equal_their_twins_and_are_fast() {
    let folder = Folder::new();
    let kernels = folder.kernels();
    let twins = chip::lines(&folder.twins());
    let one =
        chip::lines(&String::from_utf8_lossy(&folder.chip_program("on_chip", &kernels, 1).simulate().stdout));
    let all =
        chip::lines(&String::from_utf8_lossy(&folder.chip_program("on_chip", &kernels, 8).simulate().stdout));
    assert!(twins.len() > 20);
    for (name, twin) in &twins {
        assert_eq!(one[name].checksum, twin.checksum, "{name} on one core");
        assert_eq!(all[name].checksum, twin.checksum, "{name} on eight cores");
    }
    for (name, speed, efficiency) in FLOORS {
        let (one, all) = (one[name], all[name]);
        let found = all.macs as f64 / all.cycles as f64;
        let share = one.cycles as f64 / all.cycles as f64 / 8.0;
        assert!(found >= speed, "{name}: {found:.2} MAC per cycle");
        assert!(share >= efficiency, "{name}: {share:.2} of eight cores");
    }
}
