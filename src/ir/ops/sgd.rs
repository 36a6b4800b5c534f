//! Sgd: one step of gradient descent, `w - lr*dw`, elementwise.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity, broadcasts};
use super::floats::{all_float, flat, tensor};
use super::{Numeric, Operator};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module. Operands `w` and `dw`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// The learning rate.
    pub lr: Real,
}

impl Operator for Sgd {
    const NAME: &'static str = "Sgd";
    const ONNX: &'static [&'static str] = &["SGD"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let lr = node.attributes.float("lr")?.ok_or_else(|| OpError::invalid("attribute `lr` is missing"))?;
        node.required(0)?;
        node.required(1)?;
        Ok(Imported::new(Sgd { lr: Real(lr) }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["w", "dw"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        all_float(inputs)?;
        if inputs[0] != inputs[1] {
            return Err(OpError::invalid(format!("weight {} and gradient {} differ", inputs[0], inputs[1])));
        }
        Ok(vec![inputs[0].clone()])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (w, dw) = (flat(inputs[0]), flat(inputs[1]));
        let y = w.iter().zip(&dw).map(|(w, d)| w - f64::from(self.lr.0) * d).collect();
        Ok(vec![tensor(&outputs[0].shape, y)?])
    }
    broadcasts!();
}
