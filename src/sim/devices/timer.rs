//! The timer: two 32-bit counters, or one of 64 bits.
//!
//! In: register accesses. Out: counts and compare events. Counts are computed when read, never stepped.

use super::{Access, Device, Effect, Effects, Reply, narrow, no_register};

const ENABLE: u32 = 1;
const RESET: u32 = 1 << 1;
const INTERRUPT: u32 = 1 << 2;
const CLEAR_ON_COMPARE: u32 = 1 << 4;
const ONE_SHOT: u32 = 1 << 5;
const PRESCALE: u32 = 1 << 6;
const WIDE: u32 = 1 << 31;
/// Event line of the first counter.
const FIRST_LINE: u32 = 10;

#[derive(Clone, Copy, Default)]
struct Counter {
    config: u32,
    /// Value when it was last set or started.
    value: u64,
    /// When that was.
    since: u64,
    compare: u32,
    /// Tells a scheduled event from one that was overtaken.
    version: u32,
}

/// The device.
pub struct Timer {
    period: u64,
    counters: [Counter; 2],
}

impl Timer {
    /// Counts once per `period` ticks.
    pub fn new(period: u64) -> Self {
        Timer { period, counters: [Counter::default(); 2] }
    }
    fn scale(&self, i: usize) -> u64 {
        let config = self.counters[i].config;
        let divide = if config & PRESCALE != 0 { u64::from(config >> 8 & 0xff) + 1 } else { 1 };
        self.period * divide
    }
    fn wide(&self) -> bool {
        self.counters[0].config & WIDE != 0
    }
    fn value(&self, i: usize, now: u64) -> u64 {
        let c = &self.counters[i];
        let running = if c.config & ENABLE != 0 { now.saturating_sub(c.since) / self.scale(i) } else { 0 };
        c.value.wrapping_add(running)
    }
    /// Makes the counter start from its present value: call before changing its set-up.
    fn settle(&mut self, i: usize, now: u64) {
        let value = self.value(i, now);
        let whole = now - now % self.period;
        let c = &mut self.counters[i];
        c.value = value;
        c.since = whole;
    }
    fn configure(&mut self, i: usize, value: u32, now: u64, effects: &mut Effects) {
        self.settle(i, now);
        let c = &mut self.counters[i];
        if value & RESET != 0 {
            c.value = 0;
        }
        c.config = value & !RESET;
        self.plan(i, now, effects);
    }
    /// Asks for the time at which the compare value is reached.
    fn plan(&mut self, i: usize, now: u64, effects: &mut Effects) {
        let c = &mut self.counters[i];
        c.version = c.version.wrapping_add(1) & 0xffff;
        let token = (i as u32) << 16 | c.version;
        if c.config & ENABLE == 0 || c.config & (INTERRUPT | CLEAR_ON_COMPARE) == 0 {
            return;
        }
        let left = u64::from(c.compare.wrapping_sub(c.value as u32));
        let left = if left == 0 { 1 << 32 } else { left };
        effects.push(Effect::Schedule { at: now + left * self.scale(i), token });
    }
}

impl Device for Timer {
    fn name(&self) -> &'static str {
        "timer"
    }
    fn read(&mut self, access: &Access, _: &mut Effects) -> Reply {
        let i = (access.offset >> 2 & 1) as usize;
        let value = match access.offset & !4 {
            _ if access.size != 4 => return narrow(self.name(), "reads"),
            0x00 => self.counters[i].config,
            0x08 if i == 1 && self.wide() => (self.value(0, access.now) >> 32) as u32,
            0x08 => self.value(i, access.now) as u32,
            0x10 => self.counters[i].compare,
            0x18 | 0x20 => 0,
            _ => return no_register(self.name(), access, "reads"),
        };
        Reply::Value(value)
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        let (i, now) = ((access.offset >> 2 & 1) as usize, access.now);
        match access.offset & !4 {
            _ if access.size != 4 => return narrow(self.name(), "writes"),
            0x00 => self.configure(i, value, now, effects),
            0x08 => {
                self.settle(i, now);
                self.counters[i].value = u64::from(value);
                self.plan(i, now, effects);
            }
            0x10 => {
                self.settle(i, now);
                self.counters[i].compare = value;
                self.plan(i, now, effects);
            }
            0x18 => self.configure(i, self.counters[i].config | ENABLE, now, effects),
            0x20 => self.configure(i, self.counters[i].config | RESET, now, effects),
            _ => return no_register(self.name(), access, "writes"),
        }
        Reply::Value(0)
    }
    fn event(&mut self, token: u32, now: u64, effects: &mut Effects) {
        let i = (token >> 16) as usize & 1;
        if self.counters[i].version != token & 0xffff {
            return;
        }
        self.settle(i, now);
        let c = &mut self.counters[i];
        if c.config & CLEAR_ON_COMPARE != 0 {
            c.value = 0;
        }
        if c.config & ONE_SHOT != 0 {
            c.config &= !ENABLE;
        }
        if c.config & INTERRUPT != 0 {
            effects.push(Effect::Raise { events: 1 << (FIRST_LINE + i as u32), cores: 0 });
        }
        self.plan(i, now, effects);
    }
}
