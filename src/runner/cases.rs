//! Finding cases: which directories hold a model with test data.
//!
//! In: paths. Out: [`Case`]s in a fixed order. Never opens a model or an array; only looks at names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Diagnostics, Result};

/// Where the inputs and expected outputs of one run come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSet {
    /// `inputs.npz` and, if present, `outputs.npz`.
    Npz {
        /// The inputs.
        inputs: PathBuf,
        /// The expected outputs.
        outputs: Option<PathBuf>,
    },
    /// `test_data_set_N/input_*.pb` and `output_*.pb`, in numerical order.
    Protobuf {
        /// The inputs.
        inputs: Vec<PathBuf>,
        /// The expected outputs; empty if there are none.
        outputs: Vec<PathBuf>,
    },
}

impl DataSet {
    /// Whether there is something to compare with.
    pub fn has_goldens(&self) -> bool {
        match self {
            DataSet::Npz { outputs, .. } => outputs.is_some(),
            DataSet::Protobuf { outputs, .. } => !outputs.is_empty(),
        }
    }
}

/// A model and the data to run it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The path as a person would say it: below the path given, or the last components of it.
    pub name: String,
    /// The model file.
    pub model: PathBuf,
    /// The data; empty if the case brings none.
    pub data: Vec<DataSet>,
}

/// All cases at or below `paths`, each path's cases in alphabetical order; one found twice is listed once, and no two
/// have the same name.
///
/// # Errors
/// A path does not exist, cannot be read, or holds no case.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let mut problems = Diagnostics::default();
    for path in paths {
        let before = cases.len();
        if let Err(d) = find_one(path, &mut cases) {
            problems.push(d);
        } else if cases.len() == before {
            problems.push(
                Diagnostic::invalid(format!("{}: there is no case here", path.display())).help(
                    "a case is a directory with network.onnx (and inputs.npz, outputs.npz), or with model.onnx and \
                     test_data_set_0/input_0.pb, …",
                ),
            );
        }
    }
    problems.into_result(distinct(cases))
}

/// The same cases, each once; where two would share a directory of their own, the whole path is the name.
fn distinct(mut cases: Vec<Case>) -> Vec<Case> {
    let mut seen = BTreeSet::new();
    cases.retain(|c| seen.insert(fs::canonicalize(&c.model).unwrap_or_else(|_| c.model.clone())));
    let names: Vec<PathBuf> = cases.iter().map(|c| PathBuf::from(&c.name)).collect();
    for (i, case) in cases.iter_mut().enumerate() {
        let clashes = |(j, other): (usize, &PathBuf)| {
            j != i && (names[i].starts_with(other) || other.starts_with(&names[i]))
        };
        if names.iter().enumerate().any(clashes) {
            let full = fs::canonicalize(&case.model).unwrap_or_else(|_| case.model.clone());
            case.name = full.with_extension("").display().to_string();
        }
    }
    cases
}

/// The case at exactly `path`: a case directory or a model file.
///
/// # Errors
/// The path does not exist or is not a case.
pub fn at(path: &Path) -> Result<Case> {
    if path.is_dir() {
        let name = short_name(path);
        return in_directory(path, name)?.ok_or_else(|| {
            Diagnostic::invalid(format!("{}: holds neither network.onnx nor model.onnx", path.display()))
                .help("`tilewright run` takes one case; `tilewright test` runs every case below a path")
                .into()
        });
    }
    Ok(model_file(path)?)
}

fn find_one(path: &Path, cases: &mut Vec<Case>) -> std::result::Result<(), Diagnostic> {
    if path.is_dir() {
        walk(path, path, cases)
    } else {
        cases.push(model_file(path)?);
        Ok(())
    }
}

fn walk(root: &Path, dir: &Path, cases: &mut Vec<Case>) -> std::result::Result<(), Diagnostic> {
    let name = match dir.strip_prefix(root) {
        Ok(below) if !below.as_os_str().is_empty() => below.display().to_string(),
        _ => short_name(dir),
    };
    if let Some(case) = in_directory(dir, name)? {
        cases.push(case);
        return Ok(());
    }
    for entry in sorted_entries(dir)? {
        // A symbolic link could lead back up; links to directories are not followed.
        if entry.is_dir() && !entry.is_symlink() {
            walk(root, &entry, cases)?;
        }
    }
    Ok(())
}

fn in_directory(dir: &Path, name: String) -> std::result::Result<Option<Case>, Diagnostic> {
    let network = dir.join("network.onnx");
    if network.is_file() {
        return Ok(Some(Case { name, model: network, data: npz_beside(dir) }));
    }
    let model = dir.join("model.onnx");
    if model.is_file() {
        let mut data = Vec::new();
        for entry in sorted_entries(dir)? {
            let is_set = entry.file_name().is_some_and(|n| n.to_string_lossy().starts_with("test_data_set_"));
            if is_set && entry.is_dir() {
                data.push(DataSet::Protobuf {
                    inputs: numbered(&entry, "input_")?,
                    outputs: numbered(&entry, "output_")?,
                });
            }
        }
        if data.is_empty() {
            data = npz_beside(dir);
        }
        return Ok(Some(Case { name, model, data }));
    }
    Ok(None)
}

