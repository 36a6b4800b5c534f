//! IntegerDiv: division of two tensors in fixed point, with broadcasting.
//!
//! `n = delta*eta*num`, `d = eta*den + eps`, `y = (n + sign(n)*(d >> 1)) / d` with a truncating division in
//! 64 bits; stored as s32, wrapping. Where d is 0, y is 0. May carry a requantisation of what would be stored,
//! by one multiplier and addend: operands num, den, mul, add. Source: QuantLib/PACT.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcast};
use super::contraction::{epilogue_params, finish_int, result_type};
use super::elementwise::Broadcast;
use super::integers::{bounded, narrow};
use super::{Activation, Numeric, Operator, Params, Requant, attributes};
use crate::ir::access::{Reach, Space};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegerDiv {
    /// The factor of the numerator: delta*eta.
    pub numerator: i64,
    /// The factor of the denominator.
    pub eta: i64,
    /// Added to the denominator.
    pub eps: i64,
    /// Requantisation of the quotient.
    #[serde(default)]
    pub requant: Option<Requant>,
}

impl IntegerDiv {
    fn apply(&self, num: i64, den: i64) -> i64 {
        let (n, d) = (self.numerator * num, self.eta * den + self.eps);
        if d == 0 { 0 } else { (n + n.signum() * (d >> 1)) / d }
    }
}

impl Operator for IntegerDiv {
    const NAME: &'static str = "IntegerDiv";
    const ONNX: &'static [&'static str] = &["IntegerDiv"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let limit = i64::from(i32::MAX);
        let get = |name| bounded(node, name, -limit, limit);
        let (delta, eps, eta) = (get("Delta")?, get("eps")?, get("eta")?);
        let numerator = delta * eta;
        Ok(Imported::new(IntegerDiv { numerator, eta, eps, requant: None }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        let names: &[&str] =
            if self.requant.is_some() { &["num", "den", "mul", "add"] } else { &["num", "den"] };
        names.iter().map(|n| (*n).into()).collect()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        let count = if self.requant.is_some() { 4 } else { 2 };
        arity(inputs, count, count)?;
        narrow(&inputs[0], "num", 32)?;
        narrow(&inputs[1], "den", 32)?;
        // Half the denominator is added to the numerator: with both below 2^61 nothing leaves 64 bits.
        let largest =
            |t: &TensorType| t.dtype.range().map_or(0, |(lo, hi)| i128::from(hi.max(lo.saturating_neg())));
        let n = i128::from(self.numerator).abs() * largest(&inputs[0]);
        let d = i128::from(self.eta).abs() * largest(&inputs[1]) + i128::from(self.eps).abs();
        if n.max(d) > 1 << 61 {
            return Err(OpError::unsupported("the products of Delta, eta and the operands exceed 61 bits")
                .help("requantise the operands to fewer bits"));
        }
        let shape = broadcast(&inputs[0].shape, &inputs[1].shape)?;
        if inputs[2..].iter().any(|t| t.elements() != 1) {
            return Err(OpError::invalid("`mul` and `add` must have one element"));
        }
        Ok(vec![result_type(DType::S32, shape, self.requant.as_ref(), Activation::None, &inputs[2..])?])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let mut space = super::common::space(&inputs[..2], outputs);
        space.operands.extend(inputs[2..].iter().map(|t| vec![Reach::Whole; t.rank()]));
        Some(space)
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (num, den) = (inputs[0].to_i64(), inputs[1].to_i64());
        let shape = outputs[0].shape.as_slice();
        let broken = || OpError::invalid("operands do not broadcast");
        let num = num.broadcast(shape).ok_or_else(broken)?;
        let den = den.broadcast(shape).ok_or_else(broken)?;
        let y = ndarray::Zip::from(num).and(den).map_collect(|n, d| self.apply(*n, *d));
        Ok(vec![finish_int(y, DType::S32, self.requant.as_ref(), &inputs[2..], &outputs[0])?])
    }
    /// The attributes, the epilogue and the loops: `loops`, `dims`, `num_strides`, `den_strides`.
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let ([num, den, epilogue @ ..], [y]) = (inputs, outputs) else { return p };
        epilogue_params(self.requant.as_ref(), Activation::None, epilogue, &mut p);
        p.extend(Broadcast::new(&y.shape, &[&num.shape, &den.shape]).params(&["num", "den"]));
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand from the formula.
    #[test]
    fn rounds_to_nearest() {
        let op = IntegerDiv { numerator: 65536 * 7, eta: 7, eps: 1, requant: None };
        // 458752*100 = 45875200; d = 7*50 + 1 = 351; (45875200 + 175)/351 = 130699.074
        assert_eq!(op.apply(100, 50), 130_699);
        assert_eq!(op.apply(-100, 50), -130_699);
        assert_eq!(op.apply(1, 0), 458_752);
        assert_eq!(IntegerDiv { numerator: 1, eta: 0, eps: 0, requant: None }.apply(5, 5), 0);
    }
}
