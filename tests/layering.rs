//! The direction of the architecture: who may import whom, and how large things may grow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

/// Folder or file below `src/`, and the parts of the crate it may import.
const ALLOWED: &[(&str, &[&str])] = &[
    ("diag", &[]),
    ("files", &["diag"]),
    ("ir", &["diag"]),
    ("frontend", &["ir", "diag"]),
    ("passes", &["ir", "diag"]),
    ("targets", &["ir", "diag"]),
    ("tiling", &["ir", "targets", "diag"]),
    ("emit", &["ir", "targets", "tiling", "diag"]),
    ("sim", &["targets::platform", "diag"]),
    ("driver", &["diag", "emit", "frontend", "ir", "passes", "targets", "tiling"]),
    ("runner", &["diag", "driver", "emit", "files", "frontend", "ir", "passes", "targets", "tiling", "sim"]),
    (
        "cli",
        &[
            "diag", "driver", "emit", "files", "frontend", "ir", "passes", "runner", "targets", "tiling",
            "sim",
        ],
    ),
];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    sources(&root.join("src"), &mut found);
    let read = |p: PathBuf| {
        let name = p.strip_prefix(root).unwrap().display().to_string();
        (name, std::fs::read_to_string(p).unwrap())
    };
    found.into_iter().map(read).collect()
}

/// The paths after every `crate::`, `{a, b}` groups taken apart at the first level.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        let mut rest = code;
        while let Some(at) = rest.find("crate::") {
            let own = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            rest = &rest[at + "crate::".len()..];
            if !own {
                continue;
            }
            if let Some(group) = rest.strip_prefix('{') {
                let group = group.split('}').next().unwrap_or(group);
                found.extend(group.split(',').map(|p| p.trim().to_string()).filter(|p| !p.is_empty()));
            } else {
                let end =
                    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
                found.push(rest[..end].trim_end_matches(':').to_string());
            }
        }
    }
    found
}

#[test]
fn imports_follow_the_data() {
    let mut faults = Vec::new();
    for (file, text) in all() {
        let Some(part) = file.strip_prefix("src/").and_then(|f| f.split(['/', '.']).next()) else { continue };
        if ["main", "lib"].contains(&part) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == part) else {
            faults.push(format!("{file}: `{part}` is not in the table of this test"));
            continue;
        };
        for import in imports(&text) {
            let within = |a: &str| import == a || import.starts_with(&format!("{a}::"));
            // Macros are exported at the root of the crate whatever module they are in.
            let macros = ["with_array", "map_array"];
            if !within(part) && !allowed.iter().any(|a| within(a)) && !macros.contains(&import.as_str()) {
                faults.push(format!("{file}: must not import crate::{import}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_scanner_sees_what_it_must() {
    let text = "use crate::{diag, ir::Graph};\nlet x = crate::emit::render();\n// crate::cli\nuse tilewright_crate::x;";
    assert_eq!(imports(text), ["diag", "ir::Graph", "emit::render"]);
}

#[test]
fn files_say_what_they_do_and_stay_small() {
    let mut faults = Vec::new();
    for (file, text) in all() {
        let lines = text.lines().count();
        if lines > 600 {
            faults.push(format!("{file} has {lines} lines; 600 are allowed"));
        }
        if !text.starts_with("//!") && !file.ends_with("tests.rs") {
            faults.push(format!("{file} does not open with `//!`"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn functions_stay_short() {
    let mut faults = Vec::new();
    for (file, text) in all() {
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let indent = line.len() - code.len();
            let words: Vec<&str> = code.split_whitespace().take(5).collect();
            let is_function = words.iter().position(|w| *w == "fn").is_some_and(|at| {
                words[..at].iter().all(|w| w.starts_with("pub") || ["const", "unsafe", "async"].contains(w))
            });
            if !is_function {
                continue;
            }
            // rustfmt closes a function at the column it opened in.
            let close = format!("{}}}", " ".repeat(indent));
            let end = lines[start..]
                .iter()
                .position(|l| *l == close || (l.ends_with(';') && l.len() - l.trim_start().len() == indent));
            let length = end.map_or(0, |e| e + 1);
            if length > 80 {
                faults.push(format!("{file}:{}: a function of {length} lines; 80 are allowed", start + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
