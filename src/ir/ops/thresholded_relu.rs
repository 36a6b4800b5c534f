//! ThresholdedRelu: `x` above `alpha`, else 0.

use super::elementwise::unary_float;

unary_float!(ThresholdedRelu, ["ThresholdedRelu"], { alpha = 1.0 }, |op, x| if x > op.alpha.0 {
    x
} else {
    0.0
});
