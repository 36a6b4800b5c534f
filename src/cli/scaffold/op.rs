//! @OP@: say here what it computes, as a formula.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::{Numeric, Operator};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct @OP@ {
    /// The attribute of that name; attributes of the IR are resolved: no defaults, no negative axes.
    pub alpha: f32,
}

impl Operator for @OP@ {
    const NAME: &'static str = "@OP@";
    const ONNX: &'static [&'static str] = &["@OP@"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        let alpha = node.attributes.float_or("alpha", 1.0)?;
        Ok(Imported::new(@OP@ { alpha }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        Ok(inputs.to_vec())
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![Value::F32(inputs[0].to_f32().mapv(|x| x * self.alpha))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_another_implementation() {
        // Paste numbers that onnxruntime, or the paper, computed: not numbers this file gave.
        let x = Value::f32(&[2], vec![1.0, -2.0]).unwrap();
        let op = @OP@ { alpha: 0.5 };
        let ty = op.infer(&[TensorType::of(&x)]).unwrap();
        assert_eq!(op.reference(&[&x], &ty).unwrap(), [Value::f32(&[2], vec![0.5, -1.0]).unwrap()]);
    }
}
