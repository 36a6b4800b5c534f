//! Less: whether `a < b`, with broadcasting.

use super::elementwise::comparison;

comparison!(Less, |a, b| a < b);
