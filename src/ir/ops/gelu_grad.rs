//! GeluGrad: the gradient of Gelu, `dy * gelu'(x)`, exact or by the tanh approximation.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcasts};
use super::floats::{all_float, flat, tensor};
use super::special::erf64;
use super::{Numeric, Operator};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module. Operands `dy` and `x`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeluGrad {
    /// Whether the activation was the tanh approximation.
    pub tanh: bool,
}

impl GeluGrad {
    fn derivative(&self, x: f64) -> f64 {
        if self.tanh {
            let root = (2.0 / std::f64::consts::PI).sqrt();
            let t = (root * (x + 0.044715 * x * x * x)).tanh();
            return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * root * (1.0 + 3.0 * 0.044715 * x * x);
        }
        let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        0.5 * (1.0 + erf64(x * std::f64::consts::FRAC_1_SQRT_2)) + x * density
    }
}

impl Operator for GeluGrad {
    const NAME: &'static str = "GeluGrad";
    const ONNX: &'static [&'static str] = &["GeluGrad", "FastGeluGrad"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        node.required(1)?;
        let tanh = match node.attributes.str("approximate")? {
            None => node.op_type == "FastGeluGrad",
            Some("none") => false,
            Some("tanh") => true,
            Some(other) => return Err(OpError::invalid(format!("attribute `approximate` is `{other}`"))),
        };
        Ok(Imported::new(GeluGrad { tanh }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["dy", "x"].map(String::from).into()
    }
    fn result_names(&self) -> Vec<String> {
        vec!["dx".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        all_float(inputs)?;
        if inputs[0] != inputs[1] {
            return Err(OpError::invalid(format!("operands {} and {} differ", inputs[0], inputs[1])));
        }
        Ok(vec![inputs[0].clone()])
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (dy, x) = (flat(inputs[0]), flat(inputs[1]));
        let dx = dy.iter().zip(&x).map(|(d, x)| d * self.derivative(*x)).collect();
        Ok(vec![tensor(&outputs[0].shape, dx)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From scipy: erf; norm.cdf(x) + x*norm.pdf(x).
    #[test]
    fn values() {
        for (x, y) in ERF {
            assert!((erf64(x) - y).abs() < 1e-13, "erf({x}) = {}", erf64(x));
        }
        for (x, y) in GRAD {
            assert!((GeluGrad { tanh: false }.derivative(x) - y).abs() < 1e-12, "{x}");
            assert!((GeluGrad { tanh: true }.derivative(x) - y).abs() < 3e-3, "{x}");
        }
    }
    const ERF: [(f64, f64); 9] = [
        (0.0, 0.0),
        (0.1, 0.1124629160182849),
        (-0.7, -0.6778011938374184),
        (1.3, 0.9340079449406524),
        (2.4999, 0.9995928300996666),
        (2.5, 0.999593047982555),
        (-3.1, -0.9999883513426328),
        (5.0, 0.9999999999984626),
        (8.0, 1.0),
    ];
    const GRAD: [(f64, f64); 7] = [
        (-4.0, -0.0005036496612264215),
        (-1.0, -0.08331547058768629),
        (-0.3, 0.26767223317289013),
        (0.0, 0.5),
        (0.5, 0.8674951246561629),
        (1.7, 1.1153179687821648),
        (3.0, 1.011945647204184),
    ];
}
