//! Biases. In: Add of a constant that is one number or one per channel to the result, read by nothing else, of a
//! Conv, MatMul or Gemm. Out: the contraction with a bias (a MatMul becomes a Gemm). Integers stay exact; floats
//! are rounded once instead of twice.

use ndarray::{ArrayD, IxDyn};

use crate::diag::Result;
use crate::ir::ops::{Gemm, Real};
use crate::ir::{DType, Graph, Layout, NodeId, Op, TensorId, Value};

use super::epilogue;
use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        let node = sweep.node(id);
        if matches!(&node.op, Op::Add(_)) && epilogue::is_free(&node.op) {
            for (x, constant) in [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] {
                if fuse(sweep, id, x, constant).is_some() {
                    break;
                }
            }
        }
        Ok(())
    })
}

fn fuse(sweep: &mut Sweep, id: NodeId, x: TensorId, constant: TensorId) -> Option<()> {
    let value = sweep.constant(constant)?;
    let (producer, before) = sweep.producer(x)?;
    let shape = sweep.shape(x);
    if !sweep.read_once(x)
        || !epilogue::is_free(&before.op)
        || sweep.shape(sweep.node(id).outputs[0]) != shape
    {
        return None;
    }
    let last = shape.len().checked_sub(1)?;
    let (axis, op): (usize, Op) = match &before.op {
        Op::Conv(op) => (if op.layout == Layout::ChannelsFirst { 1 } else { last }, op.clone().into()),
        Op::Gemm(op) if op.beta.0 == 1.0 => (last, op.clone().into()),
        Op::MatMul(_) if before.inputs.iter().all(|t| sweep.shape(*t).len() >= 2) => (last, gemm().into()),
        _ => return None,
    };
    let bias = per_channel(value, shape, axis)?;
    let bias = match before.inputs.get(2) {
        None => bias,
        Some(old) => sum(per_channel(sweep.constant(*old)?, &shape[axis..=axis], 0)?, bias)?,
    };
    let bias = sweep.add_constant(sweep.tensor(constant).name.clone(), bias);
    let inputs = vec![before.inputs[0], before.inputs[1], bias];
    sweep.replace(id, &before.name, op, inputs).then(|| sweep.drop(producer))
}

/// `a * b + c`.
fn gemm() -> Gemm {
    Gemm {
        alpha: Real(1.0),
        beta: Real(1.0),
        trans_a: false,
        trans_b: false,
        requant: None,
        act: Default::default(),
    }
}

/// A constant that broadcasts to `shape` and only varies along `axis`, as one number per channel.
fn per_channel(value: &Value, shape: &[usize], axis: usize) -> Option<Value> {
    let skipped = shape.len().checked_sub(value.shape().len())?;
    let varies = |d: usize| d >= skipped && value.shape()[d - skipped] != 1;
    if (0..shape.len()).any(|d| d != axis && varies(d)) {
        return None;
    }
    let channels = shape[axis];
    let value = if varies(axis) { value.reshaped(&[channels])? } else { repeat(value, channels)? };
    match value.dtype() {
        DType::F32 | DType::S32 => Some(value),
        d if d.is_int() && d.bytes() <= 2 => Some(value.cast(DType::S32)),
        _ => None,
    }
}

fn repeat(value: &Value, channels: usize) -> Option<Value> {
    let one = value.reshaped(&[])?;
    Some(crate::map_array!(&one, a => a.broadcast(IxDyn(&[channels]))?.to_owned()))
}

fn sum(a: Value, b: Value) -> Option<Value> {
    match (a, b) {
        (Value::F32(a), Value::F32(b)) => Some(Value::F32(a + b)),
        (Value::S32(a), Value::S32(b)) => {
            let sum: ArrayD<i32> = ndarray::Zip::from(&a).and(&b).map_collect(|a, b| a.wrapping_add(*b));
            Some(Value::S32(sum))
        }
        _ => None,
    }
}
