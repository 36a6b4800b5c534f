//! Property: a part of an operator's results, computed from the parts of the operands that its access maps name, is
//! that part of the whole. Random networks behind all passes, random parts, integers bit for bit; also of chains of
//! layers, which are computed part by part together.
//!
//! `TILEWRIGHT_SEEDS=FIRST..LAST` chooses the networks (more of them, or the one that failed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::random_graph::{Flavour, random_graph};
use common::seeds;
use tilewright::driver;
use tilewright::ir::access::{Region, Span, region};
use tilewright::ir::verify::verify;
use tilewright::ir::{Graph, Node, Op, TensorId, TensorType, Value, interp, text};
use tilewright::map_array;
use tilewright::passes;
use tilewright::runner::random::Random;
use tilewright::targets;
use tilewright::tiling::fusion::Layers;

fn below(random: &mut Random, n: usize) -> usize {
    random.int(0, n as i64 - 1) as usize
}

fn cut(value: &Value, region: &Region) -> Value {
    map_array!(value, a => {
        let mut part = a.view();
        for (axis, (begin, end)) in region.spans.iter().enumerate() {
            part.slice_axis_inplace(ndarray::Axis(axis), ndarray::Slice::from(*begin..*end));
        }
        part.to_owned()
    })
}

fn same(a: &Value, b: &Value) -> bool {
    if let (Value::F32(a), Value::F32(b)) = (a, b) {
        return a.shape() == b.shape()
            && a.iter().zip(b).all(|(x, y)| (x - y).abs() <= 1e-6 * x.abs() || x == y);
    }
    a == b
}

/// Compares one random part of a node; false if the operator has no parts.
fn check(graph: &Graph, node: &Node, values: &BTreeMap<TensorId, Value>, random: &mut Random) -> bool {
    let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
    let Some(space) = node.op.space(&inputs, &outputs) else { return false };
    if space.axes.contains(&0) {
        return false;
    }
    let part: Vec<Span> = (space.axes.iter())
        .map(|n| {
            let begin = below(random, *n);
            (begin, begin + 1 + below(random, n - begin))
        })
        .collect();
    let regions: Vec<Region> =
        space.operands.iter().zip(&inputs).map(|(r, t)| region(r, &t.shape, &part)).collect();
    assert_eq!(regions.len(), inputs.len(), "{}", node.op.name());
    // A window that lies wholly in the padding has no operand.
    if regions.iter().any(|r| r.shape().contains(&0)) {
        return false;
    }
    let operands: Vec<Value> = node.inputs.iter().zip(&regions).map(|(t, r)| cut(&values[t], r)).collect();
    let types: Vec<TensorType> = operands.iter().map(TensorType::of).collect();
    let op = node.op.part(&types, &regions[0].margins);
    let context = || format!("{} {types:?} part {part:?} of {:?}\n{}", node.name, space, text::print(graph));
    let made = match op.infer(&types) {
        Ok(made) => made,
        // A link of which this part needs nothing but padding.
        Err(_) if matches!(op, Op::Chain(_)) => return false,
        Err(e) => panic!("{e:?}\n{}", context()),
    };
    let found = op.reference(&operands.iter().collect::<Vec<_>>(), &made).unwrap();
    for ((reaches, t), found) in space.results.iter().zip(&node.outputs).zip(&found) {
        let whole = &values[t];
        let expected = cut(whole, &region(reaches, whole.shape(), &part));
        assert!(same(found, &expected), "{found:?}\n{expected:?}\n{}", context());
    }
    true
}

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
                for _ in 0..4 {
                    *checked.entry(node.op.name()).or_default() +=
                        usize::from(check(&graph, node, &values, &mut random));
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
