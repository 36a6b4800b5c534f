//! Gather: slices of the operand along one axis, picked by an index tensor. Negative indices count from the
//! end. One constant index is imported as a slice, which costs nothing where it is contiguous.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::elementwise::{array, flat};
use super::{Numeric, Operator, Params, Reshape, Slice, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;
use crate::map_array;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gather {
    /// The axis that is indexed.
    pub axis: usize,
}

/// An index, possibly counted from the end, as a place below `n`.
///
/// # Errors
/// It is out of range.
pub fn place(i: i64, n: usize) -> Result<usize, OpError> {
    let from_start = if i < 0 { i.saturating_add(n as i64) } else { i };
    usize::try_from(from_start)
        .ok()
        .filter(|p| *p < n)
        .ok_or_else(|| OpError::invalid(format!("index {i} is out of range for {n} elements")))
}

/// Checks that an operand holds integers.
///
/// # Errors
/// It does not.
pub fn index_operand(t: &TensorType) -> Result<(), OpError> {
    if t.dtype.is_int() {
        Ok(())
    } else {
        Err(OpError::invalid(format!("indices must be integers, not {}", t.dtype)))
    }
}

impl Operator for Gather {
    const NAME: &'static str = "Gather";
    const ONNX: &'static [&'static str] = &["Gather"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let (x, indices) = (node.required(0)?.ty, node.required(1)?);
        let axis = axis(node.attributes.int_or("axis", 0)?, x.rank())?;
        if let Some(i) = indices.value.filter(|v| v.is_integral()).and_then(Value::scalar_i64) {
            let slice = Slice::along(&x.shape, axis, place(i, x.shape[axis])?, 1);
            let shape = [&x.shape[..axis], &indices.ty.shape, &x.shape[axis + 1..]].concat();
            let slice = Imported::new(slice, vec![Source::Input(0)]);
            return Ok(Imported::new(Reshape { shape }, vec![Source::Node(Box::new(slice))]));
        }
        Ok(Imported::new(Gather { axis }, vec![Source::Input(0), Source::Input(1)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into(), "indices".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        let (x, indices) = (&inputs[0], &inputs[1]);
        index_operand(indices)?;
        if self.axis >= x.rank() {
            return Err(OpError::invalid(format!("axis {} is out of range for {x}", self.axis)));
        }
        let shape = [&x.shape[..self.axis], &indices.shape, &x.shape[self.axis + 1..]].concat();
        Ok(vec![TensorType::new(x.dtype, shape)])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = inputs[0].shape();
        let n = shape[self.axis];
        let places = inputs[1].to_i64();
        let places: Vec<usize> = places.iter().map(|i| place(*i, n)).collect::<Result<_, _>>()?;
        let outer: usize = shape[..self.axis].iter().product();
        let inner: usize = shape[self.axis + 1..].iter().product();
        Ok(vec![map_array!(inputs[0], a => {
            let x = flat(a);
            let mut y = Vec::with_capacity(outputs[0].elements());
            for o in 0..outer {
                for p in &places {
                    let at = (o * n + p) * inner;
                    y.extend_from_slice(&x[at..at + inner]);
                }
            }
            array(&outputs[0].shape, y)?
        })])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let shape = &inputs[0].shape;
        let mut p = attributes(self);
        p.insert("outer".into(), shape[..self.axis].iter().product::<usize>().into());
        p.insert("size".into(), shape[self.axis].into());
        p.insert("inner".into(), shape[self.axis + 1..].iter().product::<usize>().into());
        p.insert("count".into(), inputs[1].elements().into());
        p
    }
}
