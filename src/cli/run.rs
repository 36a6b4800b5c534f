//! `tilewright run`: one network from model to verdict, as a table.

use super::args::RunArgs;
use super::style::{Stream, Tone, bytes, duration, grouped, paint, shorten, table};
use super::{DIFFERENT, options, print, profile, show};
use crate::diag::{Diagnostic, Result};
use crate::driver::Compiled;
use crate::emit::{Layer, MemoryUse, Moved, Report, Streams};
use crate::files;
use crate::runner::execute::{Outcome, execute};
use crate::runner::page;
use crate::runner::suite::Workspace;
use crate::runner::{CaseResult, Flash, Record, Status, cases};
use crate::sim::LayerTime;
use crate::tiling::Hot;

/// Runs the command.
///
/// # Errors
/// The path is not a case, or any stage failed.
pub fn run(args: &RunArgs) -> Result<u8> {
    let case = cases::at(&args.case)?;
    let workspace = Workspace::new(args.build.keep.as_deref())?;
    let mut run_options = options::run(&args.options, &args.build, false);
    run_options.chip.profile = args.profile;
    run_options.chip.measure = true;
    run_options.chip.trace.clone_from(&args.trace);
    let dir = workspace.case(&case.name)?;
    let outcome = execute(&case, &run_options, &dir, &workspace.cache()?);
    options::notes(&args.options, &outcome.notes);
    if let Some(compiled) = &outcome.compiled {
        options::trace(&args.options, &compiled.stages, &compiled.passes);
    }
    if args.json {
        let json = serde_json::to_string(&Record::new(&outcome));
        print(json.map_err(|e| Diagnostic::internal(format!("cannot write the result as JSON: {e}")))?)?;
    } else if let Some(compiled) = &outcome.compiled {
        print(layers(&compiled.sources.report, outcome.result.cores, &outcome.profile.layers))?;
        if args.profile {
            print_profile(&outcome)?;
        }
        print(totals(compiled, &outcome))?;
    }
    if let (Some(file), Some(_)) = (&args.report, &outcome.compiled) {
        let run = page::Run { label: String::new(), record: Record::new(&outcome) };
        files::write(file, page::render(&[run])?)?;
    }
    if let Some(error) = outcome.error {
        show(&error);
        return Ok(error.exit_code());
    }
    Ok(if outcome.result.status == Status::Fail { DIFFERENT } else { 0 })
}

/// Where the cycles go, part by part and function by function.
fn print_profile(outcome: &Outcome) -> Result<()> {
    profile::print(&Record::new(outcome))?;
    if outcome.profile.functions.is_empty() {
        return Ok(());
    }
    print(super::simulate::functions(Stream::Out, &outcome.profile.functions))
}

/// A column: its head, whether numbers stand in it, and its cells.
struct Column {
    head: &'static str,
    right: bool,
    cells: Vec<String>,
}

/// One row per node in the order of execution; columns that say nothing on this target are left out.
fn layers(report: &Report, cores: Option<u32>, times: &[LayerTime]) -> comfy_table::Table {
    let all = &report.layers;
    let mut columns = Vec::new();
    let mut column = |head, right, cell: &dyn Fn(usize, &Layer) -> String| {
        let cells = all.iter().enumerate().map(|(i, l)| cell(i, l)).collect();
        columns.push(Column { head, right, cells });
    };
    let number = |n: u64| if n == 0 { String::new() } else { grouped(n) };
    column("", true, &|i, _| (i + 1).to_string());
    column("layer", false, &|_, l| shorten(&l.name, 32));
    column("operator", false, &|_, l| l.operator.clone());
    let none = || paint(Stream::Out, Tone::Quiet, "no code");
    column("kernel", false, &|_, l| l.kernel.clone().unwrap_or_else(none));
    if let Some(cores) = cores {
        let used = |l: &Layer| if l.parallel == Some(true) { cores } else { 1 };
        column("cores", true, &|_, l| l.kernel.as_ref().map_or_else(String::new, |_| used(l).to_string()));
    }
    column("result", false, &|_, l| l.outputs.join(" "));
    if all.iter().any(|l| l.mode.is_some()) {
        column("parts", false, &|_, l| how(l));
    }
    column("MACs", true, &|_, l| number(l.macs));
    column("bytes", true, &|_, l| grouped((l.output_bytes + l.weight_bytes) as u64));
    if all.iter().any(|l| l.moved.is_some()) {
        column("moved", true, &|_, l| l.moved.map_or_else(String::new, |m| traffic(&m)));
    }
    // Where nothing was measured, costs say little.
    if times.iter().any(|t| t.cycles > 0) && all.iter().any(|l| l.predicted_cycles.is_some()) {
        column("predicted", true, &|_, l| l.predicted_cycles.map_or_else(String::new, grouped));
    }
    if !times.is_empty() {
        // Layers are numbered by their place.
        let sum = |i: usize, of: fn(&LayerTime) -> u64| {
            times.iter().filter(|t| usize::try_from(t.number) == Ok(i)).map(of).sum()
        };
        // Simulators that count instructions know no cycles.
        if times.iter().any(|t| t.cycles > 0) {
            column("cycles", true, &|i, _| number(sum(i, |t| t.cycles)));
        } else {
            column("instructions", true, &|i, _| number(sum(i, |t| t.instructions)));
            let each =
                |i: usize, macs: u64| format!("{:.2}", sum(i, |t| t.instructions) as f64 / macs as f64);
            column("per MAC", true, &|i, l| if l.macs > 0 { each(i, l.macs) } else { String::new() });
        }
        if times.iter().any(|t| t.dma > 0) {
            column("exposed", true, &|i, _| number(sum(i, |t| t.exposed)));
        }
    }
    let heads: Vec<&str> = columns.iter().map(|c| c.head).collect();
    let right: Vec<usize> = (0..columns.len()).filter(|c| columns[*c].right).collect();
    let mut rows = table(Stream::Out, &heads, &right);
    for i in 0..all.len() {
        rows.add_row(columns.iter().map(|c| c.cells[i].clone()));
    }
    rows
}

