//! Offsets in the arena, and what has to leave it for them to be enough.
//!
//! In: a schedule with its sharing, what is near, the memories there are. Out: a [`Plan`] without what is near. Never changes
//! the order, nor what is near.
//!
//! First everything stays and constants come as early as there is room; then blocks leave while they are idle, with ever
//! less overlap; at last everything leaves that can.

use std::collections::BTreeMap;

use super::allocator::{self, Buffer, Minimised};
use super::external::{ALIGNMENT, Loads};
use super::levels::Near;
use super::overlay::Overlays;
use super::plan::{ArenaUse, Home, Interface, Plan};
use super::planner::{Draft, Level, MemoryOptions, Owner, arena_buffers, callers_blocks, peak};
use super::spill::{Absence, Owned, Spiller};
use crate::diag::{Diagnostic, Result};
use crate::ir::Graph;
use crate::targets::Assignment;

/// Layers that the ends of a spill may overlap, from the best to none.
const WINDOWS: [usize; 4] = [8, 3, 1, 0];
/// Choices of what leaves for one of them, each with less to be used than the one before.
const ROUNDS: usize = 6;

/// What is to be placed.
pub struct Arena<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// Its kernels.
    pub assignment: &'a Assignment,
    /// The memories.
    pub options: &'a MemoryOptions,
    /// Order and blocks.
    pub draft: &'a Draft,
    /// What does not need a place here.
    pub near: Option<&'a Near>,
}

/// One memory with what lies there.
pub struct Packed {
    level: Level,
    /// Indices of the buffers.
    members: Vec<usize>,
    best: Minimised,
    alignment: usize,
    peak: usize,
    optimal: bool,
}

impl Packed {
    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.best.height as usize
    }
}

/// What needs memory, and where it lies.
type Places = Vec<(Owner, Home)>;

