//! What a run is asked and what it tells.
//!
//! In: a machine that has stopped. Out: a [`Report`]. Never runs anything.

use super::loader::Program;
use super::machine::{End, Fault, Machine};
use super::soc::Soc;

/// What to do in a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stop after this many cycles.
    pub max_cycles: Option<u64>,
    /// Check what hardware lets pass: unowned memory, values that were never written, races.
    pub check: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_cycles: None, check: true }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The program ended with this status.
    Exit(u32),
    /// It did not end within the allowed cycles.
    TimeOut,
    /// Every core sleeps.
    Deadlock,
    /// It did something impossible; what, when, where.
    Fault(String),
}

/// What a run tells.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it ended.
    pub status: Status,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// Cycles of the chip's reported clock (the cluster's).
    pub cycles: u64,
    /// Instructions of all cores.
    pub instructions: u64,
    /// Instructions of each core, by its name.
    pub cores: Vec<(String, u64)>,
    /// Unaligned accesses.
    pub unaligned: u64,
}

/// The report of a machine that has stopped.
pub fn make(machine: &Machine<'_>, soc: &Soc, program: &Program, end: End) -> Report {
    let status = match end {
        End::Exit(status) => Status::Exit(status),
        End::TimeOut => Status::TimeOut,
        End::Deadlock => Status::Deadlock,
        End::Fault(fault) => Status::Fault(explain(&fault, soc, program)),
    };
    Report {
        status,
        stdout: machine.output.clone(),
        cycles: machine.now / soc.period,
        instructions: machine.cores.iter().map(|c| c.retired).sum(),
        cores: soc.cores.iter().zip(&machine.cores).map(|(s, c)| (s.name.clone(), c.retired)).collect(),
        unaligned: machine.shared.unaligned,
    }
}

/// `cycle 120: cluster core 3 reads ...`, with the function.
fn explain(fault: &Fault, soc: &Soc, program: &Program) -> String {
    let core = soc.cores.get(fault.core).map_or("a core", |c| c.name.as_str());
    let mut text = format!(
        "cycle {}: {core} {} (pc {:#010x}{})",
        fault.now / soc.period,
        fault.message,
        fault.pc,
        name(program, fault.pc, " in ")
    );
    if let Some(addr) = fault.addr {
        text += &name(program, addr, "; the address is ");
    }
    text
}

/// The symbol an address belongs to, as `symbol + offset`.
fn name(program: &Program, addr: u32, prefix: &str) -> String {
    let behind = program.symbols.partition_point(|s| s.addr <= addr);
    let found = program.symbols[..behind].iter().rev().find(|s| {
        let offset = addr - s.addr;
        offset < s.size || (s.size == 0 && offset < 0x1000)
    });
    match found {
        None => String::new(),
        Some(s) if s.addr == addr => format!("{prefix}{}", s.name),
        Some(s) => format!("{prefix}{} + {}", s.name, addr - s.addr),
    }
}
