//! Where: `a` where the condition holds, else `b`, all three broadcast.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcast, broadcasts};
use super::elementwise::{Broadcast, any_float, array, bool_operands, common, flat, one_kind};
use super::{Numeric, Operator, Params};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Where {}

impl Operator for Where {
    const NAME: &'static str = "Where";
    const ONNX: &'static [&'static str] = &["Where"];
    const NUMERIC: Numeric = Numeric::Unified;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        for i in 0..3 {
            node.required(i)?;
        }
        Ok(Imported::new(Where {}, (0..3).map(Source::Input).collect()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["condition".into(), "a".into(), "b".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 3, 3)?;
        bool_operands(&inputs[..1])?;
        one_kind(&inputs[1..])?;
        let shape = broadcast(&inputs[0].shape, &broadcast(&inputs[1].shape, &inputs[2].shape)?)?;
        let (a, b) = (inputs[1].dtype, inputs[2].dtype);
        Ok(vec![TensorType::new(if a == b { a } else { common(a, b) }, shape)])
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (c, a, b, y) = (inputs[0], inputs[1], inputs[2], &outputs[0]);
        let loops = Broadcast::new(&y.shape, &[c.shape(), a.shape(), b.shape()]);
        let c = c.to_i64();
        Ok(vec![if any_float(&inputs[1..]) {
            let (a, b) = (a.to_f32(), b.to_f32());
            let z = loops.zip3(&flat(&c), &flat(&a), &flat(&b), |c, a, b| if c != 0 { a } else { b });
            Value::F32(array(&y.shape, z)?)
        } else {
            let (a, b) = (a.to_i64(), b.to_i64());
            let z = loops.zip3(&flat(&c), &flat(&a), &flat(&b), |c, a, b| if c != 0 { a } else { b });
            Value::from_i64_wrapping(array(&y.shape, z)?, y.dtype)
        }])
    }
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let shapes: Vec<&[usize]> = inputs.iter().map(|t| t.shape.as_slice()).collect();
        let mut p = Broadcast::new(&outputs[0].shape, &shapes).params(&["condition", "a", "b"]);
        p.insert("elements".into(), outputs[0].elements().into());
        p
    }
}
