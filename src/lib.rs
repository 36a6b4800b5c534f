//! tilewright: an ONNX network in, verified bare-metal C out.
//!
//! Data flows one way: `frontend` → `ir` → `passes` → `ir::verify` → `targets::assign` → `tiling` →
//! `emit` → `runner`. See ARCHITECTURE.md.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod cli;
pub mod diag;
pub mod driver;
pub mod emit;
pub mod files;
pub mod frontend;
pub mod ir;
pub mod passes;
pub mod runner;
pub mod sim;
pub mod targets;
pub mod tiling;
