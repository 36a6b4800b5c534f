//! The verifier: what a graph must satisfy before anything is built from it.
//!
//! In: a graph from anywhere (front end, passes, text). Out: [`Verified`], the only form later stages take,
//! or every fault found. Never repairs anything.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::graph::{Graph, Node, TensorId, TensorType};
use crate::diag::{Diagnostic, Diagnostics, Kind, Result};

/// A graph without faults. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified(Graph);

impl Verified {
    /// Gives the graph back for editing; it must be verified again.
    pub fn into_graph(self) -> Graph {
        self.0
    }
}

impl Deref for Verified {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        &self.0
    }
}

/// Checks a graph that our own stages made: a fault is a bug of tilewright.
///
/// # Errors
/// Every fault [`check`] finds, as internal ones.
pub fn verify(graph: Graph) -> Result<Verified> {
    let mut faults = check(&graph);
    for d in &mut faults.0 {
        d.kind = Kind::Internal;
        d.help = Diagnostic::internal("").help;
    }
    faults.into_result(Verified(graph))
}

/// All faults of a graph, in a fixed order; empty when there is none.
pub fn check(graph: &Graph) -> Diagnostics {
    let mut checker = Checker { graph, faults: Diagnostics::default() };
    checker.names();
    checker.constants();
    checker.origins();
    checker.nodes();
    checker.interface();
    checker.cycles();
    checker.faults
}

struct Checker<'g> {
    graph: &'g Graph,
    faults: Diagnostics,
}

