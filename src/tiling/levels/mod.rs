//! Levels: which tensors stay in the scratchpad between layers, which are staged there as a whole for one layer, and which
//! layers are computed in parts.
//!
//! In: the layers in order, blocks with their lifetimes, a scratchpad. Out: a [`Near`]: all of that, with offsets. Never
//! changes the order, nor which tensors share a block.
//!
//! | file | holds |
//! |---|---|
//! | `layers` | the layers and blocks as the decision sees them |
//! | `timeline` | what a set of near blocks costs: modes, transfers and time, layer by layer |
//! | `search` | which blocks are near |
//! | `place` | offsets |

mod layers;
mod place;
mod search;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Layers that the search plays in a second, on the slowest machine that shall keep to it.
pub const LAYERS_PER_SECOND: u64 = 600_000;

pub use layers::Network;
pub use place::{Near, plan};
pub use timeline::AROUND_PARTS;

use super::blocks::BlockId;
use super::tiles::Tiled;
use crate::ir::NodeId;

/// How a layer is computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Mode {
    /// At once, with everything in the scratchpad.
    Near,
    /// Part by part.
    Parts(Rc<Tiled>),
    /// Where the tensors are, outside of the scratchpad or in it.
    #[default]
    Far,
}

/// A transfer of a whole tensor between its home and the scratchpad; see [`Staged`](super::plan::Staged).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staging {
    /// Index of the layer.
    pub layer: usize,
    /// Operand or result of its node.
    pub stream: usize,
    /// Bytes.
    pub bytes: usize,
    /// Layer with which it starts.
    pub start: usize,
    /// Layer that must find it done.
    pub end: usize,
    /// First and last layer for which its memory in the scratchpad is taken.
    pub life: (usize, usize),
    /// Where in the share of its layer, if it is only what the first part of a layer in parts takes.
    pub slot: Option<usize>,
}

/// What was decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// Blocks that lie in the scratchpad.
    pub near: BTreeSet<BlockId>,
    /// How each layer is computed, in order.
    pub modes: BTreeMap<NodeId, Mode>,
    /// Transfers of whole tensors.
    pub staged: Vec<Staging>,
    /// Predicted cycles of each layer, waits included.
    pub cycles: BTreeMap<NodeId, u64>,
    /// Cycles that no decision undercuts; if they are those of this one, it is proven optimal.
    pub bound: u64,
}
