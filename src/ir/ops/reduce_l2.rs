//! ReduceL2: the square root of the sum of squares over axes.

use super::reduce_common::{reduction, same, wide};

reduction!(
    ReduceL2,
    ["ReduceL2"],
    Float,
    same,
    |x| x.iter().map(|v| wide(v) * wide(v)).sum::<f64>().sqrt(),
    |_x| 0
);
