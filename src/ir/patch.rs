//! The one way to change a graph: collect edits in a [`Patch`], then apply them at once.
//!
//! In: a graph and the edits wanted. Out: the graph with all edits made and everything they orphaned
//! removed. Never infers types: who adds a node says the types of its results
//! ([`Patch::node`] asks the operator).

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, Node, NodeId, Output, Tensor, TensorId};
use super::ops::Op;
use super::value::Value;
use crate::diag::Diagnostic;

/// A set of edits to one graph.
#[derive(Debug)]
pub struct Patch<'g> {
    graph: &'g Graph,
    tensors: BTreeMap<TensorId, Tensor>,
    nodes: BTreeMap<NodeId, Node>,
    removed: BTreeSet<NodeId>,
    replaced: BTreeMap<TensorId, TensorId>,
    inputs: Vec<TensorId>,
    outputs: Vec<Output>,
    next_node: u32,
    next_tensor: u32,
}

/// Edits detached from the graph they were made for, ready to apply.
#[derive(Debug)]
pub struct Edits {
    tensors: BTreeMap<TensorId, Tensor>,
    nodes: BTreeMap<NodeId, Node>,
    removed: BTreeSet<NodeId>,
    replaced: BTreeMap<TensorId, TensorId>,
    inputs: Vec<TensorId>,
    outputs: Vec<Output>,
    next_node: u32,
    next_tensor: u32,
}

impl<'g> Patch<'g> {
    /// No edits yet.
    pub fn new(graph: &'g Graph) -> Self {
        Patch {
            graph,
            tensors: BTreeMap::new(),
            nodes: BTreeMap::new(),
            removed: BTreeSet::new(),
            replaced: BTreeMap::new(),
            inputs: graph.inputs.clone(),
            outputs: graph.outputs.clone(),
            next_node: graph.next_node,
            next_tensor: graph.next_tensor,
        }
    }
    /// The tensor as this patch sees it (new or old).
    pub fn get(&self, id: TensorId) -> &Tensor {
        self.tensors.get(&id).unwrap_or_else(|| self.graph.tensor(id))
    }
    /// Adds a tensor and gives its id. The name is made unique when applied.
    pub fn tensor(&mut self, tensor: Tensor) -> TensorId {
        let id = TensorId(self.next_tensor);
        self.next_tensor += 1;
        self.tensors.insert(id, tensor);
        id
    }
    /// Adds a constant.
    pub fn constant(&mut self, name: impl Into<String>, value: Value) -> TensorId {
        self.tensor(Tensor::constant(name, value))
    }
    /// Adds a graph input.
    pub fn input(&mut self, tensor: Tensor) -> TensorId {
        let id = self.tensor(tensor);
        self.inputs.push(id);
        id
    }
    /// Adds a graph output.
    pub fn output(&mut self, name: impl Into<String>, tensor: TensorId) {
        self.outputs.push(Output { name: name.into(), tensor });
    }
    /// Makes graph output `index` read `tensor`; its name stays.
    pub fn set_output(&mut self, index: usize, tensor: TensorId) {
        if let Some(output) = self.outputs.get_mut(index) {
            output.tensor = tensor;
        }
    }
    /// Adds a node and its results; result types come from the operator. The first result is named
    /// like the node.
    ///
    /// # Errors
    /// What the operator's inference found wrong with the operands.
    pub fn node(
        &mut self,
        name: impl Into<String>,
        op: Op,
        inputs: &[TensorId],
    ) -> Result<Vec<TensorId>, Diagnostic> {
        let name = name.into();
        let types: Vec<_> = inputs.iter().map(|t| self.get(*t).ty.clone()).collect();
        let results = op.infer(&types).map_err(|e| e.at(&name, &op))?;
        let outputs: Vec<TensorId> = results
            .into_iter()
            .enumerate()
            .map(|(i, ty)| {
                let label = if i == 0 { name.clone() } else { format!("{name}_{i}") };
                self.tensor(Tensor::new(label, ty))
            })
            .collect();
        self.node_into(name, op, inputs.to_vec(), outputs.clone());
        Ok(outputs)
    }
    /// Adds a node that writes existing (or just added) tensors.
    pub fn node_into(
        &mut self,
        name: impl Into<String>,
        op: Op,
        inputs: Vec<TensorId>,
        outputs: Vec<TensorId>,
    ) -> NodeId {
        let id = NodeId(self.next_node);
        self.next_node += 1;
        self.nodes.insert(id, Node { name: name.into(), op, inputs, outputs });
        id
    }
    /// Replaces a node in place (same id); new results must be tensors that exist.
    pub fn replace_node(&mut self, id: NodeId, node: Node) {
        self.nodes.insert(id, node);
    }
    /// Replaces a tensor's description in place (its type, value or quantisation), same id.
    pub fn retype(&mut self, id: TensorId, tensor: Tensor) {
        self.tensors.insert(id, tensor);
    }
    /// Removes a node; its results go with it unless something still reads them.
    pub fn remove(&mut self, id: NodeId) {
        self.removed.insert(id);
    }
    /// Makes every reader of `old` (nodes and graph outputs) read `new`.
    pub fn replace_uses(&mut self, old: TensorId, new: TensorId) {
        self.replaced.insert(old, new);
    }
    /// Whether the patch changes anything.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
            && self.nodes.is_empty()
            && self.removed.is_empty()
            && self.replaced.is_empty()
            && self.outputs.len() == self.graph.outputs.len()
    }
    /// Ends the borrow of the graph; give the result to [`Graph::apply`].
    pub fn finish(self) -> Edits {
        Edits {
            tensors: self.tensors,
            nodes: self.nodes,
            removed: self.removed,
            replaced: self.replaced,
            inputs: self.inputs,
            outputs: self.outputs,
            next_node: self.next_node,
            next_tensor: self.next_tensor,
        }
    }
}

