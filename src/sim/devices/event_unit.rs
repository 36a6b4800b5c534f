//! The event unit: events, barriers, mutexes and dispatch of the cluster's cores, and their sleep.
//!
//! In: register accesses through the per-core ports or the common one, event lines. Out: cores put to sleep and
//! woken. Source: archi/eu_v3.h of the SDK, behaviour of the public virtual platform.

use super::{Access, Device, Effect, Effects, Reply, narrow, no_register};
use crate::sim::siracusa::DEMUX;

const BARRIER_EVENT: u32 = 1 << 16;
const MUTEX_EVENT: u32 = 1 << 17;
const DISPATCH_EVENT: u32 = 1 << 18;
const BARRIERS: usize = 9;
const MUTEXES: usize = 8;
const FIFO: usize = 8;
/// The cluster DMA's event.
const DMA_EVENT: u32 = 1 << 8;
/// Cycles of a wait that finds its event.
const READY: u64 = 3;
/// Cycles from an event until the core that slept for it goes on.
const WAKE_UP: u64 = 10;

/// What cores wait for, in traces.
pub const EVENT: &str = "wait for event";
const BARRIER: &str = "barrier";
const MUTEX: &str = "mutex";
const DISPATCH: &str = "wait for work";

/// What a core sleeps for, and so what its load gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    No,
    /// Any event of its mask. The value says nothing: the platform gives what is pending after clearing.
    Event,
    /// One value that another core gives.
    Value,
}

