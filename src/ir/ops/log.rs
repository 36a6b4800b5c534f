//! Log: the natural logarithm, elementwise.

use super::elementwise::unary_float;

unary_float!(Log, ["Log"], {}, |_, x| x.ln());
