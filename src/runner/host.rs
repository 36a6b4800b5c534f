//! Building and running a network on this machine.
//!
//! In: generated sources, a C compiler, input values. Out: output values and the size of the code. Never looks
//! into the sources: a build is a list of files, a run is bytes in and bytes out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::bytes::{from_bytes, to_bytes};
use super::flash::Flash;
use super::objects::{Cache, Flags};
use crate::diag::{Diagnostic, Result};
use crate::ir::{TensorType, Value};
use crate::targets::platform::Simulator;

/// How to build and run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The C compiler; `None` for the platform's.
    pub cc: Option<String>,
    /// Whether to build with the sanitizers.
    pub sanitize: bool,
    /// When a run counts as hanging.
    pub timeout: Duration,
}

/// A built network.
#[derive(Debug)]
pub struct Program {
    executable: PathBuf,
    /// The command that runs it; `{elf}` stands for the program.
    simulator: Vec<String>,
    /// Bytes of code and constants, if `size` could tell.
    pub flash: Option<Flash>,
}

/// One C file of the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CFile {
    /// Its path below the build directory.
    pub path: String,
    /// Whether it is part of the network (and not of the harness that calls it).
    pub network: bool,
}

/// Compiles and links the C files that lie in `dir`; objects that were compiled before come from the cache.
///
/// # Errors
/// There is no compiler, or it rejects the sources.
pub fn build(dir: &Path, files: &[CFile], flags: &Flags, cache: &Cache) -> Result<Program> {
    let mut objects = Vec::new();
    let mut network = Vec::new();
    for file in files {
        let object = cache.object(dir, &file.path, flags)?;
        if file.network {
            network.push(object.clone());
        }
        objects.push(object);
    }
    let executable = dir.join("harness");
    let mut link = flags.command();
    link.args(&flags.cflags).args(&objects).arg("-o").arg(&executable).args(&flags.ldflags);
    super::objects::run_tool(link, "link the network", dir, &flags.packages)?;
    Ok(Program { executable, simulator: vec!["{elf}".into()], flash: Flash::of(&network, &[], flags) })
}

impl Program {
    /// The same program, run by a platform's simulator.
    pub fn on(mut self, simulator: Option<&Simulator>) -> Program {
        if let Some(simulator) = simulator.filter(|s| !s.argv.is_empty()) {
            self.simulator.clone_from(&simulator.argv);
        }
        self
    }

    /// The simulator's command for this program.
    fn command(&self) -> Command {
        let executable = self.executable.to_string_lossy();
        let mut words = self.simulator.iter().map(|w| w.replace("{elf}", &executable));
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }

    /// Runs the network once on `inputs`; outputs have the given types.
    ///
    /// # Errors
    /// The program crashes, hangs, or a sanitizer finds a fault.
    pub fn run(
        &self,
        dir: &Path,
        inputs: &[Value],
        outputs: &[TensorType],
        timeout: Duration,
    ) -> Result<Vec<Value>> {
        let fail = |what: &str, e: io::Error| Diagnostic::environment(format!("cannot {what}: {e}"));
        let (input_file, output_file) = (dir.join("inputs.bin"), dir.join("outputs.bin"));
        let bytes: Vec<u8> = inputs.iter().flat_map(to_bytes).collect();
        fs::write(&input_file, bytes).map_err(|e| fail("write the inputs", e))?;
        let log = dir.join("run.log");
        let log_file = fs::File::create(&log).map_err(|e| fail("write the log of the run", e))?;
        let out = log_file.try_clone().map_err(|e| fail("write the log of the run", e))?;
        let mut child = self
            .command()
            .args([&input_file, &output_file])
            .env("UBSAN_OPTIONS", "print_stacktrace=1")
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(log_file)
            .spawn()
            .map_err(|e| fail(&format!("start the built network with `{}`", self.simulator.join(" ")), e))?;
        let status = wait(&mut child, timeout).map_err(|e| fail("wait for the built network", e))?;
        let Some(status) = status else {
            return Err(Diagnostic::internal(format!(
                "the network did not end within {} s",
                timeout.as_secs_f64()
            ))
            .help("--timeout SECONDS allows more")
            .into());
        };
        if !status.success() {
            return Err(crash(status, &fs::read(&log).unwrap_or_default()).into());
        }
        let bytes = fs::read(&output_file).map_err(|e| fail("read the outputs", e))?;
        split(&bytes, outputs)
    }
}

/// The status when it ends in time, else `None` after killing it.
pub(super) fn wait(child: &mut std::process::Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > timeout {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn crash(status: ExitStatus, log: &[u8]) -> Diagnostic {
    // The harness's own exit codes; see kernels/host/runtime/harness.c.hbs.
    let what = match status.code() {
        Some(3) => "a second run on the same inputs gives other outputs".to_string(),
        Some(4) => "the harness cannot read or write its data".to_string(),
        Some(code) => format!("the network ended with exit code {code}"),
        None => format!("the network crashed ({status})"),
    };
    let log = String::from_utf8_lossy(log);
    let shown: Vec<&str> = log.lines().filter(|l| !l.trim().is_empty()).take(12).collect();
    let mut d = Diagnostic::internal(what);
    if !shown.is_empty() {
        d.message = format!("{}:\n    {}", d.message, shown.join("\n    "));
    }
    d
}

fn split(bytes: &[u8], outputs: &[TensorType]) -> Result<Vec<Value>> {
    let wanted: usize = outputs.iter().map(TensorType::bytes).sum();
    if bytes.len() != wanted {
        let message = format!("the network wrote {} bytes of outputs instead of {wanted}", bytes.len());
        return Err(Diagnostic::internal(message).into());
    }
    let mut rest = bytes;
    let mut values = Vec::new();
    for ty in outputs {
        let (head, tail) = rest.split_at(ty.bytes());
        rest = tail;
        let value = from_bytes(ty, head);
        values.push(value.ok_or_else(|| Diagnostic::internal("an output has the wrong size"))?);
    }
    Ok(values)
}