impl Checker<'_> {
    fn fault(&mut self, message: String) {
        self.faults.push(Diagnostic::invalid(message));
    }
    fn fault_at(&mut self, node: &Node, message: String) {
        self.faults.push(Diagnostic::invalid(message).at(&node.name, node.op.name()));
    }
    /// The tensor's name for messages, whether or not it exists.
    fn label(&self, id: TensorId) -> String {
        self.graph.get_tensor(id).map_or_else(|| id.to_string(), |t| t.name.clone())
    }

    fn names(&mut self) {
        for (what, names) in [
            ("tensors", self.graph.tensors().map(|(_, t)| t.name.as_str()).collect::<Vec<_>>()),
            ("nodes", self.graph.nodes().map(|(_, n)| n.name.as_str()).collect()),
            ("outputs", self.graph.outputs().iter().map(|o| o.name.as_str()).collect()),
        ] {
            let mut seen = BTreeMap::new();
            for name in names {
                *seen.entry(name).or_insert(0) += 1;
            }
            for (name, count) in seen.into_iter().filter(|(_, count)| *count > 1) {
                self.fault(format!("{count} {what} are named `{name}`"));
            }
        }
    }

    fn constants(&mut self) {
        for (_, tensor) in self.graph.tensors() {
            let Some(value) = &tensor.value else { continue };
            let ty = TensorType::of(value);
            if ty != tensor.ty {
                self.fault(format!(
                    "constant `{}` is declared {} and has a value of type {ty}",
                    tensor.name, tensor.ty
                ));
            }
        }
    }

    /// Every tensor has exactly one origin: a graph input, a constant, or one result of one node.
    fn origins(&mut self) {
        let mut origins: BTreeMap<TensorId, Vec<String>> = BTreeMap::new();
        for id in self.graph.inputs() {
            origins.entry(*id).or_default().push("a graph input".into());
        }
        for (id, tensor) in self.graph.tensors() {
            if tensor.is_constant() {
                origins.entry(id).or_default().push("a constant".into());
            }
        }
        for (_, node) in self.graph.nodes() {
            for id in &node.outputs {
                origins.entry(*id).or_default().push(format!("a result of node `{}`", node.name));
            }
        }
        for (id, tensor) in self.graph.tensors() {
            match origins.get(&id).map(Vec::as_slice) {
                None => self.fault(format!("tensor `{}` is never defined", tensor.name)),
                Some([_]) => {}
                Some(many) => {
                    self.fault(format!(
                        "tensor `{}` is defined more than once: {}",
                        tensor.name,
                        many.join(", ")
                    ));
                }
            }
        }
    }

    fn nodes(&mut self) {
        for (_, node) in self.graph.nodes() {
            let ids = || node.inputs.iter().chain(&node.outputs);
            let missing: BTreeSet<_> = ids().filter(|t| self.graph.get_tensor(**t).is_none()).collect();
            if missing.is_empty() {
                self.types(node);
            }
            for id in missing {
                self.fault_at(node, format!("refers to tensor {id}, which does not exist"));
            }
        }
    }

    fn types(&mut self, node: &Node) {
        let results = match node.op.infer(&self.graph.types(&node.inputs)) {
            Ok(results) => results,
            Err(e) => {
                self.faults.push(e.at(&node.name, &node.op));
                return;
            }
        };
        if results.len() != node.outputs.len() {
            self.fault_at(
                node,
                format!("has {} results, the operator gives {}", node.outputs.len(), results.len()),
            );
        }
        for (id, ty) in node.outputs.iter().zip(results) {
            let declared = &self.graph.tensor(*id).ty;
            if *declared != ty {
                self.fault_at(
                    node,
                    format!("result `{}` is declared {declared}, the operator gives {ty}", self.label(*id)),
                );
            }
        }
    }

    fn interface(&mut self) {
        if self.graph.outputs().is_empty() {
            self.fault("the graph has no outputs".into());
        }
        for output in self.graph.outputs() {
            if self.graph.get_tensor(output.tensor).is_none() {
                let (name, id) = (&output.name, output.tensor);
                self.fault(format!("output `{name}` refers to tensor {id}, which does not exist"));
            }
        }
        let mut seen = BTreeSet::new();
        for id in self.graph.inputs() {
            if self.graph.get_tensor(*id).is_none() {
                self.fault(format!("graph input {id} does not exist"));
            } else if !seen.insert(*id) {
                self.fault(format!("tensor `{}` is a graph input twice", self.label(*id)));
            }
        }
    }

    fn cycles(&mut self) {
        if let Err(nodes) = self.graph.topological_order() {
            let names = nodes.iter().map(|id| format!("`{}`", self.graph.node(*id).name));
            let names: Vec<_> = names.take(8).collect();
            self.fault(format!("the graph has a cycle, at or before nodes {}", names.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;
    use crate::ir::{NodeId, Output, Tensor, Value};

    fn faults(text: &str) -> Vec<String> {
        check(&parse(text).unwrap()).0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn accepts_a_sound_graph() {
        let graph = parse("graph g(%x: s8[2x3]) -> (y = %y) { %y: s8[2x3] = Relu(%x) }").unwrap();
        let verified = verify(graph).unwrap();
        assert_eq!(verified.node_count(), 1);
    }

    #[test]
    fn reports_every_fault_with_its_place() {
        assert_eq!(
            faults(
                "graph g(%x: s8[4]) -> (y = %y, y = %z) {
                   %y: s8[4] = Relu(%x) @a
                   %y: s8[4] = Relu(%x) @a
                   %z: s8[5] = Relu(%x) @b
                   %w: f32[4]
                   %c: s8[4] = const splat 0
                   %c: s8[4] = Relu(%w, %x) @d
                 }"
            ),
            [
                "error[invalid]: 2 nodes are named `a`",
                "error[invalid]: 2 outputs are named `y`",
                "error[invalid]: tensor `y` is defined more than once: a result of node `a`, a result of node `a`",
                "error[invalid]: tensor `w` is never defined",
                "error[invalid]: tensor `c` is defined more than once: a constant, a result of node `d`",
                "error[invalid]: node `b` (Relu): result `z` is declared s8[5], the operator gives s8[4]",
                "error[invalid]: node `d` (Relu): has 2 operands, takes 1 to 1",
            ]
        );
    }

    #[test]
    fn reports_cycles_and_missing_results() {
        assert_eq!(
            faults("graph g() -> () { %a: s8[1] = Relu(%b) %b: s8[1], %c: s8[1] = Relu(%a) }"),
            [
                "error[invalid]: node `b` (Relu): has 2 results, the operator gives 1",
                "error[invalid]: the graph has no outputs",
                "error[invalid]: the graph has a cycle, at or before nodes `a`, `b`",
            ]
        );
    }

    #[test]
    fn reports_what_text_cannot_say() {
        let mut graph = parse("graph g(%x: s8[4]) -> (y = %y) { %y: s8[4] = Relu(%x) }").unwrap();
        let (x, ghost) = (graph.inputs[0], TensorId(99));
        graph.inputs.push(x);
        graph.inputs.push(ghost);
        graph.outputs.push(Output { name: "z".into(), tensor: ghost });
        graph.nodes.get_mut(&NodeId(0)).unwrap().inputs[0] = ghost;
        let mut wrong = Tensor::constant("y", Value::scalar_f32(1.0));
        wrong.ty = TensorType::new(super::super::DType::S8, [4]);
        graph.tensors.insert(TensorId(50), wrong);
        let found = verify(graph).unwrap_err();
        assert_eq!(found.exit_code(), 70);
        let messages: Vec<_> = found.0.into_iter().map(|d| d.message).collect();
        assert_eq!(
            messages,
            [
                "2 tensors are named `y`",
                "constant `y` is declared s8[4] and has a value of type f32[]",
                "tensor `x` is defined more than once: a graph input, a graph input",
                "refers to tensor t99, which does not exist",
                "output `z` refers to tensor t99, which does not exist",
                "tensor `x` is a graph input twice",
                "graph input t99 does not exist",
            ]
        );
    }
}
