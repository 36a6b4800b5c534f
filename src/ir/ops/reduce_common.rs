//! What reductions share: the axes, the loops, folding, and the macro that declares one reduction per file.
//!
//! In: a node's axes, operand values. Out: [`Reduction`] and folded values. Never knows a particular
//! reduction.

use serde::{Deserialize, Serialize};

use super::Params;
use super::common::axis;
use super::elementwise::{array, flat, json};
use super::strided::{Strided, row_major};
use crate::ir::access::{Reach, Space};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, OpError};
use ndarray::ArrayD;

/// Which axes are reduced, and whether they stay as axes of extent 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduction {
    /// The reduced axes, ascending.
    pub axes: Vec<usize>,
    /// Whether they stay as axes of extent 1.
    pub keepdims: bool,
}

impl Reduction {
    /// The reduction of a node: axes from attribute or operand 1; none given means all, or nothing with
    /// `noop_with_empty_axes`. Global pooling reduces the spatial axes.
    ///
    /// # Errors
    /// An axis is out of range.
    pub fn import(node: &ImportNode) -> Result<Self, OpError> {
        let rank = node.required(0)?.ty.rank();
        if node.op_type.starts_with("Global") {
            return Ok(Reduction { axes: (2..rank).collect(), keepdims: true });
        }
        let given = node.ints("axes", 1)?.unwrap_or_default();
        let mut axes: Vec<usize> = given.into_iter().map(|a| axis(a, rank)).collect::<Result<_, _>>()?;
        if axes.is_empty() && node.attributes.int_or("noop_with_empty_axes", 0)? == 0 {
            axes = (0..rank).collect();
        }
        axes.sort_unstable();
        axes.dedup();
        Ok(Reduction { axes, keepdims: node.attributes.int_or("keepdims", 1)? != 0 })
    }

    /// The result's shape.
    ///
    /// # Errors
    /// An axis is out of range.
    pub fn shape(&self, x: &TensorType) -> Result<Vec<usize>, OpError> {
        if let Some(a) = self.axes.iter().find(|a| **a >= x.rank()) {
            return Err(OpError::invalid(format!("axis {a} is out of range for {x}")));
        }
        let dims = x.shape.iter().enumerate();
        Ok(dims
            .filter_map(|(d, n)| match self.axes.contains(&d) {
                false => Some(*n),
                true => self.keepdims.then_some(1),
            })
            .collect())
    }

    /// The iteration space: the axes that are kept.
    pub fn space(&self, x: &[usize]) -> Space {
        let kept: Vec<usize> = (0..x.len()).filter(|i| !self.axes.contains(i)).collect();
        let reach = |i: usize| kept.iter().position(|k| *k == i).map_or(Reach::Whole, Reach::same);
        let operand: Vec<Reach> = (0..x.len()).map(reach).collect();
        let stays = |i: &usize| self.keepdims || !self.axes.contains(i);
        Space {
            axes: kept.iter().map(|k| x[*k]).collect(),
            results: vec![(0..x.len()).filter(stays).map(reach).collect()],
            operands: vec![operand],
        }
    }

    /// How many elements make one result.
    pub fn count(&self, x: &[usize]) -> usize {
        self.axes.iter().map(|a| x[*a]).product()
    }

    /// The loops over kept and over reduced axes.
    fn loops(&self, x: &[usize]) -> (Strided, Strided) {
        let strides = row_major(x);
        let part = |reduced: bool| {
            let of = |d: &usize| self.axes.contains(d) == reduced;
            let dims: Vec<usize> = (0..x.len()).filter(of).map(|d| x[d]).collect();
            let steps: Vec<i64> = (0..x.len()).filter(of).map(|d| strides[d]).collect();
            Strided::new(&dims, &steps, 0)
        };
        (part(false), part(true))
    }

