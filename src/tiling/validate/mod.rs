//! The plan's judge: replays the schedule byte by byte and shares no code with the planner.
//!
//! In: a graph, its assignment, a [`Plan`] nobody trusts. Out: a [`CheckedPlan`], or everything that is wrong.
//! It follows *contents*: each byte of memory remembers which byte of which computed tensor it holds, so a
//! buffer reused too early, a wrong view or a bad in-place write shows up as a read of the wrong content.

use std::collections::BTreeMap;

mod memories;
mod transfers;

use super::plan::{Home, Interface, Plan};
use super::planner::MemoryOptions;
use super::{streaming, tiles};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::ir::ops::View;
use crate::ir::{Graph, NodeId, Op, TensorId};
use crate::targets::{Assignment, Library};

/// Alignment of whatever kernels and transfers take by words, in bytes.
const WORD: usize = 4;

/// A plan that passed [`validate`]; nothing else makes one.
#[derive(Clone, Debug)]
pub struct CheckedPlan(Plan);

impl std::ops::Deref for CheckedPlan {
    type Target = Plan;
    fn deref(&self) -> &Plan {
        &self.0
    }
}

/// A run of bytes of a computed tensor: what a piece of memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    root: TensorId,
    start: usize,
    len: usize,
}

/// Which memory a home lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    Arena(usize),
    Input(usize),
    Output(usize),
    /// The external memory.
    Outside,
}

/// Known contents of one memory: start → segment; bytes not covered hold nothing known.
type Contents = BTreeMap<usize, Segment>;

pub struct Replay<'a> {
    graph: &'a Graph,
    assignment: &'a Assignment,
    library: &'a Library,
    options: &'a MemoryOptions,
    plan: &'a Plan,
    memory: BTreeMap<Space, Contents>,
    meaning: BTreeMap<TensorId, Vec<Segment>>,
    /// Results of nodes without code, and those nodes.
    views: BTreeMap<TensorId, NodeId>,
    flights: Vec<transfers::Flight>,
    layer: usize,
    faults: Diagnostics,
}

/// Checks a plan against the graph, the kernels chosen for it, and the memories there are.
///
/// # Errors
/// Every fault found, each naming the node and the tensors involved.
pub fn validate(
    graph: &Graph,
    assignment: &Assignment,
    library: &Library,
    options: &MemoryOptions,
    plan: Plan,
) -> Result<CheckedPlan> {
    let mut replay = Replay {
        graph,
        assignment,
        library,
        options,
        plan: &plan,
        memory: BTreeMap::new(),
        meaning: BTreeMap::new(),
        views: BTreeMap::new(),
        flights: Vec::new(),
        layer: 0,
        faults: Diagnostics::default(),
    };
    replay.check_order();
    replay.check_homes();
    replay.check_memories();
    replay.check_tiled();
    replay.check_streams();
    replay.check_staged(&plan.runs());
    replay.check_loads(&plan.runs());
    replay.check_spills(plan.runs().len());
    if !replay.faults.has_errors() {
        let results = |id: &NodeId| graph.node(*id).outputs.iter().map(|t| (*t, *id)).collect::<Vec<_>>();
        replay.views = plan.elided.iter().flat_map(results).collect();
        replay.run();
    }
    let faults = replay.faults;
    faults.into_result(()).map(|()| CheckedPlan(plan))
}

fn locate(home: Home) -> (Space, usize) {
    match home {
        Home::Arena { arena, offset } => (Space::Arena(arena), offset),
        Home::Input { index, offset } => (Space::Input(index), offset),
        Home::Output { index, offset } => (Space::Output(index), offset),
    }
}

fn overlap(a: (Space, usize, usize), b: (Space, usize, usize)) -> bool {
    a.0 == b.0 && a.1 < b.1 + b.2 && b.1 < a.1 + a.2
}

