//! Prints how much RAM networks for pictures take layer by layer, and how little where layers are computed row by row.
//!
//!     cargo bench --bench ram -- [TARGET] [NAME...]
//!
//! writes the networks of `DeployTest/generate/mobile.py` (python3 with onnx, onnxruntime and numpy) to a folder of its own,
//! plans each for the target (`host` without one) with the least `--ram-budget`, and runs it: outputs must be exact.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn tilewright(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tilewright")).args(args).output().unwrap()
}

/// What `run --json` says of a network within a budget, and how it ended.
fn run(case: &Path, target: &str, more: &[&str]) -> (bool, Value) {
    let output = tilewright(&[&["run", "--json", "--target", target, case.to_str().unwrap()], more].concat());
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// The least budget, from the refusal of one byte; none where nothing can be saved.
fn least(case: &Path, target: &str, out: &Path) -> Option<String> {
    let model = case.join("network.onnx");
    let (model, out) = (model.to_str().unwrap(), out.to_str().unwrap());
    let args = ["compile", model, "-o", out, "--force", "--target", target, "--ram-budget", "1"];
    let refusal = String::from_utf8(tilewright(&args).stderr).unwrap();
    Some(refusal.split("--ram-budget ").nth(1)?.split(' ').next()?.to_string())
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let target = if args.is_empty() { "host".to_string() } else { args.remove(0) };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("DeployTest/generate/mobile.py");
    let made = Command::new("python3").arg(script).arg(folder.path()).status().unwrap();
    assert!(made.success(), "the networks could not be written");
    let models = folder.path().join("Models/Int8");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(models).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    println!("{target}: bytes of the arena; half or less of those layer by layer is marked");
    println!(
        "{:26}{:>12}{:>12}{:>12}{:>8}{:>12}{:>14}{:>14}  exact",
        "network", "MACs", "by layer", "by row", "ratio", "extra MACs", "instructions", "by row"
    );
    let (mut half, mut all) = (0, 0);
    for case in cases {
        let name = case.file_name().unwrap().to_str().unwrap().to_string();
        if !args.is_empty() && !args.contains(&name) {
            continue;
        }
        let Some(budget) = least(&case, &target, &folder.path().join("out")) else {
            println!("{name:26}no budget");
            continue;
        };
        let (right, before) = run(&case, &target, &[]);
        let (exact, after) = run(&case, &target, &["--ram-budget", &budget]);
        let arena =
            |v: &Value| v["arena_bytes"].as_u64().or(v["totals"]["arena_bytes"].as_u64()).unwrap_or(0);
        let ratio = arena(&after) as f64 / arena(&before).max(1) as f64;
        let macs = before["macs"].as_u64().or(before["totals"]["macs"].as_u64()).unwrap_or(0);
        let points = after["ram_curve"].as_array().cloned().unwrap_or_default();
        let extra = points.last().and_then(|p| p["extra_macs"].as_u64()).unwrap_or(0);
        let count = |v: &Value| v["instructions"].as_u64().map_or("-".to_string(), |n| n.to_string());
        let mark = if ratio <= 0.5 { "*" } else { " " };
        println!(
            "{name:26}{macs:>12}{:>12}{:>12}{ratio:>7.3}{mark}{extra:>12}{:>14}{:>14}  {}",
            arena(&before),
            arena(&after),
            count(&before),
            count(&after),
            if right && exact { "yes" } else { "NO" }
        );
        half += usize::from(ratio <= 0.5 && right && exact);
        all += 1;
    }
    println!("{half} of {all} in at most half the RAM");
}
