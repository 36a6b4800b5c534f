//! Plans as JSON: every decision by the names of layers and tensors, to be read, edited and used again.
//!
//! In: a plan, or its text that nobody trusts. Out: the text, or a plan for the validator to judge and what it is a plan of;
//! its faults are the user's. Tables of layers in parts are not saved: they follow from the size of a part and the order of the loops.

use std::collections::{BTreeMap, BTreeSet};

mod form;

use form::{
    Constant, How, Layer, Memory, Parts, Saved, SavedLoad, SavedSpill, SavedStaged, SavedTrip, Share,
};

use super::plan::{Alias, AliasKind, ArenaUse, External, Home, Load, Plan, Spill, Staged, Trip};
use super::planner::MemoryOptions;
use super::streaming::Merged;
use super::tiles::{Tiled, Tiler, stream_set};
use super::variant::{Source, Variant};
use crate::diag::{Diagnostic, Result};
use crate::ir::{Graph, NodeId, TensorId};
use crate::targets::{Assignment, Library};

/// The form of the file.
const FORMAT: u32 = 1;
/// No number in a file may be larger: sums of a few cannot overflow.
const LARGEST: usize = 1 << 40;
/// What comes behind the last layer.
const END: &str = "(end)";
/// What to do about a faulty file.
const HELP: &str = "save the plan of this network again (--save-plan) and edit that";

/// Names of things, made different where they are equal: the second `x` is `x#2`.
fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    names
        .map(|name| {
            let numbered = (2..).map(|i| format!("{name}#{i}"));
            let free = std::iter::once(name.to_string()).chain(numbered).find(|n| !taken.contains(n));
            let free = free.unwrap_or_default();
            taken.insert(free.clone());
            free
        })
        .collect()
}

/// Names of a graph's nodes and tensors.
struct Names {
    nodes: BTreeMap<NodeId, String>,
    tensors: BTreeMap<TensorId, String>,
}

impl Names {
    fn of(graph: &Graph) -> Names {
        let nodes = unique(graph.nodes().map(|(_, n)| n.name.as_str()));
        let tensors = unique(graph.tensors().map(|(_, t)| t.name.as_str()));
        Names {
            nodes: graph.nodes().map(|(id, _)| id).zip(nodes).collect(),
            tensors: graph.tensors().map(|(id, _)| id).zip(tensors).collect(),
        }
    }
    /// A node's operands and results; one that it reads twice is numbered.
    fn streams(&self, graph: &Graph, id: NodeId) -> Vec<String> {
        let node = graph.node(id);
        unique(node.inputs.iter().chain(&node.outputs).map(|t| self.tensors[t].as_str()))
    }
}

fn home_text(plan: &Plan, home: Home) -> String {
    match home {
        Home::Arena { arena, offset } => {
            format!("{}+{offset}", plan.arenas.get(arena).map_or("?", |a| a.level.as_str()))
        }
        Home::Input { index, offset } => format!("input {index}+{offset}"),
        Home::Output { index, offset } => format!("output {index}+{offset}"),
    }
}

fn why(kind: AliasKind) -> &'static str {
    match kind {
        AliasKind::InPlace => "in place",
        AliasKind::View => "view",
        AliasKind::Joined => "joined",
        AliasKind::Overlaid => "overlaid",
    }
}

fn memory(a: &ArenaUse) -> Memory {
    let ArenaUse { level, bytes, lower_bound, alignment, optimal, .. } = a.clone();
    Memory { level, bytes, lower_bound, alignment, optimal }
}

