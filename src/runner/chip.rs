//! Building a network as a program for a bare chip, and running it on a simulator of that chip.
//!
//! In: generated sources with the platform's runtime, a cross compiler, input values. Out: output values, cycles,
//! instructions, a profile. Never knows a chip: the platform says how to link, the simulator what it plays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, io};

use super::bytes::{from_bytes, to_bytes};
use super::flash::Flash;
use super::host::{self, CFile};
use super::labels::Place;
use super::objects::{Cache, Flags, missing as missing_tool, run_tool};
use super::stack;
use crate::diag::{Diagnostic, Kind, Result};
use crate::files;
use crate::ir::{TensorType, Value};
use crate::sim::{self, FunctionTime, Label, LayerTime, Soc, Status, Timeline};
use crate::targets::Platform;
use crate::targets::platform::External;

/// Where and how programs for chips run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipOptions {
    /// Cores that share the work; `None` for all of them.
    pub cores: Option<u32>,
    /// An installed simulator by its name in the platform's file; `None` for the platform's own.
    pub simulator: Option<String>,
    /// Cycles after which a program counts as hanging.
    pub max_cycles: u64,
    /// Whether the simulator checks memory accesses.
    pub checks: bool,
    /// Whether to measure where cycles go; the target must be able to.
    pub profile: bool,
    /// The same where the target is able to.
    pub measure: bool,
    /// Where to write what happened when.
    pub trace: Option<PathBuf>,
}

/// Cycles after which a program counts as hanging unless an option says otherwise: two minutes at 72 MHz.
pub const MAX_CYCLES: u64 = 9_000_000_000;

impl Default for ChipOptions {
    fn default() -> Self {
        ChipOptions {
            cores: None,
            simulator: None,
            max_cycles: MAX_CYCLES,
            checks: true,
            profile: false,
            measure: false,
            trace: None,
        }
    }
}

/// What runs programs.
#[derive(Clone, Debug)]
enum Runner {
    /// The simulator in this binary, playing this chip.
    Builtin(String),
    /// An installed one: its command and arguments, and the packages that have it.
    External(PathBuf, Vec<String>, Vec<String>),
}

/// A network built for a chip, but for its inputs.
#[derive(Debug)]
pub struct Firmware {
    objects: Vec<PathBuf>,
    flags: Flags,
    inputs: Option<String>,
    link: Vec<String>,
    runner: Runner,
    options: ChipOptions,
    tensors: Vec<Place>,
    /// What an external flash holds.
    image: Vec<u8>,
    /// Functions whose stack is to be bounded.
    functions: Vec<String>,
    /// Cores that share the work, where there are several.
    pub shared: Option<u32>,
    /// Bytes of code and constants, if `size` could tell.
    pub flash: Option<Flash>,
}

/// What a run gave.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// The outputs.
    pub outputs: Vec<Value>,
    /// Cycles of the inference.
    pub cycles: Option<u64>,
    /// Instructions of the inference, of all cores together.
    pub instructions: Option<u64>,
    /// Bytes of stack, if measured.
    pub stack: Option<u64>,
    /// Bytes of stack that no inference exceeds, or why they are not known; on chips with one core.
    pub stack_bound: Option<std::result::Result<u64, String>>,
    /// Where cycles went, if measured.
    pub profile: Profile,
}

/// Where cycles went.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Time per layer.
    pub layers: Vec<LayerTime>,
    /// Time per function.
    pub functions: Vec<FunctionTime>,
    /// What happened when.
    pub timeline: Timeline,
}

/// How many cores share the work.
///
/// # Errors
/// More or fewer are wanted than there are.
pub fn cores(platform: &Platform, wanted: Option<u32>) -> Result<u32> {
    let most = platform.cores();
    match wanted {
        None => Ok(most),
        Some(n) if (1..=most).contains(&n) => Ok(n),
        Some(n) => {
            let cores = if most == 1 { "one core".to_string() } else { format!("{most} cores") };
            let message = format!("--cores {n}: target `{}` has {cores} to share the work", platform.name);
            Err(Diagnostic::invalid(message).into())
        }
    }
}

