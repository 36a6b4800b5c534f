//! The planner: order, sharing, places.
//!
//! In: a verified graph, its kernels, one memory. Out: a [`Plan`] for [`validate`](super::validate::validate)
//! to judge. Never emits and never trusts itself.

use std::collections::{BTreeMap, BTreeSet};

use super::arena::Arena;
use super::blocks::{Blocks, Sharing};
use super::external::{self, Outside};
use super::levels::{self, Mode, Near};
use super::plan::{Home, Interface, Plan};
use super::schedule;
use super::spill::Owned;
use super::tiles::Scratchpad;
use crate::diag::{Diagnostic, Result};
use crate::ir::ops::View;
use crate::ir::{Graph, NodeId};
use crate::targets::{Assignment, Library};

/// A memory that activations may lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The platform's name of it.
    pub name: String,
    /// Bytes available there; `None` for no limit.
    pub capacity: Option<usize>,
}

/// What the planner must know of the target.
#[derive(Clone, Debug)]
pub struct MemoryOptions {
    /// Name of the memory level the arena lies in.
    pub level: String,
    /// Bytes available there; `None` for no limit.
    pub capacity: Option<usize>,
    /// Faster memories that activations may lie in too, the fastest first.
    pub faster: Vec<Level>,
    /// Bytes of all of these together at most.
    pub limit: Option<usize>,
    /// Bytes there are, whether they may be used or not.
    pub size: Option<usize>,
    /// Every buffer starts at a multiple of this many bytes (at least its element size).
    pub alignment: usize,
    /// Where inputs and outputs are.
    pub interface: Interface,
    /// Search nodes the exact allocator may visit.
    pub search_nodes: u64,
    /// The nearer memory that layers are computed in, where there is one.
    pub scratchpad: Option<Scratchpad>,
    /// Whether constants lie in the level of the arena too.
    pub holds_constants: bool,
    /// Whether layers may be computed row by row together.
    pub streams: bool,
    /// Bytes of the arena at most, if the user says so.
    pub ram_budget: Option<usize>,
    /// The memory outside of the chip, for constants and for what does not fit the arena.
    pub outside: Option<Outside>,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        MemoryOptions {
            level: "ram".into(),
            capacity: None,
            faster: Vec::new(),
            limit: None,
            size: None,
            alignment: 1,
            interface: Interface::Arena,
            search_nodes: 20_000,
            scratchpad: None,
            holds_constants: false,
            streams: false,
            ram_budget: None,
            outside: None,
        }
    }
}

impl MemoryOptions {
    /// All memories that activations may lie in, the fastest first.
    pub fn levels(&self) -> Vec<Level> {
        let last = Level { name: self.level.clone(), capacity: self.capacity };
        self.faster.iter().cloned().chain([last]).collect()
    }

    /// The same with one memory without a limit.
    pub fn unlimited(&self) -> MemoryOptions {
        MemoryOptions { capacity: None, faster: Vec::new(), limit: None, ..self.clone() }
    }

    /// The external memory that constants lie in, if they do.
    pub fn constants_outside(&self) -> Option<&Outside> {
        self.outside.as_ref().filter(|o| o.constants)
    }
}

/// A schedule with its sharing, before offsets are known.
pub struct Draft {
    /// Execution order of all nodes.
    pub order: Vec<NodeId>,
    /// Which tensors share memory.
    pub blocks: Blocks,
    peak: usize,
}

impl Draft {
    /// The nodes that are computed, in order.
    pub fn runs(&self) -> Vec<NodeId> {
        self.order.iter().filter(|id| !self.blocks.elided.contains(id)).copied().collect()
    }
}

/// Plans the memory of the whole network.
///
/// # Errors
/// The network does not fit the capacity, or a layer has no part that fits the scratchpad: says how many bytes it needs
/// and has.
pub fn plan(
    graph: &Graph,
    assignment: &Assignment,
    library: &Library,
    options: &MemoryOptions,
) -> Result<Plan> {
    let draft = best_draft(graph, assignment, options)?;
    let near = match &options.scratchpad {
        Some(pad) => {
            let Draft { order, blocks, .. } = &draft;
            let outside = options.constants_outside();
            let network = levels::Network { graph, assignment, library, order, blocks, outside };
            Some(levels::plan(&network, pad, options.search_nodes)?)
        }
        None => None,
    };
    let arena = Arena { graph, assignment, options, draft: &draft, near: near.as_ref() };
    let mut plan = if options.faster.is_empty() { arena.plan()? } else { arena.plan_levels()? };
    if let Some(near) = near {
        near.extend(graph, &mut plan);
    }
    if let Some(outside) = options.outside.as_ref().filter(|_| plan.outside.is_some()) {
        external::add_waits(&mut plan, outside);
    }
    Ok(plan)
}

