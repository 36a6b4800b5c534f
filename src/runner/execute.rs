//! One case from model to verdict.
//!
//! In: a case and options. Out: an [`Outcome`]: the verdict, and what was compiled for those who want to show it.
//! Never stops at a bad case: every error becomes a verdict.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cases::{Case, DataSet};
use super::chip::{self, ChipOptions, Firmware, Profile, Ran};
use super::compare::{Comparison, compare_all};
use super::flash::Flash;
use super::host::{self, CFile, Program};
use super::inputs::{bind, read_inputs, read_outputs};
use super::objects::{Cache, Flags};
use super::random::Random;
use super::result::{CaseResult, Status};
use crate::diag::{Diagnostic, Diagnostics, Kind, Result};
use crate::driver::{self, CompileOptions, Compiled};
use crate::emit;
use crate::ir::{DType, Graph, TensorType, Value, interp};
use crate::targets::Platform;

/// How to run cases.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How to compile.
    pub compile: CompileOptions,
    /// The C compiler; `None` for the platform's.
    pub cc: Option<String>,
    /// Whether to build with the sanitizers.
    pub sanitize: bool,
    /// When a run counts as hanging.
    pub timeout: Duration,
    /// Largest absolute error of a float.
    pub tolerance: f64,
    /// Whether to compile twice and compare the sources.
    pub twice: bool,
    /// How to run where the target is a chip.
    pub chip: ChipOptions,
}

/// What came of a case.
#[derive(Debug)]
pub struct Outcome {
    /// The verdict.
    pub result: CaseResult,
    /// The compiled network, unless it was refused.
    pub compiled: Option<Compiled>,
    /// Where the cycles of the last run went, if measured.
    pub profile: Profile,
    /// Bytes of flash, if `size` could tell.
    pub flash: Option<Flash>,
    /// What there is to say beyond the verdict.
    pub notes: Diagnostics,
    /// What ended the case, if something did.
    pub error: Option<Diagnostics>,
}

/// Runs a case in `dir`, an empty directory.
pub fn execute(case: &Case, options: &RunOptions, dir: &Path, cache: &Cache) -> Outcome {
    let target = options.compile.target.clone();
    let mut outcome = Outcome {
        result: CaseResult::new(&case.name, target, Status::Fail),
        compiled: None,
        profile: Profile::default(),
        flash: None,
        notes: Diagnostics::default(),
        error: None,
    };
    if let Err(error) = run(case, options, dir, cache, &mut outcome) {
        // What does not fit shows when the network is placed, or when its code is linked.
        let infeasible = error.exit_code() == Kind::Infeasible.exit_code();
        let unsupported = error.exit_code() == Kind::Unsupported.exit_code();
        let refused = infeasible || (unsupported && outcome.compiled.is_none());
        outcome.result.status = if refused { Status::Refused } else { Status::Fail };
        outcome.result.reason = Some(reason(&error));
        outcome.error = Some(error);
    }
    outcome
}

/// All errors in one line each, joined: what a table or a JSON field can hold.
fn reason(error: &Diagnostics) -> String {
    let errors = error.0.iter().filter(|d| d.severity == crate::diag::Severity::Error);
    let lines = errors.map(|d| match (&d.node, &d.op) {
        (Some(node), Some(op)) => format!("{node} ({op}): {}", d.message),
        (Some(node), None) => format!("{node}: {}", d.message),
        (None, Some(op)) => format!("{op}: {}", d.message),
        (None, None) => d.message.clone(),
    });
    lines.collect::<Vec<_>>().join("; ")
}