/// How a layer is computed: `12 of 1x8x16`, or where.
fn how(layer: &Layer) -> String {
    match (&layer.tiles, &layer.mode) {
        (Some(tiles), _) => {
            let shape: Vec<String> = tiles.shape.iter().map(ToString::to_string).collect();
            format!("{} of {}", grouped(tiles.count as u64), shape.join("x"))
        }
        (None, Some(mode)) => paint(Stream::Out, Tone::Quiet, mode),
        (None, None) => String::new(),
    }
}

/// Bytes that the DMA moves, and how many times the least that is.
fn traffic(moved: &Moved) -> String {
    let all = moved.fetched + moved.stored;
    let ratio = all as f64 / moved.least.max(1) as f64;
    match all {
        0 => String::new(),
        _ if moved.least > 0 && ratio >= 1.05 => format!("{} (x{ratio:.1})", grouped(all)),
        _ => grouped(all),
    }
}

/// Bytes of flash, as far as they are known.
fn flash(weights: u64, flash: Option<Flash>) -> String {
    let Some(flash) = flash else {
        return format!("{} of weights (the rest is unknown: `size` is missing)", bytes(weights));
    };
    let (all, tables) = (bytes(flash.network()), bytes(flash.constants.saturating_sub(weights)));
    let rest = flash.runtime.map(|rest| format!("; {} more of start-up and test", bytes(rest)));
    let (weights, code) = (bytes(weights), bytes(flash.code));
    format!("{all} ({code} code, {weights} weights, {tables} tables){}", rest.unwrap_or_default())
}

