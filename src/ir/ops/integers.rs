//! What the operators of the integer dialect share: attribute limits, powers of two, flat data.
//!
//! In: attributes and values. Out: checked numbers. Never knows an operator.

use ndarray::{ArrayD, IxDyn};

use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, OpError};
use crate::ir::value::Value;

/// The logarithm of attribute `name`, which must be a power of two of at most 2^62.
///
/// # Errors
/// The attribute is missing or another number.
pub fn log2(node: &ImportNode, name: &str) -> Result<u32, OpError> {
    let d = node.attributes.required_int(name)?;
    if d > 0 && d & (d - 1) == 0 && d.trailing_zeros() <= 62 {
        Ok(d.trailing_zeros())
    } else {
        Err(OpError::invalid(format!("attribute `{name}` is {d}; it must be a power of two, 1 to 2^62")))
    }
}

/// Attribute `name`, which must lie in `lo..=hi` (so that kernels' arithmetic cannot overflow).
///
/// # Errors
/// The attribute is missing or out of range.
pub fn bounded(node: &ImportNode, name: &str, lo: i64, hi: i64) -> Result<i64, OpError> {
    let v = node.attributes.required_int(name)?;
    if (lo..=hi).contains(&v) {
        Ok(v)
    } else {
        Err(OpError::unsupported(format!("attribute `{name}` is {v}; supported are {lo} to {hi}")))
    }
}

/// `n_levels` (256 when absent): an even number of at most 256.
///
/// # Errors
/// Another number.
pub fn levels(node: &ImportNode) -> Result<i64, OpError> {
    let n = node.attributes.int_or("n_levels", 256)?;
    if (2..=256).contains(&n) && n % 2 == 0 {
        Ok(n)
    } else {
        Err(OpError::unsupported(format!(
            "attribute `n_levels` is {n}; supported are even numbers, 2 to 256"
        )))
    }
}

/// Checks that operand `name` holds integers of at most `bits` bits.
///
/// # Errors
/// It does not.
pub fn narrow(t: &TensorType, name: &str, bits: usize) -> Result<(), OpError> {
    if t.dtype.is_int() && t.dtype.bytes() * 8 <= bits {
        Ok(())
    } else {
        Err(OpError::unsupported(format!(
            "operand `{name}` is {}; it must be an integer of at most {bits} bits",
            t.dtype
        ))
        .help("say which integers the network's inputs hold, e.g. --input-type NAME=int8"))
    }
}

/// Checks a shift and a number of levels, wherever they come from (printed graphs can be edited).
///
/// # Errors
/// The shift exceeds 62, or the levels are not an even number of at most 256.
pub fn check(shift: u32, levels: i64) -> Result<(), OpError> {
    if shift > 62 {
        return Err(OpError::invalid(format!("a shift by {shift} bits")));
    }
    if !(2..=256).contains(&levels) || levels % 2 != 0 {
        return Err(OpError::invalid(format!("{levels} levels; it must be an even number, 2 to 256")));
    }
    Ok(())
}

/// The elements in row-major order.
pub fn flat(v: &Value) -> Vec<i64> {
    v.to_i64().iter().copied().collect()
}

/// A tensor of type `dtype` from elements in row-major order; narrowing wraps.
///
/// # Errors
/// The number of elements is not the shape's.
pub fn tensor(shape: &[usize], data: Vec<i64>, dtype: DType) -> Result<Value, OpError> {
    ArrayD::from_shape_vec(IxDyn(shape), data)
        .map(|a| Value::from_i64_wrapping(a, dtype))
        .map_err(|e| OpError::invalid(e.to_string()))
}
