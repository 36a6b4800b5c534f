//! MatMul: numpy's batched matrix product; optionally requantised or clipped.
//!
//! Operands: a, b, [mul, add]. A vector on the left is a row, on the right a column, and its dimension is dropped
//! from the result; leading dimensions broadcast.

use serde::{Deserialize, Serialize};

use super::contraction;
use super::product::Product;
use super::{Activation, Numeric, Operator, Params, Requant};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatMul {
    /// Requantisation of an integer accumulator.
    pub requant: Option<Requant>,
    /// Activation of a float accumulator.
    pub act: Activation,
}

impl MatMul {
    fn product(&self) -> Product<'_> {
        Product {
            alpha: 1.0,
            beta: 1.0,
            trans_a: false,
            trans_b: false,
            requant: self.requant.as_ref(),
            act: self.act,
        }
    }
}

impl Operator for MatMul {
    const NAME: &'static str = "MatMul";
    const ONNX: &'static [&'static str] = &["MatMul"];
    const NUMERIC: Numeric = Numeric::Unified;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        node.required(1)?;
        Ok(Imported::new(MatMul::default(), node.all()))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        contraction::operand_names(&["a", "b"], count, self.requant.as_ref())
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        contraction::leading(inputs.len(), self.requant.as_ref(), 2, 2)?;
        self.product().infer(inputs)
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        self.product().space(inputs, outputs)
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        self.product().reference(inputs, outputs)
    }
    /// See [`Product::params`].
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        self.product().params(inputs, outputs)
    }
    fn macs(&self, inputs: &[TensorType], outputs: &[TensorType]) -> u64 {
        self.product().macs(inputs, outputs)
    }
}

#[cfg(test)]
#[path = "matmul_tests.rs"]
mod tests;
