//! Reshape: the same elements under another shape. `Flatten`, `Squeeze` and `Unsqueeze` are reshapes to a
//! shape known at import.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::{Numeric, Operator, View};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape {
    /// The result's shape.
    pub shape: Vec<usize>,
}

impl Operator for Reshape {
    const NAME: &'static str = "Reshape";
    const ONNX: &'static [&'static str] = &["Reshape", "Flatten", "Squeeze", "Unsqueeze"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let from = &node.required(0)?.ty.shape;
        let shape = match node.op_type {
            "Flatten" => flatten(node, from)?,
            "Squeeze" => squeeze(node, from)?,
            "Unsqueeze" => unsqueeze(node, from)?,
            _ => reshape(node, from)?,
        };
        Ok(Imported::new(Reshape { shape }, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let elements = self.shape.iter().try_fold(1usize, |p, d| p.checked_mul(*d));
        if elements != Some(inputs[0].elements()) {
            let (n, x) = (inputs[0].elements(), &inputs[0]);
            return Err(OpError::invalid(format!("cannot reshape {x} of {n} elements to {:?}", self.shape)));
        }
        Ok(vec![TensorType::new(inputs[0].dtype, self.shape.clone())])
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let y = inputs[0].reshaped(&self.shape);
        Ok(vec![y.ok_or_else(|| OpError::invalid("the element counts differ"))?])
    }
    fn view(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> View {
        View::Of { offset: 0 }
    }
}

/// The shape asked for, with 0 (copy the dimension, unless `allowzero`) and -1 (whatever is left) resolved.
fn reshape(node: &ImportNode, from: &[usize]) -> Result<Vec<usize>, OpError> {
    let wanted = node.ints("shape", 1)?.ok_or_else(|| OpError::invalid("`shape` is missing"))?;
    let allow_zero = node.attributes.int_or("allowzero", 0)? != 0;
    let bad = || OpError::invalid(format!("cannot reshape {from:?} to {wanted:?}"));
    let mut shape = Vec::with_capacity(wanted.len());
    let mut rest = None;
    for (i, &d) in wanted.iter().enumerate() {
        shape.push(match d {
            0 if !allow_zero => *from.get(i).ok_or_else(bad)?,
            -1 if rest.is_none() => {
                rest = Some(i);
                1
            }
            d => usize::try_from(d).map_err(|_| bad())?,
        });
    }
    if let Some(i) = rest {
        let known = shape.iter().try_fold(1usize, |p, d| p.checked_mul(*d)).ok_or_else(bad)?;
        let total: usize = from.iter().product();
        shape[i] = match total.checked_rem(known) {
            Some(0) => total / known,
            None if total == 0 => 0,
            _ => return Err(bad()),
        };
    }
    Ok(shape)
}

fn flatten(node: &ImportNode, from: &[usize]) -> Result<Vec<usize>, OpError> {
    let at = node.attributes.int_or("axis", 1)?;
    let at = if at == from.len() as i64 { from.len() } else { axis(at, from.len())? };
    Ok(vec![from[..at].iter().product(), from[at..].iter().product()])
}

fn squeeze(node: &ImportNode, from: &[usize]) -> Result<Vec<usize>, OpError> {
    let Some(axes) = node.ints("axes", 1)? else {
        return Ok(from.iter().copied().filter(|d| *d != 1).collect());
    };
    let mut drop = vec![false; from.len()];
    for a in axes {
        let a = axis(a, from.len())?;
        if from[a] != 1 {
            return Err(OpError::invalid(format!("cannot squeeze axis {a} of {from:?}")));
        }
        drop[a] = true;
    }
    Ok((0..from.len()).filter(|d| !drop[*d]).map(|d| from[d]).collect())
}

fn unsqueeze(node: &ImportNode, from: &[usize]) -> Result<Vec<usize>, OpError> {
    let axes = node.ints("axes", 1)?.ok_or_else(|| OpError::invalid("`axes` is missing"))?;
    let rank = from.len() + axes.len();
    let mut new = vec![false; rank];
    for a in axes {
        let a = axis(a, rank)?;
        if std::mem::replace(&mut new[a], true) {
            return Err(OpError::invalid(format!("axis {a} is given twice")));
        }
    }
    let mut old = from.iter().copied();
    Ok((0..rank).map(|d| if new[d] { 1 } else { old.next().unwrap_or(1) }).collect())
}
