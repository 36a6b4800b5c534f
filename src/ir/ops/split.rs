//! Split: consecutive parts along one axis, one per result.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::concat::starts;
use super::elementwise::json;
use super::{Numeric, Operator, Params, Slice, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The axis that is split.
    pub axis: usize,
    /// The parts' extents along it.
    pub sizes: Vec<usize>,
}

impl Operator for Split {
    const NAME: &'static str = "Split";
    const ONNX: &'static [&'static str] = &["Split"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let x = node.required(0)?.ty;
        let axis = axis(node.attributes.int_or("axis", 0)?, x.rank())?;
        let n = x.shape[axis];
        let sizes = match node.ints("split", 1)? {
            Some(sizes) => sizes
                .iter()
                .map(|s| usize::try_from(*s).map_err(|_| OpError::invalid("a negative size")))
                .collect::<Result<_, _>>()?,
            None => {
                // Equal parts; the last one is smaller where they do not divide evenly (opset 18).
                let parts = node.attributes.int_or("num_outputs", node.outputs_used.len() as i64)?;
                let parts = usize::try_from(parts).ok().filter(|p| (1..=n.max(1)).contains(p));
                let parts = parts.ok_or_else(|| OpError::invalid(format!("cannot split {n} that often")))?;
                let part = n.div_ceil(parts);
                (0..parts).map(|i| part.min(n.saturating_sub(i * part))).collect()
            }
        };
        Ok(Imported::new(Split { axis, sizes }, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn result_names(&self) -> Vec<String> {
        (0..self.sizes.len()).map(|i| format!("y{i}")).collect()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let x = &inputs[0];
        let total = self.sizes.iter().try_fold(0usize, |s, n| s.checked_add(*n));
        if self.axis >= x.rank() || total != Some(x.shape[self.axis]) {
            return Err(OpError::invalid(format!(
                "cannot split {x} into {:?} along {}",
                self.sizes, self.axis
            )));
        }
        let part = |n: &usize| {
            let mut y = x.clone();
            y.shape[self.axis] = *n;
            y
        };
        Ok(self.sizes.iter().map(part).collect())
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let mut at = 0;
        let mut results = Vec::with_capacity(outputs.len());
        for (n, y) in self.sizes.iter().zip(outputs) {
            let slice = Slice::along(inputs[0].shape(), self.axis, at, *n);
            results.extend(slice.reference(inputs, std::slice::from_ref(y))?);
            at += n;
        }
        Ok(results)
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let shape = &inputs[0].shape;
        let inner: usize = shape[self.axis + 1..].iter().product();
        let mut p = attributes(self);
        p.insert("outer".into(), shape[..self.axis].iter().product::<usize>().into());
        p.insert("row".into(), (shape[self.axis] * inner).into());
        let rows: Vec<usize> = self.sizes.iter().map(|n| n * inner).collect();
        p.insert("offsets".into(), json(&starts(&rows)));
        p.insert("rows".into(), json(&rows));
        p
    }
}
