//! Cosh, elementwise.

use super::elementwise::unary_float;

unary_float!(Cosh, ["Cosh"], {}, |_, x| x.cosh());
