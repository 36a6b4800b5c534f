//! Counts instructions per MAC of networks on microcontrollers, of the targets' own kernels and of the generic ones, by kind of
//! layer and as a whole; both in one run, with one compiler and one QEMU.
//!
//!     cargo bench --bench mcu -- [--cmsis DIR] [CASE...]
//!
//! runs the integer networks of `DeployTest`, and those of MLPerf Tiny where the peer suite is beside the repository. With the
//! folder of CMSIS-NN's sources its functions are counted on the same layers; ratios to it are over the layers that it has a
//! function for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[path = "mcu/cmsis.rs"]
mod cmsis;

use cmsis::Cmsis;

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

/// A case that was run.
struct Run {
    whole: Count,
    /// Its layers that have code: their kind, and what they are in the record.
    layers: Vec<(String, Count, Value)>,
}

fn run(case: &Path, target: &str, platforms: &Path) -> Run {
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
    let mut layers = Vec::new();
    for layer in record["layers"].as_array().unwrap().iter().filter(|l| !l["kernel"].is_null()) {
        let count = Count {
            macs: number(&layer["macs"]),
            elements: shape(&layer["outputs"][0]).iter().product(),
            instructions: number(&layer["measured"]["instructions"]),
        };
        layers.push((kind(layer), count, layer.clone()));
    }
    let (macs, instructions) = (number(&record["macs"]), number(&record["instructions"]));
    Run { whole: Count { macs, elements: 0, instructions }, layers }
}

/// What is compared: our kernels, the generic ones, and ours beside CMSIS-NN's on the layers that it has functions for.
#[derive(Clone, Copy, Default)]
struct Compared {
    own: Count,
    generic: Count,
    shared: Count,
    cmsis: Count,
}

impl Compared {
    fn add(&mut self, other: &Compared) {
        self.own.add(other.own);
        self.generic.add(other.generic);
        self.shared.add(other.shared);
        self.cmsis.add(other.cmsis);
    }

    fn line(&self, name: &str) {
        let (a, b) = (self.own.each(), self.generic.each());
        print!(
            "  {name:30}{:>12}{:>12}{a:>10.3}{b:>10.3}{:>8.1}",
            self.own.macs,
            self.own.instructions,
            b / a
        );
        match self.cmsis.instructions {
            0 => println!(),
            n => {
                println!(
                    "{:>10.3}{:>8.2}",
                    self.cmsis.each(),
                    n as f64 / self.shared.instructions.max(1) as f64
                )
            }
        }
    }
}

/// A case in all ways; as a whole, and by kinds.
fn compare(
    case: &Path,
    target: &str,
    platforms: &Path,
    cmsis: Option<&Cmsis>,
) -> (Compared, Vec<(String, Compared)>) {
    let own = run(case, target, platforms);
    let Run { whole: plain, layers: others } = run(case, &format!("{target}-generic"), platforms);
    let layers: Vec<Value> = own.layers.iter().map(|(.., layer)| layer.clone()).collect();
    let counted =
        cmsis.map_or(vec![None; layers.len()], |c| c.count(&case.join("network.onnx"), target, &layers));
    let mut whole = Compared { own: own.whole, generic: plain, ..Compared::default() };
    let mut kinds = Vec::new();
    for ((kind, count, _), cmsis) in own.layers.into_iter().zip(counted) {
        let theirs = |instructions: u64| Count { instructions, ..count };
        let (shared, cmsis) = cmsis.map_or(Default::default(), |n| (count, theirs(n)));
        whole.shared.add(shared);
        whole.cmsis.add(cmsis);
        kinds.push((kind, Compared { own: count, generic: Count::default(), shared, cmsis }));
    }
    let generic = |(kind, generic, _)| (kind, Compared { generic, ..Compared::default() });
    kinds.extend(others.into_iter().map(generic));
    (whole, kinds)
}

/// The networks to run where none is named.
fn networks() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = ["KeywordSpotting", "VisualWakeWords"].map(|n| here.join("DeployTest/Models/Int8").join(n));
    let peers = here.join("../shared/peer-suite/Models/MLPerf");
    let others = ["ImageClassification", "KeywordSpotting", "AnomalyDetection"].map(|n| peers.join(n));
    own.into_iter().chain(others).filter(|c| c.is_dir()).collect()
}

/// The folder behind `--cmsis`, and the cases.
fn arguments() -> Result<(Option<Cmsis>, Vec<PathBuf>), String> {
    let (mut cmsis, mut cases) = (None, Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--cmsis" => {
                let dir = words.next().ok_or("--cmsis: give the folder of CMSIS-NN's sources")?;
                cmsis = Some(Cmsis::new(Path::new(&dir))?);
            }
            // What cargo adds.
            "--bench" => {}
            _ if word.starts_with('-') => return Err(format!("{word}: expected [--cmsis DIR] [CASE...]")),
            _ => cases.push(PathBuf::from(word)),
        }
    }
    Ok((cmsis, if cases.is_empty() { networks() } else { cases }))
}

fn main() {
    let (cmsis, cases) = arguments().unwrap_or_else(|message| {
        eprintln!("error: {message}");
        std::process::exit(3);
    });
    if cmsis.is_none() {
        println!("CMSIS-NN is not counted: --cmsis DIR takes the folder of its sources\n");
    }
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
        let mut kinds: BTreeMap<String, Compared> = BTreeMap::new();
        print!(
            "{target:32}{:>12}{:>12}{:>10}{:>10}{:>8}",
            "MAC", "instructions", "per MAC", "generic", "ratio"
        );
        println!("{}", if cmsis.is_some() { "  CMSIS-NN   ratio" } else { "" });
        for case in &cases {
            let (whole, layers) = compare(case, target, platforms.path(), cmsis.as_ref());
            whole.line(&case.file_name().unwrap_or_default().to_string_lossy());
            for (kind, compared) in layers {
                kinds.entry(kind).or_default().add(&compared);
            }
        }
        println!();
        for (kind, compared) in kinds {
            compared.line(&kind);
        }
        println!();
    }
}
