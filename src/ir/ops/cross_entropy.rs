//! CrossEntropy: softmax cross entropy of scores `[N, C, d...]` against labels `[N, d...]`.
//!
//! ONNX's SoftmaxCrossEntropyLoss. Operands `scores`, `labels` (integers) and optionally `weights` (one per class);
//! results `loss` (a scalar, or one per label where nothing is reduced) and, with `log_prob`, the logarithms
//! of the softmax. A label that is `ignore_index`, or no class, adds nothing; the mean of nothing is 0.
//! Some exporters list the logarithms as the only result: such nodes import as LogSoftmax.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::floats::{all_float, flat, log_softmax, tensor};
use super::integers::narrow;
use super::rows::Rows;
use super::{LogSoftmax, Numeric, Operator, Params, attributes};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// How the losses of the labels become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// They do not.
    None,
    /// Their weighted mean.
    Mean,
    /// Their sum.
    Sum,
}

impl Reduction {
    /// Reads the attribute `reduction`.
    ///
    /// # Errors
    /// It is another word.
    pub fn of(node: &ImportNode) -> Result<Reduction, OpError> {
        match node.attributes.str("reduction")? {
            None | Some("mean") => Ok(Reduction::Mean),
            Some("sum") => Ok(Reduction::Sum),
            Some("none") => Ok(Reduction::None),
            Some(other) => Err(OpError::invalid(format!("attribute `reduction` is `{other}`"))),
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropy {
    /// How losses are reduced.
    pub reduction: Reduction,
    /// The label that adds nothing.
    pub ignore_index: Option<i64>,
    /// Whether the logarithms of the softmax are a result.
    pub log_prob: bool,
}

/// Checks scores (or their logarithms) `[N, C, d...]` against labels `[N, d...]`.
pub(super) fn check_labels(scores: &TensorType, labels: &TensorType) -> Result<(), OpError> {
    narrow(labels, "labels", 64)?;
    all_float(std::slice::from_ref(scores))?;
    let fits = scores.rank() >= 2 && labels.rank() + 1 == scores.rank();
    if fits && scores.shape[0] == labels.shape[0] && scores.shape[2..] == labels.shape[1..] {
        Ok(())
    } else {
        Err(OpError::invalid(format!("labels {labels} do not fit scores {scores}")))
    }
}

/// Checks that `weights` has one element per class of `scores`.
pub(super) fn check_weights(scores: &TensorType, weights: &TensorType) -> Result<(), OpError> {
    all_float(std::slice::from_ref(weights))?;
    if weights.elements() == scores.shape[1] {
        Ok(())
    } else {
        Err(OpError::invalid(format!("weights {weights} do not fit the classes of {scores}")))
    }
}

/// The class of each label; `None` for a label that adds nothing.
pub(super) fn classes(labels: &Value, ignore: Option<i64>, count: usize) -> Vec<Option<usize>> {
    let class = |l: &i64| usize::try_from(*l).ok().filter(|c| *c < count && Some(*l) != ignore);
    labels.to_i64().iter().map(class).collect()
}

impl Operator for CrossEntropy {
    const NAME: &'static str = "CrossEntropy";
    const ONNX: &'static [&'static str] = &["SoftmaxCrossEntropyLoss"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let scores = node.required(0)?.ty;
        node.required(1)?;
        let only_logs =
            node.outputs_used.len() == 1 && node.output_ranks.first() == Some(&Some(scores.rank()));
        if only_logs {
            return Ok(Imported::new(LogSoftmax { axis: 1, span: 1 }, vec![Source::Input(0)]));
        }
        let op = CrossEntropy {
            reduction: Reduction::of(node)?,
            ignore_index: node.attributes.int("ignore_index")?,
            log_prob: node.outputs_used.get(1).copied().unwrap_or(false),
        };
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        ["scores", "labels", "weights"].into_iter().take(count).map(String::from).collect()
    }
    fn result_names(&self) -> Vec<String> {
        let count = if self.log_prob { 2 } else { 1 };
        ["loss", "log_prob"].into_iter().take(count).map(String::from).collect()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 2, 3)?;
        check_labels(&inputs[0], &inputs[1])?;
        if let Some(w) = inputs.get(2) {
            check_weights(&inputs[0], w)?;
        }
        let loss = if self.reduction == Reduction::None { inputs[1].shape.clone() } else { vec![] };
        let mut results = vec![TensorType::new(DType::F32, loss)];
        if self.log_prob {
            results.push(inputs[0].clone());
        }
        Ok(results)
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let shape = inputs[0].shape();
        let rows = Rows::along(shape, 1, 1);
        let logs = rows.map(flat(inputs[0]), log_softmax);
        let weight = |c: usize| inputs.get(2).map_or(1.0, |w| flat(w)[c]);
        let class = classes(inputs[1], self.ignore_index, rows.len);
        let losses: Vec<f64> = class
            .iter()
            .enumerate()
            .map(|(row, c)| c.map_or(0.0, |c| -weight(c) * logs[rows.start(row) + c * rows.inner]))
            .collect();
        let total: f64 = class.iter().flatten().map(|c| weight(*c)).sum();
        let sum: f64 = losses.iter().sum();
        let loss = match self.reduction {
            Reduction::None => losses,
            Reduction::Sum => vec![sum],
            Reduction::Mean => vec![if total == 0.0 { 0.0 } else { sum / total }],
        };
        let mut results = vec![tensor(&outputs[0].shape, loss)?];
        if self.log_prob {
            results.push(tensor(shape, logs)?);
        }
        Ok(results)
    }
    /// The attributes, the rows, `mean` and `each` (0 or 1: the reduction), `ignored` (0 or 1) and `ignore_index` (0 when nothing is ignored).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        if let Some(x) = inputs.first() {
            Rows::along(&x.shape, 1, 1).describe(&mut p);
        }
        p.insert("mean".into(), u8::from(self.reduction == Reduction::Mean).into());
        p.insert("each".into(), u8::from(self.reduction == Reduction::None).into());
        p.insert("ignored".into(), u8::from(self.ignore_index.is_some()).into());
        p.insert("ignore_index".into(), self.ignore_index.unwrap_or(0).into());
        p
    }
}
