//! Spills: which blocks leave the arena for an external memory while nobody touches them, and when.
//!
//! In: blocks, when layers and transfers touch them, bytes there are. Out: [`Absence`]s; then, with places in the arena, the
//! plan's spills. Never decides what is near, nor places in the arena.
//!
//! At the fullest step the smallest block leaves that makes enough room, or else the largest. A store starts as soon as the
//! bytes are complete: it only reads them. `window` layers may overlap the end of it, and as many the way back.

use std::collections::BTreeMap;

use super::allocator::{self, Buffer};
use super::blocks::{BlockId, Blocks, Sharing};
use super::external::{ALIGNMENT, Outside};
use super::levels::{Mode, Near};
use super::plan::{ArenaUse, Home, Plan, Spill, Trip};
use super::planner::Owner;
use crate::ir::{Graph, NodeId, TensorId};

/// Transfers of these numbers are spills, but the last: that one stands for all that are waited for at once.
const CHANNELS: std::ops::Range<usize> = 2..8;
/// The external memory's transfers move words.
const WORD: usize = 4;
/// Layers before the last use with which a store starts at the earliest.
const EARLY: usize = 4;

/// Layers during which something touches a tensor: first and last.
type Touch = (usize, usize);

/// A time in which a block is not in the arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The block.
    pub block: BlockId,
    /// Bytes of it that matter: where they begin, and how many.
    range: (usize, usize),
    /// The layers with which the store starts and before which it is done; the same for the way back.
    out: (usize, usize),
    back: (usize, usize),
}

/// Between two touches of a block.
struct Gap {
    /// From when on its bytes are complete, the first layer that does not need them, the first one that does again.
    complete: usize,
    idle: usize,
    wanted: usize,
    range: (usize, usize),
}

/// When what is touched.
pub struct Spiller {
    /// For each tensor: touches in order.
    touches: BTreeMap<TensorId, Vec<Touch>>,
    gaps: BTreeMap<BlockId, Vec<Gap>>,
    /// The step of each layer, and the end.
    steps: Vec<usize>,
}

/// A buffer of the arena: whose, first and last step, bytes.
pub type Owned = (Owner, usize, usize, usize);

impl Spiller {
    /// Looks at all layers.
    pub fn new(graph: &Graph, order: &[NodeId], blocks: &Blocks, near: Option<&Near>) -> Spiller {
        let runs = order.iter().enumerate().filter(|(_, id)| !blocks.elided.contains(id));
        let (mut steps, runs): (Vec<usize>, Vec<NodeId>) = runs.map(|(i, id)| (i + 1, *id)).unzip();
        steps.push(Sharing::end(order));
        let mut touches: BTreeMap<TensorId, Vec<Touch>> = BTreeMap::new();
        let mut written: BTreeMap<TensorId, usize> = BTreeMap::new();
        for (layer, id) in runs.iter().enumerate() {
            let node = graph.node(*id);
            for (stream, t) in node.inputs.iter().chain(&node.outputs).enumerate() {
                let staged = near.and_then(|n| n.staged.get(&(*id, stream)));
                // A transfer has ended when layer `end` begins, unless it starts with it.
                let mut touch = staged.map_or((layer, layer), |s| (s.start, s.end.max(s.start + 1) - 1));
                // Of a layer in parts only the first one's bytes may be staged.
                if matches!(near.and_then(|n| n.decision.modes.get(id)), Some(Mode::Parts(_))) {
                    touch.1 = touch.1.max(layer);
                }
                touches.entry(*t).or_default().push(touch);
                if stream >= node.inputs.len() {
                    written.insert(*t, touch.1 + 1);
                }
            }
        }
        for o in graph.outputs() {
            touches.entry(o.tensor).or_default().push((runs.len(), runs.len()));
        }
        for t in graph.inputs() {
            touches.entry(*t).or_default().insert(0, (0, 0));
        }
        let mut members: BTreeMap<BlockId, Vec<(TensorId, usize, usize)>> = BTreeMap::new();
        for (t, (block, at)) in &blocks.place {
            members.entry(*block).or_default().push((*t, *at, graph.tensor(*t).ty.bytes()));
        }
        let far = |b: &BlockId| near.is_none_or(|n| !n.blocks.contains_key(b));
        let gaps = members.iter().filter(|(b, _)| far(b));
        let gaps = gaps.map(|(b, m)| (*b, gaps_of(m, &touches, &written))).collect();
        Spiller { touches, gaps, steps }
    }

