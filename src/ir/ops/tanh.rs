//! Tanh, elementwise.

use super::elementwise::unary_float;

unary_float!(Tanh, ["Tanh"], {}, |_, x| x.tanh());
