//! ArgMax: the index of the largest element along an axis.

use super::arg_common::arg_op;

arg_op!(ArgMax, |x, best| x > best);
