//! Sinh, elementwise.

use super::elementwise::unary_float;

unary_float!(Sinh, ["Sinh"], {}, |_, x| x.sinh());
