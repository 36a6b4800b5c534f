//! Requantisation behind accumulators. In: `RequantShift` on the result, read by nothing else, of a Conv, Gemm,
//! MatMul, Add or IntegerDiv. Out: one node, so the wide accumulators never reach memory; also Relu and Clip of a
//! requantised tensor as narrower clip bounds. Exact.

use crate::diag::Result;
use crate::ir::ops::{Requant, RequantShift};
use crate::ir::{Graph, Layout, Node, NodeId, Op};

use super::epilogue;
use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        match &sweep.node(id).op {
            Op::RequantShift(op) => fuse(sweep, id, op),
            Op::Relu(_) => narrow(sweep, id, 0.0, f64::INFINITY),
            Op::Clip(op) => narrow(sweep, id, op.lo.0, op.hi.0),
            _ => {}
        }
        Ok(())
    })
}

fn fuse(sweep: &mut Sweep, id: NodeId, rq: &RequantShift) {
    let node = sweep.node(id);
    let &[x, mul, add] = node.inputs.as_slice() else { return };
    let Some((producer, before)) = sweep.producer(x) else { return };
    let scalar = sweep.ty(mul).elements() == 1 && sweep.ty(add).elements() == 1;
    if !sweep.read_once(x) || !epilogue::is_free(&before.op) || !fits(sweep, before, rq.requant, scalar) {
        return;
    }
    let Some(op) = epilogue::with_requant(&before.op, rq.requant) else { return };
    let inputs = before.inputs.iter().copied().chain([mul, add]).collect();
    if sweep.replace(id, &before.name, op, inputs) {
        sweep.drop(producer);
    }
}

/// Whether the parameters run along the channels of the accumulators.
fn fits(sweep: &Sweep, before: &Node, rq: Requant, scalar: bool) -> bool {
    let last = sweep.shape(before.outputs[0]).len().saturating_sub(1);
    match &before.op {
        Op::Conv(op) => scalar || rq.axis == if op.layout == Layout::ChannelsFirst { 1 } else { last },
        Op::Gemm(_) | Op::MatMul(_) => scalar || rq.axis == last,
        // The fused sum is not wrapped to 32 bits, so it must not overflow them.
        Op::Add(_) => scalar && before.inputs.iter().all(|t| sweep.ty(*t).dtype.bytes() <= 2),
        Op::IntegerDiv(_) => scalar,
        _ => false,
    }
}

/// A clip of a requantised tensor that nothing else reads narrows the requantisation's own clip.
fn narrow(sweep: &mut Sweep, id: NodeId, lo: f64, hi: f64) {
    let node = sweep.node(id);
    let Some((producer, before)) = sweep.producer(node.inputs[0]) else { return };
    let Some(rq) = epilogue::requant(&before.op).filter(|_| sweep.read_once(node.inputs[0])) else { return };
    let (lo, hi) = (lo.ceil() as i64, hi.floor() as i64);
    if lo > rq.hi || hi < rq.lo || lo > hi {
        return;
    }
    let rq = Requant { lo: rq.lo.max(lo), hi: rq.hi.min(hi), ..rq };
    let Some(op) = epilogue::with_requant(&before.op, rq) else { return };
    if sweep.replace(id, &before.name, op, before.inputs.clone()) {
        sweep.drop(producer);
    }
}
