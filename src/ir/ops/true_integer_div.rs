//! TrueIntegerDiv: division by a constant in fixed point, `floor(delta*eta*x / (eta*y + eps))`, an s32 that
//! wraps; the product has 64 bits. Source: QuantLib/PACT.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::integers::{bounded, narrow};
use super::{Numeric, Operator, Params};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module, whose formula this is with `numerator` = delta*eta and `divisor` = eta*y + eps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrueIntegerDiv {
    /// The factor of x.
    pub numerator: i64,
    /// What it is divided by; positive.
    pub divisor: i64,
}

impl TrueIntegerDiv {
    fn apply(&self, x: i64) -> i64 {
        x.wrapping_mul(self.numerator).div_euclid(self.divisor)
    }
    /// Factor, addend and shift with `(x*mul + add) >> shift == floor(numerator*x/divisor)` for `|x| <= limit`,
    /// if 64 bits hold every intermediate.
    ///
    /// With `mul = ceil(numerator * 2^shift / divisor)` the product exceeds the exact value by less than
    /// `limit`; the addend lifts negative products over it. Exact values are multiples of `2^shift / divisor`
    /// apart, so with `2^shift > 2 * limit * divisor` and an addend of `limit` the floor is never another one.
    fn reciprocal(&self, limit: i64) -> Option<(i64, i64, u32)> {
        let (n, d, limit) = (self.numerator as i128, self.divisor as i128, limit as i128);
        let shift = 128 - (2 * limit * d).leading_zeros();
        let mul = ((n << shift.min(63)) + d - 1).div_euclid(d);
        let largest = mul.checked_abs().and_then(|m| m.checked_mul(limit));
        let fits = shift <= 62 && largest.is_some_and(|l| l + limit < i64::MAX as i128);
        fits.then_some((mul as i64, limit as i64, shift))
    }
}

impl Operator for TrueIntegerDiv {
    const NAME: &'static str = "TrueIntegerDiv";
    const ONNX: &'static [&'static str] = &["TrueIntegerDiv"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let limit = i64::from(i32::MAX);
        let get = |name| bounded(node, name, -limit, limit);
        let (delta, eps, eta, y) = (get("Delta")?, get("eps")?, get("eta")?, get("y")?);
        let (numerator, divisor) = (delta * eta, eta * y + eps);
        if divisor == 0 {
            return Err(OpError::invalid("attributes make the divisor eta*y + eps zero"));
        }
        let op = TrueIntegerDiv { numerator: numerator * divisor.signum(), divisor: divisor.abs() };
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        narrow(&inputs[0], "x", 32)?;
        if self.divisor <= 0 {
            return Err(OpError::invalid("the divisor must be positive"));
        }
        Ok(vec![TensorType::new(DType::S32, inputs[0].shape.clone())])
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![Value::from_i64_wrapping(inputs[0].to_i64().mapv(|x| self.apply(x)), outputs[0].dtype)])
    }
    /// The attributes; `recip` = 1 with `mul`, `add` and `shift` where `(x*mul + add) >> shift` is exact.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = super::attributes(self);
        let [x] = inputs else { return p };
        let (lo, hi) = x.dtype.range().unwrap_or((i64::MIN, i64::MAX));
        let recip = self.reciprocal(hi.max(-lo.max(-i64::MAX)));
        p.insert("recip".into(), u8::from(recip.is_some()).into());
        if let Some((mul, add, shift)) = recip {
            p.insert("mul".into(), mul.into());
            p.insert("add".into(), add.into());
            p.insert("shift".into(), shift.into());
        }
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors() {
        // 16384*200000/400001 = 8191.97952...
        let op = TrueIntegerDiv { numerator: 16384 * 200_000, divisor: 400_001 };
        assert_eq!(op.apply(1), 8191);
        assert_eq!(op.apply(-1), -8192);
        assert_eq!(op.apply(127), 1_040_381);
        assert_eq!(op.apply(0), 0);
    }
    #[test]
    fn reciprocals_are_exact() {
        for (numerator, divisor) in
            [(16384 * 200_000, 400_001), (7, 3), (-5, 7), (1, 1), (255, 256), (-1, 65535), (12, 4)]
        {
            let op = TrueIntegerDiv { numerator, divisor };
            for limit in [128, 255, 32768] {
                let (mul, add, shift) = op.reciprocal(limit).unwrap();
                for x in -limit..=limit {
                    assert_eq!((x * mul + add) >> shift, op.apply(x), "{x}*{numerator}/{divisor}");
                }
            }
        }
    }
}
