//! What the page's script draws: who did what when.
//!
//! In: runs. Out: JSON, small enough for a page. Never draws.

use serde_json::{Value as Json, json};

use super::super::record::{Moment, Moments};
use super::Run;

/// Stretches in a lane: more are joined with their neighbours.
const MOST: usize = 4000;

/// The data of all runs; null for those without a time line.
pub fn data(runs: &[Run]) -> Json {
    let one = |(run, letter): (&Run, &str)| {
        let Some(t) = &run.record.timeline else { return Json::Null };
        let layers: Vec<String> = run.record.layers.iter().map(|l| super::name(&l.planned.name)).collect();
        json!({ "letter": letter, "layers": layers, "lanes": lanes(t), "end": end(t) })
    };
    json!(runs.iter().zip(["A", "B"]).map(one).collect::<Vec<_>>())
}

fn end(t: &Moments) -> u64 {
    let all = [&t.layers, &t.kernels, &t.fetches, &t.stores, &t.outside, &t.waits];
    all.into_iter().flatten().map(|m| m.1).max().unwrap_or(0)
}

fn lanes(t: &Moments) -> Vec<Json> {
    let lanes = [
        ("layers", "layer", &t.layers),
        ("kernels", "kernel", &t.kernels),
        ("DMA in", "fetch", &t.fetches),
        ("DMA out", "store", &t.stores),
        ("off chip", "outside", &t.outside),
        ("waits", "wait", &t.waits),
    ];
    let shown = |(name, class, spans): &(&str, &str, &Vec<Moment>)| {
        let always = *class != "outside";
        (always || !spans.is_empty()).then(|| json!({ "name": name, "class": class, "spans": flat(spans) }))
    };
    lanes.iter().filter_map(shown).collect()
}

/// First cycle, length, layer, part (both from 0, or -1), bytes of each, one after the other, by time.
fn flat(spans: &[Moment]) -> Vec<i64> {
    let mut sorted: Vec<&Moment> = spans.iter().collect();
    sorted.sort_by_key(|m| (m.0, m.1));
    let joined = sorted.len().div_ceil(MOST).max(1);
    let small = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let mut flat = Vec::with_capacity(5 * sorted.len() / joined);
    for group in sorted.chunks(joined) {
        let Some(first) = group.first() else { continue };
        let until = group.iter().map(|m| m.1).max().unwrap_or(0);
        let bytes = group.iter().map(|m| m.4).fold(0, u64::saturating_add);
        let part = first.3.and_then(|p| i64::try_from(p).ok()).unwrap_or(-1);
        let layer = first.2.map_or(-1, i64::from);
        flat.extend([small(first.0), small(until.saturating_sub(first.0)), layer, part, small(bytes)]);
    }
    flat
}
