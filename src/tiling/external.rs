//! Constants in an external memory: which layers' come together, when, and where to.
//!
//! In: the layers in order and when each wants its constants, an external memory. Out: [`Loads`]: one transfer for each
//! group of layers, in the order of the layers. Never decides what is near.
//!
//! A transfer costs much to start and moves bytes slowly, so constants that are read one after the other lie one behind the
//! other, and a group is as many layers as make it worth its start. The bus takes [`CHANNELS`] transfers at once.

use std::collections::BTreeMap;

use super::plan::{External, Home, Load, Plan, Spill};
use crate::ir::{Graph, NodeId};
use crate::targets::Assignment;

/// Transfers under way at once.
const CHANNELS: usize = 2;
/// Cycles of core 0 to start one, before the layer's call.
const START: u64 = 215;
/// Cycles of core 0 to find that one has ended.
const CHECK: u64 = 100;
/// Bytes from which on a group is closed.
const GROUP: usize = 4096;
/// Alignment of everything: kernels load words, and the bus moves them.
pub const ALIGNMENT: usize = 8;

/// An external memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Outside {
    /// Its name.
    pub level: String,
    /// Bytes there are.
    pub capacity: usize,
    /// Cycles until the first byte of a transfer.
    pub latency: u64,
    /// Bytes per cycle.
    pub bandwidth: f64,
    /// The same for stores.
    pub store_bandwidth: f64,
    /// Whether constants lie there.
    pub constants: bool,
}

impl Outside {
    /// When a transfer ends that starts at `now` on a bus that is taken until `bus`: its latency passes beside others.
    fn ended(&self, bus: u64, now: u64, bytes: usize, rate: f64) -> u64 {
        bus.max(now + self.latency) + (bytes as f64 / rate.max(0.01)) as u64
    }
}

/// Constants of some layers that come together.
#[derive(Clone, Debug)]
pub struct Group {
    /// Where they lie in the image.
    from: usize,
    /// Bytes.
    pub bytes: usize,
    /// The layer that must find them.
    end: usize,
    /// The layer with which their transfer starts.
    pub start: usize,
    /// The last layer that reads them.
    pub last: usize,
    members: Vec<(NodeId, usize, usize)>,
}

/// All groups.
#[derive(Clone, Debug, Default)]
pub struct Loads {
    /// The groups, in the order of the layers.
    pub groups: Vec<Group>,
}

impl Loads {
    /// Groups for the layers `runs`; `wanted` says with which layer each layer's constants must be there. `ahead` is how many
    /// transfers may be under way while a layer is computed.
    pub fn of(
        graph: &Graph,
        assignment: &Assignment,
        runs: &[NodeId],
        wanted: impl Fn(usize) -> usize,
        ahead: usize,
    ) -> Loads {
        let mut loads = Loads::default();
        let mut image = 0;
        for (layer, id) in runs.iter().enumerate() {
            let node = graph.node(*id);
            let mut own = Vec::new();
            let mut bytes = 0;
            for (stream, t) in node.inputs.iter().enumerate() {
                let tensor = graph.tensor(*t);
                if !tensor.is_constant() || tensor.ty.bytes() == 0 {
                    continue;
                }
                let choice = assignment.choices.get(id);
                let packed = choice.map_or(tensor.ty.bytes(), |c| c.operand_bytes(stream, &tensor.ty));
                own.push((*id, stream, bytes));
                bytes += packed.next_multiple_of(ALIGNMENT);
            }
            if own.is_empty() {
                continue;
            }
            let end = wanted(layer);
            match loads.groups.last_mut().filter(|g| g.bytes < GROUP && g.bytes + bytes <= 2 * GROUP) {
                Some(group) => {
                    group.members.extend(own.into_iter().map(|(n, s, at)| (n, s, group.bytes + at)));
                    group.bytes += bytes;
                    group.last = layer;
                    group.end = group.end.min(end);
                }
                None => {
                    let members = own;
                    loads.groups.push(Group { from: image, bytes, end, start: end, last: layer, members });
                }
            }
            image += bytes;
        }
        loads.start(ahead);
        loads
    }

