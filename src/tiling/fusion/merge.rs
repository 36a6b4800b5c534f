//! Layers merged into chains.
//!
//! In: a graph with its kernels, and which layers go together. Out: the same with one node for each group. Never decides which.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Result};
use crate::ir::ops::{Chain, Link};
use crate::ir::{Graph, Node, NodeId, Op, Patch, TensorType, Uses};
use crate::targets::{Assignment, Choice};

/// Layers that follow each other, each fed by the one before.
pub type Group = Vec<NodeId>;

/// Layers that may be merged.
#[derive(Debug)]
pub struct Layers<'a> {
    graph: &'a Graph,
    assignment: &'a Assignment,
    uses: Uses,
}

impl<'a> Layers<'a> {
    /// The layers of a graph.
    pub fn new(graph: &'a Graph, assignment: &'a Assignment) -> Layers<'a> {
        Layers { graph, assignment, uses: graph.uses() }
    }

    /// The layer that alone reads the only result of `id`, once, if both are computed and it has one result.
    fn follower(&self, id: NodeId) -> Option<NodeId> {
        let [result] = self.graph.node(id).outputs[..] else { return None };
        // Consumers are listed once per operand.
        let [next] = *self.uses.consumers(result) else { return None };
        let computed = [id, next].iter().all(|id| self.assignment.choices.contains_key(id));
        let one = self.graph.node(next).outputs.len() == 1 && !self.graph.is_output(result);
        (computed && one).then_some(next)
    }

    /// The node of a group: its operator is a [`Chain`]. None if its parts are not known.
    pub fn node(&self, group: &[NodeId]) -> Option<Node> {
        let mut links = Vec::new();
        let mut inputs = Vec::new();
        let mut before = None;
        for id in group {
            let node = self.graph.node(*id);
            let fed = before.and_then(|t| node.inputs.iter().position(|i| *i == t));
            inputs.extend(node.inputs.iter().enumerate().filter(|(i, _)| Some(*i) != fed).map(|(_, t)| *t));
            let operands = self.graph.types(&node.inputs);
            links.push(Link { op: node.op.clone(), fed: fed.unwrap_or(0), operands });
            before = node.outputs.first().copied();
        }
        let outputs = self.graph.node(*group.last()?).outputs.clone();
        let op = Op::from(Chain { links });
        op.space(&self.graph.types(&inputs), &self.graph.types(&outputs))?;
        let names: Vec<&str> = group.iter().map(|id| self.graph.node(*id).name.as_str()).collect();
        Some(Node { name: names.join(" + "), op, inputs, outputs })
    }

    /// A group and the layer that follows it, if it may be computed together with it.
    pub fn longer(&self, group: &[NodeId]) -> Option<Group> {
        let next = self.follower(*group.last()?)?;
        let longer: Group = group.iter().copied().chain([next]).collect();
        self.node(&longer).map(|_| longer)
    }

    /// All pairs of layers of which the second may be computed together with the first, in order.
    pub fn pairs(&self) -> Vec<Group> {
        let order = self.graph.topological_order().unwrap_or_default();
        order.into_iter().filter_map(|id| self.longer(&[id])).collect()
    }

    /// Groups as long as they can be, up to `most` layers.
    pub fn longest(&self, most: usize) -> Vec<Group> {
        let grown = |mut group: Group| {
            while let Some(longer) = self.longer(&group).filter(|g| g.len() <= most) {
                group = longer;
            }
            group
        };
        disjoint(self.pairs().into_iter().map(grown))
    }
}

/// Those groups that share no layer with one before them.
pub fn disjoint(groups: impl Iterator<Item = Group>) -> Vec<Group> {
    let mut taken: BTreeSet<NodeId> = BTreeSet::new();
    let mut free = |g: &Group| {
        let free = g.iter().all(|id| !taken.contains(id));
        if free {
            taken.extend(g);
        }
        free
    };
    groups.filter(|g| free(g)).collect()
}

/// The graph with a node for each group, in place of the group's last, and the kernels that compute it.
///
/// # Errors
/// Layers that do not follow each other so, or are in two groups; all of them are of the graph.
pub fn merge(graph: &Graph, assignment: &Assignment, groups: &[Group]) -> Result<(Graph, Assignment)> {
    let layers = Layers::new(graph, assignment);
    let mut patch = Patch::new(graph);
    let mut chosen = assignment.clone();
    for group in groups {
        let linked = group.windows(2).all(|w| layers.follower(w[0]) == Some(w[1]));
        let node = if linked && group.len() > 1 { layers.node(group) } else { None };
        let calls: Vec<(Choice, TensorType)> = group
            .iter()
            .filter_map(|id| Some((chosen.choices.remove(id)?, graph.types(&graph.node(*id).outputs).pop()?)))
            .collect();
        match (node, group.last()) {
            (Some(node), Some(last)) if calls.len() == group.len() => {
                if let Op::Chain(chain) = &node.op {
                    chosen.choices.insert(*last, Choice::chained(chain, calls));
                }
                group[..group.len() - 1].iter().for_each(|id| patch.remove(*id));
                patch.replace_node(*last, node);
            }
            _ => {
                let names: Vec<&str> = group.iter().map(|id| graph.node(*id).name.as_str()).collect();
                let message = format!("layers {names:?} cannot be computed part by part together");
                return Err(Diagnostic::invalid(message).into());
            }
        }
    }
    let mut merged = graph.clone();
    merged.apply(patch.finish());
    Ok((merged, chosen))
}
