//! RequantShift: scales an integer accumulator down to a few bits; see [`Requant`] for the formula.
//!
//! Operands: `x` (integers of at most 32 bits), `mul` and `add` (constants s32, or s64 where 32 bits do not
//! hold them; one element or one per index of the axis). The result is the smallest type that holds `lo..=hi`.
//! Source: QuantLib/PACT. A multiplier with several elements runs along the axis it broadcasts to, or along
//! the channels (axis 1), which exporters write as `[C,1,1]` whatever the rank.

use ndarray::IxDyn;
use serde::{Deserialize, Serialize};

use super::common::arity;
use super::common::space as elementwise_space;
use super::integers::{log2, narrow};
use super::rows::Rows;
use super::{Numeric, Operator, Params, Requant, attributes};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequantShift {
    /// Shift, clip and axis.
    pub requant: Requant,
}

/// The axis of `x` along which parameters of shape `p` run; `None` for one element.
fn parameter_axis(x: &[usize], p: &[usize], name: &str) -> Result<Option<usize>, OpError> {
    let count: usize = p.iter().product();
    if count == 1 {
        return Ok(None);
    }
    let wrong = || {
        OpError::unsupported(format!(
            "`{name}` of shape {p:?} does not run along one axis of x of shape {x:?}"
        ))
    };
    let long: Vec<usize> = (0..p.len()).filter(|i| p[*i] != 1).collect();
    let [index] = long[..] else { return Err(wrong()) };
    let fits = |axis: &usize| x.get(*axis) == Some(&count);
    let aligned = (index + x.len()).checked_sub(p.len()).filter(fits);
    let channels = Some(1).filter(fits);
    let explicit = aligned.filter(|a| p.len() == x.len() && *a >= 1);
    let natural = if x.len() >= 3 { channels.or(aligned) } else { aligned.or(channels) };
    explicit.or(natural).map(Some).ok_or_else(wrong)
}

/// A multiplier or addend as a flat constant of the type kernels take.
fn parameter(node: &ImportNode, i: usize, name: &str) -> Result<Value, OpError> {
    node.required(i)?;
    let v = node.constant(i, name)?.ok_or_else(|| OpError::invalid(format!("`{name}` is missing")))?;
    let (lo, hi) = v.int_range().ok_or_else(|| OpError::invalid(format!("`{name}` must hold integers")))?;
    let dtype = if i32::try_from(lo).is_ok() && i32::try_from(hi).is_ok() { DType::S32 } else { DType::S64 };
    let shape: &[usize] = if v.len() == 1 { &[] } else { &[v.len()] };
    let flat = v.to_i64().iter().copied().collect();
    ndarray::ArrayD::from_shape_vec(IxDyn(shape), flat)
        .map(|a| Value::from_i64_wrapping(a, dtype))
        .map_err(|e| OpError::invalid(e.to_string()))
}

