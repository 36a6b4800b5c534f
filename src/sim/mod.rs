//! A simulator of systems on chip that runs cross-compiled programs as they are.
//!
//! In: the bytes of an ELF file, a [`Soc`], [`Options`]. Out: a [`Report`]: how it ended, what it printed, how long
//! it took. Never reads or writes files, never knows networks, kernels or the compiler: it must be able to prove
//! them wrong.

mod checker;
mod code;
mod csr;
mod devices;
mod execute;
mod icache;
mod loader;
mod machine;
mod memory;
mod names;
mod overlap;
mod profile;
pub mod report;
pub mod rv32;
mod shared;
pub mod siracusa;
pub mod soc;
mod timeline;
mod trace;
mod transfers;
mod turns;
pub mod virt;

pub use names::Label;
pub use report::{FunctionTime, Options, Report, Status};
pub use soc::Soc;
pub use timeline::{LayerTime, PartTime, Stretch, Timeline};

use crate::diag::Result;

/// The chips, by name.
pub fn soc(name: &str) -> Option<Soc> {
    match name {
        "siracusa" => Some(siracusa::soc()),
        "virt" => Some(virt::soc()),
        _ => None,
    }
}

/// Names of all chips.
pub const SOCS: &[&str] = &["siracusa", "virt"];

/// Runs a program.
///
/// # Errors
/// The file is no program for the chip. What goes wrong while it runs is in the report instead.
pub fn simulate(elf: &[u8], soc: &Soc, options: &Options) -> Result<Report> {
    let program = loader::load(elf, soc)?;
    let names = names::Names::new(&program, elf, &options.labels);
    let mut machine = build(soc, &program, options, None);
    let end = machine.run(last_tick(soc, options), options.check);
    let more = other_side(soc, &program, options, &names, &end);
    Ok(report::make(&mut machine, soc, &names, &end, &more, options.trace))
}

/// The address of a symbol of a program; `None` if it has no such symbol or is no program for the chip.
pub fn address(elf: &[u8], soc: &Soc, symbol: &str) -> Option<u32> {
    let program = loader::load(elf, soc).ok()?;
    program.symbols.iter().find(|s| s.name == symbol).map(|s| s.addr)
}

fn last_tick(soc: &Soc, options: &Options) -> u64 {
    options.max_cycles.map_or(turns::NEVER - 1, |c| c.saturating_mul(soc.period).min(turns::NEVER - 1))
}

fn build<'a>(
    soc: &'a Soc,
    program: &loader::Program,
    options: &Options,
    watch: Option<usize>,
) -> machine::Machine<'a> {
    let mut shared = shared::Shared::new(soc);
    shared.outside[1] = shared::Outside::flash(&options.flash);
    if options.check {
        shared.checker = Some(Box::new(checker::Checker::new(soc, &shared.memory, program, watch)));
    }
    if watch.is_none() && (options.profile || options.trace) {
        shared.profile = Some(Box::new(profile::Profile::new(program, soc.cores.len(), options.trace)));
    }
    machine::Machine::new(soc, program, shared)
}

/// What the other core of a race did: the program runs once more, and the byte is watched.
fn other_side(
    soc: &Soc,
    program: &loader::Program,
    options: &Options,
    names: &names::Names<'_>,
    end: &machine::End,
) -> String {
    let machine::End::Fault(fault) = end else { return String::new() };
    let Some((place, Some(other))) = fault.trouble.race else { return String::new() };
    let mut machine = build(soc, program, options, Some(place));
    machine.run(last_tick(soc, options), true);
    let Some(Some(seen)) = machine.shared.checker.and_then(|c| c.seen.get(other).copied()) else {
        return String::new();
    };
    let name = soc.cores.get(other).map_or("the other core", |c| c.name.as_str());
    let verb = if seen.write { "wrote" } else { "read" };
    let place = names.code(seen.pc).map_or_else(String::new, |n| format!(" in {n}"));
    format!("; {name} {verb} it in cycle {}, at {:#010x}{place}", seen.now / soc.period, seen.pc)
}
