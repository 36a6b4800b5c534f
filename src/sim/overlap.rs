//! What cores and DMA do at the same time: kernels, parts of layers, transfers, and waits for them.
//!
//! In: entries of functions, transfers, waits, layers, as a [`Profile`](super::profile::Profile) hears of them. Out: spans of
//! ticks. Never changes how long anything takes. A part is a call of a function `*_part` by `tw_tiles_run`; elsewhere the
//! functions that a network's `*_run` calls are one part together.

use std::collections::BTreeMap;

use super::devices::Transfer;
use super::profile::Function;

/// Ways that bytes move: out of L1, into L1, over HyperBus.
pub const WAYS: usize = 3;

/// A time in which a kernel computes, a transfer is served, or a core waits for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Which layer that ran, counted from 0.
    pub layer: Option<usize>,
    /// Which of its parts, if it is for one.
    pub part: Option<usize>,
    /// First tick.
    pub from: u64,
    /// Last tick.
    pub until: u64,
    /// Bytes, of a transfer.
    pub bytes: u64,
}

impl Span {
    fn of(layer: Option<usize>, part: Option<usize>, from: u64, until: u64) -> Self {
        Span { layer, part, from, until, bytes: 0 }
    }
}

/// Spans beyond this number are dropped.
const MOST_SPANS: usize = 1_000_000;

/// Ticks between two questions of a core that does nothing else: a hundred cycles or so.
const PATIENCE: u64 = 2500;

/// What a function is to the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The network's own.
    Run,
    /// The loop over parts.
    Loop,
    /// What computes one part.
    Part,
    /// The runtime's.
    Runtime,
    Other,
}

/// Where a core is.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Whether it is in the loop over parts, and the number of the next one.
    parts: Option<usize>,
    /// The part it computes, and since when.
    kernel: Option<(usize, u64)>,
    /// Whether it executes the loop itself, or a helper of it.
    between: bool,
}

/// Collects.
#[derive(Default)]
pub struct Overlap {
    roles: Vec<Role>,
    cores: Vec<Place>,
    /// The layer that runs.
    layer: Option<usize>,
    /// Kernels by layer and part: from the first core's begin to the last one's end.
    kernels: BTreeMap<(usize, usize), Span>,
    /// Transfers under way, by the counter that tells of their end.
    open: BTreeMap<usize, [Option<Span>; WAYS]>,
    /// Transfers that somebody has waited for, by way.
    pub moves: [Vec<Span>; WAYS],
    /// Until when each way is busy.
    busy: [u64; WAYS],
    /// Cores that ask again and again for the end of a transfer: since when, and when last.
    polls: BTreeMap<usize, (u64, u64)>,
    /// Waits for transfers.
    pub waits: Vec<Span>,
}

fn role(name: &str) -> Role {
    match name {
        "tw_tiles_run" => Role::Loop,
        _ if name.starts_with("tw_") => Role::Runtime,
        _ if name.ends_with("_run") => Role::Run,
        _ if name.ends_with("_part") => Role::Part,
        _ => Role::Other,
    }
}

