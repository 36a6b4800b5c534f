//! Equal: whether `a = b`, with broadcasting.

use super::elementwise::comparison;

comparison!(Equal, |a, b| a == b);
