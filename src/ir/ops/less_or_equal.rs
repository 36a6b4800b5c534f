//! LessOrEqual: whether `a <= b`, with broadcasting.

use super::elementwise::comparison;

comparison!(LessOrEqual, |a, b| a <= b);
