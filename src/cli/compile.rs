//! `tilewright compile`: write the C sources of a network.

use super::args::CompileArgs;
use super::style::{bytes, duration, grouped};
use super::{options, print};
use crate::diag::Result;
use crate::{driver, emit, files};

/// Runs the command.
///
/// # Errors
/// What any stage found, or the folder cannot be written.
pub fn compile(args: &CompileArgs) -> Result<u8> {
    let mut compile = options::compile(&args.options);
    compile.data = options::sibling_data(&args.model)?;
    let compiled = driver::compile(&args.model, &compile)?;
    options::trace(&args.options, &compiled.stages, &compiled.passes);
    // Always in full: what was inferred from test data becomes the interface of the network.
    super::show(&compiled.warnings);
    emit::write(&args.output, &compiled.sources, args.force)?;
    if let Some(file) = &args.save_plan {
        files::write(file, compiled.saved_plan()?.as_bytes())?;
    }
    if args.json {
        print(compiled.sources.report.json().trim_end())?;
        return Ok(0);
    }
    let report = &compiled.sources.report;
    let arenas = report.memories.iter().map(|m| {
        format!("{} of {} (largest live set {})", bytes(m.bytes as u64), m.level, bytes(m.lower_bound as u64))
    });
    let hot = report.hot.iter().map(super::run::hot);
    let streams: Vec<String> = hot.chain(super::run::streams(report)).map(|s| format!("\n  {s}")).collect();
    print(format!(
        "{}: {} nodes, {} MACs, {}; compiled in {}{}",
        args.output.display(),
        report.totals.nodes,
        grouped(report.totals.macs),
        arenas.collect::<Vec<_>>().join(", "),
        duration(compiled.time()),
        streams.concat(),
    ))?;
    Ok(0)
}
