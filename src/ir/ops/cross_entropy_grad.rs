//! CrossEntropyGrad: the gradient of [`CrossEntropy`](super::CrossEntropy) with respect to the scores.
//!
//! `(exp(log_prob) - onehot(label)) * weight[label] * dy`, by the sum of the weights for the mean; 0 where the
//! label adds nothing. Operands: `dy` (with `loss_grad`; a scalar, or one per label where nothing is reduced),
//! `log_prob` `[N, C, d...]`, `labels` `[N, d...]`, optionally `weights`. Exporters of on-device training omit dy and
//! mean a dy of one over the number of labels.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::cross_entropy::{Reduction, check_labels, check_weights, classes};
use super::floats::{all_float, flat, tensor};
use super::rows::Rows;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropyGrad {
    /// How losses were reduced.
    pub reduction: Reduction,
    /// The label that adds nothing.
    pub ignore_index: Option<i64>,
    /// Whether the gradient of the loss is the first operand.
    pub loss_grad: bool,
}

impl CrossEntropyGrad {
    /// The gradient of the loss (where given), the logarithms, the labels and the weights (where given).
    fn split<'a, T>(&self, inputs: &'a [T]) -> Option<(Option<&'a T>, &'a T, &'a T, Option<&'a T>)> {
        let (dy, rest) = if self.loss_grad { (inputs.first(), inputs.get(1..)?) } else { (None, inputs) };
        Some((dy, rest.first()?, rest.get(1)?, rest.get(2)))
    }
}

impl Operator for CrossEntropyGrad {
    const NAME: &'static str = "CrossEntropyGrad";
    const ONNX: &'static [&'static str] = &["SoftmaxCrossEntropyLossGrad"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        node.required(0)?;
        node.required(1)?;
        let loss_grad = node.has(2) && node.required(1)?.ty.dtype.is_float();
        let reduction = Reduction::of(node)?;
        if !loss_grad && reduction != Reduction::Mean {
            return Err(OpError::unsupported("without the gradient of the loss, only reduction `mean`"));
        }
        if node.has(4) {
            return Err(OpError::unsupported("the label to ignore as an operand")
                .help("make it the attribute `ignore_index`"));
        }
        let ignore_index = node.attributes.int("ignore_index")?;
        Ok(Imported::new(CrossEntropyGrad { reduction, ignore_index, loss_grad }, node.all()))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        let names = ["dy", "log_prob", "labels", "weights"];
        names.into_iter().skip(usize::from(!self.loss_grad)).take(count).map(String::from).collect()
    }
    fn result_names(&self) -> Vec<String> {
        vec!["dx".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        let extra = usize::from(self.loss_grad);
        arity(inputs, 2 + extra, 3 + extra)?;
        let short = || OpError::invalid("operands are missing");
        let (dy, logs, labels, weights) = self.split(inputs).ok_or_else(short)?;
        check_labels(logs, labels)?;
        if let Some(w) = weights {
            check_weights(logs, w)?;
        }
        if let Some(dy) = dy {
            all_float(std::slice::from_ref(dy))?;
            let wanted = if self.reduction == Reduction::None { labels.elements() } else { 1 };
            if dy.elements() != wanted {
                return Err(OpError::invalid(format!("`dy` is {dy}; it must have {wanted} elements")));
            }
        }
        Ok(vec![logs.clone()])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let short = || OpError::invalid("operands are missing");
        let (dy, logs, labels, weights) = self.split(inputs).ok_or_else(short)?;
        let shape = &outputs[0].shape;
        let rows = Rows::along(shape, 1, 1);
        let class = classes(labels, self.ignore_index, rows.len);
        let dy = dy.map_or_else(|| vec![1.0 / class.len() as f64], |d| flat(d));
        let weight = |c: usize| weights.map_or(1.0, |w| flat(w)[c]);
        let total: f64 = class.iter().flatten().map(|c| weight(*c)).sum();
        let factor = if self.reduction == Reduction::Mean && total != 0.0 { 1.0 / total } else { 1.0 };
        let mut row = 0;
        let dx = rows.map(flat(logs), |log| {
            let (at, scale) = (class[row], dy[row % dy.len()] * factor);
            row += 1;
            let Some(label) = at else { return vec![0.0; log.len()] };
            let hot = |c: usize| f64::from(u8::from(c == label));
            log.iter().enumerate().map(|(c, l)| (l.exp() - hot(c)) * weight(label) * scale).collect()
        });
        Ok(vec![tensor(shape, dx)?])
    }
    /// The attributes, the rows, `mean` and `each` (0 or 1: the reduction), `dy_step` (1 for one dy per label), `ignored` (0 or 1) and `ignore_index`.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let Some((dy, logs, ..)) = self.split(inputs) else { return p };
        Rows::along(&logs.shape, 1, 1).describe(&mut p);
        p.insert("dy_step".into(), u8::from(dy.is_some_and(|d| d.elements() != 1)).into());
        p.insert("mean".into(), u8::from(self.reduction == Reduction::Mean).into());
        p.insert("each".into(), u8::from(self.reduction == Reduction::None).into());
        p.insert("ignored".into(), u8::from(self.ignore_index.is_some()).into());
        p.insert("ignore_index".into(), self.ignore_index.unwrap_or(0).into());
        p
    }
}
