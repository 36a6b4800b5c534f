//! Ceil: rounds towards plus infinity; integers are left as they are.

use super::elementwise::unary_any;

use crate::ir::dtype::DType;

fn same(dtype: DType) -> DType {
    dtype
}

unary_any!(Ceil, same, |x| x.ceil(), |x| x);
