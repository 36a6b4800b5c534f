//! What a plan moves between memories, and what it must move at least.
//!
//! In: graph, plan, platform. Out: figures for the report. Never decides anything.

use serde::{Deserialize, Serialize};

use super::report::Layer;
use crate::ir::{Graph, NodeId, TensorId};
use crate::targets::Platform;
use crate::targets::platform::Role;
use crate::tiling::tiles::Tiled;
use crate::tiling::{Home, Plan};

/// A layer in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiles {
    /// Size of a part along each axis of the operator's iteration space.
    pub shape: Vec<usize>,
    /// How many parts.
    pub count: usize,
    /// Whether the next part is fetched while one is computed.
    pub ahead: bool,
    /// Bytes of the scratchpad that the layer's buffers take.
    pub bytes: usize,
}

impl Tiles {
    /// That of a layer in parts.
    pub fn of(tiled: &Tiled) -> Tiles {
        let Tiled { shape, ahead, bytes, .. } = tiled;
        Tiles { shape: shape.clone(), count: tiled.tiles.len(), ahead: *ahead, bytes: *bytes }
    }
}

/// Bytes between the scratchpad and other memories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Into the scratchpad.
    pub fetched: u64,
    /// Out of it.
    pub stored: u64,
    /// Both, if every operand that is not in the scratchpad is fetched once, and every such result stored once.
    pub least: u64,
}

/// Whether a tensor lies in a scratchpad.
fn near(plan: &Plan, platform: &Platform, home: &Home) -> bool {
    let Home::Arena { arena, .. } = home else { return false };
    let level = plan.arenas.get(*arena).map(|a| &a.level);
    platform.memories.iter().any(|m| m.role == Role::Scratchpad && Some(&m.name) == level)
}

/// Whether the plan uses a scratchpad at all.
fn has_scratchpad(plan: &Plan, platform: &Platform) -> bool {
    let levels = || platform.memories.iter().filter(|m| m.role == Role::Scratchpad);
    levels().any(|m| plan.arenas.iter().any(|a| a.level == m.name))
}

/// How a layer is computed, on platforms with a scratchpad.
pub fn mode(graph: &Graph, plan: &Plan, platform: &Platform, id: NodeId) -> Option<&'static str> {
    if !has_scratchpad(plan, platform) {
        return None;
    }
    if plan.tiled.contains_key(&id) {
        return Some("parts");
    }
    let node = graph.node(id);
    let there = |(stream, tensor): (usize, &TensorId)| {
        let home = plan.staged.get(&(id, stream)).map(|s| &s.home).or_else(|| plan.homes.get(tensor));
        home.is_some_and(|h| near(plan, platform, h)) || graph.tensor(*tensor).ty.bytes() == 0
    };
    let all = node.inputs.iter().chain(&node.outputs).enumerate().all(there);
    Some(if all { "near" } else { "far" })
}

/// What the DMA moves for a layer.
pub fn layer(graph: &Graph, plan: &Plan, platform: &Platform, id: NodeId) -> Option<Moved> {
    mode(graph, plan, platform, id)?;
    let node = graph.node(id);
    let (fetched, stored) = plan.tiled.get(&id).map_or((0, 0), Tiled::moved);
    let mut moved = Moved { fetched, stored, least: 0 };
    for (stream, tensor) in node.inputs.iter().chain(&node.outputs).enumerate() {
        // What the first part takes is counted with the other parts.
        if let Some(staged) = plan.staged.get(&(id, stream)).filter(|_| !plan.stages_first(id, stream)) {
            let way = if stream < node.inputs.len() { &mut moved.fetched } else { &mut moved.stored };
            *way += staged.bytes as u64;
        }
        if !plan.homes.get(tensor).is_some_and(|h| near(plan, platform, h)) {
            moved.least += graph.tensor(*tensor).ty.bytes() as u64;
        }
    }
    Some(moved)
}

/// What the DMA moves for the network.
pub fn total(
    graph: &Graph,
    plan: &Plan,
    platform: &Platform,
    layers: &[Layer],
    constants: usize,
) -> Option<Moved> {
    if !has_scratchpad(plan, platform) {
        return None;
    }
    let ends = graph.inputs().iter().copied().chain(graph.outputs().iter().map(|o| o.tensor));
    let ends: usize = ends.map(|t| graph.tensor(t).ty.bytes()).sum();
    let sum = |of: fn(&Moved) -> u64| layers.iter().filter_map(|l| l.moved.as_ref()).map(of).sum();
    let least = (constants + ends) as u64 + loaded(plan).unwrap_or(0);
    Some(Moved { fetched: sum(|m| m.fetched), stored: sum(|m| m.stored), least })
}

/// Bytes of constants that come from an external memory, where some do.
pub fn loaded(plan: &Plan) -> Option<u64> {
    (!plan.loads.is_empty()).then(|| plan.loads.iter().map(|l| l.bytes as u64).sum())
}

/// Bytes of tensors that leave for an external memory, where some do; as many come back.
pub fn spilled(plan: &Plan) -> Option<u64> {
    (!plan.spills.is_empty()).then(|| plan.spills.iter().map(|s| s.bytes as u64).sum())
}