    /// Calls `f` with each group of elements that make one result, in result order.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn fold<T: Copy, R>(
        &self,
        x: &ArrayD<T>,
        y: &[usize],
        f: impl Fn(&[T]) -> R,
    ) -> Result<ArrayD<R>, OpError> {
        let (kept, reduced) = self.loops(x.shape());
        // Kept axes first, reduced ones last: every group is a row.
        let dims = [kept.dims, reduced.dims].concat();
        let strides = [kept.strides, reduced.strides].concat();
        let rows = Strided::new(&dims, &strides, 0).read(&flat(x))?;
        let count = self.count(x.shape());
        let results = if count == 0 {
            (0..y.iter().product::<usize>()).map(|_| f(&[])).collect()
        } else {
            rows.chunks_exact(count).map(f).collect()
        };
        array(y, results)
    }

    /// The attributes, the loops over kept (`keep_dims`, `keep_strides`, `keep_loops`) and reduced axes
    /// (`reduce_…`), the number of results, `count`, and whether the elements of a result lie side by side (`inner`).
    pub fn params(&self, x: &TensorType, y: &TensorType) -> Params {
        let (kept, reduced) = self.loops(&x.shape);
        let mut p = Params::new();
        p.insert("axes".into(), json(&self.axes));
        p.insert("keepdims".into(), self.keepdims.into());
        p.insert("elements".into(), y.elements().into());
        p.insert("count".into(), self.count(&x.shape).into());
        p.insert("inner".into(), (reduced.strides.last() == Some(&1)).into());
        for (name, loops) in [("keep", kept), ("reduce", reduced)] {
            p.insert(format!("{name}_loops"), loops.dims.len().into());
            p.insert(format!("{name}_dims"), json(&loops.dims));
            p.insert(format!("{name}_strides"), loops.strides.into_iter().collect());
        }
        p
    }
}

/// Declares a reduction: `Name, ["OnnxName"], Numeric, |dtype| result_type, |floats| float, |integers| integer`.
/// Floats are folded in double precision.
macro_rules! reduction {
    ($name:ident, [$($onnx:literal),*], $numeric:ident, $dtype:expr, |$x:ident| $float:expr, |$i:ident| $int:expr) => {
        /// See the module.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            /// The axes.
            #[serde(flatten)]
            pub reduction: super::reduce_common::Reduction,
        }

        impl super::Operator for $name {
            const NAME: &'static str = stringify!($name);
            const ONNX: &'static [&'static str] = &[$($onnx),*];
            const NUMERIC: super::Numeric = super::Numeric::$numeric;

            fn import(
                node: &crate::ir::import::ImportNode,
            ) -> Result<crate::ir::import::Imported, crate::ir::import::OpError> {
                let reduction = super::reduce_common::Reduction::import(node)?;
                let x = vec![crate::ir::import::Source::Input(0)];
                Ok(crate::ir::import::Imported::new($name { reduction }, x))
            }
            fn operand_names(&self, _count: usize) -> Vec<String> {
                vec!["x".into()]
            }
            fn space(
                &self,
                inputs: &[crate::ir::graph::TensorType],
                _outputs: &[crate::ir::graph::TensorType],
            ) -> Option<crate::ir::access::Space> {
                Some(self.reduction.space(&inputs[0].shape))
            }
            fn infer(
                &self,
                inputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::graph::TensorType>, crate::ir::import::OpError> {
                super::common::arity(inputs, 1, 1)?;
                let shape = self.reduction.shape(&inputs[0])?;
                Ok(vec![crate::ir::graph::TensorType::new($dtype(inputs[0].dtype), shape)])
            }
            fn reference(
                &self,
                inputs: &[&crate::ir::value::Value],
                outputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::value::Value>, crate::ir::import::OpError> {
                use crate::ir::value::Value;
                let y = &outputs[0];
                Ok(vec![match inputs[0] {
                    Value::F32(a) => {
                        let f = |$x: &[f32]| -> f64 { $float };
                        Value::F32(self.reduction.fold(a, &y.shape, |x| f(x) as f32)?)
                    }
                    other => {
                        let f = |$i: &[i64]| -> i64 { $int };
                        let folded = self.reduction.fold(&other.to_i64(), &y.shape, f)?;
                        Value::from_i64_wrapping(folded, y.dtype)
                    }
                }])
            }
            fn params(
                &self,
                inputs: &[crate::ir::graph::TensorType],
                outputs: &[crate::ir::graph::TensorType],
            ) -> super::Params {
                self.reduction.params(&inputs[0], &outputs[0])
            }
        }
    };
}
pub(super) use reduction;

/// The element type of sums and products of `dtype`.
pub fn widened(dtype: crate::ir::dtype::DType) -> crate::ir::dtype::DType {
    super::elementwise::arithmetic(dtype, dtype)
}

/// The element type itself.
pub fn same(dtype: crate::ir::dtype::DType) -> crate::ir::dtype::DType {
    dtype
}

/// Widens a float for folding.
pub fn wide(x: &f32) -> f64 {
    f64::from(*x)
}
