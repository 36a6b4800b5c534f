//! GreaterOrEqual: whether `a >= b`, with broadcasting.

use super::elementwise::comparison;

comparison!(GreaterOrEqual, |a, b| a >= b);