fn model_file(path: &Path) -> std::result::Result<Case, Diagnostic> {
    if !path.exists() {
        return Err(Diagnostic::invalid(format!("{}: no such file or directory", path.display())));
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    let is_known = path.file_name().is_some_and(|n| n == "network.onnx" || n == "model.onnx");
    let mut case = match in_directory(dir, short_name(dir))? {
        Some(case) if is_known => case,
        _ => Case { name: short_name(path), model: PathBuf::new(), data: npz_beside(dir) },
    };
    case.model = path.to_path_buf();
    Ok(case)
}

fn npz_beside(dir: &Path) -> Vec<DataSet> {
    let inputs = dir.join("inputs.npz");
    let outputs = dir.join("outputs.npz");
    if !inputs.is_file() {
        return vec![];
    }
    vec![DataSet::Npz { inputs, outputs: outputs.is_file().then_some(outputs) }]
}

/// The last component of a path, extension removed; the last resort is the path itself.
fn short_name(path: &Path) -> String {
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    full.file_stem().map_or_else(|| path.display().to_string(), |s| s.to_string_lossy().into_owned())
}

fn sorted_entries(dir: &Path) -> std::result::Result<Vec<PathBuf>, Diagnostic> {
    let fail = |e: std::io::Error| Diagnostic::environment(format!("{}: cannot list: {e}", dir.display()));
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        entries.push(entry.map_err(fail)?.path());
    }
    entries.sort();
    Ok(entries)
}

/// Files `prefix`N.pb by number, so that 10 follows 9.
fn numbered(dir: &Path, prefix: &str) -> std::result::Result<Vec<PathBuf>, Diagnostic> {
    let mut found = Vec::new();
    for path in sorted_entries(dir)? {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let number = name.strip_prefix(prefix).and_then(|n| n.strip_suffix(".pb"));
        if let Some(number) = number.and_then(|n| n.parse::<u32>().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, p)| p).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }

    #[test]
    fn both_layouts_are_found_in_order() {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path();
        for f in ["network.onnx", "inputs.npz", "outputs.npz"] {
            touch(&root.join("b/Regular").join(f));
        }
        touch(&root.join("a/model.onnx"));
        for n in [0, 2, 10] {
            touch(&root.join(format!("a/test_data_set_0/input_{n}.pb")));
        }
        touch(&root.join("a/test_data_set_0/output_0.pb"));
        touch(&root.join("notes/readme.txt"));
        let cases = find(&[root.to_path_buf()]).unwrap();
        let names: Vec<_> = cases.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["a", "b/Regular"]);
        let DataSet::Protobuf { inputs, .. } = &cases[0].data[0] else { panic!("not protobuf") };
        let last = inputs.last().and_then(|p| p.file_name()).unwrap();
        assert_eq!((inputs.len(), last.to_str()), (3, Some("input_10.pb")));
        assert!(cases[0].data[0].has_goldens() && cases[1].data[0].has_goldens());
    }

    #[test]
    fn cases_of_the_same_name_keep_directories_of_their_own() {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path();
        for f in
            ["x/Add/network.onnx", "y/Add/network.onnx", "z/Add/Large/network.onnx", "z/Mul/network.onnx"]
        {
            touch(&root.join(f));
        }
        let paths: Vec<_> = ["x", "y", "z", "x/Add"].map(|p| root.join(p)).into();
        let names: Vec<_> = find(&paths).unwrap().into_iter().map(|c| c.name).collect();
        let root = fs::canonicalize(root).unwrap();
        let full = |p: &str| root.join(p).display().to_string();
        let expected =
            [full("x/Add/network"), full("y/Add/network"), full("z/Add/Large/network"), "Mul".into()];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_model_file_uses_the_data_beside_it() {
        let tmp = tempfile::tempdir().unwrap();
        let model = tmp.path().join("net.onnx");
        touch(&model);
        touch(&tmp.path().join("inputs.npz"));
        let case = at(&model).unwrap();
        assert_eq!((case.name.as_str(), case.data.len()), ("net", 1));
        assert!(!case.data[0].has_goldens());
    }

    #[test]
    fn a_path_without_cases_is_an_error() {
        let tmp = tempfile::tempdir().unwrap();
        let missing = tmp.path().join("nowhere");
        let e = find(&[tmp.path().to_path_buf(), missing]).unwrap_err();
        assert_eq!(e.0.len(), 2);
        assert!(e.to_string().contains("there is no case here"), "{e}");
        assert!(e.to_string().contains("no such file or directory"), "{e}");
    }
}
