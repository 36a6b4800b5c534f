//! Prints how far predictions are from what the simulator measures, by kernel: number of layers, how many of them are off by
//! more than a quarter, median, nine of ten, and worst; and the ten layers that are furthest off.
//!
//!     cargo bench --bench predictions -- [FOLDER] [OPTION...]
//!
//! runs every case below the folder (`DeployTest` without one) on `siracusa`, with options for `tilewright run` such as
//! `--l1 64000`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A layer, or what was left out.
struct Layer {
    name: String,
    measured: u64,
    predicted: u64,
}

impl Layer {
    /// How far the prediction is off, as a part of the measurement.
    fn off(&self) -> f64 {
        (self.predicted as f64 - self.measured as f64) / self.measured as f64
    }
}

fn cases(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("network.onnx").exists() {
        found.push(folder.to_path_buf());
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    inside.sort();
    inside.iter().filter(|p| p.is_dir()).for_each(|p| cases(p, found));
}

fn layers(case: &Path, options: &[String]) -> Option<Vec<(String, Layer)>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tilewright"));
    command.args(["run", "--target", "siracusa", "--json", "--profile"]).args(options).arg(case);
    let record: Value = serde_json::from_slice(&command.output().unwrap().stdout).ok()?;
    let layer = |l: &Value| {
        let measured = l["measured"]["cycles"].as_u64().filter(|c| *c > 0)?;
        let name = format!("{} {}", case.display(), l["name"].as_str()?);
        let kernel = format!("{}/{}", l["kernel"].as_str()?, l["mode"].as_str()?);
        Some((kernel, Layer { name, measured, predicted: l["predicted_cycles"].as_u64()? }))
    };
    Some(record["layers"].as_array()?.iter().filter_map(layer).collect())
}

/// Layers that are named at the end.
const WORST: usize = 10;

/// Layers, how many of them are off by more than a quarter, median, nine of ten and worst in per cent.
fn summary(layers: &[&Layer]) -> String {
    let mut off: Vec<f64> = layers.iter().map(|l| 100.0 * l.off().abs()).collect();
    off.sort_by(f64::total_cmp);
    let beyond = off.iter().filter(|o| **o > 25.0).count();
    let [median, most, worst] = [off.len() / 2, off.len() * 9 / 10, off.len() - 1].map(|i| off[i]);
    format!("{:>6} {beyond:>6} {median:>7.1} % {most:>7.1} % {worst:>7.1} %", off.len())
}

fn main() {
    let mut options: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let folder = if options.first().is_some_and(|o| !o.starts_with('-')) {
        options.remove(0)
    } else {
        "DeployTest".to_string()
    };
    let mut found = Vec::new();
    cases(Path::new(&folder), &mut found);
    let mut kernels: BTreeMap<String, Vec<Layer>> = BTreeMap::new();
    for case in &found {
        match layers(case, &options) {
            Some(all) => all.into_iter().for_each(|(kernel, l)| kernels.entry(kernel).or_default().push(l)),
            None => println!("{}: did not run", case.display()),
        }
    }
    println!(
        "{:40}{:>6}{:>7}{:>10}{:>10}{:>10}",
        "kernel, mode", "layers", "> 25 %", "median", "9 of 10", "worst"
    );
    for (kernel, layers) in &kernels {
        println!("{kernel:40}{}", summary(&layers.iter().collect::<Vec<_>>()));
    }
    let all: Vec<&Layer> = kernels.values().flatten().collect();
    let (short, long): (Vec<&Layer>, Vec<&Layer>) = all.iter().partition(|l| l.measured < 300);
    for (what, list) in [("all", &all), ("below 300 cycles", &short), ("others", &long)] {
        if !list.is_empty() {
            println!("{what:40}{}", summary(list));
        }
    }
    let mut named: Vec<(&str, &Layer)> = kernels
        .iter()
        .flat_map(|(kernel, layers)| layers.iter().map(move |l| (kernel.as_str(), l)))
        .collect();
    named.sort_by(|(_, a), (_, b)| b.off().abs().total_cmp(&a.off().abs()));
    println!("worst: difference, measured, predicted");
    for (kernel, l) in named.iter().take(WORST) {
        println!("{:+6.0} % {:>9} {:>9} {kernel} {}", 100.0 * l.off(), l.measured, l.predicted, l.name);
    }
}
