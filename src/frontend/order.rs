//! Execution order of a model's nodes, and the faults of its wiring.
//!
//! In: nodes in file order and the names known before them. Out: indices in execution order, or every
//! duplicate, undefined tensor and cycle found. Never looks at what nodes compute.

use std::collections::{BTreeMap, BTreeSet};

use super::proto::{GraphProto, NodeProto};
use crate::diag::{Diagnostic, Diagnostics, Result};

/// How a node is called in messages: its name, or operator and position.
pub fn label(node: &NodeProto, index: usize) -> String {
    match node.name() {
        "" => format!("{}_{index}", if node.op_type().is_empty() { "node" } else { node.op_type() }),
        name => name.to_string(),
    }
}

/// The nodes so that producers precede consumers; file order where that leaves a choice.
///
/// # Errors
/// Tensors with two producers, tensors nobody produces (`outputs` must be produced as well), cycles.
pub fn sort(nodes: &[NodeProto], known: &dyn Fn(&str) -> bool, outputs: &[&str]) -> Result<Vec<usize>> {
    let mut found = Diagnostics::default();
    let producers = producers(nodes, known, &mut found);
    let mut missing: Vec<usize> = vec![0; nodes.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        let mut names = BTreeSet::new();
        operands(node, &mut names);
        let mut from = BTreeSet::new();
        for name in names {
            match producers.get(name) {
                Some(p) => {
                    from.insert(*p);
                }
                None if known(name) => {}
                None => found.push(undefined(
                    name,
                    &format!("read by node `{}` ({})", label(node, i), node.op_type()),
                )),
            }
        }
        missing[i] = from.len();
        from.iter().for_each(|p| readers[*p].push(i));
        before[i] = from.into_iter().collect();
    }
    for name in outputs.iter().filter(|n| !producers.contains_key(**n) && !known(n)) {
        found.push(undefined(name, "an output of the graph"));
    }
    let order = drain(&mut missing, &readers);
    if order.len() < nodes.len() {
        found.push(cycle(nodes, &missing, &before));
    }
    found.into_result(order)
}

fn producers<'n>(
    nodes: &'n [NodeProto],
    known: &dyn Fn(&str) -> bool,
    found: &mut Diagnostics,
) -> BTreeMap<&'n str, usize> {
    let mut producers = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for name in node.output.iter().filter(|n| !n.is_empty()) {
            let first = producers.insert(name.as_str(), i);
            let other = match first {
                Some(j) => format!("of node `{}`", label(&nodes[j], j)),
                None if known(name) => "an input or initialiser".to_string(),
                None => continue,
            };
            found.push(
                Diagnostic::invalid(format!("`{name}` is produced twice: it is also {other}"))
                    .at(label(node, i), node.op_type())
                    .help("a tensor has one producer; give the results different names"),
            );
        }
    }
    producers
}

fn undefined(name: &str, what: &str) -> Diagnostic {
    Diagnostic::invalid(format!(
        "tensor `{name}` is undefined: it is {what}, but no input, initialiser or node gives it"
    ))
    .help("an initialiser may be missing: export the model with its parameters")
}

/// Kahn's algorithm; `missing` keeps a count above 0 for nodes on or behind a cycle.
fn drain(missing: &mut [usize], readers: &[Vec<usize>]) -> Vec<usize> {
    let mut ready: BTreeSet<usize> = (0..missing.len()).filter(|i| missing[*i] == 0).collect();
    let mut order = Vec::with_capacity(missing.len());
    while let Some(i) = ready.pop_first() {
        order.push(i);
        for r in &readers[i] {
            missing[*r] -= 1;
            if missing[*r] == 0 {
                ready.insert(*r);
            }
        }
    }
    order
}

/// One cycle, spelt out.
fn cycle(nodes: &[NodeProto], missing: &[usize], before: &[Vec<usize>]) -> Diagnostic {
    let stuck = |i: &usize| missing[*i] > 0;
    let mut path: Vec<usize> = Vec::new();
    let mut position: BTreeMap<usize, usize> = BTreeMap::new();
    let mut at = (0..nodes.len()).find(stuck);
    // Every stuck node has a stuck predecessor, so walking backwards must come round.
    while let Some(i) = at {
        if let Some(start) = position.insert(i, path.len()) {
            path.drain(..start);
            break;
        }
        path.push(i);
        at = before[i].iter().copied().find(|p| stuck(p));
    }
    path.reverse();
    let first = path.iter().enumerate().min_by_key(|(_, i)| **i).map_or(0, |(at, _)| at);
    path.rotate_left(first);
    let mut names: Vec<String> =
        path.iter().take(8).map(|i| format!("`{}`", label(&nodes[*i], *i))).collect();
    if path.len() > 8 {
        names.push("…".into());
    }
    names.extend(names.first().cloned());
    Diagnostic::invalid(format!("the graph has a cycle: {}", names.join(" → ")))
        .help("a network must be acyclic; unroll recurrent connections")
}

/// Names a node reads, those its subgraphs capture included.
pub fn operands<'n>(node: &'n NodeProto, names: &mut BTreeSet<&'n str>) {
    names.extend(node.input.iter().map(String::as_str).filter(|n| !n.is_empty()));
    for a in &node.attribute {
        a.g.iter().map(|g| &**g).chain(&a.graphs).for_each(|g| captured(g, names));
    }
}

fn captured<'n>(graph: &'n GraphProto, names: &mut BTreeSet<&'n str>) {
    let mut inner = BTreeSet::new();
    graph.node.iter().for_each(|n| operands(n, &mut inner));
    inner.extend(graph.output.iter().map(|o| o.name()));
    let own: BTreeSet<&str> = (graph.node.iter().flat_map(|n| &n.output).map(String::as_str))
        .chain(graph.input.iter().map(|i| i.name()))
        .chain(graph.initializer.iter().map(|t| t.name()))
        .chain(graph.sparse_initializer.iter().filter_map(|s| s.values.as_ref()).map(|t| t.name()))
        .collect();
    names.extend(inner.difference(&own));
}
