//! Every network of the peer suite loads, verifies, and computes its goldens in the reference interpreter.
//!
//! The suite lies beside the source tree (`../shared/peer-suite`), or where `TILEWRIGHT_SHARED` says; without it
//! the test passes and says so. `TILEWRIGHT_CASE` selects cases by a part of their name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use tilewright::frontend::{LoadOptions, data, import, read_model};
use tilewright::ir::{DType, Value, interp, verify};
use tilewright::runner::compare;

/// Allowed absolute error of floats.
const TOLERANCE: f64 = 1e-4;

fn suite() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("TILEWRIGHT_SHARED").map_or(beside, PathBuf::from);
    Some(shared.join("peer-suite")).filter(|p| p.is_dir())
}

fn networks(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            networks(&path, found);
        } else if path.ends_with("network.onnx") {
            found.push(path);
        }
    }
}

/// One line on success; what went wrong otherwise.
fn check(network: &Path) -> Result<String, String> {
    let text = |e: tilewright::diag::Diagnostics| e.to_string();
    let start = Instant::now();
    let model = read_model(network).map_err(text)?;
    let folder = network.parent().unwrap();
    let inputs = match data::read_npz(&folder.join("inputs.npz")) {
        Ok(inputs) => inputs,
        Err(_) if !folder.join("inputs.npz").exists() => Vec::new(),
        Err(e) => return Err(text(e)),
    };
    let default_integer = Some(DType::S8).filter(|_| inputs.is_empty());
    let options = LoadOptions { default_integer, ..LoadOptions::default() }.with_data(&model, &inputs);
    let begin = Instant::now();
    let loaded = import(&model, &options).map_err(text)?;
    let (total, only_import) = (start.elapsed(), begin.elapsed());
    let graph = verify::verify(loaded.graph).map_err(text)?.into_graph();
    let time = format!("{total:?} ({only_import:?} import), {} warnings", loaded.warnings.0.len());
    if inputs.is_empty() {
        return Ok(format!("loaded in {time}, no data"));
    }
    let values: Vec<Value> = (graph.inputs().iter().zip(&inputs))
        .map(|(id, (_, value))| value.cast(graph.tensor(*id).ty.dtype))
        .collect();
    let results = interp::run(&graph, &values).map_err(text)?;
    let goldens = data::read_npz(&folder.join("outputs.npz")).map_err(text)?;
    let names: Vec<String> = graph.outputs().iter().map(|o| o.name.clone()).collect();
    let goldens: Vec<Value> = goldens.into_iter().map(|(_, v)| v).take(names.len()).collect();
    let c = compare::compare_all(&names, &results, &goldens, TOLERANCE).map_err(text)?;
    if c.equal() {
        Ok(format!("equal, loaded in {time}, max error {:e}", c.max_error))
    } else {
        let types: Vec<String> =
            graph.outputs().iter().map(|o| graph.tensor(o.tensor).ty.to_string()).collect();
        Err(format!(
            "{} of {} elements differ, at most by {} ({})",
            c.mismatches,
            c.elements,
            c.max_error,
            types.join(", ")
        ))
    }
}

#[test]
fn every_network_loads_and_computes_its_goldens() {
    let Some(suite) = suite() else {
        eprintln!("the peer suite is not here: nothing to do");
        return;
    };
    let wanted = std::env::var("TILEWRIGHT_CASE").unwrap_or_default();
    let mut found = Vec::new();
    networks(&suite, &mut found);
    let mut failed = Vec::new();
    for network in found.iter().filter(|n| n.to_string_lossy().contains(&wanted)) {
        let name = network.parent().unwrap().strip_prefix(&suite).unwrap().display().to_string();
        match check(network) {
            Ok(line) => println!("ok   {name}: {line}"),
            Err(e) => {
                println!("FAIL {name}: {e}");
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "{} networks failed: {}", failed.len(), failed.join(", "));
}
