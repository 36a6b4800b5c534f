//! The micro-DMA with HyperBus: copies between L2 and the HyperRAM or HyperFlash outside the chip.
//!
//! In: register accesses. Out: transfers. Other peripherals of the micro-DMA are registers without effect. Source:
//! archi/udma_hyper_v3.h of the SDK, behaviour of the public virtual platform; the rates were measured on it, as
//! seen by a cluster core that programs a transfer and waits for it.

use super::{Access, Device, Effect, Effects, Place, Reply, Transfer};

/// Offset of HyperBus, of a channel's registers, of the registers of all channels.
const HYPER: u32 = 0x280;
const CHANNEL: u32 = 0x80;
const COMMON: u32 = 0x100;
const CHANNELS: usize = 2;
/// Bit of the clock register.
const CLOCK: u32 = 1 << 4;
/// Transfers that wait in a channel.
const QUEUE: usize = 8;
/// Bytes of the memories outside, RAM and flash. The public model's RAM is smaller, 8 MiB; networks keep to that.
pub const HYPER_SIZES: [u32; 2] = [16 << 20, 16 << 20];

/// Cycles until a transfer's first byte; the rest of the measured 1960 is programming and waiting.
const LATENCY: u64 = 1790;
/// Tenths of a cycle per byte, reading and writing.
const READ_RATE: u64 = 10;
const WRITE_RATE: u64 = 18;

const RX_ADDRESS: usize = 0;
const RX_SIZE: usize = 1;
const RX_CONFIG: u32 = 0x08;
const TX_ADDRESS: usize = 0x0c / 4;
const TX_CONFIG: u32 = 0x14;
const COMMAND: usize = 0x18 / 4;
const EXTERNAL: usize = 0x1c / 4;
const DEVICE_REGISTER: u32 = 0x20;
const STATUS: usize = 0x24 / 4;
const ROWS_OUTSIDE: usize = 0x28 / 4;
const ROWS_L2: usize = 0x34 / 4;
/// Enable bit of the configuration registers, and the bit that stops a channel.
const ENABLE: u32 = 0x10;
const CLEAR: u32 = 0x20;
/// `COMMAND`: read; device registers instead of memory.
const READ: u32 = 1 << 2;
const REGISTERS: u32 = 1 << 1;

/// The device.
pub struct MicroDma {
    period: u64,
    /// First address and bytes of the memory it reaches.
    l2: (u32, u32),
    clocks: u32,
    channels: [[u32; 32]; CHANNELS],
    /// Whether the next transfer writes a register of the memory chip.
    register_write: [bool; CHANNELS],
    pending: [usize; CHANNELS],
    /// Whether the last address that came was one to write from: decides the direction of what starts next.
    writes: bool,
    common: [u32; 16],
    other: Vec<u32>,
    /// When the bus is free.
    free: u64,
}

impl MicroDma {
    /// Reaches the memory `l2`; a cycle has `period` ticks.
    pub fn new(period: u64, l2: (u32, u32)) -> Self {
        MicroDma {
            period,
            l2,
            clocks: 0,
            channels: [[0; 32]; CHANNELS],
            register_write: [false; CHANNELS],
            pending: [0; CHANNELS],
            writes: false,
            common: [0; 16],
            other: vec![0; 0x800],
            free: 0,
        }
    }
    fn chip(&self) -> usize {
        self.common[0x20 / 4] as usize
    }
    fn free_channel(&self) -> u32 {
        self.pending.iter().position(|p| *p == 0).unwrap_or(CHANNELS) as u32
    }
    fn status(&self, channel: usize) -> u32 {
        let n = self.pending[channel] as u32;
        n << 1 | u32::from(n != 0)
    }

