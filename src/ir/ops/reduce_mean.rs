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

#[cfg(test)]
mod tests {
    use super::mean;

    /// `floor(sum / n + 1/2)`.
    #[test]
    fn halves_round_up() {
        assert_eq!([mean(&[1, 0]), mean(&[-1, 0]), mean(&[-3, 0]), mean(&[-1, -1, 0])], [1, 0, -1, -1]);
        assert_eq!([mean(&[1, 0, 0]), mean(&[1, 1, 0]), mean(&[i64::MAX, i64::MAX])], [0, 1, i64::MAX]);
    }
}