/// The figures below the table.
fn totals(compiled: &Compiled, outcome: &Outcome) -> String {
    let result = &outcome.result;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<10}{value}"));
    let report = &compiled.sources.report;
    line("MACs", grouped(report.totals.macs));
    report.memories.iter().for_each(|m| line("RAM", memory(m)));
    report.hot.iter().for_each(|h| line("near", hot(h)));
    streams(report).into_iter().for_each(|s| line("rows", s));
    line("flash", flash(report.totals.weight_bytes as u64, outcome.flash));
    if let Some(moved) = &report.totals.moved {
        let all = moved.fetched + moved.stored;
        let ratio = all as f64 / moved.least.max(1) as f64;
        let least = bytes(moved.least);
        line("moved", format!("{} (x{ratio:.2} of {least}: constants, inputs, outputs once)", bytes(all)));
    }
    if let Some(loaded) = report.totals.loaded_bytes {
        line("loaded", format!("{} of constants from outside of the chip", bytes(loaded)));
    }
    if let Some(spilled) = report.totals.spilled_bytes {
        line("spilled", format!("{} of tensors to outside of the chip, and back", bytes(spilled)));
    }
    if let (Some(cycles), Some(cores)) = (result.cycles, result.cores) {
        let shared = if cores == 1 { "one core".to_string() } else { format!("{cores} cores") };
        let rate = report.totals.macs as f64 / cycles.max(1) as f64;
        line("cycles", format!("{} on {shared} ({rate:.2} MACs per cycle)", grouped(cycles)));
        let times = &outcome.profile.layers;
        let sum = |of: fn(&LayerTime) -> u64| times.iter().map(of).sum::<u64>();
        let share = |n: u64| 100.0 * n as f64 / cycles.max(1) as f64;
        let (dma, exposed) = (sum(|t| t.dma), sum(|t| t.exposed));
        if dma > 0 {
            let (under, waits) = (share(dma), share(exposed));
            let text = format!(
                "{} cycles under way ({under:.1} %), {} of them waited for ({waits:.1} %)",
                grouped(dma),
                grouped(exposed)
            );
            line("DMA", text);
        }
    }
    let measured = result.cycles.and(report.totals.predicted_cycles);
    if let Some(predicted) = measured {
        let bound = report.totals.cycles_bound.map(|b| match predicted.saturating_sub(b) {
            0 => "; proven: by the same costs no other choice of what is near takes fewer".to_string(),
            gap => format!(
                "; by the same costs no choice of what is near takes fewer than {} (gap {:.1} %)",
                grouped(b),
                100.0 * gap as f64 / predicted.max(1) as f64
            ),
        });
        line("predicted", format!("{} cycles{}", grouped(predicted), bound.unwrap_or_default()));
    }
    if let Some(used) = result.stack_bytes {
        line("stack", stack(used, result.stack_bound_bytes));
    }
    if let Some(instructions) = result.instructions {
        let each = instructions as f64 / report.totals.macs.max(1) as f64;
        let each = match (result.cycles, report.totals.macs) {
            (None, 1..) => format!(" ({each:.2} per MAC; instructions, not cycles)"),
            (None, 0) => " (not cycles)".to_string(),
            (Some(_), _) => String::new(),
        };
        line("code run", format!("{} instructions{each}", grouped(instructions)));
    }
    line("compile", duration(compiled.time()));
    line("result", verdict(result));
    lines.join("\n")
}

/// What is computed row by row, a line for each group; and the least RAM there is a plan for.
pub fn streams(report: &Report) -> Vec<String> {
    let line = |s: &Streams| {
        let rows = if s.rows == 1 { "a row".to_string() } else { format!("{} rows", s.rows) };
        let (count, first) = (s.layers.len(), s.layers.first().cloned().unwrap_or_default());
        let last = s.layers.last().cloned().unwrap_or_default();
        let (buffers, moved) = (bytes(s.buffer_bytes as u64), bytes(s.moved_bytes));
        format!(
            "{rows} at a time: {count} layers from {first} to {last} ({buffers} of rows, {moved} moved, no extra MACs)"
        )
    };
    let mut lines: Vec<String> = report.layers.iter().filter_map(|l| l.streamed.as_ref()).map(line).collect();
    if let (Some(most), Some(least)) = (report.ram_curve.first(), report.ram_curve.last()) {
        let of = |n: usize| bytes(n as u64);
        let (most, least, points) = (of(most.arena_bytes), of(least.arena_bytes), report.ram_curve.len());
        lines.push(format!("layer by layer {most}, at least {least} ({points} plans in report.json)"));
    }
    lines
}

/// What a memory is used for.
fn memory(memory: &MemoryUse) -> String {
    let why = match memory.gap {
        0 => "the largest live set; no plan of this schedule uses less".to_string(),
        gap => format!(
            "{} above the largest live set of {}; {}",
            bytes(gap as u64),
            bytes(memory.lower_bound as u64),
            memory.gap_reason
        ),
    };
    format!("{} of {} ({why})", bytes(memory.bytes as u64), memory.level)
}

/// What the fastest memory is used for.
pub fn hot(hot: &Hot) -> String {
    let share = |n: u64| 100.0 * n as f64 / hot.accesses.max(1) as f64;
    let best = match hot.most.saturating_sub(hot.served) {
        0 => "no other choice has more".to_string(),
        _ => format!("no choice has more than {:.1} %", share(hot.most)),
    };
    let (served, all) = (bytes(hot.served), bytes(hot.accesses));
    format!(
        "{:.1} % of what layers read and write ({served} of {all}) is {}; {best}",
        share(hot.served),
        hot.level
    )
}

/// How much of the stack a run used, of how much any may.
fn stack(used: u64, bound: Option<u64>) -> String {
    let bound = bound.map(|b| format!("{} bound, ", bytes(b)));
    format!("{}{} used", bound.unwrap_or_default(), bytes(used))
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
