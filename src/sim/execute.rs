//! The inner loop: one core runs until it has to wait for its turn, for a device, or for ever.
//!
//! In: a core, the memories and caches it shares, a time. Out: a changed core, and why it stopped. Never touches
//! devices or other cores. Accesses to anything shared happen in the order of time: a core whose turn it is not
//! stops *before* the access.

use super::checker::Reach;
use super::code::{Code, slot};
use super::icache::EMPTY;
use super::memory::{Mapping, PAGE};
use super::rv32::float::{self, Rounding};
use super::rv32::state::PRESENT;
use super::rv32::{Class, CoreState, Inst, Mode, Op, scalar, simd};
use super::shared::{Shared, Trouble};
use super::soc::{CoreSpec, Side};
use super::turns::{NEVER, Turns};

/// Why a core stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Others are earlier; when it wants to go on, in ticks.
    Turn(u64),
    /// The instruction at its pc is the machine's business: a device, `wfi`.
    Machine,
    /// The instruction at its pc has not been decoded.
    Decode,
    /// It cannot go on.
    Fault(Box<Trouble>),
}

/// Trouble that is no access.
fn trouble(message: impl Into<String>) -> Pause {
    Pause::Fault(Trouble::new(None, message))
}

/// How far a core may run past its turn on arithmetic alone, in ticks: bounds loops that touch nothing.
const AHEAD: u64 = 1 << 16;

type Step<T> = Result<T, Pause>;

/// One core at work.
struct Run<'a> {
    s: &'a mut Shared,
    c: &'a mut CoreState,
    spec: &'a CoreSpec,
    id: usize,
    limit: u64,
    /// How far it may run on arithmetic alone.
    far: u64,
}

/// Runs cores in turns until one of them has to stop, something needs attention, or all are beyond `until`; the core
/// that ran last, and why it stopped.
pub fn run<const CHECK: bool>(
    code: &[Code; 2],
    s: &mut Shared,
    cores: &mut [CoreState],
    specs: &[CoreSpec],
    turns: &mut Turns,
    until: u64,
) -> (usize, Pause) {
    loop {
        let turn = turns.first();
        let (Some(c), Some(spec)) = (cores.get_mut(turn.core), specs.get(turn.core)) else {
            return (turn.core, Pause::Turn(NEVER));
        };
        if turn.at > until {
            return (turn.core, Pause::Turn(turn.at));
        }
        let limit = turn.others.min(until);
        let mut run = Run { s, c, spec, id: turn.core, limit, far: limit.saturating_add(AHEAD) };
        match run.until_pause::<CHECK>(&code[spec.side as usize]) {
            Pause::Turn(at) => turns.postpone(at),
            other => return (turn.core, other),
        }
        if s.attention {
            return (turn.core, Pause::Turn(0));
        }
    }
}

