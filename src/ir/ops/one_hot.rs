//! OneHot: along a new axis, `on` at the index and `off` elsewhere. Negative indices count from the end; one
//! out of range is `off` everywhere.

use serde::{Deserialize, Serialize};

use super::common::{Bound, arity, axis};
use super::elementwise::{array, flat};
use super::gather::{index_operand, place};
use super::{Cast, Numeric, Operator, Params, attributes};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneHot {
    /// Where the new axis is in the result.
    pub axis: usize,
    /// Its extent.
    pub depth: usize,
    /// The value elsewhere.
    pub off: Bound,
    /// The value at the index.
    pub on: Bound,
    /// The result's element type.
    pub to: DType,
}

impl Operator for OneHot {
    const NAME: &'static str = "OneHot";
    const ONNX: &'static [&'static str] = &["OneHot"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let indices = node.required(0)?.ty;
        let axis = axis(node.attributes.int_or("axis", -1)?, indices.rank() + 1)?;
        let depth =
            node.constant(1, "depth")?.and_then(Value::scalar_i64).and_then(|d| usize::try_from(d).ok());
        let depth = depth.ok_or_else(|| OpError::invalid("`depth` must be one number"))?;
        let values = node.constant(2, "values")?.filter(|v| v.len() == 2);
        let values = values.ok_or_else(|| OpError::invalid("`values` must be two numbers"))?;
        let both: Vec<f64> = values.to_f64().iter().copied().collect();
        let (off, on) = (Bound(both[0]), Bound(both[1]));
        let op = OneHot { axis, depth, off, on, to: values.dtype() };
        let mut source = Source::Input(0);
        if indices.dtype.is_float() {
            source = Source::Node(Box::new(Imported::new(Cast { to: DType::S64 }, vec![source])));
        }
        Ok(Imported::new(op, vec![source]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["indices".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        index_operand(&inputs[0])?;
        if self.axis > inputs[0].rank() {
            return Err(OpError::invalid(format!("axis {} is out of range", self.axis)));
        }
        let mut shape = inputs[0].shape.clone();
        shape.insert(self.axis, self.depth);
        Ok(vec![TensorType::new(self.to, shape)])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let indices = inputs[0].to_i64();
        let inner: usize = indices.shape()[self.axis..].iter().product();
        let mut y = vec![self.off.0; outputs[0].elements()];
        for (i, index) in flat(&indices).iter().enumerate() {
            if let Ok(p) = place(*index, self.depth) {
                y[(i / inner * self.depth + p) * inner + i % inner] = self.on.0;
            }
        }
        let y = array(&outputs[0].shape, y)?;
        Ok(vec![match self.to {
            DType::F32 => Value::F32(y.mapv(|v| v as f32)),
            to => Value::from_i64_wrapping(y.mapv(|v| v as i64), to),
        }])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let shape = &inputs[0].shape;
        let mut p = attributes(self);
        if self.to != DType::F32 {
            p.insert("on".into(), (self.on.0 as i64).into());
            p.insert("off".into(), (self.off.0 as i64).into());
        }
        p.insert("outer".into(), shape[..self.axis].iter().product::<usize>().into());
        p.insert("inner".into(), shape[self.axis..].iter().product::<usize>().into());
        p
    }
}
