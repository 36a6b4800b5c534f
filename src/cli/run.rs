//! `tilewright run`: one network from model to verdict, as a table.

use super::args::RunArgs;
use super::style::{Stream, Tone, bytes, duration, grouped, paint, shorten, table};
use super::{DIFFERENT, options, print, show};
use crate::diag::{Diagnostic, Result};
use crate::driver::Compiled;
use crate::emit::Report;
use crate::runner::execute::{Outcome, execute};
use crate::runner::suite::Workspace;
use crate::runner::{CaseResult, Status, cases};
use crate::sim::LayerTime;

/// Runs the command.
///
/// # Errors
/// The path is not a case, or any stage failed.
pub fn run(args: &RunArgs) -> Result<u8> {
    let case = cases::at(&args.case)?;
    let workspace = Workspace::new(args.build.keep.as_deref())?;
    let mut run_options = options::run(&args.options, &args.build, false);
    run_options.chip.profile = args.profile;
    run_options.chip.trace.clone_from(&args.trace);
    let dir = workspace.case(&case.name)?;
    let outcome = execute(&case, &run_options, &dir, &workspace.cache()?);
    options::notes(&args.options, &outcome.notes);
    if let Some(compiled) = &outcome.compiled {
        options::trace(&args.options, &compiled.stages, &compiled.passes);
    }
    if args.json {
        let json = serde_json::to_string_pretty(&outcome.result);
        print(json.map_err(|e| Diagnostic::internal(format!("cannot write the result as JSON: {e}")))?)?;
    } else if let Some(compiled) = &outcome.compiled {
        print(layers(&compiled.sources.report, outcome.result.cores, &outcome.profile.0))?;
        if !outcome.profile.1.is_empty() {
            print(super::simulate::functions(Stream::Out, &outcome.profile.1))?;
        }
        print(totals(compiled, &outcome))?;
    }
    if let Some(error) = outcome.error {
        show(&error);
        return Ok(error.exit_code());
    }
    Ok(if outcome.result.status == Status::Fail { DIFFERENT } else { 0 })
}

/// One row per node in the order of execution; on targets with several cores, how many share it; cycles if measured.
fn layers(report: &Report, cores: Option<u32>, times: &[LayerTime]) -> comfy_table::Table {
    let mut head = vec!["", "layer", "operator", "kernel", "result", "MACs", "bytes"];
    let mut right = vec![0, 5, 6];
    if cores.is_some() {
        head.insert(4, "cores");
        right = vec![0, 4, 6, 7];
    }
    if !times.is_empty() {
        right.push(head.len());
        head.push("cycles");
    }
    let mut rows = table(Stream::Out, &head, &right);
    for (i, layer) in report.layers.iter().enumerate() {
        let mut row = vec![
            (i + 1).to_string(),
            shorten(&layer.name, 32),
            layer.operator.clone(),
            layer.kernel.clone().unwrap_or_else(|| paint(Stream::Out, Tone::Quiet, "no code")),
            layer.outputs.join(" "),
            if layer.macs == 0 { String::new() } else { grouped(layer.macs) },
            grouped((layer.output_bytes + layer.weight_bytes) as u64),
        ];
        if let Some(cores) = cores {
            let used = layer.kernel.as_ref().map(|_| if layer.parallel == Some(true) { cores } else { 1 });
            row.insert(4, used.map_or_else(String::new, |n| n.to_string()));
        }
        if !times.is_empty() {
            // Layers are numbered by their place.
            let mine = times.iter().filter(|t| usize::try_from(t.number) == Ok(i));
            let cycles: u64 = mine.map(|t| t.cycles).sum();
            row.push(if cycles == 0 { String::new() } else { grouped(cycles) });
        }
        rows.add_row(row);
    }
    rows
}

/// The figures below the table.
fn totals(compiled: &Compiled, outcome: &Outcome) -> String {
    let result = &outcome.result;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<9}{value}"));
    let report = &compiled.sources.report;
    line("MACs", grouped(report.totals.macs));
    for memory in &report.memories {
        let why = match memory.gap {
            0 => "the largest live set; no plan of this schedule uses less".to_string(),
            gap => format!(
                "{} above the largest live set of {}; {}",
                bytes(gap as u64),
                bytes(memory.lower_bound as u64),
                memory.gap_reason
            ),
        };
        line("RAM", format!("{} of {} ({why})", bytes(memory.bytes as u64), memory.level));
    }
    let weights = report.totals.weight_bytes as u64;
    line(
        "flash",
        match result.flash_bytes {
            Some(flash) => {
                format!(
                    "{} ({} constants, {} code)",
                    bytes(flash),
                    bytes(weights),
                    bytes(flash.saturating_sub(weights))
                )
            }
            None => format!("{} of constants (code unknown: `size` is missing)", bytes(weights)),
        },
    );
    if let (Some(cycles), Some(cores)) = (result.cycles, result.cores) {
        let shared = if cores == 1 { "one core".to_string() } else { format!("{cores} cores") };
        let rate = report.totals.macs as f64 / cycles.max(1) as f64;
        line("cycles", format!("{} on {shared} ({rate:.2} MACs per cycle)", grouped(cycles)));
    }
    if let Some(instructions) = result.instructions {
        line("code run", format!("{} instructions", grouped(instructions)));
    }
    line("compile", duration(compiled.time()));
    line("result", verdict(result));
    lines.join("\n")
}

fn verdict(result: &CaseResult) -> String {
    let error = match result.max_error {
        Some(0.0) => ", exact".to_string(),
        Some(e) => format!(", largest error {e:.2e}"),
        None => String::new(),
    };
    let reason = result.reason.as_ref().map(|r| format!(" ({})", r.lines().next().unwrap_or_default()));
    let (tone, word) = match result.status {
        Status::Pass => (Tone::Good, "PASS"),
        Status::Fail => (Tone::Bad, "FAIL"),
        Status::Refused => (Tone::Caution, "REFUSED"),
        Status::Skip => (Tone::Caution, "SKIP"),
    };
    let mismatches = result.mismatches.filter(|m| *m > 0).map(|m| format!(", {} mismatches", grouped(m)));
    format!(
        "{}{error}{}{}",
        paint(Stream::Out, tone, word),
        mismatches.unwrap_or_default(),
        reason.unwrap_or_default()
    )
}