impl Operator for RequantShift {
    const NAME: &'static str = "RequantShift";
    const ONNX: &'static [&'static str] = &["RequantShift"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let x = &node.required(0)?.ty.shape;
        let n = match node.attributes.int("n_levels_out")? {
            Some(n) => n,
            None => node.attributes.required_int("n_levels")?,
        };
        if !(1..=1 << 32).contains(&n) {
            return Err(OpError::invalid(format!("the number of levels is {n}; it must be 1 to 2^32")));
        }
        let signed = node.attributes.required_int("signed")? != 0;
        let (lo, hi) = if signed { (-(n / 2), n / 2 - 1) } else { (0, n - 1) };
        if lo > hi {
            return Err(OpError::invalid(format!("{n} signed levels leave nothing to represent")));
        }
        let shape = |i| node.required(i).map(|o| o.ty.shape.as_slice());
        let (mul, add) = (parameter_axis(x, shape(1)?, "mul")?, parameter_axis(x, shape(2)?, "add")?);
        let axis = match (mul, add) {
            (Some(a), Some(b)) if a != b => {
                return Err(OpError::unsupported("`mul` and `add` run along different axes"));
            }
            (a, b) => a.or(b).unwrap_or(1.min(x.len().saturating_sub(1))),
        };
        let requant = Requant { shift: log2(node, "div")?, lo, hi, axis };
        let operands = vec![
            Source::Input(0),
            Source::Constant(parameter(node, 1, "mul")?),
            Source::Constant(parameter(node, 2, "add")?),
        ];
        Ok(Imported::new(RequantShift { requant }, operands))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["x", "mul", "add"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 3, 3)?;
        narrow(&inputs[0], "x", 32)?;
        if self.requant.shift > 62 || self.requant.lo > self.requant.hi {
            return Err(OpError::invalid("the shift exceeds 62 bits, or the clip range is empty"));
        }
        for (p, name) in [(&inputs[1], "mul"), (&inputs[2], "add")] {
            narrow(p, name, 64)?;
            let along = inputs[0].shape.get(self.requant.axis).copied();
            if p.elements() != 1 && Some(p.elements()) != along {
                return Err(OpError::invalid(format!(
                    "`{name}` is {p}; x is {}, so it must have one element or {along:?} (axis {})",
                    inputs[0], self.requant.axis
                )));
            }
        }
        Ok(vec![TensorType::new(self.requant.dtype(), inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let mut space = elementwise_space(&inputs[..1], outputs);
        space.operands.extend(inputs[1..].iter().map(|t| self.requant.reach(t, self.requant.axis)));
        Some(space)
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let y = self.requant.apply_all(&inputs[0].to_i64(), &inputs[1].to_i64(), &inputs[2].to_i64())?;
        Ok(vec![Value::from_i64_wrapping(y, outputs[0].dtype)])
    }
    /// `shift`, `lo`, `hi`, `outer`, `channels`, `inner` (x as outer blocks of channels of inner elements),
    /// `per_channel` (0 or 1), `mul_step` and `add_step` (0 where one element serves all channels).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(&self.requant);
        let [x, mul, add] = inputs else { return p };
        let rows = Rows::along(&x.shape, self.requant.axis, usize::from(x.rank() > 0));
        let steps = [mul, add].map(|t| u8::from(t.elements() != 1));
        let per_channel = steps != [0, 0];
        let (outer, channels, inner) =
            if per_channel { (rows.outer, rows.len, rows.inner) } else { (1, 1, x.elements()) };
        p.insert("per_channel".into(), u8::from(per_channel).into());
        p.insert("mul_step".into(), steps[0].into());
        p.insert("add_step".into(), steps[1].into());
        p.insert("outer".into(), outer.into());
        p.insert("channels".into(), channels.into());
        p.insert("inner".into(), inner.into());
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_find_their_axis() {
        let axis = |x: &[usize], p: &[usize]| parameter_axis(x, p, "mul").ok().flatten();
        assert_eq!(axis(&[1, 5, 7, 7], &[5, 1, 1]), Some(1));
        assert_eq!(axis(&[1, 2, 6, 6], &[1, 2, 1, 1]), Some(1));
        assert_eq!(axis(&[1, 16, 9], &[16, 1, 1]), Some(1));
        assert_eq!(axis(&[1, 4, 4], &[4, 1]), Some(1));
        assert_eq!(axis(&[1, 10], &[10]), Some(1));
        assert_eq!(axis(&[32, 10], &[32, 1]), Some(0));
        assert_eq!(axis(&[10, 10], &[10]), Some(1));
        assert_eq!(axis(&[1, 8, 8], &[1, 1, 8]), Some(2));
        assert_eq!(axis(&[3, 4], &[]), None);
        assert!(parameter_axis(&[1, 4, 4], &[3], "mul").is_err());
        assert!(parameter_axis(&[1, 4, 4], &[4, 4], "mul").is_err());
    }
}
