//! MCHAN, the cluster's DMA between L1 and everything else.
//!
//! In: command words through the per-core ports or the common one. Out: transfers, completion events. Source:
//! archi/mchan_v7.h of the SDK; the rates were measured on the public virtual platform.

use super::{Access, Device, Effect, Effects, Place, Reply, Transfer, narrow, no_register};
use crate::sim::siracusa::{DEMUX, L1_BASE};

/// What cores wait for, in traces.
pub const COUNTER: &str = "DMA counter";

const COUNTERS: usize = 16;
/// Cycles from a command to its first byte, and from its last byte to the end.
const SET_UP: u64 = 14;
const TAIL: u64 = 8;
/// Bytes per cycle and longest burst.
const WIDTH: u64 = 8;
const BURST: u32 = 256;
/// Commands of one direction that fit the queues.
const QUEUE: usize = 10;
/// Address bits that L1 looks at.
const L1_MASK: u32 = 0xf_ffff;
/// Event and interrupt lines.
const EVENT: u32 = 1 << 8;
const INTERRUPT: u32 = 1 << 9;

const TO_L1: u32 = 1 << 17;
const INCREMENT: u32 = 1 << 18;
const TWO_DIMENSIONS: u32 = 1 << 19;
const RAISE_EVENT: u32 = 1 << 20;
const RAISE_INTERRUPT: u32 = 1 << 21;

#[derive(Clone, Debug, Default)]
struct Port {
    counter: usize,
    words: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    counter: usize,
    to_l1: bool,
    lines: u32,
    until: u64,
}

/// The device.
pub struct Mchan {
    period: u64,
    /// One per core, and the common one.
    ports: Vec<Port>,
    allocated: [bool; COUNTERS],
    /// Ports whose core waits for a counter, in order, with the core.
    waiting: Vec<(usize, usize)>,
    running: Vec<Option<Running>>,
    /// When each direction (out, in) is free.
    free: [u64; 2],
}

