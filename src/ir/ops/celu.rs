//! Celu: `x`, or `alpha*(e^(x/alpha) - 1)` below zero.

use super::elementwise::unary_float;

unary_float!(Celu, ["Celu"], { alpha = 1.0 }, |op, x| if x < 0.0 {
    op.alpha.0 * (x / op.alpha.0).exp_m1()
} else {
    x
});
