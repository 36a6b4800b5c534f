//! All parts of a candidate.
//!
//! In: a layer, the sizes of a part and the order of the loops. Out: the kinds of parts, and one part after the other: its kind
//! and its offsets. Never decides.
//!
//! A dimension of a stream follows one axis at most, so what a part looks like and where it lies follow from the axes one by one:
//! each span of each axis is looked at once, with all others at their first, and parts are put together from that.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Candidate, Fit, Layer, Outline};
use crate::ir::TensorType;
use crate::ir::access::{Region, Span};
use crate::targets::{Choice, fit_part};
use crate::tiling::tiles::Copy;

/// The spans of one axis that is cut.
struct Cut {
    axis: usize,
    spans: Vec<Span>,
    /// The streams that follow the axis; all others are the same for every span.
    streams: Vec<usize>,
    /// For each span: which of those that look alike; how many of these there are.
    looks: Vec<usize>,
    count: usize,
    /// For each span and such stream: bytes behind the offset of the first.
    behind: Vec<Vec<usize>>,
}

/// A part that stands for others: what tells it apart, its copies and its offsets.
struct Look {
    outlines: Vec<Outline>,
    copies: Vec<Copy>,
    offsets: Vec<usize>,
}

/// Parts that are alike.
pub(super) struct Sort {
    /// Such a part by itself.
    pub(super) fit: Rc<Fit>,
    /// How each stream's part lies in its tensor.
    pub(super) copies: Vec<Copy>,
    /// Cycles of copying each stream's part.
    pub(super) transfers: Vec<u64>,
}

