//! The best of a layer's candidates.
//!
//! In: candidates, the most promising first, and how much memory there is. Out: the [`Tiled`] layer of the fewest cycles among
//! those that are worked out. Never makes candidates.

use std::rc::Rc;

use super::{Buffering, Candidate, Layer, Tiled};

/// Candidates that are worked out in full.
const FINALISTS: usize = 8;

impl Layer<'_> {
    /// The best of the candidates in `most` bytes. Where two buffers are wanted, one is better than nothing, and better than
    /// two for which parts get so small that it takes longer.
    pub(super) fn best(&self, candidates: &[Candidate], most: usize) -> Option<Rc<Tiled>> {
        let wanted = |c: &Candidate| c.ahead || c.order.is_empty() || self.pad.buffering != Buffering::Double;
        let best = self.best_of(candidates.iter().filter(|c| wanted(c)), most);
        if self.pad.buffering != Buffering::Double {
            return best;
        }
        let other = self.best_of(candidates.iter().filter(|c| !wanted(c)), most);
        let slower = |two: &Rc<Tiled>, one: &Rc<Tiled>| one.cycles + one.cycles / 100 < two.cycles;
        match (best, other) {
            (Some(two), Some(one)) if slower(&two, &one) => Some(one),
            (two, one) => two.or(one),
        }
    }

    fn best_of<'c>(&self, candidates: impl Iterator<Item = &'c Candidate>, most: usize) -> Option<Rc<Tiled>> {
        let mut best: Option<(u64, &Candidate)> = None;
        let mut worked_out = 0;
        for candidate in candidates.filter(|c| c.bytes <= most) {
            let beaten = best.as_ref().is_some_and(|b| candidate.estimate > b.0 + b.0 / 4);
            if worked_out >= FINALISTS || beaten {
                break;
            }
            let Some((cycles, _)) = self.known(candidate).filter(|(_, bytes)| *bytes <= most) else {
                continue;
            };
            worked_out += 1;
            if best.is_none_or(|(least, _)| cycles < least) {
                best = Some((cycles, candidate));
            }
        }
        let (_, candidate) = best?;
        if candidate.tiled.borrow().is_none() {
            *candidate.tiled.borrow_mut() = self.work_out(candidate).map(Rc::new);
        }
        candidate.tiled.borrow().clone()
    }

    /// Cycles and bytes of a candidate, worked out once.
    pub(super) fn known(&self, candidate: &Candidate) -> Option<(u64, usize)> {
        if candidate.known.get().is_none() {
            candidate.known.set(Some(self.measure(candidate)));
        }
        candidate.known.get().flatten()
    }
}
