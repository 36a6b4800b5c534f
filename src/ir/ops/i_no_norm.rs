//! INoNorm: `((x*weight + bias) * mul) >> shift`, stored as s8, wrapping.
//!
//! Weight and bias broadcast to x. Intermediates have 64 bits. Source: QuantLib/PACT.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcast, broadcasts};
use super::integers::{bounded, check, flat, log2, narrow, tensor};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct INoNorm {
    /// The multiplier.
    pub mul: i64,
    /// log2 of the divisor `D`.
    pub shift: u32,
}

/// Whether `t` is a whole trailing block of `x`: repeated end to end it covers x.
fn repeats(x: &TensorType, t: &TensorType) -> bool {
    let skip = t.shape.iter().take_while(|d| **d == 1).count();
    x.shape.ends_with(&t.shape[skip..])
}

impl Operator for INoNorm {
    const NAME: &'static str = "INoNorm";
    const ONNX: &'static [&'static str] = &["iNoNorm"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let mul = bounded(node, "mul", i32::MIN.into(), i32::MAX.into())?;
        Ok(Imported::new(INoNorm { mul, shift: log2(node, "D")? }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["x", "weight", "bias"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 3, 3)?;
        check(self.shift, 256)?;
        let x = &inputs[0];
        narrow(x, "x", 16)?;
        for (t, name) in [(&inputs[1], "weight"), (&inputs[2], "bias")] {
            narrow(t, name, 32)?;
            if broadcast(&x.shape, &t.shape)? != x.shape || !repeats(x, t) {
                return Err(OpError::unsupported(format!(
                    "`{name}` is {t}; it must be a trailing block of x, {x}"
                )));
            }
        }
        Ok(vec![TensorType::new(DType::S8, x.shape.clone())])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (x, w, b) = (flat(inputs[0]), flat(inputs[1]), flat(inputs[2]));
        let y = x.iter().enumerate().map(|(i, x)| {
            let sum = x * w[i % w.len()] + b[i % b.len()];
            sum.wrapping_mul(self.mul) >> self.shift
        });
        Ok(vec![tensor(&outputs[0].shape, y.collect(), outputs[0].dtype)?])
    }
    broadcasts!();
    /// The attributes and `weight_len`, `bias_len`: after how many elements each repeats.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let [_, w, b] = inputs else { return p };
        p.insert("weight_len".into(), w.elements().into());
        p.insert("bias_len".into(), b.elements().into());
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;

    /// (10*7 - 5)*425 = 27625 >> 8 = 107; (-10*7 + 5)*425 = -27625 >> 8 = -108; (100*7 - 5)*425 >> 8 = 1153,
    /// which is 1153 - 4*256 - 256 = -127 in 8 bits.
    #[test]
    fn wraps_to_eight_bits() {
        let op = INoNorm { mul: 425, shift: 8 };
        let x = Value::S8(ArrayD::from_shape_vec(vec![2, 2], vec![10, -10, 100, 0]).unwrap());
        let w = Value::S8(ArrayD::from_shape_vec(vec![1], vec![7]).unwrap());
        let b = Value::S32(ArrayD::from_shape_vec(vec![2], vec![-5, 5]).unwrap());
        let ty = op.infer(&[TensorType::of(&x), TensorType::of(&w), TensorType::of(&b)]).unwrap();
        assert_eq!(flat(&op.reference(&[&x, &w, &b], &ty).unwrap()[0]), [107, -108, -127, 8]);
    }
}
