//! Offsets in the scratchpad.
//!
//! In: a network and a scratchpad. Out: a [`Near`]: the decision and where everything that it keeps near lies. If a decision
//! fits by its bytes but not by any placement found, the next one gets that many bytes less.

use std::collections::BTreeMap;

use super::layers::{Layer, Layers, Network};
use super::search::{ALIGNMENT, decide};
use super::timeline::aligned;
use super::{Decision, Mode};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::ir::{Graph, NodeId};
use crate::tiling::allocator::{self, Buffer};
use crate::tiling::blocks::BlockId;
use crate::tiling::plan::{ArenaUse, Home, Plan, Staged};
use crate::tiling::tiles::{Scratchpad, Tiler};

/// Decisions tried at most.
const ROUNDS: usize = 8;
/// Transfers that the DMA takes at once, less those of a layer in parts.
const TRANSFERS: usize = 12;

/// A decision with offsets.
#[derive(Clone, Debug)]
pub struct Near {
    /// What was decided.
    pub decision: Decision,
    /// Where each near block lies.
    pub blocks: BTreeMap<BlockId, Home>,
    /// Transfers of whole tensors.
    pub staged: BTreeMap<(NodeId, usize), Staged>,
    scratch: BTreeMap<NodeId, Home>,
    bases: BTreeMap<NodeId, usize>,
    arena: ArenaUse,
}

/// Whose bytes a buffer is.
enum Owner {
    Block(BlockId),
    Staged(usize),
    Scratch(NodeId),
    Parts(NodeId),
}

/// Decides and places; `search_nodes` bounds the allocator's effort.
///
/// # Errors
/// Layers that fit in no way, and how many bytes they need.
pub fn plan(network: &Network, pad: &Scratchpad, search_nodes: u64) -> Result<Near> {
    let tiler = Tiler::new(network.graph, network.assignment, network.library, pad);
    let layers = Layers::of(network, pad.capacity);
    refuse(network, &layers, &tiler)?;
    let mut capacity = pad.capacity;
    let mut bound = None;
    for _ in 0..ROUNDS {
        let mut decision = decide(network, &layers, &tiler, capacity, pad.budget);
        // With less memory than there is nothing is proven.
        decision.bound = *bound.get_or_insert(decision.bound);
        let near = place(&layers, decision, pad, search_nodes)?;
        if near.arena.bytes <= pad.capacity {
            return Ok(near);
        }
        capacity = capacity.saturating_sub(near.arena.bytes - pad.capacity);
    }
    Err(Diagnostic::infeasible(format!(
        "no placement of {} bytes of `{}` was found",
        pad.capacity, pad.level
    ))
    .help("give it a few hundred bytes more (--l1 BYTES), or none (--untiled)")
    .into())
}

/// One diagnostic for each layer that has parts of which not even the smallest fits.
fn refuse(network: &Network, layers: &Layers, tiler: &Tiler) -> Result<()> {
    let pad = tiler.pad;
    let large = |l: &&Layer| l.bytes() > pad.capacity && tiler.fits(l.id) == Some(false);
    let large = layers.list.iter().filter(large).map(|l| l.id);
    let refused: Vec<(NodeId, usize)> = large.filter_map(|id| Some((id, tiler.least(id)?))).collect();
    let wanted = refused.iter().map(|(_, least)| *least).max().unwrap_or(0);
    let faults = refused.iter().map(|(id, least)| {
        let node = network.graph.node(*id);
        let message = format!(
            "its smallest part needs {least} bytes of `{}`, of which {} may be used",
            pad.level, pad.capacity
        );
        Diagnostic::infeasible(message).at(&node.name, node.op.name()).help(format!(
            "--{} {wanted} is enough for every layer; --untiled computes without it",
            pad.level
        ))
    });
    Diagnostics(faults.collect()).into_result(())
}

