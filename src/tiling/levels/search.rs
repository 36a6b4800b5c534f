//! Which blocks are near.
//!
//! In: layers and a scratchpad. Out: a [`Decision`] with the fewest cycles, or the best found in a budget and a bound below
//! which there is none. Deterministic: effort is counted, not timed.
//!
//! Optimal means: no other set of near blocks that fits, layer by layer, takes fewer cycles by the [`Timeline`], which
//! plays each layer in the mode that ends first and starts each transfer as early as there is room. It says nothing about
//! timelines that are less greedy, nor about sizes of parts that the [`Tiler`] does not look at.
//!
//! Branch and bound, breadth first. Blocks are decided in the order in which they come to life, and layers are played as
//! soon as all blocks that matter to them are decided. So every node of the tree is a timeline that is exact up to some
//! layer; what follows takes at least the kernels ([`Timeline::least`]). Of nodes of one depth that agree in all that
//! matters later ([`Timeline::key`]) only the earliest is kept: in networks that are chains few remain. If the budget does
//! not suffice for all of them, those of the least bound go on, and the least bound of those dropped is what is proven.

use std::collections::BTreeMap;

use super::layers::{Candidate, Layers, Network};
use super::timeline::{Outcome, Timeline, starting};
use super::{Decision, Mode};
use crate::tiling::tiles::Tiler;

/// Alignment of everything in the scratchpad.
pub const ALIGNMENT: usize = 8;
/// Trials of whole networks at most, for a first solution.
const TRIALS: usize = 60;
/// What it takes to copy a node of the tree, in layers that might be played instead.
const COPY: u64 = 6;

/// Decides for a network's layers; `capacity` are the bytes of the scratchpad that may be used, `budget` how many layers
/// may be played.
pub fn decide(network: &Network, layers: &Layers, tiler: &Tiler, capacity: usize, budget: u64) -> Decision {
    let blocks = network.blocks.blocks.len();
    let mut search = Search { layers, tiler, capacity, blocks, trials: 0, budget };
    let mut near = vec![false; blocks];
    // What is near takes room from layers in parts: with little of it nothing near is the better start.
    let (none, empty) = (near.clone(), search.run(&near));
    layers.candidates.iter().for_each(|c| near[c.block] = true);
    let mut outcome = search.run(&near);
    while let Some(leaves) = search.crowded(&near, &outcome) {
        near[leaves] = false;
        outcome = search.run(&near);
    }
    if (empty.overflow, empty.cycles) < (outcome.overflow, outcome.cycles) {
        (near, outcome) = (none, empty);
    }
    search.improve(&mut near, &mut outcome);
    let bound = search.branch(&mut near, &mut outcome);
    search.decision(near, outcome, bound)
}

struct Search<'a> {
    layers: &'a Layers,
    tiler: &'a Tiler<'a>,
    capacity: usize,
    blocks: usize,
    trials: usize,
    /// Layers that may still be played.
    budget: u64,
}

/// A node of the tree: what is decided, and the cycles that nothing below undercuts.
struct Node<'a> {
    line: Timeline<'a>,
    least: u64,
}

impl<'a> Search<'a> {
    fn run(&mut self, near: &[bool]) -> Outcome {
        self.trials += 1;
        let outcome = Timeline::run(self.layers, self.tiler, near, self.capacity);
        self.spend(self.layers.list.len() as u64);
        outcome
    }

    /// Takes off the budget what was played, and what forms of layers were looked for meanwhile.
    fn spend(&mut self, played: u64) {
        self.budget = self.budget.saturating_sub(played + self.tiler.pad.seen.effort.take());
    }

