//! `tilewright test`: run every case below some paths and count.

use std::path::Path;
use std::time::Instant;

use super::args::TestArgs;
use super::style::{Stream, Tone, duration, paint, progress, shorten};
use super::{DIFFERENT, options, print, profile};
use crate::diag::{Diagnostic, Result};
use crate::files;
use crate::runner::suite::{Workspace, run};
use crate::runner::{CaseResult, Record, Report, Status, cases};

/// Runs the command: exit code 0 only if no case failed.
///
/// # Errors
/// A path holds no case, or results cannot be written.
pub fn test(args: &TestArgs) -> Result<u8> {
    let mut cases = cases::find(&args.paths)?;
    if let Some(filter) = &args.filter {
        cases.retain(|c| c.name.contains(filter.as_str()));
        if cases.is_empty() {
            return Err(Diagnostic::invalid(format!("no case has `{filter}` in its name")).into());
        }
    }
    let workspace = Workspace::new(args.build.keep.as_deref())?;
    let mut run_options = options::run(&args.options, &args.build, args.twice);
    run_options.chip.profile = args.profile;
    let mut records: Vec<Option<Record>> = vec![None; cases.len()];
    let start = Instant::now();
    let bar = progress(cases.len());
    let mut complaint = Ok(());
    let report = run(&cases, &run_options, jobs(args), &workspace, &mut |i, result, record| {
        bar.inc(1);
        bar.set_message(shorten(&result.name, 40));
        let shown = args.options.verbose || args.profile || result.status != Status::Pass;
        if shown && complaint.is_ok() {
            complaint = bar.suspend(|| {
                print(line(result))?;
                record.as_ref().map_or(Ok(()), profile::print)
            });
        }
        records[i] = record;
    })?;
    bar.finish_and_clear();
    complaint?;
    if let Some(file) = &args.json {
        write_json(file, &report, &records)?;
    }
    let (_, failed, _) = report.counts();
    let count = match cases.len() {
        1 => "1 case".to_string(),
        n => format!("{n} cases"),
    };
    print(paint(Stream::Out, Tone::Quiet, &format!("{count} in {}", duration(start.elapsed()))))?;
    print(report.summary())?;
    Ok(if failed == 0 { 0 } else { DIFFERENT })
}

fn jobs(args: &TestArgs) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    args.jobs.map_or_else(processors, usize::from)
}

fn line(result: &CaseResult) -> String {
    let (tone, word) = match result.status {
        Status::Pass => (Tone::Good, "pass"),
        Status::Fail => (Tone::Bad, "FAIL"),
        Status::Refused => (Tone::Caution, "refused"),
        Status::Skip => (Tone::Caution, "skip"),
    };
    let reason = result.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
    format!("{} {}{reason}", paint(Stream::Out, tone, &format!("{word:<7}")), result.name)
}

fn write_json(file: &Path, report: &Report, records: &[Option<Record>]) -> Result<()> {
    let text = if records.iter().any(Option::is_some) {
        let case = |(result, record): (&CaseResult, &Option<Record>)| match record {
            Some(record) => serde_json::to_value(record),
            None => serde_json::to_value(result),
        };
        let cases: std::result::Result<Vec<_>, _> = report.cases.iter().zip(records).map(case).collect();
        cases.and_then(|cases| serde_json::to_string(&serde_json::json!({ "cases": cases })))
    } else {
        serde_json::to_string_pretty(report)
    };
    let text = text.map_err(|e| Diagnostic::internal(format!("cannot write the results as JSON: {e}")))?;
    if file == Path::new("-") {
        return print(text);
    }
    files::write(file, text + "\n")
}
