//! Floor: rounds towards minus infinity; integers are left as they are.

use super::elementwise::unary_any;

use crate::ir::dtype::DType;

fn same(dtype: DType) -> DType {
    dtype
}

unary_any!(Floor, same, |x| x.floor(), |x| x);
