//! The judge of tiled layers: replays them part by part and shares no code with the search.
//!
//! In: a node, its types, a [`Tiled`] layer nobody trusts. Out: everything that is wrong with it. It follows contents:
//! which bytes of which tensor a slot holds, who still reads it, and which bytes of the results are done.

use std::collections::BTreeMap;

use super::{Copy, Tiled, regions, table_bytes};
use crate::ir::{Graph, Node};
use crate::targets::{Choice, Library};

/// Alignment of slots and tables, which are moved and read by words, in bytes.
const WORD: usize = 4;
/// Slots of a stream: the runtime's tables have a bit for which.
const SLOTS: usize = 2;

/// What a slot holds: the part's place in its tensor.
type Held = (usize, Copy);

/// Everything wrong with `tiled` as a form of `node`, whose kernel is `whole`; whether its share of the scratchpad is free
/// is not looked at.
pub fn faults(graph: &Graph, library: &Library, node: &Node, whole: &Choice, tiled: &Tiled) -> Vec<String> {
    let mut replay = Replay { graph, node, tiled, faults: Vec::new() };
    replay.check_streams();
    if replay.faults.is_empty() {
        replay.check_memory();
        replay.check_kinds();
        replay.check_parts();
        replay.faults.extend(regions::faults(graph, library, node, whole, tiled));
    }
    replay.faults
}

struct Replay<'a> {
    graph: &'a Graph,
    node: &'a Node,
    tiled: &'a Tiled,
    faults: Vec<String>,
}

