//! Transposes in front of products. In: MatMul or Gemm of an operand whose last two axes a Transpose exchanges
//! (attention's keys). Out: Gemm, which reads it transposed; axes that the Transpose permuted besides stay permuted
//! if whole rows move. Exact.

use crate::diag::Result;
use crate::ir::ops::{Gemm, Real, Reshape, Transpose};
use crate::ir::{Graph, Node, Op, TensorId};

use super::data_movement::moves_only_ones;
use super::epilogue;
use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        let node = sweep.node(id);
        let Some(op) = product(sweep, node) else { return Ok(()) };
        for operand in [1, 0] {
            let Some(x) = exchanged(sweep, node.inputs[operand], operand == 0)? else { continue };
            let mut op = op.clone();
            let flag = if operand == 0 { &mut op.trans_a } else { &mut op.trans_b };
            *flag = !*flag;
            let mut inputs = node.inputs.clone();
            inputs[operand] = x;
            if sweep.replace(id, &node.name, op, inputs) {
                break;
            }
        }
        Ok(())
    })
}

/// The node as a Gemm.
fn product(sweep: &Sweep, node: &Node) -> Option<Gemm> {
    match &node.op {
        Op::Gemm(op) => Some(op.clone()),
        Op::MatMul(_)
            if epilogue::is_free(&node.op) && node.inputs.iter().all(|t| sweep.shape(*t).len() >= 2) =>
        {
            Some(Gemm {
                alpha: Real(1.0),
                beta: Real(1.0),
                trans_a: false,
                trans_b: false,
                requant: None,
                act: Default::default(),
            })
        }
        _ => None,
    }
}

/// The tensor that `t` is with its last two axes exchanged, made anew where that moves whole rows at most.
fn exchanged(sweep: &mut Sweep, t: TensorId, only_free: bool) -> Result<Option<TensorId>> {
    let found = sweep.producer(t).and_then(|(id, n)| match &n.op {
        Op::Transpose(op) if op.perm.len() >= 2 => Some((id, n, op)),
        _ => None,
    });
    let Some((id, node, op)) = found else { return Ok(None) };
    let (x, last) = (node.inputs[0], op.perm.len() - 1);
    let mut perm = op.perm.clone();
    perm.swap(last, last - 1);
    if perm.is_sorted() {
        return Ok(Some(x));
    }
    let free = moves_only_ones(sweep.shape(x), &perm);
    let rows = perm[last] == last && !only_free && sweep.read_once(t);
    if !free && !rows {
        return Ok(None);
    }
    let shape = perm.iter().map(|i| sweep.shape(x)[*i]).collect();
    let op: Op = if free { Reshape { shape }.into() } else { Transpose { perm }.into() };
    let name = format!("{}_rows", sweep.node(id).name);
    sweep.add(name, op, &[x]).map(Some)
}
