//! Concat: operands end to end along one axis.

use serde::{Deserialize, Serialize};

use super::common::axis;
use super::elementwise::{array, flat, json};
use super::{Identity, Numeric, Operator, Params, View, attributes};
use crate::ir::access::{Reach, Space};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concat {
    /// The axis along which the operands follow each other.
    pub axis: usize,
}

macro_rules! concat_arrays {
    ($inputs:expr, $y:expr, $outer:expr, $($variant:ident),*) => {
        match $inputs[0] {
            $(Value::$variant(_) => {
                let parts = $inputs.iter().map(|v| match v {
                    Value::$variant(a) => Ok(flat(a)),
                    other => Err(OpError::invalid(format!("mixes {} and {}", $y.dtype, other.dtype()))),
                });
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                let mut out = Vec::with_capacity($y.elements());
                for o in 0..$outer {
                    for part in &parts {
                        let n = part.len() / $outer;
                        out.extend_from_slice(&part[o * n..(o + 1) * n]);
                    }
                }
                Value::$variant(array(&$y.shape, out)?)
            })*
        }
    };
}

impl Operator for Concat {
    const NAME: &'static str = "Concat";
    const ONNX: &'static [&'static str] = &["Concat"];
    const NUMERIC: Numeric = Numeric::Unified;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let rank = node.required(0)?.ty.rank();
        let axis = axis(node.attributes.int_or("axis", 1)?, rank)?;
        let operands = node.all();
        if operands.len() == 1 {
            return Ok(Imported::new(Identity {}, vec![Source::Input(0)]));
        }
        Ok(Imported::new(Concat { axis }, operands))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        (0..count).map(|i| format!("x{i}")).collect()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        let first = inputs.first().ok_or_else(|| OpError::invalid("has no operands"))?;
        let mut y = first.clone();
        if self.axis >= y.rank() {
            return Err(OpError::invalid(format!("axis {} is out of range for {y}", self.axis)));
        }
        for x in &inputs[1..] {
            let fits =
                x.rank() == y.rank() && (0..y.rank()).all(|d| d == self.axis || x.shape[d] == y.shape[d]);
            if !fits || x.dtype != y.dtype {
                return Err(OpError::invalid(format!(
                    "cannot join {first} and {x} along axis {}",
                    self.axis
                )));
            }
            y.shape[self.axis] += x.shape[self.axis];
        }
        Ok(vec![y])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let y = &outputs[0];
        let outer: usize = y.shape[..self.axis].iter().product();
        if outer == 0 {
            return Ok(vec![Value::zeros(y.dtype, &y.shape)]);
        }
        Ok(vec![concat_arrays!(inputs, y, outer, F32, S8, U8, S16, U16, S32, U32, S64, Bool)])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let reach = |t: &TensorType| {
            (0..t.rank()).map(|d| if d == self.axis { Reach::Whole } else { Reach::same(d) }).collect()
        };
        let mut axes = outputs[0].shape.clone();
        axes[self.axis] = 1;
        let operands = inputs.iter().map(reach).collect();
        Some(Space { axes, operands, results: outputs.iter().map(reach).collect() })
    }
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let run = |t: &TensorType| t.shape[self.axis..].iter().product::<usize>();
        let mut p = attributes(self);
        p.insert("outer".into(), outputs[0].shape[..self.axis].iter().product::<usize>().into());
        p.insert("row".into(), run(&outputs[0]).into());
        let rows: Vec<usize> = inputs.iter().map(run).collect();
        p.insert("offsets".into(), json(&starts(&rows)));
        p.insert("rows".into(), json(&rows));
        p
    }
    fn view(&self, inputs: &[TensorType], outputs: &[TensorType]) -> View {
        if outputs[0].shape[..self.axis].iter().any(|d| *d != 1) {
            return View::None;
        }
        let elements: Vec<usize> = inputs.iter().map(TensorType::elements).collect();
        View::Joined { offsets: starts(&elements) }
    }
}

/// Where each of consecutive runs starts.
pub fn starts(runs: &[usize]) -> Vec<usize> {
    let start = |at: &mut usize, run: &usize| {
        let start = *at;
        *at += run;
        Some(start)
    };
    runs.iter().scan(0, start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::dtype::DType;

    #[test]
    fn joined_buffers_follow_each_other() {
        let x = [TensorType::new(DType::S8, [1, 2, 3]), TensorType::new(DType::S8, [1, 4, 3])];
        let concat = Concat { axis: 1 };
        let y = concat.infer(&x).unwrap();
        assert_eq!(concat.view(&x, &y), View::Joined { offsets: vec![0, 6] });
        let x = [TensorType::new(DType::S8, [2, 2, 3]), TensorType::new(DType::S8, [2, 4, 3])];
        let y = concat.infer(&x).unwrap();
        assert_eq!(concat.view(&x, &y), View::None);
        assert_eq!(concat.params(&x, &y)["offsets"], serde_json::json!([0, 6]));
    }
}
