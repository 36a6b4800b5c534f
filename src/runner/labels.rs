//! Names for the bytes of an arena: which tensor lies where, and when.
//!
//! In: a compiled network. Out: [`Place`]s, for the messages of simulators. Never knows addresses.

use std::collections::BTreeMap;

use crate::driver::Compiled;
use crate::emit::arena_name;
use crate::ir::{NodeId, TensorId};
use crate::targets::Choice;
use crate::tiling::{Home, Load, Staged};

/// A tensor in an arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The tensor's name.
    pub name: String,
    /// The C symbol of the arena.
    pub arena: String,
    /// Bytes from its start.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// The first and the last step that it is there for, counted from 0 as `tw_layer` is.
    pub layers: (u32, u32),
}

/// The tensors in arenas, in the order of their names' ids.
pub fn places(compiled: &Compiled) -> Vec<Place> {
    let (graph, plan) = (&compiled.graph, &compiled.plan);
    let mut lives: BTreeMap<TensorId, (u32, u32)> = BTreeMap::new();
    let last = u32::try_from(plan.order.len()).unwrap_or(u32::MAX);
    for id in graph.inputs() {
        lives.insert(*id, (0, 0));
    }
    for (step, id) in (0u32..).zip(&plan.order) {
        let node = graph.node(*id);
        for t in node.inputs.iter().chain(&node.outputs) {
            lives.entry(*t).or_insert((step, step)).1 = step;
        }
    }
    for output in graph.outputs() {
        lives.entry(output.tensor).or_insert((last, last)).1 = u32::MAX;
    }
    let runs = plan.runs();
    let steps: BTreeMap<NodeId, u32> = plan.order.iter().copied().zip(0u32..).collect();
    let step = |layer: usize| runs.get(layer).and_then(|id| steps.get(id)).copied().unwrap_or(last);
    let place = |(id, home, back): (&TensorId, &Home, usize)| {
        let Home::Arena { arena, offset } = home else { return None };
        let tensor = graph.tensor(*id);
        // What is spilled is there from when it comes back until it leaves again.
        let (first, end) = *lives.get(id)?;
        let leaves = plan.spills.iter().filter(|s| s.tensors.contains_key(id) && s.out.end > back);
        let leaves = leaves.map(|s| step(s.out.end)).min().unwrap_or(u32::MAX);
        let from = if back == 0 { first } else { step(back) };
        Some(Place {
            name: format!("tensor {}", tensor.name),
            arena: arena_name(plan, *arena),
            offset: u32::try_from(*offset).ok()?,
            size: u32::try_from(tensor.ty.bytes()).ok()?,
            layers: (from, end.min(leaves)),
        })
    };
    let back = plan.spills.iter().flat_map(|s| s.tensors.iter().map(|(t, home)| (t, home, s.back.start)));
    plan.homes
        .iter()
        .map(|(t, home)| (t, home, 0))
        .chain(back)
        .filter_map(place)
        .chain(staged(compiled))
        .chain(parts(compiled))
        .chain(scratch(compiled))
        .chain(loads(compiled))
        .collect()
}

/// Constants that come from an external memory, several together, until the last layer that reads them.
fn loads(compiled: &Compiled) -> Vec<Place> {
    let (graph, plan) = (&compiled.graph, &compiled.plan);
    let runs = plan.runs();
    let steps: BTreeMap<NodeId, u32> = plan.order.iter().copied().zip(0u32..).collect();
    let step = |layer: usize| runs.get(layer).and_then(|id| steps.get(id)).copied();
    let place = |load: &Load| {
        let Home::Arena { arena, offset } = load.home else { return None };
        let readers =
            || plan.external.iter().filter(|(_, e)| (load.from..load.from + load.bytes).contains(&e.from));
        let last = readers().filter_map(|((node, _), _)| steps.get(node)).max().copied();
        let first = readers().min_by_key(|((node, _), _)| steps.get(node)).map(|((node, _), _)| *node)?;
        Some(Place {
            name: format!("constants for {}", graph.node(first).name),
            arena: arena_name(plan, arena),
            offset: u32::try_from(offset).ok()?,
            size: u32::try_from(load.bytes).ok()?,
            layers: (step(load.start)?, last?),
        })
    };
    plan.loads.iter().filter_map(place).collect()
}

/// Memory that kernels work in, beside their operands and results.
fn scratch(compiled: &Compiled) -> Vec<Place> {
    let (graph, plan) = (&compiled.graph, &compiled.plan);
    let bytes = |c: &Choice| c.scratch_bytes;
    let place = |(step, id): (u32, &NodeId)| {
        let choice = compiled.assignment.choices.get(id).map_or(0, bytes);
        let (arena, offset, size) = match (plan.tiled.get(id), plan.scratch.get(id)) {
            (Some(tiled), _) => {
                let size = tiled.kinds.iter().map(|k| bytes(&k.choice)).max().unwrap_or(0);
                (tiled.arena, tiled.base + tiled.scratch?, size)
            }
            (None, Some(Home::Arena { arena, offset })) => (*arena, *offset, choice),
            _ => return None,
        };
        Some(Place {
            name: format!("scratch memory of {}", graph.node(*id).name),
            arena: arena_name(plan, arena),
            offset: u32::try_from(offset).ok()?,
            size: u32::try_from(size).ok().filter(|s| *s > 0)?,
            layers: (step, step),
        })
    };
    (0u32..).zip(&plan.order).filter_map(place).collect()
}

/// Operands and results that are staged for a layer.
fn staged(compiled: &Compiled) -> Vec<Place> {
    let (graph, plan) = (&compiled.graph, &compiled.plan);
    let runs = plan.runs();
    // A layer's place in the plan's order, which is what `tw_layer` holds.
    let steps: BTreeMap<NodeId, u32> = plan.order.iter().copied().zip(0u32..).collect();
    let step = |layer: usize| runs.get(layer).and_then(|id| steps.get(id)).copied().unwrap_or(u32::MAX);
    let place = |((node, stream), s): (&(NodeId, usize), &Staged)| {
        let Home::Arena { arena, offset } = s.home else { return None };
        let n = graph.node(*node);
        let tensor = n.inputs.iter().chain(&n.outputs).nth(*stream)?;
        let own = *steps.get(node)?;
        let fetched = *stream < n.inputs.len();
        Some(Place {
            name: format!("a copy of tensor {}", graph.tensor(*tensor).name),
            arena: arena_name(plan, arena),
            offset: u32::try_from(offset).ok()?,
            size: u32::try_from(s.bytes).ok()?,
            layers: if fetched { (step(s.start), own) } else { (own, step(s.end)) },
        })
    };
    plan.staged.iter().filter_map(place).collect()
}

/// The slots of layers that are computed in parts.
fn parts(compiled: &Compiled) -> Vec<Place> {
    let (graph, plan) = (&compiled.graph, &compiled.plan);
    let mut places = Vec::new();
    for (step, id) in (0u32..).zip(&plan.order) {
        let Some(tiled) = plan.tiled.get(id) else { continue };
        for stream in &tiled.streams {
            for offset in &stream.slots {
                let (Ok(offset), Ok(size)) =
                    (u32::try_from(tiled.base + *offset), u32::try_from(stream.bytes))
                else {
                    continue;
                };
                places.push(Place {
                    name: format!("a part of tensor {}", graph.tensor(stream.tensor).name),
                    arena: arena_name(plan, tiled.arena),
                    offset,
                    size,
                    layers: (step, step),
                });
            }
        }
    }
    places
}
