//! BitShift: `a << b` or `a >> b` with broadcasting, arithmetic for signed integers; a shift by the width or more (or by
//! a negative number) leaves nothing but the sign.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::elementwise::{binary_i64, binary_params, binary_shape};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitShift {
    /// Towards the more significant bits.
    pub left: bool,
}

impl Operator for BitShift {
    const NAME: &'static str = "BitShift";
    const ONNX: &'static [&'static str] = &["BitShift"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        node.required(1)?;
        let left = match node.attributes.str("direction")? {
            Some("LEFT") => true,
            Some("RIGHT") => false,
            _ => return Err(OpError::invalid("attribute `direction` must be LEFT or RIGHT")),
        };
        Ok(Imported::new(BitShift { left }, vec![Source::Input(0), Source::Input(1)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["a".into(), "b".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        if inputs.iter().any(|t| !t.dtype.is_int()) {
            return Err(OpError::invalid("takes integers"));
        }
        Ok(vec![TensorType::new(inputs[0].dtype, binary_shape(inputs)?)])
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let bits = (outputs[0].dtype.bytes() * 8) as i64;
        let shift = |a: i64, b: i64| match (0..bits).contains(&b) {
            true if self.left => ((a as u64) << b) as i64,
            true => a >> b,
            false if self.left => 0,
            false => a.signum().min(0),
        };
        let z = binary_i64(inputs[0], inputs[1], &outputs[0], shift)?;
        Ok(vec![Value::from_i64_wrapping(z, outputs[0].dtype)])
    }
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        p.extend(binary_params(inputs, outputs));
        p
    }
}
