//! The machine: cores, memories and devices together, advanced in the order of time.
//!
//! In: a [`Soc`], a loaded program. Out: how it ended. The core with the smallest time runs; everything that is
//! shared happens in the order of time, ties in the order of cores, so that a program always takes the same time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::code::{Code, slot};
use super::devices::{self, Access, Device, Effect, Effects, Reply, Transfer};
use super::execute::{self, Pause};
use super::icache::EMPTY;
use super::loader::Program;
use super::profile::Track;
use super::rv32::state::Activity;
use super::rv32::{Class, CoreState, Inst, Isa, Mode};
use super::shared::{Shared, Trouble};
use super::soc::{Side, Soc, UNREACHABLE, Window};
use super::transfers::Transfers;
use super::turns::{NEVER, Turns};

/// Bytes of the longest line that is printed whole.
const LINE: usize = 1023;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The program wrote its status to the exit register.
    Exit(u32),
    /// The last allowed tick was reached.
    TimeOut,
    /// All cores sleep and nothing can wake them.
    Deadlock,
    /// A core or a device did something impossible.
    Fault(Fault),
}

/// What went wrong where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When, in ticks.
    pub now: u64,
    /// The core.
    pub core: usize,
    /// Its instruction.
    pub pc: u32,
    /// What it does: a sentence without its subject.
    pub trouble: Box<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Device { device: usize, token: u32 },
    Transfer(usize),
}

/// The machine.
pub struct Machine<'a> {
    soc: &'a Soc,
    /// The cores, as in [`Soc::cores`].
    pub cores: Vec<CoreState>,
    turns: Turns,
    /// Memories, caches, checker.
    pub shared: Shared,
    /// Decoded instructions: of the cluster's cores, of the controller.
    code: [Code; 2],
    devices: Vec<Box<dyn Device>>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    /// Time of the first event, or [`NEVER`].
    next_event: u64,
    sequence: u64,
    /// Transfers under way.
    pub transfers: Transfers,
    effects: Effects,
    /// What was printed, in order of the ends of lines.
    pub output: Vec<u8>,
    /// Lines that have not ended, by stream.
    lines: BTreeMap<u32, Vec<u8>>,
    /// Interrupt lines of the controller that are pending and not masked.
    interrupts: u32,
    end: Option<End>,
    /// When the last event was, or when it ended.
    pub now: u64,
}

/// Extensions of the cores on a side.
fn isa(soc: &Soc, side: Side) -> Isa {
    let core = soc.cores.iter().find(|c| c.side == side);
    core.map_or(Isa { float: false, xpulp: false }, |c| c.isa)
}

impl<'a> Machine<'a> {
    /// A machine with a program in its memories, about to execute its first instruction.
    pub fn new(soc: &'a Soc, program: &Program, shared: Shared) -> Self {
        let mut machine = Machine {
            soc,
            cores: vec![CoreState::new(); soc.cores.len()],
            turns: Turns::new(),
            shared,
            code: [Side::Cluster, Side::Controller].map(|side| Code::new(isa(soc, side))),
            devices: devices::build(soc),
            events: BinaryHeap::new(),
            next_event: NEVER,
            sequence: 0,
            transfers: Transfers::default(),
            effects: Vec::new(),
            output: Vec::new(),
            lines: BTreeMap::new(),
            interrupts: 0,
            end: None,
            now: 0,
        };
        let layer = program.symbols.iter().find(|s| s.name == "tw_layer" && !s.function);
        if let Some(layer) = layer {
            machine.shared.layer_addr = Some(layer.addr);
            if machine.shared.profile.is_some() {
                machine.shared.memory.watch(layer.addr);
            }
        }
        for segment in &program.segments {
            if let Some(place) = machine.shared.memory.slice_mut(segment.addr, segment.bytes.len() as u32) {
                place.copy_from_slice(&segment.bytes);
            }
        }
        machine.start(soc.boot_core, program.entry, 0);
        machine
    }

    /// Runs until the program ends, or to the last tick.
    pub fn run(&mut self, last: u64, check: bool) -> End {
        let end = self.run_until(last, check);
        // As on the platform, a program that exits loses lines it did not end.
        if !matches!(end, End::Exit(_)) {
            self.output.extend(std::mem::take(&mut self.lines).into_values().flatten());
        }
        end
    }
    fn run_until(&mut self, last: u64, check: bool) -> End {
        loop {
            if let Some(end) = self.end.take() {
                return end;
            }
            let at = self.turns.first().at;
            let next = self.next_event.min(at);
            if next > last {
                if next == NEVER {
                    self.now = self.cores.iter().map(|c| c.now).max().unwrap_or(0).max(self.now);
                    return End::Deadlock;
                }
                self.now = last;
                return End::TimeOut;
            }
            if self.next_event <= at {
                self.handle_event();
            } else {
                self.advance(last.min(self.next_event - 1), check);
            }
        }
    }

