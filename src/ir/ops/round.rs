//! Round: rounds to the nearest integer, halves to even; integers are left as they are.

use super::elementwise::unary_any;

use crate::ir::dtype::DType;

fn same(dtype: DType) -> DType {
    dtype
}

unary_any!(Round, same, |x| x.round_ties_even(), |x| x);
