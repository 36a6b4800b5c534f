//! IsNaN: whether a float is not a number, elementwise.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::elementwise::float_operand;
use super::{Numeric, Operator};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsNaN {}

impl Operator for IsNaN {
    const NAME: &'static str = "IsNaN";
    const ONNX: &'static [&'static str] = &["IsNaN"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        Ok(Imported::new(IsNaN {}, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        float_operand(inputs)?;
        Ok(vec![TensorType::new(DType::Bool, inputs[0].shape.clone())])
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![Value::Bool(inputs[0].to_f32().mapv(f32::is_nan))])
    }
    broadcasts!();
}
