//! Erf: the Gauss error function, elementwise.

use super::elementwise::unary_float;

unary_float!(Erf, ["Erf"], {}, |_, x| super::special::erf(x));
