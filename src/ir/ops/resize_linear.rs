//! ResizeLinear: linear interpolation along one axis, on floats.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::elementwise::{array, flat, float_operand, json};
use super::resize::{Coordinates, Scaling};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeLinear {
    /// The axis resized.
    pub axis: usize,
    /// Its new extent.
    pub to: Scaling,
    /// How coordinates correspond.
    pub coordinates: Coordinates,
}

impl ResizeLinear {
    /// For each result index: the two neighbours and the weight of the upper one.
    fn neighbours(&self, n: usize) -> Vec<(usize, usize, f32)> {
        let top = n as f64 - 1.0;
        (0..self.to.size)
            .map(|i| {
                let x = self.coordinates.source(i, n, self.to).clamp(0.0, top);
                let lower = x.floor();
                (lower as usize, (lower + 1.0).min(top) as usize, (x - lower) as f32)
            })
            .collect()
    }
}

impl Operator for ResizeLinear {
    const NAME: &'static str = "ResizeLinear";
    const ONNX: &'static [&'static str] = &[];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        Err(OpError::invalid(format!("{} does not import as ResizeLinear", node.op_type)))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        float_operand(inputs)?;
        let mut y = inputs[0].clone();
        if y.shape.get(self.axis).is_none_or(|n| *n == 0) {
            return Err(OpError::invalid(format!("cannot resize axis {} of {y}", self.axis)));
        }
        y.shape[self.axis] = self.to.size;
        Ok(vec![y])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let x = inputs[0].to_f32();
        let n = x.shape()[self.axis];
        let inner: usize = x.shape()[self.axis + 1..].iter().product();
        let neighbours = self.neighbours(n);
        let mut y = Vec::with_capacity(outputs[0].elements());
        if inner > 0 {
            for plane in flat(&x).chunks_exact(n * inner) {
                for (lo, hi, w) in &neighbours {
                    let (a, b) = (&plane[lo * inner..][..inner], &plane[hi * inner..][..inner]);
                    y.extend(a.iter().zip(b).map(|(a, b)| a * (1.0 - w) + b * w));
                }
            }
        }
        Ok(vec![Value::F32(array(&outputs[0].shape, y)?)])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let shape = &inputs[0].shape;
        let neighbours = self.neighbours(shape[self.axis]);
        let (lower, upper): (Vec<usize>, Vec<usize>) = neighbours.iter().map(|n| (n.0, n.1)).unzip();
        let mut p = attributes(self);
        p.insert("outer".into(), shape[..self.axis].iter().product::<usize>().into());
        p.insert("size".into(), shape[self.axis].into());
        p.insert("new_size".into(), self.to.size.into());
        p.insert("inner".into(), shape[self.axis + 1..].iter().product::<usize>().into());
        p.insert("lower".into(), json(&lower));
        p.insert("upper".into(), json(&upper));
        p.insert("weights".into(), neighbours.iter().map(|n| n.2).collect());
        p
    }
}
