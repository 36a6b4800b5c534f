//! Many cases at once.
//!
//! In: cases and options. Out: a [`Report`] in the order of the cases, however many threads worked on it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};

use super::cases::Case;
use super::execute::{Outcome, RunOptions, execute};
use super::objects::Cache;
use super::record::Record;
use super::result::{CaseResult, Report, Status};
use crate::diag::{Diagnostic, Diagnostics, Result};

/// A directory for builds; removed at the end unless the user wants to keep it.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Workspace {
    /// The directory `keep`, or a temporary one.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn new(keep: Option<&Path>) -> Result<Workspace> {
        let fail =
            |what: String, e: std::io::Error| Diagnostic::environment(format!("cannot create {what}: {e}"));
        match keep {
            Some(dir) => {
                std::fs::create_dir_all(dir).map_err(|e| fail(dir.display().to_string(), e))?;
                let root = std::fs::canonicalize(dir).map_err(|e| fail(dir.display().to_string(), e))?;
                Ok(Workspace { root, temporary: None })
            }
            None => {
                let temporary = tempfile::Builder::new()
                    .prefix("tilewright-")
                    .tempdir()
                    .map_err(|e| fail("a temporary directory".into(), e))?;
                Ok(Workspace { root: temporary.path().to_path_buf(), temporary: Some(temporary) })
            }
        }
    }
    /// The directory of one case, created.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn case(&self, name: &str) -> Result<PathBuf> {
        let safe: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "/-_".contains(c) { c } else { '_' })
            .collect();
        self.create(&format!("cases/{}", safe.trim_matches('/')))
    }
    /// The cache of object files.
    ///
    /// # Errors
    /// Its directory cannot be created.
    pub fn cache(&self) -> Result<Cache> {
        Ok(Cache::new(&self.create("objects")?))
    }
    /// Whether it is removed at the end.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
    fn create(&self, below: &str) -> Result<PathBuf> {
        let dir = self.root.join(below);
        std::fs::create_dir_all(&dir)
            .map_err(|e| Diagnostic::environment(format!("cannot create {}: {e}", dir.display())))?;
        Ok(dir)
    }
}

/// Runs all cases on `jobs` threads. `observer` hears of each as it ends, in no particular order; with a profile also where
/// its cycles went.
///
/// # Errors
/// The workspace cannot be written; faults of cases are verdicts, not errors.
pub fn run(
    cases: &[Case],
    options: &RunOptions,
    jobs: usize,
    workspace: &Workspace,
    observer: &mut dyn FnMut(usize, &CaseResult, Option<Record>),
) -> Result<Report> {
    let cache = workspace.cache()?;
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..cases.len()).collect());
    let (sender, results) = mpsc::channel::<(usize, CaseResult, Option<Record>)>();
    let mut done: Vec<Option<CaseResult>> = vec![None; cases.len()];
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, cases.len().max(1)) {
            let (sender, queue, cache) = (sender.clone(), &queue, &cache);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(i) = next else { break };
                    let (result, record) = guarded(&cases[i], options, workspace, cache);
                    if sender.send((i, result, record)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (i, result, record) in results {
            observer(i, &result, record);
            done[i] = Some(result);
        }
    });
    let missing = |(case, result): (&Case, Option<CaseResult>)| {
        result.unwrap_or_else(|| failed(case, options, "did not run".into()))
    };
    Ok(Report { cases: cases.iter().zip(done).map(missing).collect() })
}

/// Runs one case; a panic (a bug) fails that case and no other.
fn guarded(
    case: &Case,
    options: &RunOptions,
    workspace: &Workspace,
    cache: &Cache,
) -> (CaseResult, Option<Record>) {
    let work = std::panic::AssertUnwindSafe(|| -> std::result::Result<Outcome, Diagnostics> {
        let dir = workspace.case(&case.name)?;
        let outcome = execute(case, options, &dir, cache);
        if workspace.is_temporary() {
            // Early, so that hundreds of builds do not fill the disk; a failure shows when the rest is removed.
            let _ = std::fs::remove_dir_all(&dir);
        }
        Ok(outcome)
    });
    match std::panic::catch_unwind(work) {
        Ok(Ok(outcome)) => {
            let record = options.chip.profile.then(|| Record::new(&outcome));
            (outcome.result, record)
        }
        Ok(Err(e)) => (failed(case, options, e.to_string()), None),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            (failed(case, options, format!("tilewright panicked: {text}")), None)
        }
    }
}

fn failed(case: &Case, options: &RunOptions, reason: String) -> CaseResult {
    let mut result = CaseResult::new(&case.name, &options.compile.target, Status::Fail);
    result.reason = Some(reason);
    result
}
