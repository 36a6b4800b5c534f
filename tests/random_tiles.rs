//! Property: networks computed in parts compute what the interpreter does. Random networks for siracusa, with as little L1
//! as they can be computed in and with more, buffered in every way, layers by themselves and together, constants inside and
//! outside of the chip, with as much L2 as there is and with so little that tensors leave it for a while, on one to eight
//! cores; the checked simulator has no finding, and integers agree bit for bit.
//!
//! `TILEWRIGHT_SEEDS=FIRST..LAST` chooses the networks (more of them, or the one that failed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Mutex;

use common::random_graph::{Flavour, large_random_graph};
use common::{least_arena, seeds};
use tilewright::diag::Kind;
use tilewright::driver::{self, CompileOptions, PlanSource, TilingOptions};
use tilewright::ir::text;
use tilewright::runner::execute::execute;
use tilewright::runner::random::Random;
use tilewright::runner::suite::Workspace;
use tilewright::runner::{Case, ChipOptions, RunOptions, Status};
use tilewright::tiling::fusion::Fusion;
use tilewright::tiling::tiles::Buffering;

/// More L1 than the least, in bytes.
const MORE: [u64; 6] = [0, 0, 64, 400, 2_000, 20_000];

/// How much L2: all, or thousandths of the way from the least to all that is used of it.
const L2: [Option<u64>; 5] = [None, Some(0), Some(0), Some(300), Some(900)];

fn options(seed: u64) -> (CompileOptions, u64, Option<u64>, u32) {
    let mut random = Random::new(seed ^ 0x7411);
    let mut below = |n: usize| random.int(0, n as i64 - 1) as usize;
    let buffering = [Buffering::Auto, Buffering::Single, Buffering::Double][below(3)];
    let fusion = [Fusion::Auto, Fusion::Longest, Fusion::Longest, Fusion::Off][below(4)];
    let tiling =
        TilingOptions { buffering, fusion, external: Some(below(2) == 1), ..TilingOptions::default() };
    let compile = CompileOptions { target: "siracusa".into(), tiling, ..CompileOptions::default() };
    (compile, MORE[below(MORE.len())], L2[below(L2.len())], 1 + below(8) as u32)
}

/// The least L1 in which a network can be computed: what the refusal of none of it says. None if no kernel computes it.
fn least(model: &std::path::Path, compile: &CompileOptions) -> Result<Option<u64>, String> {
    let mut l1 = 8;
    for _ in 0..4 {
        let tiling = TilingOptions { scratchpad: Some(l1), ..compile.tiling };
        let refusal = match driver::draft(model, &CompileOptions { tiling, ..compile.clone() }) {
            Ok(_) => return Ok(Some(l1)),
            Err(refusal) if refusal.exit_code() == Kind::Infeasible.exit_code() => refusal.to_string(),
            // Such as a window that lies wholly in the padding.
            Err(refusal) if refusal.exit_code() == Kind::Unsupported.exit_code() => return Ok(None),
            Err(other) => return Err(other.to_string()),
        };
        let said = refusal.split("--L1 ").nth(1).or_else(|| refusal.split("--l1 ").nth(1)).unwrap_or("");
        let said = said.split(' ').next().and_then(|n| n.parse::<u64>().ok());
        l1 = said.filter(|n| *n > l1).unwrap_or(l1 + 256);
    }
    Ok(Some(l1))
}

/// Bytes of L2 that a network takes if it may have all, constants among them.
fn all_arena(model: &std::path::Path, compile: &CompileOptions) -> u64 {
    let compiled = driver::compile(model, compile).unwrap();
    let constants = compiled.sources.report.totals.weight_bytes;
    (compiled.plan.arenas[0].bytes + constants) as u64
}

