//! Asin, elementwise.

use super::elementwise::unary_float;

unary_float!(Asin, ["Asin"], {}, |_, x| x.asin());
