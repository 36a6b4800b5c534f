//! Links: operators of one result that feed each other within one node.
//!
//! In: an operator and its operands. Out: its only result. Never knows what a link feeds.

use super::Op;
use crate::ir::graph::TensorType;
use crate::ir::import::OpError;
use crate::ir::value::Value;

/// The type of the only result.
///
/// # Errors
/// The operator does not take these operands, or has not one result.
pub fn infer(op: &Op, operands: &[TensorType]) -> Result<TensorType, OpError> {
    only(op.infer(operands)?)
}

/// The only result, by the operator's definition.
///
/// # Errors
/// The operator does not take these operands, or has not one result.
pub fn reference(op: &Op, operands: &[Value]) -> Result<Value, OpError> {
    let types: Vec<TensorType> = operands.iter().map(TensorType::of).collect();
    let outputs = op.infer(&types)?;
    only(op.reference(&operands.iter().collect::<Vec<_>>(), &outputs)?)
}

fn only<T>(mut results: Vec<T>) -> Result<T, OpError> {
    results.pop().filter(|_| results.is_empty()).ok_or_else(|| OpError::invalid("a link has one result"))
}
