//! Reciprocal: `1 / x`, elementwise.

use super::elementwise::unary_float;

unary_float!(Reciprocal, ["Reciprocal"], {}, |_, x| 1.0 / x);
