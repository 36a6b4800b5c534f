//! Atan, elementwise.

use super::elementwise::unary_float;

unary_float!(Atan, ["Atan"], {}, |_, x| x.atan());