    /// Transfers start as early as the bus takes them: when one that is `ahead` places before them has ended.
    fn start(&mut self, ahead: usize) {
        // Ends are in order, whatever single layers want.
        for i in (1..self.groups.len()).rev() {
            self.groups[i - 1].end = self.groups[i - 1].end.min(self.groups[i].end);
        }
        let ends: Vec<usize> = self.groups.iter().map(|g| g.end).collect();
        for (i, group) in self.groups.iter_mut().enumerate() {
            let before = i.checked_sub(ahead.min(CHANNELS));
            group.start = before.map_or(0, |b| ends.get(b).copied().unwrap_or(0)).min(group.end);
        }
    }

    /// When the constants of each of `layers` layers can be there at the earliest, in cycles from the start.
    pub fn arrivals(&self, outside: &Outside, layers: usize) -> Vec<u64> {
        let mut arrivals = vec![0; layers];
        let (mut before, mut bus, mut first) = (0, 0, 0);
        for group in &self.groups {
            let ended = outside.ended(bus, before, group.bytes, outside.bandwidth);
            (before, bus) = (bus, ended);
            arrivals[first..=group.last].iter_mut().for_each(|a| *a = bus);
            first = group.last + 1;
        }
        arrivals
    }

    /// Adds them to a plan: group `i` lies at `homes[i]`.
    pub fn extend(&self, plan: &mut Plan, homes: &BTreeMap<usize, Home>) {
        for (i, group) in self.groups.iter().enumerate() {
            let Some(home) = homes.get(&i).copied() else { continue };
            plan.loads.push(Load {
                from: group.from,
                bytes: group.bytes,
                home,
                start: group.start,
                end: group.end,
                channel: i % CHANNELS,
            });
            for (node, stream, at) in &group.members {
                let home = home.shifted(*at);
                plan.external.insert((*node, *stream), External { from: group.from + at, home });
            }
        }
    }
}

/// A transfer between the arena and an external memory: what a plan's loads and spills have in common.
struct Transfer {
    start: usize,
    end: usize,
    bytes: usize,
    rate: f64,
}

/// Adds what the layers wait for the bus to a plan's predicted cycles, each to the layer behind whose call it happens. The bus
/// takes the transfers in the order they start.
pub fn add_waits(plan: &mut Plan, outside: &Outside) {
    let spill = |s: &Spill, back: bool| {
        let (trip, rate) = if back { (s.back, outside.bandwidth) } else { (s.out, outside.store_bandwidth) };
        Transfer { start: trip.start, end: trip.end, bytes: s.bytes, rate }
    };
    let load = |l: &Load| Transfer { start: l.start, end: l.end, bytes: l.bytes, rate: outside.bandwidth };
    let ways = [false, true].into_iter().flat_map(|back| plan.spills.iter().map(move |s| (s, back)));
    let mut transfers: Vec<Transfer> = ways.map(|(s, back)| spill(s, back)).collect();
    transfers.extend(plan.loads.iter().map(load));
    transfers.sort_by_key(|t| t.start);
    let runs = plan.runs();
    let (mut now, mut bus) = (0u64, 0u64);
    // The layer before which each transfer must have ended, and when it has.
    let mut under_way: Vec<(usize, u64)> = Vec::new();
    let mut next = transfers.iter().peekable();
    for i in 0..=runs.len() {
        let (mut wait, mut starts) = (0, 0);
        while let Some(t) = next.next_if(|t| t.start <= i) {
            bus = outside.ended(bus, now, t.bytes, t.rate);
            starts += START;
            match t.end <= i {
                true => wait = bus - now,
                false => under_way.push((t.end, bus)),
            }
        }
        let Some(id) = runs.get(i).or(runs.last()) else { return };
        let own = if i < runs.len() { plan.cycles.get(id).copied().unwrap_or(0) } else { 0 };
        wait += starts;
        now += wait + own;
        let ended = || under_way.iter().filter(|(end, _)| *end == i + 1).map(|(_, at)| *at);
        let behind = ended().max().unwrap_or(0).saturating_sub(now) + CHECK * ended().count() as u64;
        now += behind;
        *plan.cycles.entry(*id).or_default() += wait + behind;
    }
}
