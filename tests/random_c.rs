//! Property: generated C computes what the interpreter does. Random networks through all stages, built with
//! warnings as errors and the sanitizers, run on random inputs; integers agree bit for bit.
//!
//! `TILEWRIGHT_SEEDS=FIRST..LAST` chooses the networks (more of them, or the one that failed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::random_graph::{Flavour, random_graph};
use common::seeds;
use tilewright::driver::CompileOptions;
use tilewright::ir::text;
use tilewright::runner::suite::{self, Workspace};
use tilewright::runner::{Case, RunOptions, Status};

fn check_all(flavour: Flavour, tolerance: f64) {
    let folder = tempfile::tempdir().unwrap();
    let case = |seed: u64| {
        let model = folder.path().join(format!("random{seed}.ir"));
        std::fs::write(&model, text::print(&random_graph(seed, flavour, 12))).unwrap();
        Case { name: format!("seed {seed}"), model, data: vec![] }
    };
    let cases: Vec<Case> = seeds(0..8).map(case).collect();
    let options = RunOptions {
        compile: CompileOptions { target: "host".into(), ..CompileOptions::default() },
        cc: None,
        sanitize: true,
        timeout: std::time::Duration::from_secs(60),
        tolerance,
        twice: true,
        chip: tilewright::runner::ChipOptions::default(),
    };
    let workspace = Workspace::new(None).unwrap();
    let report = suite::run(&cases, &options, 2, &workspace, &mut |_, _, _| {}).unwrap();
    // Without goldens a case cannot pass: "skipped" says that it equals the interpreter.
    let failed: Vec<_> = report.cases.iter().filter(|c| c.status != Status::Skip).collect();
    let show =
        |c: &&tilewright::runner::CaseResult| format!("{}: {}", c.name, c.reason.clone().unwrap_or_default());
    assert!(failed.is_empty(), "{}", failed.iter().map(show).collect::<Vec<_>>().join("\n"));
}

#[test]
fn integer_networks_agree_bit_for_bit() {
    check_all(Flavour::Integer, 0.0);
}

#[test]
fn float_networks_agree() {
    check_all(Flavour::Float, 1e-2);
}
