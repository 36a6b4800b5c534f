//! Which blocks are near.
//!
//! In: layers and a scratchpad. Out: a [`Decision`]. First everything is near; blocks leave until the rest fits; then single
//! blocks change sides as long as that saves cycles. Deterministic: effort is counted in trials.

use std::collections::BTreeMap;

use super::layers::{Candidate, Layers, Network};
use super::timeline::{CALL, Outcome, Timeline, aligned};
use super::{Decision, Mode};
use crate::ir::TensorId;
use crate::tiling::tiles::Tiler;

/// Alignment of everything in the scratchpad.
pub const ALIGNMENT: usize = 8;
/// Trials of one network at most.
const TRIALS: usize = 400;

/// Decides for a network's layers; `capacity` are the bytes of the scratchpad that may be used.
pub fn decide(network: &Network, layers: &Layers, tiler: &Tiler, capacity: usize) -> Decision {
    let mut search = Search { layers, tiler, capacity, trials: 0 };
    let mut near = vec![false; network.blocks.blocks.len()];
    layers.candidates.iter().for_each(|c| near[c.block] = true);
    let mut outcome = search.run(&near);
    while let Some(leaves) = search.crowded(&near, &outcome) {
        near[leaves] = false;
        outcome = search.run(&near);
    }
    search.improve(&mut near, &mut outcome);
    search.decision(near, outcome)
}

struct Search<'a> {
    layers: &'a Layers,
    tiler: &'a Tiler<'a>,
    capacity: usize,
    trials: usize,
}

impl Search<'_> {
    fn run(&mut self, near: &[bool]) -> Outcome {
        self.trials += 1;
        Timeline::run(self.layers, self.tiler, near, self.capacity)
    }

    /// The block that should leave first: where bytes are missing, or else where a layer finds no room at all.
    fn crowded(&self, near: &[bool], outcome: &Outcome) -> Option<usize> {
        let roomy = |i: usize| {
            let layer = &self.layers.list[i];
            let whole: usize = layer.streams.iter().map(|s| aligned(s.bytes)).sum();
            let parts = || self.tiler.least(layer.id).is_some_and(|b| b <= self.capacity);
            whole + aligned(layer.scratch) <= self.capacity || parts()
        };
        let far = || (0..outcome.chosen.len()).find(|i| outcome.chosen[*i].mode == Mode::Far && roomy(*i));
        let at = outcome.fullest.or_else(far)?;
        let here = |c: &&Candidate| near[c.block] && c.life.0 <= at && at <= c.life.1;
        // What lies idle here costs least to send away; among equals the largest.
        let used = |c: &Candidate| self.layers.list[at].streams.iter().any(|s| s.block == Some(c.block));
        let rank = |c: &Candidate| (!used(c), c.bytes, c.life.1 - c.life.0, c.block);
        let list: Vec<&Candidate> = self.layers.candidates.iter().filter(here).collect();
        list.into_iter().max_by_key(|c| rank(c)).map(|c| c.block)
    }

    /// Moves single blocks to the other side while that helps.
    fn improve(&mut self, near: &mut [bool], outcome: &mut Outcome) {
        let mut order: Vec<&Candidate> = self.layers.candidates.iter().collect();
        order.sort_by_key(|c| (std::cmp::Reverse(c.bytes), c.block));
        // If all are near and nothing is left to be wished for, no move can help.
        let settled = order.iter().all(|c| near[c.block])
            && outcome.chosen.iter().all(|c| matches!(c.mode, Mode::Near));
        let mut again = !settled;
        while again {
            again = false;
            for c in &order {
                if self.trials >= TRIALS {
                    return;
                }
                near[c.block] = !near[c.block];
                let other = self.run(near);
                if (other.overflow, other.cycles) < (outcome.overflow, outcome.cycles) {
                    *outcome = other;
                    again = true;
                } else {
                    near[c.block] = !near[c.block];
                }
            }
        }
    }

    fn decision(&self, near: Vec<bool>, outcome: Outcome) -> Decision {
        let mut decision = Decision { staged: outcome.staged, ..Decision::default() };
        decision.near = (0..near.len()).filter(|b| near[*b]).collect();
        let mut before = 0;
        for (layer, chosen) in self.layers.list.iter().zip(outcome.chosen) {
            decision.modes.insert(layer.id, chosen.mode);
            decision.cycles.insert(layer.id, chosen.end - before);
            before = chosen.end;
        }
        decision.bound = self.bound();
        decision
    }

    /// The cores must compute everything, and the DMA must fetch every constant and input and store every output.
    fn bound(&self) -> u64 {
        let kernels = self.layers.list.iter().map(|l| l.kernel + CALL).sum();
        let near = |b: usize| self.layers.candidates.iter().any(|c| c.block == b);
        let streams = self.layers.list.iter().flat_map(|l| &l.streams);
        let outside = streams.filter(|s| s.block.is_none_or(|b| !near(b)));
        let moved: BTreeMap<TensorId, usize> = outside.map(|s| (s.tensor, s.bytes)).collect();
        let bytes: usize = moved.values().sum();
        let moved = bytes as f64 / self.tiler.pad.dma.bandwidth.max(0.01);
        u64::max(kernels, moved as u64)
    }
}
