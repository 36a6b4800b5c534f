//! GroupNorm: normalises groups of channels over all their positions, then `y*scale + bias`.
//!
//! Operands `x` (`[N, C, positions...]`), `scale` and `bias`, which have one element per channel, or one per group
//! (ONNX before operator set 21). InstanceNormalization is the case of one channel per group.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity};
use super::floats::{all_float, flat, moments, tensor};
use super::rows::Rows;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNorm {
    /// Number of groups; divides the channels.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: Real,
}

impl Operator for GroupNorm {
    const NAME: &'static str = "GroupNorm";
    const ONNX: &'static [&'static str] = &["GroupNormalization", "InstanceNormalization"];
    const NUMERIC: Numeric = Numeric::Float;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let x = node.required(0)?.ty;
        node.required(1)?;
        node.required(2)?;
        let groups = match node.op_type {
            "InstanceNormalization" => x.shape.get(1).copied().unwrap_or(0),
            _ => usize::try_from(node.attributes.required_int("num_groups")?).unwrap_or(0),
        };
        if node.attributes.int_or("stash_type", 1)? != 1 {
            return Err(OpError::unsupported("statistics of another type than float (stash_type)"));
        }
        let epsilon = Real(node.attributes.float_or("epsilon", 1e-5)?);
        Ok(Imported::new(GroupNorm { groups, epsilon }, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        ["x", "scale", "bias"].map(String::from).into()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 3, 3)?;
        all_float(inputs)?;
        let x = &inputs[0];
        let channels = *x.shape.get(1).ok_or_else(|| OpError::invalid(format!("{x} has no channels")))?;
        if self.groups == 0 || channels % self.groups != 0 {
            return Err(OpError::invalid(format!(
                "{channels} channels do not fall into {} groups",
                self.groups
            )));
        }
        for (t, name) in [(&inputs[1], "scale"), (&inputs[2], "bias")] {
            if t.rank() != 1 || (t.elements() != channels && t.elements() != self.groups) {
                return Err(OpError::invalid(format!(
                    "`{name}` is {t}; there are {channels} channels in {} groups",
                    self.groups
                )));
            }
        }
        Ok(vec![x.clone()])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = &outputs[0].shape;
        let (scale, bias) = (flat(inputs[1]), flat(inputs[2]));
        let channels = shape[1];
        let inner: usize = shape[2..].iter().product();
        let len = channels / self.groups * inner;
        let mut group = 0;
        let y = Rows { outer: shape[0] * self.groups, len, inner: 1 }.map(flat(inputs[0]), |row| {
            let (mean, inverse) = moments(row, f64::from(self.epsilon.0));
            let first = group % self.groups * (channels / self.groups);
            group += 1;
            let pick = |p: &[f64], c: usize| p[c * p.len() / channels];
            let norm = row.iter().map(|x| (x - mean) * inverse).enumerate();
            norm.map(|(i, x)| x * pick(&scale, first + i / inner) + pick(&bias, first + i / inner)).collect()
        });
        Ok(vec![tensor(shape, y)?])
    }
    /// The attributes, `batch`, `channels`, `group_size` (channels of a group), `spatial` (positions), and
    /// `scale_share`, `bias_share`: how many channels use one element.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let [x, scale, bias] = inputs else { return p };
        let [batch, channels, positions @ ..] = x.shape.as_slice() else { return p };
        p.insert("batch".into(), (*batch).into());
        p.insert("channels".into(), (*channels).into());
        p.insert("group_size".into(), (channels / self.groups.max(1)).into());
        p.insert("spatial".into(), positions.iter().product::<usize>().into());
        p.insert("scale_share".into(), (channels / scale.elements().max(1)).into());
        p.insert("bias_share".into(), (channels / bias.elements().max(1)).into());
        p
    }
}
