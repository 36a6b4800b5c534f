//! LeakyRelu: `x`, or `alpha*x` below zero.

use super::elementwise::unary_float;

unary_float!(LeakyRelu, ["LeakyRelu"], { alpha = 0.01 }, |op, x| if x < 0.0 { op.alpha.0 * x } else { x });
