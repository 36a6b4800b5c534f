//! Softsign: `x / (1 + |x|)`, elementwise.

use super::elementwise::unary_float;

unary_float!(Softsign, ["Softsign"], {}, |_, x| x / (1.0 + x.abs()));
