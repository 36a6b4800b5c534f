//! `tilewright simulate`: run a program on the simulator of a chip.

use super::args::SimulateArgs;
use super::style::{Stream, grouped, table};
use super::{PROGRAM_FAILED, STOPPED, print, profile};
use crate::diag::{Diagnostic, Result};
use crate::files;
use crate::runner::record::Measured;
use crate::sim::{self, FunctionTime, Options, Report, Status};

/// Runs the command.
///
/// # Errors
/// The file cannot be read or is no program for the chip.
pub fn simulate(args: &SimulateArgs) -> Result<u8> {
    let bytes = read(&args.program)?;
    let soc = sim::soc(&args.soc).ok_or_else(|| {
        Diagnostic::invalid(format!("there is no simulator of `{}`", args.soc))
            .help(format!("known chips: {}", sim::SOCS.join(", ")))
    })?;
    let options = Options {
        max_cycles: args.max_cycles,
        check: !args.no_checks,
        profile: args.profile,
        trace: args.trace.is_some(),
        flash: args.flash.as_deref().map(read).transpose()?.unwrap_or_default(),
        ..Options::default()
    };
    let start = std::time::Instant::now();
    let report = sim::simulate(&bytes, &soc, &options).map_err(|d| d.in_file(&args.program))?;
    let seconds = start.elapsed().as_secs_f64();
    write_output(&report)?;
    if args.profile {
        show_profile(&report);
    }
    if let (Some(path), Some(trace)) = (&args.trace, &report.trace) {
        files::write(path, trace)?;
    }
    summarise(&report, seconds);
    Ok(match &report.status {
        Status::Exit(0) => 0,
        Status::Exit(_) => PROGRAM_FAILED,
        Status::TimeOut | Status::Deadlock | Status::Fault(_) => STOPPED,
    })
}

fn read(path: &std::path::Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|e| Diagnostic::environment(format!("{}: cannot be read: {e}", path.display())).into())
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
            report.positions.iter().for_each(|p| eprintln!("  {p}"));
        }
        Status::Deadlock => {
            eprintln!("error: cycle {}: every core sleeps and nothing can wake one", grouped(report.cycles));
            report.positions.iter().for_each(|p| eprintln!("  {p}"));
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

/// Functions of a profile that are shown.
const SHOWN: usize = 40;

/// Time per function, longest first.
pub fn functions(stream: Stream, times: &[FunctionTime]) -> comfy_table::Table {
    let head = ["function", "cores", "calls", "longest", "cycles", "asleep", "instructions"];
    let mut rows = table(stream, &head, &[2, 3, 4, 5, 6]);
    for f in times.iter().take(SHOWN) {
        let cores = if f.controller { "controller" } else { "cluster" };
        let numbers = [f.calls, f.longest, f.cycles, f.asleep, f.instructions].map(grouped);
        rows.add_row([f.name.clone(), cores.into()].into_iter().chain(numbers));
    }
    rows
}

/// The profile goes to standard error too: standard output is the program's.
fn show_profile(report: &Report) {
    let rows = functions(Stream::Err, &report.functions);
    eprintln!(
        "Time per function, without what it calls; `longest` is that of the core that spent most:\n{rows}"
    );
    if !report.unaligned_at.is_empty() {
        eprintln!("Most unaligned accesses:");
        report.unaligned_at.iter().for_each(|(place, n)| eprintln!("  {} at {place}", grouped(*n)));
    }
    if report.layers.is_empty() {
        return;
    }
    let times: Vec<profile::Row> =
        report.layers.iter().map(|t| (t.number.to_string(), Measured::of(t))).collect();
    let rows = profile::layers(Stream::Err, &times);
    eprintln!("Time per layer; `asleep` and `instructions` are sums over the cluster's cores:\n{rows}");
    if let Some(rows) = profile::parts(Stream::Err, &times) {
        eprintln!("{}\n{rows}", profile::LEGEND);
    }
}