impl Arena<'_> {
    /// Places everything.
    ///
    /// # Errors
    /// It does not fit: says how many bytes would do.
    pub fn plan(&self) -> Result<Plan> {
        let (constants, room) = self.room();
        let spiller = Spiller::new(self.graph, &self.draft.order, &self.draft.blocks, self.near);
        for ahead in [2, 1, 0] {
            let plan = self.allocate(&spiller, &self.loads(ahead), &[])?;
            if room.is_none_or(|room| plan.arenas[0].bytes <= room) {
                return self.outside_fits(plan);
            }
            if self.options.constants_outside().is_none() {
                break;
            }
        }
        let room = room.unwrap_or(usize::MAX);
        let least = if self.options.outside.is_some() {
            for window in WINDOWS {
                if let Some(plan) = self.spilled(&spiller, room, window)? {
                    return self.outside_fits(plan);
                }
            }
            let plan = self.least(&spiller)?;
            if plan.arenas[0].bytes <= room {
                return self.outside_fits(plan);
            }
            plan
        } else {
            self.allocate(&spiller, &self.loads(0), &[])?
        };
        Err(self.refusal(&least, constants).into())
    }

    /// Bytes of the constants that lie in the same memory, and those left for the arena.
    pub fn room(&self) -> (usize, Option<usize>) {
        let mut tables = BTreeMap::new();
        for id in self.draft.runs() {
            let node = self.graph.node(id);
            for (stream, t) in
                node.inputs.iter().enumerate().filter(|(_, t)| self.graph.tensor(**t).is_constant())
            {
                let choice = self.assignment.choices.get(&id);
                let ty = &self.graph.tensor(*t).ty;
                let bytes = choice.map_or(ty.bytes(), |c| c.operand_bytes(stream, ty));
                tables.insert((*t, choice.and_then(|c| c.packing(stream))), bytes);
            }
        }
        let constants = if self.options.holds_constants { tables.values().sum() } else { 0 };
        (constants, self.options.capacity.map(|c| c.saturating_sub(constants)))
    }

    fn loads(&self, ahead: usize) -> Loads {
        if self.options.constants_outside().is_none() {
            return Loads::default();
        }
        let wanted = |layer: usize| self.near.map_or(layer, |n| n.wanted(layer));
        Loads::of(self.graph, self.assignment, &self.draft.runs(), wanted, ahead)
    }

    /// Has blocks leave until `room` bytes are enough, if that can be.
    fn spilled(&self, spiller: &Spiller, room: usize, window: usize) -> Result<Option<Plan>> {
        let loads = self.loads(window.min(2));
        let owners = self.owners(&loads);
        let mut target = room;
        for _ in 0..ROUNDS {
            let absences = spiller.choose(&owners, target, window);
            let plan = self.allocate(spiller, &loads, &absences)?;
            let arena = &plan.arenas[0];
            if arena.bytes <= room {
                return Ok(Some(plan));
            }
            if arena.lower_bound > room || target == 0 {
                break;
            }
            target = target.saturating_sub(arena.bytes - room);
        }
        Ok(None)
    }

    /// With as few bytes as it can be.
    fn least(&self, spiller: &Spiller) -> Result<Plan> {
        let loads = self.loads(0);
        self.allocate(spiller, &loads, &spiller.choose(&self.owners(&loads), 0, 0))
    }

    fn owners(&self, loads: &Loads) -> Vec<Owned> {
        let Draft { order, blocks, .. } = self.draft;
        let mut owners = arena_buffers(self.graph, self.assignment, self.options, order, blocks, self.near);
        // Layer i is node `steps[i]` of the order, from 1; behind the last comes the end.
        let runs = order.iter().enumerate().filter(|(_, id)| !blocks.elided.contains(id));
        let steps: Vec<usize> = runs.map(|(i, _)| i + 1).collect();
        for (i, group) in loads.groups.iter().enumerate() {
            owners.push((Owner::Load(i), steps[group.start], steps[group.last], group.bytes));
        }
        owners
    }

    /// Everything that needs memory, where nothing comes and leaves.
    pub fn buffers(&self) -> Vec<Owned> {
        self.owners(&Loads::default())
    }

    /// Everything in one memory, of which there is as much as it takes.
    ///
    /// # Errors
    /// It is more than can be addressed.
    pub fn plan_apart(&self) -> Result<Plan> {
        let spiller = Spiller::new(self.graph, &self.draft.order, &self.draft.blocks, self.near);
        self.allocate(&spiller, &Loads::default(), &[])
    }

    /// The lower of two: results over operands of streamed layers, or not.
    fn allocate(&self, spiller: &Spiller, loads: &Loads, absences: &[Absence]) -> Result<Plan> {
        let apart = self.offsets(spiller, loads, absences, &Overlays::default())?;
        let overlays = Overlays::of(self.graph, self.assignment, self.options, self.draft);
        if overlays.is_empty() || !absences.is_empty() || !loads.groups.is_empty() {
            return Ok(apart);
        }
        let over = self.offsets(spiller, loads, absences, &overlays)?;
        Ok(if over.arenas[0].bytes < apart.arenas[0].bytes { over } else { apart })
    }

    fn offsets(
        &self,
        spiller: &Spiller,
        loads: &Loads,
        absences: &[Absence],
        overlays: &Overlays,
    ) -> Result<Plan> {
        let owners = overlays.applied(spiller.stays(&self.owners(loads), absences));
        // Of what leaves there are many choices.
        let effort = if absences.is_empty() { 1 } else { 10 };
        let level = Level { name: self.options.level.clone(), capacity: self.options.capacity };
        let packed = self.packed(&owners, overlays, &level, (0..owners.len()).collect(), effort)?;
        let (mut plan, places) = self.assembled(&owners, overlays, &[packed]);
        let (mut arrivals, mut stays) = (BTreeMap::new(), BTreeMap::new());
        for (owner, home) in places {
            match owner {
                Owner::Stay(b, stay) => drop(stays.insert((b, stay), home)),
                Owner::Load(i) => drop(arrivals.insert(i, home)),
                _ => {}
            }
        }
        loads.extend(&mut plan, &arrivals);
        if let Some(outside) = &self.options.outside {
            spiller.extend(&mut plan, outside, &self.draft.blocks, absences, &stays);
        }
        Ok(plan)
    }

    /// Offsets of some of the buffers, by index, in one memory.
    ///
    /// # Errors
    /// They need more than can be addressed.
    pub fn packed(
        &self,
        owners: &[Owned],
        overlays: &Overlays,
        level: &Level,
        members: Vec<usize>,
        effort: u64,
    ) -> Result<Packed> {
        let (graph, options) = (self.graph, self.options);
        let Draft { order, blocks, .. } = self.draft;
        let mut widest = vec![options.alignment.max(1); blocks.blocks.len()];
        for (t, (block, _)) in &blocks.place {
            widest[*block] = widest[*block].max(graph.tensor(*t).ty.dtype.bytes());
        }
        let buffer = |i: &usize| {
            let (owner, first, last, bytes) = &owners[*i];
            let alignment = match owner {
                Owner::Block(b) => widest[*b],
                Owner::Stay(b, _) => widest[*b].max(ALIGNMENT),
                Owner::Scratch(_) | Owner::Load(_) => options.alignment.max(ALIGNMENT),
                Owner::Pair(_) => 1,
            };
            let buffer = Buffer::new(i.to_string(), *first as i64, *last as i64 + 1, *bytes as u64);
            let buffer = buffer.aligned(alignment as u64);
            match overlays.place(owner) {
                Some(offset) => buffer.fixed_at(offset as u64),
                None => buffer,
            }
        };
        let buffers: Vec<Buffer> = members.iter().map(buffer).collect();
        let search = allocator::Options { node_limit: options.search_nodes / effort, time_limit: None };
        let best = allocator::minimise(&buffers, &search).ok_or_else(|| {
            Diagnostic::infeasible("the activations need more memory than can be addressed")
                .help("reduce the input's shape")
        })?;
        let live: Vec<Owned> = members.iter().map(|i| owners[*i]).collect();
        let peak = peak(&live, order);
        // Results over operands are put at the bottom: elsewhere they might leave fewer gaps.
        let optimal = best.proven && (overlays.is_empty() || best.height as usize == peak);
        let alignment = buffers.iter().map(|b| b.alignment).max().unwrap_or(1) as usize;
        Ok(Packed { level: level.clone(), members, best, alignment, peak, optimal })
    }

    /// The plan that packed memories make, an arena each, and where everything lies.
    pub fn assembled(&self, owners: &[Owned], overlays: &Overlays, packs: &[Packed]) -> (Plan, Places) {
        let Draft { order, blocks, .. } = self.draft;
        let mut plan = Plan { interface: self.options.interface, ..Plan::default() };
        let mut places = Places::new();
        for (arena, packed) in packs.iter().enumerate() {
            for (i, offset) in packed.members.iter().zip(&packed.best.solution.offsets) {
                places.push((owners[*i].0, Home::Arena { arena, offset: *offset as usize }));
            }
            plan.arenas.push(ArenaUse {
                level: packed.level.name.clone(),
                bytes: packed.bytes(),
                capacity: packed.level.capacity,
                lower_bound: packed.peak,
                alignment: packed.alignment,
                optimal: packed.optimal,
            });
        }
        let mut start = self.near.map_or_else(BTreeMap::new, |n| n.blocks.clone());
        for (owner, home) in &places {
            match owner {
                Owner::Block(b) => drop(start.insert(*b, *home)),
                Owner::Scratch(id) => drop(plan.scratch.insert(*id, *home)),
                _ => {}
            }
        }
        if self.options.interface == Interface::Caller {
            start.extend(callers_blocks(self.graph, blocks));
        }
        for (t, (block, inner)) in &blocks.place {
            let empty = Home::Arena { arena: 0, offset: 0 };
            plan.homes.insert(*t, start.get(block).copied().unwrap_or(empty).shifted(*inner));
        }
        plan.order = order.clone();
        plan.aliases = blocks.aliases.clone();
        plan.aliases.extend(overlays.aliases());
        if !overlays.is_empty() {
            plan.aliases.sort_by_key(|a| order.iter().position(|id| *id == a.node));
        }
        plan.elided = blocks.elided.clone();
        (plan, places)
    }

    fn outside_fits(&self, plan: Plan) -> Result<Plan> {
        let (Some(used), Some(outside)) = (&plan.outside, &self.options.outside) else { return Ok(plan) };
        if used.bytes <= outside.capacity {
            return Ok(plan);
        }
        let (level, image) = (&outside.level, plan.image_bytes());
        let message = format!(
            "constants ({image} bytes) and what does not fit `{}` ({} bytes) need {} bytes of `{level}`, of which {} may be used",
            self.options.level,
            used.bytes - image,
            used.bytes,
            outside.capacity
        );
        let help = if plan.spills.is_empty() {
            format!("give it more (--{level} BYTES), or make the network smaller")
        } else {
            format!(
                "give it more (--{level} BYTES), or more of `{}`, or make the network smaller",
                self.options.level
            )
        };
        Err(Diagnostic::infeasible(message).help(help).into())
    }

    fn refusal(&self, least: &Plan, constants: usize) -> Diagnostic {
        let (arena, level) = (&least.arenas[0], &self.options.level);
        let has = self.options.capacity.unwrap_or(usize::MAX);
        let needed = arena.bytes + constants;
        let what = match (constants > 0, least.loads.is_empty()) {
            (true, _) => {
                format!("activations ({} bytes) and constants ({constants} bytes) need", arena.bytes)
            }
            (false, true) => "the activations need".to_string(),
            (false, false) => "the activations and constants on their way need".to_string(),
        };
        let message = format!(
            "{what} {needed} bytes of `{level}`, which has {has}; the largest live set alone is {} bytes",
            arena.lower_bound
        );
        let mut help = Vec::new();
        let limited = self.options.size.is_none_or(|size| needed <= size);
        if let Some(outside) = &self.options.outside {
            if limited {
                help.push(format!("--{level} {needed} is enough"));
            }
            if constants > 0 {
                help.push(format!(
                    "keep its constants outside of the chip (--default-level {})",
                    outside.level.to_uppercase()
                ));
            }
        } else if limited {
            help.push(format!("--l2 {needed} is enough"));
        }
        help.push("use a target with more memory or a smaller input".into());
        Diagnostic::infeasible(message).help(help.join("; "))
    }
}