#[derive(Clone, Copy, Debug)]
struct Core {
    mask: u32,
    irq_mask: u32,
    pending: u32,
    clear: u32,
    waiting: Waiting,
    value: u32,
    /// Next dispatch entry to read.
    tail: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Barrier {
    cores: u32,
    targets: u32,
    status: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mutex {
    locked: bool,
    waiting: u32,
    /// Who unlocked it last.
    owner: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Dispatch {
    value: u32,
    /// Cores that have not taken it yet.
    fresh: u32,
    team: u32,
    waiting: u32,
    from: usize,
}

/// The device.
pub struct EventUnit {
    period: u64,
    cores: Vec<Core>,
    barriers: [Barrier; BARRIERS],
    mutexes: [Mutex; MUTEXES],
    fifo: [Dispatch; FIFO],
    head: usize,
    team: u32,
}

impl EventUnit {
    /// For so many cores, whose cycle has `period` ticks.
    pub fn new(cores: usize, period: u64) -> Self {
        let core =
            Core { mask: 0, irq_mask: 0, pending: 0, clear: 0, waiting: Waiting::No, value: 0, tail: 0 };
        EventUnit {
            period,
            cores: vec![core; cores],
            barriers: [Barrier::default(); BARRIERS],
            mutexes: [Mutex::default(); MUTEXES],
            fifo: [Dispatch::default(); FIFO],
            head: 0,
            team: 0,
        }
    }
    /// Puts a core to sleep, unless what it waits for is already there.
    fn wait(&mut self, i: usize, clear: u32, what: &'static str, now: u64, effects: &mut Effects) -> Reply {
        let waiting = if what == MUTEX || what == DISPATCH { Waiting::Value } else { Waiting::Event };
        let ready = now + READY * self.period;
        let Some(core) = self.cores.get_mut(i) else { return Reply::Value(0) };
        core.clear = clear;
        let pending = core.pending & core.mask;
        if pending != 0 {
            if pending & DMA_EVENT != 0 {
                effects.push(Effect::Asked);
            }
            core.pending &= !clear;
            let value = if waiting == Waiting::Value { core.value } else { core.pending & core.mask };
            return Reply::Until(value, ready);
        }
        core.waiting = waiting;
        Reply::Sleep(what)
    }
    fn send(&mut self, events: u32, cores: u32, now: u64, effects: &mut Effects) {
        let at = now + WAKE_UP * self.period;
        for (i, core) in self.cores.iter_mut().enumerate() {
            if cores != 0 && cores >> i & 1 == 0 {
                continue;
            }
            core.pending |= events;
            Self::check(i, core, at, effects);
        }
    }
    /// Wakes a core if an event it waits for is pending.
    fn check(i: usize, core: &mut Core, at: u64, effects: &mut Effects) {
        let pending = core.pending & core.mask;
        if core.waiting == Waiting::No || pending == 0 {
            return;
        }
        // The platform reads the events before the core falls asleep, when there are none.
        let value = if core.waiting == Waiting::Value { core.value } else { 0 };
        if pending & DMA_EVENT != 0 {
            effects.push(Effect::Asked);
        }
        core.pending &= !core.clear;
        core.clear = 0;
        core.waiting = Waiting::No;
        effects.push(Effect::Wake { core: i, value, at });
    }

    fn core_read(&mut self, i: usize, offset: u32, access: &Access, effects: &mut Effects) -> Reply {
        let Some(core) = self.cores.get(i) else { return no_register(self.name(), access, "reads") };
        match offset {
            0x00 => Reply::Value(core.mask),
            0x0c => Reply::Value(core.irq_mask),
            0x1c => Reply::Value(core.pending),
            0x20 => Reply::Value(core.pending & core.mask),
            0x24 => Reply::Value(core.pending & core.irq_mask),
            0x38 => self.wait(i, 0, EVENT, access.now, effects),
            0x3c => self.wait(i, core.mask, EVENT, access.now, effects),
            _ => no_register(self.name(), access, "reads"),
        }
    }
    fn core_write(
        &mut self,
        i: usize,
        offset: u32,
        value: u32,
        access: &Access,
        effects: &mut Effects,
    ) -> Reply {
        let at = access.now + WAKE_UP * self.period;
        let name = self.name();
        let Some(core) = self.cores.get_mut(i) else { return no_register(name, access, "writes") };
        match offset {
            0x00 => core.mask = value,
            0x04 => core.mask &= !value,
            0x08 => core.mask |= value,
            0x0c => core.irq_mask = value,
            0x10 => core.irq_mask &= !value,
            0x14 => core.irq_mask |= value,
            0x28 => core.pending &= !value,
            _ => return no_register(name, access, "writes"),
        }
        Self::check(i, core, at, effects);
        Reply::Value(0)
    }

    /// Sends the barrier's event if all its cores have arrived.
    fn check_barrier(&mut self, b: usize, now: u64, effects: &mut Effects) {
        let Some(barrier) = self.barriers.get_mut(b) else { return };
        if barrier.status != barrier.cores {
            return;
        }
        barrier.status = 0;
        let (cores, targets) = (barrier.cores, barrier.targets);
        effects.push(Effect::Synchronise(cores | targets));
        self.send(BARRIER_EVENT, targets, now, effects);
    }
    /// A core arrives at a barrier, and waits there if the register says so.
    fn arrive(&mut self, b: usize, wait: bool, clear: bool, access: &Access, effects: &mut Effects) -> Reply {
        let i = access.core;
        if let Some(barrier) = self.barriers.get_mut(b) {
            barrier.status |= 1 << i;
        }
        let mask = self.cores.get(i).map_or(0, |c| c.mask);
        if !wait {
            self.check_barrier(b, access.now, effects);
            return Reply::Value(0);
        }
        // Asleep first: the event that the core itself completes wakes it like the others.
        let reply = self.wait(i, if clear { mask } else { 0 }, BARRIER, access.now, effects);
        self.check_barrier(b, access.now, effects);
        reply
    }
    fn barrier(&mut self, offset: u32, write: Option<u32>, access: &Access, effects: &mut Effects) -> Reply {
        let (b, register) = ((offset / 32) as usize, offset % 32);
        if b >= BARRIERS {
            return no_register(self.name(), access, "uses a barrier of");
        }
        let summary = self.barriers.iter().fold(0, |all, b| all | b.status);
        let barrier = &mut self.barriers[b];
        let field = match register {
            0x00 => &mut barrier.cores,
            0x04 => &mut barrier.status,
            0x0c => &mut barrier.targets,
            0x08 => return Reply::Value(summary),
            0x10 => {
                let Some(arrived) = write else { return no_register(self.name(), access, "reads") };
                barrier.status |= arrived;
                self.check_barrier(b, access.now, effects);
                return Reply::Value(0);
            }
            0x14 => return self.arrive(b, false, false, access, effects),
            0x18 => return self.arrive(b, true, false, access, effects),
            0x1c => return self.arrive(b, true, true, access, effects),
            _ => return no_register(self.name(), access, "uses"),
        };
        let Some(value) = write else { return Reply::Value(*field) };
        *field = value;
        // As on the platform: a target mask that is written before the cores' mask sends the event at once.
        self.check_barrier(b, access.now, effects);
        Reply::Value(0)
    }

    fn mutex(&mut self, offset: u32, write: Option<u32>, access: &Access, effects: &mut Effects) -> Reply {
        let Some(mutex) = self.mutexes.get_mut((offset / 4) as usize) else {
            return no_register("event unit", access, "uses a mutex of");
        };
        let Some(value) = write else {
            if mutex.locked {
                mutex.waiting |= 1 << access.core;
                return self.wait(access.core, MUTEX_EVENT, MUTEX, access.now, effects);
            }
            mutex.locked = true;
            effects.push(Effect::Follow { core: access.core, after: mutex.owner });
            return Reply::Value(0);
        };
        mutex.owner = access.core;
        if mutex.waiting == 0 {
            mutex.locked = false;
            return Reply::Value(0);
        }
        let next = mutex.waiting.trailing_zeros();
        mutex.waiting &= !(1 << next);
        if let Some(core) = self.cores.get_mut(next as usize) {
            core.value = value;
        }
        effects.push(Effect::Follow { core: next as usize, after: access.core });
        self.send(MUTEX_EVENT, 1 << next, access.now, effects);
        Reply::Value(0)
    }

    fn push(&mut self, value: u32, access: &Access, effects: &mut Effects) -> Reply {
        let entry = self.head;
        self.head = (entry + 1) % FIFO;
        let waiting = self.fifo[entry].waiting;
        let team = self.team;
        self.fifo[entry] = Dispatch { value, fresh: u32::MAX, team, waiting: 0, from: access.core };
        for i in 0..self.cores.len() {
            if waiting >> i & 1 == 0 {
                continue;
            }
            let entry = &mut self.fifo[entry];
            entry.fresh &= !(1 << i);
            let core = &mut self.cores[i];
            core.tail = (core.tail + 1) % FIFO;
            if team >> i & 1 == 1 {
                core.value = value;
                effects.push(Effect::Follow { core: i, after: access.core });
                self.send(DISPATCH_EVENT, 1 << i, access.now, effects);
            } else {
                // Not of the team: it goes on sleeping, for the next entry.
                self.fifo[core.tail].waiting |= 1 << i;
            }
        }
        Reply::Value(0)
    }
    fn pop(&mut self, access: &Access, effects: &mut Effects) -> Reply {
        let i = access.core;
        let bit = 1u32 << i;
        for _ in 0..FIFO {
            let Some(core) = self.cores.get_mut(i) else { break };
            let entry = &mut self.fifo[core.tail];
            if entry.fresh & bit == 0 {
                entry.waiting |= bit;
                break;
            }
            entry.fresh &= !bit;
            core.tail = (core.tail + 1) % FIFO;
            if entry.team & bit != 0 {
                effects.push(Effect::Follow { core: i, after: entry.from });
                return Reply::Value(entry.value);
            }
        }
        self.wait(i, DISPATCH_EVENT, DISPATCH, access.now, effects)
    }

    fn software(&mut self, offset: u32, value: u32, access: &Access, effects: &mut Effects) -> Reply {
        if offset >= 0x40 {
            return no_register(self.name(), access, "uses an unimplemented software event of");
        }
        self.send(1 << (offset / 4), value, access.now, effects);
        Reply::Value(0)
    }

    fn demux(&mut self, write: Option<u32>, access: &Access, effects: &mut Effects) -> Reply {
        let offset = access.offset & 0x3ff;
        match (offset, write) {
            (0x00..0x40, None) => self.core_read(access.core, offset, access, effects),
            (0x00..0x40, Some(v)) => self.core_write(access.core, offset, v, access, effects),
            (0x80, None) => self.pop(access, effects),
            (0x80, Some(v)) => self.push(v, access, effects),
            (0x84, None) => {
                Reply::Fault("reads the team of the dispatcher, which takes a read for a write".into())
            }
            (0x84, Some(v)) => {
                self.team = v;
                Reply::Value(0)
            }
            (0xc0..0x100, _) => self.mutex(offset - 0xc0, write, access, effects),
            (0x100..0x200, Some(v)) => self.software(offset - 0x100, v, access, effects),
            (0x200..0x400, _) => self.barrier(offset - 0x200, write, access, effects),
            _ => no_register(self.name(), access, "uses"),
        }
    }
    fn common(&mut self, write: Option<u32>, access: &Access, effects: &mut Effects) -> Reply {
        let offset = access.offset;
        let core = (offset / 64) as usize;
        match (offset, write) {
            (0..0x400, None) if offset % 64 < 0x38 => self.core_read(core, offset % 64, access, effects),
            (0..0x400, Some(v)) => self.core_write(core, offset % 64, v, access, effects),
            (0x600..0x700, Some(v)) => self.software(offset - 0x600, v, access, effects),
            (0x700, None) => Reply::Value(0),
            _ => no_register(self.name(), access, "uses"),
        }
    }
    fn access(&mut self, write: Option<u32>, access: &Access, effects: &mut Effects) -> Reply {
        if access.size != 4 {
            return narrow(self.name(), "accesses");
        }
        if access.offset & DEMUX == 0 {
            return self.common(write, access, effects);
        }
        if access.core >= self.cores.len() {
            return Reply::Fault("uses the event unit's per-core port from outside the cluster".into());
        }
        self.demux(write, access, effects)
    }
}

impl Device for EventUnit {
    fn name(&self) -> &'static str {
        "event unit"
    }
    fn read(&mut self, access: &Access, effects: &mut Effects) -> Reply {
        self.access(None, access, effects)
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        self.access(Some(value), access, effects)
    }
    fn raise(&mut self, events: u32, cores: u32, now: u64, effects: &mut Effects) {
        self.send(events, cores, now, effects);
    }
}
