//! `tilewright report`: a page that shows one run or compares two.

use std::path::Path;

use super::args::ReportArgs;
use crate::diag::{Diagnostic, Result};
use crate::files;
use crate::runner::page::{self, Run};

/// Runs the command.
///
/// # Errors
/// A file cannot be read or is no record of a run, or the page cannot be written.
pub fn report(args: &ReportArgs) -> Result<u8> {
    let runs = args.runs.iter().map(|p| read(p)).collect::<Result<Vec<Run>>>()?;
    files::write(&args.output, page::render(&runs)?)?;
    Ok(0)
}

fn read(path: &Path) -> Result<Run> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Diagnostic::environment(format!("{}: cannot be read: {e}", path.display())))?;
    let record = page::read(&text).map_err(|d| d.in_file(path))?;
    let label = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    Ok(Run { label, record })
}
