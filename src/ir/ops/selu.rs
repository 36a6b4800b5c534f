//! Selu: `gamma*x`, or `gamma*alpha*(e^x - 1)` up to zero.

use super::elementwise::unary_float;

unary_float!(Selu, ["Selu"], { alpha = 1.673_263_2, gamma = 1.050_701 }, |op, x| op.gamma.0 * if x > 0.0 { x } else { op.alpha.0 * x.exp_m1() });
