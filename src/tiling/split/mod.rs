//! More than one memory for activations: which buffers lie in the faster ones.
//!
//! In: what is to be placed, memories from the fastest to the largest. Out: a [`Plan`] with an arena in each that is used. All
//! lies in the first memory if that holds it; else each memory takes, of what those before it left, the buffers with
//! the most accesses, as far as their lifetimes leave room. Never changes the order, nor what shares memory.

mod accesses;
mod choose;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::accesses::Accesses;
use self::choose::{Chosen, Item, choose};
use super::arena::{Arena, Packed};
use super::overlay::Overlays;
use super::plan::{Hot, Plan};
use super::planner::{Level, Owner};
use super::spill::Owned;
use crate::diag::{Diagnostic, Result};

/// Choices for one plan, each with a little less of a memory than the one before: places have gaps, choices do not.
const ROUNDS: usize = 16;

/// What there is to choose from.
struct Buffers<'a> {
    arena: &'a Arena<'a>,
    overlays: &'a Overlays,
    owners: Vec<Owned>,
    /// Owners that must lie in one memory.
    items: Vec<Item>,
    members: Vec<Vec<usize>>,
    /// Bytes of all memories together at most.
    limit: usize,
}

/// Why a choice did not do, and bytes too many.
enum Excess {
    /// Places in one memory have gaps.
    Of(usize, usize),
    /// All memories together.
    Limit(usize),
}

/// Bytes less of each memory to choose for.
struct Slack {
    bytes: Vec<usize>,
    /// Whether the gaps that this leaves may be filled.
    fill: bool,
}

impl Slack {
    fn add(&mut self, memory: usize, bytes: usize) {
        let slack = &mut self.bytes[memory];
        *slack = slack.saturating_add(bytes.max(*slack / 4));
    }
}

impl Arena<'_> {
    /// Places everything in as many memories as it takes.
    ///
    /// # Errors
    /// It fits in no way that is found.
    pub fn plan_levels(&self) -> Result<Plan> {
        let mut plan = self.plan_apart()?;
        let whole = plan.arenas[0].bytes;
        let limit = self.options.limit.unwrap_or(usize::MAX);
        let levels = self.options.levels();
        let holds = |level: &&Level| whole <= level.capacity.unwrap_or(usize::MAX).min(limit);
        if let Some(level) = levels.first().filter(holds) {
            plan.arenas[0].level.clone_from(&level.name);
            plan.arenas[0].capacity = level.capacity;
            return Ok(plan);
        }
        let budget = self.options.ram_budget.filter(|budget| whole <= *budget);
        let limit = limit.min(budget.unwrap_or(usize::MAX));
        let over = Overlays::of(self.graph, self.assignment, self.options, self.draft);
        let ways = [Overlays::default(), over];
        let found = ways.iter().enumerate().filter(|(i, o)| *i == 0 || !o.is_empty());
        let found: Vec<(Plan, Hot)> =
            found.filter_map(|(_, overlays)| Buffers::of(self, overlays, limit).split(&levels)).collect();
        let most = found.iter().map(|(_, hot)| hot.most).max();
        let best = found.into_iter().max_by_key(|(plan, hot)| (hot.served, std::cmp::Reverse(plan.ram())));
        let (mut plan, hot) = best.ok_or_else(|| self.too_large(&plan, &levels))?;
        plan.hot = most.map(|most| Hot { most, ..hot });
        Ok(plan)
    }

    fn too_large(&self, whole: &Plan, levels: &[Level]) -> Diagnostic {
        let arena = &whole.arenas[0];
        let has = |l: &Level| format!("`{}`, which has {}", l.name, l.capacity.unwrap_or(usize::MAX));
        let has: Vec<String> = levels.iter().map(has).collect();
        let limit = self.options.limit.map_or_else(String::new, |l| format!(" (of both {l} may be used)"));
        let message = format!(
            "the activations need {} bytes of {}{limit}; the largest live set alone is {} bytes",
            arena.bytes,
            has.join(", and of "),
            arena.lower_bound
        );
        Diagnostic::infeasible(message).help("use a target with more memory or a smaller input")
    }
}

