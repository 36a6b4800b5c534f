//! LpNorm: divides each row along an axis by its L1 or L2 norm; rows of zeros stay zeros.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::floats::{all_float, flat, tensor};
use super::rows::{self, Rows};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LpNorm {
    /// The axis of a row.
    pub axis: usize,
    /// 1 or 2.
    pub p: u32,
}

impl Operator for LpNorm {
    const NAME: &'static str = "LpNorm";
    const ONNX: &'static [&'static str] = &["LpNormalization"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let axis = axis(node.attributes.int_or("axis", -1)?, node.required(0)?.ty.rank())?;
        match node.attributes.int_or("p", 2)? {
            1 => Ok(Imported::new(LpNorm { axis, p: 1 }, node.all())),
            2 => Ok(Imported::new(LpNorm { axis, p: 2 }, node.all())),
            p => Err(OpError::invalid(format!("attribute `p` is {p}; it must be 1 or 2"))),
        }
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        all_float(inputs)?;
        if self.axis >= inputs[0].rank() {
            return Err(OpError::invalid(format!("axis {} is not in {}", self.axis, inputs[0])));
        }
        Ok(inputs.to_vec())
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let y = Rows::along(&outputs[0].shape, self.axis, 1).map(flat(inputs[0]), |row| {
            let norm = match self.p {
                1 => row.iter().map(|x| x.abs()).sum(),
                _ => row.iter().map(|x| x * x).sum::<f64>().sqrt(),
            };
            row.iter().map(|x| if norm == 0.0 { 0.0 } else { x / norm }).collect()
        });
        Ok(vec![tensor(&outputs[0].shape, y)?])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::space(inputs, outputs, self.axis, 1))
    }
    /// The attributes and the rows.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        if let [x] = inputs {
            Rows::along(&x.shape, self.axis, 1).describe(&mut p);
        }
        p
    }
}
