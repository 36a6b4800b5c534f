//! Quantize: floats to integers.
//!
//! `y = clip(round(x/scale + zero), lo, hi)`, or `clip(round(x/scale) + zero, lo, hi)` where `add_last` is set
//! (QuantizeLinear's order). Division, addition and rounding (half to even) are single f32 operations, so
//! that the operator equals the chain Div, Add, Round, Clip exactly. NaN counts as 0.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity, axis};
use super::rows::Rows;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantize {
    /// One scale, or one per index of `axis`.
    pub scale: Vec<Real>,
    /// As many zero points as scales.
    pub zero: Vec<Real>,
    /// The axis of several scales.
    pub axis: usize,
    /// Lower clip, inclusive.
    pub lo: i64,
    /// Upper clip, inclusive.
    pub hi: i64,
    /// Element type of the result; holds `lo..=hi`.
    pub dtype: DType,
    /// Whether the zero point is added after rounding.
    pub add_last: bool,
}

impl Quantize {
    fn apply(&self, x: f32, scale: f32, zero: f32) -> i64 {
        let q = x / scale;
        let r = if self.add_last { q.round_ties_even() + zero } else { (q + zero).round_ties_even() };
        (r as i64).clamp(self.lo, self.hi)
    }
}

/// Scales and zero points of a node, as many of each, and the axis they run along.
pub(super) struct Scaling {
    pub(super) scale: Vec<Real>,
    pub(super) zero: Vec<Real>,
    pub(super) axis: usize,
}

/// Reads `scale` (operand 1) and `zero_point` (operand 2), which must be constants.
///
/// # Errors
/// They are not, are not finite and positive, or are quantised in blocks.
pub(super) fn scaling(node: &ImportNode) -> Result<Scaling, OpError> {
    let x = node.required(0)?.ty;
    node.required(1)?;
    if node.attributes.int_or("block_size", 0)? != 0 {
        return Err(OpError::unsupported("quantisation in blocks")
            .help("export with one scale per tensor or per channel"));
    }
    let missing = || OpError::invalid("`scale` is missing");
    let scale = node.constant(1, "scale")?.ok_or_else(missing)?;
    if scale.shape().len() > 1 && scale.len() > 1 {
        return Err(OpError::unsupported(format!(
            "scales of shape {:?} (quantisation in blocks)",
            scale.shape()
        )));
    }
    let scale: Vec<Real> = scale.to_f32().iter().copied().map(Real).collect();
    if !scale.iter().all(|s| s.0.is_finite() && s.0 > 0.0) {
        return Err(OpError::invalid("scales must be positive numbers"));
    }
    let zero: Vec<Real> = match node.constant(2, "zero_point")? {
        Some(z) => z.to_f32().iter().copied().map(Real).collect(),
        None => vec![Real(0.0); scale.len()],
    };
    if zero.len() != scale.len() {
        return Err(OpError::invalid(format!("{} scales but {} zero points", scale.len(), zero.len())));
    }
    let axis = if scale.len() == 1 { 0 } else { axis(node.attributes.int_or("axis", 1)?, x.rank())? };
    Ok(Scaling { scale, zero, axis })
}

/// The element type that ONNX numbers `code` (the attribute `output_dtype`), with its range.
fn output_dtype(code: i64) -> Result<(DType, i64, i64), OpError> {
    Ok(match code {
        2 => (DType::U8, 0, 255),
        3 => (DType::S8, -128, 127),
        4 => (DType::U16, 0, 65535),
        5 => (DType::S16, -32768, 32767),
        6 => (DType::S32, i32::MIN.into(), i32::MAX.into()),
        21 => (DType::U8, 0, 15),
        22 => (DType::S8, -8, 7),
        25 => (DType::U8, 0, 3),
        26 => (DType::S8, -2, 1),
        _ => return Err(OpError::unsupported(format!("output_dtype {code}"))),
    })
}

/// Checks that there is one scale, or one per index of the axis, and as many zero points.
pub(super) fn check_scaling(
    x: &TensorType,
    scale: &[Real],
    zero: &[Real],
    axis: usize,
) -> Result<(), OpError> {
    if scale.len() != zero.len() || (scale.len() != 1 && x.shape.get(axis) != Some(&scale.len())) {
        let (s, z) = (scale.len(), zero.len());
        return Err(OpError::invalid(format!(
            "{s} scales and {z} zero points do not fit axis {axis} of {x}"
        )));
    }
    Ok(())
}