impl Replay<'_> {
    fn fault(&mut self, message: String) {
        self.faults.push(message);
    }

    /// Streams are the node's operands and results, and tables have a column for each.
    fn check_streams(&mut self) {
        let tensors: Vec<_> = self.node.inputs.iter().chain(&self.node.outputs).copied().collect();
        let listed: Vec<_> = self.tiled.streams.iter().map(|s| s.tensor).collect();
        let inputs = self.node.inputs.len();
        if listed != tensors || self.tiled.streams.iter().enumerate().any(|(i, s)| s.written != (i >= inputs))
        {
            self.fault("the streams are not the node's operands and results".into());
            return;
        }
        let n = tensors.len();
        let full = |t: &super::Tile| t.offsets.len() == n && t.slots.len() == n && t.loads.len() == n;
        let known = |t: &super::Tile| {
            t.kind < self.tiled.kinds.len()
                && t.slots
                    .iter()
                    .zip(&self.tiled.streams)
                    .all(|(slot, s)| *slot < s.slots.len() || (s.resident() && *slot == 0))
        };
        if self.tiled.streams.iter().any(|s| s.slots.len() > SLOTS) {
            self.fault("a stream has more slots than there can be".into());
        }
        if self.tiled.kinds.iter().any(|k| k.copies.len() != n || k.types.len() != n)
            || !self.tiled.tiles.iter().all(|t| full(t) && known(t))
        {
            self.fault("a table has too few columns or names what is not there".into());
        }
    }

    /// Slots and scratch lie in the scratchpad and apart.
    fn check_memory(&mut self) {
        let mut used: Vec<(usize, usize)> = Vec::new();
        for s in &self.tiled.streams {
            used.extend(s.slots.iter().map(|at| (*at, at + s.bytes)));
            let align = self.graph.tensor(s.tensor).ty.dtype.bytes().max(WORD);
            if s.slots.iter().any(|at| (self.tiled.base + at) % align != 0) {
                self.faults.push(format!("a slot is not aligned to {align} bytes"));
            }
        }
        if let Some(at) = self.tiled.scratch {
            let bytes = self.tiled.kinds.iter().map(|k| k.choice.scratch_bytes).max().unwrap_or(0);
            used.push((at, at + bytes));
        }
        let (at, bytes) = (self.tiled.tables.at, self.tiled.tables.bytes);
        let (fixed, all) =
            table_bytes(self.tiled.streams.len(), self.tiled.kinds.len(), self.tiled.tiles.len());
        if bytes != fixed && bytes != all {
            self.fault(format!("{bytes} bytes of tables are copied; there are {fixed} or {all}"));
        }
        used.push((at, at + bytes));
        used.sort_unstable();
        if (self.tiled.base + at) % WORD != 0
            || self.tiled.scratch.is_some_and(|s| (self.tiled.base + s) % WORD != 0)
        {
            self.fault("tables or scratch memory are not aligned".into());
        }
        if used.windows(2).any(|w| w[1].0 < w[0].1) {
            self.fault("two slots overlap".into());
        }
        let end = used.iter().map(|u| u.1).max().unwrap_or(0);
        if end > self.tiled.bytes {
            self.fault(format!("slots end at {end}; {} bytes are theirs", self.tiled.bytes));
        }
        if self.tiled.kinds.iter().any(|k| k.choice.scratch_bytes > 0) && self.tiled.scratch.is_none() {
            self.fault("a kernel has no scratch memory".into());
        }
    }

    /// Every kind computes what it says, and its copies are as large as its types.
    fn check_kinds(&mut self) {
        let inputs = self.node.inputs.len();
        for (i, kind) in self.tiled.kinds.iter().enumerate() {
            match kind.op.infer(&kind.types[..inputs]) {
                Ok(types) if types == kind.types[inputs..] => {}
                _ => self.faults.push(format!("kind {i} does not compute results of its types")),
            }
            for (s, (copy, ty)) in kind.copies.iter().zip(&kind.types).enumerate() {
                let packed = (s < inputs).then(|| kind.choice.packing(s)).flatten();
                let bytes = packed.map_or(ty.bytes(), |p| p.packed_type(ty).bytes());
                let stream = &self.tiled.streams[s];
                if copy.planes * copy.rows * copy.row != bytes || bytes > stream.bytes {
                    self.faults.push(format!("kind {i}: stream {s} copies other than {bytes} bytes"));
                }
            }
        }
    }

    fn check_parts(&mut self) {
        let mut held: BTreeMap<(usize, usize), Held> = BTreeMap::new();
        let streams = self.tiled.streams.len();
        for (i, tile) in self.tiled.tiles.iter().enumerate() {
            for s in 0..streams {
                let place = (tile.offsets[s], self.tiled.kinds[tile.kind].copies[s]);
                let slot = (s, tile.slots[s]);
                if self.tiled.streams[s].resident() {
                    self.check_resident(i, s, place);
                    continue;
                }
                if self.tiled.streams[s].written {
                    if tile.loads[s] {
                        self.faults.push(format!("part {i}: result {s} is fetched"));
                    }
                    continue;
                }
                if tile.loads[s] {
                    // Fetched while the part before is computed: it must not read the slot.
                    let before = i.checked_sub(1).map(|b| self.tiled.tiles[b].slots[s]);
                    if self.tiled.ahead && before == Some(tile.slots[s]) {
                        self.faults.push(format!("part {i}: stream {s} is fetched over what is being read"));
                    }
                    held.insert(slot, place);
                } else if held.get(&slot) != Some(&place) {
                    self.faults.push(format!("part {i}: stream {s} is not in its slot"));
                }
            }
            if self.tiled.ahead && i > 0 {
                let stored = |s: &usize| self.tiled.streams[*s].written && !self.tiled.streams[*s].resident();
                for s in (0..streams).filter(stored) {
                    if self.tiled.tiles[i - 1].slots[s] == tile.slots[s] && self.tiled.tiles.len() > 1 {
                        self.faults.push(format!("part {i}: stream {s} is written while it is being stored"));
                    }
                }
            }
        }
        self.check_coverage();
    }

    /// A part that is used where it is must look like one that was fetched: bytes one after the other, as aligned as a word.
    fn check_resident(&mut self, part: usize, stream: usize, (offset, copy): Held) {
        if copy.planes != 1 || copy.rows != 1 || offset % 4 != 0 || self.tiled.tiles[part].loads[stream] {
            self.faults.push(format!("part {part}: stream {stream} cannot be used where it is"));
        }
    }

    /// Every byte of every result is stored once, and nothing lies outside its tensor.
    fn check_coverage(&mut self) {
        for (s, stream) in self.tiled.streams.iter().enumerate() {
            let ty = &self.graph.tensor(stream.tensor).ty;
            let packed =
                self.tiled.kinds.first().and_then(|k| k.choice.packing(s)).filter(|_| !stream.written);
            let whole = packed.map_or(ty.bytes(), |_| usize::MAX);
            let mut spans: Vec<(usize, usize)> = Vec::new();
            for tile in &self.tiled.tiles {
                let c = &self.tiled.kinds[tile.kind].copies[s];
                for p in 0..c.planes {
                    for r in 0..c.rows {
                        let at = tile.offsets[s] + p * c.plane + r * c.stride;
                        spans.push((at, at + c.row));
                    }
                }
            }
            if spans.iter().any(|(_, end)| *end > whole) {
                self.faults.push(format!("stream {s} reaches beyond its tensor"));
            }
            if stream.written {
                spans.sort_unstable();
                let joined = spans.windows(2).all(|w| w[0].1 == w[1].0);
                let ends = (spans.first().map(|f| f.0), spans.last().map(|l| l.1));
                if !joined || ends != (Some(0), Some(ty.bytes())) {
                    self.faults.push(format!("stream {s}: some bytes are not stored exactly once"));
                }
            }
        }
    }
}
