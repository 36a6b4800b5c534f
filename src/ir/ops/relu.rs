//! Relu: `max(x, 0)`, elementwise, on any numbers.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::{Numeric, Operator};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl Operator for Relu {
    const NAME: &'static str = "Relu";
    const ONNX: &'static [&'static str] = &["Relu"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        Ok(Imported::new(Relu {}, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        Ok(inputs.to_vec())
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![match inputs[0] {
            Value::F32(a) => Value::F32(a.mapv(|x| x.max(0.0))),
            other => Value::from_i64_wrapping(other.to_i64().mapv(|x| x.max(0)), outputs[0].dtype),
        }])
    }
}