impl Mchan {
    /// For so many cores, whose cycle has `period` ticks.
    pub fn new(cores: usize, period: u64) -> Self {
        Mchan {
            period,
            ports: vec![Port::default(); cores + 1],
            allocated: [false; COUNTERS],
            waiting: Vec::new(),
            running: Vec::new(),
            free: [0; 2],
        }
    }
    fn port(&self, access: &Access) -> Option<usize> {
        let common = self.ports.len() - 1;
        if access.offset & DEMUX == 0 {
            return Some(common);
        }
        (access.core < common).then_some(access.core)
    }
    fn allocate(&mut self, port: usize) -> Option<u32> {
        let counter = self.allocated.iter().position(|a| !a)?;
        self.allocated[counter] = true;
        self.ports[port].counter = counter;
        Some(counter as u32)
    }
    fn status(&self) -> u32 {
        let busy = self.running.iter().flatten().fold(0, |all, r| all | 1 << r.counter);
        let allocated = (0..COUNTERS).filter(|i| self.allocated[*i]).fold(0, |all, i| all | 1 << i);
        busy | allocated << 16
    }
    fn release(&mut self, mask: u32, access: &Access, effects: &mut Effects) {
        for counter in 0..COUNTERS {
            if mask >> counter & 1 == 1 {
                self.allocated[counter] = false;
                effects.push(Effect::Ended { core: access.core, counter });
            }
        }
        while let Some((port, core)) = self.waiting.first().copied() {
            let Some(counter) = self.allocate(port) else { break };
            self.waiting.remove(0);
            effects.push(Effect::Wake { core, value: counter, at: access.now + self.period });
        }
    }
    /// Cycles that the bytes take.
    fn duration(rows: &[(Place, Place, u32)], to_l1: bool) -> u64 {
        if to_l1 {
            let bytes: u64 = rows.iter().map(|r| u64::from(r.2)).sum();
            return bytes.div_ceil(WIDTH);
        }
        // Outwards every burst, and so every row, costs a cycle more.
        rows.iter().map(|r| u64::from(r.2).div_ceil(WIDTH) + u64::from(r.2.div_ceil(BURST))).sum()
    }
    fn rows(words: &[u32]) -> Vec<(Place, Place, u32)> {
        let word = |i: usize| words.get(i).copied().unwrap_or(0);
        let (command, l1, external) = (word(0), word(1), word(2));
        let size = command & 0x1_ffff;
        let two = command & TWO_DIMENSIONS != 0;
        let (length, stride) = if two { (word(3), word(4)) } else { (size, 0) };
        let mut rows = Vec::new();
        let (mut done, mut from) = (0, external);
        while done < size {
            let n = length.min(size - done).max(1);
            let local = Place::Bus(L1_BASE + (l1.wrapping_add(done) & L1_MASK));
            let outside = Place::Bus(from);
            rows.push(if command & TO_L1 != 0 { (outside, local, n) } else { (local, outside, n) });
            done += n;
            from = from.wrapping_add(stride);
        }
        rows
    }
    fn start(&mut self, port: usize, access: &Access, effects: &mut Effects) -> Reply {
        let words = std::mem::take(&mut self.ports[port].words);
        let command = words.first().copied().unwrap_or(0);
        let counter = self.ports[port].counter;
        if !self.allocated[counter] {
            return Reply::Fault("starts a DMA transfer without having allocated a counter".into());
        }
        if command & 0x1_ffff == 0 {
            return Reply::Fault("starts a DMA transfer of 0 bytes, which never ends".into());
        }
        if command & INCREMENT == 0 {
            return Reply::Fault("starts a DMA transfer without increment, which is not modelled".into());
        }
        let row = words.get(3).copied().unwrap_or(0);
        if command & TWO_DIMENSIONS != 0 && (row == 0 || (command & 0x1_ffff) % row != 0) {
            let message = format!(
                "starts a two-dimensional DMA transfer of {} bytes in rows of {row}: the last row is not whole",
                command & 0x1_ffff
            );
            return Reply::Fault(message);
        }
        let to_l1 = command & TO_L1 != 0;
        let rows = Self::rows(&words);
        let p = self.period;
        let free = &mut self.free[usize::from(to_l1)];
        let begin = (*free).max(access.now + SET_UP * p);
        *free = begin + Self::duration(&rows, to_l1) * p;
        let until = *free + TAIL * p;
        let mut lines = if command & RAISE_EVENT != 0 { EVENT } else { 0 };
        if command & RAISE_INTERRUPT != 0 {
            lines |= INTERRUPT;
        }
        let running = Running { counter, to_l1, lines, until };
        let token = match self.running.iter().position(Option::is_none) {
            Some(slot) => {
                self.running[slot] = Some(running);
                slot
            }
            None => {
                self.running.push(Some(running));
                self.running.len() - 1
            }
        };
        let kind = usize::from(to_l1);
        let core = access.core;
        effects.push(Effect::Move(Transfer {
            kind,
            core,
            counter: Some(counter),
            rows,
            from: access.now,
            until,
        }));
        effects.push(Effect::Schedule { at: until, token: token as u32 });
        self.queue(to_l1, access.now)
    }
    /// A core that fills the queues stands still until there is a place.
    fn queue(&self, to_l1: bool, now: u64) -> Reply {
        let same = || self.running.iter().flatten().filter(|r| r.to_l1 == to_l1);
        if same().count() <= QUEUE {
            return Reply::Value(0);
        }
        Reply::Until(0, same().map(|r| r.until).min().unwrap_or(now).max(now))
    }
}

impl Device for Mchan {
    fn name(&self) -> &'static str {
        "cluster DMA"
    }
    fn read(&mut self, access: &Access, effects: &mut Effects) -> Reply {
        let Some(port) = self.port(access) else {
            return Reply::Fault("uses the cluster DMA's per-core port from outside the cluster".into());
        };
        match access.offset & 0x3ff {
            _ if access.size != 4 => narrow(self.name(), "reads"),
            0 => match self.allocate(port) {
                Some(counter) => Reply::Value(counter),
                None => {
                    self.waiting.push((port, access.core));
                    Reply::Sleep(COUNTER)
                }
            },
            4 => {
                effects.push(Effect::Asked);
                Reply::Value(self.status())
            }
            _ => no_register(self.name(), access, "reads"),
        }
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        let Some(port) = self.port(access) else {
            return Reply::Fault("uses the cluster DMA's per-core port from outside the cluster".into());
        };
        match access.offset & 0x3ff {
            _ if access.size != 4 => narrow(self.name(), "writes"),
            0 => {
                let words = &mut self.ports[port].words;
                words.push(value);
                let needed = if words.first().is_some_and(|c| c & TWO_DIMENSIONS != 0) { 5 } else { 3 };
                if words.len() == needed { self.start(port, access, effects) } else { Reply::Value(0) }
            }
            4 => {
                effects.push(Effect::Asked);
                self.release(value, access, effects);
                Reply::Value(0)
            }
            _ => no_register(self.name(), access, "writes"),
        }
    }
    fn event(&mut self, token: u32, _now: u64, effects: &mut Effects) {
        let Some(done) = self.running.get_mut(token as usize).and_then(Option::take) else { return };
        let more = self.running.iter().flatten().any(|r| r.counter == done.counter);
        if !more && done.lines != 0 {
            effects.push(Effect::Raise { events: done.lines, cores: 0 });
        }
    }
}