impl<'a> Buffers<'a> {
    fn of(arena: &'a Arena<'a>, overlays: &'a Overlays, limit: usize) -> Buffers<'a> {
        let owners = overlays.applied(arena.buffers());
        let accesses = accesses(arena, &owners);
        // Results over operands lie where these do.
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut row: BTreeMap<usize, usize> = BTreeMap::new();
        for group in overlays.rows() {
            row.extend(group.iter().map(|block| (*block, members.len())));
            members.push(Vec::new());
        }
        for (i, (owner, ..)) in owners.iter().enumerate() {
            let block = match owner {
                Owner::Block(b) => Some(*b),
                Owner::Pair(pair) => overlays.operand(*pair),
                _ => None,
            };
            match block.and_then(|b| row.get(&b)) {
                Some(at) => members[*at].push(i),
                None => members.push(vec![i]),
            }
        }
        let item = |of: &Vec<usize>| Item {
            pieces: of.iter().map(|i| (owners[*i].1, owners[*i].2, owners[*i].3)).collect(),
            accesses: of.iter().map(|i| accesses[*i]).sum(),
        };
        let items = members.iter().map(item).collect();
        Buffers { arena, overlays, owners, items, members, limit }
    }

    /// A plan, and how many accesses the first memory serves.
    fn split(&self, levels: &[Level]) -> Option<(Plan, Hot)> {
        let mut slack = Slack { bytes: vec![0; levels.len()], fill: true };
        let mut most = None;
        for round in 0..ROUNDS {
            // At last nothing is there any more but in the largest.
            if round + 1 == ROUNDS {
                slack = Slack { bytes: vec![usize::MAX; levels.len()], fill: false };
                slack.bytes[levels.len() - 1] = 0;
            }
            let mut first = None;
            match self.attempt(levels, &slack, &mut first)? {
                Ok(packs) => {
                    let served = first.as_ref().map_or(0, |c: &Chosen| c.accesses);
                    let all = self.items.iter().map(|i| i.accesses).sum();
                    let most = most.unwrap_or(first.map_or(0, |c| c.most));
                    let hot = Hot { level: levels[0].name.clone(), accesses: all, served, most };
                    return Some((self.arena.assembled(&self.owners, self.overlays, &packs).0, hot));
                }
                Err(Excess::Of(memory, bytes)) => slack.add(memory, bytes),
                Err(Excess::Limit(bytes)) => {
                    slack.add(0, bytes);
                    slack.fill = false;
                }
            }
            // What the whole memory might have served.
            most = most.or(first.map(|c| c.most));
        }
        None
    }

    /// Chooses for one memory after the other, with some bytes less of each.
    fn attempt(
        &self,
        levels: &[Level],
        slack: &Slack,
        first: &mut Option<Chosen>,
    ) -> Option<std::result::Result<Vec<Packed>, Excess>> {
        let mut left: Vec<usize> = (0..self.items.len()).collect();
        let mut packs = Vec::new();
        for (l, level) in levels.iter().enumerate() {
            let room = level.capacity.unwrap_or(usize::MAX);
            let usable = room.min(self.limit).saturating_sub(slack.bytes[l]);
            let behind = levels[l + 1..].iter().zip(&slack.bytes[l + 1..]);
            let behind: Option<usize> = behind.map(|(b, s)| Some(b.capacity?.saturating_sub(*s))).sum();
            let mut taken = if l + 1 < levels.len() {
                let items: Vec<Item> = left.iter().map(|i| self.items[*i].clone()).collect();
                let mut chosen = choose(&items, usable, behind)?;
                chosen.items.iter_mut().for_each(|i| *i = left[*i]);
                let taken = chosen.items.clone();
                if l == 0 {
                    *first = Some(chosen);
                }
                taken
            } else {
                left.clone()
            };
            if l + 1 < levels.len() && slack.bytes[l] > 0 && slack.fill {
                self.fill(level, &left, &mut taken, room.min(self.limit));
                if let Some(first) = first.as_mut().filter(|_| l == 0) {
                    first.accesses = taken.iter().map(|i| self.items[*i].accesses).sum();
                }
            }
            left.retain(|i| !taken.contains(i));
            let packed = self.packed(level, &taken)?;
            if packed.bytes() > room {
                return Some(Err(Excess::Of(l, packed.bytes() - room)));
            }
            packs.push(packed);
        }
        let all: usize = packs.iter().map(Packed::bytes).sum();
        if all > self.limit {
            return Some(Err(Excess::Limit(all - self.limit)));
        }
        packs.retain(|p| p.bytes() > 0);
        Some(Ok(packs))
    }

    /// Adds what still has a place in a memory that was chosen for with less than there is.
    fn fill(&self, level: &Level, left: &[usize], taken: &mut Vec<usize>, room: usize) {
        let mut more: Vec<usize> = left.iter().copied().filter(|i| !taken.contains(i)).collect();
        more.sort_by_key(|i| std::cmp::Reverse(self.items[*i].accesses));
        for item in more.into_iter().filter(|i| self.items[*i].accesses > 0) {
            taken.push(item);
            if self.packed(level, taken).is_none_or(|p| p.bytes() > room) {
                taken.pop();
            }
        }
    }

    fn packed(&self, level: &Level, items: &[usize]) -> Option<Packed> {
        let mut members: Vec<usize> = items.iter().flat_map(|i| self.members[*i].iter().copied()).collect();
        members.sort_unstable();
        self.arena.packed(&self.owners, self.overlays, level, members, 1).ok()
    }
}

/// Bytes read and written of each.
fn accesses(arena: &Arena, owners: &[Owned]) -> Vec<u64> {
    let (graph, blocks) = (arena.graph, &arena.draft.blocks);
    let mut all = Accesses::of_caller(graph);
    for id in arena.draft.runs() {
        all.add(graph, id, arena.assignment.choices.get(&id));
    }
    let mut of: BTreeMap<usize, u64> = BTreeMap::new();
    for (t, bytes) in all.tensors {
        if let Some((block, _)) = blocks.place.get(&t) {
            *of.entry(*block).or_default() += bytes;
        }
    }
    let found = owners.iter().map(|(owner, ..)| match owner {
        Owner::Block(b) => of.get(b).copied(),
        Owner::Scratch(id) => all.scratch.get(id).copied(),
        _ => None,
    });
    found.map(|n| n.unwrap_or(0)).collect()
}
