//! Replays transfers of whole tensors: what is on its way, and who must not touch it meanwhile.
//!
//! In: a plan's staged operands and results, layer by layer. Out: faults, and memory contents as transfers end. A destination
//! holds nothing until its transfer has ended; neither side may be written before.

use super::{Replay, Segment, Space, WORD, locate, overlap};
use crate::ir::{NodeId, TensorId};
use crate::tiling::plan::{Home, Load, Spill, Staged, Trip};
use crate::tiling::tiles::Tiled;

/// Transfers that runtimes must be able to have under way, beside those of a layer in parts.
const TRANSFERS: usize = 12;

/// Fetches that a layer in parts may let wait for its own.
const LATER: usize = 32;
/// Transfers from an external memory that may be under way at once.
const CHANNELS: usize = 8;

/// A range of memory.
pub type Range = (Space, usize, usize);

/// A transfer under way.
#[derive(Clone, Debug)]
pub struct Flight {
    node: Option<NodeId>,
    /// From an external memory, or between memories; and its number there.
    number: (bool, usize),
    times: (usize, usize),
    source: Option<Range>,
    target: Range,
    /// What the target will hold: bytes from its start, content.
    carries: Vec<(usize, Segment)>,
}

/// Whether `staged` is what the first part takes of operand `stream`: the tensor's first bytes, in the slot it reads.
fn is_first_part(tiled: &Tiled, stream: usize, staged: &Staged) -> bool {
    let part = tiled.tiles.first().and_then(|t| Some((t, tiled.kinds.get(t.kind)?.copies.get(stream)?)));
    part.is_some_and(|(tile, copy)| {
        let slot = tile.slots.get(stream).and_then(|slot| tiled.streams.get(stream)?.slots.get(*slot));
        let home = slot.map(|at| Home::Arena { arena: tiled.arena, offset: tiled.base + at });
        let contiguous = copy.planes == 1 && copy.rows == 1 && tile.offsets.get(stream) == Some(&0);
        contiguous
            && copy.row == staged.bytes
            && home == Some(staged.home)
            && tile.loads.get(stream) == Some(&true)
    })
}

