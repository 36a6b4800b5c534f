//! Reshapes and transposes. In: any graph. Out: none that do nothing, no two in a row where one would do, and as reshapes
//! transposes that only move dimensions of 1 and reductions that only drop them.

use crate::diag::Result;
use crate::ir::ops::{
    ReduceMax, ReduceMean, ReduceMin, ReduceProd, ReduceSum, ReducedAxes, Reshape, Transpose,
};
use crate::ir::{Graph, NodeId, Op};

use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        match &sweep.node(id).op {
            Op::Reshape(op) => reshape(sweep, id, op),
            Op::Transpose(op) => transpose(sweep, id, op),
            Op::ReduceMax(ReduceMax { reduction })
            | Op::ReduceMean(ReduceMean { reduction })
            | Op::ReduceMin(ReduceMin { reduction })
            | Op::ReduceProd(ReduceProd { reduction })
            | Op::ReduceSum(ReduceSum { reduction }) => reduce(sweep, id, reduction),
            _ => {}
        }
        Ok(())
    })
}

fn reshape(sweep: &mut Sweep, id: NodeId, op: &Reshape) {
    let node = sweep.node(id);
    let x = node.inputs[0];
    if sweep.shape(x) == op.shape {
        sweep.remove(id, x);
    } else if let Some((_, before)) = sweep.producer(x).filter(|(_, n)| matches!(n.op, Op::Reshape(_))) {
        sweep.replace(id, &node.name, op.clone(), before.inputs.clone());
    }
}

/// Of one element each, whose type stays: the element itself.
fn reduce(sweep: &mut Sweep, id: NodeId, reduction: &ReducedAxes) {
    let node = sweep.node(id);
    let (x, y) = (node.inputs[0], node.outputs[0]);
    if reduction.count(sweep.shape(x)) == 1 && sweep.ty(x).dtype == sweep.ty(y).dtype {
        let shape = sweep.shape(y).to_vec();
        sweep.replace(id, &node.name, Reshape { shape }, vec![x]);
    }
}

fn transpose(sweep: &mut Sweep, id: NodeId, op: &Transpose) {
    let node = sweep.node(id);
    let x = node.inputs[0];
    if op.perm.iter().copied().eq(0..op.perm.len()) {
        sweep.remove(id, x);
        return;
    }
    if moves_only_ones(sweep.shape(x), &op.perm) {
        let shape = sweep.shape(node.outputs[0]).to_vec();
        sweep.replace(id, &node.name, Reshape { shape }, vec![x]);
        return;
    }
    let Some((_, before)) = sweep.producer(x) else { return };
    if let Op::Transpose(first) = &before.op {
        let perm = op.perm.iter().map(|i| first.perm[*i]).collect();
        sweep.replace(id, &node.name, Transpose { perm }, before.inputs.clone());
    }
}

/// Whether the permutation leaves all dimensions but those of 1 in their order: the bytes stay in place.
pub fn moves_only_ones(shape: &[usize], perm: &[usize]) -> bool {
    let long: Vec<_> = perm.iter().filter(|i| shape[**i] != 1).collect();
    long.is_sorted() || shape.contains(&0)
}
