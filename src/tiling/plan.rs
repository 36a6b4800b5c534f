//! The plan: a side table that says where every tensor lives. Made by the planner, believed by nobody
//! until validated.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::streaming::{Group, Point, Streaming};
use super::tiles::Tiled;
use crate::ir::{NodeId, TensorId};

/// Where the buffers of the network's inputs and outputs come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interface {
    /// They lie inside the arena and share its memory with everything else.
    #[default]
    Arena,
    /// The caller passes a pointer for each.
    Caller,
}

/// Where a tensor's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// In an arena, `offset` bytes in.
    Arena {
        /// Index into [`Plan::arenas`].
        arena: usize,
        /// Bytes from the arena's start.
        offset: usize,
    },
    /// In the caller's buffer of graph input `index`, `offset` bytes in.
    Input {
        /// Which graph input.
        index: usize,
        /// Bytes from the buffer's start.
        offset: usize,
    },
    /// In the caller's buffer of graph output `index`, `offset` bytes in.
    Output {
        /// Which graph output.
        index: usize,
        /// Bytes from the buffer's start.
        offset: usize,
    },
}

impl Home {
    /// The place `by` bytes further.
    pub fn shifted(self, by: usize) -> Home {
        match self {
            Home::Arena { arena, offset } => Home::Arena { arena, offset: offset + by },
            Home::Input { index, offset } => Home::Input { index, offset: offset + by },
            Home::Output { index, offset } => Home::Output { index, offset: offset + by },
        }
    }
}

/// One memory the network uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArenaUse {
    /// The platform's name of the memory level.
    pub level: String,
    /// Bytes used, alignment included.
    pub bytes: usize,
    /// Bytes there are for it; `None` for no limit.
    pub capacity: Option<usize>,
    /// Largest live set over the schedule: no plan of this schedule can use less.
    pub lower_bound: usize,
    /// Alignment of the arena's start, in bytes.
    pub alignment: usize,
    /// Whether `bytes` is proven minimal.
    pub optimal: bool,
}

/// How often the bytes of the fastest memory are used, where activations lie in several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hot {
    /// That memory.
    pub level: String,
    /// Bytes that layers read and write, all in all.
    pub accesses: u64,
    /// Those of them that are there.
    pub served: u64,
    /// How many there may be at most.
    pub most: u64,
}

/// Why two tensors share bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasKind {
    /// The kernel writes its result over its operand.
    InPlace,
    /// The result is a part of the operand (reshape, contiguous slice).
    View,
    /// The operand is written straight into its part of the result (concatenation).
    Joined,
    /// Rows of the result are written over rows of the operand that were read.
    Overlaid,
}

/// Two tensors that share bytes on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The node that makes it so.
    pub node: NodeId,
    /// The operand.
    pub operand: TensorId,
    /// The result.
    pub result: TensorId,
    /// Why.
    pub kind: AliasKind,
}

/// An operand fetched into a nearer memory as a whole, or a result stored from there, while other layers are computed; or
/// what the first part of a layer in parts takes of an operand, fetched into its slot.
///
/// Times are layers, counted from 0 over [`Plan::runs`]. A transfer starts when layer `start` does and has ended when layer
/// `end` does; `start == end` is one that everybody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staged {
    /// Where the kernel finds it.
    pub home: Home,
    /// Bytes, as the kernel reads or writes it.
    pub bytes: usize,
    /// The layer with which the transfer starts.
    pub start: usize,
    /// The layer that must find it done.
    pub end: usize,
    /// Which transfer: those of one number start and end together.
    pub transfer: usize,
}

/// A constant of one node in an external memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct External {
    /// Bytes from the start of the image.
    pub from: usize,
    /// Where it is when the node is computed.
    pub home: Home,
}

/// A transfer of constants from an external memory; times as for [`Staged`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Bytes from the start of the image.
    pub from: usize,
    /// Bytes.
    pub bytes: usize,
    /// Where to.
    pub home: Home,
    /// The layer with which it starts.
    pub start: usize,
    /// The layer that must find it done.
    pub end: usize,
    /// Which of the transfers that may be under way at once.
    pub channel: usize,
}

/// One way of bytes between the arena and an external memory; times as for [`Staged`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Where they are in the arena.
    pub home: Home,
    /// The layer with which it starts.
    pub start: usize,
    /// The layer that must find it done.
    pub end: usize,
    /// Which of the transfers that may be under way at once.
    pub channel: usize,
}