    /// What leaves so that no step needs more than `target` bytes, or as close to that as there is.
    pub fn choose(&self, owners: &[Owned], target: usize, window: usize) -> Vec<Absence> {
        let mut chosen: BTreeMap<(BlockId, usize), Absence> = BTreeMap::new();
        let end = *self.steps.last().unwrap_or(&0);
        loop {
            let absences: Vec<Absence> = chosen.values().cloned().collect();
            let mut live = vec![0usize; end + 1];
            for (_, first, last, bytes) in self.stays(owners, &absences) {
                live[first..=last].iter_mut().for_each(|l| *l += bytes);
            }
            let fullest = live.iter().enumerate().max_by_key(|(i, l)| (**l, std::cmp::Reverse(*i)));
            let Some((step, peak)) = fullest.filter(|(_, l)| **l > target) else { return absences };
            let here = owners.iter().filter_map(|(owner, _, _, bytes)| match owner {
                Owner::Block(b) => Some((*b, *bytes)),
                _ => None,
            });
            let leaves = here.filter_map(|(block, bytes)| {
                let gaps = self.gaps.get(&block)?.iter().enumerate();
                let away = |i: usize| chosen.get(&(block, i)).is_some_and(|a| self.is_away(a, step));
                let (key, absence) = gaps
                    .filter(|(i, _)| !away(*i))
                    .find_map(|(i, gap)| Some(((block, i), self.absence(block, gap, step, window)?)))?;
                let enough = bytes >= *peak - target;
                let idle = absence.back.0 - absence.out.1;
                let rank = (enough, if enough { usize::MAX - bytes } else { bytes }, idle);
                Some((rank, key, absence))
            });
            match leaves.max_by_key(|(rank, key, _)| (*rank, std::cmp::Reverse(*key))) {
                Some((_, key, absence)) => drop(chosen.insert(key, absence)),
                None => return absences,
            }
        }
    }

    /// The way a block leaves in a gap so that it is away at `step`, with as much overlap as that leaves, up to `window`.
    fn absence(&self, block: BlockId, gap: &Gap, step: usize, window: usize) -> Option<Absence> {
        (0..=window).rev().find_map(|w| {
            let end = gap.idle + w;
            let start = gap.complete.max(gap.idle.saturating_sub(EARLY)).min(end);
            let back = gap.wanted.checked_sub(w).filter(|back| *back > end)?;
            let absence = Absence { block, range: gap.range, out: (start, end), back: (back, gap.wanted) };
            Some(absence).filter(|a| self.is_away(a, step))
        })
    }

    fn is_away(&self, a: &Absence, step: usize) -> bool {
        (self.steps[a.out.1]..self.steps[a.back.0]).contains(&step)
    }

    /// The stay of its block in which a tensor is touched first, and that in which it is last.
    fn stays_of(&self, t: TensorId, own: &[&Absence]) -> (usize, usize) {
        let touches = self.touches.get(&t);
        let stay = |touch: Option<&Touch>| {
            touch.map_or(0, |touch| own.iter().filter(|a| a.back.1 <= touch.0).count())
        };
        (stay(touches.and_then(|t| t.first())), stay(touches.and_then(|t| t.last())))
    }