fn run(case: &Case, options: &RunOptions, dir: &Path, cache: &Cache, outcome: &mut Outcome) -> Result<()> {
    let sets: Vec<_> = case.data.iter().map(|s| Ok((s, read_inputs(s)?))).collect::<Result<_>>()?;
    let mut compile = options.compile.clone();
    if let Some((_, arrays)) = sets.first() {
        compile.data.clone_from(arrays);
    } else {
        // Without data any input type will do: the inputs are made up for it, and the interpreter takes it too.
        compile.default_integer = Some(DType::S8);
    }
    let compiled = driver::compile(&case.model, &compile)?;
    check(&compiled.target.platform, options)?;
    let result = &mut outcome.result;
    result.compile_ms = Some((compiled.time().as_secs_f64() * 1e6).round() / 1e3);
    result.macs = Some(compiled.sources.report.totals.macs);
    result.ram_bytes = Some(compiled.sources.report.totals.arena_bytes as u64);
    outcome.notes.0.extend(compiled.warnings.0.iter().cloned());
    let compiled = outcome.compiled.insert(compiled);
    if options.twice {
        let again = driver::compile(&case.model, &compile)?;
        same_sources(compiled, &again)?;
    }
    let program = build(compiled, options, dir, cache)?;
    outcome.flash = program.flash();
    result.flash_bytes = outcome.flash.map(|f| f.network());
    result.cores = program.cores();
    let mut total: Option<Comparison> = None;
    for (set, arrays) in &sets {
        let (inputs, notes) = bind(&compiled.imported, arrays)?;
        outcome.notes.0.extend(notes.0);
        let expected = expected(set, compiled, &inputs)?;
        let ran = program.run(dir, &inputs, &output_types(&compiled.graph), options.timeout)?;
        count(result, &ran);
        if let Some(Err(why)) = ran.stack_bound {
            let unbounded =
                Diagnostic::unsupported(format!("no bound of the stack is known: {why}")).warning();
            outcome.notes.0.push(unbounded);
        }
        outcome.profile = ran.profile;
        let c = compare_all(&output_names(&compiled.graph), &ran.outputs, &expected, options.tolerance)?;
        total = Some(total.map_or(c, |t| t.merge(c)));
    }
    let goldens = !sets.is_empty() && sets.iter().all(|(s, _)| s.has_goldens());
    let seen = match total {
        Some(c) => c,
        None => {
            let (seen, profile) = against_interpreter(compiled, &program, options, dir, result)?;
            outcome.profile = profile;
            seen
        }
    };
    result.max_error = Some(seen.max_error);
    result.mismatches = Some(seen.mismatches);
    (result.status, result.reason) = match (seen.equal(), goldens) {
        (true, true) => (Status::Pass, None),
        (true, false) if sets.is_empty() => (
            Status::Skip,
            Some("no inputs and no goldens; equals the reference interpreter on random inputs".into()),
        ),
        (true, false) => {
            (Status::Skip, Some("no goldens; equals the reference interpreter on the inputs".into()))
        }
        (false, _) => (
            Status::Fail,
            Some(format!(
                "{} of {} elements differ, by up to {}{}",
                seen.mismatches,
                seen.elements,
                seen.max_error,
                if goldens { "" } else { " (from the reference interpreter)" }
            )),
        ),
    };
    Ok(())
}

/// The goldens, or what the interpreter computes in their place.
fn expected(set: &DataSet, compiled: &Compiled, inputs: &[Value]) -> Result<Vec<Value>> {
    match read_outputs(set)? {
        Some(values) => Ok(values),
        None => interp::run(&compiled.imported, inputs),
    }
}

/// Notes the figures of a run: of several, the largest.
fn count(result: &mut CaseResult, ran: &Ran) {
    result.cycles = result.cycles.max(ran.cycles);
    result.instructions = result.instructions.max(ran.instructions);
    result.stack_bytes = result.stack_bytes.max(ran.stack);
    result.stack_bound_bytes = ran.stack_bound.as_ref().and_then(|b| b.as_ref().ok()).copied();
}

fn output_types(graph: &Graph) -> Vec<TensorType> {
    graph.outputs().iter().map(|o| graph.tensor(o.tensor).ty.clone()).collect()
}

fn output_names(graph: &Graph) -> Vec<String> {
    graph.outputs().iter().map(|o| o.name.clone()).collect()
}

/// Runs on random inputs and compares with the interpreter. Wide integers may be indices into something small,
/// so their range shrinks until the interpreter accepts them.
fn against_interpreter(
    compiled: &Compiled,
    program: &Built,
    options: &RunOptions,
    dir: &Path,
    result: &mut CaseResult,
) -> Result<(Comparison, Profile)> {
    let types = compiled.imported.types(compiled.imported.inputs());
    let mut refusal = Diagnostics::default();
    for limit in [127, 7, 1, 0] {
        let mut random = Random::new(1);
        let inputs: Vec<Value> = types.iter().map(|ty| random.value(ty, limit)).collect();
        match interp::run(&compiled.imported, &inputs) {
            Ok(expected) => {
                let ran = program.run(dir, &inputs, &output_types(&compiled.graph), options.timeout)?;
                count(result, &ran);
                let names = output_names(&compiled.graph);
                let seen = compare_all(&names, &ran.outputs, &expected, options.tolerance)?;
                return Ok((seen, ran.profile));
            }
            Err(e) => refusal = e,
        }
    }
    Err(refusal)
}

fn same_sources(first: &Compiled, second: &Compiled) -> Result<()> {
    if first.sources.files == second.sources.files {
        return Ok(());
    }
    let differs = |(path, bytes): &(&String, &Vec<u8>)| second.sources.files.get(*path) != Some(*bytes);
    let path = first.sources.files.iter().find(differs).map_or("the list of files", |(path, _)| path);
    Err(Diagnostic::internal(format!("{path} differs when compiled a second time")).into())
}

