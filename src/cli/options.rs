//! From the command line's words to the library's options.

use std::path::Path;
use std::time::Duration;

use super::args::{BufferingArg, BuildArgs, Io, Level, ModelArgs};
use super::show;
use super::style::{Stream, duration, table};
use crate::diag::Result;
use crate::driver::{CompileOptions, PlanSource, Stage, TilingOptions};
use crate::frontend;
use crate::ir::Value;
use crate::passes;
use crate::runner::{ChipOptions, RunOptions};
use crate::tiling::Interface;
use crate::tiling::fusion::Fusion;
use crate::tiling::tiles::Buffering;

/// What the compiler needs.
pub fn compile(args: &ModelArgs) -> CompileOptions {
    CompileOptions {
        target: args.target.clone(),
        name: args.name.clone(),
        input_types: args.input_type.iter().map(|t| (t.name.clone(), t.dtype)).collect(),
        shapes: args.shape.iter().map(|s| (s.name.clone(), s.dims.clone())).collect(),
        kernels: args.kernels.clone(),
        interface: match args.io {
            Io::Arena => Interface::Arena,
            Io::Caller => Interface::Caller,
        },
        tiling: TilingOptions {
            untiled: args.untiled,
            scratchpad: args.l1,
            arena: args.l2,
            outside: args.l3,
            ram_budget: args.ram_budget,
            external: args.default_level.map(|level| level == Level::L3),
            seconds: args.plan_seconds,
            buffering: match args.buffering {
                BufferingArg::Auto => Buffering::Auto,
                BufferingArg::Single => Buffering::Single,
                BufferingArg::Double => Buffering::Double,
            },
            fusion: if args.no_fusion { Fusion::Off } else { Fusion::Auto },
        },
        plan: args.plan.clone().map_or(PlanSource::Made, PlanSource::Saved),
        passes: passes::Options {
            print_after: args.print_after.clone(),
            stop_after: args.stop_after.clone(),
            ..passes::Options::default()
        },
        default_integer: None,
        data: Vec::new(),
    }
}

/// What the runner needs.
pub fn run(model: &ModelArgs, build: &BuildArgs, twice: bool) -> RunOptions {
    RunOptions {
        compile: compile(model),
        cc: build.cc.clone(),
        sanitize: build.sanitize,
        timeout: Duration::from_secs(build.timeout),
        tolerance: build.tolerance,
        twice,
        chip: ChipOptions {
            cores: build.chip.cores,
            simulator: build.chip.simulator.clone(),
            max_cycles: build.chip.max_cycles,
            checks: !build.chip.no_checks,
            profile: false,
            measure: false,
            trace: None,
        },
    }
}

/// The arrays of an `inputs.npz` beside the model, if there is one: they tell the element types of inputs whose
/// integers are stored as floats.
///
/// # Errors
/// The file is there and cannot be read.
pub fn sibling_data(model: &Path) -> Result<Vec<(String, Value)>> {
    let path = model.parent().unwrap_or(Path::new("")).join("inputs.npz");
    if path.is_file() { frontend::data::read_npz(&path) } else { Ok(Vec::new()) }
}

/// What `--print-after`, `--time-passes` and `--verbose` ask for, on standard error.
pub fn trace(args: &ModelArgs, stages: &[Stage], reports: &[passes::Report]) {
    for report in reports {
        if let Some(text) = &report.text {
            eprintln!("// after {}\n{text}", report.pass);
        }
    }
    if args.time_passes {
        let mut times = table(Stream::Err, &["stage", "time"], &[1]);
        for stage in stages {
            times.add_row([stage.name.to_string(), duration(stage.time)]);
            if stage.name == "passes" {
                for report in reports {
                    let mark = if report.changed { "" } else { " (no change)" };
                    times.add_row([format!("  {}{mark}", report.pass), duration(report.time)]);
                }
            }
        }
        times.add_row(["total".to_string(), duration(stages.iter().map(|s| s.time).sum())]);
        eprintln!("{times}");
    }
}

/// Shows notes only when asked; warnings always.
pub fn notes(args: &ModelArgs, notes: &crate::diag::Diagnostics) {
    let mut shown = notes.clone();
    shown.0.retain(|d| args.verbose || d.severity != crate::diag::Severity::Note);
    show(&shown);
}
