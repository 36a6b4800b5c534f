//! Tiling: where every tensor lives and in which order nodes run.
//!
//! In: a verified graph, its assignment, a platform's memories. Out: a [`Plan`], and after independent
//! validation a `CheckedPlan`. Never knows C text.

pub mod plan;

pub use plan::{Alias, AliasKind, ArenaUse, Home, Interface, Plan};