/// Compiles the sources that lie in `dir`; objects that were compiled before come from the cache.
///
/// # Errors
/// There is no compiler or simulator, or the compiler rejects the sources.
pub fn build(
    dir: &Path,
    files: &[CFile],
    flags: &Flags,
    cache: &Cache,
    platform: &Platform,
    options: &ChipOptions,
) -> Result<Firmware> {
    let runtime = platform.runtime.clone().unwrap_or_default();
    let runner = runner(platform, options)?;
    let cores = cores(platform, options.cores)?;
    let mut objects = Vec::new();
    let (mut network, mut others) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|f| Some(&f.path) != runtime.inputs.as_ref()) {
        let object = cache.object(dir, &file.path, flags)?;
        if file.network { &mut network } else { &mut others }.push(object.clone());
        objects.push(object);
    }
    Ok(Firmware {
        objects,
        flags: flags.clone(),
        inputs: runtime.inputs.clone(),
        link: runtime.cores.iter().map(|f| f.replace("{cores}", &cores.to_string())).collect(),
        runner,
        options: options.clone(),
        tensors: Vec::new(),
        image: Vec::new(),
        functions: Vec::new(),
        shared: (platform.cores() > 1).then_some(cores),
        flash: Flash::of(&network, &others, flags),
    })
}

/// What is to run programs.
fn runner(platform: &Platform, options: &ChipOptions) -> Result<Runner> {
    let simulator = platform.simulator.clone().unwrap_or_default();
    let Some(name) = &options.simulator else {
        if let Some((command, args)) = simulator.argv.split_first() {
            return Ok(Runner::External(PathBuf::from(command), args.to_vec(), simulator.packages));
        }
        let chip = simulator.builtin.ok_or_else(|| {
            Diagnostic::invalid(format!("target `{}` names no simulator to run programs", platform.name))
        })?;
        return Ok(Runner::Builtin(chip));
    };
    let Some(External { variable, args, help }) = simulator.external.get(name) else {
        let known: Vec<&str> = simulator.external.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        let message = format!("target `{}` knows no simulator `{name}`", platform.name);
        return Err(Diagnostic::invalid(message)
            .help(format!("installed simulators it knows: {known}"))
            .into());
    };
    match env::var_os(variable).filter(|v| !v.is_empty()) {
        Some(command) => Ok(Runner::External(PathBuf::from(command), args.clone(), Vec::new())),
        None => {
            let message = format!("the simulator `{name}` is not installed: {variable} is not set");
            Err(Diagnostic::environment(message).help(help.clone()).into())
        }
    }
}

impl Firmware {
    /// The same program, whose faults name these tensors.
    pub fn knowing(mut self, tensors: Vec<Place>) -> Firmware {
        self.tensors = tensors;
        self
    }

    /// The same program, with these bytes in the chip's external flash.
    pub fn with_flash(mut self, image: Vec<u8>) -> Firmware {
        self.image = image;
        self
    }

    /// The same program, of which these functions are the network; their stack is bounded where there is one core.
    pub fn of_network(mut self, functions: [String; 2]) -> Firmware {
        self.functions = if self.shared.is_none() { functions.into() } else { Vec::new() };
        self
    }

    /// Links the program with these inputs and runs it once; outputs have the given types.
    ///
    /// # Errors
    /// It does not fit the chip, faults, hangs, or prints something else than it should.
    pub fn run(
        &self,
        dir: &Path,
        inputs: &[Value],
        outputs: &[TensorType],
        timeout: Duration,
    ) -> Result<Ran> {
        let elf = self.link(dir, inputs)?;
        match &self.runner {
            Runner::Builtin(chip) => self.simulate(chip, &elf, outputs),
            Runner::External(..) if !self.image.is_empty() => {
                let message =
                    "the constants lie in external flash, which an installed simulator is not given";
                Err(Diagnostic::unsupported(message).help("leave --default-level or --simulator out").into())
            }
            Runner::External(command, args, packages) => {
                let mut ran = parse(&external(command, args, packages, &elf, dir, timeout)?, outputs)?;
                if !self.functions.is_empty() {
                    let bound = stack::bound(&elf, &self.flags, &self.functions);
                    within(ran.stack, &bound)?;
                    ran.stack_bound = Some(bound);
                }
                Ok(ran)
            }
        }
    }