    /// Rows of the transfer that a channel's registers describe.
    fn rows(&self, channel: usize, write: bool) -> Result<Vec<(Place, Place, u32)>, String> {
        let r = &self.channels[channel];
        let first = if write { TX_ADDRESS } else { RX_ADDRESS };
        let (mut inside, size, mut outside) = (r[first], r[first + RX_SIZE], r[EXTERNAL]);
        if size == 0 {
            return Err("starts a HyperBus transfer of 0 bytes, which never ends".into());
        }
        let outside_size = HYPER_SIZES.get(self.chip()).copied().unwrap_or(0);
        if size > 4 * outside_size {
            return Err(format!("starts a HyperBus transfer of {size} bytes"));
        }
        let (by_rows, in_l2) = (r[ROWS_OUTSIDE] == 1 || r[ROWS_L2] == 1, r[ROWS_OUTSIDE] != 1);
        let set = if in_l2 { ROWS_L2 } else { ROWS_OUTSIDE };
        let (count, stride) = if by_rows { (r[set + 1], r[set + 2]) } else { (size, 0) };
        if count == 0 {
            return Err("starts a two-dimensional HyperBus transfer with rows of 0 bytes".into());
        }
        if size % count != 0 {
            return Err(format!(
                "starts a HyperBus transfer of {size} bytes in rows of {count}, which never ends"
            ));
        }
        let mut rows = Vec::new();
        let mut left = size;
        while left > 0 {
            let n = count.min(left);
            if outside.checked_add(n).is_none_or(|end| end > outside_size) {
                return Err(format!(
                    "moves {n} bytes at {outside:#x} of a HyperBus memory of {outside_size} bytes"
                ));
            }
            let offset = inside.wrapping_sub(self.l2.0);
            if u64::from(offset) + u64::from(n) > u64::from(self.l2.1) {
                return Err(format!(
                    "starts a HyperBus transfer over {n} bytes at {inside:#010x}, outside L2"
                ));
            }
            let (here, there) = (Place::Bus(inside), Place::Hyper(self.chip(), outside));
            rows.push(if write { (here, there, n) } else { (there, here, n) });
            // Loads write whole words: the last one with what is left of the word before it.
            let more = n.wrapping_neg() % 4;
            if !write && more > 0 && u64::from(offset) + u64::from(n + more) <= u64::from(self.l2.1) {
                let left = inside.wrapping_add(n.saturating_sub(4));
                rows.push((Place::Bus(left), Place::Bus(inside.wrapping_add(n)), more));
            }
            left -= n;
            inside = inside.wrapping_add(if in_l2 && by_rows { stride } else { n });
            outside = outside.wrapping_add(if in_l2 || !by_rows { n } else { stride });
        }
        Ok(rows)
    }
    fn start(&mut self, channel: usize, write: bool, access: &Access, effects: &mut Effects) -> Reply {
        let command = self.channels[channel][COMMAND];
        if std::mem::take(&mut self.register_write[channel]) || command & REGISTERS != 0 {
            // Latencies of the memory chip, which are part of the measured rates.
            return Reply::Value(0);
        }
        if (command & READ != 0) == write || self.writes != write {
            let what = if write { "writes" } else { "reads" };
            return Reply::Fault(format!(
                "starts a HyperBus transfer that {what} with command {command}, or without a new address"
            ));
        }
        if self.chip() > 1 || (write && self.chip() == 1) {
            let chip = self.chip();
            return Reply::Fault(format!("writes chip {chip} on the HyperBus, which is no RAM"));
        }
        if self.pending[channel] >= QUEUE {
            return Reply::Fault("starts a HyperBus transfer while eight wait in its channel".into());
        }
        let rows = match self.rows(channel, write) {
            Ok(rows) => rows,
            Err(message) => return Reply::Fault(message),
        };
        let first = if write { TX_ADDRESS } else { RX_ADDRESS };
        let bytes = u64::from(self.channels[channel][first + RX_SIZE]);
        let rate = if write { WRITE_RATE } else { READ_RATE };
        let begin = self.free.max(access.now + LATENCY * self.period);
        self.free = begin + (bytes * rate).div_ceil(10) * self.period;
        self.pending[channel] += 1;
        let (from, until) = (access.now, self.free);
        effects.push(Effect::Move(Transfer { kind: 2, core: access.core, counter: None, rows, from, until }));
        effects.push(Effect::Schedule { at: until, token: channel as u32 });
        Reply::Value(0)
    }