impl Layer<'_> {
    /// The kinds of the candidate's parts; `take` gets the parts in its order: the kinds so far, its own, its offsets. `None` if
    /// the kernel or the DMA does not take one of them.
    pub(super) fn parts(
        &self,
        candidate: &Candidate,
        mut take: impl FnMut(&[Sort], usize, &[usize]),
    ) -> Option<Vec<Sort>> {
        let mut part: Vec<Span> = self.space.axes.iter().map(|n| (0, *n)).collect();
        for axis in candidate.order.iter() {
            part[*axis].1 = candidate.shape[*axis].min(part[*axis].1);
        }
        let streams = self.types.len();
        let first = self.look(&part, 0..streams)?;
        let cuts: Vec<Cut> = candidate
            .order
            .iter()
            .map(|axis| self.cut(*axis, candidate.shape[*axis], &part, &first))
            .collect::<Option<_>>()?;
        let mut kinds: Vec<Sort> = Vec::new();
        // The kind of each combination of looks.
        let mut known: Vec<Option<usize>> = vec![None; cuts.iter().map(|cut| cut.count).product()];
        let mut offsets = Vec::new();
        let mut index = vec![0; cuts.len()];
        loop {
            let looks = cuts.iter().zip(&index).fold(0, |at, (cut, i)| at * cut.count + cut.looks[*i]);
            let kind = match known[looks] {
                Some(kind) => kind,
                None => {
                    for (cut, i) in cuts.iter().zip(&index) {
                        part[cut.axis] = cut.spans[*i];
                    }
                    kinds.push(self.sort(&self.regions(&part))?);
                    known[looks] = Some(kinds.len() - 1);
                    kinds.len() - 1
                }
            };
            offsets.clone_from(&first.offsets);
            for (cut, i) in cuts.iter().zip(&index) {
                cut.streams.iter().zip(&cut.behind[*i]).for_each(|(s, behind)| offsets[*s] += behind);
            }
            // What is there already is read where it is, which must look like a part by itself.
            let apart = |s: usize| {
                let copy = &kinds[kind].copies[s];
                self.resident(s) && (copy.planes * copy.rows != 1 || offsets[s] % 4 != 0)
            };
            if (0..streams).any(apart) {
                return None;
            }
            take(&kinds, kind, &offsets);
            let Some(next) = (0..cuts.len()).rev().find(|i| index[*i] + 1 < cuts[*i].spans.len()) else {
                return Some(kinds);
            };
            index[next] += 1;
            index[next + 1..].fill(0);
        }
    }

    fn sort(&self, regions: &[Region]) -> Option<Sort> {
        let operands = self.space.operands.len();
        let fit = self.fit(regions)?;
        let results = fit.types[operands..].iter().zip(&regions[operands..]);
        if results.into_iter().any(|(t, r)| t.shape != r.shape()) {
            return None;
        }
        let copies = (0..regions.len()).map(|s| self.copy(s, &regions[s]).map(|c| c.1));
        let copies: Vec<Copy> = copies.collect::<Option<_>>()?;
        // A packed part must be packed like the part alone.
        let packed = (0..operands).all(|i| match fit.packed[i] {
            Some(bytes) => bytes == copies[i].bytes(),
            None => self.whole.packing(i).is_none(),
        });
        let transfers =
            copies.iter().enumerate().map(|(s, c)| self.pad.dma.cycles(c, self.written(s))).collect();
        packed.then_some(Sort { fit, copies, transfers })
    }

    /// A part by itself, looked at once for all layers that are alike.
    fn fit(&self, regions: &[Region]) -> Option<Rc<Fit>> {
        let key = (self.number, regions.iter().map(|r| (r.shape(), r.margins.clone())).collect());
        if let Some(known) = self.pad.seen.fits.borrow().get(&key) {
            return known.clone();
        }
        let operands = regions[..self.space.operands.len()].iter().zip(&self.types);
        let mut types: Vec<TensorType> = operands.map(|(r, t)| TensorType::new(t.dtype, r.shape())).collect();
        let op = self.node.op.part(&types, &regions[0].margins);
        let fit = fit_part(self.library, self.whole, &op, &types, &self.constant).ok();
        let fit = fit.map(|(choice, outputs)| {
            let packed = |(i, ty)| Some(choice.packing(i)?.packed_type(ty).bytes());
            let packed = types.iter().enumerate().map(packed).collect();
            let (kernel, scratch) = (self.library.cycles(&choice).unwrap_or(0), choice.scratch_bytes);
            types.extend(outputs);
            Rc::new(Fit { op, types, kernel, scratch, packed })
        });
        self.pad.seen.fits.borrow_mut().insert(key, fit.clone());
        fit
    }

    /// The kernel's call for such a part.
    pub(super) fn call(&self, fit: &Fit) -> Option<Choice> {
        let operands = &fit.types[..self.space.operands.len()];
        Some(fit_part(self.library, self.whole, &fit.op, operands, &self.constant).ok()?.0)
    }

    fn regions(&self, part: &[Span]) -> Vec<Region> {
        (0..self.types.len()).map(|s| self.region(s, part)).collect()
    }

    /// The parts of some streams.
    fn look(&self, part: &[Span], streams: impl Iterator<Item = usize>) -> Option<Look> {
        let mut look = Look { outlines: Vec::new(), copies: Vec::new(), offsets: Vec::new() };
        for s in streams {
            let region = self.region(s, part);
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
        let streams: Vec<usize> = (0..self.types.len()).filter(|s| self.follows(*s, axis)).collect();
        let mut known: BTreeMap<Vec<Outline>, (usize, Vec<Copy>)> = BTreeMap::new();
        let mut cut = Cut { axis, looks: Vec::new(), count: 0, behind: Vec::new(), spans, streams };
        for span in &cut.spans {
            part[axis] = *span;
            let look = self.look(&part, cut.streams.iter().copied())?;
            let next = known.len();
            let (id, copies) = known.entry(look.outlines).or_insert((next, look.copies.clone()));
            if *copies != look.copies {
                return None;
            }
            cut.looks.push(*id);
            let behind =
                look.offsets.iter().zip(&cut.streams).map(|(at, s)| at.checked_sub(base.offsets[*s]));
            cut.behind.push(behind.collect::<Option<_>>()?);
        }
        cut.count = known.len();
        Some(cut)
    }
}
