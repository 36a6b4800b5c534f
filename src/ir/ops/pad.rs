//! Pad: elements added (or, for negative counts, removed) before and after each axis.

use serde::{Deserialize, Serialize};

use super::common::{Bound, arity, axis};
use super::elementwise::{array, flat, json};
use super::strided::{read_by_tables, row_major, table_params};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::{Reach, Space};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// What is put into the padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PadMode {
    /// One value.
    Constant,
    /// The mirror image, without repeating the border.
    Reflect,
    /// The border.
    Edge,
    /// The opposite end.
    Wrap,
}

/// See the module. The lists have the operand's rank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pad {
    /// What is put into the padding.
    pub mode: PadMode,
    /// Elements before each axis.
    pub before: Vec<i64>,
    /// Elements after each axis.
    pub after: Vec<i64>,
    /// The value of constant padding; infinities become the integer type's limits.
    pub value: Bound,
}

impl Pad {
    fn integer(&self, dtype: DType) -> Option<i64> {
        let (lo, hi) = dtype.range()?;
        let v = self.value.0;
        if v.is_infinite() {
            return Some(if v < 0.0 { lo } else { hi });
        }
        let i = v as i64;
        (v.fract() == 0.0 && (lo..=hi).contains(&i)).then_some(i)
    }

    fn tables(&self, x: &[usize]) -> Vec<Vec<Option<usize>>> {
        let source = |d: usize, i: i64| -> Option<usize> {
            let n = x[d] as i64;
            let inside = (0..n).contains(&i);
            let at = match self.mode {
                _ if inside => i,
                _ if n == 0 => return None,
                PadMode::Constant => return None,
                PadMode::Edge => i.clamp(0, n - 1),
                PadMode::Wrap => i.rem_euclid(n),
                PadMode::Reflect if n == 1 => 0,
                PadMode::Reflect => {
                    let m = i.rem_euclid(2 * (n - 1));
                    m.min(2 * (n - 1) - m)
                }
            };
            Some(at as usize)
        };
        (0..x.len())
            .map(|d| (-self.before[d]..x[d] as i64 + self.after[d]).map(|i| source(d, i)).collect())
            .collect()
    }
}

impl Operator for Pad {
    const NAME: &'static str = "Pad";
    const ONNX: &'static [&'static str] = &["Pad"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let rank = node.required(0)?.ty.rank();
        let old = if node.attributes.has("paddings") { "paddings" } else { "pads" };
        let pads = node.ints(old, 1)?.ok_or_else(|| OpError::invalid("`pads` is missing"))?;
        let axes = match node.ints("axes", 3)? {
            Some(axes) => axes.into_iter().map(|a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?,
            None => (0..rank).collect(),
        };
        if pads.len() != 2 * axes.len() {
            return Err(OpError::invalid(format!("{} pads for {} axes", pads.len(), axes.len())));
        }
        let (mut before, mut after) = (vec![0; rank], vec![0; rank]);
        for (i, a) in axes.iter().enumerate() {
            before[*a] = pads[i];
            after[*a] = pads[axes.len() + i];
        }
        let mode = match node.attributes.str("mode")?.unwrap_or("constant") {
            "constant" => PadMode::Constant,
            "reflect" => PadMode::Reflect,
            "edge" => PadMode::Edge,
            "wrap" => PadMode::Wrap,
            other => return Err(OpError::unsupported(format!("mode {other}"))),
        };
        let value = match node.constant(2, "constant_value")? {
            Some(v) => {
                v.scalar_f64().ok_or_else(|| OpError::invalid("`constant_value` is not one number"))?
            }
            None => node.attributes.float_or("value", 0.0)?.into(),
        };
        Ok(Imported::new(Pad { mode, before, after, value: Bound(value) }, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let x = &inputs[0];
        if [self.before.len(), self.after.len()] != [x.rank(); 2] {
            return Err(OpError::invalid(format!("does not pad every axis of {x}")));
        }
        if !x.dtype.is_float() && self.mode == PadMode::Constant && self.integer(x.dtype).is_none() {
            return Err(OpError::unsupported(format!(
                "{} does not hold the padding {}",
                x.dtype, self.value.0
            )));
        }
        let mut shape = Vec::with_capacity(x.rank());
        for d in 0..x.rank() {
            let size =
                (x.shape[d] as i64).checked_add(self.before[d]).and_then(|n| n.checked_add(self.after[d]));
            let size = size.and_then(|n| usize::try_from(n).ok());
            let size = size
                .filter(|n| *n <= 1 << 31 && (*n == 0 || x.shape[d] > 0 || self.mode == PadMode::Constant));
            shape
                .push(size.ok_or_else(|| OpError::invalid(format!("cannot pad axis {d} of {x} like that")))?);
        }
        Ok(vec![TensorType::new(x.dtype, shape)])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let x = inputs[0];
        let tables = self.tables(x.shape());
        let y = &outputs[0].shape;
        Ok(vec![match x {
            Value::F32(a) => {
                Value::F32(array(y, read_by_tables(&flat(a), x.shape(), &tables, self.value.0 as f32)?)?)
            }
            other => {
                let fill = self.integer(x.dtype()).unwrap_or_default();
                let data = read_by_tables(&flat(&other.to_i64()), x.shape(), &tables, fill)?;
                Value::from_i64_wrapping(array(y, data)?, x.dtype())
            }
        }])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let before = self.before.iter().map(|p| usize::try_from(*p));
        let before = before.collect::<Result<Vec<_>, _>>().ok()?;
        if self.mode != PadMode::Constant || self.after.iter().any(|p| *p < 0) {
            return None;
        }
        let reach =
            |(axis, before): (usize, &usize)| Reach::Along { axis, stride: 1, before: *before, extent: 1 };
        let mut space = super::common::space(&inputs[..0], outputs);
        space.operands.push(before.iter().enumerate().map(reach).collect());
        Some(space)
    }
    fn part(&self, _inputs: &[TensorType], margins: &[(usize, usize)]) -> Pad {
        let (before, after) = margins.iter().map(|(before, after)| (*before as i64, *after as i64)).unzip();
        Pad { before, after, ..self.clone() }
    }
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let (x, y) = (&inputs[0], &outputs[0]);
        let mut p = attributes(self);
        if let Some(v) = self.integer(x.dtype) {
            p.insert("value".into(), v.into());
        }
        p.insert("elements".into(), y.elements().into());
        if self.mode == PadMode::Constant {
            // A copied box: `sizes` elements from `x_offset` to `y_offset`.
            let (xs, ys) = (row_major(&x.shape), row_major(&y.shape));
            let crop = |p: &i64| (-p).max(0) as usize;
            let sizes: Vec<usize> = (0..x.rank())
                .map(|d| x.shape[d].saturating_sub(crop(&self.before[d]) + crop(&self.after[d])))
                .collect();
            let at = |strides: &[i64], pads: &dyn Fn(usize) -> i64| -> i64 {
                strides.iter().enumerate().map(|(d, s)| s * pads(d)).sum()
            };
            p.insert("x_offset".into(), at(&xs, &|d| (-self.before[d]).max(0)).into());
            p.insert("y_offset".into(), at(&ys, &|d| self.before[d].max(0)).into());
            p.insert("loops".into(), x.rank().into());
            p.insert("dims".into(), json(&sizes));
            p.insert("x_strides".into(), xs.into_iter().collect());
            p.insert("y_strides".into(), ys.into_iter().collect());
        } else {
            p.extend(table_params(&x.shape, &self.tables(&x.shape)));
        }
        p
    }
}
