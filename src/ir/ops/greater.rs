//! Greater: whether `a > b`, with broadcasting.

use super::elementwise::comparison;

comparison!(Greater, |a, b| a > b);