/// Whether a plan that was saved gives the same sources.
fn saved_again(model: &std::path::Path, compile: &CompileOptions) -> Result<(), String> {
    let made = driver::compile(model, compile).map_err(|e| e.to_string())?;
    let file = model.with_extension("json");
    std::fs::write(&file, made.saved_plan().unwrap()).unwrap();
    let options = CompileOptions { plan: PlanSource::Saved(file), ..compile.clone() };
    let again = driver::compile(model, &options).map_err(|e| format!("saved plan: {e}"))?;
    if made.sources.files == again.sources.files { Ok(()) } else { Err("a saved plan differs".into()) }
}

/// Whether a right network has layers in parts, and tensors that leave L2; none if it was refused.
fn check(seed: u64, flavour: Flavour, workspace: &Workspace) -> Result<Option<(bool, bool)>, String> {
    let (mut compile, more, l2, cores) = options(seed);
    let name = format!("{flavour:?}{seed}");
    let dir = workspace.case(&name).unwrap();
    let model = dir.join("random.ir");
    std::fs::write(&model, text::print(&large_random_graph(seed, flavour, 8))).unwrap();
    let Some(least) = least(&model, &compile)? else { return Ok(None) };
    // Sums in pieces may need less than the least part that sums everything.
    let l1 = if seed % 5 == 4 && l2.is_none() { least - least / 4 } else { least + more };
    compile.tiling.scratchpad = Some(l1);
    if let Some(part) = l2 {
        let (least, all) = (least_arena(&model, &compile)?, all_arena(&model, &compile));
        compile.tiling.arena = Some(least + all.saturating_sub(least) * part / 1000);
        saved_again(&model, &compile)?;
    }
    let options = RunOptions {
        compile,
        cc: None,
        sanitize: false,
        timeout: std::time::Duration::from_secs(60),
        tolerance: if flavour == Flavour::Integer { 0.0 } else { 1e-2 },
        twice: true,
        chip: ChipOptions { cores: Some(cores), max_cycles: 100_000_000, ..ChipOptions::default() },
    };
    let case = Case { name, model, data: vec![] };
    let outcome = execute(&case, &options, &dir, &workspace.cache().unwrap());
    let _ = std::fs::remove_dir_all(&dir);
    let what = format!("{flavour:?} l1 {l1}, {:?}, {cores} cores", options.compile.tiling);
    match outcome.result.status {
        // Without goldens a case cannot pass: "skipped" says that it equals the interpreter.
        Status::Skip => {
            let plan = outcome.compiled.map(|c| (!c.plan.tiled.is_empty(), !c.plan.spills.is_empty()));
            Ok(plan)
        }
        Status::Refused if l2.is_none() => Ok(None),
        _ => Err(format!("{what}: {}", outcome.result.reason.unwrap_or_default())),
    }
}

fn check_all(flavour: Flavour, usual: std::ops::Range<u64>) {
    let workspace = Workspace::new(None).unwrap();
    let queue = Mutex::new(seeds(usual));
    let failed = Mutex::new(Vec::new());
    let counts = Mutex::new((0, 0, 0, 0));
    let work = || {
        loop {
            let Some(seed) = queue.lock().unwrap().next() else { break };
            match check(seed, flavour, &workspace) {
                Ok(plan) => {
                    let mut counts = counts.lock().unwrap();
                    counts.0 += usize::from(plan.is_some());
                    counts.1 += usize::from(plan.is_some_and(|(parts, _)| parts));
                    counts.2 += usize::from(plan.is_some_and(|(_, spills)| spills));
                    counts.3 += usize::from(plan.is_none());
                }
                Err(reason) => failed.lock().unwrap().push(format!("seed {seed}: {reason}")),
            }
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let (right, parts, spills, refused) = *counts.lock().unwrap();
    println!(
        "{right} right, {parts} of them with layers in parts, {spills} with tensors that leave L2; {refused} refused"
    );
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(parts > 0, "no network has a layer in parts");
    assert!(spills > 0, "in no network anything leaves L2");
}

#[test]
fn integer_networks_in_parts_agree_bit_for_bit() {
    check_all(Flavour::Integer, 16..32);
}

#[test]
fn float_networks_in_parts_agree() {
    check_all(Flavour::Float, 0..8);
}