/// A plan's text.
///
/// # Errors
/// None that a plan of this graph causes.
pub fn save(graph: &Graph, plan: &Plan, target: &str) -> Result<String> {
    let names = Names::of(graph);
    let runs = plan.runs();
    let time = |layer: usize| runs.get(layer).map_or_else(|| END.into(), |id| names.nodes[id].clone());
    let at = |home: Home| home_text(plan, home);
    let layer = |id: &NodeId| {
        let streams = names.streams(graph, *id);
        let tiled = plan.tiled.get(id);
        let staged = plan.staged.range((*id, 0)..=(*id, usize::MAX)).map(|((_, s), t)| {
            let (first, transfer) = (plan.stages_first(*id, *s), t.transfer);
            let (start, end) = (time(t.start), time(t.end));
            (streams[*s].clone(), SavedStaged { at: at(t.home), start, end, transfer, first })
        });
        let constants = plan.external.range((*id, 0)..=(*id, usize::MAX));
        let share = |a: &Alias| Share {
            operand: names.tensors[&a.operand].clone(),
            result: names.tensors[&a.result].clone(),
            why: why(a.kind).into(),
        };
        Layer {
            node: names.nodes[id].clone(),
            op: graph.node(*id).op.name().into(),
            compute: match tiled {
                _ if plan.elided.contains(id) => How::Nothing,
                Some(_) => How::Parts,
                None => How::Whole,
            },
            parts: tiled.map(|t| Parts {
                shape: t.shape.clone(),
                order: t.order.clone(),
                ahead: t.ahead,
                at: at(Home::Arena { arena: t.arena, offset: t.base }),
            }),
            scratch: plan.scratch.get(id).map(|home| at(*home)),
            staged: staged.collect(),
            constants: constants
                .map(|((_, s), e)| (streams[*s].clone(), Constant { from: e.from, at: at(e.home) }))
                .collect(),
            shares: plan.aliases.iter().filter(|a| a.node == *id).map(share).collect(),
            cycles: plan.cycles.get(id).copied(),
        }
    };
    let load = |l: &Load| SavedLoad {
        from: l.from,
        bytes: l.bytes,
        at: at(l.home),
        start: time(l.start),
        end: time(l.end),
        channel: l.channel,
    };
    let trip =
        |t: &Trip| SavedTrip { at: at(t.home), start: time(t.start), end: time(t.end), channel: t.channel };
    let moved = |(t, home): (&TensorId, &Home)| (names.tensors[t].clone(), at(*home));
    let spill = |s: &Spill| SavedSpill {
        at: s.at,
        bytes: s.bytes,
        out: trip(&s.out),
        back: trip(&s.back),
        tensors: s.tensors.iter().map(moved).collect(),
    };
    let saved = Saved {
        format: FORMAT,
        target: target.into(),
        fused: plan.fused.clone(),
        streamed: plan.streamed.clone(),
        hot: plan.hot.clone(),
        pieces: plan.cuts.iter().cloned().collect(),
        memories: plan.arenas.iter().chain(&plan.outside).map(memory).collect(),
        layers: plan.order.iter().map(layer).collect(),
        tensors: plan.homes.iter().map(|(t, home)| (names.tensors[t].clone(), at(*home))).collect(),
        loads: plan.loads.iter().map(load).collect(),
        spills: plan.spills.iter().map(spill).collect(),
        least_cycles: plan.cycles_bound,
        ram_curve: plan.curve.clone(),
    };
    let text = serde_json::to_string_pretty(&saved)
        .map_err(|e| Diagnostic::internal(format!("a plan cannot be saved: {e}")))?;
    Ok(text + "\n")
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The network.
    pub source: Source<'a>,
    /// The memories there are.
    pub options: &'a MemoryOptions,
}

/// The plan that a text describes.
///
/// # Errors
/// The text is no plan, or one of another network or target, or a layer has no such parts, or it does not fit.
pub fn load(text: &str, subject: &Subject) -> Result<Variant> {
    let saved: Saved = serde_json::from_str(text)
        .map_err(|e| Diagnostic::invalid(format!("this is no saved plan: {e}")).help(HELP))?;
    let target = &subject.source.platform.name;
    if saved.format != FORMAT || saved.target != *target {
        let message = format!(
            "the plan is of form {} for target `{}`; expected form {FORMAT} for `{target}`",
            saved.format, saved.target
        );
        return Err(Diagnostic::invalid(message).help(HELP).into());
    }
    let cuts = saved.pieces.clone().into_iter().collect();
    let (fused, streamed) = (saved.fused.clone(), saved.streamed.clone());
    let mut plan = Plan { fused, streamed, cuts, curve: saved.ram_curve.clone(), ..Plan::default() };
    plan.hot.clone_from(&saved.hot);
    let Merged { graph, assignment, streams } = subject.source.of_plan(&plan)?;
    plan.streams = streams;
    let (library, options) = (subject.source.library, subject.options);
    let subject = Network { graph: &graph, assignment: &assignment, library, options };
    let names = Names::of(subject.graph);
    let nodes = names.nodes.iter().map(|(id, name)| (name.clone(), *id)).collect();
    let tensors = names.tensors.iter().map(|(id, name)| (name.clone(), *id)).collect();
    let mut reader = Reader { subject, saved: &saved, names, nodes, tensors, plan };
    reader.memories()?;
    reader.order()?;
    reader.homes()?;
    for layer in &saved.layers {
        reader.layer(layer).map_err(|d| *d)?;
    }
    reader.loads().map_err(|d| *d)?;
    reader.sizes()?;
    let plan = reader.plan;
    Ok(Variant { graph, assignment, plan })
}

