//! Sin, elementwise.

use super::elementwise::unary_float;

unary_float!(Sin, ["Sin"], {}, |_, x| x.sin());
