//! BatchNorm: `(x - mean)/sqrt(var + epsilon) * scale + bias` per channel, with given statistics.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity};
use super::floats::{all_float, flat, tensor};
use super::quantize::channels;
use super::rows::Rows;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::{Reach, Space};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module. Operands `x`, `scale`, `bias`, `mean`, `var`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// Added to the variance.
    pub epsilon: Real,
    /// The axis of the channels: 1 as imported, the last after layout conversion.
    pub axis: usize,
}

impl Operator for BatchNorm {
    const NAME: &'static str = "BatchNorm";
    const ONNX: &'static [&'static str] = &["BatchNormalization"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        for i in 0..5 {
            node.required(i)?;
        }
        if node.attributes.int_or("training_mode", 0)? != 0 || node.outputs_used.iter().skip(1).any(|u| *u) {
            return Err(OpError::unsupported("batch normalisation in training mode")
                .help("export the network for inference, or freeze its batch statistics"));
        }
        if node.attributes.int_or("spatial", 1)? != 1 {
            return Err(OpError::unsupported("statistics per position (spatial = 0)"));
        }
        let epsilon = Real(node.attributes.float_or("epsilon", 1e-5)?);
        let axis = 1.min(node.required(0)?.ty.rank().saturating_sub(1));
        Ok(Imported::new(BatchNorm { epsilon, axis }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["x", "scale", "bias", "mean", "var"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 5, 5)?;
        all_float(inputs)?;
        let x = &inputs[0];
        let missing = || OpError::invalid(format!("{x} has no axis {}", self.axis));
        let channels = *x.shape.get(self.axis).ok_or_else(missing)?;
        match inputs[1..].iter().find(|t| t.elements() != channels) {
            Some(t) => Err(OpError::invalid(format!("a parameter is {t}; there are {channels} channels"))),
            None => Ok(vec![x.clone()]),
        }
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = &outputs[0].shape;
        let [scale, bias, mean, var] = [1, 2, 3, 4].map(|i| flat(inputs[i]));
        let inverse: Vec<f64> = var.iter().map(|v| 1.0 / (v + f64::from(self.epsilon.0)).sqrt()).collect();
        let channel = channels(shape, scale.len(), self.axis);
        let y = flat(inputs[0]).into_iter().zip(channel);
        let y = y.map(|(x, c)| (x - mean[c]) * inverse[c] * scale[c] + bias[c]);
        Ok(vec![tensor(shape, y.collect())?])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let channels = outputs[0].shape[self.axis];
        let one = |n: &usize| if *n == channels { Reach::same(self.axis) } else { Reach::Whole };
        let mut space = super::common::space(&inputs[..1], outputs);
        space.operands.extend(inputs[1..].iter().map(|t| t.shape.iter().map(one).collect()));
        Some(space)
    }
    /// The attributes, `outer`, `channels` and `inner`.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let Some(x) = inputs.first() else { return p };
        let rows = Rows::along(&x.shape, self.axis, 1);
        p.insert("outer".into(), rows.outer.into());
        p.insert("channels".into(), rows.len.into());
        p.insert("inner".into(), rows.inner.into());
        p
    }
}
