//! Operators that change nothing. In: any graph. Out: none of them, and no empty operand of a Concat. Floats keep
//! their value, but a negative zero may lose its sign (`x + 0` is dropped).

use crate::diag::Result;
use crate::ir::ops::{Concat, Relu, Requant};
use crate::ir::{Graph, Node, NodeId, Op, TensorId};

use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        let node = sweep.node(id);
        if let Some(by) = unchanged(sweep, node) {
            sweep.remove(id, by);
        } else if let Op::Concat(op) = &node.op {
            drop_empty_operands(sweep, id, op, node);
        }
        Ok(())
    })
}

/// The operand that the node's only result equals.
fn unchanged(sweep: &Sweep, node: &Node) -> Option<TensorId> {
    let (&[y], Some(&x)) = (node.outputs.as_slice(), node.inputs.first()) else { return None };
    let same_type = |t: TensorId| sweep.ty(t) == sweep.ty(y);
    let is = |t: TensorId, x: f64| {
        sweep.constant(t).is_some_and(|v| !v.is_empty() && v.to_f64().iter().all(|e| *e == x))
    };
    let float = sweep.ty(y).dtype.is_float();
    let by = match &node.op {
        Op::Identity(_) | Op::Cast(_) | Op::Expand(_) | Op::Split(_) => x,
        Op::Slice(op) if op.steps.iter().all(|s| *s == 1) => x,
        Op::Pad(op) if op.before.iter().chain(&op.after).all(|n| *n == 0) => x,
        Op::Concat(_) if node.inputs.len() == 1 => x,
        Op::Clip(op) if op.lo.0 == f64::NEG_INFINITY && op.hi.0 == f64::INFINITY => x,
        Op::Relu(Relu {}) if sweep.ty(x).dtype.range().is_some_and(|(lo, _)| lo >= 0) => x,
        Op::RequantShift(op) => unscaled(sweep, node, op.requant)?,
        Op::Lookup(_) => identical(sweep, x, node.inputs[1])?,
        Op::Add(op) if op == &Default::default() => {
            if is(node.inputs[1], 0.0) {
                x
            } else if is(x, 0.0) {
                node.inputs[1]
            } else {
                return None;
            }
        }
        Op::Mul(_) => {
            if is(node.inputs[1], 1.0) {
                x
            } else if is(x, 1.0) {
                node.inputs[1]
            } else {
                return None;
            }
        }
        Op::Sub(_) if is(node.inputs[1], 0.0) => x,
        Op::Div(_) if float && is(node.inputs[1], 1.0) => x,
        _ => return None,
    };
    same_type(by).then_some(by)
}

/// The operand of a requantisation that multiplies and divides by the same number and clips nothing.
fn unscaled(sweep: &Sweep, node: &Node, rq: Requant) -> Option<TensorId> {
    let number = |i: usize| sweep.constant(*node.inputs.get(i)?)?.scalar_i64();
    let (mul, add, one) = (number(1)?, number(2)?, 1i64 << rq.shift);
    let (lo, hi) = sweep.ty(node.inputs[0]).dtype.range()?;
    let below_one = (0..one).contains(&add.checked_add(one >> 1)?);
    (mul == one && below_one && rq.lo <= lo && hi <= rq.hi).then_some(node.inputs[0])
}

/// The operand of a table that gives every byte itself.
fn identical(sweep: &Sweep, x: TensorId, table: TensorId) -> Option<TensorId> {
    let table = sweep.constant(table)?.to_i64();
    let byte = |(i, y): (usize, &i64)| y & 255 == i as i64;
    table.iter().enumerate().all(byte).then_some(x)
}

fn drop_empty_operands(sweep: &mut Sweep, id: NodeId, op: &Concat, node: &Node) {
    let full: Vec<_> = node.inputs.iter().copied().filter(|t| sweep.ty(*t).elements() > 0).collect();
    if !full.is_empty() && full.len() < node.inputs.len() {
        sweep.replace(id, &node.name, op.clone(), full);
    }
}
