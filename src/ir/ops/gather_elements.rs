//! GatherElements: `y[.., i, ..] = x[.., indices[.., i, ..], ..]` along one axis. Negative indices count from
//! the end.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::elementwise::{array, flat, json};
use super::gather::{index_operand, place};
use super::strided::row_major;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;
use crate::map_array;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatherElements {
    /// The axis that is indexed.
    pub axis: usize,
}

impl Operator for GatherElements {
    const NAME: &'static str = "GatherElements";
    const ONNX: &'static [&'static str] = &["GatherElements"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(1)?;
        let axis = axis(node.attributes.int_or("axis", 0)?, node.required(0)?.ty.rank())?;
        Ok(Imported::new(GatherElements { axis }, vec![Source::Input(0), Source::Input(1)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into(), "indices".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        let (x, indices) = (&inputs[0], &inputs[1]);
        index_operand(indices)?;
        let fits = x.rank() == indices.rank()
            && self.axis < x.rank()
            && (0..x.rank()).all(|d| d == self.axis || indices.shape[d] <= x.shape[d]);
        if !fits {
            return Err(OpError::invalid(format!(
                "indices {indices} do not fit {x} along axis {}",
                self.axis
            )));
        }
        Ok(vec![TensorType::new(x.dtype, indices.shape.clone())])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = inputs[0].shape();
        let strides = row_major(shape);
        let indices = inputs[1].to_i64();
        let mut offsets = Vec::with_capacity(indices.len());
        for (at, i) in indices.indexed_iter() {
            let p = place(*i, shape[self.axis])?;
            let along = |d: usize| if d == self.axis { p } else { at[d] };
            offsets.push((0..shape.len()).map(|d| along(d) * strides[d] as usize).sum::<usize>());
        }
        Ok(vec![map_array!(inputs[0], a => {
            let x = flat(a);
            array(&outputs[0].shape, offsets.iter().map(|o| x[*o]).collect())?
        })])
    }
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let mut strides = row_major(&inputs[0].shape);
        let mut p = attributes(self);
        p.insert("size".into(), inputs[0].shape[self.axis].into());
        p.insert("axis_stride".into(), strides[self.axis].into());
        strides[self.axis] = 0;
        p.insert("loops".into(), strides.len().into());
        p.insert("dims".into(), json(&outputs[0].shape));
        p.insert("strides".into(), strides.into_iter().collect());
        p
    }
}
