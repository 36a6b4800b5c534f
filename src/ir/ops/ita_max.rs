//! ItaMax: the softmax of the ITA accelerator along the last axis, with powers of two.
//!
//! Per row: `s = (max - x + 16) >> 5`, `sum = Σ 256 >> s`, `inv = ((n_levels - 1)*256) / sum`,
//! `y = inv >> s`, a u8. Source: ITA (Islamoglu et al., ISLPED 2023) as QuantLib exports it.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::integers::{check, flat, levels, narrow, tensor};
use super::rows::{self, Rows};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItaMax {
    /// The result lies in `0..n_levels`.
    pub n_levels: i64,
}

/// The exponent of the power of two that stands for `exp(-distance)`; 31 already gives 0.
pub(super) fn exponent(distance: i64) -> i64 {
    ((distance + 16) >> 5).min(31)
}

impl Operator for ItaMax {
    const NAME: &'static str = "ItaMax";
    const ONNX: &'static [&'static str] = &["ITAMax"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        Ok(Imported::new(ItaMax { n_levels: levels(node)? }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        check(0, self.n_levels)?;
        narrow(&inputs[0], "x", 16)?;
        Ok(vec![TensorType::new(DType::U8, inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::last_axis_space(inputs, outputs))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = &outputs[0].shape;
        let y = Rows::last(shape).map(flat(inputs[0]), |row| {
            let max = row.iter().copied().max().unwrap_or(0);
            let sum: i64 = row.iter().map(|x| 256 >> exponent(max - x)).sum();
            let inv = (self.n_levels - 1) * 256 / sum;
            row.iter().map(|x| inv >> exponent(max - x)).collect()
        });
        Ok(vec![tensor(shape, y, outputs[0].dtype)?])
    }
    /// The attributes and the rows.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        if let [x] = inputs {
            Rows::last(&x.shape).describe(&mut p);
        }
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayD;

    /// Distances 0, 15, 16, 255: exponents 0, 0, 1, 8; sum 256 + 256 + 128 + 1 = 641; inv 65280/641 = 101.
    #[test]
    fn one_row() {
        let op = ItaMax { n_levels: 256 };
        let x = Value::S8(ArrayD::from_shape_vec(vec![1, 4], vec![127, 112, 111, -128]).unwrap());
        let ty = op.infer(&[TensorType::of(&x)]).unwrap();
        assert_eq!(flat(&op.reference(&[&x], &ty).unwrap()[0]), [101, 101, 50, 0]);
    }
}
