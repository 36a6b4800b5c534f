//! Copies: how a box of a tensor lies in memory.
//!
//! In: a shape, a box of it. Out: the bytes as rows and planes, which a DMA takes. Never knows what is copied.

use crate::ir::TensorType;
use crate::ir::access::Region;
use crate::targets::Packing;

/// `planes` times `rows` runs of `row` bytes; rows begin `stride` bytes apart, planes `plane` bytes. The scratchpad's side
/// is contiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Copy {
    /// Number of planes.
    pub planes: usize,
    /// Bytes from one plane to the next.
    pub plane: usize,
    /// Rows of a plane.
    pub rows: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes of a row.
    pub row: usize,
}

impl Copy {
    /// Contiguous bytes.
    pub fn run(bytes: usize) -> Copy {
        Copy { planes: 1, plane: 0, rows: 1, stride: 0, row: bytes }
    }
    /// Bytes copied.
    pub fn bytes(&self) -> usize {
        self.planes * self.rows * self.row
    }
    /// Commands a two-dimensional DMA needs.
    pub fn commands(&self) -> usize {
        self.planes
    }
}

/// The offset of a box in bytes, and how it lies in a row-major tensor; `None` if two strides do not describe it.
pub fn of_region(ty: &TensorType, region: &Region) -> Option<(usize, Copy)> {
    let size = ty.dtype.bytes();
    let (mut step, mut offset, mut run) = (size, 0, size);
    // Loops from the innermost outwards: (count, bytes from one to the next).
    let mut loops: Vec<(usize, usize)> = Vec::new();
    for (dim, (begin, end)) in ty.shape.iter().zip(&region.spans).rev() {
        let count = end - begin;
        offset += begin * step;
        match loops.last_mut() {
            _ if count == 1 => {}
            None if run == step => run *= count,
            Some((inner, distance)) if *inner * *distance == step => *inner *= count,
            _ => loops.push((count, step)),
        }
        step *= dim;
    }
    let copy = match loops[..] {
        [] => Copy::run(run),
        [(rows, stride)] => Copy { planes: 1, plane: 0, rows, stride, row: run },
        [(rows, stride), (planes, plane)] => Copy { planes, plane, rows, stride, row: run },
        _ => return None,
    };
    Some((offset, copy))
}

/// The same of a constant that is packed by whole blocks of rows: only rows may be cut, between blocks.
pub fn of_packed(ty: &TensorType, region: &Region, packing: &Packing) -> Option<(usize, Copy)> {
    let cut = |i: &usize| region.spans[*i] != (0, ty.shape[*i]);
    let whole = packing.packed_type(ty).bytes();
    let mut axes = (0..ty.rank()).filter(cut);
    match (axes.next(), axes.next()) {
        (None, _) => Some((0, Copy::run(whole))),
        (Some(axis), None) => {
            let (begin, end) = region.spans[axis];
            packing.rows_in(ty, axis, begin, end).map(|(offset, bytes)| (offset, Copy::run(bytes)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::DType;

    fn of(shape: &[usize], spans: &[(usize, usize)]) -> Option<(usize, Copy)> {
        let region = Region { spans: spans.to_vec(), margins: vec![(0, 0); spans.len()] };
        of_region(&TensorType::new(DType::S16, shape), &region)
    }

    #[test]
    fn boxes_become_runs_rows_and_planes() {
        assert_eq!(of(&[4, 5, 6], &[(0, 4), (0, 5), (0, 6)]), Some((0, Copy::run(240))));
        assert_eq!(of(&[4, 5, 6], &[(1, 3), (0, 5), (0, 6)]), Some((60, Copy::run(120))));
        let rows = Copy { planes: 1, plane: 0, rows: 2, stride: 60, row: 36 };
        assert_eq!(of(&[4, 5, 6], &[(1, 3), (1, 4), (0, 6)]), Some((72, rows)));
        let planes = Copy { planes: 2, plane: 60, rows: 3, stride: 12, row: 4 };
        assert_eq!(of(&[4, 5, 6], &[(1, 3), (1, 4), (2, 4)]), Some((76, planes)));
        // Rows of whole planes are one loop.
        let joined = Copy { planes: 1, plane: 0, rows: 20, stride: 12, row: 4 };
        assert_eq!(of(&[4, 5, 6], &[(0, 4), (0, 5), (2, 4)]), Some((4, joined)));
        assert_eq!(of(&[4, 5, 6], &[(2, 3), (3, 4), (1, 2)]), Some((158, Copy::run(2))));
        assert_eq!(of(&[3, 4, 5, 6], &[(0, 2), (1, 3), (0, 2), (0, 2)]), None);
    }
}
