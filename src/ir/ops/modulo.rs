//! Mod: the remainder of `a / b` with broadcasting, with the divisor's sign, or C's `fmod` (the dividend's
//! sign). An integer remainder by zero is zero (ONNX leaves it open).

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::elementwise::{any_float, binary_f32, binary_i64, binary_params, binary_shape, common, one_kind};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mod {
    /// C's `fmod` (always so for floats).
    pub fmod: bool,
}

impl Operator for Mod {
    const NAME: &'static str = "Mod";
    const ONNX: &'static [&'static str] = &["Mod"];
    const NUMERIC: Numeric = Numeric::Unified;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        node.required(1)?;
        let fmod = node.attributes.int_or("fmod", 0)? != 0;
        Ok(Imported::new(Mod { fmod }, vec![Source::Input(0), Source::Input(1)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["a".into(), "b".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        one_kind(inputs)?;
        Ok(vec![TensorType::new(common(inputs[0].dtype, inputs[1].dtype), binary_shape(inputs)?)])
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (a, b, y) = (inputs[0], inputs[1], &outputs[0]);
        if any_float(inputs) {
            return Ok(vec![Value::F32(binary_f32(
                a,
                b,
                y,
                |a, b| if self.fmod { a % b } else { floored(a, b) },
            )?)]);
        }
        let remainder = |a: i64, b: i64| match b {
            0 => 0,
            _ if self.fmod => a.wrapping_rem(b),
            _ => a.wrapping_rem(b).wrapping_add(if (a.wrapping_rem(b) != 0) && ((a < 0) != (b < 0)) {
                b
            } else {
                0
            }),
        };
        Ok(vec![Value::from_i64_wrapping(binary_i64(a, b, y, remainder)?, y.dtype)])
    }
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        p.extend(binary_params(inputs, outputs));
        p
    }
}

/// The float remainder with the divisor's sign (exporters use it though ONNX asks for `fmod` on floats).
fn floored(a: f32, b: f32) -> f32 {
    let r = a % b;
    if r == 0.0 {
        0f32.copysign(b)
    } else if (r < 0.0) != (b < 0.0) {
        r + b
    } else {
        r
    }
}
