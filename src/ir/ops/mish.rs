//! Mish: `x * tanh(softplus(x))`, elementwise.

use super::elementwise::unary_float;

unary_float!(Mish, ["Mish"], {}, |_, x| x * (x.max(0.0) + (-x.abs()).exp().ln_1p()).tanh());
