//! Groups as nodes of the graph.
//!
//! In: a graph with its kernels, groups by the names of their layers. Out: the same with one `Streamed` node for each group,
//! and what it does step by step. Never decides which.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::Layer;
use super::schedule::{Link, schedule};
use super::{Group, Streaming};
use crate::diag::{Diagnostic, Result};
use crate::ir::ops::{Operator, Source, StreamLink, Streamed};
use crate::ir::verify::verify;
use crate::ir::{Graph, Node, NodeId, Patch, TensorId, Verified};
use crate::targets::{Assignment, Choice, Library};

/// The graph and kernels with a node for each group, and what those nodes do.
#[derive(Debug)]
pub struct Merged {
    /// The graph.
    pub graph: Verified,
    /// Its kernels.
    pub assignment: Assignment,
    /// What the groups' nodes do.
    pub streams: BTreeMap<NodeId, Streaming>,
}

/// Where the links of a group get their operands, and the operands of its node; `None` if a link reads a later one.
pub fn sources(graph: &Graph, ids: &[NodeId]) -> Option<(Vec<Vec<Source>>, Vec<TensorId>)> {
    let mut made: BTreeMap<TensorId, usize> = BTreeMap::new();
    let mut inputs = Vec::new();
    let mut all = Vec::new();
    for (i, id) in ids.iter().enumerate() {
        let node = graph.get_node(*id)?;
        let source = |t: &TensorId| match made.get(t) {
            Some(link) => Source::Link(*link),
            None => {
                inputs.push(*t);
                Source::Operand(inputs.len() - 1)
            }
        };
        all.push(node.inputs.iter().map(source).collect());
        made.extend(node.outputs.iter().map(|t| (*t, i)));
    }
    // What is made later than it is read would be an operand of the node and its own result.
    (!inputs.iter().any(|t| made.contains_key(t))).then_some((all, inputs))
}

/// Whether nobody outside of a group reads anything of it but its last result.
pub fn closed(graph: &Graph, ids: &[NodeId]) -> bool {
    let Some((last, others)) = ids.split_last() else { return false };
    let members: BTreeSet<NodeId> = ids.iter().copied().collect();
    let uses = graph.uses();
    let inside = |t: &TensorId| {
        let readers = uses.consumers(*t);
        !graph.is_output(*t) && !readers.is_empty() && readers.iter().all(|r| members.contains(r))
    };
    others.iter().all(|id| graph.node(*id).outputs.iter().all(inside)) && graph.node(*last).outputs.len() == 1
}

/// Merges groups.
///
/// # Errors
/// Layers that are none, are in two groups, or cannot be computed row by row together.
pub fn apply(
    graph: &Verified,
    assignment: &Assignment,
    library: &Library,
    groups: &[Group],
) -> Result<Merged> {
    let ids: BTreeMap<&str, NodeId> = graph.nodes().map(|(id, n)| (n.name.as_str(), id)).collect();
    let mut patch = Patch::new(graph);
    let mut chosen = assignment.clone();
    let mut streams = BTreeMap::new();
    for group in groups {
        let refused = || {
            let message = format!("layers {:?} cannot be computed row by row together", group.layers);
            Diagnostic::invalid(message)
        };
        let members: Option<Vec<NodeId>> =
            group.layers.iter().map(|n| ids.get(n.as_str()).copied()).collect();
        let members = members.ok_or_else(refused)?;
        // The kernels are still there if no group before has them.
        let free = members.iter().all(|id| chosen.choices.contains_key(id));
        let made = if free { node(graph, assignment, library, &members, group) } else { None };
        let (node, choice, streaming) = made.ok_or_else(refused)?;
        let last = *members.last().ok_or_else(refused)?;
        for id in &members {
            chosen.choices.remove(id);
            chosen.rejections.remove(id);
            if *id != last {
                patch.remove(*id);
            }
        }
        patch.replace_node(last, node);
        chosen.choices.insert(last, choice);
        streams.insert(last, streaming);
    }
    let mut merged: Graph = (**graph).clone();
    merged.apply(patch.finish());
    Ok(Merged { graph: verify(merged)?, assignment: chosen, streams })
}

/// The node of a group, its kernels, and its steps.
fn node(
    graph: &Graph,
    assignment: &Assignment,
    library: &Library,
    ids: &[NodeId],
    group: &Group,
) -> Option<(Node, Choice, Streaming)> {
    if ids.len() < 2 || group.rows == 0 || !closed(graph, ids) {
        return None;
    }
    let (sources, inputs) = sources(graph, ids)?;
    let layers: Vec<Layer> =
        ids.iter().map(|id| Layer::new(graph, assignment, library, *id)).collect::<Option<_>>()?;
    let links: Vec<Link> = layers
        .iter()
        .zip(&sources)
        .map(|(layer, operands)| Link { layer, operands: operands.clone() })
        .collect();
    let (streaming, overlay) = schedule(&links, group.rows)?;
    let op = Streamed {
        links: ids
            .iter()
            .zip(sources)
            .map(|(id, operands)| StreamLink { op: graph.node(*id).op.clone(), operands })
            .collect(),
    };
    let choices: Vec<Choice> =
        ids.iter().map(|id| assignment.choices.get(id).cloned()).collect::<Option<_>>()?;
    let mut choice = Choice::streamed(&op, choices, op.operand_names(inputs.len()), streaming.bytes);
    choice.overlay = overlay;
    let outputs = graph.node(*ids.last()?).outputs.clone();
    let node = Node { name: group.name(), op: op.into(), inputs, outputs };
    Some((node, choice, streaming))
}
