//! Exp: `e^x`, elementwise.

use super::elementwise::unary_float;

unary_float!(Exp, ["Exp"], {}, |_, x| x.exp());
