//! Abs: the absolute value; integers of up to 16 bits widen to s32, unsigned ones stay.

use super::elementwise::unary_any;

use crate::ir::dtype::DType;

fn widened(dtype: DType) -> DType {
    match dtype {
        DType::S8 | DType::S16 => DType::S32,
        other => other,
    }
}

unary_any!(Abs, widened, |x| x.abs(), |x| x.wrapping_abs());
