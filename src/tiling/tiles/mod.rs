//! Tiles: a layer computed part by part in a scratchpad, while a DMA fetches the next part's operands.
//!
//! In: a node with its kernel, and the scratchpad. Out: [`Tiled`]: which parts, in which order, what is copied where.
//! Never knows C text; whole tensors live elsewhere (see [`Plan`](super::Plan)).

mod copy;
mod cost;
mod regions;
mod search;
mod validate;

pub use copy::Copy;
pub use cost::Dma;
pub use search::{Buffering, Scratchpad, Seen, Tiler};
pub use validate::faults;

use crate::ir::{Op, TensorId, TensorType};
use crate::targets::Choice;

/// Streams of a layer in parts at most: sets of them are words.
const MOST_STREAMS: usize = 64;

/// A set of streams, a bit for each; those that no layer in parts has are left out.
pub fn stream_set(streams: impl Iterator<Item = usize>) -> u64 {
    streams.filter(|s| *s < MOST_STREAMS).fold(0, |set, s| set | 1 << s)
}

/// One operand or result on its way through the scratchpad.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// The whole tensor.
    pub tensor: TensorId,
    /// Whether it is a result.
    pub written: bool,
    /// Where parts lie, in bytes from the layer's share of the scratchpad; they take turns. None if the whole tensor is in the
    /// scratchpad: then kernels read and write their parts there.
    pub slots: Vec<usize>,
    /// Bytes of a slot, or of the largest part.
    pub bytes: usize,
}

/// Parts that are alike: the same operator, shapes, and copies, only elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// The operator that computes such a part.
    pub op: Op,
    /// Types of the operands' parts, then of the results'.
    pub types: Vec<TensorType>,
    /// The kernel's call.
    pub choice: Choice,
    /// How each stream's part lies in its tensor.
    pub copies: Vec<Copy>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Index into [`Tiled::kinds`].
    pub kind: usize,
    /// Where each stream's part begins, in bytes from its tensor's start (as the kernel reads it: packed).
    pub offsets: Vec<usize>,
    /// Index of the slot that each stream's part lies in.
    pub slots: Vec<usize>,
    /// Whether each operand must be fetched (it is not in its slot yet); false for results.
    pub loads: Vec<bool>,
}

impl Stream {
    /// Whether the whole tensor is in the scratchpad.
    pub fn resident(&self) -> bool {
        self.slots.is_empty()
    }
}

/// The part of a layer's tables that the runtime copies to the scratchpad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Where to, in bytes from the start of the layer's share.
    pub at: usize,
    /// Bytes.
    pub bytes: usize,
}

/// A layer in parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiled {
    /// Index into [`Plan::arenas`](super::Plan::arenas) of the scratchpad.
    pub arena: usize,
    /// Where the layer's share of it begins.
    pub base: usize,
    /// Operands, then results, in the node's order.
    pub streams: Vec<Stream>,
    /// What kinds of parts there are.
    pub kinds: Vec<Kind>,
    /// The parts, in the order they are computed.
    pub tiles: Vec<Tile>,
    /// Whether the next part's operands are fetched while one is computed.
    pub ahead: bool,
    /// The kernels' working memory in the scratchpad, if they need some.
    pub scratch: Option<usize>,
    /// Its tables there.
    pub tables: Tables,
    /// Bytes of the layer's share.
    pub bytes: usize,
    /// Size of a part along each axis of the iteration space.
    pub shape: Vec<usize>,
    /// The axes that are cut, outermost loop first.
    pub order: Vec<usize>,
    /// Predicted cycles.
    pub cycles: u64,
}

impl Tiled {
    /// Whether each part of result `result` lies where the same part of operand `operand` does, if the two tensors do: then
    /// they may be one.
    pub fn same_places(&self, operand: usize, result: usize) -> bool {
        let operands = self.streams.iter().filter(|s| !s.written).count();
        let result = operands + result;
        let copies = |t: &Tile| &self.kinds[t.kind].copies;
        self.tiles
            .iter()
            .all(|t| t.offsets[operand] == t.offsets[result] && copies(t)[operand] == copies(t)[result])
    }
    /// Bytes that the DMA moves in and out.
    pub fn moved(&self) -> (u64, u64) {
        let (mut fetched, mut stored) = (0, 0);
        for tile in &self.tiles {
            let copies = &self.kinds[tile.kind].copies;
            for ((stream, copy), load) in self.streams.iter().zip(copies).zip(&tile.loads) {
                if stream.resident() {
                    continue;
                }
                if *load {
                    fetched += copy.bytes() as u64;
                } else if stream.written {
                    stored += copy.bytes() as u64;
                }
            }
        }
        (fetched, stored)
    }
}

/// Bytes of a layer's tables: slots and copies, which every part needs, and all of them. The runtime's layout: two words for the
/// slots of a stream, five for a copy, one for an offset, two for a part's turn.
fn table_bytes(streams: usize, kinds: usize, parts: usize) -> (usize, usize) {
    let fixed = 4 * streams * (2 + 5 * kinds);
    (fixed, fixed + 4 * parts * (streams + 2))
}