impl Graph {
    /// Makes all edits, then drops tensors nobody reads, writes or exposes.
    pub fn apply(&mut self, edits: Edits) {
        let resolve = |mut t: TensorId| {
            // A chain of replacements is at most as long as the map; a cycle would be a caller's bug.
            for _ in 0..=edits.replaced.len() {
                match edits.replaced.get(&t) {
                    Some(next) => t = *next,
                    None => break,
                }
            }
            t
        };
        for id in &edits.removed {
            self.nodes.remove(id);
        }
        self.tensors.extend(edits.tensors.clone());
        self.nodes.extend(edits.nodes.clone());
        self.inputs = edits.inputs.clone();
        self.outputs = edits.outputs.clone();
        if !edits.replaced.is_empty() {
            for node in self.nodes.values_mut() {
                for t in &mut node.inputs {
                    *t = resolve(*t);
                }
            }
            for o in &mut self.outputs {
                o.tensor = resolve(o.tensor);
            }
        }
        self.next_node = edits.next_node;
        self.next_tensor = edits.next_tensor;
        self.drop_orphans();
        self.make_names_unique(&edits);
    }

    fn drop_orphans(&mut self) {
        let mut live: BTreeSet<TensorId> = self.inputs.iter().copied().collect();
        live.extend(self.outputs.iter().map(|o| o.tensor));
        for node in self.nodes.values() {
            live.extend(node.inputs.iter().chain(&node.outputs));
        }
        self.tensors.retain(|id, _| live.contains(id));
    }

    /// New names give way to old ones: `x`, `x_2`, `x_3`, …
    fn make_names_unique(&mut self, edits: &Edits) {
        make_unique(self.tensors.iter_mut().map(|(id, t)| (edits.tensors.contains_key(id), &mut t.name)));
        make_unique(self.nodes.iter_mut().map(|(id, n)| (edits.nodes.contains_key(id), &mut n.name)));
    }
}

/// Takes names with whether they are new.
fn make_unique<'a>(names: impl Iterator<Item = (bool, &'a mut String)>) {
    let (new, old): (Vec<_>, Vec<_>) = names.partition(|(new, _)| *new);
    let mut taken: BTreeSet<String> = old.into_iter().map(|(_, name)| name.clone()).collect();
    for (_, name) in new {
        *name = unique(&mut taken, name);
    }
}

fn unique(taken: &mut BTreeSet<String>, name: &str) -> String {
    let mut candidate = name.to_string();
    let mut n = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{name}_{n}");
        n += 1;
    }
    candidate
}
