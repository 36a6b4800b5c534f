//! What a choice of near blocks costs: every layer's mode, every transfer, and the time.
//!
//! In: the layers, which blocks are near. Out: an [`Outcome`]. Layers are looked at in order; each takes the mode that ends
//! first. The DMA takes its transfers one after the other, while layers are computed.

use std::collections::BTreeMap;

use super::layers::{Candidate, Layer, Layers, Stream};
use super::{Mode, Staging};
use crate::tiling::blocks::BlockId;
use crate::tiling::tiles::{Buffering, Copy, Tiled, Tiler, stream_set};

/// Layers ahead of which a constant may be fetched.
const AHEAD: usize = 4;
/// Cycles at least to start transfers and wait for them before a layer's call: the code for that comes beside them.
const START_AND_AWAIT: u64 = 150;
/// Cycles to start a transfer beside a layer, and for each of its copies: core 0 does, which has the least to compute.
const START: u64 = 8;
const COPY: u64 = 12;
/// Cycles until all cores know that it has ended.
const AWAIT: u64 = 40;
/// Cycles to bring the code of the loop around parts into the instruction cache, and the tables to the scratchpad.
const COLD_PARTS: u64 = 650;
/// Cycles around the parts of a layer, whatever they are.
pub const AROUND_PARTS: u64 = 150 + COLD_PARTS;
/// How much longer a kernel takes that works outside of the scratchpad.
const FAR: u64 = 8;
/// Bytes of a constant at most that is staged as a whole for a layer in parts: a transfer for each part costs more.
const SMALL: usize = 2048;

/// How a layer ended up.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Its mode.
    pub mode: Mode,
    /// When it begins, waits for its operands before that.
    pub begin: u64,
    /// When it ends.
    pub end: u64,
    /// Cycles of waiting before it begins that are spent behind the call of the layer before.
    pub ahead: u64,
    /// Cycles of waiting before it begins, for constants that come from outside of the chip.
    pub late: u64,
    /// Cycles before it ends that the layer behind it spends, waiting for its results to be stored.
    pub behind: u64,
}

/// What a choice costs.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Bytes that do not fit, over all layers.
    pub overflow: usize,
    /// Cycles.
    pub cycles: u64,
    /// The layers.
    pub chosen: Vec<Chosen>,
    /// Transfers.
    pub staged: Vec<Staging>,
    /// The layer where most bytes are missing, if any are.
    pub fullest: Option<usize>,
}

/// The state between two layers.
#[derive(Clone)]
pub struct Timeline<'a> {
    layers: &'a Layers,
    tiler: &'a Tiler<'a>,
    /// For each block: whether it is in the scratchpad.
    near: Vec<bool>,
    /// Bytes that near blocks leave free at each layer, and those taken by anything else.
    free: Vec<usize>,
    used: Vec<usize>,
    /// Bytes of near blocks that do not fit, at each layer.
    over: Vec<usize>,
    /// When the DMA has fetched everything, when it has stored everything, when the cores are idle.
    dma: u64,
    out: u64,
    now: u64,
    /// The layer from which on everything in a block that is not near is there.
    home: BTreeMap<BlockId, usize>,
    /// The layer with which the latest transfer starts: those for later layers must not go before it.
    turn: usize,
    /// The layer that must find the latest results stored, and when they are.
    stored: (usize, u64),
    outcome: Outcome,
}

/// What a layer would do to the state.
#[derive(Default)]
struct Trial {
    mode: Mode,
    begin: u64,
    end: u64,
    dma: u64,
    out: u64,
    staged: Vec<Staging>,
    own: usize,
    /// Bytes of `own` that are taken a layer earlier.
    early: usize,
    /// As of [`Chosen`].
    ahead: u64,
    late: u64,
    behind: u64,
}

