//! SoftmaxGrad: the gradient of [`Softmax`](super::Softmax), `y * (dy - sum(dy*y))` per row.
//!
//! Operands `dy` and `y` (the softmax itself). onnxruntime's SoftmaxGrad flattens everything from `axis` (default 1)
//! on into one row, SoftmaxGrad_13 has rows of one axis.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::floats::{all_float, flat, tensor};
use super::rows::{self, Rows, row_axes};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftmaxGrad {
    /// The first axis of a row.
    pub axis: usize,
    /// How many axes a row spans.
    pub span: usize,
}

impl Operator for SoftmaxGrad {
    const NAME: &'static str = "SoftmaxGrad";
    const ONNX: &'static [&'static str] = &["SoftmaxGrad", "SoftmaxGrad_13"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let (axis, span) = row_axes(node, node.op_type == "SoftmaxGrad")?;
        Ok(Imported::new(SoftmaxGrad { axis, span }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["dy", "y"].map(String::from).into()
    }
    fn result_names(&self) -> Vec<String> {
        vec!["dx".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        all_float(inputs)?;
        if inputs[0] != inputs[1] || self.axis + self.span > inputs[0].rank() {
            return Err(OpError::invalid(format!("operands {} and {} do not fit", inputs[0], inputs[1])));
        }
        Ok(vec![inputs[0].clone()])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let rows = Rows::along(&outputs[0].shape, self.axis, self.span);
        let y = flat(inputs[1]);
        let mut row = 0;
        let dx = rows.map(flat(inputs[0]), |dy| {
            let y = rows.get(&y, row);
            row += 1;
            let dot: f64 = dy.iter().zip(&y).map(|(d, y)| d * y).sum();
            dy.iter().zip(&y).map(|(d, y)| y * (d - dot)).collect()
        });
        Ok(vec![tensor(&outputs[0].shape, dx)?])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::space(inputs, outputs, self.axis, self.span))
    }
    /// The attributes and the rows.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        if let Some(x) = inputs.first() {
            Rows::along(&x.shape, self.axis, self.span).describe(&mut p);
        }
        p
    }
}
