//! Where time goes: per function, per layer, and as a list of slices for a trace.
//!
//! In: calls and returns of every core, layers, waits and transfers as they happen. Out: totals and slices. Never
//! changes how long anything takes. A function's time is its own, without what it calls.

use super::devices::Transfer;
use super::loader::Program;
use super::overlap::Overlap;
use super::rv32::CoreState;
use super::rv32::state::Activity;

/// What one core spent in something, in ticks and instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Ticks, with those asleep.
    pub ticks: u64,
    /// Ticks asleep.
    pub asleep: u64,
    /// Instructions.
    pub instructions: u64,
}

impl Spent {
    fn add(&mut self, other: Spent) {
        self.ticks += other.ticks;
        self.asleep += other.asleep;
        self.instructions += other.instructions;
    }
    fn since(self, earlier: Spent) -> Spent {
        Spent {
            ticks: self.ticks.saturating_sub(earlier.ticks),
            asleep: self.asleep.saturating_sub(earlier.asleep),
            instructions: self.instructions.saturating_sub(earlier.instructions),
        }
    }
    /// What a core has spent up to `now`.
    fn of(c: &CoreState, now: u64) -> Spent {
        let asleep = match c.activity {
            Activity::Asleep { .. } | Activity::Waiting => now.saturating_sub(c.asleep_since),
            _ => 0,
        };
        Spent { ticks: now, asleep: c.slept + asleep, instructions: c.retired }
    }
}

/// A range of code.
#[derive(Clone, Debug)]
pub struct Function {
    /// Name.
    pub name: String,
    /// First address.
    pub start: u32,
    /// Bytes.
    pub size: u32,
    /// What each core spent in it.
    pub spent: Vec<Spent>,
    /// How often it was entered, by all cores, returns to it not counted.
    pub calls: u64,
}

/// One layer of the network.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its number, as in `tw_layer`.
    pub number: u32,
    /// First tick.
    pub from: u64,
    /// Last tick.
    pub until: u64,
    /// What each core spent in it.
    pub spent: Vec<Spent>,
}

/// Which line of a trace something is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// The network's layers.
    Layers,
    /// A core.
    Core(usize),
    /// The transfers of a device into and out of the nearest memory, or another number.
    Transfers(usize),
}

/// Something that took time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Where it is shown.
    pub track: Track,
    /// What it is.
    pub name: String,
    /// First tick.
    pub from: u64,
    /// Last tick.
    pub until: u64,
}

/// Slices beyond this number are dropped.
const MOST_SLICES: usize = 2_000_000;

#[derive(Clone, Debug, Default)]
struct Current {
    function: usize,
    entered: Spent,
    /// The kernel that runs, and since when.
    kernel: Option<(usize, u64)>,
}

/// Collects.
pub struct Profile {
    /// By address, without gaps; the last stands for everything that has no name.
    pub functions: Vec<Function>,
    /// In the order they ran.
    pub layers: Vec<Layer>,
    /// For a trace, if one is wanted.
    pub slices: Vec<Slice>,
    /// How many slices were dropped.
    pub dropped: u64,
    /// Kernels, transfers and waits.
    pub overlap: Overlap,
    trace: bool,
    run: Option<usize>,
    cores: Vec<Current>,
    layer_start: Vec<Spent>,
    layer: Option<(u32, u64)>,
}

impl Profile {
    /// Nothing spent yet.
    pub fn new(program: &Program, cores: usize, trace: bool) -> Self {
        let mut functions = functions(program, cores);
        let is_run = |f: &Function| f.name.ends_with("_run") && !f.name.starts_with("tw_");
        let run = functions.iter().position(is_run);
        functions.push(Function {
            name: "(no symbol)".into(),
            start: 0,
            size: 0,
            spent: vec![Spent::default(); cores],
            calls: 0,
        });
        let last = functions.len() - 1;
        let current = Current { function: last, ..Current::default() };
        let overlap = Overlap::new(&functions, cores);
        Profile {
            functions,
            layers: Vec::new(),
            slices: Vec::new(),
            dropped: 0,
            overlap,
            trace,
            run,
            cores: vec![current; cores],
            layer_start: vec![Spent::default(); cores],
            layer: None,
        }
    }

