//! When layers, kernels, transfers and waits were, and what that is per layer and per part.
//!
//! In: a [`Profile`] that has ended. Out: [`LayerTime`]s and a [`Timeline`], in cycles of the chip's reported clock. Never
//! measures.

use super::overlap::Span;
use super::profile::{Layer, Profile};
use super::soc::{Side, Soc};

/// A part of a layer; a layer that is not computed in parts has at most one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartTime {
    /// Cycles from the first core's call of the kernel to the last one's return.
    pub kernel: u64,
    /// Cycles in which the DMA fetched its operands, and stored its results.
    pub fetch: u64,
    /// See `fetch`.
    pub store: u64,
    /// Cycles in which the core that leads waited for transfers before it could begin; for the last, also behind it.
    pub wait: u64,
    /// Bytes fetched and stored.
    pub fetched: u64,
    /// See `fetched`.
    pub stored: u64,
}

/// Time spent in a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerTime {
    /// Its number.
    pub number: u32,
    /// Cycles from its begin to its end.
    pub cycles: u64,
    /// Core cycles of the cluster's cores asleep in it.
    pub asleep: u64,
    /// Instructions of the cluster's cores.
    pub instructions: u64,
    /// Bytes that transfers which began in it brought into L1.
    pub fetched: u64,
    /// Bytes that they brought out of L1.
    pub stored: u64,
    /// Bytes that they moved over HyperBus.
    pub outside: u64,
    /// Cycles in which a transfer was under way, whosever it was.
    pub dma: u64,
    /// Cycles in which the core that leads waited for a transfer.
    pub exposed: u64,
    /// Its parts.
    pub parts: Vec<PartTime>,
}

/// Something that took time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First cycle, counted from the begin of the first layer.
    pub from: u64,
    /// Last cycle.
    pub until: u64,
    /// Number of the layer that ran, if one did.
    pub layer: Option<u32>,
    /// The part that it is for, if it is for one.
    pub part: Option<usize>,
    /// Bytes, of a transfer.
    pub bytes: u64,
}

/// What happened when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Layers.
    pub layers: Vec<Stretch>,
    /// Kernels.
    pub kernels: Vec<Stretch>,
    /// Transfers into L1.
    pub fetches: Vec<Stretch>,
    /// Transfers out of L1.
    pub stores: Vec<Stretch>,
    /// Transfers over HyperBus.
    pub outside: Vec<Stretch>,
    /// Waits of the core that leads for transfers.
    pub waits: Vec<Stretch>,
}

/// What happened when.
pub fn timeline(profile: &Profile, soc: &Soc) -> Timeline {
    let start = profile.layers.first().map_or(0, |l| l.from);
    let cycle = |tick: u64| tick.saturating_sub(start) / soc.period;
    let number = |layer: Option<usize>| layer.and_then(|l| profile.layers.get(l)).map(|l| l.number);
    let stretch = |s: &Span| Stretch {
        from: cycle(s.from),
        until: cycle(s.until),
        layer: number(s.layer),
        part: s.part,
        bytes: s.bytes,
    };
    let all = |spans: &[Span]| spans.iter().filter(|s| s.layer.is_some()).map(stretch).collect();
    let overlap = &profile.overlap;
    let layer = |l: &Layer| Stretch {
        from: cycle(l.from),
        until: cycle(l.until),
        layer: Some(l.number),
        part: None,
        bytes: 0,
    };
    Timeline {
        layers: profile.layers.iter().map(layer).collect(),
        kernels: overlap.kernels().map(stretch).collect(),
        fetches: all(&overlap.moves[1]),
        stores: all(&overlap.moves[0]),
        outside: all(&overlap.moves[2]),
        waits: all(&overlap.waits),
    }
}

/// Time per layer, in the order they ran.
pub fn layers(profile: &Profile, soc: &Soc) -> Vec<LayerTime> {
    let one = |l: &Layer| {
        let cluster = || soc.cores.iter().zip(&l.spent).filter(|(c, _)| c.side == Side::Cluster);
        LayerTime {
            number: l.number,
            cycles: (l.until - l.from) / soc.period,
            asleep: cluster().map(|(c, s)| s.asleep / c.period).sum(),
            instructions: cluster().map(|(_, s)| s.instructions).sum(),
            ..LayerTime::default()
        }
    };
    let mut times: Vec<LayerTime> = profile.layers.iter().map(one).collect();
    parts(profile, soc, &mut times);
    for (way, spans) in profile.overlap.moves.iter().enumerate() {
        for span in spans {
            let Some(time) = span.layer.and_then(|l| times.get_mut(l)) else { continue };
            *[&mut time.stored, &mut time.fetched, &mut time.outside][way] += span.bytes;
        }
    }
    for span in &profile.overlap.waits {
        if let Some(time) = span.layer.and_then(|l| times.get_mut(l)) {
            time.exposed += (span.until - span.from) / soc.period;
        }
    }
    busy(profile, soc, &mut times);
    times
}

/// What each part took.
fn parts(profile: &Profile, soc: &Soc, times: &mut [LayerTime]) {
    let length = |s: &Span| s.until.saturating_sub(s.from) / soc.period;
    for span in profile.overlap.kernels() {
        let Some(time) = span.layer.and_then(|l| times.get_mut(l)) else { continue };
        time.parts.push(PartTime { kernel: length(span), ..PartTime::default() });
    }
    // A wait behind the last part counts for it.
    let mut add = |span: &Span, to: &dyn Fn(&mut PartTime, &Span)| {
        let (Some(time), Some(part)) = (span.layer.and_then(|l| times.get_mut(l)), span.part) else { return };
        let last = time.parts.len().saturating_sub(1);
        if let Some(part) = time.parts.get_mut(part.min(last)) {
            to(part, span);
        }
    };
    let overlap = &profile.overlap;
    for span in &overlap.moves[1] {
        add(span, &|p, s| (p.fetch, p.fetched) = (p.fetch + length(s), p.fetched + s.bytes));
    }
    for span in &overlap.moves[0] {
        add(span, &|p, s| (p.store, p.stored) = (p.store + length(s), p.stored + s.bytes));
    }
    for span in &overlap.waits {
        add(span, &|p, s| p.wait += length(s));
    }
}

/// Cycles of each layer in which some transfer was under way.
fn busy(profile: &Profile, soc: &Soc, times: &mut [LayerTime]) {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    let mut all: Vec<(u64, u64)> =
        profile.overlap.moves.iter().flatten().map(|s| (s.from, s.until)).collect();
    all.sort_unstable();
    for (from, until) in all {
        match spans.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => spans.push((from, until)),
        }
    }
    // Layers follow each other, and so do the spans now.
    let mut first = 0;
    for (layer, time) in profile.layers.iter().zip(times) {
        while spans.get(first).is_some_and(|s| s.1 <= layer.from) {
            first += 1;
        }
        let here = spans[first..].iter().take_while(|s| s.0 < layer.until);
        let ticks: u64 = here.map(|s| s.1.min(layer.until).saturating_sub(s.0.max(layer.from))).sum();
        time.dma = ticks / soc.period;
    }
}
