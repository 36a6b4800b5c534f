//! Gelu: `x * Φ(x)`, elementwise, with Φ by the error function or the usual tanh approximation.
//! `BiasGelu` and `FastGelu` add a bias first.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::elementwise::float_operand;
use super::{Add, Numeric, Operator, special};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// How the normal distribution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approximation {
    /// By the error function.
    None,
    /// `(1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`.
    Tanh,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gelu {
    /// How the normal distribution is computed.
    pub approximate: Approximation,
}

impl Operator for Gelu {
    const NAME: &'static str = "Gelu";
    const ONNX: &'static [&'static str] = &["Gelu", "FastGelu", "BiasGelu"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        let approximate = match (node.op_type, node.attributes.str("approximate")?) {
            ("FastGelu", _) | (_, Some("tanh")) => Approximation::Tanh,
            (_, None | Some("none")) => Approximation::None,
            (_, Some(other)) => return Err(OpError::unsupported(format!("approximate = {other}"))),
        };
        let x = if node.has(1) {
            let sum = Imported::new(Add::default(), vec![Source::Input(0), Source::Input(1)]);
            Source::Node(Box::new(sum))
        } else {
            Source::Input(0)
        };
        Ok(Imported::new(Gelu { approximate }, vec![x]))
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
        let x = inputs[0].to_f32();
        Ok(vec![Value::F32(match self.approximate {
            Approximation::None => {
                x.mapv(|x| 0.5 * x * (1.0 + special::erf(x * std::f32::consts::FRAC_1_SQRT_2)))
            }
            Approximation::Tanh => {
                x.mapv(|x| 0.5 * x * (1.0 + (0.797_884_6 * (x + 0.044_715 * x * x * x)).tanh()))
            }
        })])
    }
}
