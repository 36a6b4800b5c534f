//! Softplus: `ln(1 + e^x)`, elementwise, written so that large x do not overflow.

use super::elementwise::unary_float;

unary_float!(Softplus, ["Softplus"], {}, |_, x| x.max(0.0) + (-x.abs()).exp().ln_1p());
