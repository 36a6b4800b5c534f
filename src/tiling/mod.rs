//! Tiling: where every tensor lives and in which order nodes run.
//!
//! In: a verified graph, its assignment, a platform's memories. Out: a [`Plan`], and after independent
//! validation a [`CheckedPlan`]. Never knows C text.

pub mod allocator;
mod arena;
mod blocks;
mod external;
pub mod fusion;
mod levels;
mod overlay;
pub mod plan;
mod planner;
pub mod reduction;
pub mod saved;
mod schedule;
mod spill;
mod split;
pub mod streaming;
pub mod tiles;
mod validate;
pub mod variant;

pub use external::Outside;
pub use levels::LAYERS_PER_SECOND;
pub use plan::{Alias, AliasKind, ArenaUse, External, Home, Hot, Interface, Load, Plan, Spill, Staged, Trip};
pub use planner::{Level, MemoryOptions, plan};
pub use validate::{CheckedPlan, validate};

#[cfg(test)]
mod tests;
