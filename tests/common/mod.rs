//! What several integration tests share.

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
