//! Property: passes change no network's results. Random networks through the interpreter, before and behind each
//! pass: integers agree bit for bit.
//!
//! `TILEWRIGHT_SEEDS=FIRST..LAST` chooses the networks (more of them, or the one that failed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::random_graph::{Flavour, random_graph};
use common::seeds;
use tilewright::ir::{Graph, Value, interp, text, verify};
use tilewright::passes;
use tilewright::runner::random::Random;

fn inputs(graph: &Graph, seed: u64) -> Vec<Value> {
    let mut random = Random::new(seed);
    graph.inputs().iter().map(|t| random.value(&graph.tensor(*t).ty, 100)).collect()
}

/// Floats may be rounded in other places: an error of 1e-4 of the largest element is allowed.
fn same(a: &Value, b: &Value) -> bool {
    if let (Value::F32(a), Value::F32(b)) = (a, b) {
        let largest = a.iter().fold(1.0f32, |m, x| m.max(x.abs()));
        return a.shape() == b.shape()
            && a.iter().zip(b).all(|(x, y)| x == y || (x - y).abs() <= 1e-4 * largest);
    }
    a == b
}

/// Runs pass by pass and stops at the first that changes a result; notes in `active` those that change the graph.
fn check(seed: u64, flavour: Flavour, active: &mut BTreeSet<&'static str>) {
    let before = random_graph(seed, flavour, 12);
    let faults = verify::check(&before);
    assert!(faults.0.is_empty(), "seed {seed}: {faults}\n{}", text::print(&before));
    let inputs = inputs(&before, seed);
    let expected = interp::run(&before, &inputs).unwrap();
    let mut graph = before;
    for pass in passes::PIPELINE {
        let previous = graph.clone();
        let show = |g: &Graph| text::print(g);
        let changed = pass.run(&mut graph);
        let failed = |e| panic!("seed {seed}, {}: {e}\n{}", pass.name, show(&previous));
        if !changed.unwrap_or_else(failed) {
            assert_eq!(graph, previous, "seed {seed}: pass {} changes more than it says", pass.name);
            continue;
        }
        active.insert(pass.name);
        let faults = verify::check(&graph);
        let context = || format!("seed {seed}, pass {}\n{}{}", pass.name, show(&previous), show(&graph));
        assert!(faults.0.is_empty(), "{faults}\n{}", context());
        let found = interp::run(&graph, &inputs).unwrap_or_else(|e| panic!("{e}\n{}", context()));
        for (i, (e, f)) in expected.iter().zip(&found).enumerate() {
            assert!(same(e, f), "output {i} was\n{e:?}\nand is\n{f:?}\n{}", context());
        }
    }
    for (_, node) in graph.nodes() {
        let attributes = node.op.attributes();
        assert_ne!(attributes.get("layout").and_then(|l| l.as_str()), Some("channels_first"), "seed {seed}");
    }
}

/// Checks many networks; together they must exercise these passes.
fn check_all(flavour: Flavour, expected: &[&str]) {
    let mut active = BTreeSet::new();
    seeds(0..300).for_each(|seed| check(seed, flavour, &mut active));
    if std::env::var_os("TILEWRIGHT_SEEDS").is_none() {
        let idle: Vec<_> = expected.iter().filter(|p| !active.contains(*p)).collect();
        assert!(idle.is_empty(), "no network made these passes do anything: {idle:?}");
    }
}

#[test]
fn integer_networks_keep_every_bit() {
    check_all(
        Flavour::Integer,
        &[
            "no_ops",
            "data_movement",
            "padding",
            "fuse_transpose",
            "fuse_bias",
            "fuse_requant",
            "lookup",
            "layout",
        ],
    );
}

#[test]
fn float_networks_keep_their_results() {
    check_all(
        Flavour::Float,
        &["no_ops", "data_movement", "batch_norm", "padding", "fuse_bias", "fuse_activation", "layout"],
    );
}
