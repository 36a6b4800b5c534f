//! Results over operands: a layer that reads its operand from front to back may write its result where it has read.
//!
//! In: a draft and, in the kernels' choices, how far before an operand a result may begin. Out: [`Overlays`]: blocks whose
//! places depend on each other, as buffers with fixed offsets for the allocator. Never chooses the others' offsets.
//!
//! A result begins some bytes before its operand, and may itself be such an operand. All of a row of such blocks lie at the
//! bottom of the arena: the last at offset 0, each before it a little higher.

use std::collections::BTreeMap;

use super::blocks::BlockId;
use super::plan::{Alias, AliasKind, Interface};
use super::planner::{Draft, MemoryOptions, Owner, callers_blocks};
use super::spill::Owned;
use crate::ir::{Graph, NodeId};
use crate::targets::Assignment;

/// Alignment of blocks that begin before others, in bytes.
const ALIGNMENT: usize = 16;

/// A result over an operand.
#[derive(Clone, Copy, Debug)]
struct Pair {
    alias: Alias,
    /// When: node i of the order is step i + 1.
    step: usize,
    operand: BlockId,
    result: BlockId,
    /// Bytes that the result begins before the operand.
    before: usize,
    /// Bytes that are saved.
    saved: usize,
}

/// Results over operands, and where they lie.
#[derive(Debug, Default)]
pub struct Overlays {
    pairs: Vec<Pair>,
    places: BTreeMap<BlockId, usize>,
    bytes: BTreeMap<BlockId, usize>,
}

impl Overlays {
    /// Those that save most, as far as they can all lie at the bottom.
    pub fn of(graph: &Graph, assignment: &Assignment, options: &MemoryOptions, draft: &Draft) -> Overlays {
        let mut found: Vec<Pair> = Vec::new();
        for (i, id) in draft.order.iter().enumerate() {
            found.extend(pairs(graph, assignment, options, draft, *id, i + 1));
        }
        found.sort_by_key(|p| (std::cmp::Reverse(p.saved), p.step, p.operand));
        let mut overlays = Overlays::default();
        for pair in found {
            let mut pairs = overlays.pairs.clone();
            pairs.push(pair);
            if let Some(places) = places(&pairs, draft) {
                (overlays.pairs, overlays.places) = (pairs, places);
            }
        }
        overlays.pairs.sort_by_key(|p| p.step);
        let bytes = |b: &BlockId| (*b, draft.blocks.blocks[*b].bytes);
        overlays.bytes = overlays.places.keys().map(bytes).collect();
        overlays
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// What needs memory: where a result is written over an operand, both are one.
    pub fn applied(&self, mut owners: Vec<Owned>) -> Vec<Owned> {
        for (owner, first, last, _) in &mut owners {
            let Owner::Block(block) = owner else { continue };
            for pair in &self.pairs {
                if pair.operand == *block {
                    *last = (*last).min(pair.step - 1);
                } else if pair.result == *block {
                    *first = (*first).max(pair.step + 1);
                }
            }
        }
        for (i, pair) in self.pairs.iter().enumerate() {
            let end = self.bytes[&pair.result].max(pair.before + self.bytes[&pair.operand]);
            owners.push((Owner::Pair(i), pair.step, pair.step, end));
        }
        owners
    }

    /// Where something must lie.
    pub fn place(&self, owner: &Owner) -> Option<usize> {
        match owner {
            Owner::Block(block) => self.places.get(block).copied(),
            Owner::Pair(i) => self.places.get(&self.pairs.get(*i)?.result).copied(),
            _ => None,
        }
    }

    /// Blocks that lie one over the other.
    pub fn rows(&self) -> Vec<Vec<BlockId>> {
        let mut rows: Vec<Vec<BlockId>> = Vec::new();
        for pair in &self.pairs {
            match rows.iter_mut().find(|row| row.contains(&pair.operand)) {
                Some(row) => row.push(pair.result),
                None => rows.push(vec![pair.operand, pair.result]),
            }
        }
        rows
    }

    /// The operand that a result is written over.
    pub fn operand(&self, pair: usize) -> Option<BlockId> {
        Some(self.pairs.get(pair)?.operand)
    }

    /// Why tensors share memory.
    pub fn aliases(&self) -> impl Iterator<Item = Alias> + '_ {
        self.pairs.iter().map(|p| p.alias)
    }
}

/// The operand of a layer that its result saves most over.
fn pairs(
    graph: &Graph,
    assignment: &Assignment,
    options: &MemoryOptions,
    draft: &Draft,
    id: NodeId,
    step: usize,
) -> Option<Pair> {
    let (node, choice) = (graph.node(id), assignment.choices.get(&id)?);
    let blocks = &draft.blocks;
    let outside = match options.interface {
        Interface::Caller => callers_blocks(graph, blocks),
        Interface::Arena => BTreeMap::new(),
    };
    // Blocks that hold one tensor and nothing else.
    let alone = |t| {
        let (block, start) = *blocks.place.get(&t)?;
        let whole = start == 0 && blocks.blocks[block].bytes == graph.tensor(t).ty.bytes();
        (whole && !outside.contains_key(&block)).then_some(block)
    };
    let result_tensor = *node.outputs.first()?;
    let result = alone(result_tensor).filter(|b| blocks.blocks[*b].first == step)?;
    let found = choice.overlay.iter().filter_map(|(index, _)| {
        let tensor = *node.inputs.get(*index)?;
        let operand = alone(tensor).filter(|b| blocks.blocks[*b].last == step)?;
        // The same tensor may be several operands.
        let before = choice.overlay.iter().filter(|(o, _)| node.inputs.get(*o) == Some(&tensor));
        let before = before.map(|(_, n)| *n).max()?.next_multiple_of(options.alignment.max(ALIGNMENT));
        let (above, below) = (blocks.blocks[operand].bytes, blocks.blocks[result].bytes);
        let saved = (above + below).checked_sub(below.max(before + above)).filter(|n| *n > 0)?;
        let alias = Alias { node: id, operand: tensor, result: result_tensor, kind: AliasKind::Overlaid };
        Some(Pair { alias, step, operand, result, before, saved })
    });
    found.max_by_key(|p| p.saved)
}

/// Where all blocks lie; `None` if two of them would have to lie at the bottom at a time.
fn places(pairs: &[Pair], draft: &Draft) -> Option<BTreeMap<BlockId, usize>> {
    let mut places = BTreeMap::new();
    let mut times: Vec<(usize, usize)> = Vec::new();
    let next = |block: BlockId| pairs.iter().find(|p| p.result == block);
    // From the last of each row upwards.
    for last in pairs.iter().filter(|p| !pairs.iter().any(|q| q.operand == p.result)) {
        let (mut block, mut at) = (last.result, 0);
        let end = draft.blocks.blocks[block].last;
        places.insert(block, at);
        while let Some(pair) = next(block) {
            at += pair.before;
            block = pair.operand;
            if places.insert(block, at).is_some() {
                return None;
            }
        }
        times.push((draft.blocks.blocks[block].first, end));
    }
    times.sort_unstable();
    let apart = times.windows(2).all(|w| w[0].1 < w[1].0);
    apart.then_some(places)
}
