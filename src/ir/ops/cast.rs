//! Cast: to another element type, as [`Value::cast`] says: floats truncate and saturate, integers wrap,
//! anything but zero is true. A cast to a 16-bit float is one to f32, rounded by [`RoundTo`].

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::{Numeric, Operator, RoundTo, View};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// The result's element type.
    pub to: DType,
}

/// The element type that ONNX's number stands for. Half, bfloat16 and double are floats here and u64 is s64,
/// as for every tensor of a model.
pub(super) fn dtype(code: i64) -> Result<DType, OpError> {
    Ok(match code {
        1 | 10 | 11 | 16 => DType::F32,
        2 => DType::U8,
        3 => DType::S8,
        4 => DType::U16,
        5 => DType::S16,
        6 => DType::S32,
        7 | 13 => DType::S64,
        9 => DType::Bool,
        12 => DType::U32,
        _ => return Err(OpError::unsupported(format!("cast to element type number {code}"))),
    })
}

impl Operator for Cast {
    const NAME: &'static str = "Cast";
    const ONNX: &'static [&'static str] = &["Cast", "CastLike"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        let code = match node.attributes.int("to")? {
            // The operand's type in the model is unknown.
            None if node.op_type == "CastLike" => {
                let to = node.required(1)?.ty.dtype;
                return Ok(Imported::new(Cast { to }, vec![Source::Input(0)]));
            }
            _ => node.attributes.required_int("to")?,
        };
        let cast = Imported::new(Cast { to: dtype(code)? }, vec![Source::Input(0)]);
        Ok(match RoundTo::of_code(code) {
            Some(round) => Imported::new(round, vec![Source::Node(Box::new(cast))]),
            None => cast,
        })
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        Ok(vec![TensorType::new(self.to, inputs[0].shape.clone())])
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![inputs[0].cast(self.to)])
    }
    fn view(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> View {
        if inputs[0].dtype == self.to { View::Of { offset: 0 } } else { View::None }
    }
}