/// The order and sharing with the fewest live bytes.
///
/// # Errors
/// The graph has a cycle.
pub fn best_draft(graph: &Graph, assignment: &Assignment, options: &MemoryOptions) -> Result<Draft> {
    let orders = schedule::candidates(graph).map_err(|nodes| {
        Diagnostic::internal(format!("the graph has a cycle through {} nodes", nodes.len()))
    })?;
    let drafts = orders.into_iter().map(|order| draft(graph, assignment, options, order));
    let best = drafts.min_by_key(|d| d.peak);
    best.ok_or_else(|| Diagnostic::internal("no schedule").into())
}

/// Bytes that the memories leave activations; `None` for no limit.
///
/// # Errors
/// The graph has a cycle.
pub fn room(graph: &Graph, assignment: &Assignment, options: &MemoryOptions) -> Result<Option<usize>> {
    if !options.faster.is_empty() {
        let all: Option<usize> = options.levels().iter().map(|l| l.capacity).sum();
        return Ok(all.min(options.limit).or(options.limit).or(all));
    }
    let draft = best_draft(graph, assignment, options)?;
    Ok(Arena { graph, assignment, options, draft: &draft, near: None }.room().1)
}

/// Shares memory for one order: joins every concatenation, then leaves alone those that are cheaper copied.
fn draft(graph: &Graph, assignment: &Assignment, options: &MemoryOptions, order: Vec<NodeId>) -> Draft {
    let build = |copied: &BTreeSet<NodeId>| {
        let blocks = Sharing::build(graph, assignment, options, &order, copied);
        let peak = peak(&arena_buffers(graph, assignment, options, &order, &blocks, None), &order);
        (blocks, peak)
    };
    let mut copied = BTreeSet::new();
    let (mut blocks, mut peak) = build(&copied);
    let joins = order.iter().copied().filter(|id| {
        let n = graph.node(*id);
        matches!(n.op.view(&graph.types(&n.inputs), &graph.types(&n.outputs)), View::Joined { .. })
    });
    for id in joins.collect::<Vec<_>>() {
        copied.insert(id);
        let (other, lower) = build(&copied);
        if lower < peak {
            (blocks, peak) = (other, lower);
        } else {
            copied.remove(&id);
        }
    }
    Draft { order, blocks, peak }
}

/// What needs arena memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A block.
    Block(usize),
    /// One stay of a block that leaves for a while.
    Stay(usize, usize),
    /// Working memory of a node.
    Scratch(NodeId),
    /// A group of constants.
    Load(usize),
    /// An operand and the result that is written over it, see [`overlay`](super::overlay).
    Pair(usize),
}

pub fn arena_buffers(
    graph: &Graph,
    assignment: &Assignment,
    options: &MemoryOptions,
    order: &[NodeId],
    blocks: &Blocks,
    near: Option<&Near>,
) -> Vec<Owned> {
    let external =
        if options.interface == Interface::Caller { callers_blocks(graph, blocks) } else { BTreeMap::new() };
    let mut list: Vec<_> = blocks
        .blocks
        .iter()
        .enumerate()
        .filter(|(i, b)| b.bytes > 0 && !external.contains_key(i))
        .filter(|(i, _)| near.is_none_or(|n| !n.blocks.contains_key(i)))
        .map(|(i, b)| (Owner::Block(i), b.first, b.last, b.bytes))
        .collect();
    for (i, id) in order.iter().enumerate() {
        let bytes = assignment.choices.get(id).map_or(0, |c| c.scratch_bytes);
        let far = near.is_none_or(|n| n.decision.modes.get(id).is_none_or(|m| *m == Mode::Far));
        if bytes > 0 && !blocks.elided.contains(id) && far {
            list.push((Owner::Scratch(*id), i + 1, i + 1, bytes));
        }
    }
    list
}

/// Blocks that are the caller's buffers.
pub fn callers_blocks(graph: &Graph, blocks: &Blocks) -> BTreeMap<usize, Home> {
    let mut homes = BTreeMap::new();
    for (index, o) in graph.outputs().iter().enumerate() {
        if let Some((block, _)) = blocks.place.get(&o.tensor) {
            homes.insert(*block, Home::Output { index, offset: 0 });
        }
    }
    for (index, t) in graph.inputs().iter().enumerate() {
        if let Some((block, _)) = blocks.place.get(t) {
            homes.insert(*block, Home::Input { index, offset: 0 });
        }
    }
    homes
}

/// Largest live set over the schedule, in bytes.
pub fn peak(buffers: &[Owned], order: &[NodeId]) -> usize {
    let mut change = vec![0i64; Sharing::end(order) + 2];
    for (_, first, last, bytes) in buffers {
        change[*first] += *bytes as i64;
        change[*last + 1] -= *bytes as i64;
    }
    let mut live = 0;
    change
        .iter()
        .map(|c| {
            live += c;
            live
        })
        .max()
        .unwrap_or(0) as usize
}
