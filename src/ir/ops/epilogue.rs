//! What may be fused behind a contraction or an addition: requantisation or a float activation.
//!
//! In: accumulators and multiplier/addend operands. Out: clipped results. Never knows which operator it
//! stands behind.

use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};

use super::common::Real;
use crate::ir::access::Reach;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::OpError;

/// Requantisation of an integer accumulator: `clip((x*mul + add + 2^(shift-1)) >> shift, lo, hi)`, computed in
/// 64 bits with an arithmetic shift (the half is 0 for shift 0). Source: QuantLib's RequantShift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requant {
    /// log2 of the divisor, 0..=62.
    pub shift: u32,
    /// Lower clip, inclusive.
    pub lo: i64,
    /// Upper clip, inclusive.
    pub hi: i64,
    /// The axis of x along which a multiplier or addend with more than one element runs.
    pub axis: usize,
}

impl Requant {
    /// The smallest element type that holds the clipped range.
    pub fn dtype(&self) -> DType {
        DType::smallest_int(self.lo, self.hi)
    }
    /// How a multiplier or addend of type `ty` is reached from an iteration space whose axis `axis` runs along its
    /// elements.
    pub fn reach(&self, ty: &TensorType, axis: usize) -> Vec<Reach> {
        let one = if ty.elements() == 1 { Reach::Whole } else { Reach::same(axis) };
        ty.shape.iter().map(|n| if *n == 1 { Reach::Whole } else { one }).collect()
    }
    /// One element.
    pub fn apply(&self, x: i64, mul: i64, add: i64) -> i64 {
        let half = (1i64 << self.shift) >> 1;
        let sum = x.wrapping_mul(mul).wrapping_add(add).wrapping_add(half);
        (sum >> self.shift).clamp(self.lo, self.hi)
    }
    /// A whole tensor; `mul` and `add` have one element or as many as `x` along `axis`.
    ///
    /// # Errors
    /// The parameters have another number of elements.
    pub fn apply_all(
        &self,
        x: &ArrayD<i64>,
        mul: &ArrayD<i64>,
        add: &ArrayD<i64>,
    ) -> Result<ArrayD<i64>, OpError> {
        let along = |p: &ArrayD<i64>, name: &str| -> Result<ArrayD<i64>, OpError> {
            let mut shape = vec![1; x.ndim()];
            if p.len() != 1 {
                let wanted = x.shape().get(self.axis).copied();
                if wanted != Some(p.len()) {
                    return Err(OpError::invalid(format!(
                        "`{name}` has {} elements; x of shape {:?} has {wanted:?} along axis {}",
                        p.len(),
                        x.shape(),
                        self.axis
                    )));
                }
                shape[self.axis] = p.len();
            }
            let flat = p.iter().copied().collect();
            ArrayD::from_shape_vec(IxDyn(&shape), flat).map_err(|e| OpError::invalid(e.to_string()))
        };
        let broken = || OpError::invalid("requantisation parameters do not broadcast");
        let (mul, add) = (along(mul, "mul")?, along(add, "add")?);
        let mul = mul.broadcast(x.raw_dim()).ok_or_else(broken)?;
        let add = add.broadcast(x.raw_dim()).ok_or_else(broken)?;
        let mut y = x.clone();
        ndarray::Zip::from(&mut y).and(mul).and(add).for_each(|y, m, a| *y = self.apply(*y, *m, *a));
        Ok(y)
    }
}

/// A float activation fused behind an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// None.
    #[default]
    None,
    /// `min(max(x, lo), hi)`; Relu is `[0, inf]`.
    Clip {
        /// Lower bound.
        lo: Real,
        /// Upper bound.
        hi: Real,
    },
}

impl Activation {
    /// One element.
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Activation::None => x,
            Activation::Clip { lo, hi } => x.max(lo.0).min(hi.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_up_and_clips() {
        let rq = Requant { shift: 4, lo: -8, hi: 7, axis: 0 };
        assert_eq!(rq.apply(8, 1, 0), 1);
        assert_eq!(rq.apply(7, 1, 0), 0);
        assert_eq!(rq.apply(-8, 1, 0), 0);
        assert_eq!(rq.apply(-9, 1, 0), -1);
        assert_eq!(rq.apply(1000, 1, 0), 7);
        assert_eq!(rq.apply(0, 1, -1000), -8);
        assert_eq!(Requant { shift: 0, ..rq }.apply(3, 2, 1), 7);
    }
}
