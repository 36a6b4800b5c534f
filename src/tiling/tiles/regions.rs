//! The judge of what parts are: that the part of each operand is what the part of the results needs, that each kind's
//! operator and call compute it, and that copies describe boxes of tensors.
//!
//! In: a node with its kernel, a [`Tiled`] layer nobody trusts, whose tables are complete. Out: everything that is wrong.
//! It works backwards from where results are stored, by the operator's access maps, and never sees how sizes were chosen.

use super::{Copy, Kind, Tile, Tiled};
use crate::ir::access::{Reach, Region, Space, Span, region};
use crate::ir::{Graph, Node, TensorType};
use crate::targets::{Choice, Library, fit_part};

/// Everything wrong with the parts of `tiled`.
pub fn faults(graph: &Graph, library: &Library, node: &Node, whole: &Choice, tiled: &Tiled) -> Vec<String> {
    let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
    let Some(space) = node.op.space(&inputs, &outputs) else {
        return vec!["the operator has no parts".into()];
    };
    let constant = node.inputs.iter().map(|t| graph.tensor(*t).is_constant()).collect();
    let types: Vec<TensorType> = inputs.into_iter().chain(outputs).collect();
    let judge = Judge { node, whole, tiled, space, types, constant };
    let mut faults = Vec::new();
    let mut margins: Vec<Option<Vec<Span>>> = vec![None; tiled.kinds.len()];
    for (i, kind) in tiled.kinds.iter().enumerate() {
        faults.extend(judge.kind(library, kind).map(|m| format!("kind {i} {m}")));
    }
    for (i, tile) in tiled.tiles.iter().enumerate() {
        match judge.part(tile) {
            Ok(found) => {
                let known = margins[tile.kind].get_or_insert_with(|| found.clone());
                if *known != found {
                    faults.push(format!("part {i} has other borders than its kind"));
                }
            }
            Err(message) => faults.push(format!("part {i} {message}")),
        }
    }
    let inputs = node.inputs.len();
    for (i, (kind, margins)) in tiled.kinds.iter().zip(margins).enumerate() {
        if margins.is_some_and(|m| node.op.part(&kind.types[..inputs], &m) != kind.op) {
            faults.push(format!("kind {i} is another operator than its parts need"));
        }
    }
    faults
}

struct Judge<'a> {
    node: &'a Node,
    whole: &'a Choice,
    tiled: &'a Tiled,
    space: Space,
    types: Vec<TensorType>,
    constant: Vec<bool>,
}

