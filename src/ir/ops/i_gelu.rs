//! IGelu: integer GELU, the error function being a parabola.
//!
//! `s = sign(x)`, `q = min(|x|, -b)`, `d = q + b`, `l = s*(one - d*d)`, `y = x*((one + l) >> 1)`, an s32 that
//! wraps. Source: I-BERT's i-gelu as QuantLib/PACT export it.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::integers::{bounded, narrow};
use super::{Numeric, Operator};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IGelu {
    /// Where the parabola saturates, negated: -32768..=0.
    pub b: i64,
    /// One in the parabola's scale.
    pub one: i64,
}

impl IGelu {
    fn apply(&self, x: i64) -> i64 {
        let d = x.abs().min(-self.b) + self.b;
        let l = x.signum() * (self.one - d * d);
        x * ((self.one + l) >> 1)
    }
}

impl Operator for IGelu {
    const NAME: &'static str = "IGelu";
    const ONNX: &'static [&'static str] = &["iGELU"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let op = IGelu { b: bounded(node, "b", -32768, 0)?, one: bounded(node, "one", -(1 << 29), 1 << 29)? };
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        narrow(&inputs[0], "x", 32)?;
        if !(-32768..=0).contains(&self.b) || self.one.abs() > 1 << 29 {
            return Err(OpError::invalid("attributes are out of range"));
        }
        Ok(vec![TensorType::new(DType::S32, inputs[0].shape.clone())])
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![Value::from_i64_wrapping(inputs[0].to_i64().mapv(|x| self.apply(x)), outputs[0].dtype)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand from the formula, with attributes found in a converted transformer.
    #[test]
    fn values() {
        let op = IGelu { b: -40, one: 1743 };
        assert_eq!(op.apply(0), 0);
        // q = 10, d = -30, l = 843, (1743 + 843) >> 1 = 1293
        assert_eq!(op.apply(10), 12930);
        // l = -843, 900 >> 1 = 450
        assert_eq!(op.apply(-10), -4500);
        // saturated: d = 0, l = 1743
        assert_eq!(op.apply(127), 127 * 1743);
        assert_eq!(op.apply(-128), 0);
    }
}
