//! Streamed: operators that feed each other, as one node that is computed row by row.
//!
//! Operands: those of each link, in order, that are not results of links before it. The result is the last link's.
//! No model holds it: planning makes it of layers whose results between them exist only a few rows at a time. Other than
//! a [`Chain`](super::Chain) nothing is computed twice, and a link may read the result of any link before it.

use serde::{Deserialize, Serialize};

use super::{Numeric, Op, Operator, Params, link};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Streamed {
    /// The operators, each behind those that it reads; at least one.
    pub links: Vec<StreamLink>,
}

/// One operator of a [`Streamed`] one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamLink {
    /// The operator; it has one result.
    pub op: Op,
    /// Where its operands come from.
    pub operands: Vec<Source>,
}

/// Where an operand of a link comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It is this operand of the node.
    Operand(usize),
    /// It is the result of this link.
    Link(usize),
}

impl Streamed {
    /// Goes through the links in order: `compute` gets a link's number, the link, and its operands; gives all results.
    ///
    /// # Errors
    /// Those of `compute`; a link reads what is not there.
    pub fn fold<T: Clone>(
        &self,
        operands: &[T],
        mut compute: impl FnMut(usize, &StreamLink, Vec<T>) -> Result<T, OpError>,
    ) -> Result<Vec<T>, OpError> {
        let mut results: Vec<T> = Vec::new();
        for (i, link) in self.links.iter().enumerate() {
            let taken = link.operands.iter().map(|source| match source {
                Source::Operand(o) => operands.get(*o).cloned(),
                Source::Link(l) => results.get(*l).cloned(),
            });
            let taken: Option<Vec<T>> = taken.collect();
            let taken = taken.ok_or_else(|| OpError::invalid(format!("link {i} reads what is not there")))?;
            results.push(compute(i, link, taken)?);
        }
        Ok(results)
    }

    /// The types of each link's result.
    ///
    /// # Errors
    /// A link does not take its operands.
    pub fn types(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        self.fold(inputs, |_, link, types| link::infer(&link.op, &types))
    }
}

fn last<T>(results: Vec<T>) -> Result<Vec<T>, OpError> {
    let last = results.into_iter().last();
    Ok(vec![last.ok_or_else(|| OpError::invalid("there are no links"))?])
}

impl Operator for Streamed {
    const NAME: &'static str = "Streamed";
    const ONNX: &'static [&'static str] = &[];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(_node: &ImportNode) -> Result<Imported, OpError> {
        Err(OpError::unsupported("no model holds layers that are streamed"))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        (0..count).map(|i| format!("x{i}")).collect()
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        last(self.types(inputs)?)
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let operands: Vec<Value> = inputs.iter().map(|v| (*v).clone()).collect();
        last(self.fold(&operands, |_, link, values| link::reference(&link.op, &values))?)
    }
    fn params(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        Params::new()
    }
    fn macs(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> u64 {
        let mut macs = 0;
        let walked = self.fold(inputs, |_, link, types| {
            let output = link::infer(&link.op, &types)?;
            macs += link.op.macs(&types, std::slice::from_ref(&output));
            Ok(output)
        });
        walked.map_or(0, |_| macs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::dtype::DType;
    use crate::ir::ops::{Add, Neg};

    #[test]
    fn links_read_operands_and_results() {
        // x + -x, and a link that reads what comes only later.
        let link = |op: Op, operands: &[Source]| StreamLink { op, operands: operands.to_vec() };
        let add: Op = Op::from_attributes(Add::NAME, Params::new()).unwrap();
        let neg: Op = Op::from_attributes(Neg::NAME, Params::new()).unwrap();
        let x = TensorType::new(DType::S32, [1, 2, 2]);
        let (first, before) = (Source::Operand(0), Source::Link(0));
        let op = Streamed { links: vec![link(neg.clone(), &[first]), link(add, &[before, first])] };
        let x = [x];
        assert_eq!(op.infer(&x).unwrap(), x);
        assert!(op.infer(&[]).is_err());
        let later = Streamed { links: vec![link(neg, &[Source::Link(1)])] };
        assert!(later.infer(&x).is_err());
        assert!(Streamed { links: vec![] }.infer(&[]).is_err());
    }
}
