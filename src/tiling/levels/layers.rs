//! The layers as the decision sees them.
//!
//! In: graph, kernels, blocks, order. Out: [`Layers`]. Never decides.

use std::collections::BTreeMap;

use super::timeline::aligned;
use crate::ir::{Graph, NodeId, TensorId};
use crate::targets::{Assignment, Library};
use crate::tiling::blocks::{BlockId, Blocks, Sharing};
use crate::tiling::external::{Loads, Outside};

/// Cycles to bring a kernel's code into the instruction cache, unless its manifest knows better.
const COLD: u64 = 200;
/// Cycles to bring what all layers share there: behind the start nothing is.
const BEGIN: u64 = 100;
/// Cycles to bring what is only a layer's there: its calls.
const SITE: u64 = 180;
/// Cycles around a kernel's call, and what each argument takes, whose code no other layer has brought.
const CALL: u64 = 68;
const ARGUMENT: f64 = 5.1;
/// Lines of the instruction cache.
const LINES: u64 = 256;
/// Cycles to bring one.
const LINE: u64 = 18;

/// Everything that is known before levels are decided.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// The kernels.
    pub assignment: &'a Assignment,
    /// Where they are from.
    pub library: &'a Library,
    /// Execution order of all nodes.
    pub order: &'a [NodeId],
    /// Which tensors share memory.
    pub blocks: &'a Blocks,
    /// Where constants come from, if kernels cannot read them there.
    pub outside: Option<&'a Outside>,
}

/// An operand or result.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its block; none for constants.
    pub block: Option<BlockId>,
    /// Bytes as the kernel reads or writes them.
    pub bytes: usize,
    /// Whether it is a result.
    pub written: bool,
}

/// A node that is computed.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The node.
    pub id: NodeId,
    /// Operands, then results.
    pub streams: Vec<Stream>,
    /// Cycles that it takes longer as its code is not in the instruction cache.
    pub cold: u64,
    /// Cycles around its kernel's call: the arguments, and the barrier behind it.
    pub call: u64,
    /// Cycles of its kernel with everything in the scratchpad.
    pub kernel: u64,
    /// Bytes of working memory.
    pub scratch: usize,
}

impl Layer {
    /// Bytes of its operands, results and working memory.
    pub fn bytes(&self) -> usize {
        self.streams.iter().map(|s| aligned(s.bytes)).sum::<usize>() + aligned(self.scratch)
    }
}

/// A block that may lie in the scratchpad.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// The block.
    pub block: BlockId,
    /// Bytes.
    pub bytes: usize,
    /// First and last layer it is there for.
    pub life: (usize, usize),
}

/// Layers in order, and the blocks that may be near.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The layers.
    pub list: Vec<Layer>,
    /// The blocks.
    pub candidates: Vec<Candidate>,
    /// For each block: the layers that read something in it.
    pub readers: BTreeMap<BlockId, Vec<usize>>,
    /// For each layer: when its constants can be outside of the scratchpad, in cycles from the start.
    pub arrivals: Vec<u64>,
}

impl Layers {
    /// The layers of a network.
    pub fn of(network: &Network, capacity: usize) -> Layers {
        let Network { graph, assignment, library, order, blocks, outside } = *network;
        let mut layers = Layers::default();
        // Layers before each step; step 0 comes before the first node.
        let mut before = vec![0, 0];
        for id in order.iter().copied() {
            if !blocks.elided.contains(&id) {
                layers.list.push(layer(graph, assignment, library, blocks, id));
            }
            before.push(layers.list.len());
        }
        let mut code = Code { brought: BEGIN, last: BTreeMap::new() };
        for l in &mut layers.list {
            l.cold = assignment.choices.get(&l.id).map_or(COLD, |c| code.layer(library.code(c)));
        }
        if let Some(l) = layers.list.first_mut() {
            l.cold += BEGIN;
        }
        for (i, l) in layers.list.iter().enumerate() {
            for block in l.streams.iter().filter(|s| !s.written).filter_map(|s| s.block) {
                layers.readers.entry(block).or_default().push(i);
            }
        }
        let runs: Vec<NodeId> = layers.list.iter().map(|l| l.id).collect();
        let arrivals =
            |o: &Outside| Loads::of(graph, assignment, &runs, |layer| layer, 2).arrivals(o, runs.len());
        layers.arrivals = outside.map_or_else(|| vec![0; runs.len()], arrivals);
        let ports: Vec<TensorId> =
            graph.inputs().iter().copied().chain(graph.outputs().iter().map(|o| o.tensor)).collect();
        let end = Sharing::end(order);
        for (block, b) in blocks.blocks.iter().enumerate() {
            let holds = |t: &TensorId| blocks.place.get(t).is_some_and(|(at, _)| *at == block);
            let fits = b.bytes > 0 && b.bytes <= capacity;
            if !fits || b.first == 0 || b.last >= end || ports.iter().any(holds) {
                continue;
            }
            // Step i + 1 is node i of the order: `before[i + 1]` layers come before it.
            let life = (before[b.first], before[b.last + 1].saturating_sub(1));
            layers.candidates.push(Candidate { block, bytes: b.bytes, life });
        }
        layers
    }
}

/// What is in the instruction cache: its lines are replaced at random, so the more has been brought since, the less of a
/// function is left.
struct Code {
    /// Cycles spent so far to bring code.
    brought: u64,
    /// What it was behind each function's last call.
    last: BTreeMap<String, u64>,
}

impl Code {
    /// Cycles that a layer takes longer as its functions are not, or not as a whole, in the cache.
    fn layer(&mut self, functions: Vec<(String, Option<u64>)>) -> u64 {
        self.brought += SITE;
        let mut cold = 0;
        for (function, cycles) in functions {
            let left = self.last.get(&function).map_or(0.0, |last| {
                let brought = ((self.brought - last) / LINE).min(LINES * 16);
                (0..brought).fold(1.0, |left, _| left * (1.0 - 1.0 / LINES as f64))
            });
            let share = (cycles.unwrap_or(COLD) as f64 * (1.0 - left)) as u64;
            cold += share;
            self.brought += share;
            self.last.insert(function, self.brought);
        }
        cold
    }
}

fn layer(graph: &Graph, assignment: &Assignment, library: &Library, blocks: &Blocks, id: NodeId) -> Layer {
    let node = graph.node(id);
    let choice = assignment.choices.get(&id);
    let stream = |(i, tensor): (usize, &TensorId)| {
        let ty = &graph.tensor(*tensor).ty;
        let written = i >= node.inputs.len();
        let read = choice.filter(|_| !written);
        Stream {
            block: blocks.place.get(tensor).map(|(block, _)| *block),
            bytes: read.map_or(ty.bytes(), |c| c.operand_bytes(i, ty)),
            written,
        }
    };
    let streams: Vec<Stream> = node.inputs.iter().chain(&node.outputs).enumerate().map(stream).collect();
    let bytes: usize = streams.iter().map(|s| s.bytes).sum();
    Layer {
        id,
        cold: 0,
        call: CALL + (choice.map_or(0, |c| library.arguments(c)) as f64 * ARGUMENT) as u64,
        // Without a cost in its manifest, a kernel takes a cycle for each byte.
        kernel: choice.and_then(|c| library.cycles(c)).unwrap_or(bytes as u64),
        scratch: choice.map_or(0, |c| c.scratch_bytes),
        streams,
    }
}
