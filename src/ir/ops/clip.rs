//! Clip: `min(max(x, lo), hi)`, elementwise, on any numbers. Bounds only known at run time are imported as
//! Max and Min instead.

use serde::{Deserialize, Serialize};

use super::common::{Bound, arity, broadcasts};
use super::{Cast, Max, Min, Numeric, Op, Operator, Params, attributes};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// Lower bound, inclusive.
    pub lo: Bound,
    /// Upper bound, inclusive; wins over the lower one.
    pub hi: Bound,
}

impl Clip {
    /// The bounds as integers of `dtype`.
    fn integers(&self, dtype: DType) -> (i64, i64) {
        let (min, max) = dtype.range().unwrap_or((i64::MIN, i64::MAX));
        // `as` saturates, and a fractional bound excludes the integer beyond it.
        ((self.lo.0.ceil() as i64).clamp(min, max), (self.hi.0.floor() as i64).clamp(min, max))
    }
}

/// A bound from attribute or operand; `Err(())` inside means known at run time only.
fn bound(node: &ImportNode, name: &str, i: usize, default: f64) -> Result<Option<f64>, OpError> {
    match node.inputs.get(i).copied().flatten() {
        None => Ok(Some(node.attributes.float(name)?.map_or(default, f64::from))),
        Some(o) => match o.value {
            None => Ok(None),
            Some(v) => v
                .scalar_f64()
                .map(Some)
                .ok_or_else(|| OpError::invalid(format!("`{name}` is not one number"))),
        },
    }
}

impl Operator for Clip {
    const NAME: &'static str = "Clip";
    const ONNX: &'static [&'static str] = &["Clip"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let x = node.required(0)?;
        let lo = bound(node, "min", 1, f64::NEG_INFINITY)?;
        let hi = bound(node, "max", 2, f64::INFINITY)?;
        if let (Some(lo), Some(hi)) = (lo, hi) {
            let whole = |b: f64| b.is_infinite() || b.fract() == 0.0;
            let mut source = Source::Input(0);
            if x.ty.dtype.is_int() && !(whole(lo) && whole(hi)) {
                source = Source::Node(Box::new(Imported::new(Cast { to: DType::F32 }, vec![source])));
            }
            return Ok(Imported::new(Clip { lo: Bound(lo), hi: Bound(hi) }, vec![source]));
        }
        let operand = |op: Op, x: Source, i: usize| Imported::new(op, vec![x, Source::Input(i)]);
        let mut y = Source::Input(0);
        if node.has(1) {
            y = Source::Node(Box::new(operand(Max {}.into(), y, 1)));
        }
        Ok(if node.has(2) {
            operand(Min {}.into(), y, 2)
        } else {
            operand(Max {}.into(), Source::Input(0), 1)
        })
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        Ok(inputs.to_vec())
    }
    broadcasts!();
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![match inputs[0] {
            Value::F32(a) => {
                let (lo, hi) = (self.lo.0 as f32, self.hi.0 as f32);
                Value::F32(a.mapv(|x| {
                    let x = if x < lo { lo } else { x };
                    if x > hi { hi } else { x }
                }))
            }
            other => {
                let (lo, hi) = self.integers(other.dtype());
                Value::from_i64_wrapping(other.to_i64().mapv(|x| x.max(lo).min(hi)), outputs[0].dtype)
            }
        }])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        if inputs[0].dtype.is_float() {
            return attributes(self);
        }
        let (lo, hi) = self.integers(inputs[0].dtype);
        Params::from_iter([("lo".into(), lo.into()), ("hi".into(), hi.into())])
    }
}