impl Replay<'_> {
    fn fault(&mut self, node: Option<NodeId>, message: String) {
        let mut d = Diagnostic::internal(format!("memory plan: {message}"));
        if let Some(n) = node.and_then(|id| self.graph.get_node(id)) {
            d = d.at(n.name.clone(), n.op.name());
        }
        self.faults.push(d);
    }

    fn check_order(&mut self) {
        let mut position = BTreeMap::new();
        for (i, id) in self.plan.order.iter().enumerate() {
            if self.graph.get_node(*id).is_none() || position.insert(*id, i).is_some() {
                self.fault(None, format!("the order lists {id} twice or it does not exist"));
            }
        }
        let uses = self.graph.uses();
        for (id, node) in self.graph.nodes() {
            let Some(at) = position.get(&id).copied() else {
                self.fault(Some(id), "is never run".into());
                continue;
            };
            for (producer, _) in node.inputs.iter().filter_map(|t| uses.producer(*t)) {
                if position.get(&producer).is_some_and(|p| *p >= at) {
                    self.fault(Some(id), format!("runs before {producer}, whose result it reads"));
                }
            }
        }
    }

    fn check_homes(&mut self) {
        for (id, tensor) in self.graph.tensors() {
            if tensor.is_constant() {
                continue;
            }
            match self.plan.homes.get(&id) {
                None => self.fault(None, format!("tensor `{}` has no home", tensor.name)),
                Some(home) => {
                    let (bytes, align) = (tensor.ty.bytes(), tensor.ty.dtype.bytes());
                    self.check_home(&tensor.name.clone(), *home, bytes, align);
                }
            }
        }
        for (id, home) in &self.plan.scratch.clone() {
            let bytes = self.assignment.choices.get(id).map_or(0, |c| c.scratch_bytes);
            self.check_home(&format!("scratch of {id}"), *home, bytes, WORD);
        }
        for (id, choice) in &self.assignment.choices {
            let in_parts = self.plan.tiled.contains_key(id);
            let needs = choice.scratch_bytes > 0 && !self.plan.elided.contains(id) && !in_parts;
            if needs && !self.plan.scratch.contains_key(id) {
                self.fault(Some(*id), "has no scratch memory".into());
            }
        }
        if self.plan.interface == Interface::Caller {
            self.check_caller_interface();
        }
    }

    fn check_tiled(&mut self) {
        for (id, tiled) in &self.plan.tiled {
            let Some(node) = self.graph.get_node(*id) else {
                self.fault(None, format!("{id} is computed in parts and does not exist"));
                continue;
            };
            let Some(arena) = self.plan.arenas.get(tiled.arena) else {
                self.fault(Some(*id), "is computed in parts in a memory that does not exist".into());
                continue;
            };
            if tiled.base.checked_add(tiled.bytes).is_none_or(|end| end > arena.bytes) {
                self.fault(Some(*id), format!("has parts beyond the end of `{}`", arena.level));
            }
            let near = |t: &TensorId| matches!(self.plan.homes.get(t), Some(Home::Arena { arena, .. }) if *arena == tiled.arena);
            for (s, stream) in tiled.streams.iter().enumerate().filter(|(_, s)| s.resident()) {
                if !near(&stream.tensor) && !self.plan.staged.contains_key(&(*id, s)) {
                    self.fault(Some(*id), "uses parts where they are of a tensor that is not near".into());
                }
            }
            let Some(choice) = self.assignment.choices.get(id) else {
                self.fault(Some(*id), "is computed in parts by no kernel".into());
                continue;
            };
            for message in tiles::faults(self.graph, self.library, node, choice, tiled) {
                self.fault(Some(*id), message);
            }
        }
    }

    /// Streamed nodes have steps; those of others are never looked at.
    fn check_streams(&mut self) {
        let graph = self.graph;
        for (id, node) in graph.nodes().filter(|(_, n)| matches!(n.op, Op::Streamed(_))) {
            match (self.plan.streams.get(&id), self.assignment.choices.get(&id)) {
                (Some(streaming), Some(choice)) if !self.plan.elided.contains(&id) => {
                    for message in streaming::faults(graph, self.library, node, choice, streaming) {
                        self.fault(Some(id), message);
                    }
                }
                _ => self.fault(Some(id), "is streamed and has no steps, or no kernels".into()),
            }
        }
    }

    fn check_caller_interface(&mut self) {
        for (index, t) in self.graph.inputs().to_vec().into_iter().enumerate() {
            if self.plan.homes.get(&t) != Some(&Home::Input { index, offset: 0 }) {
                self.fault(None, format!("graph input {index} is not in the caller's buffer"));
            }
        }
        for (index, o) in self.graph.outputs().iter().enumerate() {
            if self.plan.homes.get(&o.tensor) != Some(&Home::Output { index, offset: 0 }) {
                self.faults.push(Diagnostic::internal(format!(
                    "memory plan: graph output {index} is not in the caller's buffer"
                )));
            }
        }
    }

    fn check_home(&mut self, name: &str, home: Home, bytes: usize, align: usize) {
        let (space, offset) = locate(home);
        let size = match space {
            Space::Arena(a) => self.plan.arenas.get(a).map(|a| a.bytes),
            Space::Input(i) => self.graph.inputs().get(i).map(|t| self.graph.tensor(*t).ty.bytes()),
            Space::Output(i) => self.graph.outputs().get(i).map(|o| self.graph.tensor(o.tensor).ty.bytes()),
            Space::Outside => None,
        };
        match size {
            None => self.fault(None, format!("`{name}` lies in a memory that does not exist")),
            Some(_) if self.start_alignment(space) % align != 0 => {
                self.fault(None, format!("`{name}` lies in a memory that is not aligned to {align} bytes"));
            }
            Some(size) if offset.checked_add(bytes).is_none_or(|end| end > size) => self.fault(
                None,
                format!(
                    "`{name}` needs bytes {offset}..{} of a memory of {size}",
                    offset.saturating_add(bytes)
                ),
            ),
            Some(_) if bytes > 0 && offset % align != 0 => {
                self.fault(None, format!("`{name}` at offset {offset} is not aligned to {align} bytes"));
            }
            Some(_) => {}
        }
    }

    /// Alignment of a memory's start: callers' buffers are aligned for their elements, and for whatever shares them.
    fn start_alignment(&self, space: Space) -> usize {
        match space {
            Space::Arena(a) => self.plan.arenas.get(a).map_or(1, |a| a.alignment),
            Space::Input(_) | Space::Output(_) | Space::Outside => 0,
        }
    }

    /// Where a tensor is while the present layer runs.
    fn range(&self, t: TensorId) -> Option<(Space, usize, usize)> {
        let (space, offset) = locate(self.plan.home(t, self.layer)?);
        Some((space, offset, self.graph.tensor(t).ty.bytes()))
    }

    fn run(&mut self) {
        for t in self.graph.inputs().to_vec() {
            self.compute(t);
        }
        let mut layer = 0;
        for id in self.plan.order.clone() {
            let node = self.graph.node(id).clone();
            if self.plan.elided.contains(&id) {
                self.elide(id);
                continue;
            }
            self.fly(layer);
            layer += 1;
            for (s, t) in node.inputs.iter().enumerate() {
                let first = self.plan.staged.get(&(id, s)).filter(|_| self.plan.stages_first(id, s));
                let first = first.map(|f| (locate(f.home), f.bytes));
                let first = first.map(|((space, offset), bytes)| (space, offset, bytes));
                for at in self.effective(id, s).into_iter().chain(first) {
                    self.read_at(*t, at, Some(id));
                    self.untouched(at, false, Some(id));
                }
            }
            self.check_overlaps(id);
            for (space, offset, len) in self.working(id) {
                self.untouched((space, offset, len), true, Some(id));
                self.clobber(space, offset, len);
            }
            if node.outputs.iter().any(|t| matches!(self.range(*t), Some((Space::Input(_), ..)))) {
                self.fault(Some(id), "writes into the caller's input".into());
            }
            match self.view_of(id) {
                View::Joined { offsets } => self.compute_joined(id, &offsets),
                _ => self.compute_results(id),
            }
        }
        self.land_all(layer);
        for o in self.graph.outputs().to_vec() {
            self.read(o.tensor, None);
        }
    }

    fn view_of(&self, id: NodeId) -> View {
        let node = self.graph.node(id);
        node.op.view(&self.graph.types(&node.inputs), &self.graph.types(&node.outputs))
    }

    /// Where a kernel, or the transfers of a layer in parts, find a stream: staged, or at the tensor's home. `None` for constants that are not staged.
    fn effective(&self, id: NodeId, stream: usize) -> Option<transfers::Range> {
        if let Some(staged) =
            self.plan.staged.get(&(id, stream)).filter(|_| !self.plan.stages_first(id, stream))
        {
            let (space, offset) = locate(staged.home);
            return Some((space, offset, staged.bytes));
        }
        self.home_of(id, stream)
    }

    /// Where a stream is when it is not staged. `None` for constants that kernels read where the linker puts them.
    fn home_of(&self, id: NodeId, stream: usize) -> Option<transfers::Range> {
        let node = self.graph.node(id);
        let tensor = *node.inputs.iter().chain(&node.outputs).nth(stream)?;
        if let Some(external) = self.plan.external.get(&(id, stream)) {
            let (space, offset) = locate(external.home);
            return Some((space, offset, self.packed_bytes(id, stream, tensor)));
        }
        self.range(tensor)
    }

    /// Memory that a layer needs beside its operands and results: scratch, or the share of a layer in parts.
    fn working(&self, id: NodeId) -> Vec<transfers::Range> {
        let mut ranges = Vec::new();
        if let (Some(home), Some(choice)) = (self.plan.scratch.get(&id), self.assignment.choices.get(&id)) {
            let (space, offset) = locate(*home);
            ranges.push((space, offset, choice.scratch_bytes));
        }
        if let Some(tiled) = self.plan.tiled.get(&id) {
            ranges.push((Space::Arena(tiled.arena), tiled.base, tiled.bytes));
        }
        ranges
    }

    /// The results of a layer are where its kernel writes them.
    fn compute_results(&mut self, id: NodeId) {
        let node = self.graph.node(id).clone();
        for (r, t) in node.outputs.iter().enumerate() {
            let stream = node.inputs.len() + r;
            let Some((space, offset, len)) = self.effective(id, stream) else { continue };
            self.untouched((space, offset, len), true, Some(id));
            let own = Segment { root: *t, start: 0, len };
            self.meaning.insert(*t, vec![own]);
            self.store(space, offset, own);
        }
    }

    /// An input is there from the start: its first home holds its bytes.
    fn compute(&mut self, t: TensorId) {
        let Some(home) = self.plan.homes.get(&t) else { return };
        let ((space, offset), len) = (locate(*home), self.graph.tensor(t).ty.bytes());
        let own = Segment { root: t, start: 0, len };
        self.meaning.insert(t, vec![own]);
        self.store(space, offset, own);
    }

    /// A concatenation runs: operands already in their part of the result stay, the others are copied there.
    fn compute_joined(&mut self, id: NodeId, offsets: &[usize]) {
        let node = self.graph.node(id).clone();
        let result = node.outputs[0];
        let Some(to) = self.effective(id, node.inputs.len()) else { return };
        self.untouched(to, true, Some(id));
        let (space, start, _) = to;
        let mut meaning = vec![];
        for (o, (operand, offset)) in node.inputs.iter().zip(offsets).enumerate() {
            let ty = &self.graph.tensor(*operand).ty;
            let (offset, len) = (offset * ty.dtype.bytes(), ty.bytes());
            if self.effective(id, o) == Some((space, start + offset, len)) {
                meaning.extend(self.meaning.get(operand).cloned().unwrap_or_default());
            } else {
                let own = Segment { root: result, start: offset, len };
                self.store(space, start + offset, own);
                meaning.push(own);
            }
        }
        self.meaning.insert(result, meaning);
    }

    /// `at` now holds exactly `segment`.
    fn store(&mut self, space: Space, at: usize, segment: Segment) {
        self.clobber(space, at, segment.len);
        if segment.len > 0 {
            self.memory.entry(space).or_default().insert(at, segment);
        }
    }

    /// Forgets what `len` bytes held, splitting segments at the borders.
    fn clobber(&mut self, space: Space, offset: usize, len: usize) {
        let contents = self.memory.entry(space).or_default();
        let end = offset + len;
        let hit: Vec<(usize, Segment)> =
            contents.range(..end).filter(|(s, g)| *s + g.len > offset).map(|(s, g)| (*s, *g)).collect();
        for (start, g) in hit {
            contents.remove(&start);
            if start < offset {
                contents.insert(start, Segment { len: offset - start, ..g });
            }
            if start + g.len > end {
                let cut = end - start;
                contents.insert(end, Segment { root: g.root, start: g.start + cut, len: g.len - cut });
            }
        }
    }

    /// A tensor is read: its home must hold exactly what the tensor means.
    fn read(&mut self, t: TensorId, by: Option<NodeId>) {
        let tensor = self.graph.tensor(t);
        if tensor.is_constant() || tensor.ty.bytes() == 0 {
            return;
        }
        let Some(range) = self.range(t) else { return };
        self.read_at(t, range, by);
    }

    /// A tensor is read in a place, which must hold exactly what the tensor means.
    fn read_at(&mut self, t: TensorId, range: transfers::Range, by: Option<NodeId>) {
        let tensor = self.graph.tensor(t);
        let (space, mut at, len) = range;
        if len == 0 {
            return;
        }
        let itself = || vec![Segment { root: t, start: 0, len }];
        let constant = tensor.is_constant().then(itself);
        let Some(meaning) = constant.or_else(|| self.meaning_of(t)) else {
            self.fault(by, format!("reads `{}` before it is computed", tensor.name));
            return;
        };
        let empty = Contents::new();
        let contents = self.memory.get(&space).unwrap_or(&empty);
        for want in cut(&meaning, 0, len) {
            let mut done = 0;
            while done < want.len {
                let held = contents.range(..=at).next_back().filter(|(s, g)| at < **s + g.len);
                let Some((s, g)) =
                    held.filter(|(s, g)| g.root == want.root && g.start + (at - **s) == want.start + done)
                else {
                    let found = held.map_or("nothing".into(), |(_, g)| {
                        format!("bytes of `{}`", self.graph.tensor(g.root).name)
                    });
                    let name = tensor.name.clone();
                    self.fault(by, format!("reads `{name}` at byte {at} of {space:?}, which holds {found}"));
                    return;
                };
                let step = (s + g.len - at).min(want.len - done);
                at += step;
                done += step;
            }
        }
    }

    /// No code runs: the result must be where its operands' bytes already are.
    fn elide(&mut self, id: NodeId) {
        let node = self.graph.node(id).clone();
        if node.outputs.iter().all(|t| self.graph.tensor(*t).ty.bytes() == 0) {
            for t in &node.outputs {
                self.meaning.insert(*t, vec![]);
            }
            return;
        }
        if self.view_of(id) == View::None {
            return self.fault(Some(id), "is left out but computes something".into());
        }
        match self.viewed(id) {
            Some(meaning) => drop(self.meaning.insert(node.outputs[0], meaning)),
            None => self.fault(Some(id), "is left out before its operands are computed".into()),
        }
        // What is still to be stored, or outside, cannot be there; whoever reads it later finds out.
        let stays = self.plan.spills.is_empty();
        for t in node.inputs.iter().chain(&node.outputs).filter(|_| stays) {
            if !self.range(*t).is_some_and(|range| self.comes(range)) {
                self.read(*t, Some(id));
            }
        }
    }

    /// What the result of a node without code means, once its operands mean something.
    fn viewed(&self, id: NodeId) -> Option<Vec<Segment>> {
        let node = self.graph.node(id);
        match self.view_of(id) {
            View::None => None,
            View::Of { offset } => {
                let result = &self.graph.tensor(node.outputs[0]).ty;
                let from = self.meaning_of(node.inputs[0])?;
                Some(cut(&from, offset * result.dtype.bytes(), result.bytes()))
            }
            View::Joined { .. } => {
                let parts: Option<Vec<_>> = node.inputs.iter().map(|t| self.meaning_of(*t)).collect();
                parts.map(|p| p.concat())
            }
        }
    }

    /// What a tensor's bytes mean. A view is there as soon as its operand: a transfer need not wait for its turn.
    fn meaning_of(&self, t: TensorId) -> Option<Vec<Segment>> {
        let known = self.meaning.get(&t).cloned();
        known.or_else(|| self.viewed(*self.views.get(&t)?))
    }

    /// What a kernel writes must not lie over what it reads, but where it is declared safe.
    fn check_overlaps(&mut self, id: NodeId) {
        let node = self.graph.node(id).clone();
        let Some(choice) = self.assignment.choices.get(&id) else {
            return self.fault(Some(id), "has no kernel".into());
        };
        let working = self.working(id);
        let joined = match self.view_of(id) {
            View::Joined { offsets } => offsets,
            _ => vec![],
        };
        let mut written = working.clone();
        for (r, result) in node.outputs.iter().enumerate() {
            let Some(to) = self.effective(id, node.inputs.len() + r) else { continue };
            if written.iter().any(|w| overlap(*w, to)) {
                self.fault(Some(id), "writes two things to the same bytes".into());
            }
            written.push(to);
            for (o, operand) in node.inputs.iter().enumerate() {
                let Some(from) = self.effective(id, o).filter(|from| overlap(*from, to)) else { continue };
                let elements = |t: TensorId| self.graph.tensor(t).ty.elements();
                // Parts have buffers of their own: what counts is that no part is stored over one yet to be fetched.
                let safe = match self.plan.tiled.get(&id) {
                    Some(tiled) => {
                        let resident = tiled.streams.get(o).is_some_and(|s| s.resident());
                        tiled.same_places(o, r) && (!resident || choice.inplace.contains(&(o, r)))
                    }
                    None => choice.inplace.contains(&(o, r)),
                };
                let in_place = safe && from == to && elements(*operand) == elements(*result);
                // Rows are written over rows that were read.
                let stream = self.plan.streams.get(&id).filter(|_| r == 0 && from.0 == to.0);
                let in_place = in_place
                    || stream.is_some_and(|s| {
                        streaming::behind(self.graph, &node, s, o, from.1 as i64 - to.1 as i64)
                    });
                let joins = joined.get(o).is_some_and(|offset| {
                    (from.0, from.1) == (to.0, to.1 + offset * self.graph.tensor(*operand).ty.dtype.bytes())
                });
                if !in_place && !joins {
                    let name = self.graph.tensor(*operand).name.clone();
                    self.fault(Some(id), format!("overwrites its operand `{name}` while reading it"));
                }
            }
        }
        for range in working {
            if (0..node.inputs.len()).any(|o| self.effective(id, o).is_some_and(|from| overlap(from, range)))
            {
                self.fault(Some(id), "has its working memory over an operand".into());
            }
        }
    }
}

/// `len` bytes of a meaning, `skip` bytes in.
fn cut(from: &[Segment], mut skip: usize, mut len: usize) -> Vec<Segment> {
    let mut out = vec![];
    for g in from {
        if skip >= g.len {
            skip -= g.len;
            continue;
        }
        let take = (g.len - skip).min(len);
        if take > 0 {
            out.push(Segment { root: g.root, start: g.start + skip, len: take });
        }
        skip = 0;
        len -= take;
    }
    out
}
