//! ArgMin: the index of the smallest element along an axis.

use super::arg_common::arg_op;

arg_op!(ArgMin, |x, best| x < best);
