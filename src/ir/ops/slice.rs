//! Slice: every `steps[d]`-th element from `starts[d]` on, `sizes[d]` of them, along each axis.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::elementwise::{array, flat};
use super::strided::{Strided, row_major};
use super::{Numeric, Operator, Params, View, attributes};
use crate::ir::access::{Reach, Space};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;
use crate::map_array;

/// See the module. All lists have the operand's rank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// First index along each axis.
    pub starts: Vec<usize>,
    /// How many along each axis.
    pub sizes: Vec<usize>,
    /// Distance between two, possibly negative, never 0.
    pub steps: Vec<i64>,
}

impl Slice {
    /// Everything but `start..start + size` along one axis.
    pub fn along(shape: &[usize], axis: usize, start: usize, size: usize) -> Self {
        let mut slice =
            Slice { starts: vec![0; shape.len()], sizes: shape.to_vec(), steps: vec![1; shape.len()] };
        slice.starts[axis] = start;
        slice.sizes[axis] = size;
        slice
    }

    fn loops(&self, x: &[usize]) -> Strided {
        let unit = row_major(x);
        let strides: Vec<i64> = unit.iter().zip(&self.steps).map(|(u, s)| u * s).collect();
        let offset = unit.iter().zip(&self.starts).map(|(u, s)| *u as usize * s).sum();
        Strided::new(&self.sizes, &strides, offset)
    }
}

/// The indices ONNX's `start`, `end`, `step` select on an axis of `n`: first and count.
fn selection(start: i64, end: i64, step: i64, n: usize) -> Result<(usize, usize), OpError> {
    let n = n as i64;
    let count_from_end = |i: i64| if i < 0 { i.saturating_add(n) } else { i };
    let (start, end) = (count_from_end(start), count_from_end(end));
    let (start, distance) = match step {
        0 => return Err(OpError::invalid("a step of 0")),
        s if s > 0 => {
            let start = start.clamp(0, n);
            (start, end.clamp(0, n) - start)
        }
        _ => {
            let start = start.clamp(0, (n - 1).max(0));
            (start, start - end.clamp(-1, n - 1))
        }
    };
    let count = if n == 0 || distance <= 0 { 0 } else { (distance as u64).div_ceil(step.unsigned_abs()) };
    Ok((if count == 0 { 0 } else { start as usize }, count as usize))
}

impl Operator for Slice {
    const NAME: &'static str = "Slice";
    const ONNX: &'static [&'static str] = &["Slice"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let shape = &node.required(0)?.ty.shape;
        let missing = |what: &str| OpError::invalid(format!("`{what}` is missing"));
        let starts = node.ints("starts", 1)?.ok_or_else(|| missing("starts"))?;
        let ends = node.ints("ends", 2)?.ok_or_else(|| missing("ends"))?;
        let axes = node.ints("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = node.ints("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err(OpError::invalid("`starts`, `ends`, `axes` and `steps` differ in length"));
        }
        let mut slice =
            Slice { starts: vec![0; shape.len()], sizes: shape.clone(), steps: vec![1; shape.len()] };
        for (i, a) in axes.into_iter().enumerate() {
            let d = axis(a, shape.len())?;
            (slice.starts[d], slice.sizes[d]) = selection(starts[i], ends[i], steps[i], shape[d])?;
            slice.steps[d] = if slice.sizes[d] > 1 { steps[i] } else { 1 };
        }
        Ok(Imported::new(slice, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let x = &inputs[0];
        if [self.starts.len(), self.sizes.len(), self.steps.len()] != [x.rank(); 3] {
            return Err(OpError::invalid(format!("does not slice every axis of {x}")));
        }
        for d in 0..x.rank() {
            let last = (self.sizes[d] as i64).saturating_sub(1).saturating_mul(self.steps[d]);
            let last = last.saturating_add(self.starts[d] as i64);
            let inside = self.starts[d] < x.shape[d] && (0..x.shape[d] as i64).contains(&last);
            if self.sizes[d] > 0 && (!inside || self.steps[d] == 0) {
                return Err(OpError::invalid(format!("slices axis {d} of {x} out of range")));
            }
        }
        Ok(vec![TensorType::new(x.dtype, self.sizes.clone())])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let loops = self.loops(inputs[0].shape());
        Ok(vec![map_array!(inputs[0], a => array(&outputs[0].shape, loops.read(&flat(a))?)?)])
    }
    /// Axes that are not sliced are cut.
    fn space(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Option<Space> {
        let mut axes = Vec::new();
        let mut reaches = Vec::new();
        for (d, size) in self.sizes.iter().enumerate() {
            if *size == inputs[0].shape[d] && self.steps[d] == 1 {
                reaches.push(Reach::same(axes.len()));
                axes.push(*size);
            } else {
                reaches.push(Reach::Whole);
            }
        }
        Some(Space { axes, operands: vec![reaches.clone()], results: vec![reaches] })
    }
    fn part(&self, inputs: &[TensorType], _margins: &[(usize, usize)]) -> Slice {
        let sizes = self.sizes.iter().zip(&inputs[0].shape).map(|(size, n)| *size.min(n)).collect();
        Slice { sizes, ..self.clone() }
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        p.extend(self.loops(&inputs[0].shape).params());
        p
    }
    fn view(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> View {
        let loops = self.loops(&inputs[0].shape);
        if loops.contiguous() { View::Of { offset: loops.offset } } else { View::None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::dtype::DType;

    fn view(slice: &Slice) -> View {
        let x = TensorType::new(DType::S8, [2, 3, 4]);
        let y = slice.infer(std::slice::from_ref(&x)).unwrap();
        slice.view(&[x], &y)
    }

    #[test]
    fn contiguous_parts_are_views() {
        let part = |axis, start, size| Slice::along(&[2, 3, 4], axis, start, size);
        assert_eq!(view(&part(0, 1, 1)), View::Of { offset: 12 });
        assert_eq!(view(&part(1, 1, 2)), View::None);
        let mut row = part(1, 1, 2);
        (row.starts[0], row.sizes[0]) = (1, 1);
        assert_eq!(view(&row), View::Of { offset: 16 });
        row.steps[1] = -1;
        (row.starts[1], row.sizes[1]) = (2, 2);
        assert_eq!(view(&row), View::None);
    }

    #[test]
    fn hostile_bounds_are_refused() {
        let x = TensorType::new(DType::S8, [4]);
        let slice = |start, size, step| Slice { starts: vec![start], sizes: vec![size], steps: vec![step] };
        for bad in [slice(4, 1, 1), slice(0, 5, 1), slice(0, 2, -1), slice(0, 2, i64::MAX), slice(0, 1, 0)] {
            assert!(bad.infer(std::slice::from_ref(&x)).is_err(), "{bad:?}");
        }
        assert_eq!(selection(i64::MIN, i64::MAX, i64::MAX, 4), Ok((0, 1)));
        assert_eq!(selection(i64::MAX, i64::MIN, i64::MIN, 4), Ok((3, 1)));
    }
}
