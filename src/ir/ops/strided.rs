//! What data movement shares: results that read an operand with constant strides, or through a table per
//! axis.
//!
//! In: shapes, strides, tables. Out: copied elements and the loops kernels run. Never knows an operator.

use super::Params;
use super::elementwise::json;
use crate::ir::import::OpError;

/// Row-major strides of a shape, in elements.
pub fn row_major(shape: &[usize]) -> Vec<i64> {
    let mut strides = vec![1; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d] * shape[d] as i64;
    }
    strides
}

/// Reads an operand at `offset + Σ index[d] * strides[d]`, for every index below `dims`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strided {
    /// Extent of each loop, outermost first; at least one.
    pub dims: Vec<usize>,
    /// Stride of each loop in the operand, in elements.
    pub strides: Vec<i64>,
    /// Where the first element is, in elements.
    pub offset: usize,
}

impl Strided {
    /// The loops, with extents of 1 dropped and neighbours that run as one merged.
    pub fn new(dims: &[usize], strides: &[i64], offset: usize) -> Self {
        let mut out = Strided { dims: Vec::new(), strides: Vec::new(), offset };
        for (&n, &s) in dims.iter().zip(strides).filter(|(n, _)| **n != 1) {
            match (out.dims.last_mut(), out.strides.last_mut()) {
                (Some(last), Some(stride)) if *stride == s * n as i64 => {
                    *last *= n;
                    *stride = s;
                }
                _ => {
                    out.dims.push(n);
                    out.strides.push(s);
                }
            }
        }
        if out.dims.is_empty() {
            out.dims.push(1);
            out.strides.push(1);
        }
        out
    }

    /// Whether the elements read lie together and in order.
    pub fn contiguous(&self) -> bool {
        self.dims.contains(&0) || self.dims.len() == 1 && (self.strides[0] == 1 || self.dims[0] == 1)
    }

    /// The elements in result order.
    ///
    /// # Errors
    /// An index lies outside the operand.
    pub fn read<T: Copy>(&self, x: &[T]) -> Result<Vec<T>, OpError> {
        let mut out = Vec::with_capacity(self.dims.iter().product());
        if self.dims.contains(&0) {
            return Ok(out);
        }
        let inner = self.dims.len() - 1;
        let (n, step) = (self.dims[inner], self.strides[inner]);
        let outside = || OpError::invalid("reads outside its operand");
        let mut index = vec![0usize; inner];
        let mut at = self.offset as i64;
        loop {
            let last = at + step * (n as i64 - 1);
            let (lo, hi) = (at.min(last), at.max(last));
            if lo < 0 || hi >= x.len() as i64 {
                return Err(outside());
            }
            if step == 1 {
                out.extend_from_slice(&x[at as usize..at as usize + n]);
            } else {
                out.extend((0..n as i64).map(|i| x[(at + i * step) as usize]));
            }
            let mut d = inner;
            loop {
                if d == 0 {
                    return Ok(out);
                }
                d -= 1;
                index[d] += 1;
                at += self.strides[d];
                if index[d] < self.dims[d] {
                    break;
                }
                at -= self.strides[d] * self.dims[d] as i64;
                index[d] = 0;
            }
        }
    }

    /// `loops`, `dims`, `strides`, `offset`, `elements`.
    pub fn params(&self) -> Params {
        let mut p = Params::new();
        p.insert("loops".into(), self.dims.len().into());
        p.insert("dims".into(), json(&self.dims));
        p.insert("strides".into(), self.strides.iter().copied().collect());
        p.insert("offset".into(), self.offset.into());
        p.insert("elements".into(), self.dims.iter().product::<usize>().into());
        p
    }
}

/// Reads an operand of `shape` through one table per axis: result index `i` on axis `d` is operand index
/// `tables[d][i]`, or the fill value where that is `None`.
///
/// # Errors
/// A table points outside its axis.
pub fn read_by_tables<T: Copy>(
    x: &[T],
    shape: &[usize],
    tables: &[Vec<Option<usize>>],
    fill: T,
) -> Result<Vec<T>, OpError> {
    let inside = |d: usize, i: &Option<usize>| i.is_none_or(|i| i < shape[d]);
    if tables.len() != shape.len() || (0..shape.len()).any(|d| !tables[d].iter().all(|i| inside(d, i))) {
        return Err(OpError::invalid("reads outside its operand"));
    }
    // Offsets into the operand, axis by axis from the innermost outwards.
    let mut offsets = vec![Some(0usize)];
    let mut stride = 1;
    for d in (0..shape.len()).rev() {
        let outer = tables[d].iter().map(|i| i.map(|i| i * stride));
        offsets = outer.flat_map(|o| offsets.iter().map(move |i| Some(o? + (*i)?))).collect();
        stride *= shape[d];
    }
    Ok(offsets.into_iter().map(|o| o.map_or(fill, |o| x[o])).collect())
}

/// The parameters of [`read_by_tables`]: `shape`, `dims`, and all tables end to end as `tables`, -1 for the
/// fill value. Axes that are copied whole are merged into their neighbours.
pub fn table_params(shape: &[usize], tables: &[Vec<Option<usize>>]) -> Params {
    let mut merged: Vec<(usize, Vec<Option<usize>>, bool)> = Vec::new();
    for (n, t) in shape.iter().zip(tables) {
        let whole = t.len() == *n && t.iter().enumerate().all(|(i, o)| *o == Some(i));
        match merged.last_mut() {
            Some((size, table, true)) if whole => {
                *size *= n;
                *table = (0..*size).map(Some).collect();
            }
            Some(last) if last.0 == 1 && last.2 => *last = (*n, t.clone(), whole),
            _ => merged.push((*n, t.clone(), whole)),
        }
    }
    // An innermost axis copied whole is a run of `inner` elements, without a table.
    let inner = match merged.last() {
        Some((n, _, true)) => *n,
        _ => 1,
    };
    if merged.last().is_some_and(|m| m.2) {
        merged.pop();
    }
    if merged.is_empty() {
        merged.push((1, vec![Some(0)], true));
    }
    let dims: Vec<usize> = merged.iter().map(|m| m.1.len()).collect();
    let shape: Vec<usize> = merged.iter().map(|m| m.0).collect();
    let all = merged.iter().flat_map(|m| m.1.iter().map(|i| i.map_or(-1, |i| i as i64)));
    let mut p = Params::new();
    p.insert("tables".into(), all.collect());
    p.insert("loops".into(), dims.len().into());
    p.insert("entries".into(), dims.iter().sum::<usize>().into());
    p.insert("dims".into(), json(&dims));
    p.insert("shape".into(), json(&shape));
    p.insert("inner".into(), inner.into());
    p
}
