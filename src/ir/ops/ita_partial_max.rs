//! ItaPartialMax: [`ItaMax`](super::ItaMax) computed in one pass over groups of columns, as hardware streams.
//!
//! Per row: for each group of `group_width` columns, let m be the largest element so far; if the group
//! raised it by d, the sum so far is shifted right by `(d + 16) >> 5`; then the group adds
//! `256 >> ((m - x + 16) >> 5)` per element. Finally `inv = ((n_levels/2 - 1)*256) / sum` and
//! `y = inv >> ((max - x + 16) >> 5)`, a u8. Source: ITA as QuantLib exports it.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::integers::{bounded, check, flat, levels, narrow, tensor};
use super::ita_max::exponent;
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
pub struct ItaPartialMax {
    /// Twice the number of levels of the result.
    pub n_levels: i64,
    /// Columns of one group; the last one may be narrower.
    pub group_width: usize,
}

impl ItaPartialMax {
    fn row(&self, row: &[i64]) -> Vec<i64> {
        let (mut max, mut sum) = (i64::MIN, 0i64);
        for group in row.chunks(self.group_width) {
            let peak = group.iter().copied().max().unwrap_or(max);
            if peak > max {
                if max != i64::MIN {
                    sum >>= exponent(peak - max);
                }
                max = peak;
            }
            sum += group.iter().map(|x| 256 >> exponent(max - x)).sum::<i64>();
        }
        let inv = (self.n_levels / 2 - 1) * 256 / sum;
        row.iter().map(|x| inv >> exponent(max - x)).collect()
    }
}

impl Operator for ItaPartialMax {
    const NAME: &'static str = "ItaPartialMax";
    const ONNX: &'static [&'static str] = &["ITAPartialMax"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let group_width = bounded(node, "group_width", 1, 1 << 30)? as usize;
        Ok(Imported::new(ItaPartialMax { n_levels: levels(node)?, group_width }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        check(0, self.n_levels)?;
        narrow(&inputs[0], "x", 16)?;
        if self.group_width == 0 {
            return Err(OpError::invalid("group_width must be positive"));
        }
        Ok(vec![TensorType::new(DType::U8, inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::last_axis_space(inputs, outputs))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = &outputs[0].shape;
        let rows = Rows::last(shape);
        let y = rows.map(flat(inputs[0]), |row| self.row(row));
        Ok(vec![tensor(shape, y, outputs[0].dtype)?])
    }
    /// The attributes, the rows, and `top`: the largest result.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        p.insert("top".into(), (self.n_levels / 2 - 1).into());
        if let [x] = inputs {
            Rows::last(&x.shape).describe(&mut p);
        }
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups (0, 20) and (84, -44): first max 20, sum 128 + 256 = 384; raised by 64: 384 >> 2 = 96;
    /// plus 256 and 256 >> 4 = 16: 368; inv = 127*256/368 = 88; exponents 3, 2, 0, 4.
    #[test]
    fn one_row() {
        let op = ItaPartialMax { n_levels: 256, group_width: 2 };
        assert_eq!(op.row(&[0, 20, 84, -44]), [11, 22, 88, 5]);
    }
}