    /// Lets cores run up to a tick, or until one needs something.
    fn advance(&mut self, until: u64, check: bool) {
        let (shared, cores, turns) = (&mut self.shared, &mut self.cores, &mut self.turns);
        let specs = &self.soc.cores;
        let (core, pause) = if check {
            execute::run::<true>(&self.code, shared, cores, specs, turns, until)
        } else {
            execute::run::<false>(&self.code, shared, cores, specs, turns, until)
        };
        if std::mem::take(&mut self.shared.attention) {
            if let Some(at) = self.shared.layer_written.take() {
                self.change_layer(at);
            }
            self.forget_code();
        }
        match pause {
            Pause::Turn(_) => {}
            Pause::Decode => self.decode(core),
            Pause::Machine => self.slow(core),
            Pause::Fault(trouble) => self.fault(core, trouble),
        }
    }

    /// Decodes the instruction that a core has come to.
    fn decode(&mut self, core: usize) {
        let (state, side) = (&self.cores[core], self.soc.cores[core].side);
        let pc = state.pc;
        if pc & 1 != 0 {
            return self.fault(core, Trouble::new(None, "jumps to an odd address"));
        }
        if self.code[side as usize].decode(pc, &mut self.shared.memory).is_none() {
            return self.fault(core, Trouble::new(None, "executes where no memory is"));
        }
        if let (Some(checker), Some(place)) = (&self.shared.checker, self.shared.memory.place(pc, 2)) {
            if let Err(message) = checker.execute(place) {
                self.fault(core, Trouble::new(None, message));
            }
        }
    }
    /// Forgets what was decoded from pages that were written.
    #[cold]
    fn forget_code(&mut self) {
        while let Some(addr) = self.shared.written_code.pop() {
            self.code.iter_mut().for_each(|c| c.forget(addr));
            self.shared.memory.unmark_code(addr);
        }
    }

    fn fault(&mut self, core: usize, trouble: Box<Trouble>) {
        let (now, pc) = self.cores.get(core).map_or((0, 0), |c| (c.now, c.pc));
        self.now = now;
        self.end.get_or_insert(End::Fault(Fault { now, core, pc, trouble }));
    }

    /// An instruction that concerns a device, or stops the core.
    fn slow(&mut self, core: usize) {
        let pc = self.cores[core].pc;
        let inst = self.code[self.soc.cores[core].side as usize].slots(pc)[slot(pc)];
        let next = pc.wrapping_add(u32::from(inst.len));
        match inst.class {
            Class::Load | Class::Store | Class::FloatLoad | Class::FloatStore => {
                self.device_access(core, &inst, next);
            }
            _ => {
                let end = self.cores[core].now + self.soc.cores[core].period;
                execute::retire(&mut self.cores[core], &inst, next, end);
                // An interrupt that is pending already lets the core go on.
                if self.soc.cores[core].side == Side::Cluster || self.interrupts == 0 {
                    self.sleep(core, Activity::Waiting);
                }
            }
        }
    }

    fn sleep(&mut self, core: usize, activity: Activity) {
        let state = &mut self.cores[core];
        state.activity = activity;
        state.asleep_since = state.now;
        self.turns.set(core, NEVER);
    }

