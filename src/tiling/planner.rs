//! The planner: order, sharing, offsets.
//!
//! In: a verified graph, its kernels, one memory. Out: a [`Plan`] for [`validate`](super::validate::validate)
//! to judge. Never emits and never trusts itself.

use std::collections::{BTreeMap, BTreeSet};

use super::allocator::{self, Buffer};
use super::blocks::{Blocks, Sharing};
use super::external::{self, Loads, Outside};
use super::levels::{self, Mode, Near};
use super::plan::{ArenaUse, Home, Interface, Plan};
use super::schedule;
use super::tiles::Scratchpad;
use crate::diag::{Diagnostic, Result};
use crate::ir::ops::View;
use crate::ir::{Graph, NodeId};
use crate::targets::{Assignment, Library};

/// What the planner must know of the target.
#[derive(Clone, Debug)]
pub struct MemoryOptions {
    /// Name of the memory level the arena lies in.
    pub level: String,
    /// Bytes available there; `None` for no limit.
    pub capacity: Option<usize>,
    /// Every buffer starts at a multiple of this many bytes (at least its element size).
    pub alignment: usize,
    /// Where inputs and outputs are.
    pub interface: Interface,
    /// Search nodes the exact allocator may visit.
    pub search_nodes: u64,
    /// The nearer memory that layers are computed in, where there is one.
    pub scratchpad: Option<Scratchpad>,
    /// The memory that constants lie in, where it is none that kernels can read.
    pub outside: Option<Outside>,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        MemoryOptions {
            level: "ram".into(),
            capacity: None,
            alignment: 1,
            interface: Interface::Arena,
            search_nodes: 20_000,
            scratchpad: None,
            outside: None,
        }
    }
}

/// A schedule with its sharing, before offsets are known.
struct Draft {
    order: Vec<NodeId>,
    blocks: Blocks,
    peak: usize,
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
    let orders = schedule::candidates(graph).map_err(|nodes| {
        Diagnostic::internal(format!("the graph has a cycle through {} nodes", nodes.len()))
    })?;
    let drafts = orders.into_iter().map(|order| draft(graph, assignment, options, order));
    let Some(draft) = drafts.min_by_key(|d| d.peak) else {
        return Err(Diagnostic::internal("no schedule").into());
    };
    let near = match &options.scratchpad {
        Some(pad) => {
            let Draft { order, blocks, .. } = &draft;
            let outside = options.outside.as_ref();
            let network = levels::Network { graph, assignment, library, order, blocks, outside };
            Some(levels::plan(&network, pad, options.search_nodes)?)
        }
        None => None,
    };
    let mut plan = with_loads(graph, assignment, options, &draft, near.as_ref())?;
    if let Some(near) = near {
        near.extend(graph, &mut plan);
    }
    if let Some(outside) = &options.outside {
        external::add_waits(&mut plan, outside);
    }
    Ok(plan)
}

