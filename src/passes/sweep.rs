//! Rewriting by rules: what most passes are made of.
//!
//! In: a graph and a rule tried at every node in topological order. Out: the graph with all matches rewritten,
//! until no rule matches. All rewrites of a sweep are one patch, so nodes already rewritten in it are out of
//! bounds until the next: every accessor hides them. Never looks further than rules ask.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Result};
use crate::ir::graph::{Graph, Node, NodeId, Tensor, TensorId, TensorType, Uses};
use crate::ir::{Op, Patch, Value};

/// The graph as a rule sees it, and the edits so far.
pub struct Sweep<'g> {
    graph: &'g Graph,
    uses: Uses,
    outputs: BTreeSet<TensorId>,
    touched: BTreeSet<NodeId>,
    patch: Patch<'g>,
}

/// Tries `rule` at every node until a whole sweep changes nothing; whether anything changed.
///
/// # Errors
/// What the rule fails with, or (our own fault) rules that never come to an end.
pub fn rewrite(graph: &mut Graph, rule: impl Fn(&mut Sweep, NodeId) -> Result<()>) -> Result<bool> {
    // A rule that matches has less left to match; every chain of n nodes is done in n sweeps.
    let limit = 2 * graph.node_count() + 16;
    for sweeps in 0..limit {
        let order = graph.topological_order().map_err(|_| Diagnostic::internal("the graph has a cycle"))?;
        let mut sweep = Sweep {
            graph,
            uses: graph.uses(),
            outputs: graph.outputs().iter().map(|o| o.tensor).collect(),
            touched: BTreeSet::new(),
            patch: Patch::new(graph),
        };
        for id in order {
            if !sweep.touched.contains(&id) {
                rule(&mut sweep, id)?;
            }
        }
        if sweep.touched.is_empty() {
            return Ok(sweeps > 0);
        }
        let edits = sweep.patch.finish();
        graph.apply(edits);
    }
    Err(Diagnostic::internal("a rewriting rule does not come to an end").into())
}

impl<'g> Sweep<'g> {
    /// The node.
    pub fn node(&self, id: NodeId) -> &'g Node {
        self.graph.node(id)
    }
    /// A tensor's description, of the graph or new.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        self.patch.get(id)
    }
    /// A tensor's type.
    pub fn ty(&self, id: TensorId) -> &TensorType {
        &self.patch.get(id).ty
    }
    /// A tensor's shape.
    pub fn shape(&self, id: TensorId) -> &[usize] {
        &self.ty(id).shape
    }
    /// The value of a constant of the graph.
    pub fn constant(&self, id: TensorId) -> Option<&'g Value> {
        self.graph.constant(id)
    }
    /// The node whose only result is `tensor`.
    pub fn producer(&self, tensor: TensorId) -> Option<(NodeId, &'g Node)> {
        let (id, _) = self.uses.producer(tensor)?;
        let node = self.graph.node(id);
        (!self.touched.contains(&id) && node.outputs.len() == 1).then_some((id, node))
    }
    /// Whether one operand of one node is all that reads `tensor`.
    pub fn read_once(&self, tensor: TensorId) -> bool {
        !self.outputs.contains(&tensor) && self.uses.consumers(tensor).len() == 1
    }

    /// Adds a constant.
    pub fn add_constant(&mut self, name: impl Into<String>, value: Value) -> TensorId {
        self.patch.constant(name, value)
    }
    /// Adds a node with one result.
    ///
    /// # Errors
    /// What inference finds wrong: the caller's bug.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        op: impl Into<Op>,
        inputs: &[TensorId],
    ) -> Result<TensorId> {
        let results = self.patch.node(name, op.into(), inputs)?;
        results.first().copied().ok_or_else(|| Diagnostic::internal("this operator has no results").into())
    }
    /// Gives a node another operator and operands; its name may change, its results stay. Does nothing and answers
    /// false if the operator would not give exactly these results.
    pub fn replace(&mut self, id: NodeId, name: &str, op: impl Into<Op>, inputs: Vec<TensorId>) -> bool {
        let (old, op) = (self.node(id), op.into());
        let types: Vec<_> = inputs.iter().map(|t| self.ty(*t).clone()).collect();
        let fits = op.infer(&types).is_ok_and(|results| results == self.graph.types(&old.outputs));
        if fits {
            let node = Node { name: name.into(), op, inputs, outputs: old.outputs.clone() };
            self.patch.replace_node(id, node);
            self.touched.insert(id);
        }
        fits
    }
    /// Removes a node; who read its (first) result reads `by`, which must have the same type.
    pub fn remove(&mut self, id: NodeId, by: TensorId) {
        self.patch.replace_uses(self.node(id).outputs[0], by);
        self.drop(id);
    }
    /// Removes a node whose results nobody reads any more.
    pub fn drop(&mut self, id: NodeId) {
        self.patch.remove(id);
        self.touched.insert(id);
    }
}
