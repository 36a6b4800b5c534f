//! Sign: -1, 0 or 1 (NaN stays NaN).

use super::elementwise::unary_any;

use crate::ir::dtype::DType;

fn same(dtype: DType) -> DType {
    dtype
}

unary_any!(
    Sign,
    same,
    |x| if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x
    },
    |x| x.signum()
);
