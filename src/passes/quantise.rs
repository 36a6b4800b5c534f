//! Quantisation written out. In: the float chains `Clip(Round(x / scale + zero))` (also with the zero point added
//! behind the rounding) and `(x - zero) * scale` of an integer x, as exporters write them, each step read by
//! nothing else. Out: Quantize and a Cast back to floats; Dequantize. Exact: the operators are defined as these
//! chains.

use crate::diag::Result;
use crate::ir::ops::{Cast, Clip, Dequantize, Quantize, Real};
use crate::ir::{DType, Graph, Node, NodeId, Op, TensorId};

use super::sweep::{Sweep, rewrite};

/// Bounds above this are not exact in f32.
const EXACT: f64 = 16_777_216.0;

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        match &sweep.node(id).op {
            Op::Clip(op) => quantise(sweep, id, op)?,
            Op::Mul(_) => {
                dequantise(sweep, id);
            }
            _ => {}
        }
        Ok(())
    })
}

/// A node met on the way up and the next tensor.
type Step<'g> = (NodeId, &'g Node, TensorId);

/// The producer of a tensor that nothing else reads.
fn step<'g>(sweep: &Sweep<'g>, t: TensorId) -> Option<Step<'g>> {
    let (id, node) = sweep.producer(t).filter(|_| sweep.read_once(t))?;
    Some((id, node, *node.inputs.first()?))
}

/// The one number that the node has as operand `i`.
fn number(sweep: &Sweep, node: &Node, i: usize) -> Option<f32> {
    let value = sweep.constant(*node.inputs.get(i)?)?;
    (value.len() == 1 && value.dtype().is_float()).then(|| value.to_f32().iter().copied().next())?
}

/// `t` as `x + number`; 0 if it is not a sum. Gives the sum's node too.
fn addend(sweep: &Sweep, t: TensorId) -> Option<(Option<NodeId>, f32, TensorId)> {
    let Some((id, node, _)) = step(sweep, t) else { return Some((None, 0.0, t)) };
    if !matches!(&node.op, Op::Add(op) if *op == Default::default()) {
        return Some((None, 0.0, t));
    }
    let i = (0..2).find(|i| number(sweep, node, *i).is_some())?;
    Some((Some(id), number(sweep, node, i)?, node.inputs[1 - i]))
}

/// The chain that ends at a Clip.
struct Chain {
    x: TensorId,
    op: Quantize,
    nodes: Vec<NodeId>,
}

fn find(sweep: &Sweep, clip: &Node, bounds: &Clip) -> Option<Chain> {
    let (lo, hi) = (bounds.lo.0, bounds.hi.0);
    let whole = |b: f64| b.fract() == 0.0 && b.abs() <= EXACT;
    if !sweep.ty(clip.inputs[0]).dtype.is_float() || !whole(lo) || !whole(hi) || lo > hi {
        return None;
    }
    let mut nodes = Vec::new();
    let (behind, zero_behind, t) = addend(sweep, clip.inputs[0])?;
    let (round, node, t) = step(sweep, t).filter(|(_, n, _)| matches!(n.op, Op::Round(_)))?;
    let (before, zero_before, t) = addend(sweep, t)?;
    let (div, divide, x) = step(sweep, t).filter(|(_, n, _)| matches!(n.op, Op::Div(_)))?;
    let scale = number(sweep, divide, 1)?;
    let both = behind.is_some() && before.is_some();
    let same_shape =
        sweep.shape(x) == sweep.shape(node.outputs[0]) && sweep.shape(x) == sweep.shape(clip.outputs[0]);
    if both || !same_shape || !(scale.is_finite() && scale > 0.0) {
        return None;
    }
    nodes.extend([Some(div), before, Some(round), behind].into_iter().flatten());
    let (lo, hi) = (lo as i64, hi as i64);
    let zero = vec![Real(zero_before + zero_behind)];
    let dtype = DType::smallest_int(lo, hi);
    let scale = vec![Real(scale)];
    let op = Quantize { scale, zero, axis: 0, lo, hi, dtype, add_last: behind.is_some() };
    Some(Chain { x, op, nodes })
}

fn quantise(sweep: &mut Sweep, id: NodeId, bounds: &Clip) -> Result<()> {
    let node = sweep.node(id);
    let Some(chain) = find(sweep, node, bounds) else { return Ok(()) };
    let q = sweep.add(format!("{}_quantised", node.name), chain.op, &[chain.x])?;
    if sweep.replace(id, &node.name, Cast { to: DType::F32 }, vec![q]) {
        chain.nodes.iter().for_each(|n| sweep.drop(*n));
    }
    Ok(())
}

fn dequantise(sweep: &mut Sweep, id: NodeId) -> Option<()> {
    let node = sweep.node(id);
    let i = (0..2).find(|i| number(sweep, node, *i).is_some_and(|s| s.is_finite() && s > 0.0))?;
    let scale = number(sweep, node, i)?;
    let t = node.inputs[1 - i];
    // The subtraction may have been dropped (a zero point of 0), and a Cast may feed others.
    let mut nodes = Vec::new();
    let (zero, t) = match step(sweep, t) {
        Some((sub, n, x)) if matches!(n.op, Op::Sub(_)) => {
            nodes.push(sub);
            (number(sweep, n, 1)?, x)
        }
        _ => (0.0, t),
    };
    let (cast, n) = sweep.producer(t).filter(|(_, n)| matches!(n.op, Op::Cast(_)))?;
    let x = n.inputs[0];
    if sweep.read_once(t) {
        nodes.push(cast);
    }
    let dtype = sweep.ty(x).dtype;
    if !dtype.is_int() || dtype.bytes() > 4 || sweep.shape(x) != sweep.shape(node.outputs[0]) {
        return None;
    }
    let op = Dequantize { scale: vec![Real(scale)], zero: vec![Real(zero)], axis: 0 };
    sweep.replace(id, &node.name, op, vec![x]).then(|| nodes.iter().for_each(|n| sweep.drop(*n)))
}