    fn find(&self, pc: u32) -> usize {
        let named = self.functions.len() - 1;
        let behind = self.functions[..named].partition_point(|f| f.start <= pc);
        let fits = |i: &usize| pc - self.functions[*i].start < self.functions[*i].size;
        behind.checked_sub(1).filter(fits).unwrap_or(named)
    }
    /// A core goes on at `pc`, in another function; the range in which it need not be asked again.
    pub fn enter(&mut self, core: usize, c: &CoreState, now: u64, pc: u32) -> (u32, u32) {
        let function = self.find(pc);
        let Some(current) = self.cores.get_mut(core) else { return (0, u32::MAX) };
        let here = Spent::of(c, now);
        let left = std::mem::replace(&mut current.function, function);
        let spent = here.since(std::mem::replace(&mut current.entered, here));
        if let Some(total) = self.functions.get_mut(left).and_then(|f| f.spent.get_mut(core)) {
            total.add(spent);
        }
        let entered = &mut self.functions[function];
        let begin = pc == entered.start;
        entered.calls += u64::from(begin);
        let range = if entered.size == 0 { (pc, 2) } else { (entered.start, entered.size) };
        self.overlap.enter(core, left, function, begin, now);
        self.follow_kernel(core, left, function, now);
        range
    }
    /// Kernels are what the network's run function calls.
    fn follow_kernel(&mut self, core: usize, left: usize, function: usize, now: u64) {
        if !self.trace || self.run.is_none() {
            return;
        }
        let Some(current) = self.cores.get_mut(core) else { return };
        if self.run == Some(left) && current.kernel.is_none() {
            current.kernel = Some((function, now));
        } else if self.run == Some(function) {
            if let Some((kernel, from)) = current.kernel.take() {
                let name = self.functions[kernel].name.clone();
                self.slice(Track::Core(core), name, from, now);
            }
        }
    }
    /// Adds a slice to the trace.
    pub fn slice(&mut self, track: Track, name: String, from: u64, until: u64) {
        if !self.trace {
            return;
        }
        if self.slices.len() >= MOST_SLICES {
            self.dropped += 1;
            return;
        }
        self.slices.push(Slice { track, name, from, until });
    }
    /// A transfer starts.
    pub fn started(&mut self, transfer: &Transfer) {
        self.overlap.started(transfer);
        if self.trace {
            let bytes: u64 = transfer.rows.iter().map(|r| u64::from(r.2)).sum();
            let name = format!("{bytes} bytes for core {}", transfer.core);
            self.slice(Track::Transfers(transfer.kind), name, transfer.from, transfer.until);
        }
    }
    /// A layer begins.
    pub fn begin_layer(&mut self, number: u32, cores: &[CoreState], now: u64) {
        self.end_layer(cores, now);
        // The last number says that none runs.
        self.layer = (number != u32::MAX).then_some((number, now));
        self.overlap.layer(self.layer.map(|_| self.layers.len()));
    }
    fn end_layer(&mut self, cores: &[CoreState], now: u64) {
        let here: Vec<Spent> = cores.iter().map(|c| Spent::of(c, now)).collect();
        if let Some((number, from)) = self.layer.take() {
            let spent = here.iter().zip(&self.layer_start).map(|(h, s)| h.since(*s)).collect();
            self.layers.push(Layer { number, from, until: now, spent });
            self.slice(Track::Layers, format!("layer {number}"), from, now);
        }
        self.layer_start = here;
    }
    /// The program has ended.
    pub fn finish(&mut self, cores: &[CoreState], now: u64) {
        self.end_layer(cores, now);
        self.overlap.finish();
        for (i, c) in cores.iter().enumerate() {
            // What a core has not run it has not spent.
            if c.activity != Activity::Off {
                self.enter(i, c, now.max(c.now), c.pc);
            }
        }
    }
    /// A core begins to execute.
    pub fn start(&mut self, core: usize, now: u64) {
        if let Some(current) = self.cores.get_mut(core) {
            current.entered.ticks = now;
        }
    }
}

/// Named code: functions, and labels of assembly up to the next symbol.
fn functions(program: &Program, cores: usize) -> Vec<Function> {
    let executable =
        |addr: u32| program.sections.iter().any(|s| s.executable && addr.wrapping_sub(s.addr) < s.size);
    let symbols: Vec<_> = program.symbols.iter().filter(|s| executable(s.addr)).collect();
    let mut functions: Vec<Function> = Vec::new();
    for (i, symbol) in symbols.iter().enumerate() {
        let next = symbols[i + 1..].iter().find(|s| s.addr > symbol.addr).map_or(u32::MAX, |s| s.addr);
        let size = if symbol.size == 0 { (next - symbol.addr).min(1 << 16) } else { symbol.size };
        let covered = functions.last().is_some_and(|f| symbol.addr < f.start.saturating_add(f.size));
        if covered {
            // A second name of the same code, or a label inside a function.
            continue;
        }
        functions.push(Function {
            name: symbol.name.clone(),
            start: symbol.addr,
            size,
            spent: vec![Spent::default(); cores],
            calls: 0,
        });
    }
    functions
}
