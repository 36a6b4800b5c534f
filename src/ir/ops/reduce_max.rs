//! ReduceMax: the largest over axes; NaN if any is. Of nothing: minus infinity, or the smallest integer.

use super::reduce_common::{reduction, same, wide};

reduction!(
    ReduceMax,
    ["ReduceMax", "GlobalMaxPool"],
    Any,
    same,
    |x| x.iter().map(wide).fold(f64::NEG_INFINITY, |m, v| if v > m || v.is_nan() { v } else { m }),
    |x| x.iter().copied().max().unwrap_or(i64::MIN)
);