fn place(layers: &Layers, decision: Decision, pad: &Scratchpad, search_nodes: u64) -> Result<Near> {
    let mut list: Vec<(Owner, usize, (usize, usize))> = Vec::new();
    for c in layers.candidates.iter().filter(|c| decision.near.contains(&c.block)) {
        list.push((Owner::Block(c.block), c.bytes, c.life));
    }
    // What first parts take lies in their layers' shares, which then begin earlier.
    let mut begins: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, s) in decision.staged.iter().enumerate() {
        match s.slot {
            Some(_) => drop(begins.insert(s.layer, s.start)),
            None => list.push((Owner::Staged(i), s.bytes, s.life)),
        }
    }
    for (i, layer) in layers.list.iter().enumerate() {
        match decision.modes.get(&layer.id) {
            Some(Mode::Near) if layer.scratch > 0 => {
                list.push((Owner::Scratch(layer.id), layer.scratch, (i, i)));
            }
            Some(Mode::Parts(tiled)) => {
                let life = (*begins.get(&i).unwrap_or(&i), i);
                list.push((Owner::Parts(layer.id), tiled.bytes, life));
            }
            _ => {}
        }
    }
    let buffer = |(i, (_, bytes, life)): (usize, &(Owner, usize, (usize, usize)))| {
        Buffer::new(i.to_string(), life.0 as i64, life.1 as i64 + 1, aligned(*bytes) as u64)
            .aligned(ALIGNMENT as u64)
    };
    let buffers: Vec<Buffer> = list.iter().enumerate().map(buffer).collect();
    let search = allocator::Options { node_limit: search_nodes, time_limit: None };
    let best = allocator::minimise(&buffers, &search)
        .ok_or_else(|| Diagnostic::internal(format!("`{}` has no placement", pad.level)))?;
    let arena = ArenaUse {
        level: pad.level.clone(),
        bytes: best.height as usize,
        capacity: Some(pad.capacity),
        lower_bound: allocator::lower_bound(&buffers) as usize,
        alignment: pad.alignment,
        optimal: best.proven,
    };
    let mut near = Near {
        blocks: BTreeMap::new(),
        staged: BTreeMap::new(),
        scratch: BTreeMap::new(),
        bases: BTreeMap::new(),
        arena,
        decision,
    };
    let transfers = transfers(&near.decision)?;
    for ((owner, ..), offset) in list.iter().zip(&best.solution.offsets) {
        let offset = *offset as usize;
        let home = Home::Arena { arena: pad.arena, offset };
        match owner {
            Owner::Block(b) => drop(near.blocks.insert(*b, home)),
            Owner::Scratch(id) => drop(near.scratch.insert(*id, home)),
            Owner::Parts(id) => drop(near.bases.insert(*id, offset)),
            Owner::Staged(i) => near.stage(layers, *i, home, transfers[*i]),
        }
    }
    for (i, s) in near.decision.staged.clone().iter().enumerate() {
        let base = near.bases.get(&layers.list[s.layer].id);
        if let Some((slot, base)) = s.slot.zip(base) {
            near.stage(layers, i, Home::Arena { arena: pad.arena, offset: base + slot }, transfers[i]);
        }
    }
    Ok(near)
}

/// A number for each staging: the same for fetches or stores that start and end together, small, and free again
/// behind the end.
fn transfers(decision: &Decision) -> Result<Vec<usize>> {
    let written = |s: &super::Staging| s.life.0 < s.start;
    let mut groups: BTreeMap<(usize, usize, bool), usize> = BTreeMap::new();
    let mut busy: Vec<usize> = Vec::new();
    for s in &decision.staged {
        groups.insert((s.start, s.end, written(s)), 0);
    }
    for ((start, end, _), number) in &mut groups {
        // One that ends with a layer is waited for at the end of the layer before.
        let free = busy.iter().position(|until| until <= start);
        let slot = free.unwrap_or(busy.len());
        if slot == busy.len() {
            busy.push(0);
        }
        busy[slot] = (*end).max(start + 1);
        *number = slot;
    }
    if busy.len() > TRANSFERS {
        return Err(Diagnostic::internal(format!("{} transfers at once", busy.len())).into());
    }
    Ok(decision.staged.iter().map(|s| groups[&(s.start, s.end, written(s))]).collect())
}

impl Near {
    fn stage(&mut self, layers: &Layers, index: usize, home: Home, transfer: usize) {
        let s = self.decision.staged[index];
        let (bytes, start, end) = (s.bytes, s.start, s.end);
        let key = (layers.list[s.layer].id, s.stream);
        self.staged.insert(key, Staged { home, bytes, start, end, transfer });
    }

    /// With which layer the constants of layer `layer` must be outside of the scratchpad: as their first transfer starts.
    pub fn wanted(&self, layer: usize) -> usize {
        let own = self.decision.staged.iter().filter(|s| s.layer == layer && s.life.1 == layer);
        own.map(|s| s.start).min().unwrap_or(layer).min(layer)
    }

    /// Adds everything that is near to a plan, whose blocks are placed already.
    pub fn extend(self, graph: &Graph, plan: &mut Plan) {
        plan.scratch.extend(self.scratch);
        plan.staged = self.staged;
        for (id, mode) in self.decision.modes {
            if let (Mode::Parts(tiled), Some(base)) = (mode, self.bases.get(&id)) {
                let mut tiled = (*tiled).clone();
                tiled.base = *base;
                // It was made for the first layer of its kind.
                let node = graph.node(id);
                for (stream, t) in tiled.streams.iter_mut().zip(node.inputs.iter().chain(&node.outputs)) {
                    stream.tensor = *t;
                }
                plan.tiled.insert(id, tiled);
            }
        }
        plan.cycles = self.decision.cycles;
        plan.cycles_bound = Some(self.decision.bound);
        if self.arena.bytes > 0 {
            plan.arenas.push(self.arena);
        }
    }
}