impl<'a> Timeline<'a> {
    /// Before the first layer, with nothing in the scratchpad; `blocks` is their number.
    pub fn new(layers: &'a Layers, tiler: &'a Tiler<'a>, blocks: usize, capacity: usize) -> Timeline<'a> {
        let n = layers.list.len();
        Timeline {
            layers,
            tiler,
            near: vec![false; blocks],
            free: vec![capacity; n + 1],
            used: vec![0; n + 1],
            over: vec![0; n + 1],
            dma: 0,
            out: 0,
            now: 0,
            home: Default::default(),
            turn: 0,
            stored: (0, 0),
            outcome: Outcome::default(),
        }
    }

    /// Runs all layers; `near` says for each block whether it is in the scratchpad.
    pub fn run(layers: &'a Layers, tiler: &'a Tiler<'a>, near: &[bool], capacity: usize) -> Outcome {
        let mut line = Timeline::new(layers, tiler, near.len(), capacity);
        layers.candidates.iter().filter(|c| near[c.block]).for_each(|c| {
            line.put(c);
        });
        line.advance(layers.list.len());
        line.end().1
    }

    /// Puts a block into the scratchpad; whether it fits. Layers that this matters to must not have been run.
    pub fn put(&mut self, c: &Candidate) -> bool {
        self.near[c.block] = true;
        let bytes = aligned(c.bytes);
        let mut fits = true;
        for at in c.life.0..=c.life.1 {
            let over = bytes.saturating_sub(self.free[at]);
            self.over[at] += over;
            self.free[at] -= bytes - over;
            fits &= over == 0;
        }
        fits
    }

    /// Runs the layers before `until`; how many these are.
    pub fn advance(&mut self, until: usize) -> u64 {
        let from = self.outcome.chosen.len();
        (from..until).for_each(|i| self.step(i));
        until.saturating_sub(from) as u64
    }

    /// When the latest layer ended.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Which blocks are near, and what that costs; behind the last layer.
    pub fn end(mut self) -> (Vec<bool>, Outcome) {
        self.outcome.cycles = self.now.max(self.out);
        self.outcome.overflow = self.over.iter().sum();
        let worst = self.over.iter().copied().max().unwrap_or(0);
        self.outcome.fullest = self.over.iter().position(|o| *o == worst && worst > 0);
        (self.near, self.outcome)
    }

    /// All that decides how the layers to come are played, relative to now: lines that agree in it, and in the blocks put
    /// from here on, take the same cycles from here on.
    pub fn key(&self) -> Vec<i64> {
        let next = self.outcome.chosen.len();
        // No transfer of a layer to come starts before this one.
        let first = next.saturating_sub(AHEAD).max(self.turn.min(next));
        let since = |t: u64| t as i64 - self.now as i64;
        let floor = self.outcome.chosen.get(first).map_or(self.now, |c| c.begin);
        let mut key =
            vec![self.turn.max(first) as i64, since(self.dma.max(floor)), since(self.out.max(self.now))];
        key.push(if self.stored.0 > next { since(self.stored.1.max(self.now)) } else { 0 });
        if self.layers.arrivals[next..].iter().any(|a| *a > floor) {
            key.push(self.now as i64);
        }
        for c in &self.outcome.chosen[first..] {
            let parts = if let Mode::Parts(tiled) = &c.mode { tiled.tiles.len() as i64 } else { 0 };
            key.extend([since(c.begin), since(c.end), parts]);
        }
        let last = (next + 1).min(self.layers.list.len());
        key.extend((first..=last).map(|at| self.free[at] as i64 - self.used[at] as i64));
        for (block, home) in self.home.iter().filter(|(_, home)| **home > first) {
            key.extend([*block as i64, *home as i64]);
        }
        let alive = self.layers.candidates.iter().filter(|c| c.life.1 >= next && self.near[c.block]);
        key.extend(alive.map(|c| -1 - c.block as i64));
        key
    }

    fn is_near(&self, stream: &Stream) -> bool {
        stream.block.is_some_and(|b| self.near[b])
    }

    fn step(&mut self, i: usize) {
        let layer = &self.layers.list[i];
        let near = self.try_near(i, layer);
        let parts = self.try_parts(i, layer);
        let best = match (near, parts) {
            (Some(a), Some(b)) => Some(if b.end < a.end { b } else { a }),
            (a, b) => a.or(b),
        };
        let mut trial = best.unwrap_or_else(|| self.far(layer));
        // Behind this layer's call the results of the one before are waited for.
        if self.stored.0 == i + 1 {
            trial.end = trial.end.max(self.stored.1);
        }
        if trial.staged.iter().any(|s| s.start == i + 1 && s.end == i + 2) {
            self.stored = (i + 2, trial.out);
        }
        for s in &trial.staged {
            let (first, last) = s.life;
            for at in (first..=last).filter(|at| *at != i && s.slot.is_none()) {
                self.used[at] += aligned(s.bytes);
            }
        }
        if trial.early > 0 {
            self.used[i - 1] += trial.early;
        }
        let near = &self.near;
        let outside = |s: &&Stream| s.written && s.block.is_none_or(|b| !near[b]);
        for (stream, s) in layer.streams.iter().enumerate().filter(|(_, s)| outside(s)) {
            let end = trial.staged.iter().find(|t| t.stream == stream).map_or(i + 1, |t| t.end);
            if let Some(home) = s.block.map(|b| self.home.entry(b).or_default()) {
                *home = end.max(*home);
            }
        }
        let starts = trial.staged.iter().filter(|s| s.start <= i).map(|s| s.start);
        let parts = matches!(trial.mode, Mode::Parts(_)).then_some(i);
        self.turn = starts.chain(parts).fold(self.turn, usize::max);
        self.used[i] += trial.own;
        self.now = trial.end;
        self.dma = trial.dma;
        self.out = trial.out;
        let Trial { mode, begin, end, ahead, late, behind, .. } = trial;
        self.outcome.chosen.push(Chosen { mode, begin, end, ahead, late, behind });
        self.outcome.staged.extend(trial.staged);
    }

    /// Everything in the scratchpad: constants fetched before, results stored behind.
    fn try_near(&self, i: usize, layer: &Layer) -> Option<Trial> {
        let outside = layer.streams.iter().enumerate().filter(|(_, s)| !self.is_near(s) && s.bytes > 0);
        let (stored, fetched): (Vec<_>, Vec<_>) = outside.partition(|(_, s)| s.written);
        let sum = |list: &[(usize, &Stream)]| list.iter().map(|(_, s)| aligned(s.bytes)).sum::<usize>();
        let own = sum(&fetched) + sum(&stored) + aligned(layer.scratch);
        let behind = self.used[i + 1] + sum(&stored) > self.free[i + 1];
        if self.used[i] + own > self.free[i] || (behind && !stored.is_empty()) {
            return None;
        }
        let (begin, dma, out) = (self.now, self.dma, self.out);
        let mut trial = Trial { mode: Mode::Near, begin, dma, out, own, ..Trial::default() };
        // Constants first: they may come early. Then what was computed.
        let (constants, computed): (Vec<_>, Vec<_>) =
            fetched.into_iter().partition(|(_, s)| s.block.is_none());
        for list in [constants, computed] {
            self.fetch(i, &list, &mut trial);
        }
        trial.end = trial.begin + layer.kernel + layer.call + layer.cold;
        if !stored.is_empty() {
            trial.end += starting(stored.len());
            trial.out = trial.out.max(trial.end) + self.transfer(&stored, true);
            for (s, stream) in &stored {
                let next = stream.block.and_then(|b| self.layers.readers.get(&b)?.iter().find(|r| **r > i));
                let last = self.layers.list.len();
                let end = next.map_or(last, |r| *r).min(i + 2).min(last);
                if end == i + 1 && end < last {
                    trial.behind = trial.out - trial.end;
                }
                let life = (i, (i + 1).min(last - 1));
                trial.staged.push(Staging {
                    layer: i,
                    stream: *s,
                    bytes: stream.bytes,
                    start: i + 1,
                    end,
                    life,
                    slot: None,
                });
            }
            trial.end += trial.behind;
        }
        Some(trial)
    }

    /// Fetches some operands of layer `i` by one transfer, as early as there is room: unless that is too late anyway the DMA is
    /// never idle while there is something to fetch.
    fn fetch(&self, i: usize, list: &[(usize, &Stream)], trial: &mut Trial) {
        if list.is_empty() {
            return;
        }
        let bytes: usize = list.iter().map(|(_, s)| aligned(s.bytes)).sum();
        let cycles = self.transfer(list, false);
        let homes = list.iter().filter_map(|(_, s)| self.home.get(&s.block?).copied());
        // Single buffering: nothing comes ahead of its layer.
        let ahead = if self.tiler.pad.buffering == Buffering::Single { 0 } else { AHEAD };
        let earliest = homes.max().unwrap_or(0).max(i.saturating_sub(ahead)).max(self.turn);
        let begins = |s: usize| if s == i { self.now } else { self.outcome.chosen[s].begin };
        let arrival = if list[0].1.block.is_none() { self.layers.arrivals[i] } else { 0 };
        let ready = |s: usize| self.idle(s, trial.dma).max(begins(s)).max(arrival) + cycles;
        let (mut start, dma) = (i, trial.dma);
        let idle = |s: usize| self.idle(s, trial.dma) < begins(s);
        while start > earliest
            && (start == i || ready(start) > self.now || idle(start))
            && begins(start - 1) >= arrival
            && self.used[start - 1] + bytes <= self.free[start - 1]
        {
            start -= 1;
        }
        trial.dma = ready(start);
        if start == i {
            let begun = trial.dma - cycles;
            trial.late += begun - begun.min(dma.max(trial.begin));
        }
        // What starts together is one transfer.
        let joins = trial.staged.iter().any(|s| s.start == start);
        let started = if joins { COPY * list.len() as u64 } else { starting(list.len()) };
        let from = trial.begin;
        trial.begin = match (joins, start == i) {
            (true, true) => from.max(trial.dma + AWAIT),
            (true, false) => from.max(trial.dma + AWAIT) + started,
            (false, true) => (from + START_AND_AWAIT).max(trial.dma + AWAIT),
            (false, false) => from.max(trial.dma) + started + AWAIT,
        };
        if start < i {
            trial.ahead += (trial.begin - from).saturating_sub(started);
        }
        for (stream, s) in list {
            let life = (start, i);
            let (stream, bytes) = (*stream, s.bytes);
            trial.staged.push(Staging { layer: i, stream, bytes, start, end: i, life, slot: None });
        }
    }

    /// When the DMA takes a transfer that starts with layer `start`; a layer in parts lets its own go first, up to its last.
    fn idle(&self, start: usize, dma: u64) -> u64 {
        match self.outcome.chosen.get(start).map(|c| (&c.mode, c)) {
            Some((Mode::Parts(tiled), c)) => {
                let last = (c.end - c.begin) / (tiled.tiles.len() as u64 + 1);
                dma.min(c.end).max(c.end - last)
            }
            _ => dma,
        }
    }

    fn transfer(&self, list: &[(usize, &Stream)], outwards: bool) -> u64 {
        let copies: Vec<Copy> = list.iter().map(|(_, s)| Copy::run(s.bytes)).collect();
        self.tiler.pad.dma.transfer(&copies, outwards)
    }

    /// Part by part: with all constants in parts too, or with small ones staged as a whole.
    fn try_parts(&self, i: usize, layer: &Layer) -> Option<Trial> {
        let small =
            |(_, s): &(usize, &Stream)| s.block.is_none() && !s.written && (1..=SMALL).contains(&s.bytes);
        let small: Vec<_> = layer.streams.iter().enumerate().filter(small).collect();
        let whole = if small.is_empty() { None } else { self.parts(i, layer, &small) };
        let parts = self.parts(i, layer, &[]);
        match (whole, parts) {
            (Some(a), Some(b)) => Some(if b.end < a.end { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    /// Part by part, in what is free; some of it may be left to what the next layer wants early.
    fn parts(&self, i: usize, layer: &Layer, whole: &[(usize, &Stream)]) -> Option<Trial> {
        let near = layer.streams.iter().enumerate().filter(|(_, s)| self.is_near(s)).map(|(s, _)| s);
        let mask = stream_set(near.chain(whole.iter().map(|(s, _)| *s)));
        let taken: usize = whole.iter().map(|(_, s)| aligned(s.bytes)).sum();
        let free = self.free[i].checked_sub(self.used[i] + taken)?;
        let wanted = self.layers.list.get(i + 1).map_or(0, |next| {
            next.streams.iter().filter(|s| s.block.is_none()).map(|s| aligned(s.bytes)).sum()
        });
        let shared = free.checked_sub(wanted).filter(|b| wanted > 0 && *b > free / 2);
        let full = self.tiler.tile(layer.id, mask, free)?;
        let shared = shared.and_then(|b| self.tiler.tile(layer.id, mask, b));
        let tiled = shared.filter(|t| t.cycles <= full.cycles + full.cycles / 50).unwrap_or(full);
        let own = aligned(tiled.bytes) + taken;
        let (begin, mode) = (self.now.max(self.layers.arrivals[i]), Mode::Parts(tiled.clone()));
        let (dma, out, late) = (self.dma, self.out, begin - self.now);
        let mut trial = Trial { mode, begin, dma, out, own, late, ..Trial::default() };
        self.fetch(i, whole, &mut trial);
        let saved = self.fetch_first(i, layer, &tiled, &mut trial);
        trial.begin = trial.begin.max(trial.dma);
        let cycles = tiled.cycles.saturating_sub(saved).max(layer.kernel);
        // Every kind of parts has a call of its own.
        let calls = layer.call * tiled.kinds.len() as u64;
        trial.end = trial.begin + cycles + COLD_PARTS + calls + layer.cold;
        (trial.dma, trial.out) = (trial.end, trial.out.max(trial.end));
        Some(trial)
    }

    /// Fetches what the first part takes with the layer before, if the share is free then, or else while the layer's code
    /// comes: cycles that this saves later.
    fn fetch_first(&self, i: usize, layer: &Layer, tiled: &Tiled, trial: &mut Trial) -> u64 {
        let Some(tile) = tiled.tiles.first() else { return 0 };
        let copies = &tiled.kinds[tile.kind].copies;
        let run = |s: usize| copies[s].planes == 1 && copies[s].rows == 1 && tile.offsets[s] == 0;
        let first: Vec<usize> = (0..copies.len()).filter(|s| tile.loads[*s] && run(*s)).collect();
        let cycles = self.tiler.pad.dma.transfer(first.iter().map(|s| &copies[*s]), false);
        let stage = |trial: &mut Trial, start: usize| {
            trial.staged.extend(first.iter().map(|s| {
                let (slot, bytes) = (tiled.streams[*s].slots[tile.slots[*s]], copies[*s].bytes());
                Staging { layer: i, stream: *s, bytes, start, end: i, life: (start, i), slot: Some(slot) }
            }));
        };
        if first.is_empty() {
            return 0;
        }
        let there = |start: usize, s: &Stream| match s.block {
            None => self.outcome.chosen[start].begin >= self.layers.arrivals[i],
            Some(block) => self.home.get(&block).is_none_or(|home| *home <= start),
        };
        let share = aligned(tiled.bytes);
        let before = i.checked_sub(1).filter(|start| {
            let roomy = self.used[*start] + share <= self.free[*start] && *start >= self.turn;
            roomy && first.iter().all(|s| there(*start, &layer.streams[*s]))
        });
        if let Some(start) = before.filter(|_| self.tiler.pad.buffering != Buffering::Single) {
            let ready = self.idle(start, trial.dma).max(self.outcome.chosen[start].begin) + cycles;
            if trial.begin.max(ready) + starting(first.len()) + AWAIT < trial.begin.max(trial.dma) + cycles {
                stage(trial, start);
                (trial.begin, trial.dma, trial.early) =
                    (trial.begin.max(ready) + starting(first.len()) + AWAIT, ready, share);
                let waited = trial.begin - self.now - starting(first.len());
                trial.ahead = waited.saturating_sub(trial.late);
                return cycles;
            }
        }
        stage(trial, i);
        cycles.min(COLD_PARTS * 2 / 3)
    }

    /// Cycles from the start of layer `i` to its end that no mode undercuts: a layer in parts computes at least what the
    /// whole one does.
    pub fn least(layers: &Layers, i: usize) -> u64 {
        let layer = &layers.list[i];
        let near = layer.kernel + layer.cold;
        near.min(layer.kernel * FAR) + layer.call
    }

    fn far(&self, layer: &Layer) -> Trial {
        let end = self.now + layer.kernel * FAR + layer.call;
        Trial { begin: self.now, end, dma: self.dma, out: self.out, ..Trial::default() }
    }
}

/// Cycles to start a transfer of so many copies.
pub fn starting(copies: usize) -> u64 {
    START + COPY * copies as u64
}

/// Bytes that a buffer takes.
pub fn aligned(bytes: usize) -> usize {
    bytes.next_multiple_of(super::search::ALIGNMENT)
}
