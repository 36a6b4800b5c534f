//! What a run is asked and what it tells.
//!
//! In: a machine that has stopped. Out: a [`Report`]. Never runs anything.

use super::machine::{End, Fault, Machine};
use super::names::{Label, Names};
use super::profile::{Profile, Spent};
use super::rv32::state::Activity;
use super::soc::{Side, Soc};
use super::timeline::{self, LayerTime, Timeline};
use super::trace;

/// What to do in a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stop after this many cycles.
    pub max_cycles: Option<u64>,
    /// Check what hardware lets pass: unowned memory, values that were never written, races.
    pub check: bool,
    /// Count where time goes.
    pub profile: bool,
    /// Keep what is needed for a trace.
    pub trace: bool,
    /// Names of memory ranges, for messages.
    pub labels: Vec<Label>,
    /// What the HyperFlash holds at the start.
    pub flash: Vec<u8>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_cycles: None,
            check: true,
            profile: false,
            trace: false,
            labels: Vec::new(),
            flash: Vec::new(),
        }
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

/// Time spent in a function, without what it calls, by the cluster or by the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionTime {
    /// Its name.
    pub name: String,
    /// Where it ran.
    pub controller: bool,
    /// Core cycles of all cores, in their own clock.
    pub cycles: u64,
    /// Of these asleep.
    pub asleep: u64,
    /// Most cycles that one core spent.
    pub longest: u64,
    /// Instructions of all cores.
    pub instructions: u64,
    /// Calls by all cores.
    pub calls: u64,
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
    /// The instructions that did most of them, with their numbers.
    pub unaligned_at: Vec<(String, u64)>,
    /// Where each core that was started is: for a program that did not end.
    pub positions: Vec<String>,
    /// Time per function, longest first; empty without a profile.
    pub functions: Vec<FunctionTime>,
    /// Time per layer, in order.
    pub layers: Vec<LayerTime>,
    /// What happened when.
    pub timeline: Timeline,
    /// The trace as JSON.
    pub trace: Option<String>,
}

/// The report of a machine that has stopped.
pub fn make(
    machine: &mut Machine<'_>,
    soc: &Soc,
    names: &Names<'_>,
    end: &End,
    more: &str,
    trace: bool,
) -> Report {
    let status = match end {
        End::Exit(status) => Status::Exit(*status),
        End::TimeOut => Status::TimeOut,
        End::Deadlock => Status::Deadlock,
        End::Fault(fault) => Status::Fault(explain(fault, soc, names, machine.layer()) + more),
    };
    let now = machine.now;
    let profile = machine.shared.profile.take().map(|mut p| {
        p.finish(&machine.cores, now);
        p
    });
    Report {
        status,
        stdout: machine.output.clone(),
        cycles: now / soc.period,
        instructions: machine.cores.iter().map(|c| c.retired).sum(),
        cores: soc.cores.iter().zip(&machine.cores).map(|(s, c)| (s.name.clone(), c.retired)).collect(),
        unaligned: machine.shared.unaligned.values().sum(),
        unaligned_at: unaligned(machine, names),
        positions: positions(machine, soc, names),
        functions: profile.as_ref().map_or_else(Vec::new, |p| functions(p, soc)),
        layers: profile.as_ref().map_or_else(Vec::new, |p| timeline::layers(p, soc)),
        timeline: profile.as_ref().map_or_else(Timeline::default, |p| timeline::timeline(p, soc)),
        trace: profile.as_ref().filter(|_| trace).map(|p| trace::json(p, soc)),
    }
}

/// Instructions with unaligned accesses that are listed.
const UNALIGNED: usize = 5;

fn unaligned(machine: &Machine<'_>, names: &Names<'_>) -> Vec<(String, u64)> {
    let mut all: Vec<(u32, u64)> = machine.shared.unaligned.iter().map(|(pc, n)| (*pc, *n)).collect();
    all.sort_by_key(|(pc, n)| (u64::MAX - n, *pc));
    let named =
        |pc: u32| names.code(pc).map_or_else(|| format!("{pc:#010x}"), |n| format!("{pc:#010x} in {n}"));
    all.into_iter().take(UNALIGNED).map(|(pc, n)| (named(pc), n)).collect()
}

fn positions(machine: &Machine<'_>, soc: &Soc, names: &Names<'_>) -> Vec<String> {
    let started = soc.cores.iter().zip(&machine.cores).filter(|(_, c)| c.activity != Activity::Off);
    started
        .map(|(spec, c)| {
            let state = match c.activity {
                Activity::Asleep { what, .. } => format!("sleeps ({what})"),
                Activity::Waiting => "sleeps (wfi)".into(),
                _ => "runs".into(),
            };
            let place = names.code(c.pc).map_or_else(String::new, |n| format!(" in {n}"));
            format!("{} {state} at {:#010x}{place}", spec.name, c.pc)
        })
        .collect()
}

/// `cycle 120: cluster core 3 reads ... in conv (conv.c:12); the address is tensor x + 4`.
fn explain(fault: &Fault, soc: &Soc, names: &Names<'_>, layer: Option<u32>) -> String {
    let core = soc.cores.get(fault.core).map_or("a core", |c| c.name.as_str());
    let place = names.code(fault.pc).map_or_else(String::new, |n| format!(" in {n}"));
    let mut text = format!(
        "cycle {}: {core} {}, at {:#010x}{place}",
        fault.now / soc.period,
        fault.trouble.message,
        fault.pc
    );
    if let Some(data) = fault.trouble.addr.and_then(|addr| names.data(addr, layer)) {
        text += &format!("; the address is {data}");
    }
    text
}

fn functions(profile: &Profile, soc: &Soc) -> Vec<FunctionTime> {
    let mut all = Vec::new();
    for f in &profile.functions {
        for side in [Side::Cluster, Side::Controller] {
            let mine = || soc.cores.iter().zip(&f.spent).filter(move |(c, _)| c.side == side);
            let sum = |of: fn(&Spent) -> u64| mine().map(|(c, s)| of(s) / c.period).sum::<u64>();
            let cycles = sum(|s| s.ticks);
            if cycles == 0 {
                continue;
            }
            all.push(FunctionTime {
                name: f.name.clone(),
                controller: side == Side::Controller,
                cycles,
                asleep: sum(|s| s.asleep),
                longest: mine().map(|(c, s)| s.ticks / c.period).max().unwrap_or(0),
                instructions: mine().map(|(_, s)| s.instructions).sum(),
                calls: f.calls,
            });
        }
    }
    all.sort_by(|a, b| (b.longest, &a.name).cmp(&(a.longest, &b.name)));
    all
}
