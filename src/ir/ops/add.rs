//! Add: `a + b` with broadcasting, on all floats or all integers; may carry a requantisation or a float
//! activation. `Sum` of any number of operands is a chain of it.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::contraction::epilogue_params;
use super::elementwise::{
    Broadcast, any_float, arithmetic, binary_f32, binary_i64, binary_params, binary_shape, import_chain,
    import_two, one_kind,
};
use super::{Activation, Numeric, Operator, Params, Requant};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module. With a requantisation the operands are a, b, mul, add.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// Requantisation of the (integer) sum.
    #[serde(default)]
    pub requant: Option<Requant>,
    /// Activation of the (float) sum.
    #[serde(default)]
    pub act: Activation,
}

impl Operator for Add {
    const NAME: &'static str = "Add";
    const ONNX: &'static [&'static str] = &["Add", "Sum"];
    const NUMERIC: Numeric = Numeric::Unified;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        if node.op_type == "Sum" {
            import_chain(Add::default(), node)
        } else {
            import_two(Add::default(), node)
        }
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        let names: &[&str] = if self.requant.is_some() { &["a", "b", "mul", "add"] } else { &["a", "b"] };
        names.iter().map(|n| (*n).into()).collect()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        let count = if self.requant.is_some() { 4 } else { 2 };
        arity(inputs, count, count)?;
        one_kind(inputs)?;
        let shape = binary_shape(inputs)?;
        let sum = arithmetic(inputs[0].dtype, inputs[1].dtype);
        let dtype = match (&self.requant, sum) {
            (None, sum) => sum,
            (Some(_), DType::F32) => return Err(OpError::invalid("requantisation of a float sum")),
            (Some(rq), _) => rq.dtype(),
        };
        if self.act != Activation::None && dtype != DType::F32 {
            return Err(OpError::invalid("float activation on an integer sum"));
        }
        Ok(vec![TensorType::new(dtype, shape)])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let mut space = super::common::space(&inputs[..2], outputs);
        if let Some(rq) = &self.requant {
            space.operands.extend(inputs[2..].iter().map(|t| rq.reach(t, rq.axis)));
        }
        Some(space)
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (a, b, y) = (inputs[0], inputs[1], &outputs[0]);
        if any_float(inputs) {
            return Ok(vec![Value::F32(binary_f32(a, b, y, |a, b| self.act.apply(a + b))?)]);
        }
        let mut sum = binary_i64(a, b, y, i64::wrapping_add)?;
        if let (Some(rq), [_, _, mul, add]) = (&self.requant, inputs) {
            // What is requantised is the sum as it would be stored.
            sum = Value::from_i64_wrapping(sum, arithmetic(a.dtype(), b.dtype())).to_i64();
            sum = rq.apply_all(&sum, &mul.to_i64(), &add.to_i64())?;
        }
        Ok(vec![Value::from_i64_wrapping(sum, y.dtype)])
    }
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let mut p = binary_params(inputs, outputs);
        epilogue_params(self.requant.as_ref(), self.act, &inputs[2..], &mut p);
        if let Some(rq) = &self.requant {
            // A multiplier per channel has the channel's axis and no other.
            let y = &outputs[0].shape;
            let along = |t: &TensorType| {
                let mut shape = vec![1; y.len()];
                if let (n @ 2.., Some(d)) = (t.elements(), shape.get_mut(rq.axis)) {
                    *d = n;
                }
                shape
            };
            let (mul, add) = (along(&inputs[2]), along(&inputs[3]));
            let loops = Broadcast::new(y, &[&inputs[0].shape, &inputs[1].shape, &mul, &add]);
            p.extend(loops.params(&["a", "b", "mul", "add"]));
        }
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::ops::Op;
    use crate::ir::ops::testing::{elements, evaluate};

    fn s8(v: &[i64]) -> Value {
        Value::s64(&[v.len()], v.to_vec()).unwrap().cast(DType::S8)
    }

    /// `(sum * 3 + 1 + 2) >> 2`, by hand.
    #[test]
    fn the_sum_is_requantised() {
        let rq = Requant { shift: 2, lo: -128, hi: 127, axis: 0 };
        let op = Op::from(Add { requant: Some(rq), act: Activation::None });
        let operands = [s8(&[100, -100, 3, 127]), s8(&[50, -50, 4, 127]), s8(&[3]), s8(&[1])];
        let y = evaluate(&op, &operands.each_ref()).unwrap();
        assert_eq!(y.dtype(), DType::S8);
        assert_eq!(elements(&y), [113.0, -112.0, 6.0, 127.0]);
    }

    #[test]
    fn kinds_do_not_mix() {
        let op = Add::default();
        let types = [TensorType::new(DType::F32, [2]), TensorType::new(DType::S8, [2])];
        assert!(op.infer(&types).is_err());
        assert!(op.infer(&[types[0].clone(), TensorType::new(DType::F32, [3])]).is_err());
    }
}
