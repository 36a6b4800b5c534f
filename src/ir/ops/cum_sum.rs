//! CumSum: running sums along an axis, forwards or backwards, including the element itself or not.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::elementwise::{arithmetic, array, flat};
use super::rows;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CumSum {
    /// The axis along which is summed.
    pub axis: usize,
    /// Sums exclude the element itself.
    pub exclusive: bool,
    /// Sums start at the end.
    pub reverse: bool,
}

impl CumSum {
    fn run<T: Copy + Default>(&self, shape: &[usize], x: &[T], add: impl Fn(T, T) -> T) -> Vec<T> {
        let n = shape[self.axis];
        let inner: usize = shape[self.axis + 1..].iter().product();
        let mut y = vec![T::default(); x.len()];
        for (o, _) in x.iter().enumerate().filter(|(i, _)| (i / inner) % n == 0) {
            let mut sum = T::default();
            for k in 0..n {
                let at = o + inner * if self.reverse { n - 1 - k } else { k };
                let next = add(sum, x[at]);
                y[at] = if self.exclusive { sum } else { next };
                sum = next;
            }
        }
        y
    }
}

impl Operator for CumSum {
    const NAME: &'static str = "CumSum";
    const ONNX: &'static [&'static str] = &["CumSum"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let rank = node.required(0)?.ty.rank();
        let at = node.constant(1, "axis")?.and_then(Value::scalar_i64);
        let at = at.ok_or_else(|| OpError::invalid("`axis` must be one number"))?;
        let flag = |name: &str| Ok::<bool, OpError>(node.attributes.int_or(name, 0)? != 0);
        let op = CumSum { axis: axis(at, rank)?, exclusive: flag("exclusive")?, reverse: flag("reverse")? };
        Ok(Imported::new(op, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let x = &inputs[0];
        if self.axis >= x.rank() {
            return Err(OpError::invalid(format!("axis {} is out of range for {x}", self.axis)));
        }
        Ok(vec![TensorType::new(arithmetic(x.dtype, x.dtype), x.shape.clone())])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let y = &outputs[0];
        Ok(vec![match inputs[0] {
            Value::F32(a) => Value::F32(array(&y.shape, self.run(a.shape(), &flat(a), |s, x| s + x))?),
            other => {
                let sums = self.run(other.shape(), &flat(&other.to_i64()), i64::wrapping_add);
                Value::from_i64_wrapping(array(&y.shape, sums)?, y.dtype)
            }
        }])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        Some(rows::space(inputs, outputs, self.axis, 1))
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let shape = &inputs[0].shape;
        let mut p = attributes(self);
        p.insert("outer".into(), shape[..self.axis].iter().product::<usize>().into());
        p.insert("size".into(), shape[self.axis].into());
        p.insert("inner".into(), shape[self.axis + 1..].iter().product::<usize>().into());
        p
    }
}
