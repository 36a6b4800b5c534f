//! `tilewright simulate`: run a program on the simulator of a chip.

use super::args::SimulateArgs;
use super::style::grouped;
use super::{PROGRAM_FAILED, STOPPED, print};
use crate::diag::{Diagnostic, Result};
use crate::sim::{self, Options, Report, Status};

/// Runs the command.
///
/// # Errors
/// The file cannot be read or is no program for the chip.
pub fn simulate(args: &SimulateArgs) -> Result<u8> {
    let name = args.program.display();
    let bytes = std::fs::read(&args.program)
        .map_err(|e| Diagnostic::environment(format!("{name}: cannot be read: {e}")))?;
    let soc = sim::soc(&args.soc).ok_or_else(|| {
        Diagnostic::invalid(format!("there is no simulator of `{}`", args.soc))
            .help(format!("known chips: {}", sim::SOCS.join(", ")))
    })?;
    let options = Options { max_cycles: args.max_cycles, check: !args.no_checks };
    let start = std::time::Instant::now();
    let report = sim::simulate(&bytes, &soc, &options).map_err(|d| d.in_file(&args.program))?;
    let seconds = start.elapsed().as_secs_f64();
    write_output(&report)?;
    summarise(&report, seconds);
    Ok(match &report.status {
        Status::Exit(0) => 0,
        Status::Exit(_) => PROGRAM_FAILED,
        Status::TimeOut | Status::Deadlock | Status::Fault(_) => STOPPED,
    })
}

/// What the program printed goes to standard output, as it is.
fn write_output(report: &Report) -> Result<()> {
    if report.stdout.is_empty() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&report.stdout);
    print(text.strip_suffix('\n').unwrap_or(&text))
}

/// How it ended goes to standard error.
fn summarise(report: &Report, seconds: f64) {
    match &report.status {
        Status::Exit(0) => {}
        Status::Exit(status) => eprintln!("error: the program ended with status {status}"),
        Status::TimeOut => {
            eprintln!("error: the program did not end within {} cycles", grouped(report.cycles));
            eprintln!("  help: --max-cycles allows more");
        }
        Status::Deadlock => {
            eprintln!("error: cycle {}: every core sleeps and nothing can wake one", grouped(report.cycles));
        }
        Status::Fault(message) => eprintln!("error: {message}"),
    }
    let speed = report.instructions as f64 / seconds.max(1e-9) / 1e6;
    eprintln!(
        "{} cycles, {} instructions in {seconds:.3} s ({speed:.1} million a second), {} unaligned accesses",
        grouped(report.cycles),
        grouped(report.instructions),
        grouped(report.unaligned)
    );
}
