//! ReduceSum: the sum over axes; integers are exact (up to the result type).

use super::reduce_common::{reduction, wide, widened};

reduction!(ReduceSum, ["ReduceSum"], Any, widened, |x| x.iter().map(wide).sum(), |x| sum(x));

fn sum(x: &[i64]) -> i64 {
    x.iter().fold(0, |s, v| s.wrapping_add(*v))
}
