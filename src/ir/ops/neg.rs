//! Neg: `-x`; integers of up to 16 bits widen to s32.

use super::elementwise::{arithmetic, unary_any};

use crate::ir::dtype::DType;

fn widened(dtype: DType) -> DType {
    arithmetic(dtype, dtype)
}

unary_any!(Neg, widened, |x| -x, |x| x.wrapping_neg());
