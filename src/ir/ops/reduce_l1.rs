//! ReduceL1: the sum of absolute values over axes.

use super::reduce_common::{reduction, wide, widened};

reduction!(ReduceL1, ["ReduceL1"], Any, widened, |x| x.iter().map(|v| wide(v).abs()).sum(), |x| sum(x));

fn sum(x: &[i64]) -> i64 {
    x.iter().fold(0, |s, v| s.wrapping_add(v.wrapping_abs()))
}
