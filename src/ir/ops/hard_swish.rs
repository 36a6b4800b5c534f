//! HardSwish: `x * min(max(x/6 + 1/2, 0), 1)`, elementwise. On integers, with integer attributes, it is
//! [`IHardswish`].

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::elementwise::float_operand;
use super::{IHardswish, Numeric, Operator};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardSwish {}

impl Operator for HardSwish {
    const NAME: &'static str = "HardSwish";
    const ONNX: &'static [&'static str] = &["HardSwish", "Hardswish"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let x = node.required(0)?;
        // Float versions of integer networks keep the attributes, but compute with the real constants.
        if node.attributes.has("one_over_six") && x.ty.dtype.is_int() {
            return IHardswish::import(node);
        }
        Ok(Imported::new(HardSwish {}, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        float_operand(inputs)?;
        Ok(inputs.to_vec())
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![Value::F32(inputs[0].to_f32().mapv(|x| x * (x / 6.0 + 0.5).max(0.0).min(1.0)))])
    }
}
