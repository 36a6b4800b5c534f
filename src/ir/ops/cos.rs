//! Cos, elementwise.

use super::elementwise::unary_float;

unary_float!(Cos, ["Cos"], {}, |_, x| x.cos());
