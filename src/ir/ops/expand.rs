//! Expand: the operand broadcast to a shape. `Tile` is an expansion between two reshapes.

use serde::{Deserialize, Serialize};

use super::common::{arity, broadcast};
use super::elementwise::{array, flat};
use super::strided::{Strided, row_major};
use super::{Numeric, Operator, Params, Reshape, View, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;
use crate::map_array;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expand {
    /// The result's shape.
    pub shape: Vec<usize>,
}

impl Expand {
    fn loops(&self, x: &[usize]) -> Strided {
        let unit = row_major(x);
        let skip = self.shape.len() - x.len();
        let stride = |d: usize| if d < skip || x[d - skip] == 1 { 0 } else { unit[d - skip] };
        let strides: Vec<i64> = (0..self.shape.len()).map(stride).collect();
        Strided::new(&self.shape, &strides, 0)
    }
}

impl Operator for Expand {
    const NAME: &'static str = "Expand";
    const ONNX: &'static [&'static str] = &["Expand", "Tile"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let x = &node.required(0)?.ty.shape;
        let what = if node.op_type == "Tile" { "repeats" } else { "shape" };
        let list = node.ints(what, 1)?.ok_or_else(|| OpError::invalid(format!("`{what}` is missing")))?;
        let list: Option<Vec<usize>> = list.iter().map(|n| usize::try_from(*n).ok()).collect();
        let list = list.ok_or_else(|| OpError::invalid(format!("`{what}` has a negative number")))?;
        if node.op_type != "Tile" {
            return Ok(Imported::new(Expand { shape: broadcast(x, &list)? }, vec![Source::Input(0)]));
        }
        if list.len() != x.len() {
            return Err(OpError::invalid(format!(
                "`repeats` has {} numbers for rank {}",
                list.len(),
                x.len()
            )));
        }
        // Each axis n becomes (1, n), is expanded to (repeats, n) and joined again.
        let apart = x.iter().flat_map(|n| [1, *n]).collect();
        let shape = x.iter().zip(&list).flat_map(|(n, r)| [*r, *n]).collect();
        let joined = x.iter().zip(&list).map(|(n, r)| n.checked_mul(*r)).collect::<Option<Vec<_>>>();
        let joined = joined.ok_or_else(|| OpError::invalid("`repeats` is too large"))?;
        let apart = Imported::new(Reshape { shape: apart }, vec![Source::Input(0)]);
        let expanded = Imported::new(Expand { shape }, vec![Source::Node(Box::new(apart))]);
        Ok(Imported::new(Reshape { shape: joined }, vec![Source::Node(Box::new(expanded))]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let x = &inputs[0];
        if broadcast(&x.shape, &self.shape).as_ref() != Ok(&self.shape) {
            return Err(OpError::invalid(format!("cannot expand {x} to {:?}", self.shape)));
        }
        Ok(vec![TensorType::new(x.dtype, self.shape.clone())])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let loops = self.loops(inputs[0].shape());
        Ok(vec![map_array!(inputs[0], a => array(&outputs[0].shape, loops.read(&flat(a))?)?)])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        p.extend(self.loops(&inputs[0].shape).params());
        p
    }
    fn view(&self, inputs: &[TensorType], outputs: &[TensorType]) -> View {
        if inputs[0].elements() == outputs[0].elements() { View::Of { offset: 0 } } else { View::None }
    }
}
