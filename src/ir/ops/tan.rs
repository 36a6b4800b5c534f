//! Tan, elementwise.

use super::elementwise::unary_float;

unary_float!(Tan, ["Tan"], {}, |_, x| x.tan());
