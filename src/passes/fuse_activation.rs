//! Float activations behind accumulators. In: Relu and Clip on the float result, read by nothing else, of a Conv,
//! ConvTranspose, Gemm, MatMul or Add. Out: one node. Exact, but for NaN, which the clip behind an accumulator
//! does not pass on.

use crate::diag::Result;
use crate::ir::ops::{Activation, Real};
use crate::ir::{Graph, NodeId, Op};

use super::epilogue;
use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        let (lo, hi) = match &sweep.node(id).op {
            Op::Relu(_) => (0.0, f32::INFINITY),
            Op::Clip(op) => (op.lo.0 as f32, op.hi.0 as f32),
            _ => return Ok(()),
        };
        fuse(sweep, id, Activation::Clip { lo: Real(lo), hi: Real(hi) });
        Ok(())
    })
}

fn fuse(sweep: &mut Sweep, id: NodeId, act: Activation) {
    let x = sweep.node(id).inputs[0];
    let Some((producer, before)) = sweep.producer(x) else { return };
    if !sweep.ty(x).dtype.is_float() || !sweep.read_once(x) || !epilogue::is_free(&before.op) {
        return;
    }
    let Some(op) = epilogue::with_activation(&before.op, act) else { return };
    if sweep.replace(id, &before.name, op, before.inputs.clone()) {
        sweep.drop(producer);
    }
}