    /// Runs a program on the simulator in this binary.
    fn simulate(&self, chip: &str, elf: &Path, outputs: &[TensorType]) -> Result<Ran> {
        let soc = sim::soc(chip).ok_or_else(|| {
            Diagnostic::invalid(format!("the built-in simulator does not know the chip `{chip}`"))
        })?;
        let bytes = fs::read(elf).map_err(|e| failed("read the program", &e))?;
        let options = sim::Options {
            max_cycles: Some(self.options.max_cycles),
            check: self.options.checks,
            profile: self.options.profile || self.options.measure,
            trace: self.options.trace.is_some(),
            labels: labels(&self.tensors, &bytes, &soc),
            flash: self.image.clone(),
        };
        let report = sim::simulate(&bytes, &soc, &options)?;
        if let (Some(file), Some(trace)) = (&self.options.trace, &report.trace) {
            files::write(file, trace)?;
        }
        let printed = ended(&report, &self.options)?;
        let ran = parse(&printed, outputs)?;
        let sim::Report { layers, functions, timeline, .. } = report;
        Ok(Ran { profile: Profile { layers, functions, timeline }, ..ran })
    }

    /// The program with its inputs inside.
    fn link(&self, dir: &Path, inputs: &[Value]) -> Result<PathBuf> {
        let mut objects = self.objects.clone();
        let bytes: Vec<u8> = inputs.iter().flat_map(to_bytes).collect();
        let file = dir.join("inputs.bin");
        fs::write(&file, bytes).map_err(|e| failed("write the inputs", &e))?;
        if let Some(source) = &self.inputs {
            let object = dir.join("inputs.o");
            let mut command = self.flags.command();
            command.args(&self.flags.cflags).arg(format!("-DTW_INPUTS=\"{}\"", file.display()));
            command.arg("-c").arg(source).arg("-o").arg(&object).current_dir(dir);
            run_tool(command, &format!("assemble {source}"), dir, &self.flags.packages)?;
            objects.push(object);
        }
        let elf = dir.join("network.elf");
        let mut link = self.flags.command();
        link.args(&self.flags.cflags).args(&objects).arg("-o").arg(&elf);
        link.args(&self.link).args(&self.flags.ldflags).current_dir(dir);
        run_tool(link, "link the network", dir, &self.flags.packages).map_err(|mut found| {
            for d in &mut found.0 {
                if let Some(d_fits) = overflow(&d.message) {
                    *d = d_fits;
                }
            }
            found
        })?;
        Ok(elf)
    }
}

/// The linker's complaint about a full memory as what it is; `None` for any other.
fn overflow(message: &str) -> Option<Diagnostic> {
    // "region `l2' overflowed by 1234 bytes"
    let (head, tail) = message.split_once("' overflowed by ")?;
    let region = head.rsplit('`').next()?;
    let bytes: u64 = tail.split_whitespace().next()?.parse().ok()?;
    let text =
        format!("code, constants, inputs and activations need {bytes} bytes more than `{region}` holds");
    let help = "make the network smaller, or if the chip can, keep its constants outside (--default-level L3), or leave its \
                activations less (--l2 BYTES)";
    Some(Diagnostic::new(Kind::Infeasible, text).help(help))
}

/// Checks a measured stack against its bound.
fn within(used: Option<u64>, bound: &std::result::Result<u64, String>) -> Result<()> {
    match (used, bound) {
        (Some(used), Ok(bound)) if used > *bound => {
            let message = format!("the network used {used} bytes of stack, which was bounded by {bound}");
            Err(Diagnostic::internal(message).into())
        }
        _ => Ok(()),
    }
}

fn failed(what: &str, e: &io::Error) -> Diagnostic {
    Diagnostic::environment(format!("cannot {what}: {e}"))
}

