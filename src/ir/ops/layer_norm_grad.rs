//! LayerNormGrad: the gradients of [`LayerNorm`](super::LayerNorm).
//!
//! Operands `dy`, `x`, `scale`; results `dx` and, with `parameters`, `dscale` and `dbias` (of scale's shape).
//! Per row, with `h = (x - mean)*inv_std` and `g = dy*scale`: `dx = inv_std*(g - mean(g) - h*mean(g*h))`; over all rows
//! `dscale = sum(dy*h)`, `dbias = sum(dy)`. The statistics are computed again from x and `epsilon`: models
//! either pass scale and bias (dx, scale, bias) or scale, mean and inverse deviation (onnxruntime), of which
//! only scale is needed.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity, axis};
use super::floats::{all_float, flat, moments, tensor};
use super::layer_norm::per_element;
use super::rows::{self, Rows};
use super::{Numeric, Operator, Params, attributes};
use crate::ir::access::Space;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNormGrad {
    /// The first axis of a row.
    pub axis: usize,
    /// Added to the variance.
    pub epsilon: Real,
    /// Whether the gradients of scale and bias are results too.
    pub parameters: bool,
}

impl Operator for LayerNormGrad {
    const NAME: &'static str = "LayerNormGrad";
    const ONNX: &'static [&'static str] = &["LayerNormalizationGrad"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let rank = node.required(1)?.ty.rank();
        node.required(0)?;
        node.required(2)?;
        let op = LayerNormGrad {
            axis: axis(node.attributes.int_or("axis", -1)?, rank)?,
            epsilon: Real(node.attributes.float_or("epsilon", 1e-5)?),
            parameters: node.outputs_used.iter().skip(1).any(|u| *u),
        };
        Ok(Imported::new(op, vec![Source::Input(0), Source::Input(1), Source::Input(2)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["dy", "x", "scale"].map(String::from).into()
    }
    fn result_names(&self) -> Vec<String> {
        let count = if self.parameters { 3 } else { 1 };
        ["dx", "dscale", "dbias"].into_iter().take(count).map(String::from).collect()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 3, 3)?;
        all_float(inputs)?;
        if inputs[0] != inputs[1] || self.axis >= inputs[0].rank() {
            return Err(OpError::invalid(format!("operands {} and {} do not fit", inputs[0], inputs[1])));
        }
        per_element(&inputs[1], self.axis, &inputs[2], "scale")?;
        let mut results = vec![inputs[0].clone()];
        if self.parameters {
            results.extend([inputs[2].clone(), inputs[2].clone()]);
        }
        Ok(results)
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let rows = Rows::from(&outputs[0].shape, self.axis);
        let (dy, scale) = (flat(inputs[0]), flat(inputs[2]));
        let (mut dscale, mut dbias) = (vec![0.0; scale.len()], vec![0.0; scale.len()]);
        let mut row = 0;
        let dx = rows.map(flat(inputs[1]), |x| {
            let dy = rows.get(&dy, row);
            row += 1;
            let n = x.len() as f64;
            let (mean, inverse) = moments(x, f64::from(self.epsilon.0));
            let h: Vec<f64> = x.iter().map(|x| (x - mean) * inverse).collect();
            let g: Vec<f64> = dy.iter().enumerate().map(|(i, d)| d * scale[i % scale.len()]).collect();
            for (i, (d, h)) in dy.iter().zip(&h).enumerate() {
                dscale[i % scale.len()] += d * h;
                dbias[i % scale.len()] += d;
            }
            let mean_g = g.iter().sum::<f64>() / n;
            let mean_gh = g.iter().zip(&h).map(|(g, h)| g * h).sum::<f64>() / n;
            g.iter().zip(&h).map(|(g, h)| inverse * (g - mean_g - h * mean_gh)).collect()
        });
        let mut results = vec![tensor(&outputs[0].shape, dx)?];
        if self.parameters {
            results.push(tensor(&outputs[1].shape, dscale)?);
            results.push(tensor(&outputs[2].shape, dbias)?);
        }
        Ok(results)
    }
    /// Gradients of scale and bias sum over all rows.
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let span = inputs[0].rank() - self.axis;
        (!self.parameters).then(|| rows::space(inputs, outputs, self.axis, span))
    }
    /// The attributes, the rows and `scale_step` (0 where one element serves the row).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let [_, x, scale] = inputs else { return p };
        Rows::from(&x.shape, self.axis).describe(&mut p);
        p.insert("scale_step".into(), u8::from(scale.elements() != 1).into());
        p
    }
}
