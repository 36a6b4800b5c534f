//! LogSoftmax: `x - log(sum(exp(x)))` per row.
//!
//! A row runs along `span` axes from `axis` on. Before operator set 13 ONNX's operator flattens everything
//! from `axis` (default 1) on into one row; from 13 on a row is one axis (default the last).

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::floats::{all_float, flat, log_softmax, tensor};
use super::rows::{self, Rows, row_axes};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSoftmax {
    /// The first axis of a row.
    pub axis: usize,
    /// How many axes a row spans.
    pub span: usize,
}

impl Operator for LogSoftmax {
    const NAME: &'static str = "LogSoftmax";
    const ONNX: &'static [&'static str] = &["LogSoftmax"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let (axis, span) = row_axes(node, node.opset < 13)?;
        Ok(Imported::new(LogSoftmax { axis, span }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        all_float(inputs)?;
        if self.axis + self.span > inputs[0].rank() {
            return Err(OpError::invalid(format!(
                "axes {}+{} are not in {}",
                self.axis, self.span, inputs[0]
            )));
        }
        Ok(inputs.to_vec())
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::space(inputs, outputs, self.axis, self.span))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = &outputs[0].shape;
        let y = Rows::along(shape, self.axis, self.span).map(flat(inputs[0]), log_softmax);
        Ok(vec![tensor(shape, y)?])
    }
    /// The attributes and the rows: `outer`, `len`, `inner`, `rows`.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        if let [x] = inputs {
            Rows::along(&x.shape, self.axis, self.span).describe(&mut p);
        }
        p
    }
}