impl Judge<'_> {
    fn reaches(&self, stream: usize) -> &[Reach] {
        let inputs = self.node.inputs.len();
        if stream < inputs { &self.space.operands[stream] } else { &self.space.results[stream - inputs] }
    }

    fn packed(&self, stream: usize) -> bool {
        stream < self.node.inputs.len() && self.whole.packing(stream).is_some()
    }

    /// The call is the one that this kernel needs for these types, and copies are boxes of them.
    fn kind(&self, library: &Library, kind: &Kind) -> Option<String> {
        let inputs = self.node.inputs.len();
        match fit_part(library, self.whole, &kind.op, &kind.types[..inputs], &self.constant) {
            Ok((choice, outputs)) if choice == kind.choice && outputs == kind.types[inputs..] => {}
            _ => return Some("is not what its kernel can be called for".into()),
        }
        for (s, copy) in kind.copies.iter().enumerate() {
            let (ty, part) = (&self.types[s], &kind.types[s]);
            let inside = ty.rank() == part.rank() && ty.shape.iter().zip(&part.shape).all(|(n, m)| m <= n);
            let alike = match self.packed(s) {
                true => copy.planes == 1 && copy.rows == 1,
                false => ty.dtype == part.dtype && inside && runs(copy) == box_runs(ty, &part.shape),
            };
            if !alike {
                return Some(format!("copies of stream {s} what is no box of it"));
            }
        }
        None
    }

    /// The margins of operand 0, if everything is where the part's results need it.
    fn part(&self, tile: &Tile) -> Result<Vec<Span>, String> {
        let part = self.iterations(tile)?;
        let kind = &self.tiled.kinds[tile.kind];
        let mut margins = Vec::new();
        for (s, ty) in self.types.iter().enumerate() {
            let needs = region(self.reaches(s), &ty.shape, &part);
            if needs.shape() != kind.types[s].shape {
                return Err(format!("needs another shape of stream {s}"));
            }
            if Some((tile.offsets[s], kind.copies[s].bytes())) != self.place(s, &needs) {
                return Err(format!("needs other bytes of stream {s}"));
            }
            if s == 0 {
                margins = needs.margins;
            }
        }
        Ok(margins)
    }

    /// Where a box begins in a stream's tensor as the kernel reads it, and its bytes.
    fn place(&self, stream: usize, needs: &Region) -> Option<(usize, usize)> {
        let ty = &self.types[stream];
        let packing = self.whole.packing(stream).filter(|_| self.packed(stream));
        let Some(packing) = packing else {
            let at = needs.spans.iter().zip(&ty.shape).fold(0, |at, (span, n)| at * n + span.0);
            let elements: usize = needs.shape().iter().product();
            return Some((at * ty.dtype.bytes(), elements * ty.dtype.bytes()));
        };
        let cut: Vec<usize> = (0..ty.rank()).filter(|i| needs.spans[*i] != (0, ty.shape[*i])).collect();
        match cut[..] {
            [] => Some((0, packing.packed_type(ty).bytes())),
            [axis] => packing.rows_in(ty, axis, needs.spans[axis].0, needs.spans[axis].1),
            _ => None,
        }
    }

    /// The part of the iteration space that stores its results where this one does.
    fn iterations(&self, tile: &Tile) -> Result<Vec<Span>, String> {
        let inputs = self.node.inputs.len();
        let mut part: Vec<Span> = self.space.axes.iter().map(|n| (0, *n)).collect();
        for s in inputs..self.types.len() {
            let ty = &self.types[s];
            let mut rest = tile.offsets[s] / ty.dtype.bytes().max(1);
            let shape = &self.tiled.kinds[tile.kind].types[s].shape;
            for (dim, reach) in self.reaches(s).iter().enumerate().rev() {
                let n = ty.shape[dim].max(1);
                let (begin, count) = (rest % n, shape.get(dim).copied().unwrap_or(0));
                rest /= n;
                if let Reach::Along { axis, stride, before, extent } = *reach {
                    let first = (begin + before) / stride.max(1);
                    let more = count.saturating_sub(extent) / stride.max(1);
                    part[axis] = (first, first + more + 1);
                }
            }
        }
        let inside = |(span, n): (&Span, &usize)| span.0 < span.1 && span.1 <= *n;
        if part.iter().zip(&self.space.axes).all(inside) {
            Ok(part)
        } else {
            Err("stores results that are none".into())
        }
    }
}

/// The runs of bytes of a copy: start and length, joined where they touch.
fn runs(copy: &Copy) -> Vec<Span> {
    let rows = |p: usize| (0..copy.rows).map(move |r| (p * copy.plane + r * copy.stride, copy.row));
    joined((0..copy.planes).flat_map(rows))
}

/// The same of a box at the start of a row-major tensor.
fn box_runs(ty: &TensorType, shape: &[usize]) -> Vec<Span> {
    let mut starts = vec![0];
    for (n, count) in ty.shape.iter().zip(shape) {
        starts = starts.into_iter().flat_map(|at| (0..*count).map(move |i| at * n + i)).collect();
    }
    let size = ty.dtype.bytes();
    joined(starts.into_iter().map(|at| (at * size, size)))
}

fn joined(runs: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::new();
    for (at, len) in runs {
        match all.last_mut() {
            Some((start, length)) if *start + *length == at => *length += len,
            _ => all.push((at, len)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::DType;

    #[test]
    fn runs_of_copies_and_boxes_agree() {
        let ty = TensorType::new(DType::S16, [4, 5, 6]);
        assert_eq!(box_runs(&ty, &[4, 5, 6]), [(0, 240)]);
        assert_eq!(box_runs(&ty, &[2, 1, 3]), [(0, 6), (60, 6)]);
        let copy = Copy { planes: 2, plane: 60, rows: 3, stride: 12, row: 4 };
        assert_eq!(runs(&copy), box_runs(&ty, &[2, 3, 2]));
        assert_ne!(runs(&Copy { stride: 14, ..copy }), box_runs(&ty, &[2, 3, 2]));
    }
}
