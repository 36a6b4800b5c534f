//! Graphviz. In: a graph. Out: text for `dot -Tsvg`. Never shows constants' values.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::ir::graph::Graph;

/// The graph as a Graphviz digraph: a box per node, an edge per tensor, labelled with its type.
pub fn dot(graph: &Graph) -> String {
    let mut out = format!("digraph {} {{\n  node [shape=box, fontname=monospace];\n", quoted(&graph.name));
    let uses = graph.uses();
    for id in graph.inputs() {
        let tensor = graph.tensor(*id);
        let _ = writeln!(
            out,
            "  {id} [shape=oval, label={}];",
            quoted(&format!("{}\n{}", tensor.name, tensor.ty))
        );
    }
    for (id, node) in graph.nodes() {
        let label = format!("{}\n{}", node.op.name(), node.name);
        let _ = writeln!(out, "  {id} [label={}];", quoted(&label));
        for t in &node.inputs {
            let from = match uses.producer(*t) {
                Some((producer, _)) => producer.to_string(),
                None if graph.inputs().contains(t) => t.to_string(),
                None => continue,
            };
            let ty = graph.get_tensor(*t).map(|t| t.ty.to_string()).unwrap_or_default();
            let _ = writeln!(out, "  {from} -> {id} [label={}];", quoted(&ty));
        }
    }
    for (i, output) in graph.outputs().iter().enumerate() {
        let _ = writeln!(out, "  out{i} [shape=oval, label={}];", quoted(&output.name));
        let from =
            uses.producer(output.tensor).map_or_else(|| output.tensor.to_string(), |(n, _)| n.to_string());
        let _ = writeln!(out, "  {from} -> out{i};");
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}