/// Tensors with their addresses in a program.
fn labels(tensors: &[Place], elf: &[u8], soc: &Soc) -> Vec<Label> {
    let mut arenas: BTreeMap<&str, Option<u32>> = BTreeMap::new();
    let mut found = Vec::new();
    for t in tensors {
        let base = arenas.entry(&t.arena).or_insert_with(|| sim::address(elf, soc, &t.arena));
        if let Some(start) = base.and_then(|base| base.checked_add(t.offset)) {
            found.push(Label { name: t.name.clone(), start, size: t.size, layers: t.layers });
        }
    }
    found
}

/// What a program printed that ended as it should.
fn ended(report: &sim::Report, options: &ChipOptions) -> Result<String> {
    let text = String::from_utf8_lossy(&report.stdout).into_owned();
    let mut problem = match &report.status {
        Status::Exit(0) => return Ok(text),
        Status::Exit(status @ 100..=131) => format!("the program trapped (cause {})", status - 100),
        Status::Exit(status) => format!("the program ended with status {status}"),
        Status::TimeOut => format!("the program did not end within {} cycles", options.max_cycles),
        Status::Deadlock => format!("cycle {}: every core sleeps and nothing can wake one", report.cycles),
        Status::Fault(what) => what.clone(),
    };
    let positions: &[String] = match &report.status {
        Status::TimeOut | Status::Deadlock => &report.positions,
        _ => &[],
    };
    let printed = text.lines().filter(|l| !l.trim().is_empty()).take(4).map(str::to_string);
    for line in positions.iter().cloned().chain(printed) {
        problem += &format!("\n    {line}");
    }
    let d = Diagnostic::internal(problem);
    Err(match report.status {
        Status::TimeOut => d.help("--max-cycles N allows more"),
        _ => d,
    }
    .into())
}

/// Runs a program in `dir` on an installed simulator and gives what it printed.
fn external(
    command: &Path,
    args: &[String],
    packages: &[String],
    elf: &Path,
    dir: &Path,
    timeout: Duration,
) -> Result<String> {
    let name = command.display().to_string();
    let log = dir.join("run.log");
    let file = fs::File::create(&log).map_err(|e| failed("write the log of the run", &e))?;
    let errors = file.try_clone().map_err(|e| failed("write the log of the run", &e))?;
    let place =
        |a: &String| a.replace("{elf}", &elf.to_string_lossy()).replace("{dir}", &dir.to_string_lossy());
    let mut child = Command::new(command)
        .args(args.iter().map(place))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .spawn()
        .map_err(|e| match packages {
            [] => failed(&format!("start the simulator `{name}`"), &e),
            _ => missing_tool(&name, packages, &e),
        })?;
    let status = host::wait(&mut child, timeout).map_err(|e| failed("wait for the simulator", &e))?;
    let text = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    let shown: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).rev().take(12).collect();
    let shown = shown.into_iter().rev().collect::<Vec<_>>().join("\n    ");
    match status {
        None => {
            let message = format!("`{name}` did not end within {} s:\n    {shown}", timeout.as_secs_f64());
            Err(Diagnostic::internal(message).help("--timeout SECONDS allows more").into())
        }
        Some(status) if !status.success() => {
            let what = match status.code() {
                Some(code @ 100..) => format!("the program trapped (cause {})", code - 100),
                _ => format!("`{name}` ended with {status}"),
            };
            Err(Diagnostic::internal(format!("{what}:\n    {shown}")).into())
        }
        Some(_) => Ok(text),
    }
}

