//! Sqrt: the square root, elementwise (NaN below zero).

use super::elementwise::unary_float;

unary_float!(Sqrt, ["Sqrt"], {}, |_, x| x.sqrt());
