//! Sigmoid: `1 / (1 + e^-x)`, elementwise.

use super::elementwise::unary_float;

unary_float!(Sigmoid, ["Sigmoid"], {}, |_, x| 1.0 / (1.0 + (-x).exp()));
