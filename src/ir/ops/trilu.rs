//! Trilu: the upper or lower triangle of matrices, the rest zero.

use ndarray::Axis;
use serde::{Deserialize, Serialize};

use super::common::arity;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;
use crate::map_array;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trilu {
    /// Keep the upper triangle, not the lower one.
    pub upper: bool,
    /// The diagonal the triangle ends at, counted upwards from the main one.
    pub k: i64,
}

impl Operator for Trilu {
    const NAME: &'static str = "Trilu";
    const ONNX: &'static [&'static str] = &["Trilu"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        let k = node.constant(1, "k")?.and_then(Value::scalar_i64).unwrap_or(0);
        let upper = node.attributes.int_or("upper", 1)? != 0;
        Ok(Imported::new(Trilu { upper, k }, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        if inputs[0].rank() < 2 {
            return Err(OpError::invalid(format!("takes matrices, not {}", inputs[0])));
        }
        Ok(inputs.to_vec())
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let keep = |row: usize, column: usize| {
            let diagonal = column as i64 - row as i64;
            if self.upper { diagonal >= self.k } else { diagonal <= self.k }
        };
        Ok(vec![map_array!(inputs[0], a => {
            let mut y = a.as_standard_layout().into_owned();
            let rows = y.len_of(Axis(y.ndim() - 2));
            for (i, mut line) in y.lanes_mut(Axis(y.ndim() - 1)).into_iter().enumerate() {
                for (j, v) in line.iter_mut().enumerate() {
                    if !keep(i % rows, j) {
                        *v = Default::default();
                    }
                }
            }
            y
        })])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let shape = &inputs[0].shape;
        let (matrices, matrix) = shape.split_at(shape.len() - 2);
        let mut p = attributes(self);
        p.insert("outer".into(), matrices.iter().product::<usize>().into());
        p.insert("rows".into(), matrix[0].into());
        p.insert("columns".into(), matrix[1].into());
        p
    }
}
