//! Max: the larger of `a` and `b`, with broadcasting; NaN if either is.

use super::elementwise::{binary, common, import_chain};

binary!(Max, ["Max"], common, |a, b| if a > b || a.is_nan() { a } else { b }, |a, b| a.max(b), import_chain);
