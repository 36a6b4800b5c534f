//! Bytes as a model file: loading must end in a graph or in diagnostics, never in a panic.
//!
//! Run with `cargo +nightly fuzz run load` in the source folder; `tests/fuzz_smoke.rs` is the bounded version.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tilewright::frontend::{LoadOptions, import, parse_bytes};
use tilewright::ir::DType;

fuzz_target!(|bytes: &[u8]| {
    let options =
        LoadOptions { fold_limit: 1 << 20, default_integer: Some(DType::S8), ..LoadOptions::default() };
    if let Ok(model) = parse_bytes(bytes.to_vec()) {
        let _ = import(&model, &options);
    }
});
