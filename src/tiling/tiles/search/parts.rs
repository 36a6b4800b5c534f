//! All parts of a candidate.
//!
//! In: a layer, the sizes of a part and the order of the loops. Out: the kinds of parts, and every part with its offsets. Never
//! decides.
//!
//! A dimension of a stream follows one axis at most, so what a part looks like and where it lies follow from the axes one by one:
//! each span of each axis is looked at once, with all others at their first, and parts are put together from that.

use std::collections::BTreeMap;

use super::{Candidate, Kind, Layer, Outline, Tile};
use crate::ir::access::{Region, Span};
use crate::tiling::tiles::Copy;

/// The spans of one axis that is cut.
struct Cut {
    axis: usize,
    spans: Vec<Span>,
    /// For each span: which of those that look alike.
    looks: Vec<usize>,
    /// For each span and stream: bytes behind the offset of the first.
    behind: Vec<Vec<usize>>,
}

/// A part that stands for others: what tells it apart, its copies and its offsets.
struct Look {
    outlines: Vec<Outline>,
    copies: Vec<Copy>,
    offsets: Vec<usize>,
}

impl Layer<'_> {
    /// The kinds of the candidate's parts, and the parts in its order, without slots and loads; `None` if the kernel or the DMA
    /// does not take one of them.
    pub(super) fn parts(&self, candidate: &Candidate) -> Option<(Vec<Kind>, Vec<Tile>)> {
        let mut part: Vec<Span> = self.space.axes.iter().map(|n| (0, *n)).collect();
        for axis in &candidate.order {
            part[*axis].1 = candidate.shape[*axis].min(part[*axis].1);
        }
        let first = self.look(&part)?;
        let cuts: Vec<Cut> = candidate
            .order
            .iter()
            .map(|axis| self.cut(*axis, candidate.shape[*axis], &part, &first))
            .collect::<Option<_>>()?;
        let streams = self.types.len();
        let mut kinds: Vec<Kind> = Vec::new();
        let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let mut tiles: Vec<Tile> = Vec::new();
        let mut index = vec![0; cuts.len()];
        loop {
            let looks: Vec<usize> = cuts.iter().zip(&index).map(|(cut, i)| cut.looks[*i]).collect();
            let kind = match known.get(&looks) {
                Some(kind) => *kind,
                None => {
                    for (cut, i) in cuts.iter().zip(&index) {
                        part[cut.axis] = cut.spans[*i];
                    }
                    kinds.push(self.kind(&self.regions(&part))?);
                    known.insert(looks, kinds.len() - 1);
                    kinds.len() - 1
                }
            };
            let mut offsets = first.offsets.clone();
            for (cut, i) in cuts.iter().zip(&index) {
                offsets.iter_mut().zip(&cut.behind[*i]).for_each(|(offset, behind)| *offset += behind);
            }
            // What is there already is read where it is, which must look like a part by itself.
            let apart = |s: usize| {
                let copy = &kinds[kind].copies[s];
                self.resident(s) && (copy.planes * copy.rows != 1 || offsets[s] % 4 != 0)
            };
            if (0..streams).any(apart) {
                return None;
            }
            tiles.push(Tile { kind, offsets, slots: vec![0; streams], loads: vec![false; streams] });
            let Some(next) = (0..cuts.len()).rev().find(|i| index[*i] + 1 < cuts[*i].spans.len()) else {
                return Some((kinds, tiles));
            };
            index[next] += 1;
            index[next + 1..].fill(0);
        }
    }

    fn regions(&self, part: &[Span]) -> Vec<Region> {
        (0..self.types.len()).map(|s| self.region(s, part)).collect()
    }

    fn look(&self, part: &[Span]) -> Option<Look> {
        let regions = self.regions(part);
        let mut look = Look { outlines: Vec::new(), copies: Vec::new(), offsets: Vec::new() };
        for (s, region) in regions.into_iter().enumerate() {
            let shape = region.shape();
            let (offset, copy) = self.copy(s, &region).filter(|_| !shape.contains(&0))?;
            look.outlines.push((shape, region.margins));
            look.copies.push(copy);
            look.offsets.push(offset);
        }
        Some(look)
    }

    /// All spans of `size` along an axis, the others as in `first`.
    fn cut(&self, axis: usize, size: usize, first: &[Span], base: &Look) -> Option<Cut> {
        let n = self.space.axes[axis];
        let spans: Vec<Span> = (0..n).step_by(size).map(|b| (b, (b + size).min(n))).collect();
        let mut part = first.to_vec();
        let mut known: BTreeMap<Vec<Outline>, (usize, Vec<Copy>)> = BTreeMap::new();
        let mut cut = Cut { axis, looks: Vec::new(), behind: Vec::new(), spans };
        for span in &cut.spans {
            part[axis] = *span;
            let look = self.look(&part)?;
            let next = known.len();
            let (id, copies) = known.entry(look.outlines).or_insert((next, look.copies.clone()));
            if *copies != look.copies {
                return None;
            }
            cut.looks.push(*id);
            let behind =
                look.offsets.iter().zip(&base.offsets).map(|(offset, from)| offset.checked_sub(*from));
            cut.behind.push(behind.collect::<Option<_>>()?);
        }
        Some(cut)
    }
}
