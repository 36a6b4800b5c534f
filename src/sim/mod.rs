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
pub mod report;
pub mod rv32;
pub mod siracusa;
pub mod soc;
mod transfers;

pub use report::{Options, Report, Status};
pub use soc::Soc;

use crate::diag::Result;

/// The chips, by name.
pub fn soc(name: &str) -> Option<Soc> {
    match name {
        "siracusa" => Some(siracusa::soc()),
        _ => None,
    }
}

/// Names of all chips.
pub const SOCS: &[&str] = &["siracusa"];

/// Runs a program.
///
/// # Errors
/// The file is no program for the chip. What goes wrong while it runs is in the report instead.
pub fn simulate(elf: &[u8], soc: &Soc, options: &Options) -> Result<Report> {
    let program = loader::load(elf, soc)?;
    let shared = execute::Shared::new(soc, None);
    let mut machine = machine::Machine::new(soc, &program, shared);
    let last = options.max_cycles.map_or(u64::MAX - 1, |c| c.saturating_mul(soc.period).min(u64::MAX - 1));
    let end = machine.run(last, options.check);
    Ok(report::make(&machine, soc, &program, end))
}
