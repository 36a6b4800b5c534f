//! Every case keeps its results through the passes: the interpreter on the network as loaded and behind the passes
//! agrees, integers bit for bit. The cases of `DeployTest`, and of the peer suite where it is found (see
//! `load_suite.rs`).
//!
//! `TILEWRIGHT_CASE` selects cases by a part of their name and shows each pass's time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use tilewright::frontend::{LoadOptions, import, read_model};
use tilewright::ir::{DType, Value, interp, verify};
use tilewright::passes;
use tilewright::runner::cases::{self, Case};
use tilewright::runner::inputs::{bind, read_inputs};
use tilewright::runner::random::Random;

/// Allowed absolute error of floats: fusion rounds less often.
const TOLERANCE: f64 = 1e-4;

fn folders() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("TILEWRIGHT_SHARED").map_or(here.join("../shared"), PathBuf::from);
    [here.join("DeployTest"), shared.join("peer-suite")].into_iter().filter(|f| f.is_dir()).collect()
}

fn differences(before: &Value, after: &Value) -> usize {
    if before.dtype() != after.dtype() || before.shape() != after.shape() {
        return usize::MAX;
    }
    let (a, b) = (before.to_f64(), after.to_f64());
    let tolerance = if before.dtype().is_float() { TOLERANCE } else { 0.0 };
    a.iter()
        .zip(&b)
        .filter(|(a, b)| !(a == b || (*a - *b).abs() <= tolerance || (a.is_nan() && b.is_nan())))
        .count()
}

/// The passes' time, or what went wrong.
fn check(case: &Case, show: bool) -> Result<Duration, String> {
    let text = |e: tilewright::diag::Diagnostics| e.to_string();
    let model = read_model(&case.model).map_err(text)?;
    let arrays = case.data.first().map(read_inputs).transpose().map_err(text)?.unwrap_or_default();
    let mut options = LoadOptions::default().with_data(&model, &arrays);
    if arrays.is_empty() {
        // Without data nothing says what integers stored as floats are; random bytes will do.
        options.input_types = model.input_names().into_iter().map(|name| (name.into(), DType::U8)).collect();
    }
    let loaded = import(&model, &options).map_err(text)?;
    let before = verify::verify(loaded.graph).map_err(text)?.into_graph();
    let inputs = if arrays.is_empty() {
        let mut random = Random::new(1);
        before.inputs().iter().map(|t| random.value(&before.tensor(*t).ty, 8)).collect()
    } else {
        bind(&before, &arrays).map_err(text)?.0
    };
    let mut time = Duration::ZERO;
    let after = passes::run(before.clone(), &passes::Options::default(), &mut |r| {
        if show {
            eprintln!(
                "    {:20} {:>9.3?} {:>4} nodes{}",
                r.pass,
                r.time,
                r.nodes,
                if r.changed { " *" } else { "" }
            );
        }
        time += r.time;
    })
    .map_err(text)?;
    let after = verify::verify(after).map_err(text)?;
    let expected = interp::run(&before, &inputs).map_err(text)?;
    let found = interp::run(&after, &inputs).map_err(text)?;
    for (i, (e, f)) in expected.iter().zip(&found).enumerate() {
        match differences(e, f) {
            0 => {}
            n => return Err(format!("output {i}: {n} elements differ")),
        }
    }
    Ok(time)
}

#[test]
fn every_case_keeps_its_results() {
    let wanted = std::env::var("TILEWRIGHT_CASE").ok();
    let cases = cases::find(&folders()).unwrap();
    let mut failed = 0;
    for case in cases.iter().filter(|c| wanted.as_ref().is_none_or(|w| c.name.contains(w))) {
        match check(case, wanted.is_some()) {
            Ok(time) => eprintln!("ok   {:60} passes {time:.3?}", case.name),
            Err(e) => {
                failed += 1;
                eprintln!("FAIL {:60} {e}", case.name);
            }
        }
    }
    assert_eq!(failed, 0, "{failed} cases change their results");
}
