//! Property: a plan that was changed is refused, or still computes the same. Plans of real networks with one decision
//! changed (and of random ones, tensors of which leave L2 for a while) go to the validator; what it lets pass is built and runs on the checked simulator.
//!
//! `TILEWRIGHT_SEEDS=FIRST..LAST` chooses the changes (more of them, or the one that failed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

#[path = "mutations/kinds.rs"]
mod kinds;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::random_graph::{Flavour, large_random_graph};
use common::{least_arena, seeds};
use kinds::KINDS;
use tilewright::driver::{self, CompileOptions, Draft, PlanSource, TilingOptions};
use tilewright::ir::{DType, text};
use tilewright::runner::execute::execute;
use tilewright::runner::random::Random;
use tilewright::runner::suite::Workspace;
use tilewright::runner::{Case, ChipOptions, RunOptions, Status};
use tilewright::tiling::Plan;
use tilewright::tiling::tiles::Buffering;

/// Networks and how they are tiled: bytes of L1, buffering, constants outside.
const PLANS: [(&str, u64, Buffering, bool); 8] = [
    ("Int8/KeywordSpotting", 16_000, Buffering::Auto, false),
    ("Int8/KeywordSpotting", 200_000, Buffering::Auto, true),
    ("Int8/KeywordSpotting", 12_000, Buffering::Single, false),
    ("Int8/Attention", 8_000, Buffering::Double, false),
    ("Int8/Attention", 5_000, Buffering::Single, true),
    ("Int8/AutoEncoder", 3_000, Buffering::Double, true),
    ("Int8/AutoEncoder", 8_000, Buffering::Auto, false),
    ("Int8/Attention", 60_000, Buffering::Auto, true),
];

/// How many random networks join them, of which tensors leave the least L2 there can be.
const SPILLED: usize = 5;

/// How a changed plan fared.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    refused: usize,
    /// Let pass, and it computes the same without a finding.
    harmless: usize,
    missed: usize,
}

/// Random networks with several tensors that leave L2.
fn spilled(dir: &Path) -> Vec<(PathBuf, CompileOptions, Draft)> {
    let plans = (0..200).filter_map(|seed| {
        let model = dir.join(format!("random{seed}.ir"));
        std::fs::write(&model, text::print(&large_random_graph(seed, Flavour::Integer, 12))).unwrap();
        let mut options = options(3_000, Buffering::Auto, seed % 2 == 0);
        options.tiling.arena = Some(least_arena(&model, &options).ok()?);
        let draft = driver::draft(&model, &options).ok()?;
        (draft.plan.spills.len() > 1).then_some((model, options, draft))
    });
    plans.take(SPILLED).collect()
}

fn options(l1: u64, buffering: Buffering, external: bool) -> CompileOptions {
    CompileOptions {
        target: "siracusa".into(),
        default_integer: Some(DType::S8),
        tiling: TilingOptions {
            scratchpad: Some(l1),
            buffering,
            external: Some(external),
            ..TilingOptions::default()
        },
        ..CompileOptions::default()
    }
}

/// Builds and runs a plan on the checked simulator: what is wrong with it.
fn run(model: &Path, compile: &CompileOptions, plan: Plan, workspace: &Workspace) -> Option<String> {
    let plan = PlanSource::Given(Box::new(plan));
    let options = RunOptions {
        compile: CompileOptions { plan, ..compile.clone() },
        cc: None,
        sanitize: false,
        timeout: std::time::Duration::from_secs(60),
        tolerance: 1e-3,
        twice: false,
        chip: ChipOptions { max_cycles: 100_000_000, ..ChipOptions::default() },
    };
    let case = Case { name: "mutant".into(), model: model.to_path_buf(), data: vec![] };
    let dir = workspace.case("mutant").unwrap();
    let outcome = execute(&case, &options, &dir, &workspace.cache().unwrap());
    // Without goldens a case cannot pass: "skipped" says that it equals the interpreter.
    (outcome.result.status != Status::Skip).then(|| outcome.result.reason.unwrap_or_default())
}

#[test]
fn changed_plans_are_refused_or_compute_the_same() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("DeployTest/Models");
    let workspace = Workspace::new(None).unwrap();
    let dir = workspace.case("random").unwrap();
    let drafts: Vec<(PathBuf, CompileOptions, Draft)> = PLANS
        .iter()
        .map(|(name, l1, buffering, external)| {
            let model = models.join(name).join("network.onnx");
            let options = options(*l1, *buffering, *external);
            let draft = driver::draft(&model, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
            draft.check(draft.plan.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
            (model, options, draft)
        })
        .chain(spilled(&dir))
        .collect();
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut missed = Vec::new();
    for seed in seeds(0..222) {
        let mut random = Random::new(seed);
        let (name, change) = KINDS[seed as usize % KINDS.len()];
        let at = random.int(0, drafts.len() as i64 - 1) as usize;
        // Not every plan has what is to be changed: the next one then.
        let changed = (0..drafts.len()).find_map(|i| {
            let (model, options, draft) = &drafts[(at + i) % drafts.len()];
            let mut plan = draft.plan.clone();
            let what = (0..20).find_map(|_| change(draft, &mut plan, &mut random))?;
            (plan != draft.plan).then_some((model, options, draft, plan, what))
        });
        let Some((model, options, draft, plan, what)) = changed else {
            println!("seed {seed}: no plan has anything for `{name}`");
            continue;
        };
        let count = counts.entry(name).or_default();
        let Ok(_) = draft.check(plan.clone()) else {
            count.refused += 1;
            continue;
        };
        match run(model, options, plan, &workspace) {
            None => count.harmless += 1,
            Some(reason) => {
                count.missed += 1;
                missed.push(format!("seed {seed}: {name}: {what}, {}: {reason}", model.display()));
            }
        }
        if std::env::var("TILEWRIGHT_SEEDS").is_ok() {
            println!("seed {seed}: {name}: {what}, {}: let pass", model.display());
        }
    }
    println!("{:30} {:>7} {:>8} {:>6}", "", "refused", "harmless", "missed");
    for (name, c) in &counts {
        println!("{name:30} {:7} {:8} {:6}", c.refused, c.harmless, c.missed);
    }
    let total: usize = counts.values().map(|c| c.refused + c.missed).sum();
    assert!(missed.len() * 100 <= total, "{} of {total} missed:\n{}", missed.len(), missed.join("\n"));
}
