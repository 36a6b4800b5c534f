//! Deterministic random inputs for cases that bring none.
//!
//! In: types and a seed. Out: values that are the same on every machine. Never uses the system's randomness.

use ndarray::{ArrayD, IxDyn};

use crate::ir::{DType, TensorType, Value};

/// A small, well mixed generator (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that always gives the same sequence for the same seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// Uniform in `lo..=hi`, which spans less than 2^63.
    pub fn int(&mut self, lo: i64, hi: i64) -> i64 {
        let span = hi.wrapping_sub(lo).max(0) as u64 + 1;
        lo.wrapping_add((self.bits() % span) as i64)
    }
    /// About normal with standard deviation 1: the sum of twelve uniforms, less their mean.
    pub fn normal(&mut self) -> f32 {
        let sum: f64 = (0..12).map(|_| (self.bits() >> 11) as f64 / (1u64 << 53) as f64).sum();
        (sum - 6.0) as f32
    }
    /// A tensor. 8-bit integers take their whole range; wider ones (often indices or labels) stay within
    /// `-limit..=limit` (unsigned: `0..=limit`).
    pub fn value(&mut self, ty: &TensorType, limit: i64) -> Value {
        let shape = IxDyn(&ty.shape);
        if ty.dtype == DType::F32 {
            return Value::F32(ArrayD::from_shape_simple_fn(shape, || self.normal()));
        }
        let (lo, hi) = match ty.dtype {
            DType::S8 | DType::U8 | DType::Bool => ty.dtype.range().unwrap_or((0, 1)),
            DType::U16 | DType::U32 => (0, limit),
            _ => (-limit, limit),
        };
        let ints = ArrayD::from_shape_simple_fn(shape, || self.int(lo, hi));
        Value::from_i64_wrapping(ints, ty.dtype)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_splitmix64() {
        // First outputs for seed 1234567 as published with the generator.
        let mut r = Random::new(1234567);
        assert_eq!(r.bits(), 6457827717110365317);
        assert_eq!(r.bits(), 3203168211198807973);
    }

    #[test]
    fn values_stay_in_range() {
        let mut r = Random::new(1);
        let v = r.value(&TensorType::new(DType::S8, [1000]), 5);
        let (lo, hi) = v.int_range().unwrap();
        assert!(lo < -120 && hi > 120);
        let v = r.value(&TensorType::new(DType::S64, [1000]), 5);
        assert_eq!(v.int_range(), Some((-5, 5)));
        let v = r.value(&TensorType::new(DType::F32, [1000]), 5).to_f64();
        let mean = v.sum() / 1000.0;
        let variance = v.mapv(|x| x * x).sum() / 1000.0;
        assert!(mean.abs() < 0.1 && (variance - 1.0).abs() < 0.15, "{mean} {variance}");
    }
}
