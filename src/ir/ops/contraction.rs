//! What convolutions and matrix products share: accumulator types, trailing epilogue operands, and the loops
//! of the reference.
//!
//! In: operand types and values. Out: accumulators and finished results. Never knows which operator asks.
//!
//! The reference accumulates floats in 64 bits and rounds once; integers in 64 bits and wraps once, to the
//! accumulator type.

use ndarray::ArrayD;
use serde_json::Value as Json;

use super::{Activation, Params, Real, Requant};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::OpError;
use crate::ir::value::Value;

/// A number the reference accumulates in.
pub trait Number: Copy {
    /// Nothing.
    const ZERO: Self;
    /// `self + a * b`.
    fn mac(self, a: Self, b: Self) -> Self;
}

impl Number for f64 {
    const ZERO: f64 = 0.0;
    fn mac(self, a: f64, b: f64) -> f64 {
        self + a * b
    }
}

impl Number for i64 {
    const ZERO: i64 = 0;
    fn mac(self, a: i64, b: i64) -> i64 {
        self.wrapping_add(a.wrapping_mul(b))
    }
}

/// The accumulator type of a contraction: f32 for floats; s64 where any operand has 64 bits; else s32.
///
/// # Errors
/// Floats and integers are mixed, or an operand is bool.
pub fn accumulator(operands: &[TensorType]) -> Result<DType, OpError> {
    if operands.iter().all(|t| t.dtype.is_float()) {
        Ok(DType::F32)
    } else if operands.iter().all(|t| t.dtype.is_int()) {
        let wide = operands.iter().any(|t| t.dtype == DType::S64);
        Ok(if wide { DType::S64 } else { DType::S32 })
    } else {
        let types: Vec<&str> = operands.iter().map(|t| t.dtype.name()).collect();
        Err(OpError::invalid(format!(
            "operands are of types {}; all must be float or all integer",
            types.join(", ")
        )))
    }
}

/// The number of operands before the trailing `mul` and `add`.
///
/// # Errors
/// There are fewer than `min` or more than `max` such operands.
pub fn leading(count: usize, requant: Option<&Requant>, min: usize, max: usize) -> Result<usize, OpError> {
    let trailing = if requant.is_some() { 2 } else { 0 };
    match count.checked_sub(trailing) {
        Some(n) if (min..=max).contains(&n) => Ok(n),
        _ => Err(OpError::invalid(format!(
            "has {count} operands, takes {} to {}",
            min + trailing,
            max + trailing
        ))),
    }
}

/// Operand names: those of `names` that are given, then `mul` and `add` if there is a requantisation.
pub fn operand_names(names: &[&str], count: usize, requant: Option<&Requant>) -> Vec<String> {
    let leading = if requant.is_some() { count.saturating_sub(2) } else { count };
    let given = names.iter().take(leading).copied();
    let trailing: &[&str] = if requant.is_some() { &["mul", "add"] } else { &[] };
    given.chain(trailing.iter().copied()).map(String::from).collect()
}

/// The type of the result of shape `shape`, given the accumulator's type and the epilogue.
///
/// # Errors
/// The epilogue does not fit the accumulator or its parameters do not fit the shape.
pub fn result_type(
    accumulator: DType,
    shape: Vec<usize>,
    requant: Option<&Requant>,
    act: Activation,
    epilogue: &[TensorType],
) -> Result<TensorType, OpError> {
    if act != Activation::None && !accumulator.is_float() {
        return Err(OpError::invalid("a float activation behind an integer accumulator"));
    }
    let Some(requant) = requant else { return Ok(TensorType::new(accumulator, shape)) };
    if accumulator.is_float() {
        return Err(OpError::invalid("a requantisation behind a float accumulator"));
    }
    if requant.shift > 62 || requant.lo > requant.hi {
        return Err(OpError::invalid(format!("requantisation {requant:?} is out of range")));
    }
    for (t, name) in epilogue.iter().zip(["mul", "add"]) {
        let n = t.elements();
        if !t.dtype.is_int() || (n != 1 && shape.get(requant.axis) != Some(&n)) {
            let message = format!("`{name}` is {t}; the result has shape {shape:?}, axis {}", requant.axis);
            return Err(OpError::invalid(message));
        }
    }
    Ok(TensorType::new(requant.dtype(), shape))
}

/// Finishes integer accumulators: wraps to `accumulator`, then requantises or stores.
///
/// # Errors
/// The requantisation's parameters do not fit.
pub fn finish_int(
    acc: ArrayD<i64>,
    accumulator: DType,
    requant: Option<&Requant>,
    epilogue: &[&Value],
    output: &TensorType,
) -> Result<Value, OpError> {
    let acc = if accumulator == DType::S64 { acc } else { acc.mapv_into(|x| i64::from(x as i32)) };
    let y = match (requant, epilogue) {
        (Some(rq), [mul, add]) => rq.apply_all(&acc, &mul.to_i64(), &add.to_i64())?,
        _ => acc,
    };
    Ok(Value::from_i64_wrapping(y, output.dtype))
}

/// Finishes float accumulators: rounds, then applies the activation.
pub fn finish_float(acc: ArrayD<f64>, act: Activation) -> Value {
    Value::F32(acc.mapv(|x| act.apply(x as f32)))
}

/// What kernels need to know of an epilogue: `requant` (0/1), `shift`, `lo`, `hi`, `mul_step` and `add_step` (1 where
/// the parameter has an element per channel, else 0), `per_channel`, `act` (0/1), `act_lo`, `act_hi`.
pub fn epilogue_params(
    requant: Option<&Requant>,
    act: Activation,
    epilogue: &[TensorType],
    params: &mut Params,
) {
    let rq = requant.copied().unwrap_or(Requant { shift: 0, lo: 0, hi: 0, axis: 0 });
    let step = |i: usize| usize::from(epilogue.get(i).is_some_and(|t| t.elements() != 1));
    let (lo, hi) = match act {
        Activation::None => (Real(f32::NEG_INFINITY), Real(f32::INFINITY)),
        Activation::Clip { lo, hi } => (lo, hi),
    };
    let mut put = |name: &str, x: Json| params.insert(name.into(), x);
    put("requant", usize::from(requant.is_some()).into());
    put("shift", rq.shift.into());
    put("lo", rq.lo.into());
    put("hi", rq.hi.into());
    put("mul_step", step(0).into());
    put("add_step", step(1).into());
    put("per_channel", step(0).max(step(1)).into());
    put("act", usize::from(act != Activation::None).into());
    put("act_lo", serde_json::to_value(lo).unwrap_or_default());
    put("act_hi", serde_json::to_value(hi).unwrap_or_default());
}

/// `y += a * b` for row-major `a` [m, k], `b` [k, n], `y` [m, n].
pub fn product<T: Number>(a: &[T], b: &[T], y: &mut [T], k: usize, n: usize) {
    if k == 0 || n == 0 {
        return;
    }
    for (row, out) in a.chunks_exact(k).zip(y.chunks_exact_mut(n)) {
        for (x, line) in row.iter().zip(b.chunks_exact(n)) {
            for (y, w) in out.iter_mut().zip(line) {
                *y = y.mac(*x, *w);
            }
        }
    }
}

/// The elements of `a`, row-major.
pub fn flat<T: Clone>(a: &ArrayD<T>) -> Vec<T> {
    a.iter().cloned().collect()
}
