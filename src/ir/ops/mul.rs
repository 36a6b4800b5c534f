//! Mul: `a * b` with broadcasting.

use super::elementwise::{arithmetic, binary, import_two};

binary!(Mul, ["Mul"], arithmetic, |a, b| a * b, |a, b| a.wrapping_mul(b), import_two);
