//! Xor: `a ^ b` on booleans, with broadcasting.

use super::elementwise::logical;

logical!(Xor, |a, b| a ^ b);