    /// The block that should leave first: where bytes are missing, or else where a layer finds no room at all.
    fn crowded(&self, near: &[bool], outcome: &Outcome) -> Option<usize> {
        let roomy = |i: usize| {
            let layer = &self.layers.list[i];
            let parts = || self.tiler.least(layer.id).is_some_and(|b| b <= self.capacity);
            layer.bytes() <= self.capacity || parts()
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
        let (mut again, floor) = (true, self.budget / 2);
        while again {
            again = false;
            for c in &order {
                if self.trials >= TRIALS || self.budget <= floor {
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

    /// Replaces the solution by the best one; the cycles that none undercuts.
    fn branch(&mut self, near: &mut Vec<bool>, outcome: &mut Outcome) -> u64 {
        let n = self.layers.list.len();
        let mut rest = vec![0; n + 1];
        for i in (0..n).rev() {
            rest[i] = rest[i + 1] + Timeline::least(self.layers, i);
        }
        let mut order: Vec<&Candidate> = self.layers.candidates.iter().collect();
        order.sort_by_key(|c| (c.life.0, std::cmp::Reverse(c.bytes), c.block));
        let root = Timeline::new(self.layers, self.tiler, self.blocks, self.capacity);
        let mut level = vec![Node { line: root, least: rest[0] }];
        let mut proven = u64::MAX;
        for depth in 0..=order.len() {
            // A layer depends on what is near with it and right behind it.
            let known = order.get(depth).map_or(n, |c| c.life.0.saturating_sub(1));
            let mut kept: BTreeMap<Vec<i64>, Node> = BTreeMap::new();
            for mut node in level {
                let played = node.line.advance(known);
                self.spend(COPY + played);
                node.least = node.line.now() + rest[known];
                // A solution is only replaced by a better one.
                if node.least >= outcome.cycles && outcome.overflow == 0 {
                    continue;
                }
                let key = node.line.key();
                if kept.get(&key).is_none_or(|other| node.least < other.least) {
                    kept.insert(key, node);
                }
            }
            let mut nodes: Vec<Node> = kept.into_values().collect();
            let left = 2 * ((n - known) as u64 + COPY * (order.len() - depth) as u64).max(1);
            let most = (self.budget / left).max(1);
            if nodes.len() as u64 > most {
                nodes.sort_by_key(|node| node.least);
                let dropped = nodes.split_off(usize::try_from(most).unwrap_or(usize::MAX));
                proven = dropped.iter().map(|node| node.least).fold(proven, u64::min);
            }
            let Some(block) = order.get(depth) else {
                level = nodes;
                break;
            };
            level = nodes.into_iter().flat_map(|node| children(node, block)).collect();
        }
        for node in level {
            let (set, other) = node.line.end();
            if (other.overflow, other.cycles) < (outcome.overflow, outcome.cycles) {
                (*near, *outcome) = (set, other);
            }
        }
        proven.min(outcome.cycles)
    }

    fn decision(&self, near: Vec<bool>, outcome: Outcome, bound: u64) -> Decision {
        let mut decision = Decision { staged: outcome.staged, ..Decision::default() };
        decision.near = (0..near.len()).filter(|b| near[*b]).collect();
        let (mut before, mut behind) = (0, 0);
        let ahead = outcome.chosen.iter().skip(1).map(|c| c.ahead).chain([0]).collect::<Vec<u64>>();
        for ((layer, chosen), ahead) in self.layers.list.iter().zip(outcome.chosen).zip(ahead) {
            decision.modes.insert(layer.id, chosen.mode);
            let own = chosen.end - before - chosen.late - chosen.ahead - chosen.behind;
            decision.cycles.insert(layer.id, own + ahead + behind);
            (before, behind) = (chosen.end, chosen.behind);
        }
        // A transfer is started by another layer than it is for; behind the last one by none.
        let mut started: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for s in decision.staged.iter().filter(|s| s.layer != s.start) {
            *started.entry((s.layer, s.start)).or_default() += 1;
        }
        for ((layer, start), copies) in started {
            let by = starting(copies) as i64;
            for (at, by) in [(layer, -by), (start, by)] {
                if let Some(layer) = self.layers.list.get(at) {
                    decision.cycles.entry(layer.id).and_modify(|c| *c = c.saturating_add_signed(by));
                }
            }
        }
        let sum = decision.cycles.values().sum();
        decision.bound = if bound >= outcome.cycles { sum } else { bound.min(sum) };
        decision
    }
}

/// The two ways to go on: the block is near, if there is room, or it is not.
fn children<'a>(node: Node<'a>, block: &Candidate) -> Vec<Node<'a>> {
    let mut line = node.line.clone();
    let mut both = Vec::new();
    if line.put(block) {
        both.push(Node { line, least: node.least });
    }
    both.push(node);
    both
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
