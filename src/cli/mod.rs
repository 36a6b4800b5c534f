//! The command line: parse, dispatch, print, exit code.
//!
//! In: the process arguments. Out: an exit code; results on standard output, diagnostics on standard error.
//! Never computes anything itself: every command is a few calls into the library.

use std::process::ExitCode;

use clap::Parser;

use crate::diag::{Diagnostic, Diagnostics, Result, Severity};

pub mod args;
mod compile;
mod doctor;
mod inspect;
mod new;
mod options;
mod plan_memory;
mod profile;
mod report;
mod run;
mod simulate;
pub mod style;
mod targets;
mod test;

use args::{Cli, Command};
use style::{Stream, Tone, paint};

/// Exit code of a comparison that failed.
const DIFFERENT: u8 = 1;
/// Exit code of `simulate` when the program reported a failure.
const PROGRAM_FAILED: u8 = 1;
/// Exit code of `simulate` when the simulator stopped the program.
const STOPPED: u8 = 7;
/// Exit code of a wrong command line (clap's own).
const USAGE: u8 = 2;

/// Runs the command line and gives the process's exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // `--help` and `--version` arrive here too; clap knows which stream and code they take.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(USAGE));
        }
    };
    match dispatch(&cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(diagnostics) => {
            show(&diagnostics);
            ExitCode::from(diagnostics.exit_code())
        }
    }
}

fn dispatch(command: &Command) -> Result<u8> {
    match command {
        Command::Compile(args) => compile::compile(args),
        Command::Run(args) => run::run(args),
        Command::Test(args) => test::test(args),
        Command::Inspect(args) => inspect::inspect(args),
        Command::Targets(args) => targets::targets(args),
        Command::Doctor => doctor::doctor(),
        Command::New(args) => new::new(args),
        Command::PlanMemory(args) => plan_memory::plan_memory(args),
        Command::Simulate(args) => simulate::simulate(args),
        Command::Report(args) => report::report(args),
    }
}

/// Prints diagnostics on standard error.
pub fn show(diagnostics: &Diagnostics) {
    for d in &diagnostics.0 {
        let text = d.to_string();
        let (head, rest) = text.split_at(text.find(':').unwrap_or(0));
        let tone = match d.severity {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Caution,
            Severity::Note => Tone::Quiet,
        };
        eprintln!("{}{rest}", paint(Stream::Err, tone, head));
    }
}

/// Prints a result on standard output, followed by a line end. A reader that went away is no error.
///
/// # Errors
/// Standard output cannot be written (a full disk, say).
pub fn print(text: impl std::fmt::Display) -> Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Diagnostic::environment(format!("cannot write to standard output: {e}")).into())
        }
        _ => Ok(()),
    }
}
