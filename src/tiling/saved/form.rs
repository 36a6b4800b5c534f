//! The form of a saved plan: what is in the file, by name.
//!
//! In: a file's text. Out: its fields, believed by nobody. Never knows a network.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::tiling::plan::Hot;
use crate::tiling::streaming::{Group, Point};

/// A plan in names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    pub(super) format: u32,
    pub(super) target: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) fused: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) streamed: Vec<Group>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hot: Option<Hot>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) pieces: BTreeMap<String, usize>,
    pub(super) memories: Vec<Memory>,
    pub(super) layers: Vec<Layer>,
    pub(super) tensors: BTreeMap<String, String>,
    pub(super) loads: Vec<SavedLoad>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) spills: Vec<SavedSpill>,
    pub(super) least_cycles: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ram_curve: Vec<Point>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    pub(super) level: String,
    pub(super) bytes: usize,
    pub(super) lower_bound: usize,
    pub(super) alignment: usize,
    pub(super) optimal: bool,
}

/// How a node is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum How {
    /// Its result is there already.
    Nothing,
    /// At once.
    Whole,
    /// In parts.
    Parts,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layer {
    pub(super) node: String,
    pub(super) op: String,
    pub(super) compute: How,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parts: Option<Parts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scratch: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) staged: BTreeMap<String, SavedStaged>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) constants: BTreeMap<String, Constant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) shares: Vec<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cycles: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    pub(super) shape: Vec<usize>,
    pub(super) order: Vec<usize>,
    pub(super) ahead: bool,
    pub(super) at: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedStaged {
    pub(super) at: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) transfer: usize,
    /// Not the whole: what the first part takes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) first: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Constant {
    pub(super) from: usize,
    pub(super) at: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Share {
    pub(super) operand: String,
    pub(super) result: String,
    pub(super) why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedLoad {
    pub(super) from: usize,
    pub(super) bytes: usize,
    pub(super) at: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) channel: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedSpill {
    pub(super) at: usize,
    pub(super) bytes: usize,
    pub(super) out: SavedTrip,
    pub(super) back: SavedTrip,
    pub(super) tensors: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedTrip {
    pub(super) at: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) channel: usize,
}
