//! IHardswish: integer hard swish, `x * clip(x + three, 0, six) * one_over_six`, an s32 that wraps.
//!
//! Source: QuantLib/PACT; models also call it HardSwish with these attributes.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::integers::{bounded, narrow};
use super::{Numeric, Operator};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IHardswish {
    /// One sixth in the scale of the result.
    pub one_over_six: i64,
    /// Three in the scale of x.
    pub three: i64,
    /// Six in the scale of x; not negative.
    pub six: i64,
}

impl Operator for IHardswish {
    const NAME: &'static str = "IHardswish";
    const ONNX: &'static [&'static str] = &["iHardswish"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let limit = 1 << 30;
        let op = IHardswish {
            one_over_six: bounded(node, "one_over_six", -limit, limit)?,
            three: bounded(node, "three", -limit, limit)?,
            six: bounded(node, "six", 0, limit)?,
        };
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        narrow(&inputs[0], "x", 32)?;
        let largest = self.one_over_six.abs().max(self.three.abs()).max(self.six.abs());
        if self.six < 0 || largest > 1 << 30 {
            return Err(OpError::invalid("attributes are out of range"));
        }
        Ok(vec![TensorType::new(DType::S32, inputs[0].shape.clone())])
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let y = inputs[0].to_i64().mapv(|x| {
            let gate = (x + self.three).clamp(0, self.six);
            x.wrapping_mul(gate).wrapping_mul(self.one_over_six)
        });
        Ok(vec![Value::from_i64_wrapping(y, outputs[0].dtype)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;

    #[test]
    fn clips_the_gate() {
        let op = IHardswish { one_over_six: 42, three: 122, six: 245 };
        let x = Value::S8(ArrayD::from_shape_vec(vec![4], vec![-128, -100, 10, 127]).unwrap());
        let ty = op.infer(&[TensorType::of(&x)]).unwrap();
        let y = op.reference(&[&x], &ty).unwrap();
        assert_eq!(
            y[0].to_i64().into_raw_vec_and_offset().0,
            [0, -100 * 22 * 42, 10 * 132 * 42, 127 * 245 * 42]
        );
    }
}
