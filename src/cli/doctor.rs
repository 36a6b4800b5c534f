//! `tilewright doctor`: which tools are present, what each is for, how to get it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::print;
use super::style::{Stream, Tone, paint, table};
use crate::diag::{Kind, Result};
use crate::targets::{Platform, Tree};

struct Tool {
    command: String,
    purpose: String,
    package: String,
    required: bool,
}

/// Command, purpose, Debian's package, whether `run` and `test` need it.
const TOOLS: &[(&str, &str, &str, bool)] = &[
    ("cc", "builds networks for the host", "gcc", true),
    ("make", "the Makefile written beside a network", "make", false),
    ("cmake", "the CMakeLists.txt written beside a network", "cmake", false),
    ("size", "measures code size (flash)", "binutils", false),
    ("gcc", "`make test` builds with two compilers", "gcc", false),
    ("clang", "`make test` builds with two compilers", "clang", false),
    ("dot", "pictures from `inspect --dot`", "graphviz", false),
];

/// The tools that targets name: their compilers and simulators, each with all targets that want it.
fn of_targets() -> Result<Vec<Tool>> {
    let tree = Tree::embedded();
    let mut wanted: BTreeMap<(String, &str), (String, Vec<String>)> = BTreeMap::new();
    for name in tree.targets() {
        let platform = Platform::load(&tree, &name)?;
        let (toolchain, simulator) = (platform.toolchain, platform.simulator.unwrap_or_default());
        let both =
            [("builds", toolchain.cc, toolchain.packages), ("runs", simulator.argv, simulator.packages)];
        for (does, command, packages) in both {
            let Some(command) = command.into_iter().next().filter(|_| !packages.is_empty()) else { continue };
            let entry = wanted.entry((command, does)).or_insert_with(|| (packages.join(" "), Vec::new()));
            entry.1.push(name.clone());
        }
    }
    let tool = |((command, does), (package, targets)): ((String, &str), (String, Vec<String>))| Tool {
        command,
        purpose: format!("{does} networks for {}", targets.join(", ")),
        package,
        required: false,
    };
    Ok(wanted.into_iter().map(tool).collect())
}

/// Prints the table; exit code 6 if a tool is missing that `run` and `test` need.
pub fn doctor() -> Result<u8> {
    let mut rows = table(Stream::Out, &["tool", "found", "for", "to get it"], &[]);
    let mut ready = true;
    let own = TOOLS.iter().map(|(command, purpose, package, required)| Tool {
        command: (*command).into(),
        purpose: (*purpose).into(),
        package: (*package).into(),
        required: *required,
    });
    for tool in own.chain(of_targets()?) {
        let (state, found) = match find(&tool.command) {
            Some(path) => (Tone::Good, version(&tool.command).unwrap_or_else(|| path.display().to_string())),
            None if tool.required => (Tone::Bad, "missing".to_string()),
            None => (Tone::Caution, "missing (optional)".to_string()),
        };
        ready &= state != Tone::Bad;
        let install = format!("apt install {}", tool.package);
        rows.add_row([
            tool.command,
            paint(Stream::Out, state, &found),
            tool.purpose,
            if state == Tone::Good { String::new() } else { install },
        ]);
    }
    print(rows)?;
    print(match ready {
        true => "compile, run and test work on this machine (target host).",
        false => "compile works; run and test need what is missing above.",
    })?;
    Ok(if ready { 0 } else { Kind::Environment.exit_code() })
}

/// The first file of that name on `PATH`.
pub fn find(command: &str) -> Option<PathBuf> {
    if command.contains('/') {
        return Some(PathBuf::from(command)).filter(|p| p.is_file());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(command)).find(|p| p.is_file())
}

/// The first line of what the tool says about its version.
fn version(command: &str) -> Option<String> {
    let flag = if command == "dot" { "-V" } else { "--version" };
    let output = Command::new(command).arg(flag).stdin(Stdio::null()).output().ok()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next().map(|l| l.trim().to_string()).filter(|l| !l.is_empty())
}