impl Replay<'_> {
    fn staged_at(&self, start: usize) -> Vec<(NodeId, usize, Staged)> {
        let here = self.plan.staged.iter().filter(|(_, s)| s.start == start);
        here.map(|((node, stream), s)| (*node, *stream, *s)).collect()
    }

    /// Every staged operand or result exists, has its size, and times in order.
    pub fn check_staged(&mut self, runs: &[NodeId]) {
        for ((id, stream), staged) in self.plan.staged.clone() {
            let Some(layer) = runs.iter().position(|r| *r == id) else {
                self.fault(None, format!("{id} is not computed but something is staged for it"));
                continue;
            };
            let node = self.graph.node(id).clone();
            let inputs = node.inputs.len();
            let Some(tensor) = node.inputs.iter().chain(&node.outputs).nth(stream).copied() else {
                self.fault(Some(id), format!("has no stream {stream} to stage"));
                continue;
            };
            let ty = &self.graph.tensor(tensor).ty;
            let bytes = if stream < inputs { self.packed_bytes(id, stream, tensor) } else { ty.bytes() };
            let in_order = if stream < inputs {
                staged.start <= staged.end && staged.end == layer
            } else {
                staged.start > layer && staged.start <= staged.end && staged.end <= runs.len()
            };
            let packed = stream < inputs && bytes != ty.bytes();
            let align = ty.dtype.bytes().max(if packed { WORD } else { 1 });
            let right = match self.plan.tiled.get(&id).filter(|_| self.plan.stages_first(id, stream)) {
                Some(tiled) => stream < inputs && is_first_part(tiled, stream, &staged),
                None => staged.bytes == bytes,
            };
            if !right || !in_order || staged.transfer >= TRANSFERS {
                self.fault(Some(id), format!("stream {stream} is staged wrongly: {staged:?}"));
            }
            if self.plan.tiled.contains_key(&id) && stream >= inputs {
                self.fault(Some(id), "is computed in parts and has a whole result staged".into());
            }
            self.check_home(&format!("stream {stream} of {id}"), staged.home, staged.bytes, align);
        }
        // What starts together under one number is one transfer: it ends together, and goes one way.
        let way = |((id, stream), s): (&(NodeId, usize), &Staged)| {
            let inputs = self.graph.get_node(*id).map_or(0, |n| n.inputs.len());
            ((s.start, s.transfer), (s.end, *stream < inputs))
        };
        let mut ways: Vec<_> = self.plan.staged.iter().map(way).collect();
        ways.sort_unstable();
        if let Some(w) = ways.windows(2).find(|w| w[0].0 == w[1].0 && w[0].1 != w[1].1) {
            let ((start, number), _) = w[0];
            self.fault(None, format!("two transfers {number} start with layer {start}"));
        }
        for (layer, id) in runs.iter().enumerate().filter(|(_, id)| self.plan.tiled.contains_key(id)) {
            let fetched = |node: &NodeId, stream: usize| stream < self.graph.node(*node).inputs.len();
            let later = |((node, stream), s): &(&(NodeId, usize), &Staged)| {
                s.start == layer
                    && s.end > layer
                    && self.graph.get_node(*node).is_some()
                    && fetched(node, *stream)
            };
            let waiting = self.plan.staged.iter().filter(later).count();
            if waiting > LATER {
                self.fault(Some(*id), format!("lets {waiting} fetches wait; there is room for {LATER}"));
            }
        }
    }

    /// Every load has its place and times in order, and everything external is brought by one.
    pub fn check_loads(&mut self, runs: &[NodeId]) {
        for load in self.plan.loads.clone() {
            if load.start > load.end || load.end >= runs.len() || load.channel >= CHANNELS {
                self.fault(None, format!("a load comes at no time or over no channel: {load:?}"));
            }
            if load.from % WORD != 0 {
                self.fault(None, format!("a load begins inside of a word: {load:?}"));
            }
            self.check_home("a load", load.home, load.bytes, WORD);
        }
        let mut image: Vec<(usize, usize)> = Vec::new();
        for ((id, stream), e) in self.plan.external.clone() {
            let Some(tensor) = self.graph.get_node(id).and_then(|n| n.inputs.get(stream)).copied() else {
                self.fault(None, format!("{id} has no operand {stream} to load"));
                continue;
            };
            let bytes = self.packed_bytes(id, stream, tensor);
            self.check_home(
                "a constant",
                e.home,
                bytes,
                WORD.max(self.graph.tensor(tensor).ty.dtype.bytes()),
            );
            image.push((e.from, e.from.saturating_add(bytes)));
            let brings = |l: &&Load| {
                l.from <= e.from
                    && e.from.saturating_add(bytes) <= l.from.saturating_add(l.bytes)
                    && e.home == l.home.shifted(e.from - l.from)
            };
            if !self.graph.tensor(tensor).is_constant() || !self.plan.loads.iter().any(|l| brings(&l)) {
                self.fault(Some(id), format!("nothing brings its operand {stream}"));
            }
        }
        image.sort_unstable();
        if image.windows(2).any(|w| w[1].0 < w[0].1) {
            self.fault(None, "two constants lie in the same bytes of the external memory".into());
        }
    }

    /// Every spill goes from the arena and comes back to it later, by words, within the external memory.
    pub fn check_spills(&mut self, layers: usize) {
        let outside =
            self.plan.outside.as_ref().map_or(0, |o| o.bytes).saturating_sub(self.plan.image_bytes());
        for spill in &self.plan.spills {
            let Spill { at, bytes, out, back, tensors } = spill;
            let in_order = out.start <= out.end && out.end <= back.start && back.start <= back.end;
            if !in_order || back.end > layers || out.channel.max(back.channel) >= CHANNELS {
                self.fault(None, format!("a spill comes at no time or over no channel: {out:?}, {back:?}"));
            }
            if at % WORD != 0 || bytes % WORD != 0 || *bytes == 0 {
                self.fault(None, format!("a spill of {bytes} bytes to {at} is not one of words"));
            }
            if at.checked_add(*bytes).is_none_or(|end| end > outside) {
                self.fault(None, format!("a spill of {bytes} bytes to {at} lies beyond the end"));
            }
            for home in [out.home, back.home] {
                self.check_home("a spill", home, *bytes, WORD);
            }
            for (t, home) in tensors {
                let known = self.graph.tensors().find(|(id, _)| id == t).map(|(_, tensor)| tensor);
                let Some(tensor) = known.filter(|t| !t.is_constant()) else {
                    self.fault(None, format!("{t:?} is spilled and does not exist"));
                    continue;
                };
                let (bytes, align) = (tensor.ty.bytes(), tensor.ty.dtype.bytes());
                self.check_home(&tensor.name.clone(), *home, bytes, align);
            }
        }
    }

    /// Transfers that end before layer `layer` land; those that start with it take off, between outside and the arena first,
    /// stores before fetches; those that it waits for land too, stores before anything is fetched.
    pub fn fly(&mut self, layer: usize) {
        self.layer = layer;
        self.land(|f| f.times.1 <= layer);
        self.spill(layer);
        self.load(layer);
        let is_fetch =
            |(node, stream, _): &(NodeId, usize, Staged)| *stream < self.graph.node(*node).inputs.len();
        let (fetches, stores): (Vec<_>, Vec<_>) = self.staged_at(layer).into_iter().partition(is_fetch);
        for (node, stream, staged) in stores {
            self.take_off(node, stream, staged);
        }
        self.land(|f| f.times.1 <= layer);
        for (node, stream, staged) in fetches {
            self.take_off(node, stream, staged);
        }
        self.land(|f| f.times.1 <= layer);
    }

    /// Bytes that start on their way to the external memory, then those on their way back.
    fn spill(&mut self, layer: usize) {
        let spills = &self.plan.spills;
        for s in spills.iter().filter(|s| s.out.start == layer) {
            self.trip(layer, s.out, s.bytes, (Space::Outside, s.at, s.bytes), true);
        }
        for s in spills.iter().filter(|s| s.back.start == layer) {
            self.trip(layer, s.back, s.bytes, (Space::Outside, s.at, s.bytes), false);
        }
    }

    /// Carries whatever there is.
    fn trip(&mut self, layer: usize, trip: Trip, bytes: usize, outside: Range, out: bool) {
        let (space, offset) = locate(trip.home);
        let inside = (space, offset, bytes);
        let (source, target) = if out { (inside, outside) } else { (outside, inside) };
        let carries = self.held(source);
        let (times, number) = ((trip.start, trip.end), (true, trip.channel));
        self.start(Flight { node: None, number, times, source: Some(source), target, carries });
        self.land(|f| f.times.1 <= layer);
    }

    /// What is known of some bytes, counted from their start.
    fn held(&self, (space, offset, len): Range) -> Vec<(usize, Segment)> {
        let Some(contents) = self.memory.get(&space) else { return Vec::new() };
        let hit = contents.range(..offset + len).filter(|(start, g)| **start + g.len > offset);
        let part = hit.map(|(start, g)| {
            let (from, until) = ((*start).max(offset), (start + g.len).min(offset + len));
            let segment = Segment { root: g.root, start: g.start + (from - start), len: until - from };
            (from - offset, segment)
        });
        part.collect()
    }

    /// Constants that start to come from an external memory.
    fn load(&mut self, layer: usize) {
        let starting: Vec<Load> = self.plan.loads.iter().filter(|l| l.start == layer).copied().collect();
        for load in starting {
            let (space, offset) = locate(load.home);
            let inside = self.plan.external.iter().filter(|(_, e)| {
                (load.from..load.from + load.bytes).contains(&e.from)
                    && e.home == load.home.shifted(e.from - load.from)
            });
            let carries = inside.filter_map(|((id, stream), e)| {
                let tensor = *self.graph.get_node(*id)?.inputs.get(*stream)?;
                let len = self.packed_bytes(*id, *stream, tensor);
                Some((e.from - load.from, Segment { root: tensor, start: 0, len }))
            });
            let carries = carries.collect();
            let (times, number) = ((load.start, load.end), (true, load.channel));
            let target = (space, offset, load.bytes);
            self.start(Flight { node: None, number, times, source: None, target, carries });
            self.land(|f| f.times.1 <= layer);
        }
    }

    /// Bytes of operand `stream` of a node as its kernel reads it.
    pub fn packed_bytes(&self, id: NodeId, stream: usize, tensor: TensorId) -> usize {
        let ty = &self.graph.tensor(tensor).ty;
        let packing = self.assignment.choices.get(&id).and_then(|c| c.packing(stream));
        packing.map_or(ty.bytes(), |p| p.packed_type(ty).bytes())
    }

    fn take_off(&mut self, id: NodeId, stream: usize, staged: Staged) {
        let node = self.graph.node(id).clone();
        let inputs = node.inputs.len();
        let (space, offset) = locate(staged.home);
        let near = (space, offset, staged.bytes);
        let (times, number) = ((staged.start, staged.end), (false, staged.transfer));
        let (tensor, source, target) = if stream < inputs {
            let tensor = node.inputs[stream];
            let source = self.home_of(id, stream);
            if let Some(source) = source {
                self.read_at(tensor, source, Some(id));
            }
            (tensor, source, near)
        } else {
            let tensor = node.outputs[stream - inputs];
            self.read_at(tensor, near, Some(id));
            let Some(home) = self.range(tensor) else { return };
            (tensor, Some(near), home)
        };
        let mut at = 0;
        let mut carries = Vec::new();
        for segment in self.content(tensor, staged.bytes) {
            carries.push((at, segment));
            at += segment.len;
        }
        self.start(Flight { node: Some(id), number, times, source, target, carries });
    }

    fn start(&mut self, flight: Flight) {
        let id = flight.node;
        if flight.source.is_some_and(|s| overlap(s, flight.target)) {
            self.fault(id, "has an operand or result staged onto itself".into());
        }
        self.untouched(flight.target, true, id);
        if let Some(source) = flight.source {
            self.untouched(source, false, id);
        }
        let other = |f: &Flight| f.number == flight.number && (f.times != flight.times || flight.number.0);
        if self.flights.iter().any(other) {
            self.fault(id, format!("starts transfer {:?} while it is under way", flight.number));
        }
        let (space, at, len) = flight.target;
        self.clobber(space, at, len);
        self.flights.push(flight);
    }

    /// What a tensor's bytes mean; a constant, as its reader wants it, means itself.
    fn content(&self, tensor: TensorId, bytes: usize) -> Vec<Segment> {
        let own = || vec![Segment { root: tensor, start: 0, len: bytes }];
        if self.graph.tensor(tensor).is_constant() {
            return own();
        }
        self.meaning_of(tensor).map_or_else(own, |meaning| super::cut(&meaning, 0, bytes))
    }

    fn land(&mut self, ended: impl Fn(&Flight) -> bool) {
        let (landed, flying): (Vec<Flight>, Vec<Flight>) = self.flights.drain(..).partition(ended);
        self.flights = flying;
        for flight in landed {
            let (space, start, _) = flight.target;
            for (at, segment) in flight.carries {
                self.store(space, start + at, segment);
            }
        }
    }

    /// Nothing under way may be touched: no destination at all, no source by writing.
    pub fn untouched(&mut self, range: Range, written: bool, by: Option<NodeId>) {
        let hit = |f: &&Flight| {
            overlap(f.target, range) || (written && f.source.is_some_and(|s| overlap(s, range)))
        };
        let hit = self.flights.iter().find(hit).map(|f| (f.number, f.times));
        if let Some(((outside, transfer), (start, end))) = hit {
            let does = if written { "writes" } else { "reads" };
            let (space, offset, len) = range;
            let bus = if outside { "outside, " } else { "" };
            let what =
                format!("{does} bytes {offset}..{} of {space:?} in layer {}", offset + len, self.layer);
            self.fault(
                by,
                format!("{what} that transfer {transfer} ({bus}layers {start} to {end}) is still moving"),
            );
        }
    }

    /// Whether a result that was computed is still to be stored to some of these bytes.
    pub fn comes(&self, range: Range) -> bool {
        let stored = |((id, stream), _): &(&(NodeId, usize), &Staged)| {
            let node = self.graph.node(*id);
            let result = stream.checked_sub(node.inputs.len()).and_then(|r| node.outputs.get(r));
            result.is_some_and(|t| {
                self.meaning.contains_key(t) && self.range(*t).is_some_and(|to| overlap(to, range))
            })
        };
        let landed = |s: &Staged| s.end < self.layer;
        self.plan.staged.iter().any(|entry| !landed(entry.1) && stored(&entry))
    }

    /// Everything has landed behind the last layer.
    pub fn land_all(&mut self, layers: usize) {
        self.fly(layers);
        if !self.flights.is_empty() {
            self.fault(None, "a transfer is never waited for".into());
        }
    }
}
