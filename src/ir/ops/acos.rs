//! Acos, elementwise.

use super::elementwise::unary_float;

unary_float!(Acos, ["Acos"], {}, |_, x| x.acos());
