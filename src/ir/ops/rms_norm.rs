//! RmsNorm: `x / sqrt(mean(x^2) + epsilon) * scale` over the axes from `axis` on.
//!
//! Models call it RMSNormalization (ONNX 23), SimplifiedLayerNormalization (onnxruntime) or RMSNorm;
//! SkipSimplifiedLayerNormalization normalises a sum.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity};
use super::floats::{all_float, flat, tensor};
use super::layer_norm::{norm_attributes, per_element, skip};
use super::rows::{self, Rows};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsNorm {
    /// The first axis of a row.
    pub axis: usize,
    /// Added to the mean square.
    pub epsilon: Real,
}

impl Operator for RmsNorm {
    const NAME: &'static str = "RmsNorm";
    const ONNX: &'static [&'static str] =
        &["RMSNormalization", "SimplifiedLayerNormalization", "RMSNorm", "SkipSimplifiedLayerNormalization"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(1)?;
        if node.outputs_used.iter().skip(1).any(|u| *u) {
            return Err(OpError::unsupported("the inverse standard deviation as a result"));
        }
        let (axis, epsilon) = norm_attributes(node)?;
        if node.op_type.starts_with("Skip") {
            return skip(RmsNorm { axis, epsilon }, node);
        }
        Ok(Imported::new(RmsNorm { axis, epsilon }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["x", "scale"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        all_float(inputs)?;
        if self.axis >= inputs[0].rank() {
            return Err(OpError::invalid(format!("axis {} is not in {}", self.axis, inputs[0])));
        }
        per_element(&inputs[0], self.axis, &inputs[1], "scale")?;
        Ok(vec![inputs[0].clone()])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::space(inputs, outputs, self.axis, inputs[0].rank() - self.axis))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let scale = flat(inputs[1]);
        let y = Rows::from(&outputs[0].shape, self.axis).map(flat(inputs[0]), |row| {
            let square = row.iter().map(|x| x * x).sum::<f64>() / row.len() as f64;
            let inverse = 1.0 / (square + f64::from(self.epsilon.0)).sqrt();
            row.iter().enumerate().map(|(i, x)| x * inverse * scale[i % scale.len()]).collect()
        });
        Ok(vec![tensor(&outputs[0].shape, y)?])
    }
    /// The attributes, the rows and `scale_step` (0 where one element serves the row).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let [x, scale] = inputs else { return p };
        Rows::from(&x.shape, self.axis).describe(&mut p);
        p.insert("scale_step".into(), u8::from(scale.elements() != 1).into());
        p
    }
}
