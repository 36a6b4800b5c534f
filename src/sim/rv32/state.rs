//! The state of one core: registers, hardware loops, where and when it is.
//!
//! In: nothing. Out: [`CoreState`]. Times are ticks (see `machine`); never advances them itself.

/// One hardware loop of Xpulp: start, address of the last instruction, remaining iterations.
#[derive(Clone, Copy, Debug, Default)]
pub struct HardwareLoop {
    /// First instruction of the body.
    pub start: u32,
    /// Last instruction of the body.
    pub end: u32,
    /// Iterations left.
    pub count: u32,
}

/// Whether a core executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Not started.
    Off,
    /// Executing.
    Running,
    /// Waiting for a device to answer a load; the register gets the answer.
    Asleep {
        /// Register that the answer goes to.
        rd: u8,
        /// What it waits for.
        what: &'static str,
    },
    /// In `wfi`.
    Waiting,
}

/// Lines that a core remembers to have in its instruction cache.
pub const PRESENT: usize = 64;

/// A core's registers and clock.
#[derive(Clone, Debug)]
pub struct CoreState {
    /// Integer registers; `x[0]` is always zero.
    pub x: [u32; 32],
    /// Float registers, as bit patterns.
    pub f: [u32; 32],
    /// Address of the next instruction.
    pub pc: u32,
    /// Now, in ticks.
    pub now: u64,
    /// Instructions executed.
    pub retired: u64,
    /// Registers whose value comes one cycle late (as `Inst::reads`).
    pub late: u64,
    /// Line in the prefetch buffer: address / 16.
    pub line: u32,
    /// Lines known to be in its own instruction cache, each at its number modulo the length.
    pub present: [u32; PRESENT],
    /// Hardware loops, inner first.
    pub loops: [HardwareLoop; 2],
    /// Exception flags.
    pub fflags: u8,
    /// Dynamic rounding mode.
    pub frm: u8,
    /// Registers with bytes that were never written (as `Inst::reads`), and which of their bytes; kept by the
    /// checker.
    pub undefined: u64,
    /// See `undefined`.
    pub undefined_bytes: [u8; 64],
    /// Address and instruction of the last load of such bytes.
    pub undefined_origin: (u32, u32),
    /// First address and bytes of the function it is in; jumps out of it are told to the profile.
    pub function: (u32, u32),
    /// Whether it executes.
    pub activity: Activity,
    /// When it fell asleep, in ticks.
    pub asleep_since: u64,
    /// Ticks spent asleep.
    pub slept: u64,
    /// `mstatus`, `mtvec`, `mepc`, `mcause`, `mscratch`: kept, not acted upon.
    pub machine: [u32; 5],
    /// Performance counter set-up: a bit per event, and whether they count at all.
    pub counter_enable: [u32; 2],
    /// Cycles and instructions counted before `counter_since`.
    pub counted: [u64; 2],
    /// Cycle and instruction since which the performance counters count.
    pub counter_since: [u64; 2],
}

impl CoreState {
    /// A core that has not been started.
    pub fn new() -> Self {
        CoreState {
            x: [0; 32],
            f: [0; 32],
            pc: 0,
            now: 0,
            retired: 0,
            late: 0,
            line: u32::MAX,
            present: [u32::MAX; PRESENT],
            loops: [HardwareLoop::default(); 2],
            fflags: 0,
            frm: 0,
            undefined: 0,
            undefined_bytes: [0; 64],
            undefined_origin: (0, 0),
            function: (0, u32::MAX),
            activity: Activity::Off,
            asleep_since: 0,
            slept: 0,
            machine: [0; 5],
            // Cycles and instructions are selected, and nothing counts.
            counter_enable: [3, 0],
            counted: [0; 2],
            counter_since: [0; 2],
        }
    }
    /// Writes an integer register.
    #[inline(always)]
    pub fn set(&mut self, rd: u8, value: u32) {
        self.x[usize::from(rd & 31)] = value;
        self.x[0] = 0;
    }
    /// Bytes of a register (numbered as in `Inst::reads`) that were never written.
    #[inline(always)]
    pub fn undefined_mask(&self, r: u8) -> u8 {
        if self.undefined >> (r & 63) & 1 == 0 { 0 } else { self.undefined_bytes[usize::from(r & 63)] }
    }
    /// A register gets a value with these bytes never written.
    pub fn define(&mut self, r: u8, undefined: u8) {
        let bit = 1u64 << (r & 63);
        self.undefined &= !bit;
        if undefined != 0 && r != 0 {
            self.undefined |= bit;
            self.undefined_bytes[usize::from(r & 63)] = undefined;
        }
    }
    /// A register is loaded from `size` bytes of which some were never written.
    #[cold]
    pub fn load_undefined(&mut self, r: u8, size: u32, mask: u8, addr: u32) {
        // Extension spreads what is not known.
        self.define(r, if size == 4 { mask } else { 15 });
        self.undefined_origin = (addr, self.pc);
    }
    /// Reads an integer register.
    #[inline(always)]
    pub fn get(&self, r: u8) -> u32 {
        self.x[usize::from(r & 31)]
    }
}

impl Default for CoreState {
    fn default() -> Self {
        Self::new()
    }
}
