//! Targets: platforms and kernels described by files, and the assignment of nodes to kernels.
//!
//! In: a verified graph and a [`Platform`]. Out: an [`Assignment`]. Never knows memory offsets or C text.

pub mod assign;
pub mod assignment;
pub mod costs;
pub mod expr;
pub mod library;
pub mod manifest;
pub mod packing;
pub mod platform;
pub(crate) mod source;
pub mod tree;

pub use assign::{FITS, assign, fit_part};
pub use assignment::{Assignment, Choice, KernelId, LinkCall, Rejection};
pub use library::{Kernel, Library};
pub use manifest::Manifest;
pub use packing::Packing;
pub use platform::Platform;
pub use tree::Tree;