/// Offsets outside of the scratchpad. If constants come from an external memory: as early as there is room for them.
fn with_loads(
    graph: &Graph,
    assignment: &Assignment,
    options: &MemoryOptions,
    draft: &Draft,
    near: Option<&Near>,
) -> Result<Plan> {
    let Some(outside) = &options.outside else {
        let plan = allocate(graph, assignment, options, draft, near, &Loads::default())?;
        return check_capacity(plan, options);
    };
    let elided = &draft.blocks.elided;
    let runs: Vec<NodeId> = draft.order.iter().filter(|id| !elided.contains(id)).copied().collect();
    let wanted = |layer: usize| near.map_or(layer, |n| n.wanted(layer));
    let mut last = Err(Diagnostic::internal("no schedule of transfers").into());
    for ahead in [2, 1, 0] {
        let loads = Loads::of(graph, assignment, &runs, wanted, ahead);
        if loads.bytes() > outside.capacity {
            let (level, needed, has) = (&outside.level, loads.bytes(), outside.capacity);
            let message = format!("the constants need {needed} bytes of `{level}`, which has {has}");
            return Err(Diagnostic::infeasible(message).help("make the network smaller").into());
        }
        let plan = allocate(graph, assignment, options, draft, near, &loads)?;
        last = check_capacity(plan, options);
        if last.is_ok() {
            break;
        }
    }
    last
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

/// The blocks and scratch areas that need arena memory: (block or node, first, last, bytes).
enum Owner {
    Block(usize),
    Scratch(NodeId),
    Load(usize),
}

fn arena_buffers(
    graph: &Graph,
    assignment: &Assignment,
    options: &MemoryOptions,
    order: &[NodeId],
    blocks: &Blocks,
    near: Option<&Near>,
) -> Vec<(Owner, usize, usize, usize)> {
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
fn callers_blocks(graph: &Graph, blocks: &Blocks) -> BTreeMap<usize, Home> {
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
fn peak(buffers: &[(Owner, usize, usize, usize)], order: &[NodeId]) -> usize {
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

fn allocate(
    graph: &Graph,
    assignment: &Assignment,
    options: &MemoryOptions,
    draft: &Draft,
    near: Option<&Near>,
    loads: &Loads,
) -> Result<Plan> {
    let Draft { order, blocks, .. } = draft;
    let mut owners = arena_buffers(graph, assignment, options, order, blocks, near);
    // Layer i is node `steps[i]` of the order, from 1; behind the last comes the end.
    let runs = order.iter().enumerate().filter(|(_, id)| !blocks.elided.contains(id));
    let steps: Vec<usize> = runs.map(|(i, _)| i + 1).collect();
    for (i, group) in loads.groups.iter().enumerate() {
        let (start, last) = (steps[group.start], steps[group.last]);
        owners.push((Owner::Load(i), start, last, group.bytes));
    }
    let peak = peak(&owners, order);
    let mut widest = vec![options.alignment.max(1); blocks.blocks.len()];
    for (t, (block, _)) in &blocks.place {
        widest[*block] = widest[*block].max(graph.tensor(*t).ty.dtype.bytes());
    }
    let buffers: Vec<Buffer> = owners
        .iter()
        .enumerate()
        .map(|(i, (owner, first, last, bytes))| {
            let alignment = match owner {
                Owner::Block(b) => widest[*b],
                Owner::Scratch(_) | Owner::Load(_) => options.alignment.max(8),
            };
            Buffer::new(i.to_string(), *first as i64, *last as i64 + 1, *bytes as u64)
                .aligned(alignment as u64)
        })
        .collect();
    let search = allocator::Options { node_limit: options.search_nodes, time_limit: None };
    let best = allocator::minimise(&buffers, &search).ok_or_else(|| {
        Diagnostic::infeasible("the activations need more memory than can be addressed")
            .help("reduce the input's shape")
    })?;
    let mut start = near.map_or_else(BTreeMap::new, |n| n.blocks.clone());
    let mut arrivals = BTreeMap::new();
    let mut plan = Plan { interface: options.interface, ..Plan::default() };
    for ((owner, ..), offset) in owners.iter().zip(&best.solution.offsets) {
        let home = Home::Arena { arena: 0, offset: *offset as usize };
        match owner {
            Owner::Block(b) => {
                start.insert(*b, home);
            }
            Owner::Scratch(id) => {
                plan.scratch.insert(*id, home);
            }
            Owner::Load(i) => {
                arrivals.insert(*i, home);
            }
        }
    }
    if options.interface == Interface::Caller {
        start.extend(callers_blocks(graph, blocks));
    }
    for (t, (block, inner)) in &blocks.place {
        let empty = Home::Arena { arena: 0, offset: 0 };
        plan.homes.insert(*t, start.get(block).copied().unwrap_or(empty).shifted(*inner));
    }
    let alignment = buffers.iter().map(|b| b.alignment).max().unwrap_or(1) as usize;
    plan.arenas.push(ArenaUse {
        level: options.level.clone(),
        bytes: best.height as usize,
        capacity: options.capacity,
        lower_bound: peak,
        alignment,
        optimal: best.proven,
    });
    plan.order = order.clone();
    plan.aliases = blocks.aliases.clone();
    plan.elided = blocks.elided.clone();
    loads.extend(&mut plan, &arrivals);
    Ok(plan)
}

fn check_capacity(plan: Plan, options: &MemoryOptions) -> Result<Plan> {
    match (options.capacity, plan.arenas.first()) {
        (Some(capacity), Some(arena)) if arena.bytes > capacity => Err(Diagnostic::infeasible(format!(
            "the activations{} need {} bytes of `{}`, which has {capacity}; the largest live set alone is {} bytes",
            if plan.loads.is_empty() { "" } else { " and constants on their way" },
            arena.bytes,
            options.level,
            arena.lower_bound
        ))
        .help("use a target with more memory or a smaller input")
        .into()),
        _ => Ok(plan),
    }
}