/// The network as the plan computes it.
#[derive(Clone, Copy)]
struct Network<'a> {
    graph: &'a Graph,
    assignment: &'a Assignment,
    library: &'a Library,
    options: &'a MemoryOptions,
}

struct Reader<'a> {
    subject: Network<'a>,
    saved: &'a Saved,
    names: Names,
    nodes: BTreeMap<String, NodeId>,
    tensors: BTreeMap<String, TensorId>,
    plan: Plan,
}

/// One fault, boxed: it is large beside what succeeds.
type One<T> = std::result::Result<T, Box<Diagnostic>>;

fn wrong(message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::invalid(format!("plan: {message}")).help(HELP))
}

impl Reader<'_> {
    fn memories(&mut self) -> Result<()> {
        let options = self.subject.options;
        self.plan.interface = options.interface;
        self.plan.cycles_bound = self.saved.least_cycles;
        for m in &self.saved.memories {
            let pad = options.scratchpad.as_ref().filter(|p| p.level == m.level);
            let (bytes, lower_bound, alignment) = (m.bytes, m.lower_bound, m.alignment.clamp(1, 4096));
            let outside = options.outside.as_ref().filter(|o| o.level == m.level);
            let near = pad.map(|p| p.capacity).or(outside.map(|o| o.capacity));
            let (level, optimal) = (m.level.clone(), m.optimal);
            let faster = options.faster.iter().find(|l| l.name == m.level);
            let capacity = near.or(faster.map_or(options.capacity, |l| l.capacity));
            let memory = ArenaUse { level, bytes, capacity, lower_bound, alignment, optimal };
            match outside {
                Some(_) => self.plan.outside = Some(memory),
                None => self.plan.arenas.push(memory),
            }
        }
        Ok(())
    }

    /// Layers are those of the network, each once.
    fn order(&mut self) -> Result<()> {
        let mut missing: BTreeSet<&String> = self.nodes.keys().collect();
        for layer in &self.saved.layers {
            let known = self.nodes.get(&layer.node);
            let Some(id) = known.filter(|id| self.subject.graph.node(**id).op.name() == layer.op) else {
                let message = format!("the network has no layer `{}` ({})", layer.node, layer.op);
                return Err((*wrong(message)).into());
            };
            if !missing.remove(&layer.node) {
                return Err((*wrong(format!("layer `{}` is there twice", layer.node))).into());
            }
            self.plan.order.push(*id);
            if layer.compute == How::Nothing {
                self.plan.elided.insert(*id);
            }
        }
        match missing.first() {
            Some(name) => Err((*wrong(format!("layer `{name}` of the network is missing"))).into()),
            None => Ok(()),
        }
    }

    fn homes(&mut self) -> Result<()> {
        for (name, home) in &self.saved.tensors {
            let tensor = self.tensor(name).map_err(|d| *d)?;
            let home = self.home(home).map_err(|d| *d)?;
            self.plan.homes.insert(tensor, home);
        }
        let graph = self.subject.graph;
        let homeless = graph.tensors().find(|(t, v)| !v.is_constant() && !self.plan.homes.contains_key(t));
        match homeless {
            Some((t, _)) => {
                let message = format!("tensor `{}` of the network is missing", self.names.tensors[&t]);
                Err((*wrong(message)).into())
            }
            None => Ok(()),
        }
    }

    fn layer(&mut self, layer: &Layer) -> One<()> {
        let id = self.nodes[&layer.node];
        let streams = self.names.streams(self.subject.graph, id);
        let stream = |name: &String| {
            let found = streams.iter().position(|s| s == name);
            found.ok_or_else(|| wrong(format!("layer `{}` has no operand or result `{name}`", layer.node)))
        };
        if (layer.compute == How::Parts) != layer.parts.is_some() {
            return Err(wrong(format!(
                "layer `{}`: `parts` and `compute`: \"parts\" go together",
                layer.node
            )));
        }
        if let Some(parts) = &layer.parts {
            let whole = layer.staged.iter().filter(|(_, s)| !s.first);
            let whole = whole.map(|(name, _)| stream(name)).collect::<One<Vec<usize>>>()?;
            let tiled = self.tiled(id, parts, &whole).map_err(|message| {
                let node = self.subject.graph.node(id);
                Box::new(wrong(message).at(&node.name, node.op.name()))
            })?;
            self.plan.tiled.insert(id, tiled);
        }
        if let Some(home) = &layer.scratch {
            self.plan.scratch.insert(id, self.home(home)?);
        }
        for (name, s) in &layer.staged {
            let stream = stream(name)?;
            let (start, end) = (self.time(&s.start)?, self.time(&s.end)?);
            // Where a first part lies follows from the parts.
            let first = self.plan.tiled.get(&id).filter(|_| s.first).and_then(|t| first_part(t, stream));
            let (home, bytes) = match first {
                Some(first) => first,
                None => (self.home(&s.at)?, self.bytes(id, stream)),
            };
            let staged = Staged { home, bytes, start, end, transfer: s.transfer };
            self.plan.staged.insert((id, stream), staged);
        }
        for (name, c) in &layer.constants {
            let (stream, home) = (stream(name)?, self.home(&c.at)?);
            self.plan.external.insert((id, stream), External { from: small(c.from)?, home });
        }
        for s in &layer.shares {
            let kinds = [AliasKind::InPlace, AliasKind::View, AliasKind::Joined, AliasKind::Overlaid];
            let kind = kinds.into_iter().find(|k| why(*k) == s.why);
            let kind = kind.ok_or_else(|| wrong(format!("`{}` is no reason to share memory", s.why)))?;
            let (operand, result) = (self.tensor(&s.operand)?, self.tensor(&s.result)?);
            self.plan.aliases.push(Alias { node: id, operand, result, kind });
        }
        if let Some(cycles) = layer.cycles {
            self.plan.cycles.insert(id, cycles);
        }
        Ok(())
    }

    /// The layer's tables: what lies in the scratchpad as a whole is used where it is.
    fn tiled(&self, id: NodeId, parts: &Parts, whole: &[usize]) -> std::result::Result<Tiled, String> {
        let Network { graph, assignment, library, options } = self.subject;
        let Some(pad) = &options.scratchpad else { return Err("there is no memory for parts".into()) };
        let near = |t: &TensorId| matches!(self.plan.homes.get(t), Some(Home::Arena { arena, .. }) if *arena == pad.arena);
        let node = graph.node(id);
        let streams = node.inputs.iter().chain(&node.outputs).enumerate();
        let resident = stream_set(streams.filter(|(s, t)| near(t) || whole.contains(s)).map(|(s, _)| s));
        let tiler = Tiler::new(graph, assignment, library, pad);
        let mut tiled = tiler.given(id, resident, &parts.shape, &parts.order, parts.ahead)?;
        match self.home(&parts.at) {
            Ok(Home::Arena { arena, offset }) => (tiled.arena, tiled.base) = (arena, offset),
            _ => return Err(format!("`{}` is no place for parts", parts.at)),
        }
        Ok(tiled)
    }

    fn loads(&mut self) -> One<()> {
        for l in &self.saved.loads {
            let load = Load {
                from: small(l.from)?,
                bytes: small(l.bytes)?,
                home: self.home(&l.at)?,
                start: self.time(&l.start)?,
                end: self.time(&l.end)?,
                channel: l.channel,
            };
            self.plan.loads.push(load);
        }
        for s in &self.saved.spills {
            let tensors = s.tensors.iter().map(|(name, at)| Ok((self.tensor(name)?, self.home(at)?)));
            let tensors = tensors.collect::<One<BTreeMap<_, _>>>()?;
            let (out, back) = (self.trip(&s.out)?, self.trip(&s.back)?);
            self.plan.spills.push(Spill { at: small(s.at)?, bytes: small(s.bytes)?, out, back, tensors });
        }
        Ok(())
    }

    fn trip(&self, t: &SavedTrip) -> One<Trip> {
        let (home, start, end) = (self.home(&t.at)?, self.time(&t.start)?, self.time(&t.end)?);
        Ok(Trip { home, start, end, channel: t.channel })
    }

    /// Memories grow with what an edit puts at their end, up to what there is.
    fn sizes(&mut self) -> Result<()> {
        let graph = self.subject.graph;
        let mut used: Vec<(Home, usize)> = Vec::new();
        used.extend(self.plan.homes.iter().map(|(t, h)| (*h, graph.tensor(*t).ty.bytes())));
        used.extend(self.plan.staged.values().map(|s| (s.home, s.bytes)));
        used.extend(self.plan.loads.iter().map(|l| (l.home, l.bytes)));
        let trips = self.plan.spills.iter();
        used.extend(trips.flat_map(|s| [(s.out.home, s.bytes), (s.back.home, s.bytes)]));
        let scratch = |id: &NodeId| self.subject.assignment.choices.get(id).map_or(0, |c| c.scratch_bytes);
        used.extend(self.plan.scratch.iter().map(|(id, h)| (*h, scratch(id))));
        let parts = |t: &Tiled| (Home::Arena { arena: t.arena, offset: t.base }, t.bytes);
        used.extend(self.plan.tiled.values().map(parts));
        for (home, bytes) in used {
            if let Home::Arena { arena, offset } = home {
                if let Some(a) = self.plan.arenas.get_mut(arena) {
                    a.bytes = a.bytes.max(offset.saturating_add(bytes));
                }
            }
        }
        let image = self.plan.image_bytes();
        let outside = self.plan.spills.iter().map(|s| image.saturating_add(s.at + s.bytes)).max();
        if let Some(a) = &mut self.plan.outside {
            a.bytes = a.bytes.max(outside.unwrap_or(image));
        }
        for a in self.plan.arenas.iter().chain(&self.plan.outside) {
            if let Some(capacity) = a.capacity.filter(|c| a.bytes > *c) {
                let message = format!(
                    "the plan needs {} bytes of `{}`, of which {capacity} may be used",
                    a.bytes, a.level
                );
                let help = "move or shrink what ends last in the plan, or leave --plan out to have one made";
                return Err(Diagnostic::infeasible(message).help(help).into());
            }
        }
        Ok(())
    }

    fn bytes(&self, id: NodeId, stream: usize) -> usize {
        let node = self.subject.graph.node(id);
        let tensor = node.inputs.iter().chain(&node.outputs).nth(stream);
        let ty = tensor.map(|t| &self.subject.graph.tensor(*t).ty);
        let choice = self.subject.assignment.choices.get(&id);
        let packing = choice.and_then(|c| c.packing(stream)).filter(|_| stream < node.inputs.len());
        ty.map_or(0, |ty| packing.map_or(ty.bytes(), |p| p.packed_type(ty).bytes()))
    }

    fn tensor(&self, name: &str) -> One<TensorId> {
        let found = self.tensors.get(name).copied();
        found.ok_or_else(|| wrong(format!("the network has no tensor `{name}`")))
    }

    /// `l1+128`, `input 0+0`, `output 0+0`.
    fn home(&self, text: &str) -> One<Home> {
        let parsed = text.rsplit_once('+').and_then(|(place, offset)| {
            let offset = offset.trim().parse().ok().filter(|n| *n <= LARGEST)?;
            let place = place.trim();
            if let Some(index) = place.strip_prefix("input ") {
                return Some(Home::Input { index: index.parse().ok()?, offset });
            }
            if let Some(index) = place.strip_prefix("output ") {
                return Some(Home::Output { index: index.parse().ok()?, offset });
            }
            let arena = self.plan.arenas.iter().position(|a| a.level == place)?;
            Some(Home::Arena { arena, offset })
        });
        let levels: Vec<&str> = self.plan.arenas.iter().map(|a| a.level.as_str()).collect();
        let levels = levels.join("`, `");
        parsed.ok_or_else(|| {
            wrong(format!("`{text}` is no place: expected `MEMORY+BYTES`, memories: `{levels}`"))
        })
    }

    fn time(&self, name: &str) -> One<usize> {
        let runs = self.plan.runs();
        let id = self.nodes.get(name);
        let at = if name == END { Some(runs.len()) } else { runs.iter().position(|r| Some(r) == id) };
        at.ok_or_else(|| {
            wrong(format!("no layer `{name}` is computed, at which a transfer could start or end"))
        })
    }
}

/// Where the first part of a stream lies, and its bytes.
fn first_part(tiled: &Tiled, stream: usize) -> Option<(Home, usize)> {
    let tile = tiled.tiles.first()?;
    let slot = tiled.streams.get(stream)?.slots.get(*tile.slots.get(stream)?)?;
    let bytes = tiled.kinds.get(tile.kind)?.copies.get(stream)?.bytes();
    Some((Home::Arena { arena: tiled.arena, offset: tiled.base + slot }, bytes))
}

fn small(n: usize) -> One<usize> {
    if n <= LARGEST { Ok(n) } else { Err(wrong(format!("{n} bytes are too many"))) }
}
