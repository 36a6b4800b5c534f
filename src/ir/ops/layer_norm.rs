//! LayerNorm: `(x - mean)/sqrt(variance + epsilon) * scale + bias` over the axes from `axis` on.
//!
//! Operands `x`, `scale` and optionally `bias`; results `y` and, with `stats`, `mean` and `inv_std`, which have
//! one element per row. SkipLayerNormalization normalises a sum.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity, axis};
use super::floats::{all_float, flat, moments, tensor};
use super::rows::{self, Rows};
use super::{Add, Numeric, Op, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    /// The first axis of a row.
    pub axis: usize,
    /// Added to the variance.
    pub epsilon: Real,
    /// Whether mean and inverse standard deviation are results too.
    pub stats: bool,
}

/// Checks that operand `name` has one element or one per element of a row.
pub(super) fn per_element(x: &TensorType, axis: usize, t: &TensorType, name: &str) -> Result<(), OpError> {
    let row = x.shape.get(axis..).unwrap_or(&[]);
    let skip = t.shape.iter().take_while(|d| **d == 1).count();
    let fits = row.ends_with(&t.shape[skip..]) && t.elements() == row.iter().product::<usize>();
    if fits || t.elements() == 1 {
        Ok(())
    } else {
        Err(OpError::unsupported(format!("`{name}` is {t}; rows are of shape {row:?}")))
    }
}

/// Attribute `axis` (default the last) and `epsilon`, with the check that statistics are in f32.
pub(super) fn norm_attributes(node: &ImportNode) -> Result<(usize, Real), OpError> {
    let rank = node.required(0)?.ty.rank();
    if node.attributes.int_or("stash_type", 1)? != 1 {
        return Err(OpError::unsupported("statistics of another type than float (stash_type)"));
    }
    let epsilon = match node.attributes.float("eps")? {
        Some(e) => e,
        None => node.attributes.float_or("epsilon", 1e-5)?,
    };
    Ok((axis(node.attributes.int_or("axis", -1)?, rank)?, Real(epsilon)))
}

/// onnxruntime's norms of a sum: operands x, skip, scale, then bias of the norm (not for RMS) and bias of the sum.
///
/// # Errors
/// The statistics or the sum are results too.
pub(super) fn skip(op: impl Into<Op>, node: &ImportNode) -> Result<Imported, OpError> {
    if node.outputs_used.iter().skip(1).any(|u| *u) {
        return Err(OpError::unsupported("the statistics or the sum as a result")
            .help("export the addition and the norm as separate nodes"));
    }
    node.required(0)?;
    node.required(1)?;
    node.required(2)?;
    let add = |operands| Source::Node(Box::new(Imported::new(Add::default(), operands)));
    let bias = if node.op_type == "SkipLayerNormalization" { 4 } else { 3 };
    let mut sum = add(vec![Source::Input(0), Source::Input(1)]);
    if node.has(bias) {
        sum = add(vec![sum, Source::Input(bias)]);
    }
    let rest = (2..bias).filter(|i| node.has(*i)).map(Source::Input);
    Ok(Imported::new(op, std::iter::once(sum).chain(rest).collect()))
}

impl Operator for LayerNorm {
    const NAME: &'static str = "LayerNorm";
    const ONNX: &'static [&'static str] = &["LayerNormalization", "SkipLayerNormalization"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(1)?;
        let (axis, epsilon) = norm_attributes(node)?;
        if node.op_type.starts_with("Skip") {
            return skip(LayerNorm { axis, epsilon, stats: false }, node);
        }
        let stats = node.outputs_used.iter().skip(1).any(|u| *u);
        Ok(Imported::new(LayerNorm { axis, epsilon, stats }, node.all()))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        ["x", "scale", "bias"].into_iter().take(count).map(String::from).collect()
    }
    fn result_names(&self) -> Vec<String> {
        let count = if self.stats { 3 } else { 1 };
        ["y", "mean", "inv_std"].into_iter().take(count).map(String::from).collect()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 3)?;
        all_float(inputs)?;
        let x = &inputs[0];
        if self.axis >= x.rank() {
            return Err(OpError::invalid(format!("axis {} is not in {x}", self.axis)));
        }
        for (t, name) in inputs[1..].iter().zip(["scale", "bias"]) {
            per_element(x, self.axis, t, name)?;
        }
        let mut results = vec![x.clone()];
        if self.stats {
            let mut shape = x.shape.clone();
            shape[self.axis..].fill(1);
            results.extend([TensorType::new(DType::F32, shape.clone()), TensorType::new(DType::F32, shape)]);
        }
        Ok(results)
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        if self.stats {
            return None;
        }
        Some(rows::space(inputs, outputs, self.axis, inputs[0].rank() - self.axis))
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let scale = flat(inputs[1]);
        let bias = inputs.get(2).map_or_else(|| vec![0.0], |b| flat(b));
        let (mut means, mut inverses) = (vec![], vec![]);
        let y = Rows::from(&outputs[0].shape, self.axis).map(flat(inputs[0]), |row| {
            let (mean, inverse) = moments(row, f64::from(self.epsilon.0));
            means.push(mean);
            inverses.push(inverse);
            let norm = row.iter().map(|x| (x - mean) * inverse).enumerate();
            norm.map(|(i, x)| x * scale[i % scale.len()] + bias[i % bias.len()]).collect()
        });
        let mut results = vec![tensor(&outputs[0].shape, y)?];
        if self.stats {
            results.push(tensor(&outputs[1].shape, means)?);
            results.push(tensor(&outputs[2].shape, inverses)?);
        }
        Ok(results)
    }
    /// The attributes, the rows, `scale_step` and `bias_step` (0 where one element serves the row).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let Some(x) = inputs.first() else { return p };
        Rows::from(&x.shape, self.axis).describe(&mut p);
        for (i, name) in [(1, "scale_step"), (2, "bias_step")] {
            let step = inputs.get(i).is_some_and(|t| t.elements() != 1);
            p.insert(name.into(), u8::from(step).into());
        }
        p
    }
}
