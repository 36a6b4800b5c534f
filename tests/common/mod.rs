//! What several integration tests share, not all of it each of them.

#![allow(dead_code)]

use std::path::Path;

use tilewright::driver::{self, CompileOptions, TilingOptions};

pub mod parts;
pub mod random_graph;

/// The networks to check: those of `TILEWRIGHT_SEEDS=FIRST..LAST`, else `usual`.
pub fn seeds(usual: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let given = std::env::var("TILEWRIGHT_SEEDS").ok();
    let range = given.as_deref().and_then(|s| s.split_once("..")).map(|(a, b)| (a.parse(), b.parse()));
    match range {
        Some((Ok(a), Ok(b))) => a..b,
        _ => usual,
    }
}

/// The least L2: what the refusal of none of it says.
pub fn least_arena(model: &Path, compile: &CompileOptions) -> Result<u64, String> {
    let tiling = TilingOptions { arena: Some(0), ..compile.tiling };
    let refusal = match driver::draft(model, &CompileOptions { tiling, ..compile.clone() }) {
        Ok(_) => return Ok(0),
        Err(refusal) => refusal.to_string(),
    };
    let said = refusal.split("--l2 ").nth(1).and_then(|s| s.split(' ').next());
    said.and_then(|n| n.parse().ok()).ok_or(refusal)
}
