//! Not: logical negation, elementwise, on booleans.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::elementwise::bool_operands;
use super::{Numeric, Operator};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Not {}

impl Operator for Not {
    const NAME: &'static str = "Not";
    const ONNX: &'static [&'static str] = &["Not"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        Ok(Imported::new(Not {}, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        bool_operands(inputs)?;
        Ok(inputs.to_vec())
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![Value::Bool(inputs[0].to_i64().mapv(|x| x == 0))])
    }
    broadcasts!();
}
