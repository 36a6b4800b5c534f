//! Elu: `x`, or `alpha*(e^x - 1)` below zero.

use super::elementwise::unary_float;

unary_float!(Elu, ["Elu"], { alpha = 1.0 }, |op, x| if x < 0.0 { op.alpha.0 * x.exp_m1() } else { x });
