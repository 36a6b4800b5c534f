//! Property: a part of an operator's results, computed from the parts of the operands that its access maps name, is
//! that part of the whole. Random networks behind all passes, random parts, integers bit for bit; also of chains of
//! layers, which are computed part by part together.
//!
//! `TILEWRIGHT_SEEDS=FIRST..LAST` chooses the networks (more of them, or the one that failed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::parts;
use common::random_graph::{Flavour, random_graph};
use common::seeds;
use tilewright::driver;
use tilewright::ir::verify::verify;
use tilewright::ir::{Node, TensorId, Value, interp, text};
use tilewright::passes;
use tilewright::runner::random::Random;
use tilewright::targets;
use tilewright::tiling::fusion::Layers;

#[test]
fn parts_of_results_are_computed_from_parts_of_operands() {
    let mut checked: BTreeMap<&'static str, usize> = BTreeMap::new();
    let host = driver::load_target("host", &[]).unwrap();
    for seed in seeds(0..300) {
        for flavour in [Flavour::Integer, Flavour::Float] {
            let graph = random_graph(seed, flavour, 12);
            let graph = passes::run(graph, &passes::Options::default(), &mut |_| {}).unwrap();
            let mut random = Random::new(seed);
            let inputs: Vec<Value> =
                graph.inputs().iter().map(|t| random.value(&graph.tensor(*t).ty, 100)).collect();
            let mut values: BTreeMap<TensorId, Value> = BTreeMap::new();
            values.extend(graph.tensors().filter_map(|(t, _)| Some((t, graph.constant(t)?.clone()))));
            values.extend(graph.inputs().iter().copied().zip(inputs.iter().cloned()));
            interp::run_with(&graph, &inputs, |id, results| {
                values.extend(graph.node(id).outputs.iter().copied().zip(results.iter().cloned()));
            })
            .unwrap();
            let verified = verify(graph.clone()).unwrap();
            let assignment = targets::assign(&verified, &host.platform, &host.library).unwrap_or_default();
            let layers = Layers::new(&graph, &assignment);
            let groups = layers.pairs().into_iter().chain(layers.longest(4));
            let chains: Vec<Node> = groups.filter_map(|g| layers.node(&g)).collect();
            for node in graph.nodes().map(|(_, node)| node).chain(&chains) {
                let of = |tensors: &[TensorId]| tensors.iter().map(|t| &values[t]).collect::<Vec<_>>();
                let (operands, results) = (of(&node.inputs), of(&node.outputs));
                let context = || format!("{}\n{}", node.name, text::print(&graph));
                for _ in 0..4 {
                    let has = parts::check(&node.op, &operands, &results, &mut random, &context);
                    *checked.entry(node.op.name()).or_default() += usize::from(has);
                }
            }
        }
    }
    println!("{checked:?}");
    for op in [
        "Conv",
        "MatMul",
        "Gemm",
        "Add",
        "MaxPool",
        "AveragePool",
        "Softmax",
        "Transpose",
        "RequantShift",
        "Chain",
    ] {
        assert!(checked.get(op).is_some_and(|n| *n > 0), "no part of {op} was checked: {checked:?}");
    }
}
