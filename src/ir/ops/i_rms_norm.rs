//! IRmsNorm: integer RMS normalisation along the last axis.
//!
//! Per row of n elements: `s = sum(x^2)/n + 1`, `std = isqrt(s)`, `y = clip(((x*w) / std) >> shift)` with a
//! truncating division and the signed range of `n_levels`. Operands `x` (at most 16 bits) and `weight` (one
//! element or n). The result is s8. Source: QuantLib/PACT.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::integers::{check, flat, levels, log2, narrow, tensor};
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
pub struct IRmsNorm {
    /// log2 of the divisor `D`.
    pub shift: u32,
    /// The result lies in `-n_levels/2..n_levels/2`.
    pub n_levels: i64,
}

/// Checks that operand `name` has one element or one per element of a row.
pub(super) fn per_column(x: &TensorType, t: &TensorType, name: &str) -> Result<(), OpError> {
    narrow(t, name, 32)?;
    let n = x.shape.last().copied().unwrap_or(1);
    let plain = t.shape.iter().rev().skip(1).all(|d| *d == 1);
    if t.elements() == 1 || (plain && t.elements() == n) {
        Ok(())
    } else {
        Err(OpError::invalid(format!("`{name}` is {t}; rows have {n} elements")))
    }
}

impl Operator for IRmsNorm {
    const NAME: &'static str = "IRmsNorm";
    const ONNX: &'static [&'static str] = &["iRMSNorm"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        Ok(Imported::new(IRmsNorm { shift: log2(node, "D")?, n_levels: levels(node)? }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["x", "weight"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        check(self.shift, self.n_levels)?;
        narrow(&inputs[0], "x", 16)?;
        per_column(&inputs[0], &inputs[1], "weight")?;
        Ok(vec![TensorType::new(DType::S8, inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::last_axis_space(inputs, outputs))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = &outputs[0].shape;
        let w = flat(inputs[1]);
        let half = self.n_levels / 2;
        let y = Rows::last(shape).map(flat(inputs[0]), |row| {
            let squares: i64 = row.iter().map(|x| x * x).sum();
            let std = (squares / row.len() as i64 + 1).isqrt();
            let scaled = row.iter().enumerate().map(|(i, x)| x * w[i % w.len()] / std);
            scaled.map(|q| (q >> self.shift).clamp(-half, half - 1)).collect()
        });
        Ok(vec![tensor(shape, y, outputs[0].dtype)?])
    }
    /// The attributes, the rows, the clip `lo` and `hi`, and `weight_step` (0 where one weight serves the row).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let [x, w] = inputs else { return p };
        Rows::last(&x.shape).describe(&mut p);
        p.insert("lo".into(), (-self.n_levels / 2).into());
        p.insert("hi".into(), (self.n_levels / 2 - 1).into());
        p.insert("weight_step".into(), u8::from(w.elements() != 1).into());
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;

    /// squares 9 + 16 + 144 = 169, /3 = 56, +1 = 57, isqrt 7; 3*100/7 = 42 >> 2 = 10, -4*100/7 = -57 >> 2 = -15,
    /// 12*100/7 = 171 >> 2 = 42 clipped to 31.
    #[test]
    fn one_row() {
        let op = IRmsNorm { shift: 2, n_levels: 64 };
        let x = Value::S8(ArrayD::from_shape_vec(vec![1, 3], vec![3, -4, 12]).unwrap());
        let w = Value::S32(ArrayD::from_shape_vec(vec![3], vec![100; 3]).unwrap());
        let ty = op.infer(&[TensorType::of(&x), TensorType::of(&w)]).unwrap();
        assert_eq!(flat(&op.reference(&[&x, &w], &ty).unwrap()[0]), [10, -15, 31]);
    }
}
