//! One run with everything that is known about it: the record of `tilewright run --json`, and what report pages show.
//!
//! In: an [`Outcome`]. Out: [`Record`], serialised as documented in `docs/json.md`. Never measures and never decides.

use serde::{Deserialize, Serialize};

use super::execute::Outcome;
use super::flash::Flash;
use super::labels::{Place, places};
use super::result::CaseResult;
use crate::driver::Compiled;
use crate::emit::{Layer, MemoryUse, Totals, arena_name};
use crate::sim::{LayerTime, PartTime, Stretch, Timeline};
use crate::targets::Platform;
use crate::targets::platform::Role;
use crate::tiling::Hot;
use crate::tiling::streaming::Point;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The verdict and the main figures.
    #[serde(flatten)]
    pub result: CaseResult,
    /// Version of tilewright.
    #[serde(default)]
    pub version: String,
    /// What it ran on.
    #[serde(default)]
    pub platform: Hardware,
    /// Sums over the network.
    #[serde(default)]
    pub totals: Totals,
    /// Memories used.
    #[serde(default)]
    pub memories: Vec<MemoryUse>,
    /// What other numbers of bytes of RAM take, where a budget was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ram_curve: Vec<Point>,
    /// Bytes of flash, as far as they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flash: Option<Flash>,
    /// What the fastest memory is used for, where activations lie in several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hot: Option<Hot>,
    /// Nodes in the order of execution.
    #[serde(default)]
    pub layers: Vec<LayerRecord>,
    /// What was measured behind the last layer: results stored, outputs copied.
    #[serde(default)]
    pub ending: Option<Measured>,
    /// Tensors and their parts in arenas.
    #[serde(default)]
    pub buffers: Vec<Buffer>,
    /// What happened when, if it was measured.
    #[serde(default)]
    pub timeline: Option<Moments>,
}

/// What a network ran on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hardware {
    /// Memories.
    pub memories: Vec<Level>,
    /// What runs kernels.
    pub engines: Vec<Cores>,
}

/// One memory of a platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// What it is for, as in `platform.toml`.
    pub role: Role,
    /// Bytes.
    pub bytes: Option<u64>,
    /// Bytes of it that are not for the network.
    pub reserved: u64,
    /// Bytes per cycle of a long transfer.
    pub bandwidth: Option<f64>,
}

/// One engine of a platform.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cores {
    /// Its name.
    pub name: String,
    /// Cores.
    pub cores: u32,
    /// Multiply-accumulates per cycle of one core, at best.
    pub macs_per_cycle: Option<f64>,
}

/// One layer, as planned and as measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// As planned.
    #[serde(flatten)]
    pub planned: Layer,
    /// As measured, by simulators that do.
    #[serde(default)]
    pub measured: Option<Measured>,
}

/// What was measured of a layer. Cycles, and bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// From its begin to its end.
    pub cycles: u64,
    /// Of these, those in which the core that leads waited for a transfer.
    pub exposed: u64,
    /// Of these, those in which any transfer was under way.
    pub dma: u64,
    /// Bytes into the scratchpad by transfers that started in it.
    pub fetched: u64,
    /// Bytes out of it.
    pub stored: u64,
    /// Bytes from and to memories outside of the chip.
    pub outside: u64,
    /// Cycles of all cores that work, those asleep.
    #[serde(default)]
    pub asleep: u64,
    /// Instructions of all cores.
    pub instructions: u64,
    /// Its parts.
    pub parts: Vec<Part>,
}

/// What was measured of a part of a layer. Cycles, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Fetching its operands.
    pub fetch: u64,
    /// From the first core's call of the kernel to the last one's return.
    pub kernel: u64,
    /// Storing its results.
    pub store: u64,
    /// Waiting for transfers before it.
    pub wait: u64,
    /// Bytes fetched.
    pub fetched: u64,
    /// Bytes stored.
    pub stored: u64,
}

/// Bytes of an arena that have a name for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffer {
    /// The tensor's name, or the node's that works in it.
    pub name: String,
    /// What of it: `tensor`, a staged `copy`, a `part`, the `scratch` memory of a node, or a `load`: constants from outside
    /// of the chip, the first of them for this node.
    pub kind: String,
    /// The memory.
    pub level: String,
    /// From the arena's start.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
    /// The first layer it is there for, counted from 0.
    pub first: u32,
    /// The last one; the number of layers for what outlives them.
    pub last: u32,
}

/// First cycle, last cycle, layer, part, bytes.
pub type Moment = (u64, u64, Option<u32>, Option<usize>, u64);

/// What happened when, in cycles from the begin of the first layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    /// Layers.
    pub layers: Vec<Moment>,
    /// Kernels.
    pub kernels: Vec<Moment>,
    /// Transfers into the scratchpad.
    pub fetches: Vec<Moment>,
    /// Transfers out of it.
    pub stores: Vec<Moment>,
    /// Transfers from and to memories outside of the chip.
    pub outside: Vec<Moment>,
    /// Waits for transfers of the core that leads.
    pub waits: Vec<Moment>,
}

