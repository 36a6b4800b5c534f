//! Holds a plan's memories against those that the target has.
//!
//! In: a plan, the memories there are. Out: faults. What the plan says about its memories is believed no more than the rest.

use super::Replay;
use crate::tiling::plan::{Home, Interface};

impl Replay<'_> {
    /// Every memory is one of the target's and no larger, and the network is called as wanted.
    pub fn check_memories(&mut self) {
        let scratchpad = self.options.scratchpad.as_ref();
        let mut levels = self.options.levels().into_iter();
        for (index, arena) in self.plan.arenas.iter().enumerate() {
            // Memories of activations come in the target's order, each once, perhaps not all; then the scratchpad.
            let capacity = match scratchpad.filter(|p| p.arena == index) {
                Some(pad) => (pad.level == arena.level).then_some(Some(pad.capacity)),
                None => levels.find(|l| l.name == arena.level).map(|l| l.capacity),
            };
            let Some(capacity) = capacity else {
                self.fault(None, format!("memory {index} is to be `{}`, which it is not", arena.level));
                continue;
            };
            if arena.capacity.into_iter().chain(capacity).any(|c| arena.bytes > c) {
                self.fault(None, format!("`{}` is to hold {} bytes: too many", arena.level, arena.bytes));
            }
        }
        if self.options.limit.is_some_and(|limit| self.plan.ram() > limit) {
            self.fault(None, format!("memories are to hold {} bytes together: too many", self.plan.ram()));
        }
        if self.plan.interface != self.options.interface {
            self.fault(None, "inputs and outputs are not where they were asked for".into());
        }
        if self.plan.interface == Interface::Arena {
            let homes = self.plan.homes.values().chain(self.plan.scratch.values());
            let outside = |home: &&Home| !matches!(home, Home::Arena { .. });
            if homes.into_iter().any(|h| outside(&h)) {
                self.fault(None, "a tensor lies in a buffer of the caller, who gives none".into());
            }
        }
        // Transfers go where the runtime's do: whole tensors to the scratchpad, constants to the arena that outlives layers.
        let arena = |home: &Home| if let Home::Arena { arena, .. } = home { Some(*arena) } else { None };
        let pad = scratchpad.map(|p| p.arena);
        let astray = self.plan.staged.values().any(|s| arena(&s.home).is_none() || arena(&s.home) != pad);
        let parts = self.plan.tiled.values().any(|t| Some(t.arena) != pad);
        let loads =
            self.plan.loads.iter().map(|l| &l.home).chain(self.plan.external.values().map(|e| &e.home));
        let spills = self.plan.spills.iter();
        let spills = spills.flat_map(|s| [&s.out.home, &s.back.home].into_iter().chain(s.tensors.values()));
        let loads = loads.chain(spills);
        if astray || parts || loads.into_iter().any(|h| arena(h) != Some(0)) {
            self.fault(None, "a transfer leads to a memory that is not for it".into());
        }
        let image = self.plan.image_bytes();
        let used = self.plan.outside.as_ref().map_or(0, |o| o.bytes);
        let there = self.options.outside.as_ref();
        if used.max(image) > there.map_or(0, |o| o.capacity) {
            self.fault(None, format!("{} bytes lie in an external memory: too many", used.max(image)));
        }
        if used < image {
            self.fault(None, format!("an external memory of {used} bytes holds {image} bytes of constants"));
        }
        if self.plan.outside.as_ref().is_some_and(|o| there.is_none_or(|t| t.level != o.level)) {
            self.fault(None, "the external memory is none of the target's".into());
        }
        if !self.plan.loads.is_empty() && self.options.constants_outside().is_none() {
            self.fault(None, "constants lie in an external memory and were not asked to".into());
        }
    }
}