impl Run<'_> {
    /// Runs one core. `limit` is the last tick at which it may touch what is shared.
    #[inline(always)]
    fn until_pause<const CHECK: bool>(&mut self, code: &Code) -> Pause {
        let mut page = self.c.pc / PAGE;
        let mut slots = code.slots(self.c.pc);
        loop {
            let pc = self.c.pc;
            if pc / PAGE != page {
                page = pc / PAGE;
                slots = code.slots(pc);
            }
            if let Err(pause) = self.step::<CHECK>(pc, &slots[slot(pc)]) {
                return pause;
            }
        }
    }

    #[inline(always)]
    fn step<const CHECK: bool>(&mut self, pc: u32, inst: &Inst) -> Step<()> {
        if inst.line != self.c.line {
            let at_hand = self.c.present[inst.line as usize % PRESENT] == inst.line;
            if !at_hand || (inst.crosses && self.c.line != pc >> 4) {
                self.fetch(pc, inst)?;
            }
            self.c.line = inst.line;
        }
        if CHECK && self.c.undefined != 0 {
            self.track(inst)?;
        }
        let period = self.spec.period;
        let stall = if inst.reads & self.c.late != 0 { period } else { 0 };
        let start = self.c.now + stall;
        if inst.shared && start > self.limit {
            return Err(Pause::Turn(start));
        }
        let mut next = pc.wrapping_add(u32::from(inst.len));
        let mut end = start + u64::from(inst.cycles) * period;
        match inst.class {
            Class::Alu => {
                let value = scalar::base(inst.op, self.c.get(inst.rs1), self.second(inst));
                self.c.set(inst.rd, value);
            }
            Class::Load => end = self.load::<CHECK>(inst, start)?,
            Class::Store => end = self.store::<CHECK>(inst, start)?,
            Class::Branch => {
                let (a, b) = (self.c.get(inst.rs1), self.c.get(inst.rs2));
                if scalar::taken(inst.op, a, b, inst.rs2) {
                    next = pc.wrapping_add(inst.imm as u32);
                    end += 2 * period;
                    self.bound(end, inst.imm)?;
                }
            }
            Class::SimdB => {
                let (a, b) = (self.c.get(inst.rs1), self.second_bytes(inst));
                self.c.set(inst.rd, simd::bytes(inst.op, a, b, self.c.get(inst.rd)));
            }
            Class::SimdH => {
                let (a, b) = (self.c.get(inst.rs1), self.second_halves(inst));
                self.c.set(inst.rd, simd::half(inst.op, a, b, self.c.get(inst.rd)));
            }
            Class::Scalar => {
                let (a, b) = (self.c.get(inst.rs1), self.second(inst));
                self.c.set(inst.rd, scalar::pulp(inst, a, b, self.c.get(inst.rd)));
            }
            Class::Jump => {
                self.bound(end, inst.imm)?;
                self.c.set(inst.rd, next);
                next = pc.wrapping_add(inst.imm as u32);
                self.jump(next, end);
            }
            Class::JumpRegister => {
                self.bound(end, -1)?;
                let target = self.c.get(inst.rs1).wrapping_add(inst.imm as u32) & !1;
                self.c.set(inst.rd, next);
                next = target;
                self.jump(next, end);
            }
            Class::Float => end = self.float(inst, start)?,
            Class::FloatLoad => end = self.float_load::<CHECK>(inst, start)?,
            _ => end = self.rare::<CHECK>(inst, start, end)?,
        }
        retire(self.c, inst, next, end);
        Ok(())
    }

    /// Brings the line of an instruction into the prefetch buffer.
    #[inline(never)]
    fn fetch(&mut self, pc: u32, inst: &Inst) -> Step<()> {
        if inst.class == Class::Unknown {
            return Err(Pause::Decode);
        }
        let first = pc >> 4;
        if inst.crosses && self.c.line != first {
            self.fetch_line(first)?;
        }
        self.fetch_line(inst.line)
    }
    fn fetch_line(&mut self, line: u32) -> Step<()> {
        let slot = line as usize % PRESENT;
        if self.spec.cache.is_none() {
            self.c.now += self.s.uncached_fetch * self.spec.period;
        } else if self.s.icache.hits_private(self.spec.index, line) {
            self.c.present[slot] = line;
        } else {
            if self.c.now > self.limit {
                return Err(Pause::Turn(self.c.now));
            }
            let (delay, evicted) = self.s.icache.fetch(self.spec.index, line, self.c.now, self.spec.period);
            self.c.now += delay;
            let old = &mut self.c.present[evicted as usize % PRESENT];
            if *old == evicted {
                *old = EMPTY;
            }
        }
        self.c.line = line;
        Ok(())
    }

    #[inline(always)]
    fn second(&self, inst: &Inst) -> u32 {
        if inst.mode == Mode::Imm { inst.imm as u32 } else { self.c.get(inst.rs2) }
    }
    #[inline(always)]
    fn second_bytes(&self, inst: &Inst) -> u32 {
        match inst.mode {
            Mode::Imm => inst.imm as u32,
            Mode::Splat => (self.c.get(inst.rs2) & 0xff) * 0x0101_0101,
            _ => self.c.get(inst.rs2),
        }
    }
    #[inline(always)]
    fn second_halves(&self, inst: &Inst) -> u32 {
        match inst.mode {
            Mode::Imm => inst.imm as u32,
            Mode::Splat => (self.c.get(inst.rs2) & 0xffff) * 0x0001_0001,
            _ => self.c.get(inst.rs2),
        }
    }

    /// Stops a core that ran far ahead, before a jump backwards or to anywhere.
    #[inline(always)]
    fn bound(&self, end: u64, offset: i32) -> Step<()> {
        if offset <= 0 && end > self.far { Err(Pause::Turn(end)) } else { Ok(()) }
    }

    /// Tells the profile of a jump out of a function.
    #[inline(always)]
    fn jump(&mut self, next: u32, end: u64) {
        let (start, size) = self.c.function;
        if next.wrapping_sub(start) >= size {
            self.enter_function(next, end);
        }
    }
    #[inline(never)]
    fn enter_function(&mut self, next: u32, end: u64) {
        if let Some(profile) = &mut self.s.profile {
            self.c.function = profile.enter(self.id, self.c, end, next);
        }
    }

    #[inline(always)]
    fn address(&self, inst: &Inst) -> u32 {
        let base = self.c.get(inst.rs1);
        match inst.mode {
            Mode::Imm => base.wrapping_add(inst.imm as u32),
            Mode::Reg => {
                base.wrapping_add(self.c.get(if inst.class == Class::Store { inst.rs3 } else { inst.rs2 }))
            }
            _ => base,
        }
    }
    /// Waits for the bank of an address; the tick at which an access that starts at `start` ends.
    #[inline(always)]
    fn cost(banks: &mut [u64; 64], m: &Mapping, spec: &CoreSpec, addr: u32, start: u64) -> u64 {
        let cycles = u64::from(m.costs[spec.side as usize]) * spec.period;
        if m.bank_mask == 0 || spec.side != Side::Cluster {
            return start + cycles;
        }
        let free = &mut banks[(addr >> 2 & m.bank_mask & 63) as usize];
        let granted = start.max(*free);
        *free = granted + spec.period;
        granted + cycles
    }

    /// The place of a memory access, and when it ends.
    #[inline(always)]
    fn reach<const CHECK: bool>(&mut self, inst: &Inst, start: u64) -> Step<(usize, u64)> {
        let (addr, size) = (self.address(inst), width(inst.op));
        if addr & (size - 1) != 0 {
            return self.reach_unaligned::<CHECK>(inst, addr, start);
        }
        let (m, special) = self.s.memory.find(addr);
        if m.size == 0 {
            return Err(Pause::Machine);
        }
        let place = m.place + addr.wrapping_sub(m.base) as usize;
        let end = Self::cost(&mut self.s.banks, m, self.spec, addr, start);
        if special && inst.writes() {
            self.special(addr, end);
        }
        if CHECK {
            self.check(inst, addr, place, start)?;
        }
        Ok((place, end))
    }
    #[inline(never)]
    fn reach_unaligned<const CHECK: bool>(
        &mut self,
        inst: &Inst,
        addr: u32,
        start: u64,
    ) -> Step<(usize, u64)> {
        let size = width(inst.op);
        let last = addr.wrapping_add(size - 1);
        let (m, special) = self.s.memory.find(addr);
        if m.size == 0 {
            return Err(Pause::Machine);
        }
        let Some(place) = self.s.memory.place(addr, size) else {
            let message = format!("accesses {size} bytes at {addr:#010x}, across the end of a memory");
            return Err(Pause::Fault(Trouble::new(Some(addr), message)));
        };
        let mut end = Self::cost(&mut self.s.banks, m, self.spec, addr, start);
        if addr >> 2 != last >> 2 {
            end = Self::cost(&mut self.s.banks, m, self.spec, last, end);
        }
        *self.s.unaligned.entry(self.c.pc).or_insert(0) += 1;
        if special && inst.writes() {
            self.special(addr, end);
            self.special(last, end);
        }
        if CHECK {
            self.check(inst, addr, place, start)?;
        }
        Ok((place, end))
    }
    /// A write to a page with decoded code, or with the variable that tells the layer.
    #[inline(never)]
    fn special(&mut self, addr: u32, end: u64) {
        if self.s.memory.is_code(addr) {
            self.s.written_code.push(addr);
            self.s.attention = true;
            // Back to the machine soon.
            self.limit = 0;
        }
        if self.s.layer_addr == Some(addr) {
            self.s.layer_written = Some(end);
            self.s.attention = true;
            self.limit = 0;
        }
    }
    #[inline(never)]
    fn check(&mut self, inst: &Inst, addr: u32, place: usize, now: u64) -> Step<()> {
        let Some(checker) = &mut self.s.checker else { return Ok(()) };
        let (size, write) = (width(inst.op), inst.writes());
        let reach = Reach { core: self.id, addr, place, size, write };
        let unwritten = checker.access(reach, now, self.c.pc).map_err(|f| Pause::Fault(f.into()))?;
        if write {
            let mask = self.c.undefined_mask(inst.data());
            if mask != 0 {
                checker.unwrite(place, size, mask);
            }
        } else if unwritten != 0 {
            self.c.load_undefined(inst.result(), size, unwritten, addr);
        }
        Ok(())
    }
    /// Follows values that were never written: they may be copied, but not used.
    #[cold]
    fn track(&mut self, inst: &Inst) -> Step<()> {
        let copied = inst.copied();
        let mut used = inst.reads & self.c.undefined;
        if inst.writes() {
            used &= !(1u64 << (inst.data() & 63));
        }
        if copied.is_none() && used != 0 {
            let (addr, pc) = self.c.undefined_origin;
            let message = format!(
                "uses a value that the instruction at {pc:#010x} read from {addr:#010x}, which nobody has written"
            );
            return Err(Pause::Fault(Trouble::new(Some(addr), message)));
        }
        let mask = copied.map_or(0, |from| self.c.undefined_mask(from));
        self.c.define(inst.result(), mask);
        Ok(())
    }

    #[inline(always)]
    fn load<const CHECK: bool>(&mut self, inst: &Inst, start: u64) -> Step<u64> {
        let (place, end) = self.reach::<CHECK>(inst, start)?;
        let raw = self.s.memory.get(place, width(inst.op));
        finish_load(self.c, inst, raw);
        Ok(end)
    }
    #[inline(always)]
    fn store<const CHECK: bool>(&mut self, inst: &Inst, start: u64) -> Step<u64> {
        let (place, end) = self.reach::<CHECK>(inst, start)?;
        self.s.memory.set(place, width(inst.op), self.c.get(inst.rs2));
        update_pointer(self.c, inst);
        Ok(end)
    }
    fn float_load<const CHECK: bool>(&mut self, inst: &Inst, start: u64) -> Step<u64> {
        let (place, end) = self.reach::<CHECK>(inst, start)?;
        self.c.f[usize::from(inst.rd & 31)] = self.s.memory.get(place, 4);
        Ok(end)
    }

    fn rounding(&self, inst: &Inst) -> Step<Rounding> {
        let bits = if inst.rm == 7 { self.c.frm } else { inst.rm };
        Rounding::from_bits(bits)
            .ok_or_else(|| trouble(format!("uses the rounding mode {bits}, which does not exist")))
    }
    /// Float arithmetic on a unit that cores share.
    #[inline(always)]
    fn float(&mut self, inst: &Inst, start: u64) -> Step<u64> {
        let rm = self.rounding(inst)?;
        let units = self.s.float_free.len();
        let mut granted = start;
        if let Some(free) = self.s.float_free.get_mut(self.spec.index % units) {
            granted = start.max(*free);
            *free = granted + self.spec.period;
        }
        self.compute_float(inst, rm);
        Ok(granted + u64::from(inst.cycles) * self.spec.period)
    }
    fn compute_float(&mut self, inst: &Inst, rm: Rounding) {
        let f = |r: u8| self.c.f[usize::from(r & 31)];
        let from_integer = matches!(inst.op, Op::FcvtSw | Op::FcvtSwu);
        let a = if from_integer { self.c.get(inst.rs1) } else { f(inst.rs1) };
        let (value, flags) = float::arithmetic(inst.op, a, f(inst.rs2), f(inst.rs3), rm, self.c.fflags);
        self.c.fflags |= flags;
        if matches!(inst.op, Op::Feq | Op::Flt | Op::Fle | Op::Fclass | Op::FcvtWs | Op::FcvtWus) {
            self.c.set(inst.rd, value);
        } else {
            self.c.f[usize::from(inst.rd & 31)] = value;
        }
    }
    /// Division and square root: one unit for all cores, busy until it is done.
    fn divide_float(&mut self, inst: &Inst, start: u64) -> Step<u64> {
        let rm = self.rounding(inst)?;
        let end = start.max(self.s.divider_free) + self.s.float_division * self.spec.period;
        self.s.divider_free = end;
        self.compute_float(inst, rm);
        Ok(end)
    }

    /// Everything that inner loops rarely do.
    #[inline(never)]
    fn rare<const CHECK: bool>(&mut self, inst: &Inst, start: u64, end: u64) -> Step<u64> {
        match inst.class {
            Class::Div => {
                let (a, b) = (self.c.get(inst.rs1), self.c.get(inst.rs2));
                self.c.set(inst.rd, scalar::divide(inst.op, a, b));
                Ok(start + division_cycles(inst.op, b) * self.spec.period)
            }
            Class::Loop => {
                self.set_loop(inst);
                Ok(end)
            }
            Class::FloatDiv => self.divide_float(inst, start),
            Class::FloatMove => {
                if inst.op == Op::FmvXw {
                    self.c.set(inst.rd, self.c.f[usize::from(inst.rs1 & 31)]);
                } else {
                    self.c.f[usize::from(inst.rd & 31)] = self.c.get(inst.rs1);
                }
                Ok(end)
            }
            Class::FloatStore => {
                let (place, end) = self.reach::<CHECK>(inst, start)?;
                self.s.memory.set(place, 4, self.c.f[usize::from(inst.rs2 & 31)]);
                Ok(end)
            }
            Class::Csr => {
                super::csr::access(self.c, self.spec, inst, start).map_err(trouble)?;
                Ok(end)
            }
            Class::System if inst.op == Op::Fence => Ok(end),
            Class::System if inst.op == Op::Wfi => Err(Pause::Machine),
            Class::System => {
                Err(trouble(format!("executes {}, which nothing here handles", system_name(inst.op))))
            }
            Class::Unknown => Err(Pause::Decode),
            _ => Err(trouble("executes an instruction it does not have")),
        }
    }

    fn set_loop(&mut self, inst: &Inst) {
        let (pc, upper) = (self.c.pc, inst.imm as u32 & 0xfff);
        let count = self.c.get(inst.rs1);
        let l = &mut self.c.loops[usize::from(inst.rd & 1)];
        match inst.op {
            Op::LoopStart => l.start = pc.wrapping_add(2 * upper),
            Op::LoopEnd => l.end = pc.wrapping_add(2 * upper),
            Op::LoopCount => l.count = count,
            Op::LoopCountImm => l.count = upper,
            Op::LoopSetup => {
                *l = super::rv32::state::HardwareLoop {
                    start: pc.wrapping_add(4),
                    end: pc.wrapping_add(2 * upper),
                    count,
                };
            }
            _ => {
                *l = super::rv32::state::HardwareLoop {
                    start: pc.wrapping_add(4),
                    end: pc.wrapping_add(2 * u32::from(inst.rs1)),
                    count: upper,
                };
            }
        }
    }
}

