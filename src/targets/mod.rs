//! Targets: platforms and kernels described by files, and the assignment of nodes to kernels.
//!
//! In: a verified graph and a [`platform`]. Out: an [`Assignment`]. Never knows memory offsets or C text.

pub mod assignment;

pub use assignment::{Assignment, Choice, KernelId, Rejection};
