//! ILayerNorm: integer layer normalisation along the last axis.
//!
//! Per row of n elements: `mean = sum/n`, `s = sum((x-mean)^2)/n + 1`, `std = isqrt(s)`,
//! `y = (((x-mean)*w) / std + bias) >> shift`; divisions truncate; stored as s8, wrapping.
//! Operands `x` (at most 16 bits), `weight` and `bias` (one element or n). Source: QuantLib/PACT.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::i_rms_norm::per_column;
use super::integers::{check, flat, log2, narrow, tensor};
use super::rows::{self, Rows};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ILayerNorm {
    /// log2 of the divisor `D`.
    pub shift: u32,
}

impl Operator for ILayerNorm {
    const NAME: &'static str = "ILayerNorm";
    const ONNX: &'static [&'static str] = &["iLayerNorm"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        Ok(Imported::new(ILayerNorm { shift: log2(node, "D")? }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["x", "weight", "bias"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 3, 3)?;
        check(self.shift, 256)?;
        narrow(&inputs[0], "x", 16)?;
        per_column(&inputs[0], &inputs[1], "weight")?;
        per_column(&inputs[0], &inputs[2], "bias")?;
        Ok(vec![TensorType::new(DType::S8, inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::last_axis_space(inputs, outputs))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = &outputs[0].shape;
        let (w, b) = (flat(inputs[1]), flat(inputs[2]));
        let y = Rows::last(shape).map(flat(inputs[0]), |row| {
            let n = row.len() as i64;
            let mean = row.iter().sum::<i64>() / n;
            let squares: i64 = row.iter().map(|x| (x - mean) * (x - mean)).sum();
            let std = (squares / n + 1).isqrt();
            let scaled =
                row.iter().enumerate().map(|(i, x)| (x - mean) * w[i % w.len()] / std + b[i % b.len()]);
            scaled.map(|q| q >> self.shift).collect()
        });
        Ok(vec![tensor(shape, y, outputs[0].dtype)?])
    }
    /// The attributes, the rows, `weight_step` and `bias_step` (0 where one element serves the row).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let [x, w, b] = inputs else { return p };
        Rows::last(&x.shape).describe(&mut p);
        p.insert("weight_step".into(), u8::from(w.elements() != 1).into());
        p.insert("bias_step".into(), u8::from(b.elements() != 1).into());
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;

    /// sum -14, mean -3 (towards zero); deviations 3, 6, 0, -11; squares 166, /4 = 41, +1 = 42, isqrt 6;
    /// times 50 by 6: 25, 50, 0, -91 (towards zero); plus 3; >> 1.
    #[test]
    fn one_row() {
        let op = ILayerNorm { shift: 1 };
        let x = Value::S8(ArrayD::from_shape_vec(vec![1, 4], vec![0, 3, -3, -14]).unwrap());
        let w = Value::S32(ArrayD::from_shape_vec(vec![4], vec![50; 4]).unwrap());
        let b = Value::S32(ArrayD::from_shape_vec(vec![1], vec![3]).unwrap());
        let ty = op.infer(&[TensorType::of(&x), TensorType::of(&w), TensorType::of(&b)]).unwrap();
        let y = op.reference(&[&x, &w, &b], &ty).unwrap();
        assert_eq!(flat(&y[0]), [14, 26, 1, -44]);
    }
}
