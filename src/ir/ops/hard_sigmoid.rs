//! HardSigmoid: `min(max(alpha*x + beta, 0), 1)`, elementwise.

use super::elementwise::unary_float;

unary_float!(HardSigmoid, ["HardSigmoid"], { alpha = 0.2, beta = 0.5 }, |op, x| (op.alpha.0 * x + op.beta.0).max(0.0).min(1.0));
