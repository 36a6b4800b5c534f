//! Integer regions. In: float operators whose operands are casts of integers and integral constants, as quantised
//! models have them between Quantize and Dequantize. Out: the operators on the integers, and the cast behind them.
//!
//! Exact where every float result has at most 24 bits; sums of products with up to 31 are taken too: the integers
//! are then exact, while the model's floats would be rounded in an order that nobody defines.

use crate::diag::Result;
use crate::ir::ops::Cast;
use crate::ir::{DType, Graph, Node, NodeId, Op, TensorId, Value};

use super::epilogue;
use super::sweep::{Sweep, rewrite};

/// Results up to this are exact in f32.
const EXACT: i64 = 1 << 24;

/// How far up the graph bounds are sought.
const DEPTH: usize = 12;

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, push)
}

/// Moves the casts in front of a node behind it.
fn push(sweep: &mut Sweep, id: NodeId) -> Result<()> {
    let node = sweep.node(id);
    let Some(inputs) = integer_operands(sweep, node) else { return Ok(()) };
    let mut operands = Vec::new();
    for (input, t) in inputs.into_iter().zip(&node.inputs) {
        operands.push(match input {
            Integer::Tensor(x) => x,
            Integer::Constant(v) => {
                let name = sweep.tensor(*t).name.clone();
                sweep.add_constant(name, v)
            }
        });
    }
    let types: Vec<_> = operands.iter().map(|t| sweep.ty(*t).clone()).collect();
    let results = match node.op.infer(&types) {
        Ok(results) if results.len() == 1 && results[0].dtype.is_int() => results,
        _ => return Ok(()),
    };
    debug_assert_eq!(results[0].shape, sweep.shape(node.outputs[0]));
    let y = sweep.add(format!("{}_integer", node.name), node.op.clone(), &operands)?;
    sweep.replace(id, &node.name, Cast { to: DType::F32 }, vec![y]);
    Ok(())
}

enum Integer {
    Tensor(TensorId),
    Constant(Value),
}

/// The node's operands as integers, if the node gives the same on them.
fn integer_operands(sweep: &Sweep, node: &Node) -> Option<Vec<Integer>> {
    let result = sweep.ty(*node.outputs.first()?);
    if node.outputs.len() != 1 || !result.dtype.is_float() {
        return None;
    }
    // Operands that are no floats (indices) stay as they are.
    let operand = |t: &TensorId| -> Option<Integer> {
        if !sweep.ty(*t).dtype.is_float() {
            return Some(Integer::Tensor(*t));
        }
        match sweep.constant(*t) {
            Some(value) => integral(value).map(Integer::Constant),
            None => uncast(sweep, *t).map(Integer::Tensor),
        }
    };
    let operands: Vec<Integer> = node.inputs.iter().map(operand).collect::<Option<_>>()?;
    if !node.inputs.iter().any(|t| uncast(sweep, *t).is_some()) {
        return None;
    }
    let types: Vec<DType> = operands
        .iter()
        .map(|o| match o {
            Integer::Tensor(t) => sweep.ty(*t).dtype,
            Integer::Constant(v) => v.dtype(),
        })
        .collect();
    let allowed = match &node.op {
        Op::Reshape(_) | Op::Transpose(_) | Op::Slice(_) | Op::Expand(_) | Op::Gather(_) | Op::Relu(_) => {
            true
        }
        Op::MaxPool(op) => op.pads.iter().all(|p| *p == 0) && !op.ceil,
        Op::Pad(_) => true,
        Op::Concat(_) => types.windows(2).all(|t| t[0] == t[1]),
        Op::Clip(op) => {
            let range = types[0].range()?;
            [op.lo.0, op.hi.0].iter().all(|b| b.is_infinite() || b.fract() == 0.0 && within(range, *b))
        }
        Op::MatMul(_) | Op::Conv(_) if epilogue::is_free(&node.op) => {
            bound(sweep, node, &operands)? < 1 << 31
        }
        Op::Gemm(op) if epilogue::is_free(&node.op) => {
            let plain = op.alpha.0 == 1.0 && op.beta.0 == 1.0;
            plain && bound(sweep, node, &operands)? < 1 << 31
        }
        Op::Add(_) if epilogue::is_free(&node.op) => bound(sweep, node, &operands)? <= EXACT,
        Op::Sub(_) => bound(sweep, node, &operands)? <= EXACT,
        _ => false,
    };
    allowed.then_some(operands)
}

