//! ReduceMin: the smallest over axes; NaN if any is. Of nothing: infinity, or the largest integer.

use super::reduce_common::{reduction, same, wide};

reduction!(
    ReduceMin,
    ["ReduceMin"],
    Any,
    same,
    |x| x.iter().map(wide).fold(f64::INFINITY, |m, v| if v < m || v.is_nan() { v } else { m }),
    |x| x.iter().copied().min().unwrap_or(i64::MAX)
);
