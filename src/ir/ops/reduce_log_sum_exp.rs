//! ReduceLogSumExp: the logarithm of the sum of exponentials over axes, free of overflow.

use super::reduce_common::{reduction, same, wide};

reduction!(ReduceLogSumExp, ["ReduceLogSumExp"], Float, same, |x| log_sum_exp(x), |_x| 0);

fn log_sum_exp(x: &[f32]) -> f64 {
    let top = x.iter().map(wide).fold(f64::NEG_INFINITY, f64::max);
    if top.is_infinite() {
        return top;
    }
    top + x.iter().map(|v| (wide(v) - top).exp()).sum::<f64>().ln()
}
