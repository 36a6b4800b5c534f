//! Writing an emitted network to disk: all of it or nothing, and never over anybody's files.
//!
//! In: [`Sources`] and a folder. Out: files. Never changes the folder before everything is written beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::Sources;
use super::report::GENERATOR;
use crate::diag::{Diagnostic, Result};

/// Writes all files below `dir`, which may be new, empty, or hold an earlier output (whose files are
/// replaced). With `force`, other files in it do not matter; they stay.
///
/// # Errors
/// The folder holds other files, or the disk does not take ours; then the folder is as it was.
pub fn write(dir: &Path, sources: &Sources, force: bool) -> Result<()> {
    let failed = |what: &str, e: &io::Error| {
        Diagnostic::environment(format!("cannot write {}: {what}: {e}", dir.display()))
            .help("check that the folder is writable and the disk has room; nothing was changed")
    };
    let old = match fs::metadata(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(failed("the folder", &e).into()),
        Ok(meta) if !meta.is_dir() => {
            return Err(Diagnostic::environment(format!(
                "cannot write {}: it is not a folder",
                dir.display()
            ))
            .into());
        }
        Ok(_) => Some(earlier(dir, force)?),
    };
    // Staging lies on the same file system as the result, so that the moves below cannot run out of room.
    let parent = match &old {
        Some(_) => dir.to_path_buf(),
        None => {
            dir.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| ".".into(), Path::to_path_buf)
        }
    };
    fs::create_dir_all(&parent).map_err(|e| failed("its parent folder", &e))?;
    let staging = staging(&parent).map_err(|e| failed("a temporary folder beside it", &e))?;
    let stage = staging.path().join("new");
    for (path, bytes) in &sources.files {
        put(&stage.join(path), bytes).map_err(|e| failed(path, &e))?;
    }
    match old {
        None => fs::rename(&stage, dir).map_err(|e| failed("the folder", &e))?,
        Some(old) => {
            for path in sources.files.keys() {
                let target = dir.join(path);
                let made = target.parent().map_or(Ok(()), fs::create_dir_all);
                made.and_then(|()| fs::rename(stage.join(path), &target)).map_err(|e| failed(path, &e))?;
            }
            for stale in old.into_iter().filter(|p| !sources.files.contains_key(p)) {
                // A file that is already gone is what we want.
                let _ = fs::remove_file(dir.join(stale));
            }
        }
    }
    Ok(())
}

fn staging(parent: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(".tilewright-").tempdir_in(parent)
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}

/// The files of an earlier output in `dir`.
fn earlier(dir: &Path, force: bool) -> Result<Vec<String>> {
    let listed = listed(dir);
    let found = files(dir, dir)
        .map_err(|e| Diagnostic::environment(format!("cannot read {}: {e}", dir.display())))?;
    if force || found.is_empty() {
        return Ok(listed.unwrap_or_default());
    }
    let foreign =
        |files: &[String]| found.iter().find(|f| !files.contains(f) && !f.starts_with("build/")).cloned();
    match listed {
        Some(files) => match foreign(&files) {
            None => Ok(files),
            Some(file) => Err(not_empty(dir, &file).into()),
        },
        None => Err(not_empty(dir, &found[0]).into()),
    }
}

fn not_empty(dir: &Path, file: &str) -> Diagnostic {
    Diagnostic::environment(format!("the output folder {} is not empty: it holds `{file}`", dir.display()))
        .help("choose another folder, or add --force to write into this one (other files in it stay)")
}

/// The file list of the report in `dir`, if the report is ours.
fn listed(dir: &Path) -> Option<Vec<String>> {
    let report: Json = serde_json::from_slice(&fs::read(dir.join("report.json")).ok()?).ok()?;
    if report.get("generator")?.as_str()? != GENERATOR {
        return None;
    }
    let inside =
        |path: &&str| Path::new(path).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    let files = report.get("files")?.as_array()?.iter().filter_map(Json::as_str);
    Some(files.filter(inside).map(str::to_string).collect())
}

/// Paths of all files below `dir`, sorted, with forward slashes.
fn files(root: &Path, dir: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if let Ok(path) = entry.path().strip_prefix(root) {
                found.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    Ok(found)
}
