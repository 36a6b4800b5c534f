//! Batch normalisation behind contractions. In: BatchNorm, with constant parameters, of the result, read by nothing
//! else, of a Conv or Gemm with constant weights. Out: the contraction with scaled weights and a bias. Rounds the
//! new weights to f32, so results differ in the last bits.

use ndarray::{ArrayD, IxDyn};

use crate::diag::Result;
use crate::ir::ops::{BatchNorm, Real};
use crate::ir::{Graph, Layout, NodeId, Op, TensorId, Value};

use super::epilogue;
use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        if let Op::BatchNorm(op) = &sweep.node(id).op {
            fold(sweep, id, op);
        }
        Ok(())
    })
}

/// Per channel `y = x * scale + offset`.
struct Affine {
    scale: Vec<f64>,
    offset: Vec<f64>,
}

fn affine(sweep: &Sweep, op: &BatchNorm, parameters: &[TensorId]) -> Option<Affine> {
    let parameter = |i: usize| -> Option<Vec<f64>> {
        Some(sweep.constant(*parameters.get(i)?)?.to_f64().iter().copied().collect())
    };
    let (scale, bias, mean, var) = (parameter(0)?, parameter(1)?, parameter(2)?, parameter(3)?);
    let inverse = var.iter().map(|v| 1.0 / (v + f64::from(op.epsilon.0)).sqrt());
    let scale: Vec<f64> = scale.iter().zip(inverse).map(|(s, i)| s * i).collect();
    let offset = bias.iter().zip(&mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    Some(Affine { scale, offset })
}

fn fold(sweep: &mut Sweep, id: NodeId, bn: &BatchNorm) {
    let node = sweep.node(id);
    let Some((producer, before)) = sweep.producer(node.inputs[0]) else { return };
    if bn.axis != 1 || !sweep.read_once(node.inputs[0]) || !epilogue::is_free(&before.op) {
        return;
    }
    // Along which axis of the weights the channels run, what the old bias counts, and the new operator.
    let (axis, beta, op) = match &before.op {
        Op::Conv(op) if op.layout == Layout::ChannelsFirst => (0, 1.0, before.op.clone()),
        Op::Gemm(op) if sweep.shape(node.inputs[0]).len() == 2 => {
            let mut new = op.clone();
            new.beta = Real(1.0);
            (usize::from(!op.trans_b), f64::from(op.beta.0), new.into())
        }
        _ => return,
    };
    let Some(affine) = affine(sweep, bn, &node.inputs[1..]) else { return };
    let Some(Value::F32(w)) = sweep.constant(before.inputs[1]) else { return };
    let Some(bias) = bias(sweep, before.inputs.get(2), beta, &affine) else { return };
    let mut w = w.mapv(f64::from);
    for (mut part, scale) in w.axis_iter_mut(ndarray::Axis(axis)).zip(&affine.scale) {
        part.mapv_inplace(|x| x * scale);
    }
    let name = &sweep.tensor(before.inputs[1]).name.clone();
    let w = sweep.add_constant(name, Value::F32(w.mapv(|x| x as f32)));
    let bias = sweep.add_constant(format!("{}_bias", before.name), bias);
    if sweep.replace(id, &before.name, op, vec![before.inputs[0], w, bias]) {
        sweep.drop(producer);
    }
}

/// The new bias, one element per channel; `None` if the old one is not known or not per channel.
fn bias(sweep: &Sweep, old: Option<&TensorId>, beta: f64, affine: &Affine) -> Option<Value> {
    let channels = affine.scale.len();
    let old = match old {
        None => vec![0.0; channels],
        Some(t) => {
            let value = sweep.constant(*t)?;
            let per_channel = value.len() == channels && value.shape().last() == Some(&channels);
            per_channel.then(|| value.to_f64().iter().map(|b| b * beta).collect())?
        }
    };
    let new = old.iter().zip(&affine.scale).zip(&affine.offset).map(|((b, s), o)| (b * s + o) as f32);
    ArrayD::from_shape_vec(IxDyn(&[channels]), new.collect()).ok().map(Value::F32)
}
