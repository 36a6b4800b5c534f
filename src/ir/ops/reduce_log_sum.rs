//! ReduceLogSum: the logarithm of the sum over axes.

use super::reduce_common::{reduction, same, wide};

reduction!(ReduceLogSum, ["ReduceLogSum"], Float, same, |x| x.iter().map(wide).sum::<f64>().ln(), |_x| 0);
