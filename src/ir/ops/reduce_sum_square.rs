//! ReduceSumSquare: the sum of squares over axes.

use super::reduce_common::{reduction, wide, widened};

reduction!(
    ReduceSumSquare,
    ["ReduceSumSquare"],
    Any,
    widened,
    |x| x.iter().map(|v| wide(v) * wide(v)).sum(),
    |x| sum(x)
);

fn sum(x: &[i64]) -> i64 {
    x.iter().fold(0, |s, v| s.wrapping_add(v.wrapping_mul(*v)))
}
