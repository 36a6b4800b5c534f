//! Rows: the lines of a tensor that a softmax, a norm or a mean works on.
//!
//! In: a shape and the axes a line runs along. Out: how many lines there are, how long they are, how far
//! apart their elements lie, and a loop over them. Never knows what is computed on a line.

use super::Params;
use super::common::axis;
use crate::ir::access::{self, Space};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, OpError};

/// A tensor seen as `outer` blocks of `len` planes of `inner` elements; a row takes one element per plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Product of the dimensions before the row's axes.
    pub outer: usize,
    /// Elements of one row.
    pub len: usize,
    /// Product of the dimensions behind the row's axes: the distance of a row's elements.
    pub inner: usize,
}

impl Rows {
    /// Rows along the `span` axes from `axis` on.
    pub fn along(shape: &[usize], axis: usize, span: usize) -> Rows {
        let product = |s: Option<&[usize]>| s.unwrap_or(&[]).iter().product();
        Rows {
            outer: product(shape.get(..axis)),
            len: product(shape.get(axis..axis + span)),
            inner: product(shape.get(axis + span..)),
        }
    }
    /// Rows along `axis` and everything behind it.
    pub fn from(shape: &[usize], axis: usize) -> Rows {
        Rows::along(shape, axis, shape.len().saturating_sub(axis))
    }
    /// Rows along the last axis.
    pub fn last(shape: &[usize]) -> Rows {
        Rows::from(shape, shape.len().saturating_sub(1))
    }
    /// Number of rows.
    pub fn count(&self) -> usize {
        self.outer * self.inner
    }
    /// The index of element 0 of row `row`.
    pub fn start(&self, row: usize) -> usize {
        row / self.inner * self.len * self.inner + row % self.inner
    }
    /// Row `row` of `data`.
    pub fn get<T: Copy>(&self, data: &[T], row: usize) -> Vec<T> {
        let start = self.start(row);
        (0..self.len).map(|i| data[start + i * self.inner]).collect()
    }
    /// Overwrites row `row` of `data`.
    pub fn set<T: Copy>(&self, data: &mut [T], row: usize, values: &[T]) {
        let start = self.start(row);
        for (i, v) in values.iter().enumerate() {
            data[start + i * self.inner] = *v;
        }
    }
    /// Replaces each row by what `f` makes of it (as many elements).
    pub fn map<T: Copy>(&self, mut data: Vec<T>, mut f: impl FnMut(&[T]) -> Vec<T>) -> Vec<T> {
        if self.len > 0 {
            for row in 0..self.count() {
                let y = f(&self.get(&data, row));
                self.set(&mut data, row, &y);
            }
        }
        data
    }
    /// Adds `outer`, `len`, `inner` and `rows` (their number) to a kernel's parameters.
    pub fn describe(&self, p: &mut Params) {
        p.insert("outer".into(), self.outer.into());
        p.insert("len".into(), self.len.into());
        p.insert("inner".into(), self.inner.into());
        p.insert("rows".into(), self.count().into());
    }
}

/// The iteration space of an operator on rows of its first operand, along the `span` axes from `axis` on; see
/// [`access::rows`].
pub fn space(inputs: &[TensorType], outputs: &[TensorType], axis: usize, span: usize) -> Space {
    let others: Vec<&[usize]> = inputs[1..].iter().map(|t| t.shape.as_slice()).collect();
    access::rows(&inputs[0].shape, axis, span, &others, outputs.len())
}

/// [`space`] for rows along the last axis.
pub fn last_axis_space(inputs: &[TensorType], outputs: &[TensorType]) -> Space {
    let rank = inputs[0].rank();
    space(inputs, outputs, rank.saturating_sub(1), rank.min(1))
}

/// The first axis of a softmax's rows and how many axes they span; `flatten` for the old definition.
///
/// # Errors
/// The attribute `axis` is out of range.
pub fn row_axes(node: &ImportNode, flatten: bool) -> Result<(usize, usize), OpError> {
    let rank = node.required(0)?.ty.rank();
    if rank == 0 {
        return Ok((0, 0));
    }
    if flatten {
        let given = node.attributes.int_or("axis", 1)?;
        // Axis `rank` is legal here: rows of one element.
        let first = if given == rank as i64 { rank } else { axis(given, rank)? };
        return Ok((first, rank - first));
    }
    Ok((axis(node.attributes.int_or("axis", -1)?, rank)?, 1))
}

/// Declares an operator that applies a function to each row of floats: `Name, |row| results, { more of the trait }`.
macro_rules! row_function {
    ($name:ident, $function:expr, { $($more:tt)* }) => {
        /// See the module.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The first axis of a row.
            pub axis: usize,
            /// How many axes a row spans.
            pub span: usize,
        }

        impl super::Operator for $name {
            const NAME: &'static str = stringify!($name);
            const ONNX: &'static [&'static str] = &[stringify!($name)];
            const NUMERIC: super::Numeric = super::Numeric::Float;

            fn import(
                node: &crate::ir::import::ImportNode,
            ) -> Result<crate::ir::import::Imported, crate::ir::import::OpError> {
                let (axis, span) = super::rows::row_axes(node, node.opset < 13)?;
                Ok(crate::ir::import::Imported::new($name { axis, span }, node.all()))
            }
            fn operand_names(&self, _count: usize) -> Vec<String> {
                vec!["x".into()]
            }
            fn infer(
                &self,
                inputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::graph::TensorType>, crate::ir::import::OpError> {
                super::common::arity(inputs, 1, 1)?;
                super::floats::all_float(inputs)?;
                let (x, axis, span) = (&inputs[0], self.axis, self.span);
                if axis + span > x.rank() {
                    let message = format!("axes {axis}+{span} are not in {x}");
                    return Err(crate::ir::import::OpError::invalid(message));
                }
                Ok(inputs.to_vec())
            }
            fn reference(
                &self,
                inputs: &[&crate::ir::value::Value],
                outputs: &[crate::ir::graph::TensorType],
            ) -> Result<Vec<crate::ir::value::Value>, crate::ir::import::OpError> {
                let shape = &outputs[0].shape;
                let rows = super::rows::Rows::along(shape, self.axis, self.span);
                let y = rows.map(super::floats::flat(inputs[0]), $function);
                Ok(vec![super::floats::tensor(shape, y)?])
            }
            /// The attributes and the rows: `outer`, `len`, `inner`, `rows`.
            fn params(
                &self,
                inputs: &[crate::ir::graph::TensorType],
                _outputs: &[crate::ir::graph::TensorType],
            ) -> super::Params {
                let mut p = super::attributes(self);
                if let [x] = inputs {
                    super::rows::Rows::along(&x.shape, self.axis, self.span).describe(&mut p);
                }
                p
            }
            $($more)*
        }
    };
}
pub(super) use row_function;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverses_a_middle_axis() {
        let r = Rows::along(&[2, 3, 2], 1, 1);
        assert_eq!((r.outer, r.len, r.inner, r.count()), (2, 3, 2, 4));
        let y = r.map((0..12).collect(), |row| row.iter().rev().copied().collect());
        assert_eq!(y, [4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7]);
    }
    #[test]
    fn empty_dimensions_have_no_rows() {
        assert_eq!(Rows::along(&[2, 0, 3], 1, 1).len, 0);
        assert_eq!(Rows::along(&[0, 4], 1, 1).count(), 0);
        assert_eq!(Rows::along(&[4, 0], 0, 1).count(), 0);
    }
}
