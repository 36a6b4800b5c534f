//! `tilewright plan-memory`: solve one allocation problem.

use std::time::{Duration, Instant};

use super::args::PlanMemoryArgs;
use super::print;
use super::style::{duration, grouped};
use crate::diag::{Diagnostic, Result};
use crate::files;
use crate::tiling::allocator::{Options, Outcome, Problem, csv, solve, validate};

/// Runs the command.
///
/// # Errors
/// The file is malformed, there is no solution, or none was found in time.
pub fn plan_memory(args: &PlanMemoryArgs) -> Result<u8> {
    let name = args.file.display();
    let bytes = std::fs::read(&args.file)
        .map_err(|e| Diagnostic::environment(format!("{name}: cannot be read: {e}")))?;
    let buffers = csv::parse_bytes(&bytes).map_err(|e| {
        Diagnostic::invalid(format!("{name}: {e}"))
            .help("the columns are id, lower, upper, size, and perhaps alignment and offset")
    })?;
    let problem = Problem { buffers, capacity: args.capacity };
    let options = Options { time_limit: Some(Duration::from_secs(args.seconds)), node_limit: u64::MAX };
    let start = Instant::now();
    let outcome = solve(&problem, &options);
    let time = start.elapsed();
    let bound = problem.lower_bound();
    let solution = match outcome {
        Outcome::Solved(solution) => solution,
        Outcome::Infeasible => {
            return Err(Diagnostic::infeasible(format!(
                "{name}: the buffers do not fit {} bytes (the largest live set has {}; proven in {})",
                grouped(args.capacity),
                grouped(bound),
                duration(time)
            ))
            .into());
        }
        Outcome::Unknown { best } => {
            let best = best.map_or_else(String::new, |s| {
                format!("; the best placement found needs {} bytes", grouped(s.height))
            });
            return Err(Diagnostic::infeasible(format!(
                "{name}: neither a placement in {} bytes nor a proof that there is none within {} s{best}",
                grouped(args.capacity),
                args.seconds
            ))
            .help("--seconds allows more time, --capacity more memory")
            .into());
        }
    };
    validate(&problem, &solution).map_err(|violations| {
        Diagnostic::internal(format!("{name}: the solution breaks a rule: {:?}", violations.first()))
    })?;
    let text = csv::write(&problem.buffers, Some(&solution));
    match &args.output {
        None => print(text.trim_end())?,
        Some(path) => files::write(path, text)?,
    }
    eprintln!(
        "{} buffers in {} of {} bytes (largest live set {}), solved and validated in {}",
        problem.buffers.len(),
        grouped(solution.height),
        grouped(args.capacity),
        grouped(bound),
        duration(time)
    );
    Ok(0)
}
