//! Property: networks whose layers are computed row by row compute what the interpreter does. Random networks of convolutions,
//! pools and additions on the host, with as little RAM as there is a plan for and with a little more; integers agree bit for
//! bit. And plans with one decision changed are refused, or still compute the same.
//!
//! `TILEWRIGHT_SEEDS=FIRST..LAST` chooses the networks (more of them, or the one that failed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};

use common::random_graph::picture_graph;
use common::seeds;
use tilewright::diag::Kind;
use tilewright::driver::{self, CompileOptions, Draft, PlanSource, TilingOptions};
use tilewright::ir::text;
use tilewright::runner::execute::execute;
use tilewright::runner::random::Random;
use tilewright::runner::suite::Workspace;
use tilewright::runner::{Case, ChipOptions, RunOptions, Status};
use tilewright::tiling::streaming::{Step, Streaming};
use tilewright::tiling::{Home, Plan};

fn options(budget: u64) -> CompileOptions {
    let tiling = TilingOptions { ram_budget: Some(budget), ..TilingOptions::default() };
    CompileOptions { target: "host".into(), tiling, ..CompileOptions::default() }
}

/// The least budget: what the refusal of one byte says.
fn least(model: &Path) -> u64 {
    let refusal = driver::draft(model, &options(1)).expect_err("one byte is enough");
    assert_eq!(refusal.exit_code(), Kind::Infeasible.exit_code(), "{refusal}");
    let text = refusal.to_string();
    let said = text.split("--ram-budget ").nth(1).and_then(|s| s.split(' ').next());
    said.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

/// Builds and runs a network: what is wrong with it.
fn run(model: &Path, compile: CompileOptions, workspace: &Workspace) -> Option<String> {
    let options = RunOptions {
        compile,
        cc: None,
        sanitize: false,
        timeout: std::time::Duration::from_secs(60),
        tolerance: 0.0,
        twice: false,
        chip: ChipOptions::default(),
    };
    let case = Case { name: "rows".into(), model: model.to_path_buf(), data: vec![] };
    let dir = workspace.case("rows").unwrap();
    let outcome = execute(&case, &options, &dir, &workspace.cache().unwrap());
    // Without goldens a case cannot pass: "skipped" says that it equals the interpreter.
    (outcome.result.status != Status::Skip).then(|| outcome.result.reason.unwrap_or_default())
}

fn model(seed: u64, workspace: &Workspace) -> PathBuf {
    let model = workspace.case(&format!("network{seed}")).unwrap().join("random.ir");
    std::fs::write(&model, text::print(&picture_graph(seed))).unwrap();
    model
}

#[test]
fn networks_row_by_row_agree_bit_for_bit() {
    let workspace = Workspace::new(None).unwrap();
    let (mut streamed, mut overlaid, mut residual) = (0, 0, 0);
    for seed in seeds(0..10) {
        let model = model(seed, &workspace);
        let least = least(&model);
        let apart = driver::draft(&model, &options(u64::MAX)).unwrap().plan.arenas[0].bytes as u64;
        for budget in [least, least + (apart - least) / 3] {
            let draft = driver::draft(&model, &options(budget)).unwrap();
            assert!(draft.plan.arenas[0].bytes as u64 <= budget, "seed {seed}: more than {budget}");
            streamed += draft.plan.streams.len();
            let over = |a: &&tilewright::tiling::Alias| a.kind == tilewright::tiling::AliasKind::Overlaid;
            overlaid += draft.plan.aliases.iter().filter(over).count();
            residual +=
                draft.plan.streamed.iter().flat_map(|g| &g.layers).filter(|l| l.starts_with("Add")).count();
            if !draft.plan.streams.is_empty() {
                let wrong = run(&model, options(budget), &workspace);
                assert!(wrong.is_none(), "seed {seed}, {budget} bytes: {}", wrong.unwrap_or_default());
            }
        }
    }
    println!("{streamed} groups of layers, {residual} additions in them, {overlaid} results over operands");
    assert!(streamed > 5 && overlaid > 0 && residual > 0, "too little was tried");
}

/// Changes one decision of a streamed node, or where something is.
fn change(plan: &mut Plan, random: &mut Random) -> Option<String> {
    let mut pick = |n: usize| random.int(0, n.max(1) as i64 - 1) as usize;
    let id = *plan.streams.keys().nth(pick(plan.streams.len()))?;
    let what = pick(11);
    let stream: &mut Streaming = plan.streams.get_mut(&id)?;
    let (at, other) = (pick(stream.steps.len()), pick(stream.steps.len()));
    let buffer = pick(stream.buffers.len());
    let rows = [1, 2, 4][pick(3)];
    match what {
        0 => drop(stream.steps.remove(at)),
        1 => stream.steps.insert(at, stream.steps[other].clone()),
        2 => stream.steps.swap(at, other),
        3 | 4 => match &mut stream.steps[at] {
            Step::Call { at, .. } => {
                let place = pick(at.len());
                at[place] = if what == 3 { at[place] + rows } else { at[place].checked_sub(rows)? };
            }
            Step::Slide { from, .. } => *from = from.checked_sub(1)?,
        },
        5 => match &mut stream.steps[at] {
            Step::Call { kind, .. } => *kind = pick(stream.kinds.len()),
            Step::Slide { rows: moved, .. } => *moved = moved.checked_sub(1)?,
        },
        6 => stream.buffers[buffer].rows = stream.buffers[buffer].rows.checked_sub(1)?,
        7 => stream.buffers[buffer].at += 16,
        8 => {
            let (a, b) = (pick(stream.kinds.len()), pick(stream.kinds.len()));
            let op = stream.kinds[a].op.clone();
            stream.kinds[b].op = op;
        }
        9 => {
            let Home::Arena { offset, .. } = plan.scratch.get_mut(&id)? else { return None };
            *offset = offset.checked_sub(16)?;
        }
        _ => {
            // What is written over an operand is written too late.
            let alias = plan.aliases.iter().find(|a| a.node == id)?;
            let Home::Arena { offset, .. } = plan.homes.get_mut(&alias.result)? else { return None };
            *offset += 16;
        }
    }
    Some(format!("change {what} of {id}"))
}

#[test]
fn changed_plans_are_refused_or_compute_the_same() {
    let workspace = Workspace::new(None).unwrap();
    let networks: Vec<(PathBuf, u64, Draft)> = (20..60)
        .filter_map(|seed| {
            let model = model(seed, &workspace);
            let least = least(&model);
            let draft = driver::draft(&model, &options(least)).unwrap();
            draft.check(draft.plan.clone()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            (!draft.plan.streams.is_empty()).then_some((model, least, draft))
        })
        .take(5)
        .collect();
    let (mut refused, mut harmless) = (0, 0);
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let (model, least, draft) = &networks[seed as usize % networks.len()];
        let mut plan = draft.plan.clone();
        let Some(what) = change(&mut plan, &mut random).filter(|_| plan != draft.plan) else { continue };
        if draft.check(plan.clone()).is_err() {
            refused += 1;
            continue;
        }
        // Some are right, such as two steps in another order that do not depend on each other: a few of them run.
        harmless += 1;
        if harmless <= 6 {
            let compile = CompileOptions { plan: PlanSource::Given(Box::new(plan)), ..options(*least) };
            let wrong = run(model, compile, &workspace);
            assert!(wrong.is_none(), "seed {seed}: {what}: {}", wrong.unwrap_or_default());
        }
    }
    println!("{refused} refused, {harmless} let pass");
    assert!(refused > 100 && harmless < refused / 4, "{refused} refused, {harmless} let pass");
}
