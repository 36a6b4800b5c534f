//! Lookup tables. In: chains of operators that each map every element of an 8-bit tensor on its own, with constants
//! that are the same for all elements, from one 8-bit tensor to another. Out: one table of 256 entries, computed
//! by the reference for every input there is, so nothing can differ. A single cheap operator stays.

use crate::diag::Result;
use crate::ir::ops::Lookup;
use crate::ir::{DType, Graph, Node, NodeId, Op, TensorId, TensorType, Value};

use super::kinds;
use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        let Some(chain) = chain(sweep, id) else { return Ok(()) };
        let Some(table) = table(sweep, &chain) else { return Ok(()) };
        let name = sweep.node(id).name.clone();
        let table = sweep.add_constant(format!("{name}_table"), table);
        if sweep.replace(id, &name, Lookup {}, vec![chain.x, table]) {
            chain.nodes.iter().filter(|n| **n != id).for_each(|n| sweep.drop(*n));
        }
        Ok(())
    })
}

/// Nodes from `x` on, each reading what the one before made.
struct Chain {
    x: TensorId,
    nodes: Vec<NodeId>,
}

fn is_byte(ty: &TensorType) -> bool {
    matches!(ty.dtype, DType::S8 | DType::U8)
}

/// The longest chain worth a table that ends at this node.
fn chain(sweep: &Sweep, end: NodeId) -> Option<Chain> {
    if !is_byte(sweep.ty(*sweep.node(end).outputs.first()?)) {
        return None;
    }
    let mut nodes = Vec::new();
    let mut best = None;
    let mut id = end;
    loop {
        let x = mapped(sweep, sweep.node(id))?;
        nodes.push(id);
        if is_byte(sweep.ty(x)) {
            best = Some((x, nodes.len()));
        }
        let before = sweep.producer(x).filter(|(_, n)| sweep.read_once(x) && mapped(sweep, n).is_some());
        match before {
            Some((producer, _)) => id = producer,
            None => break,
        }
    }
    let (x, length) = best?;
    nodes.truncate(length);
    nodes.reverse();
    let worth = length > 1 || !is_cheap(&sweep.node(end).op);
    worth.then_some(Chain { x, nodes })
}

/// The operand that the node maps element by element; everything else it reads is one number, or a table.
fn mapped(sweep: &Sweep, node: &Node) -> Option<TensorId> {
    let per_tensor = |t: &TensorId| sweep.constant(*t).is_some_and(|v| v.len() == 1);
    let x = match &node.op {
        op if kinds::is_unary(op) => *node.inputs.first()?,
        Op::RequantShift(_) if node.inputs[1..].iter().all(per_tensor) => node.inputs[0],
        Op::Quantize(op) if op.scale.len() == 1 => node.inputs[0],
        Op::Dequantize(op) if op.scale.len() == 1 => node.inputs[0],
        op if kinds::is_broadcasting(op) => {
            let mut variable = node.inputs.iter().filter(|t| !per_tensor(t));
            let x = *variable.next()?;
            variable.next().is_none().then_some(x)?
        }
        _ => return None,
    };
    let same_shape = sweep.shape(x) == sweep.shape(*node.outputs.first()?);
    (same_shape && sweep.constant(x).is_none()).then_some(x)
}

/// Whether one such operator costs no more than a table.
fn is_cheap(op: &Op) -> bool {
    matches!(
        op,
        Op::Lookup(_)
            | Op::Relu(_)
            | Op::Clip(_)
            | Op::Cast(_)
            | Op::Identity(_)
            | Op::Neg(_)
            | Op::Abs(_)
            | Op::Sign(_)
            | Op::Max(_)
            | Op::Min(_)
            | Op::RequantShift(_)
            | Op::And(_)
            | Op::Or(_)
            | Op::Xor(_)
            | Op::BitShift(_)
    )
}

/// The chain's result for every byte, in the order of the bytes read as unsigned numbers.
fn table(sweep: &Sweep, chain: &Chain) -> Option<Value> {
    let bytes: Vec<i64> = (0..256).collect();
    let mut value = Value::s64(&[256], bytes)?.cast(sweep.ty(chain.x).dtype);
    let mut from = chain.x;
    for id in &chain.nodes {
        let node = sweep.node(*id);
        let scalars: Vec<Option<Value>> = node
            .inputs
            .iter()
            .map(|t| sweep.constant(*t).filter(|v| v.len() == 1).and_then(|v| v.reshaped(&[])))
            .collect();
        let operand = |(t, scalar): (&TensorId, &'_ Option<Value>)| -> Option<Value> {
            if *t == from {
                Some(value.clone())
            } else {
                scalar.clone().or_else(|| sweep.constant(*t).cloned())
            }
        };
        let operands: Vec<Value> = node.inputs.iter().zip(&scalars).map(operand).collect::<Option<_>>()?;
        let types: Vec<TensorType> = operands.iter().map(TensorType::of).collect();
        let results = node.op.infer(&types).ok()?;
        let operands: Vec<&Value> = operands.iter().collect();
        value = node.op.reference(&operands, &results).ok()?.into_iter().next()?;
        from = *node.outputs.first()?;
    }
    Some(value)
}
