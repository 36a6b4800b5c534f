//! Candidates: which stretches of the order can be computed row by row together, and what each takes.
//!
//! In: a graph with its kernels, the order of its layers, which tensors share memory. Out: bytes that are live while each layer,
//! or each stretch, is computed. Never plans: bytes are estimates, as if everything found its place without gaps.

use std::collections::{BTreeMap, BTreeSet};

use super::merge::{closed, sources};
use super::parts::Layer;
use super::schedule::{Cost, Link, cost};
use crate::ir::{Graph, NodeId, TensorId};
use crate::targets::{Assignment, Library};
use crate::tiling::blocks::Blocks;
use crate::tiling::plan::Interface;
use crate::tiling::planner::{MemoryOptions, arena_buffers, callers_blocks};

/// Layers in a group at most.
const MOST: usize = 32;
/// Rows at a time that are worth a look, beside one.
const ROWS: [usize; 4] = [16, 8, 4, 2];

/// A stretch of the order that can be computed row by row.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// Its first layer, by its place in the order.
    pub begin: usize,
    /// Behind its last.
    pub end: usize,
    /// Bytes that are live while it is computed one row at a time.
    pub bytes: usize,
    /// What it takes then.
    pub cost: Cost,
}

/// A network's layers and stretches.
pub struct Candidates<'a> {
    graph: &'a Graph,
    order: Vec<NodeId>,
    layers: Vec<Option<Layer<'a>>>,
    stays: Vec<Stay>,
    /// Bytes of each block in the arena.
    bytes: Vec<usize>,
    /// Bytes that are live while each layer is computed by itself.
    pub live: Vec<usize>,
    /// Stretches by where they end.
    pub stretches: Vec<Vec<Stretch>>,
}

/// When each tensor is made and read last (node i of the order is step i + 1), where it is, and that place's bytes.
struct Stay {
    tensor: TensorId,
    made: usize,
    read: usize,
    block: usize,
}

impl<'a> Candidates<'a> {
    /// Those of a network.
    pub fn new(
        graph: &'a Graph,
        assignment: &'a Assignment,
        library: &'a Library,
        options: &MemoryOptions,
        order: Vec<NodeId>,
        blocks: &Blocks,
    ) -> Candidates<'a> {
        let computed = |id: &NodeId| !blocks.elided.contains(id);
        let layer = |id: &NodeId| Layer::new(graph, assignment, library, *id).filter(|_| computed(id));
        let layers = order.iter().map(layer).collect();
        let mut live = vec![0; order.len()];
        for (_, first, last, bytes) in arena_buffers(graph, assignment, options, &order, blocks, None) {
            for step in first.max(1)..=last.min(order.len()) {
                live[step - 1] += bytes;
            }
        }
        let callers = match options.interface {
            Interface::Caller => callers_blocks(graph, blocks).into_keys().collect(),
            Interface::Arena => BTreeSet::new(),
        };
        let bytes = blocks.blocks.iter().enumerate();
        let bytes = bytes.map(|(i, b)| if callers.contains(&i) { 0 } else { b.bytes }).collect();
        let stretches = vec![Vec::new(); order.len() + 1];
        let stays = Vec::new();
        let mut candidates = Candidates { graph, order, layers, stays, bytes, live, stretches };
        candidates.stays = candidates.stays(blocks);
        for begin in 0..candidates.order.len() {
            candidates.from(begin);
        }
        candidates
    }

    fn stays(&self, blocks: &Blocks) -> Vec<Stay> {
        let mut stays = Vec::new();
        let places: BTreeMap<NodeId, usize> =
            self.order.iter().enumerate().map(|(i, id)| (*id, i + 1)).collect();
        let uses = self.graph.uses();
        for (tensor, (block, _)) in &blocks.place {
            let place = |id: &NodeId| places.get(id).copied().unwrap_or(0);
            let made = uses.producer(*tensor).map_or(0, |(id, _)| place(&id));
            let end = self.order.len() + 1;
            let last = uses.consumers(*tensor).iter().map(place).max().unwrap_or(made);
            let read = if self.graph.is_output(*tensor) { end } else { last };
            stays.push(Stay { tensor: *tensor, made, read, block: *block });
        }
        stays
    }

    /// All stretches that begin here.
    fn from(&mut self, begin: usize) {
        let mut largest = self.live[begin];
        for end in begin + 2..=self.order.len().min(begin + MOST) {
            if self.layers[begin..end].iter().any(Option::is_none) {
                return;
            }
            largest = largest.max(self.live[end - 1]);
            if !closed(self.graph, &self.order[begin..end]) {
                continue;
            }
            // Together they should take less than apart.
            if let Some((bytes, cost)) = self.look(begin, end, 1).filter(|(bytes, _)| *bytes < largest) {
                self.stretches[end].push(Stretch { begin, end, bytes, cost });
            }
        }
    }

    /// Bytes that are live while a stretch is computed, and what it takes.
    fn look(&self, begin: usize, end: usize, rows: usize) -> Option<(usize, Cost)> {
        let (sources, inputs) = sources(self.graph, &self.order[begin..end])?;
        let links = self.layers[begin..end].iter().zip(sources);
        let links: Option<Vec<Link>> =
            links.map(|(layer, operands)| Some(Link { layer: layer.as_ref()?, operands })).collect();
        let cost = cost(&links?, rows)?;
        let result = self.graph.node(self.order[end - 1]).outputs[0];
        let crossing = self.stays.iter().filter(|s| s.made <= begin && s.read > begin);
        let blocks: BTreeSet<usize> = crossing.map(|s| s.block).collect();
        let own = self.stays.iter().find(|s| s.tensor == result);
        let own = own.map_or(0, |s| self.graph.tensor(result).ty.bytes().min(self.bytes[s.block]));
        let around = own + blocks.into_iter().map(|b| self.bytes[b]).sum::<usize>();
        // The result is written over the operand that leaves most room for it.
        let saved = inputs.iter().enumerate().filter_map(|(i, t)| {
            let stay = self.stays.iter().find(|s| s.tensor == *t)?;
            let bytes = self.graph.tensor(*t).ty.bytes();
            let before =
                cost.overlay.iter().filter(|(o, _)| inputs.get(*o) == Some(t)).map(|(_, n)| *n).max()?;
            let others = self.stays.iter().any(|s| s.block == stay.block && s.read > end);
            let over = !others
                && own > 0
                && self.bytes[stay.block] == bytes
                && cost.overlay.iter().any(|(o, _)| *o == i);
            over.then(|| (bytes + own).saturating_sub(own.max(before + bytes)))
        });
        let saved = saved.max().unwrap_or(0);
        Some((around - saved.min(around) + cost.bytes, cost))
    }

    /// As many rows at a time as `budget` leaves room for.
    pub fn rows(&self, stretch: &Stretch, budget: usize) -> usize {
        let fits = |rows: &usize| {
            let (bytes, cost) = self.look(stretch.begin, stretch.end, *rows)?;
            (cost.steps < stretch.cost.steps && bytes <= budget).then_some(*rows)
        };
        ROWS.iter().find_map(fits).unwrap_or(1)
    }

    /// The names of a stretch's layers.
    pub fn names(&self, stretch: &Stretch) -> Vec<String> {
        let ids = &self.order[stretch.begin..stretch.end];
        ids.iter().map(|id| self.graph.node(*id).name.clone()).collect()
    }
}
