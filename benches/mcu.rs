//! Counts instructions per MAC of networks on microcontrollers, of the targets' own kernels and of the generic ones, by kind of
//! layer and as a whole; both in one run, with one compiler and one QEMU.
//!
//!     cargo bench --bench mcu -- [CASE...]
//!
//! runs the integer networks of `DeployTest`, and those of MLPerf Tiny where the peer suite is beside the repository.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const TARGETS: [&str; 3] = ["cortex-m4", "cortex-m55", "rv32imc"];

/// What layers of a kind take together.
#[derive(Clone, Copy, Default)]
struct Count {
    macs: u64,
    elements: u64,
    instructions: u64,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.macs += other.macs;
        self.elements += other.elements;
        self.instructions += other.instructions;
    }
    /// Instructions per MAC, or per element of the results where nothing is multiplied.
    fn each(&self) -> f64 {
        self.instructions as f64 / if self.macs > 0 { self.macs } else { self.elements }.max(1) as f64
    }
}

/// The sizes in `u8[1x32x32x3]`.
fn shape(tensor: &Value) -> Vec<u64> {
    let text = tensor.as_str().unwrap_or_default();
    let inside = text.split(['[', ']']).nth(1).unwrap_or_default();
    inside.split('x').filter_map(|n| n.parse().ok()).collect()
}

/// What a layer is, where its sizes say it.
fn kind(layer: &Value) -> String {
    let operator = layer["operator"].as_str().unwrap_or("?");
    let (x, w) = (shape(&layer["inputs"][0]), shape(&layer["inputs"][1]));
    match (operator, &x[..], &w[..]) {
        ("Conv", [_, _, _, c], [out, h, w, 1]) if c == out && *c > 1 => format!("depthwise {h}x{w}"),
        ("Conv", [_, _, _, c], [out, 1, 1, _]) => format!("pointwise {c}->{out}"),
        ("Conv", [_, _, _, c], [out, h, w, _]) => format!("conv {h}x{w} {c}->{out}"),
        ("Gemm", [.., k], _) => format!("product {k}->{}", shape(&layer["outputs"][0]).last().unwrap_or(&1)),
        _ => format!("{operator} (element)"),
    }
}

/// Runs a case; its whole, and its layers by kind.
fn run(case: &Path, target: &str, platforms: &Path) -> (Count, BTreeMap<String, Count>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tilewright"));
    let output = command
        .args(["run", "--json", "--target", target, "--kernels"])
        .arg(platforms)
        .arg(case)
        .output()
        .unwrap();
    let record: Value = serde_json::from_slice(&output.stdout).expect("a run ends with a record");
    assert_eq!(record["status"], "pass", "{} on {target}: {record}", case.display());
    let number = |v: &Value| v.as_u64().unwrap_or(0);
    let mut kinds: BTreeMap<String, Count> = BTreeMap::new();
    for layer in record["layers"].as_array().unwrap().iter().filter(|l| !l["kernel"].is_null()) {
        let count = Count {
            macs: number(&layer["macs"]),
            elements: shape(&layer["outputs"][0]).iter().product(),
            instructions: number(&layer["measured"]["instructions"]),
        };
        kinds.entry(kind(layer)).or_default().add(count);
    }
    let (macs, instructions) = (number(&record["macs"]), number(&record["instructions"]));
    (Count { macs, elements: 0, instructions }, kinds)
}

fn line(name: &str, own: Count, generic: Count) {
    let (a, b) = (own.each(), generic.each());
    println!("  {name:30}{:>12}{:>12}{a:>10.3}{b:>10.3}{:>8.1}", own.macs, own.instructions, b / a);
}

/// The networks to run where none is named.
fn networks() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = ["KeywordSpotting", "VisualWakeWords"].map(|n| here.join("DeployTest/Models/Int8").join(n));
    let peers = here.join("../shared/peer-suite/Models/MLPerf");
    let others = ["ImageClassification", "KeywordSpotting", "AnomalyDetection"].map(|n| peers.join(n));
    own.into_iter().chain(others).filter(|c| c.is_dir()).collect()
}

fn main() {
    let named: Vec<PathBuf> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).map(PathBuf::from).collect();
    let cases = if named.is_empty() { networks() } else { named };
    // The same targets without kernels of their own.
    let platforms = tempfile::tempdir().unwrap();
    for target in TARGETS {
        let folder = platforms.path().join(format!("{target}-generic"));
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "inherits = \"{target}\"\n[[engines]]\nname = \"cpu\"\nkernels = [\"mcu\", \"generic\"]\n"
        );
        std::fs::write(folder.join("platform.toml"), text).unwrap();
    }
    for target in TARGETS {
        let mut kinds: BTreeMap<String, [Count; 2]> = BTreeMap::new();
        println!(
            "{target:32}{:>12}{:>12}{:>10}{:>10}{:>8}",
            "MAC", "instructions", "per MAC", "generic", "ratio"
        );
        for case in &cases {
            let (own, layers) = run(case, target, platforms.path());
            let (generic, others) = run(case, &format!("{target}-generic"), platforms.path());
            line(&case.file_name().unwrap_or_default().to_string_lossy(), own, generic);
            for (at, of) in [layers, others].into_iter().enumerate() {
                for (kind, count) in of {
                    kinds.entry(kind).or_default()[at].add(count);
                }
            }
        }
        println!();
        for (kind, [own, generic]) in kinds {
            line(&kind, own, generic);
        }
        println!();
    }
}
