//! ReduceProd: the product over axes; integers wrap.

use super::reduce_common::{reduction, wide, widened};

reduction!(ReduceProd, ["ReduceProd"], Any, widened, |x| x.iter().map(wide).product(), |x| product(x));

fn product(x: &[i64]) -> i64 {
    x.iter().fold(1, |p, v| p.wrapping_mul(*v))
}