impl Record {
    /// That of a run.
    pub fn new(outcome: &Outcome) -> Record {
        let mut record = Record {
            result: outcome.result.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            platform: Hardware::default(),
            totals: Totals::default(),
            memories: Vec::new(),
            ram_curve: Vec::new(),
            flash: outcome.flash,
            hot: None,
            layers: Vec::new(),
            ending: None,
            buffers: Vec::new(),
            timeline: None,
        };
        let Some(compiled) = &outcome.compiled else { return record };
        let report = &compiled.sources.report;
        let times = &outcome.profile.layers;
        record.platform = hardware(&compiled.target.platform);
        record.totals = report.totals.clone();
        record.memories.clone_from(&report.memories);
        record.ram_curve.clone_from(&report.ram_curve);
        record.hot.clone_from(&report.hot);
        let layer = |(number, planned): (usize, &Layer)| LayerRecord {
            planned: Layer { rejected: Vec::new(), ..planned.clone() },
            measured: measured(times, |n| n == number),
        };
        record.layers = report.layers.iter().enumerate().map(layer).collect();
        record.ending = measured(times, |n| n >= report.layers.len());
        record.buffers = buffers(compiled);
        record.timeline = times.iter().any(|t| t.cycles > 0).then(|| moments(&outcome.profile.timeline));
        record
    }
}

fn hardware(platform: &Platform) -> Hardware {
    let memories = platform.memories.iter().map(|m| Level {
        name: m.name.clone(),
        role: m.role,
        bytes: m.size,
        reserved: m.reserved,
        bandwidth: m.bandwidth,
    });
    let engines = platform.engines.iter().map(|e| Cores {
        name: e.name.clone(),
        cores: e.cores,
        macs_per_cycle: e.macs_per_cycle,
    });
    Hardware { memories: memories.collect(), engines: engines.collect() }
}

/// What was measured of the layers with these numbers.
fn measured(times: &[LayerTime], wanted: impl Fn(usize) -> bool) -> Option<Measured> {
    let mut sum: Option<Measured> = None;
    for time in times.iter().filter(|t| usize::try_from(t.number).is_ok_and(&wanted)) {
        sum.get_or_insert_with(Measured::default).add(time);
    }
    sum
}

impl Measured {
    /// What was measured of a layer that ran once.
    pub fn of(time: &LayerTime) -> Measured {
        let mut measured = Measured::default();
        measured.add(time);
        measured
    }
    fn add(&mut self, time: &LayerTime) {
        self.cycles += time.cycles;
        self.exposed += time.exposed;
        self.dma += time.dma;
        self.fetched += time.fetched;
        self.stored += time.stored;
        self.outside += time.outside;
        self.asleep += time.asleep;
        self.instructions += time.instructions;
        self.parts.extend(time.parts.iter().map(part));
    }
}

fn part(p: &PartTime) -> Part {
    let PartTime { kernel, fetch, store, wait, fetched, stored } = *p;
    Part { fetch, kernel, store, wait, fetched, stored }
}

/// How places are named, and what they are then.
const KINDS: [(&str, &str); 5] = [
    ("constants for ", "load"),
    ("tensor ", "tensor"),
    ("a copy of tensor ", "copy"),
    ("a part of tensor ", "part"),
    ("scratch memory of ", "scratch"),
];

fn buffers(compiled: &Compiled) -> Vec<Buffer> {
    let plan = &compiled.plan;
    let arenas: Vec<String> = (0..plan.arenas.len()).map(|i| arena_name(plan, i)).collect();
    let steps = u32::try_from(plan.order.len()).unwrap_or(u32::MAX);
    let buffer = |p: Place| {
        let arena = arenas.iter().position(|a| *a == p.arena)?;
        let named = KINDS.iter().find_map(|(prefix, kind)| Some((p.name.strip_prefix(prefix)?, *kind)));
        let (name, kind) = named.unwrap_or((&p.name, ""));
        Some(Buffer {
            name: name.into(),
            kind: kind.into(),
            level: plan.arenas.get(arena)?.level.clone(),
            offset: p.offset.into(),
            bytes: p.size.into(),
            first: p.layers.0.min(steps),
            last: p.layers.1.min(steps),
        })
    };
    places(compiled).into_iter().filter_map(buffer).chain(outside(compiled)).collect()
}

/// What lies in an external memory: constants all the time, then spilled tensors.
fn outside(compiled: &Compiled) -> Vec<Buffer> {
    let (graph, plan) = (&compiled.graph, &compiled.plan);
    let Some(memory) = &plan.outside else { return Vec::new() };
    let runs = plan.runs();
    let step = |layer: usize| {
        let at = runs.get(layer).and_then(|id| plan.order.iter().position(|o| o == id));
        u32::try_from(at.unwrap_or(plan.order.len())).unwrap_or(u32::MAX)
    };
    let image = plan.image_bytes() as u64;
    let buffer = |name: String, kind: &str, offset: u64, bytes: u64, (first, last): (usize, usize)| Buffer {
        name,
        kind: kind.into(),
        level: memory.level.clone(),
        offset,
        bytes,
        first: step(first),
        last: step(last),
    };
    let spilled = plan.spills.iter().map(|s| {
        let name = s.tensors.keys().next().map_or_else(String::new, |t| graph.tensor(*t).name.clone());
        buffer(name, "copy", image + s.at as u64, s.bytes as u64, (s.out.start, s.back.end))
    });
    let constants = (image > 0).then(|| buffer("all layers".into(), "load", 0, image, (0, runs.len())));
    constants.into_iter().chain(spilled).collect()
}

fn moments(timeline: &Timeline) -> Moments {
    let all = |list: &[Stretch]| list.iter().map(|s| (s.from, s.until, s.layer, s.part, s.bytes)).collect();
    Moments {
        layers: all(&timeline.layers),
        kernels: all(&timeline.kernels),
        fetches: all(&timeline.fetches),
        stores: all(&timeline.stores),
        outside: all(&timeline.outside),
        waits: all(&timeline.waits),
    }
}
