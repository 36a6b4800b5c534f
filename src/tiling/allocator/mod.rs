//! The exact static memory allocator.
//!
//! In: buffers with lifetimes, sizes, alignments and perhaps fixed offsets. Out: offsets such that
//! no two buffers that are live together share memory, proofs that none exist, or an honest
//! "unknown". Never knows what a buffer holds; a result never depends on the machine unless the
//! caller sets a time limit.
//!
//! | file | holds |
//! |---|---|
//! | `problem` | buffers, problems, results |
//! | `solve` | [`solve`] and [`minimise`]: what is tried, in which order, with which effort |
//! | `greedy` | first-fit allocation in several orders |
//! | `prepare` | problems in bytes to instances in units, and back |
//! | `instance` | sections (time slices) and neighbours of one component |
//! | `state` | a partial allocation: bounds, contradictions, undo |
//! | `search` | the complete search |
//! | `validate` | the independent check |
//! | [`csv`] | the exchange format of the field |
//!
//! The search follows the idea of canonical solutions in M. D. Moffitt, "MiniMalloc: A Lightweight
//! Memory Allocator for Hardware-Accelerated Machine Learning" (ASPLOS 2023), but branches on
//! "this item rests on what lies below it" against "it does not", which frees it to take the items
//! in any order and lets every rejection raise bounds.

pub mod csv;
mod greedy;
mod instance;
mod prepare;
mod problem;
mod search;
mod solve;
mod state;
mod validate;

#[cfg(test)]
mod tests;

pub use problem::{Buffer, Minimised, Options, Outcome, Problem, Solution, lower_bound};
pub use solve::{minimise, solve};
pub use validate::{Violation, validate};
