//! ReduceMean: the mean over axes. Means of integers are integers, rounded to nearest with halves up,
//! `floor(sum / n + 1/2)`: ONNX leaves the rounding open, and this is what integer networks are trained with
//! (QuantLib's IntegerMean is the same operator).

use super::reduce_common::{reduction, same, wide};

reduction!(
    ReduceMean,
    ["ReduceMean", "GlobalAveragePool", "IntegerMean"],
    Any,
    same,
    |x| x.iter().map(wide).sum::<f64>() / x.len() as f64,
    |x| mean(x)
);

fn mean(x: &[i64]) -> i64 {
    let n = x.len() as i128;
    let sum: i128 = x.iter().map(|v| i128::from(*v)).sum();
    if n == 0 { 0 } else { (2 * sum + n).div_euclid(2 * n) as i64 }
}
