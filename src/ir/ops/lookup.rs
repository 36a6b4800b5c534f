//! Lookup: `y = table[x & 255]`, elementwise.
//!
//! Operands `x` (s8 or u8) and `table` (256 elements of any type). The index is x's byte read as unsigned,
//! so for s8 entries 128..=255 belong to -128..=-1. Passes make it; no model names it.

use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};

use super::common::arity;
use super::common::space as elementwise_space;
use super::integers::narrow;
use super::{Numeric, Operator};
use crate::ir::access::{Reach, Space};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {}

impl Operator for Lookup {
    const NAME: &'static str = "Lookup";
    const ONNX: &'static [&'static str] = &[];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        Ok(Imported::new(Lookup {}, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["x", "table"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 2)?;
        narrow(&inputs[0], "x", 8)?;
        if inputs[1].elements() != 256 {
            return Err(OpError::invalid(format!("the table is {}; it must have 256 elements", inputs[1])));
        }
        Ok(vec![TensorType::new(inputs[1].dtype, inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let mut space = elementwise_space(&inputs[..1], outputs);
        space.operands.push(vec![Reach::Whole; inputs[1].rank()]);
        Some(space)
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let index: Vec<usize> = inputs[0].to_i64().iter().map(|x| (x & 255) as usize).collect();
        let shape = IxDyn(inputs[0].shape());
        let y = crate::map_array!(inputs[1], table => {
            let entries: Vec<_> = table.iter().copied().collect();
            ArrayD::from_shape_vec(shape, index.iter().map(|i| entries[*i]).collect())
                .map_err(|e| OpError::invalid(e.to_string()))?
        });
        Ok(vec![y])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_bytes_index_the_upper_half() {
        let table =
            Value::S32(ArrayD::from_shape_vec(vec![256], (0..256).map(|i| i * 10).collect()).unwrap());
        let x = Value::S8(ArrayD::from_shape_vec(vec![4], vec![0, 127, -128, -1]).unwrap());
        let ty = Lookup {}.infer(&[TensorType::of(&x), TensorType::of(&table)]).unwrap();
        let y = Lookup {}.reference(&[&x, &table], &ty).unwrap();
        assert_eq!(y[0].to_i64().into_raw_vec_and_offset().0, [0, 1270, 1280, 2550]);
    }
}