    fn device_access(&mut self, core: usize, inst: &Inst, next: u32) {
        let spec = &self.soc.cores[core];
        let state = &self.cores[core];
        let base = state.get(inst.rs1);
        let is_store = matches!(inst.class, Class::Store | Class::FloatStore);
        let addr = match inst.mode {
            Mode::Imm => base.wrapping_add(inst.imm as u32),
            Mode::Reg => base.wrapping_add(state.get(if is_store { inst.rs3 } else { inst.rs2 })),
            _ => base,
        };
        let size = execute::width(inst.op);
        let verb = if is_store { "writes" } else { "reads" };
        let reached =
            |w: &&Window| addr.wrapping_sub(w.base) < w.size && w.costs[spec.side as usize] != UNREACHABLE;
        let Some(window) = self.soc.windows.iter().find(reached) else {
            let message = format!("{verb} {size} bytes at {addr:#010x}, where nothing is mapped");
            return self.fault(core, Trouble::new(Some(addr), message));
        };
        if addr & (size - 1) != 0 {
            let message = format!("{verb} {size} bytes of a device at {addr:#010x}, which is not aligned");
            return self.fault(core, Trouble::new(Some(addr), message));
        }
        let stall = if inst.reads & state.late != 0 { spec.period } else { 0 };
        let start = state.now + stall;
        let end = start + u64::from(window.costs[spec.side as usize]) * spec.period;
        let access = Access { offset: (addr - window.base) | window.offset, size, core, now: start };
        let value = if inst.class == Class::FloatStore {
            state.f[usize::from(inst.rs2 & 31)]
        } else {
            state.get(inst.rs2)
        };
        if is_store && state.undefined_mask(inst.data()) != 0 {
            let message =
                format!("writes a device at {addr:#010x} with a value that was never written to memory");
            return self.fault(core, Trouble::new(Some(state.undefined_origin.0), message));
        }
        let device = window.device;
        let Some(model) = self.devices.get_mut(device) else { return };
        let mut effects = std::mem::take(&mut self.effects);
        let reply = if is_store {
            model.write(&access, value, &mut effects)
        } else {
            model.read(&access, &mut effects)
        };
        self.conclude(core, inst, next, end, reply);
        self.apply(device, start, &mut effects);
        self.effects = effects;
    }

    /// Ends an instruction with what the device answered.
    fn conclude(&mut self, core: usize, inst: &Inst, next: u32, end: u64, reply: Reply) {
        let (value, end) = match reply {
            Reply::Fault(message) => return self.fault(core, Trouble::new(None, message)),
            Reply::Value(value) => (value, end),
            Reply::Until(value, at) => {
                // A store stands still where the queue of a DMA is full.
                if let Some(profile) = self.shared.profile.as_mut().filter(|_| inst.class == Class::Store) {
                    profile.overlap.waited(core, end, at);
                }
                (value, end.max(at))
            }
            Reply::Sleep(_) => (0, end),
        };
        let state = &mut self.cores[core];
        match inst.class {
            Class::Load => execute::finish_load(state, inst, value),
            Class::FloatLoad => state.f[usize::from(inst.rd & 31)] = value,
            _ => execute::update_pointer(state, inst),
        }
        execute::retire(state, inst, next, end);
        let now = state.now;
        self.turns.set(core, now);
        if let Reply::Sleep(what) = reply {
            self.sleep(core, Activity::Asleep { rd: inst.rd, what });
        }
    }

    fn handle_event(&mut self) {
        let Some(Reverse((at, _, event))) = self.events.pop() else { return };
        self.next_event = self.events.peek().map_or(NEVER, |Reverse((at, _, _))| *at);
        self.now = self.now.max(at);
        match event {
            Event::Device { device, token } => {
                let mut effects = std::mem::take(&mut self.effects);
                if let Some(model) = self.devices.get_mut(device) {
                    model.event(token, at, &mut effects);
                }
                self.apply(device, at, &mut effects);
                self.effects = effects;
            }
            Event::Transfer(id) => {
                self.transfers.finish(id, &mut self.shared);
                self.forget_code();
            }
        }
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.sequence += 1;
        let at = at.min(NEVER - 1);
        self.events.push(Reverse((at, self.sequence, event)));
        self.next_event = self.next_event.min(at);
    }

    /// Carries out what a device wants done.
    fn apply(&mut self, device: usize, now: u64, effects: &mut Effects) {
        let mut i = 0;
        // Devices that hear of an event may add effects.
        while i < effects.len() {
            let effect = effects[i].clone();
            i += 1;
            match effect {
                Effect::Wake { core, value, at } => self.wake(core, value, at),
                Effect::Schedule { at, token } => self.schedule(at, Event::Device { device, token }),
                Effect::Raise { events, cores } => {
                    for model in &mut self.devices {
                        model.raise(events, cores, now, effects);
                    }
                }
                Effect::Interrupt(lines) => {
                    self.interrupts = lines;
                    if lines != 0 {
                        self.interrupt(now);
                    }
                }
                Effect::Start { core, pc } => self.start(core, pc, now),
                Effect::Stop(core) => {
                    if let Some(state) = self.cores.get_mut(core) {
                        state.activity = Activity::Off;
                        self.turns.set(core, NEVER);
                    }
                }
                Effect::Move(transfer) => self.begin(transfer),
                Effect::EnableCaches(on) => {
                    self.shared.icache.enabled = on;
                    self.forget_lines();
                }
                Effect::FlushCaches => {
                    self.shared.icache.flush();
                    self.forget_lines();
                }
                Effect::Print { stream, byte } => self.print(stream, byte),
                Effect::Exit(status) => {
                    self.now = now;
                    self.end = Some(End::Exit(status));
                }
                Effect::Synchronise(mask) => self.synchronise(mask),
                Effect::Follow { core, after } => {
                    if let Some(checker) = &mut self.shared.checker {
                        checker.follow(core, after);
                    }
                }
                Effect::Ended { core, counter } => {
                    if let Some(profile) = &mut self.shared.profile {
                        profile.overlap.ended(core, counter);
                    }
                }
                Effect::Polled { core, busy } => {
                    if let Some(profile) = &mut self.shared.profile {
                        profile.overlap.polled(core, busy, now);
                    }
                }
                Effect::Asked => self.transfers.acknowledge(&mut self.shared),
            }
        }
        effects.clear();
    }

