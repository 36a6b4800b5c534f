//! Lrn: local response normalisation over neighbouring channels:
//! `x / (bias + alpha/size * sum of squares of the window)^beta`, channels on axis 1.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity};
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
pub struct Lrn {
    /// Weight of the squares.
    pub alpha: Real,
    /// The exponent.
    pub beta: Real,
    /// Added to the weighted squares.
    pub bias: Real,
    /// Channels of the window: `(size-1)/2` before and the rest behind.
    pub size: usize,
}

impl Operator for Lrn {
    const NAME: &'static str = "Lrn";
    const ONNX: &'static [&'static str] = &["LRN"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let size = usize::try_from(node.attributes.required_int("size")?).unwrap_or(0);
        let op = Lrn {
            alpha: Real(node.attributes.float_or("alpha", 1e-4)?),
            beta: Real(node.attributes.float_or("beta", 0.75)?),
            bias: Real(node.attributes.float_or("bias", 1.0)?),
            size,
        };
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        all_float(inputs)?;
        if inputs[0].rank() < 2 || self.size == 0 {
            return Err(OpError::invalid(format!("a window of {} channels of {}", self.size, inputs[0])));
        }
        Ok(inputs.to_vec())
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let y = Rows::along(&outputs[0].shape, 1, 1).map(flat(inputs[0]), |row| {
            let (before, behind) = ((self.size - 1) / 2, self.size / 2);
            let norm = |i: usize| {
                let window = &row[i.saturating_sub(before)..(i + behind + 1).min(row.len())];
                let squares: f64 = window.iter().map(|x| x * x).sum();
                let alpha = f64::from(self.alpha.0) / self.size as f64;
                (f64::from(self.bias.0) + alpha * squares).powf(f64::from(self.beta.0))
            };
            row.iter().enumerate().map(|(i, x)| x / norm(i)).collect()
        });
        Ok(vec![tensor(&outputs[0].shape, y)?])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::space(inputs, outputs, 1, 1))
    }
    /// The attributes, the rows, `before` and `behind` (the window's reach) and `alpha_per_channel` (alpha/size).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        if let [x] = inputs {
            Rows::along(&x.shape, 1, 1).describe(&mut p);
        }
        let channels = inputs.first().and_then(|x| x.shape.get(1)).copied().unwrap_or(0);
        p.insert("before".into(), (self.size.saturating_sub(1) / 2).min(channels).into());
        p.insert("behind".into(), (self.size / 2).min(channels).into());
        p.insert("alpha_per_channel".into(), (self.alpha.0 / self.size.max(1) as f32).into());
        p
    }
}
