//! Min: the smaller of `a` and `b`, with broadcasting; NaN if either is.

use super::elementwise::{binary, common, import_chain};

binary!(Min, ["Min"], common, |a, b| if a < b || a.is_nan() { a } else { b }, |a, b| a.min(b), import_chain);