    /// The channel and register of an offset inside HyperBus.
    fn channel(offset: u32) -> Option<(usize, usize)> {
        let (channel, register) = (offset / CHANNEL, offset % CHANNEL);
        ((channel as usize) < CHANNELS).then_some((channel as usize, register as usize / 4))
    }
    fn is_off(&self) -> Option<Reply> {
        let message = "uses the HyperBus while its clock is off: set bit 4 of the micro-DMA's clock register";
        (self.clocks & CLOCK == 0).then(|| Reply::Fault(message.into()))
    }
}

impl Device for MicroDma {
    fn name(&self) -> &'static str {
        "micro-DMA"
    }
    fn read(&mut self, access: &Access, effects: &mut Effects) -> Reply {
        let offset = access.offset;
        if offset == 0 {
            return Reply::Value(self.clocks);
        }
        if !(HYPER..HYPER + COMMON + 0x40).contains(&offset) {
            return Reply::Value(self.other.get(offset as usize / 4).copied().unwrap_or(0));
        }
        if let Some(off) = self.is_off() {
            return off;
        }
        Reply::Value(match Self::channel(offset - HYPER) {
            Some((channel, STATUS)) => {
                effects.push(Effect::Asked);
                effects.push(Effect::Polled { core: access.core, busy: self.pending[channel] > 0 });
                self.status(channel)
            }
            Some((_, register)) if matches!(register as u32 * 4, RX_CONFIG | TX_CONFIG | DEVICE_REGISTER) => {
                let message = "reads a HyperBus register that acts on reads as on writes";
                return Reply::Fault(message.into());
            }
            Some((channel, register)) => self.channels[channel][register & 31],
            None if offset == HYPER + COMMON + 0x24 => {
                effects.push(Effect::Asked);
                let free = self.free_channel();
                effects.push(Effect::Polled { core: access.core, busy: free as usize >= CHANNELS });
                free
            }
            None => self.common[((offset - HYPER - COMMON) as usize / 4) & 15],
        })
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        let offset = access.offset;
        if offset == 0 {
            self.clocks = value;
            return Reply::Value(0);
        }
        if !(HYPER..HYPER + COMMON + 0x40).contains(&offset) {
            if let Some(word) = self.other.get_mut(offset as usize / 4) {
                *word = value;
            }
            return Reply::Value(0);
        }
        if let Some(off) = self.is_off() {
            return off;
        }
        let Some((channel, register)) = Self::channel(offset - HYPER) else {
            self.common[((offset - HYPER - COMMON) as usize / 4) & 15] = value;
            return Reply::Value(0);
        };
        self.channels[channel][register & 31] = value;
        match register as u32 * 4 {
            DEVICE_REGISTER => self.register_write[channel] = true,
            address if address == 4 * RX_ADDRESS as u32 => self.writes = false,
            address if address == 4 * TX_ADDRESS as u32 => self.writes = true,
            RX_CONFIG | TX_CONFIG if value & CLEAR != 0 => {
                return Reply::Fault("clears a HyperBus channel, which is not modelled".into());
            }
            config @ (RX_CONFIG | TX_CONFIG) if value & ENABLE != 0 => {
                return self.start(channel, config == TX_CONFIG, access, effects);
            }
            _ => {}
        }
        Reply::Value(0)
    }
    fn event(&mut self, token: u32, _now: u64, _effects: &mut Effects) {
        if let Some(pending) = self.pending.get_mut(token as usize) {
            *pending = pending.saturating_sub(1);
        }
    }
}