/// `outer`, `channels`, `inner`, `per_channel` (0 or 1) of a tensor scaled per tensor or along an axis.
pub(super) fn describe_scaling(p: &mut Params, x: &TensorType, count: usize, axis: usize) {
    let per_channel = count != 1;
    let rows = Rows::along(&x.shape, axis, usize::from(x.rank() > 0));
    let (outer, channels, inner) =
        if per_channel { (rows.outer, rows.len, rows.inner) } else { (1, 1, x.elements()) };
    p.insert("outer".into(), outer.into());
    p.insert("channels".into(), channels.into());
    p.insert("inner".into(), inner.into());
    p.insert("per_channel".into(), u8::from(per_channel).into());
}

/// The channel of each element, in row-major order.
pub(super) fn channels(shape: &[usize], count: usize, axis: usize) -> impl Iterator<Item = usize> + use<> {
    let inner: usize = shape.get(axis + 1..).unwrap_or(&[]).iter().product();
    (0..).map(move |i| if count == 1 { 0 } else { i / inner.max(1) % count })
}

impl Operator for Quantize {
    const NAME: &'static str = "Quantize";
    const ONNX: &'static [&'static str] = &["QuantizeLinear"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let Scaling { scale, zero, axis } = scaling(node)?;
        let (dtype, lo, hi) =
            match (node.inputs.get(2).copied().flatten(), node.attributes.int_or("output_dtype", 0)?) {
                (_, code) if code != 0 => output_dtype(code)?,
                (Some(z), _) if z.ty.dtype != DType::Bool => match z.ty.dtype.range() {
                    Some((lo, hi)) => (z.ty.dtype, lo, hi),
                    None => return Err(OpError::unsupported("quantisation to a float type")),
                },
                _ => (DType::U8, 0, 255),
            };
        let op = Quantize { scale, zero, axis, lo, hi, dtype, add_last: true };
        Ok(Imported::new(op, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        check_scaling(&inputs[0], &self.scale, &self.zero, self.axis)?;
        match self.dtype.range() {
            Some((lo, hi))
                if lo <= self.lo && self.lo <= self.hi && self.hi <= hi && self.dtype.bytes() <= 4 => {}
            _ => {
                return Err(OpError::invalid(format!(
                    "{} does not hold {}..={}",
                    self.dtype, self.lo, self.hi
                )));
            }
        }
        Ok(vec![TensorType::new(self.dtype, inputs[0].shape.clone())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        // Several scales are attributes, which parts cannot cut.
        (self.scale.len() == 1).then(|| super::common::space(inputs, outputs))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let x = inputs[0].to_f32();
        let channel = channels(x.shape(), self.scale.len(), self.axis);
        let y = x.iter().zip(channel).map(|(x, c)| self.apply(*x, self.scale[c].0, self.zero[c].0));
        Ok(vec![super::integers::tensor(&outputs[0].shape, y.collect(), outputs[0].dtype)?])
    }
    /// The attributes, `outer`, `channels`, `inner` and `per_channel`.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        if let [x] = inputs {
            describe_scaling(&mut p, x, self.scale.len(), self.axis);
        }
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(add_last: bool, zero: f32) -> Quantize {
        Quantize {
            scale: vec![Real(0.1)],
            zero: vec![Real(zero)],
            axis: 0,
            lo: -128,
            hi: 127,
            dtype: DType::S8,
            add_last,
        }
    }
    /// numpy: np.clip(np.round(np.float32(x)/np.float32(.1) + np.float32(z)), -128, 127)
    #[test]
    fn rounds_half_to_even() {
        for (x, plain, last) in [(0.25, 4, 3), (0.05, 2, 1), (-0.25, -2, -1), (0.34, 4, 4), (100.0, 127, 127)]
        {
            assert_eq!(op(false, 1.0).apply(x, 0.1, 1.0), plain, "{x}");
            assert_eq!(op(true, 1.0).apply(x, 0.1, 1.0), last, "{x}");
        }
        assert_eq!(op(false, 0.0).apply(f32::NAN, 0.1, 0.0), 0);
        assert_eq!(op(false, 0.0).apply(f32::NEG_INFINITY, 0.1, 0.0), -128);
    }
    #[test]
    fn orders_differ() {
        // 0.5 rounds to 0, 1.5 to 2.
        assert_eq!(op(false, 1.0).apply(0.5, 1.0, 1.0), 2);
        assert_eq!(op(true, 1.0).apply(0.5, 1.0, 1.0), 1);
    }
}