/// Reads what the runtime's main program prints: `tilewright output I BYTES` with the bytes in hexadecimal behind it,
/// and `tilewright result NAME NUMBER …`. Other lines may stand between.
fn parse(printed: &str, outputs: &[TensorType]) -> Result<Ran> {
    let mut found: Vec<Option<Vec<u8>>> = vec![None; outputs.len()];
    let mut ran = Ran::default();
    let mut result = false;
    let mut lines = printed.lines();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["tilewright", "output", index, bytes] => {
                let (index, bytes) = (index.parse::<usize>().ok(), bytes.parse::<usize>().ok());
                if let (Some(slot), Some(bytes)) = (index.and_then(|i| found.get_mut(i)), bytes) {
                    *slot = hexadecimal(&mut lines, bytes);
                }
            }
            ["tilewright", "layer", number, "instructions", instructions] => {
                let figures = (number.parse().ok(), instructions.parse().ok());
                if let (Some(number), Some(instructions)) = figures {
                    ran.profile.layers.push(LayerTime { number, instructions, ..LayerTime::default() });
                }
            }
            ["tilewright", "result", figures @ ..] => {
                result = true;
                let figure = |name: &str| {
                    let at = figures.iter().position(|w| *w == name)?;
                    figures.get(at + 1)?.parse().ok()
                };
                ran.cycles = figure("cycles");
                ran.instructions = figure("instructions").filter(|n| *n > 0);
                ran.stack = figure("stack");
            }
            _ => {}
        }
    }
    for (i, (ty, bytes)) in outputs.iter().zip(found).enumerate() {
        let value = bytes.and_then(|b| from_bytes(ty, &b));
        ran.outputs.push(value.ok_or_else(|| missing(&format!("output {i}"), printed))?);
    }
    if !result {
        return Err(missing("its result", printed).into());
    }
    Ok(ran)
}

/// `bytes` bytes from the lines that follow.
fn hexadecimal(lines: &mut std::str::Lines, bytes: usize) -> Option<Vec<u8>> {
    let mut data = Vec::with_capacity(bytes);
    while data.len() < bytes {
        let line = lines.next()?.trim();
        let digits: Option<Vec<u8>> =
            line.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
        let digits = digits?;
        data.extend(digits.chunks(2).filter_map(|pair| Some(pair.first()? << 4 | pair.get(1)?)));
        if digits.is_empty() || digits.len() % 2 == 1 {
            return None;
        }
    }
    Some(data).filter(|d| d.len() == bytes)
}

fn missing(what: &str, printed: &str) -> Diagnostic {
    let shown: Vec<&str> = printed.lines().filter(|l| !l.trim().is_empty()).take(8).collect();
    Diagnostic::internal(format!(
        "the program did not print {what}; it printed:\n    {}",
        shown.join("\n    ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::DType;

    #[test]
    fn what_programs_print_is_read() {
        let ty = TensorType::new(DType::S16, [3]);
        let text = "boot\ntilewright output 0 6\n0100ffff\r\n0080\nnoise\ntilewright layer 3 instructions 5\n\
            tilewright result cycles 12 instructions 7 cores 1 stack 96\n";
        let ran = parse(text, std::slice::from_ref(&ty)).unwrap();
        assert_eq!(ran.outputs[0].to_i64().iter().copied().collect::<Vec<_>>(), [1, -1, -32768]);
        assert_eq!((ran.cycles, ran.instructions, ran.stack), (Some(12), Some(7), Some(96)));
        let layers: Vec<_> =
            ran.profile.layers.iter().map(|l| (l.number, l.instructions, l.cycles)).collect();
        assert_eq!(layers, [(3, 5, 0)]);
        for bad in [
            "",
            "tilewright output 0 6\n0100ff",
            "tilewright output 0 6\n0100fff\n0080\n",
            "tilewright output 0 6\n0100ffff0080\n",
        ] {
            let e = parse(bad, std::slice::from_ref(&ty)).unwrap_err().to_string();
            assert!(e.contains("did not print"), "{e}");
        }
    }

    #[test]
    fn a_full_memory_is_infeasible() {
        let said =
            "cc cannot link the network:\n    ld: region `l2' overflowed by 1234 bytes\n    collect2: error";
        let d = overflow(said).unwrap();
        assert_eq!(d.kind, Kind::Infeasible);
        assert!(d.message.contains("need 1234 bytes more than `l2` holds"), "{}", d.message);
        assert!(overflow("cc cannot link: undefined reference to `x'").is_none());
    }
}
