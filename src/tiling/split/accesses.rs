//! How often the bytes of a layer's operands, results and scratch memory are read and written.
//!
//! In: a layer with its kernel. Out: bytes accessed of each. A model, the same for all kernels: no caches, no registers.
//!
//! A result is written once. An operand is read once for every multiply-accumulate, or for every element that a window
//! reaches. A kernel with scratch memory writes windows out there: the operand is read once for each window, and what would
//! have been read of it is read of the scratch memory.

use std::collections::BTreeMap;

use crate::ir::access::{Reach, Space};
use crate::ir::ops::Source;
use crate::ir::{Graph, NodeId, Op, TensorId, TensorType};
use crate::targets::Choice;

/// Bytes that are read and written.
#[derive(Debug, Default)]
pub struct Accesses {
    /// Of each tensor.
    pub tensors: BTreeMap<TensorId, u64>,
    /// Of each layer's scratch memory.
    pub scratch: BTreeMap<NodeId, u64>,
}

impl Accesses {
    /// Those of inputs and outputs by the caller.
    pub fn of_caller(graph: &Graph) -> Accesses {
        let mut all = Accesses::default();
        for t in graph.inputs().iter().chain(graph.outputs().iter().map(|o| &o.tensor)) {
            *all.tensors.entry(*t).or_default() += graph.tensor(*t).ty.bytes() as u64;
        }
        all
    }

    /// Adds those of a layer.
    pub fn add(&mut self, graph: &Graph, id: NodeId, choice: Option<&Choice>) {
        let node = graph.node(id);
        let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
        let mut of = vec![0u64; inputs.len()];
        let mut scratch = 0;
        let streamed = match &node.op {
            Op::Streamed(op) => op.types(&inputs).ok().map(|types| (op, types)),
            _ => None,
        };
        if let Some((op, types)) = streamed {
            for (l, link) in op.links.iter().enumerate() {
                let operand = |s: &Source| match s {
                    Source::Operand(o) => inputs[*o].clone(),
                    Source::Link(k) => types[*k].clone(),
                };
                let operands: Vec<TensorType> = link.operands.iter().map(operand).collect();
                let own = choice.and_then(|c| c.links.get(l)).is_some_and(|c| c.choice.scratch_bytes > 0);
                let (reads, copied) = reads(&link.op, &operands, &types[l..=l], own);
                scratch += copied;
                for (source, bytes) in link.operands.iter().zip(reads) {
                    match source {
                        Source::Operand(o) => of[*o] += bytes,
                        Source::Link(_) => scratch += bytes,
                    }
                }
                if l + 1 < op.links.len() {
                    scratch += types[l].bytes() as u64;
                }
            }
        } else {
            (of, scratch) = reads(&node.op, &inputs, &outputs, choice.is_some_and(|c| c.scratch_bytes > 0));
        }
        let written = outputs.iter().map(|ty| ty.bytes() as u64);
        for (t, bytes) in node.inputs.iter().chain(&node.outputs).zip(of.into_iter().chain(written)) {
            if !graph.tensor(*t).is_constant() {
                *self.tensors.entry(*t).or_default() += bytes;
            }
        }
        *self.scratch.entry(id).or_default() += scratch;
    }
}

/// Bytes that one operator reads of each operand, and reads and writes of scratch memory, if it has some.
fn reads(op: &Op, inputs: &[TensorType], outputs: &[TensorType], scratch: bool) -> (Vec<u64>, u64) {
    let Some(space) = op.space(inputs, outputs) else {
        let once: Vec<u64> = inputs.iter().map(|ty| ty.bytes() as u64).collect();
        let copied = if scratch { 2 * once.iter().sum::<u64>() } else { 0 };
        return (once, copied);
    };
    let mut copied = 0;
    let mut of = Vec::new();
    for (ty, reach) in inputs.iter().zip(&space.operands) {
        let (windows, all) = window_bytes(&space, ty, reach);
        of.push(if scratch { windows } else { all });
        // Constants are not written out: what reads them along is the operand's.
        if scratch && of.len() == 1 {
            copied = windows + all;
        }
    }
    (of, copied)
}

/// Bytes of an operand's windows, each once, and once for every point of the iteration space that needs it.
fn window_bytes(space: &Space, ty: &TensorType, reach: &[Reach]) -> (u64, u64) {
    let mut window = ty.dtype.bytes() as u64;
    let mut along = vec![false; space.axes.len()];
    for (dimension, reach) in reach.iter().enumerate() {
        match reach {
            Reach::Whole => window *= ty.shape.get(dimension).map_or(1, |n| *n as u64),
            Reach::Along { axis, extent, .. } => {
                window *= *extent as u64;
                along[*axis] = true;
            }
        }
    }
    let axes = |of: &dyn Fn(usize) -> bool| -> u64 {
        space.axes.iter().enumerate().filter(|(i, _)| of(*i)).map(|(_, n)| *n as u64).product()
    };
    let windows = window.saturating_mul(axes(&|i| along[i]));
    (windows, windows.saturating_mul(axes(&|i| !along[i])))
}
