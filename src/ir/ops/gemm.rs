//! Gemm: `alpha * op(a) * op(b) + beta * c`; optionally requantised or clipped.
//!
//! Operands: a, b, [c], [mul, add]. `op` transposes the last two axes. Beyond ONNX, a and b may have leading (batch)
//! dimensions, which broadcast as in MatMul; c broadcasts to the result.

use serde::{Deserialize, Serialize};

use super::contraction;
use super::product::Product;
use super::{Activation, Numeric, Operator, Params, Real, Requant};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gemm {
    /// Factor of the product; integral where operands are integers.
    pub alpha: Real,
    /// Factor of c; integral where operands are integers.
    pub beta: Real,
    /// Whether a is transposed.
    pub trans_a: bool,
    /// Whether b is transposed.
    pub trans_b: bool,
    /// Requantisation of an integer accumulator.
    pub requant: Option<Requant>,
    /// Activation of a float accumulator.
    pub act: Activation,
}

impl Gemm {
    fn product(&self) -> Product<'_> {
        Product {
            alpha: self.alpha.0,
            beta: self.beta.0,
            trans_a: self.trans_a,
            trans_b: self.trans_b,
            requant: self.requant.as_ref(),
            act: self.act,
        }
    }
}

impl Operator for Gemm {
    const NAME: &'static str = "Gemm";
    const ONNX: &'static [&'static str] = &["Gemm"];
    const NUMERIC: Numeric = Numeric::Unified;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let (a, b) = (node.required(0)?.ty, node.required(1)?.ty);
        if a.rank() < 2 || b.rank() < 2 {
            return Err(OpError::invalid(format!("a {a} and b {b} must be matrices")));
        }
        let at = node.attributes;
        let mut op = Gemm {
            alpha: Real(at.float_or("alpha", 1.0)?),
            beta: Real(at.float_or("beta", 1.0)?),
            trans_a: at.int_or("transA", 0)? != 0,
            trans_b: at.int_or("transB", 0)? != 0,
            requant: None,
            act: Activation::None,
        };
        let mut operands = vec![Source::Input(0), Source::Input(1)];
        if node.has(2) && op.beta.0 != 0.0 {
            operands.push(Source::Input(2));
        } else {
            op.beta = Real(1.0);
        }
        Ok(Imported::new(op, operands))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        contraction::operand_names(&["a", "b", "c"], count, self.requant.as_ref())
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        contraction::leading(inputs.len(), self.requant.as_ref(), 2, 3)?;
        if inputs[0].rank() < 2 || inputs[1].rank() < 2 {
            return Err(OpError::invalid(format!("a {} and b {} must be matrices", inputs[0], inputs[1])));
        }
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
#[path = "gemm_tests.rs"]
mod tests;
