//! Sub: `a - b` with broadcasting.

use super::elementwise::{arithmetic, binary, import_two};

binary!(Sub, ["Sub"], arithmetic, |a, b| a - b, |a, b| a.wrapping_sub(b), import_two);
