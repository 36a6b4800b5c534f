//! `tilewright doctor`: which tools are present, what each is for, how to get it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::print;
use super::style::{Stream, Tone, paint, table};
use crate::diag::{Kind, Result};

struct Tool {
    command: &'static str,
    purpose: &'static str,
    package: &'static str,
    required: bool,
}

const TOOLS: &[Tool] = &[
    Tool { command: "cc", purpose: "builds networks for the host", package: "gcc", required: true },
    Tool {
        command: "make",
        purpose: "the Makefile written beside a network",
        package: "make",
        required: false,
    },
    Tool { command: "size", purpose: "measures code size (flash)", package: "binutils", required: false },
    Tool {
        command: "gcc",
        purpose: "`make test` builds with two compilers",
        package: "gcc",
        required: false,
    },
    Tool {
        command: "clang",
        purpose: "`make test` builds with two compilers",
        package: "clang",
        required: false,
    },
    Tool {
        command: "riscv64-unknown-elf-gcc",
        purpose: "builds networks for target siracusa",
        package: "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
        required: false,
    },
    Tool { command: "dot", purpose: "pictures from `inspect --dot`", package: "graphviz", required: false },
];

/// Prints the table; exit code 6 if a tool is missing that `run` and `test` need.
pub fn doctor() -> Result<u8> {
    let mut rows = table(Stream::Out, &["tool", "found", "for", "to get it"], &[]);
    let mut ready = true;
    for tool in TOOLS {
        let (state, found) = match find(tool.command) {
            Some(path) => (Tone::Good, version(tool.command).unwrap_or_else(|| path.display().to_string())),
            None if tool.required => (Tone::Bad, "missing".to_string()),
            None => (Tone::Caution, "missing (optional)".to_string()),
        };
        ready &= state != Tone::Bad;
        let install = format!("apt install {}", tool.package);
        rows.add_row([
            tool.command.to_string(),
            paint(Stream::Out, state, &found),
            tool.purpose.to_string(),
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