/// Ends an instruction: time, stalls of the next one, hardware loops.
#[inline(always)]
pub fn retire(c: &mut CoreState, inst: &Inst, next: u32, end: u64) {
    c.late = 1 << inst.late;
    c.now = end;
    c.retired += 1;
    let pc = c.pc;
    c.pc = next;
    if pc == c.loops[0].end || pc == c.loops[1].end {
        loop_back(c, pc);
    }
}

/// Goes back to the start of a hardware loop whose last instruction was executed: the inner loop is asked first.
#[inline]
fn loop_back(c: &mut CoreState, pc: u32) {
    for l in &mut c.loops {
        if l.end == pc && l.count != 0 {
            l.count -= 1;
            if l.count != 0 {
                c.pc = l.start;
                return;
            }
        }
    }
}

fn system_name(op: Op) -> &'static str {
    match op {
        Op::Ecall => "ecall",
        Op::Ebreak => "ebreak",
        _ => "mret",
    }
}

/// Bytes of a memory access.
#[inline(always)]
pub fn width(op: Op) -> u32 {
    match op {
        Op::B | Op::Bu => 1,
        Op::H | Op::Hu => 2,
        _ => 4,
    }
}

/// Gives a load's register its value, then moves the pointer.
#[inline(always)]
pub fn finish_load(c: &mut CoreState, inst: &Inst, raw: u32) {
    let value = match inst.op {
        Op::B => raw as i8 as u32,
        Op::H => raw as i16 as u32,
        _ => raw,
    };
    match inst.mode {
        Mode::PostReg => {
            let moved = c.get(inst.rs1).wrapping_add(c.get(inst.rs3));
            c.set(inst.rd, value);
            c.set(inst.rs1, moved);
        }
        _ => {
            c.set(inst.rd, value);
            update_pointer(c, inst);
        }
    }
}

/// Moves the pointer of a post-increment access.
#[inline(always)]
pub fn update_pointer(c: &mut CoreState, inst: &Inst) {
    let by = match inst.mode {
        Mode::PostImm => inst.imm as u32,
        Mode::PostReg => c.get(inst.rs3),
        _ => return,
    };
    c.set(inst.rs1, c.get(inst.rs1).wrapping_add(by));
}

/// Cycles of a division by `d`.
fn division_cycles(op: Op, d: u32) -> u64 {
    let signed = matches!(op, Op::Div | Op::Rem);
    let cycles = match (signed, d) {
        (true, 0) => 1,
        (false, 0) => 34,
        (true, d) if (d as i32) < 0 => d.wrapping_neg().leading_zeros() + 2,
        (_, d) => d.leading_zeros() + 3,
    };
    u64::from(cycles)
}
