//! Requantisation that is the same for every channel. In: nodes with constant multipliers and addends per channel. Out: one
//! of each where all of them are equal, which kernels read once and which takes no memory to speak of. Exact.

use ndarray::{ArrayD, IxDyn};

use crate::diag::Result;
use crate::ir::{Graph, Op, TensorId, Value};

use super::epilogue;
use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        let node = sweep.node(id);
        let requantises = matches!(node.op, Op::RequantShift(_)) || epilogue::requant(&node.op).is_some();
        let [others @ .., mul, add] = node.inputs.as_slice() else { return Ok(()) };
        if !requantises || sweep.ty(*mul).elements().max(sweep.ty(*add).elements()) < 2 {
            return Ok(());
        }
        if let (Some(one_mul), Some(one_add)) = (uniform(sweep, *mul), uniform(sweep, *add)) {
            let mul = sweep.add_constant(sweep.tensor(*mul).name.clone(), one_mul);
            let add = sweep.add_constant(sweep.tensor(*add).name.clone(), one_add);
            let inputs = others.iter().copied().chain([mul, add]).collect();
            sweep.replace(id, &node.name, node.op.clone(), inputs);
        }
        Ok(())
    })
}

/// The value that all elements of a constant have, as a scalar of its type.
fn uniform(sweep: &Sweep, tensor: TensorId) -> Option<Value> {
    let value = sweep.constant(tensor).filter(|v| v.dtype().is_int())?;
    let elements = value.to_i64();
    let first = *elements.first()?;
    let scalar = ArrayD::from_elem(IxDyn(&[]), first);
    elements.iter().all(|e| *e == first).then(|| Value::from_i64_wrapping(scalar, value.dtype()))
}
