//! ISoftmax: integer softmax along the last axis, the exponential being a shifted parabola.
//!
//! Per row: `t = x - max(x)`, `z = clamp(-(t / log2), 0, 31)` (truncating), `p = t + z*log2`,
//! `e = (a*(p + b)^2 + c) >> z`, `y = e*(n_levels - 1) / sum(e)`, stored as u8.
//! Source: I-BERT's i-exp as QuantLib/PACT export it.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::integers::{bounded, check, flat, levels, narrow, tensor};
use super::rows::{self, Rows};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module. Coefficients are bounded on import so that no intermediate leaves 64 bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ISoftmax {
    /// `a` of the formula, 0..=65535.
    pub coeff_a: i64,
    /// `b` of the formula.
    pub coeff_b: i64,
    /// `c` of the formula, not negative.
    pub coeff_c: i64,
    /// The step of the exponential that halves the result; positive.
    pub log2: i64,
    /// The result lies in `0..n_levels`.
    pub n_levels: i64,
}

impl ISoftmax {
    /// The largest parabola of any distance up to `reach`; its argument runs from b - log2 + 1 (further down where
    /// z is clamped) to b, and the square is largest at an end.
    fn peak(&self, reach: i64) -> i64 {
        let lowest = (1 - self.log2).min(31 * self.log2 - reach).max(-reach) + self.coeff_b;
        let square = (lowest * lowest).max(self.coeff_b * self.coeff_b);
        self.coeff_a * square + self.coeff_c
    }
    /// The unnormalised exponential of `t` (not positive).
    fn exponential(&self, t: i64) -> i64 {
        let z = (-(t / self.log2)).clamp(0, 31);
        let p = t + z * self.log2;
        (self.coeff_a * (p + self.coeff_b) * (p + self.coeff_b) + self.coeff_c) >> z
    }
}

impl Operator for ISoftmax {
    const NAME: &'static str = "ISoftmax";
    const ONNX: &'static [&'static str] = &["iSoftmax"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let op = ISoftmax {
            coeff_a: bounded(node, "coeffA", 0, 65535)?,
            coeff_b: bounded(node, "coeffB", -65535, 65535)?,
            coeff_c: bounded(node, "coeffC", 0, 1 << 40)?,
            log2: bounded(node, "log2", 1, 65535)?,
            n_levels: levels(node)?,
        };
        if op.exponential(0) <= 0 {
            return Err(OpError::invalid("the exponential of 0 is 0: rows would have no sum to divide by"));
        }
        if node.attributes.int_or("signed", 0)? != 0 {
            return Err(OpError::unsupported("a signed softmax"));
        }
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        narrow(&inputs[0], "x", 16)?;
        check(0, self.n_levels)?;
        let coefficients = [self.coeff_a, self.coeff_b.abs(), self.log2];
        let bounded = coefficients.iter().all(|c| (0..=65535).contains(c)) && self.log2 > 0;
        if !bounded || !(0..=1 << 40).contains(&self.coeff_c) || self.exponential(0) <= 0 {
            return Err(OpError::invalid("coefficients are out of range"));
        }
        let len = inputs[0].shape.last().copied().unwrap_or(1);
        let bits = inputs[0].dtype.bytes() * 8;
        if self.peak((1 << bits) - 1) as i128 * len as i128 > 1 << 62 {
            return Err(OpError::unsupported("the sum of a row of exponentials exceeds 62 bits"));
        }
        Ok(vec![TensorType::new(DType::U8, inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::last_axis_space(inputs, outputs))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = &outputs[0].shape;
        let y = Rows::last(shape).map(flat(inputs[0]), |row| {
            let max = row.iter().copied().max().unwrap_or(0);
            let e: Vec<i64> = row.iter().map(|x| self.exponential(x - max)).collect();
            let sum: i64 = e.iter().sum();
            e.iter().map(|e| e * (self.n_levels - 1) / sum).collect()
        });
        Ok(vec![tensor(shape, y, outputs[0].dtype)?])
    }
    /// The attributes, the rows, `recip` = ceil(2^24 / log2) (then `t*recip >> 24` is `t/log2` for t up to
    /// 255), and `fits32`: whether 32 bits hold every intermediate for 8-bit x.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let [x] = inputs else { return p };
        let rows = Rows::last(&x.shape);
        rows.describe(&mut p);
        let peak = self.peak(255) as i128;
        let worst = (peak * (self.n_levels - 1) as i128).max(peak * rows.len as i128);
        let fits = x.dtype.bytes() == 1 && worst <= i32::MAX as i128;
        p.insert("fits32".into(), u8::from(fits).into());
        p.insert("recip".into(), ((1 << 24) + self.log2 - 1).div_euclid(self.log2).into());
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;

    /// The formula, worked by hand for one row: t = 0, -62, -100; z = 0, 1, 1; p = 0, 0, -38;
    /// e = 10791, 5395, (46^2 + 3735) >> 1 = 2925; sum = 19111; y = e*255/sum.
    #[test]
    fn one_row() {
        let op = ISoftmax { coeff_a: 1, coeff_b: 84, coeff_c: 3735, log2: 62, n_levels: 256 };
        let x = Value::S8(ArrayD::from_shape_vec(IxDyn(&[1, 3]), vec![90, 28, -10]).unwrap());
        let ty = op.infer(&[TensorType::of(&x)]).unwrap();
        let y = op.reference(&[&x], &ty).unwrap();
        assert_eq!(flat(&y[0]), [143, 71, 39]);
        assert_eq!(y[0].dtype(), DType::U8);
    }
    use ndarray::IxDyn;
    #[test]
    fn reciprocal_divides_exactly() {
        for log2 in 1..=65535i64 {
            let recip = ((1 << 24) + log2 - 1) / log2;
            for t in [0, 1, log2 - 1, log2, log2 + 1, 2 * log2 - 1, 2 * log2, 254, 255] {
                if t <= 255 {
                    assert_eq!((t * recip) >> 24, t / log2, "{t} / {log2}");
                    assert!(t * recip <= u32::MAX as i64);
                }
            }
        }
    }
}
