//! The command line as a user meets it: help, errors, exit codes, and whole runs.
//!
//! Snapshots hold exit code, standard output and standard error; the test's folder reads `[DIR]`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

mod bad_input;
mod chip;
mod commands;
mod fixtures;
mod help;
mod mcu;
mod page;
mod plan;

/// Runs the program in `dir`.
fn tilewright(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tilewright"))
        .args(args)
        .current_dir(dir)
        .env_remove("NO_COLOR")
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

/// Everything a user sees, with what differs between machines replaced.
fn seen(dir: &Path, output: &Output) -> String {
    let mut text = format!("exit code {}\n", output.status.code().unwrap_or(-1));
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let stream = String::from_utf8_lossy(bytes);
        if !stream.trim().is_empty() {
            text += &format!("--- {name}\n{}\n", stream.trim_end());
        }
    }
    text.replace(&dir.display().to_string(), "[DIR]")
}