/// A network ready to run.
enum Built {
    /// On this machine, called by a harness.
    Host(Program),
    /// On a chip, as a program of its own.
    Chip(Box<Firmware>),
}

impl Built {
    fn flash(&self) -> Option<Flash> {
        match self {
            Built::Host(program) => program.flash,
            Built::Chip(firmware) => firmware.flash,
        }
    }
    fn cores(&self) -> Option<u32> {
        match self {
            Built::Host(_) => None,
            Built::Chip(firmware) => firmware.shared,
        }
    }
    fn run(&self, dir: &Path, inputs: &[Value], outputs: &[TensorType], timeout: Duration) -> Result<Ran> {
        match self {
            Built::Host(program) => {
                let outputs = program.run(dir, inputs, outputs, timeout)?;
                Ok(Ran { outputs, ..Ran::default() })
            }
            Built::Chip(firmware) => firmware.run(dir, inputs, outputs, timeout),
        }
    }
}

/// Writes the sources into `dir` and compiles them, for this machine with a harness that calls them.
fn build(compiled: &Compiled, options: &RunOptions, dir: &Path, cache: &Cache) -> Result<Built> {
    let platform = &compiled.target.platform;
    let runtime = platform.runtime.as_ref();
    let own: &[String] = runtime.map_or(&[], |r| &r.files);
    let mut files = Vec::new();
    for (path, bytes) in &compiled.sources.files {
        write(&dir.join(path), bytes)?;
        if path != emit::EXAMPLE && (path.ends_with(".c") || path.ends_with(".S")) {
            let network = own.iter().all(|f| f.trim_end_matches(".hbs") != path);
            files.push(CFile { path: path.to_string(), network });
        }
    }
    let flags = flags(compiled, options);
    if runtime.is_some() {
        let built = chip::build(dir, &files, &flags, cache, platform, &options.chip)?;
        let image = compiled.sources.files.get(emit::IMAGE).cloned().unwrap_or_default();
        let places = super::labels::places(compiled);
        let functions = ["init", "run"].map(|f| format!("{}_{f}", compiled.sources.api.net));
        return Ok(Built::Chip(Box::new(built.knowing(places).with_flash(image).of_network(functions))));
    }
    write(&dir.join("harness.c"), super::harness::render(compiled)?.as_bytes())?;
    files.push(CFile { path: "harness.c".into(), network: false });
    let program = host::build(dir, &files, &flags, cache)?;
    Ok(Built::Host(program.on(platform.simulator.as_ref())))
}

/// What an option asks of a target that has none of it.
fn check(platform: &Platform, options: &RunOptions) -> Result<()> {
    chip::cores(platform, options.chip.cores)?;
    let measures = platform.simulator.as_ref().is_some_and(|s| s.builtin.is_some());
    let fault = match (&platform.runtime, &options.chip) {
        (Some(_), _) if options.sanitize => {
            "--sanitize: programs for a chip have no sanitizers; its simulator checks them"
        }
        (None, chip) if chip.simulator.is_some() => "--simulator: only programs for a chip have one",
        (_, chip) if (chip.profile || chip.trace.is_some()) && !measures => {
            "--profile and --trace: only simulators of chips measure where cycles go, and of these the built-in ones"
        }
        _ => return Ok(()),
    };
    Err(Diagnostic::invalid(format!("target `{}`: {fault}", platform.name)).into())
}

fn flags(compiled: &Compiled, options: &RunOptions) -> Flags {
    let toolchain = &compiled.target.platform.toolchain;
    let mut flags = Flags {
        cc: options.cc.as_ref().map_or_else(|| toolchain.cc.clone(), |cc| vec![cc.clone()]),
        cflags: toolchain.cflags.clone(),
        ldflags: toolchain.ldflags.clone(),
        packages: if options.cc.is_none() { toolchain.packages.clone() } else { Vec::new() },
    };
    flags.cflags.extend(["-Wall", "-Wextra", "-Werror", "-pedantic"].map(String::from));
    if options.sanitize {
        // -O1 halves the time of the build; what the sanitizers find does not depend on it.
        flags.cflags.extend(
            ["-O1", "-g", "-DTW_DEBUG", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
                .map(String::from),
        );
    }
    flags
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<()> {
    let fail = |e: std::io::Error| Diagnostic::environment(format!("cannot write {}: {e}", path.display()));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(fail)?;
    }
    Ok(fs::write(path, bytes).map_err(fail)?)
}
