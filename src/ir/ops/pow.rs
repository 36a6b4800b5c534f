//! Pow: `a ^ b` with broadcasting. Integer powers wrap; a negative exponent gives the truncated reciprocal
//! (0 but for ±1). A constant exponent of 2 is imported as a product.

use super::Mul;
use super::elementwise::{arithmetic, binary, import_two};
use crate::ir::import::{ImportNode, Imported, OpError, Source};

binary!(Pow, ["Pow"], arithmetic, |a, b| a.powf(b), |a, b| integer_power(a, b), import);

fn integer_power(base: i64, exponent: i64) -> i64 {
    match (base, exponent) {
        (1, _) => 1,
        (-1, e) => 1 - 2 * (e & 1),
        (_, e) if e < 0 => 0,
        (b, e) => b.wrapping_pow(u32::try_from(e).unwrap_or(u32::MAX)),
    }
}

fn import(op: Pow, node: &ImportNode) -> Result<Imported, OpError> {
    let (base, exponent) = (node.required(0)?, node.required(1)?);
    let square = exponent.value.and_then(|v| v.scalar_f64()) == Some(2.0);
    if square && exponent.ty.rank() <= base.ty.rank() {
        return Ok(Imported::new(Mul {}, vec![Source::Input(0), Source::Input(0)]));
    }
    import_two(op, node)
}
