//! IntegerMean: `floor(sum/n + 1/2)` over some axes, in the type of the operand.
//!
//! Source: QuantLib/PACT.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::integers::{narrow, tensor};
use super::rows::Rows;
use super::{Numeric, Operator, Params, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegerMean {
    /// The axes summed over, ascending.
    pub axes: Vec<usize>,
    /// Whether they stay, with one element each.
    pub keepdims: bool,
}

/// `floor(sum/n + 1/2)`, exactly.
fn mean(sum: i64, n: i64) -> i64 {
    (2 * sum + n).div_euclid(2 * n)
}

impl Operator for IntegerMean {
    const NAME: &'static str = "IntegerMean";
    const ONNX: &'static [&'static str] = &["IntegerMean"];
    const NUMERIC: Numeric = Numeric::Integer;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let rank = node.required(0)?.ty.rank();
        let all = (0..rank as i64).collect();
        let given = node.ints("axes", 1)?.unwrap_or(all);
        let mut axes = given.into_iter().map(|a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        axes.dedup();
        let keepdims = node.attributes.int_or("keepdims", 1)? != 0;
        Ok(Imported::new(IntegerMean { axes, keepdims }, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let x = &inputs[0];
        narrow(x, "x", 32)?;
        if self.axes.iter().any(|a| x.shape.get(*a).is_none_or(|d| *d == 0)) {
            return Err(OpError::invalid(format!("axes {:?} of {x} hold nothing to average", self.axes)));
        }
        let dims =
            x.shape.iter().enumerate().filter_map(|(i, d)| match (self.axes.contains(&i), self.keepdims) {
                (false, _) => Some(*d),
                (true, true) => Some(1),
                (true, false) => None,
            });
        Ok(vec![TensorType::new(x.dtype, dims.collect::<Vec<_>>())])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let mut sums = inputs[0].to_i64();
        let mut n = 1;
        for a in self.axes.iter().rev() {
            n *= sums.shape()[*a] as i64;
            sums = sums.sum_axis(ndarray::Axis(*a));
        }
        let y = sums.iter().map(|s| mean(*s, n)).collect();
        Ok(vec![tensor(&outputs[0].shape, y, outputs[0].dtype)?])
    }
    /// `adjacent` (1 where the axes lie side by side) with the rows along them, and for the general case
    /// the sizes and strides of the kept and of the summed axes.
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        let [x] = inputs else { return p };
        let first = self.axes.first().copied().unwrap_or(0);
        let adjacent = self.axes.iter().enumerate().all(|(i, a)| *a == first + i);
        p.insert("adjacent".into(), u8::from(adjacent).into());
        if adjacent {
            Rows::along(&x.shape, first, self.axes.len()).describe(&mut p);
        }
        let stride = |a: &usize| x.shape[a + 1..].iter().product::<usize>();
        let kept: Vec<usize> = (0..x.rank()).filter(|a| !self.axes.contains(a)).collect();
        for (name, axes) in [("kept", &kept), ("summed", &self.axes)] {
            p.insert(format!("{name}_dims"), axes.iter().map(|a| x.shape[*a]).collect());
            p.insert(format!("{name}_strides"), axes.iter().map(stride).collect());
        }
        let count = self.axes.iter().map(|a| x.shape[*a]).product::<usize>();
        p.insert("count".into(), count.into());
        p
    }
}

#[cfg(test)]
mod tests {
    use super::super::integers::flat;
    use super::*;
    use ndarray::ArrayD;

    #[test]
    fn halves_round_up() {
        for (sum, n, expected) in
            [(3, 2, 2), (-3, 2, -1), (-5, 2, -2), (7, 4, 2), (-7, 4, -2), (-6, 4, -1), (6, 4, 2)]
        {
            assert_eq!(mean(sum, n), expected, "{sum}/{n}");
        }
    }
    #[test]
    fn several_axes() {
        let x = Value::S8(ArrayD::from_shape_vec(vec![2, 2, 2], vec![1, 2, 3, 4, -5, -6, -7, -9]).unwrap());
        for (axes, keepdims, shape, expected) in
            [(vec![0, 2], false, vec![2], vec![-2, -2]), (vec![1], true, vec![2, 1, 2], vec![2, 3, -6, -7])]
        {
            let op = IntegerMean { axes, keepdims };
            let ty = op.infer(&[TensorType::of(&x)]).unwrap();
            assert_eq!(ty[0].shape, shape);
            assert_eq!(flat(&op.reference(&[&x], &ty).unwrap()[0]), expected);
        }
    }
}