    /// Nobody knows any more what its instruction cache holds.
    fn forget_lines(&mut self) {
        self.cores.iter_mut().for_each(|c| c.present.fill(EMPTY));
    }

    /// Each stream is printed by lines.
    fn print(&mut self, stream: u32, byte: u8) {
        let line = self.lines.entry(stream).or_default();
        line.push(byte);
        if byte == b'\n' || line.len() == LINE {
            self.output.append(line);
        }
    }

    /// The first tick of a core's clock at or after `at`.
    fn align(&self, core: usize, at: u64) -> u64 {
        let period = self.soc.cores.get(core).map_or(1, |c| c.period);
        at.div_ceil(period) * period
    }
    fn wake(&mut self, core: usize, value: u32, at: u64) {
        let at = self.align(core, at);
        let Some(state) = self.cores.get_mut(core) else { return };
        let Activity::Asleep { rd, what } = state.activity else { return };
        state.set(rd, value);
        state.activity = Activity::Running;
        state.now = state.now.max(at);
        state.slept += state.now - state.asleep_since;
        let now = state.now;
        self.turns.set(core, now);
        let state = &mut self.cores[core];
        if let Some(profile) = &mut self.shared.profile {
            profile.slice(Track::Core(core), what.into(), state.asleep_since, state.now);
            if what == devices::EVENT || what == devices::COUNTER {
                profile.overlap.waited(core, state.asleep_since, state.now);
            }
        }
    }
    /// Ends the controller's `wfi`.
    fn interrupt(&mut self, now: u64) {
        for core in 0..self.cores.len() {
            let at = self.align(core, now);
            let state = &mut self.cores[core];
            if state.activity == Activity::Waiting && self.soc.cores[core].side == Side::Controller {
                state.activity = Activity::Running;
                state.now = state.now.max(at);
                state.slept += state.now - state.asleep_since;
                let now = state.now;
                self.turns.set(core, now);
            }
        }
    }
    fn start(&mut self, core: usize, pc: u32, now: u64) {
        let at = self.align(core, now);
        let Some(state) = self.cores.get_mut(core) else { return };
        if state.activity != Activity::Off {
            return;
        }
        state.pc = pc;
        state.activity = Activity::Running;
        state.now = state.now.max(at);
        let now = state.now;
        self.turns.set(core, now);
        let state = &mut self.cores[core];
        if let Some(profile) = &mut self.shared.profile {
            profile.start(core, state.now);
            state.function = profile.enter(core, state, state.now, pc);
        }
    }

    fn synchronise(&mut self, mask: u32) {
        // Who sleeps for something else does not read meanwhile.
        let awake = |(_, c): &(usize, &CoreState)| c.activity == Activity::Running;
        let cluster = |(i, _): &(usize, &CoreState)| self.soc.cores[*i].side == Side::Cluster;
        let running = self.cores.iter().enumerate().filter(awake).filter(cluster);
        let running = running.fold(0, |all, (i, _)| all | 1 << i);
        if let Some(checker) = &mut self.shared.checker {
            checker.synchronise(mask, running);
        }
    }

    /// The variable that tells which layer runs was written.
    fn change_layer(&mut self, now: u64) {
        let value = self.layer();
        if let (Some(profile), Some(number)) = (&mut self.shared.profile, value) {
            profile.begin_layer(number, &self.cores, now);
        }
    }
    /// The layer that runs.
    pub fn layer(&self) -> Option<u32> {
        let place = self.shared.memory.place(self.shared.layer_addr?, 4)?;
        Some(self.shared.memory.get(place, 4))
    }

    fn begin(&mut self, transfer: Transfer) {
        let (core, until) = (transfer.core, transfer.until);
        if let Some(profile) = &mut self.shared.profile {
            profile.started(&transfer);
        }
        match self.transfers.begin(transfer, &mut self.shared) {
            Ok(id) => self.schedule(until, Event::Transfer(id)),
            Err(trouble) => self.fault(core, trouble),
        }
    }
}