/// Bytes that leave the arena while nobody touches them, and come back to another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spill {
    /// Bytes from the start of the external memory.
    pub at: usize,
    /// Bytes.
    pub bytes: usize,
    /// The way out.
    pub out: Trip,
    /// The way back.
    pub back: Trip,
    /// Where tensors are from then on that have been elsewhere before.
    pub tensors: BTreeMap<TensorId, Home>,
}

/// Where everything lives and in which order it runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Execution order of all nodes.
    pub order: Vec<NodeId>,
    /// Nodes that need no code: their result already is where it should be.
    pub elided: BTreeSet<NodeId>,
    /// Home of every tensor that is not a constant (zero-byte tensors included): the first one, if it is spilled.
    pub homes: BTreeMap<TensorId, Home>,
    /// Scratch memory of nodes that need some.
    pub scratch: BTreeMap<NodeId, Home>,
    /// The memories used.
    pub arenas: Vec<ArenaUse>,
    /// Deliberate sharing, for the validator and the report.
    pub aliases: Vec<Alias>,
    /// Layers that are computed in parts; in the other ones kernels work where the tensors are, or where they are staged.
    pub tiled: BTreeMap<NodeId, Tiled>,
    /// Operands and results (node and its stream: operands, then results) that are staged in a nearer memory.
    pub staged: BTreeMap<(NodeId, usize), Staged>,
    /// Constants (node and operand) that lie in an external memory, and the transfers that bring them.
    pub external: BTreeMap<(NodeId, usize), External>,
    /// The transfers, in the order of the layers.
    pub loads: Vec<Load>,
    /// What leaves the arena for a while.
    pub spills: Vec<Spill>,
    /// The external memory, where something is in it.
    pub outside: Option<ArenaUse>,
    /// Predicted cycles of each layer, where kernels have costs.
    pub cycles: BTreeMap<NodeId, u64>,
    /// Cycles below which no choice of what is near is predicted, if known.
    pub cycles_bound: Option<u64>,
    /// Where inputs and outputs are.
    pub interface: Interface,
    /// Layers of the network, by name, that are merged into one node of the graph that this is a plan of.
    pub fused: Vec<Vec<String>>,
    /// Layers of the network, by name, that are computed row by row together: one node of the graph that this is a plan of.
    pub streamed: Vec<Group>,
    /// What those nodes do, step by step.
    pub streams: BTreeMap<NodeId, Streaming>,
    /// What other numbers of bytes would have taken, where that was looked at.
    pub curve: Vec<Point>,
    /// Layers of the network, by name, whose reductions are cut, and into how many pieces.
    pub cuts: Vec<(String, usize)>,
    /// What the fastest memory is used for, where activations lie in several.
    pub hot: Option<Hot>,
}

impl Plan {
    /// Bytes of all memories that it uses.
    pub fn ram(&self) -> usize {
        self.arenas.iter().map(|a| a.bytes).sum()
    }
    /// Whether what is staged as stream `stream` of a node is not the whole, but what its first part takes.
    pub fn stages_first(&self, id: NodeId, stream: usize) -> bool {
        let whole = |t: &Tiled| t.streams.get(stream).is_some_and(|s| s.resident());
        self.staged.contains_key(&(id, stream)) && self.tiled.get(&id).is_some_and(|t| !whole(t))
    }
    /// The nodes that are computed, in order: the layers.
    pub fn runs(&self) -> Vec<NodeId> {
        self.order.iter().filter(|id| !self.elided.contains(id)).copied().collect()
    }

    /// Which layer a node is.
    pub fn layer(&self, node: NodeId) -> usize {
        let before = self.order.iter().take_while(|id| **id != node);
        before.filter(|id| !self.elided.contains(id)).count()
    }

    /// Where a tensor is when layer `layer` runs; behind the last one for their number.
    pub fn home(&self, tensor: TensorId, layer: usize) -> Option<Home> {
        let there = self.spills.iter().filter(|s| s.back.end <= layer && s.tensors.contains_key(&tensor));
        let last = there.max_by_key(|s| s.back.end).and_then(|s| s.tensors.get(&tensor));
        last.or_else(|| self.homes.get(&tensor)).copied()
    }

    /// Bytes of the image of constants in the external memory.
    pub fn image_bytes(&self) -> usize {
        self.loads.iter().map(|l| l.from.saturating_add(l.bytes)).max().unwrap_or(0)
    }
}