impl Overlap {
    /// Nothing seen yet.
    pub fn new(functions: &[Function], cores: usize) -> Self {
        let roles = functions.iter().map(|f| role(&f.name)).collect();
        Overlap { roles, cores: vec![Place::default(); cores], ..Overlap::default() }
    }
    /// A core goes on in another function, perhaps at its begin.
    pub fn enter(&mut self, core: usize, left: usize, entered: usize, begin: bool, now: u64) {
        let role = |f: usize| self.roles.get(f).copied().unwrap_or(Role::Other);
        let (left, entered) = (role(left), role(entered));
        let Some(place) = self.cores.get_mut(core) else { return };
        // Helpers of the loop count as the loop.
        place.between = entered == Role::Loop || (entered == Role::Other && place.between);
        match (left, entered) {
            (Role::Run, Role::Loop) if begin => place.parts = Some(0),
            (_, Role::Loop | Role::Run) => {
                let done = place.kernel.take();
                if entered == Role::Run {
                    place.parts = None;
                }
                self.end_kernel(done, now);
            }
            (Role::Loop, Role::Part) if begin => {
                if let Some(next) = &mut place.parts {
                    place.kernel = Some((*next, now));
                    *next += 1;
                }
            }
            (Role::Run, Role::Other) if begin && place.kernel.is_none() => place.kernel = Some((0, now)),
            _ => {}
        }
    }
    /// Cores that are early begin before the layer is announced: what counts is where they end.
    fn end_kernel(&mut self, done: Option<(usize, u64)>, now: u64) {
        let (Some((part, from)), Some(layer)) = (done, self.layer) else { return };
        if self.kernels.len() >= MOST_SPANS {
            return;
        }
        let new = Span::of(Some(layer), Some(part), from, now);
        let span = self.kernels.entry((layer, part)).or_insert(new);
        span.from = span.from.min(from);
        span.until = span.until.max(now);
    }
    /// Another layer runs, or none.
    pub fn layer(&mut self, layer: Option<usize>) {
        self.layer = layer;
    }
    /// A transfer starts. Those of one way are served in order.
    pub fn started(&mut self, transfer: &Transfer) {
        let Some(busy) = self.busy.get_mut(transfer.kind) else { return };
        let from = transfer.from.max(*busy);
        *busy = transfer.until.max(*busy);
        let bytes = transfer.rows.iter().map(|r| u64::from(r.2)).sum();
        // Results are stored behind the part that has begun last.
        let begun = self.cores.get(transfer.core).filter(|p| p.between).and_then(|p| p.parts);
        let part = if transfer.kind == 0 { begun.and_then(|n| n.checked_sub(1)) } else { None };
        let span = Span { bytes, ..Span::of(self.layer, part, from, transfer.until) };
        let Some(counter) = transfer.counter else { return self.keep(transfer.kind, span) };
        let open = &mut self.open.entry(counter).or_default()[transfer.kind];
        match open {
            Some(open) => {
                open.until = open.until.max(span.until);
                open.bytes += bytes;
            }
            None => *open = Some(span),
        }
    }
    fn keep(&mut self, way: usize, span: Span) {
        if let Some(moves) = self.moves.get_mut(way).filter(|m| m.len() < MOST_SPANS) {
            moves.push(span);
        }
    }
    /// A core knows that a transfer has ended.
    pub fn ended(&mut self, core: usize, counter: usize) {
        // Operands are waited for before the part that comes next.
        let next = self.cores.get(core).filter(|p| p.between).and_then(|p| p.parts);
        for (way, span) in self.open.remove(&counter).unwrap_or_default().into_iter().enumerate() {
            let Some(mut span) = span else { continue };
            if next.is_none() {
                span.part = None;
            } else if way == 1 {
                span.part = next;
            }
            self.keep(way, span);
        }
    }
    /// A core has waited for a transfer.
    pub fn waited(&mut self, core: usize, from: u64, until: u64) {
        if self.layer.is_none() || self.waits.len() >= MOST_SPANS || until <= from {
            return;
        }
        let next = self.cores.get(core).filter(|p| p.between).and_then(|p| p.parts);
        self.waits.push(Span::of(self.layer, next, from, until));
    }
    /// A core has asked whether a transfer has ended.
    pub fn polled(&mut self, core: usize, busy: bool, now: u64) {
        let before = self.polls.remove(&core).filter(|(_, last)| now - last.min(&now) <= PATIENCE);
        match before {
            Some((since, _)) if !busy => self.waited(core, since, now),
            _ if busy => {
                self.polls.insert(core, (before.map_or(now, |b| b.0), now));
            }
            _ => {}
        }
    }
    /// The program has ended: transfers that nobody waited for are over too.
    pub fn finish(&mut self) {
        for spans in std::mem::take(&mut self.open).into_values() {
            for (way, span) in spans.into_iter().enumerate() {
                if let Some(span) = span {
                    self.keep(way, span);
                }
            }
        }
        for spans in &mut self.moves {
            spans.sort_by_key(|s| (s.from, s.until));
        }
    }
    /// The kernels, by layer and part.
    pub fn kernels(&self) -> impl Iterator<Item = &Span> {
        self.kernels.values()
    }
}

#[cfg(test)]
mod tests {
    use super::super::devices::Place as End;
    use super::*;

    const NAMES: [&str; 4] = ["net_run", "tw_tiles_run", "net_conv_part", "fetch"];
    const RUN: usize = 0;
    const LOOP: usize = 1;
    const PART: usize = 2;
    const HELPER: usize = 3;

    fn overlap() -> Overlap {
        let function =
            |name: &str| Function { name: name.into(), start: 0, size: 2, spent: Vec::new(), calls: 0 };
        let mut overlap = Overlap::new(&NAMES.map(function), 2);
        overlap.layer(Some(3));
        overlap
    }
    fn transfer(kind: usize, counter: usize, from: u64, until: u64) -> Transfer {
        let rows = vec![(End::Bus(0), End::Bus(0), 16)];
        Transfer { kind, core: 0, counter: Some(counter), rows, from, until }
    }

    #[test]
    fn transfers_go_to_the_part_that_waits_for_them() {
        let mut o = overlap();
        o.enter(0, RUN, LOOP, true, 10);
        o.enter(0, LOOP, HELPER, true, 11);
        o.started(&transfer(1, 0, 12, 40));
        // Served behind the first.
        o.started(&transfer(1, 1, 13, 60));
        o.enter(0, HELPER, LOOP, false, 14);
        o.waited(0, 15, 40);
        o.ended(0, 0);
        o.enter(1, RUN, LOOP, true, 30);
        for (core, from, until) in [(0, 41, 90), (1, 43, 95)] {
            o.enter(core, LOOP, PART, true, from);
            o.enter(core, PART, LOOP, false, until);
        }
        o.started(&transfer(0, 2, 96, 120));
        o.ended(0, 1);
        o.ended(0, 2);
        o.enter(0, LOOP, RUN, false, 121);
        o.finish();
        let kernels: Vec<Span> = o.kernels().copied().collect();
        assert_eq!(kernels, [Span::of(Some(3), Some(0), 41, 95)]);
        let bytes = |part, from, until| Span { bytes: 16, ..Span::of(Some(3), Some(part), from, until) };
        assert_eq!(o.moves[1], [bytes(0, 12, 40), bytes(1, 40, 60)]);
        assert_eq!(o.moves[0], [bytes(0, 96, 120)]);
        assert_eq!(o.waits, [Span::of(Some(3), Some(0), 15, 40)]);
    }

    #[test]
    fn asking_again_and_again_is_waiting() {
        let mut o = overlap();
        o.polled(0, true, 100);
        o.polled(0, true, 200);
        o.polled(0, false, 300);
        o.polled(0, false, 310);
        // Something else was done between.
        o.polled(0, true, 400);
        o.polled(0, false, 400 + PATIENCE + 1);
        assert_eq!(o.waits, [Span::of(Some(3), None, 100, 300)]);
    }
}
