//! The turns of a candidate's parts: what is fetched for each and into which slots, and what all that takes.
//!
//! In: a layer, a candidate. Out: its cycles and bytes, or the whole [`Tiled`] layer. Never decides.

use super::parts::Sort;
use super::{Candidate, LOOK, Layer};
use crate::tiling::tiles::cost::{self, Part};
use crate::tiling::tiles::{Kind, Stream, Tables, Tile, Tiled, table_bytes};

/// Bytes of a layer's tables that are copied to the scratchpad whatever they cost there.
const NEAR_TABLES: usize = 1024;

/// The parts of a candidate that have had their turn.
struct Turns<'a> {
    layer: &'a Layer<'a>,
    ahead: bool,
    kinds: Vec<Sort>,
    costs: Vec<Part>,
    /// For each stream: how often its part was another than the one before.
    changes: Vec<usize>,
    /// Kind and offsets of the latest part.
    last: Option<(usize, Vec<usize>)>,
    /// All parts, where they are wanted.
    tiles: Option<Vec<Tile>>,
}

/// Where everything lies in a layer's share of the scratchpad, and what it takes.
struct Layout {
    slots: Vec<Vec<usize>>,
    scratch: Option<usize>,
    tables: Tables,
    bytes: usize,
    cycles: u64,
}

impl Layer<'_> {
    /// Cycles and bytes of a candidate; `None` if the kernel or the DMA does not take one of its parts.
    pub(super) fn measure(&self, candidate: &Candidate) -> Option<(u64, usize)> {
        let layout = self.turns(candidate, None)?.layout();
        Some((layout.cycles, layout.bytes))
    }

    /// The candidate with all its parts; `None` if the kernel or the DMA does not take one of them.
    pub(super) fn work_out(&self, candidate: &Candidate) -> Option<Tiled> {
        let turns = self.turns(candidate, Some(Vec::new()))?;
        let Layout { slots, scratch, tables, bytes, cycles } = turns.layout();
        let tensors = self.node.inputs.iter().chain(&self.node.outputs).enumerate();
        let streams = tensors.zip(slots).map(|((s, tensor), slots)| Stream {
            tensor: *tensor,
            written: self.written(s),
            slots,
            bytes: turns.bytes(s),
        });
        let streams = streams.collect();
        let kind = |k: Sort| {
            let choice = self.call(&k.fit)?;
            Some(Kind { op: k.fit.op.clone(), types: k.fit.types.clone(), choice, copies: k.copies })
        };
        let kinds = turns.kinds.into_iter().map(kind).collect::<Option<_>>()?;
        Some(Tiled {
            arena: self.pad.arena,
            base: 0,
            cycles,
            streams,
            kinds,
            tiles: turns.tiles.unwrap_or_default(),
            ahead: candidate.ahead,
            scratch,
            tables,
            bytes,
            shape: candidate.shape.to_vec(),
            order: candidate.order.to_vec(),
        })
    }

    fn turns(&self, candidate: &Candidate, tiles: Option<Vec<Tile>>) -> Option<Turns<'_>> {
        let mut turns = Turns {
            layer: self,
            ahead: candidate.ahead,
            kinds: Vec::new(),
            costs: Vec::new(),
            changes: vec![0; self.types.len()],
            last: None,
            tiles,
        };
        turns.kinds = self.parts(candidate, |kinds, kind, offsets| turns.take(kinds, kind, offsets))?;
        self.pad.seen.spend(LOOK / 2 + turns.costs.len() as u64 / 4);
        Some(turns)
    }
}

impl Turns<'_> {
    /// The next part.
    fn take(&mut self, kinds: &[Sort], kind: usize, offsets: &[usize]) {
        let streams = self.changes.len();
        let mut tile = self.tiles.as_ref().map(|_| Tile {
            kind,
            offsets: offsets.to_vec(),
            slots: vec![0; streams],
            loads: vec![false; streams],
        });
        let mut cost = Part { kernel: kinds[kind].fit.kernel, ..Part::default() };
        for s in (0..streams).filter(|s| !self.layer.resident(*s)) {
            let same = self.last.as_ref().is_some_and(|(last, from)| {
                from[s] == offsets[s] && (*last == kind || kinds[*last].copies[s] == kinds[kind].copies[s])
            });
            self.changes[s] += usize::from(self.last.is_some() && !same);
            let (written, cycles) = (self.layer.written(s), kinds[kind].transfers[s]);
            if written || !same {
                let transfer = if written { &mut cost.store } else { &mut cost.fetch };
                *transfer = self.layer.pad.dma.joined(*transfer, cycles);
                cost.commands += kinds[kind].copies[s].commands() as u64;
            }
            if let Some(tile) = &mut tile {
                tile.loads[s] = !written && !same;
                tile.slots[s] = if self.ahead { self.changes[s] % 2 } else { 0 };
            }
        }
        self.costs.push(cost);
        self.tiles.iter_mut().for_each(|tiles| tiles.extend(tile.take()));
        let (last, from) = self.last.get_or_insert_default();
        *last = kind;
        from.clear();
        from.extend_from_slice(offsets);
    }

    /// Bytes of a stream's largest part.
    fn bytes(&self, stream: usize) -> usize {
        self.kinds.iter().map(|k| k.copies[stream].bytes()).max().unwrap_or(0)
    }

    fn layout(&self) -> Layout {
        let mut used = 0;
        let mut give = |count: usize, bytes: usize| -> Vec<usize> {
            let each = self.layer.slot_bytes(bytes);
            used += count * each;
            (0..count).map(|i| used - (count - i) * each).collect()
        };
        let mut slots = Vec::new();
        for (s, changes) in self.changes.iter().enumerate() {
            let count = if self.ahead && *changes > 0 { 2 } else { 1 };
            slots.push(give(if self.layer.resident(s) { 0 } else { count }, self.bytes(s)));
        }
        let scratch = self.kinds.iter().map(|k| k.fit.scratch).max().filter(|b| *b > 0);
        let scratch = scratch.and_then(|bytes| give(1, bytes).pop());
        let (fixed, all) = table_bytes(slots.len(), self.kinds.len(), self.costs.len());
        let bytes = if all <= NEAR_TABLES { all } else { fixed };
        let at = used;
        used += self.layer.slot_bytes(bytes);
        // Parts are never faster than the whole: costs that say so lack something.
        let least = self.layer.library.cycles(self.layer.whole).unwrap_or(0);
        let cycles = cost::total(&self.costs, self.ahead).max(least);
        Layout { slots, scratch, tables: Tables { at, bytes }, bytes: used, cycles }
    }
}
