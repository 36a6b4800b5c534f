//! Dequantize: integers to floats, `y = (x - zero) * scale`, subtraction and product being single f32
//! operations (so that the operator equals the chain Sub, Mul exactly).

use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};

use super::common::{Real, arity};
use super::integers::narrow;
use super::quantize::{Scaling, channels, check_scaling, describe_scaling, scaling};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dequantize {
    /// One scale, or one per index of `axis`.
    pub scale: Vec<Real>,
    /// As many zero points as scales.
    pub zero: Vec<Real>,
    /// The axis of several scales.
    pub axis: usize,
}

impl Operator for Dequantize {
    const NAME: &'static str = "Dequantize";
    const ONNX: &'static [&'static str] = &["DequantizeLinear"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let Scaling { scale, zero, axis } = scaling(node)?;
        Ok(Imported::new(Dequantize { scale, zero, axis }, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        narrow(&inputs[0], "x", 32)?;
        check_scaling(&inputs[0], &self.scale, &self.zero, self.axis)?;
        Ok(vec![TensorType::new(DType::F32, inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        // Several scales are attributes, which parts cannot cut.
        (self.scale.len() == 1).then(|| super::common::space(inputs, outputs))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let x = inputs[0].to_f32();
        let channel = channels(x.shape(), self.scale.len(), self.axis);
        let y = x.iter().zip(channel).map(|(x, c)| (x - self.zero[c].0) * self.scale[c].0).collect();
        ArrayD::from_shape_vec(IxDyn(&outputs[0].shape), y)
            .map(|a| vec![Value::F32(a)])
            .map_err(|e| OpError::invalid(e.to_string()))
    }
    /// The attributes, `outer`, `channels`, `inner` and `per_channel`.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        if let [x] = inputs {
            describe_scaling(&mut p, x, self.scale.len(), self.axis);
        }
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_channel() {
        let op = Dequantize { scale: vec![Real(0.5), Real(2.0)], zero: vec![Real(1.0), Real(-1.0)], axis: 1 };
        let x = Value::S8(ArrayD::from_shape_vec(vec![1, 2, 2], vec![3, -128, 3, 127]).unwrap());
        let ty = op.infer(&[TensorType::of(&x)]).unwrap();
        let y = op.reference(&[&x], &ty).unwrap();
        assert_eq!(y[0].to_f32().into_raw_vec_and_offset().0, [1.0, -64.5, 8.0, 256.0]);
    }
}
