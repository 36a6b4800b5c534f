//! Flash: how much of it a network takes, and for what.
//!
//! In: objects, and binutils' `size` that belongs to the compiler (`x-y-size` to `x-y-gcc`). Out: [`Flash`].
//! Never guesses: without that tool nothing is known.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::objects::Flags;

/// Bytes of flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// The network's code.
    pub code: u64,
    /// Its constants: weights, and tables of whatever kind.
    pub constants: u64,
    /// What a program for a chip has beside the network and the C library: start-up, input and output of the test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<u64>,
}

impl Flash {
    /// That of a network's objects, and of those of a runtime.
    pub(super) fn of(objects: &[PathBuf], runtime: &[PathBuf], flags: &Flags) -> Option<Flash> {
        let mut constants = 0;
        for line in size(&["-A", "-d"], objects, flags)?.lines() {
            let mut words = line.split_whitespace();
            let section = words.next().unwrap_or_default();
            if [".rodata", ".srodata", ".data", ".sdata"].iter().any(|s| section.starts_with(s)) {
                constants += words.next()?.parse::<u64>().ok()?;
            }
        }
        let code = total(objects, flags)?.checked_sub(constants)?;
        let runtime = if runtime.is_empty() { None } else { total(runtime, flags) };
        Some(Flash { code, constants, runtime })
    }

    /// Code and constants of the network.
    pub fn network(&self) -> u64 {
        self.code + self.constants
    }
}

/// All that is in flash: `text`, constants among it, and `data`.
fn total(files: &[PathBuf], flags: &Flags) -> Option<u64> {
    let mut total = 0;
    for line in size(&["-B"], files, flags)?.lines().skip(1) {
        let mut columns = line.split_whitespace().map(|c| c.parse::<u64>().ok());
        total += columns.next()?? + columns.next()??;
    }
    Some(total)
}

fn size(options: &[&str], files: &[PathBuf], flags: &Flags) -> Option<String> {
    let tool = flags.cc.first().and_then(|cc| cc.strip_suffix("-gcc")).map(|prefix| format!("{prefix}-size"));
    let mut command = Command::new(tool.as_deref().unwrap_or("size"));
    let output = command.args(options).args(files).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok())?
}