    /// Where tensors of blocks that leave are at first; `homes` says where each stay of a block is.
    fn first_homes<'a>(
        &'a self,
        blocks: &'a Blocks,
        absences: &'a [Absence],
        homes: &'a BTreeMap<(BlockId, usize), Home>,
    ) -> impl Iterator<Item = (TensorId, Home)> + 'a {
        blocks.place.iter().filter_map(|(t, (block, at))| {
            let own: Vec<&Absence> = absences.iter().filter(|a| a.block == *block).collect();
            let home = homes.get(&(*block, self.stays_of(*t, &own).0))?;
            Some((*t, home.shifted(*at)))
        })
    }

    /// The buffers of the arena with absences: a block that leaves has one for each stay.
    pub fn stays(&self, owners: &[Owned], absences: &[Absence]) -> Vec<Owned> {
        let mut list = Vec::new();
        for (owner, first, last, bytes) in owners {
            let own = absences.iter().filter(|a| *owner == Owner::Block(a.block));
            let Owner::Block(block) = *owner else {
                list.push((*owner, *first, *last, *bytes));
                continue;
            };
            let (mut from, mut stay) = (*first, 0);
            // Transfers move whole words.
            let mut size = *bytes;
            for a in own {
                size = bytes.next_multiple_of(ALIGNMENT);
                list.push((Owner::Stay(block, stay), from, self.steps[a.out.1] - 1, size));
                (from, stay) = (self.steps[a.back.0], stay + 1);
            }
            let owner = if stay == 0 { *owner } else { Owner::Stay(block, stay) };
            list.push((owner, from, *last, size));
        }
        list
    }

    /// Adds absences to a plan, whose loads are there already. `homes` says where each stay of a block is.
    pub fn extend(
        &self,
        plan: &mut Plan,
        outside: &Outside,
        blocks: &Blocks,
        absences: &[Absence],
        homes: &BTreeMap<(BlockId, usize), Home>,
    ) {
        if absences.is_empty() && plan.loads.is_empty() {
            return;
        }
        plan.homes.extend(self.first_homes(blocks, absences, homes));
        let buffer = |a: &Absence| {
            let size = a.range.1.next_multiple_of(ALIGNMENT) as u64;
            Buffer::new(String::new(), a.out.0 as i64, a.back.1 as i64 + 1, size).aligned(ALIGNMENT as u64)
        };
        let buffers: Vec<Buffer> = absences.iter().map(buffer).collect();
        let search = allocator::Options { node_limit: 2000, time_limit: None };
        let Some(best) = allocator::minimise(&buffers, &search) else { return };
        let mut stays: BTreeMap<BlockId, usize> = BTreeMap::new();
        for (a, at) in absences.iter().zip(&best.solution.offsets) {
            let stay = stays.entry(a.block).or_default();
            let place = |stay: usize| homes.get(&(a.block, stay)).copied();
            let (Some(before), Some(after)) = (place(*stay), place(*stay + 1)) else { continue };
            *stay += 1;
            let trip = |home: Home, (start, end): (usize, usize)| Trip {
                home: home.shifted(a.range.0),
                start,
                end,
                channel: 0,
            };
            let own: Vec<&Absence> = absences.iter().filter(|o| o.block == a.block).collect();
            let moves = |t: &TensorId| {
                let (first, last) = self.stays_of(*t, &own);
                first < *stay && *stay <= last
            };
            let members = blocks.place.iter().filter(|(t, (block, _))| *block == a.block && moves(t));
            let tensors = members.map(|(t, (_, at))| (*t, after.shifted(*at))).collect();
            let (out, back) = (trip(before, a.out), trip(after, a.back));
            plan.spills.push(Spill { at: *at as usize, bytes: a.range.1, out, back, tensors });
        }
        number(&mut plan.spills);
        let image = plan.image_bytes();
        plan.outside = Some(ArenaUse {
            level: outside.level.clone(),
            bytes: image + best.height as usize,
            capacity: Some(outside.capacity),
            lower_bound: image + allocator::lower_bound(&buffers) as usize,
            alignment: ALIGNMENT,
            optimal: best.proven,
        });
    }
}

/// The gaps between the touches of a block's tensors: each with its place in the block and its bytes.
fn gaps_of(
    members: &[(TensorId, usize, usize)],
    touches: &BTreeMap<TensorId, Vec<Touch>>,
    written: &BTreeMap<TensorId, usize>,
) -> Vec<Gap> {
    let of = |t: &TensorId| touches.get(t).map_or(&[][..], |t| t);
    let mut all: Vec<Touch> = members.iter().flat_map(|(t, ..)| of(t)).copied().collect();
    all.sort_unstable();
    let hull = |applies: &dyn Fn(&Touch) -> bool| {
        let touched = members.iter().filter(|(t, ..)| of(t).iter().any(applies));
        touched.fold((usize::MAX, 0), |(lo, hi), (_, at, bytes)| (lo.min(*at), hi.max(at + bytes)))
    };
    let mut gaps = Vec::new();
    // The first touch since the last gap: its layer may be the one that waits for the bytes.
    let (mut group, mut idle) = all.first().map_or((0, 0), |t| (t.0, t.1 + 1));
    for (first, last) in all {
        if first > idle {
            // What is needed was there before and is touched again.
            let (before, after) = (hull(&|t| t.1 < first), hull(&|t| t.0 >= first));
            let from = before.0.max(after.0) / WORD * WORD;
            let until = before.1.min(after.1).next_multiple_of(WORD);
            let complete = members.iter().filter_map(|(t, ..)| written.get(t)).filter(|w| **w <= idle);
            let complete = complete.max().copied().unwrap_or(0).max(group + 1);
            group = first;
            if from < until {
                gaps.push(Gap { complete, idle, wanted: first, range: (from, until - from) });
            }
        }
        idle = idle.max(last + 1);
    }
    gaps
}

/// Gives every transfer a number that no other one has meanwhile; those for which there is none are waited for at once.
fn number(spills: &mut [Spill]) {
    let mut trips: Vec<&mut Trip> = spills.iter_mut().flat_map(|s| [&mut s.out, &mut s.back]).collect();
    trips.sort_by_key(|t| t.start);
    let mut busy = [0; CHANNELS.end - CHANNELS.start - 1];
    for trip in trips {
        match busy.iter().position(|until| *until <= trip.start).filter(|_| trip.start < trip.end) {
            Some(free) => {
                busy[free] = trip.end;
                trip.channel = CHANNELS.start + free;
            }
            None => {
                trip.start = trip.end;
                trip.channel = CHANNELS.end - 1;
            }
        }
    }
}