fn within(range: (i64, i64), bound: f64) -> bool {
    range.0 as f64 <= bound && bound <= range.1 as f64
}

/// The integer tensor that `t` is a cast of.
fn uncast(sweep: &Sweep, t: TensorId) -> Option<TensorId> {
    let (_, node) = sweep.producer(t)?;
    let x = *node.inputs.first()?;
    let dtype = sweep.ty(x).dtype;
    let is_cast = matches!(&node.op, Op::Cast(op) if op.to == DType::F32);
    // Wider integers may be rounded by the cast.
    (is_cast && dtype.is_int() && dtype.bytes() <= 4).then_some(x)
}

/// A float constant of integers in the smallest type that holds them.
fn integral(value: &Value) -> Option<Value> {
    let (lo, hi) = value.int_range()?;
    let dtype = DType::smallest_int(lo, hi);
    (dtype.bytes() <= 4).then(|| value.cast(dtype))
}

/// The largest magnitude that the node's results can have on these operands.
fn bound(sweep: &Sweep, node: &Node, operands: &[Integer]) -> Option<i64> {
    let magnitude = |o: &Integer| match o {
        Integer::Tensor(t) => magnitude(sweep, *t, DEPTH),
        Integer::Constant(v) => range_magnitude(v.int_range()?),
    };
    let magnitudes: Vec<i64> = operands.iter().map(magnitude).collect::<Option<_>>()?;
    combine(sweep, node, &magnitudes)
}

fn range_magnitude((lo, hi): (i64, i64)) -> Option<i64> {
    Some(lo.checked_abs()?.max(hi.checked_abs()?))
}

/// The largest magnitude of an integer tensor, from what made it or else from its type.
fn magnitude(sweep: &Sweep, t: TensorId, depth: usize) -> Option<i64> {
    if let Some(value) = sweep.constant(t) {
        return range_magnitude(value.int_range()?);
    }
    let from_type = range_magnitude(sweep.ty(t).dtype.range()?);
    let Some((_, node)) = sweep.producer(t).filter(|_| depth > 0) else { return from_type };
    let made = match &node.op {
        Op::Quantize(op) => range_magnitude((op.lo, op.hi)),
        op if epilogue::requant(op).is_some() => {
            epilogue::requant(op).and_then(|rq| range_magnitude((rq.lo, rq.hi)))
        }
        _ => {
            let operands = node.inputs.iter().map(|t| magnitude(sweep, *t, depth - 1));
            operands.collect::<Option<Vec<_>>>().and_then(|m| combine(sweep, node, &m))
        }
    };
    match (made, from_type) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The largest magnitude of a node's results, given its operands'.
fn combine(sweep: &Sweep, node: &Node, m: &[i64]) -> Option<i64> {
    let product = |terms: usize| {
        let sum = m[0].checked_mul(m[1])?.checked_mul(i64::try_from(terms).ok()?)?;
        sum.checked_add(m.get(2).copied().unwrap_or(0))
    };
    match &node.op {
        Op::Reshape(_) | Op::Transpose(_) | Op::Slice(_) | Op::Expand(_) | Op::Relu(_) | Op::MaxPool(_) => {
            m.first().copied()
        }
        Op::Add(_) | Op::Sub(_) => m[0].checked_add(m[1]),
        Op::MatMul(_) => product(*sweep.shape(node.inputs[0]).last()?),
        Op::Gemm(op) => {
            product(sweep.shape(node.inputs[0]).iter().rev().nth(usize::from(op.trans_a)).copied()?)
        }
        Op::Conv(_) => product(sweep.shape(node.inputs[1]).iter().skip(1).product()),
        _ => None,
    }
}
