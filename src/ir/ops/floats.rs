//! What the float operators on rows share: flat data in double precision, tensors from it.
//!
//! In: values. Out: values. The reference computes in f64 and rounds once, so that kernels are judged against
//! the exact result.

use ndarray::{ArrayD, IxDyn};

use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::OpError;
use crate::ir::value::Value;

/// The elements in row-major order.
pub fn flat(v: &Value) -> Vec<f64> {
    v.to_f64().iter().copied().collect()
}

/// A float tensor from elements in row-major order.
///
/// # Errors
/// The number of elements is not the shape's.
pub fn tensor(shape: &[usize], data: Vec<f64>) -> Result<Value, OpError> {
    let data = data.into_iter().map(|x| x as f32).collect();
    ArrayD::from_shape_vec(IxDyn(shape), data).map(Value::F32).map_err(|e| OpError::invalid(e.to_string()))
}

/// Checks that all operands are floats.
///
/// # Errors
/// One is not.
pub fn all_float(inputs: &[TensorType]) -> Result<(), OpError> {
    match inputs.iter().find(|t| t.dtype != DType::F32) {
        None => Ok(()),
        Some(t) => Err(OpError::unsupported(format!("an operand is {t}; it must be a float tensor"))),
    }
}

/// Softmax of a row.
pub fn softmax(row: &[f64]) -> Vec<f64> {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let e: Vec<f64> = row.iter().map(|x| (x - max).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.iter().map(|e| e / sum).collect()
}

/// Logarithm of the softmax of a row.
pub fn log_softmax(row: &[f64]) -> Vec<f64> {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log = row.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
    row.iter().map(|x| x - max - log).collect()
}

/// Mean and `1/sqrt(variance + epsilon)` of a row.
pub fn moments(row: &[f64], epsilon: f64) -> (f64, f64) {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (mean, 1.0 / (variance + epsilon).sqrt())
}
