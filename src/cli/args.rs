//! The command line's grammar.
//!
//! In: the process arguments. Out: [`Cli`]. Never touches a file: every value is only parsed here.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::ir::DType;

/// Exit codes, shown by every `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0   done; every comparison is as expected
  1   outputs differ, or a case failed
  2   wrong use of the command line
  3   invalid input: model, data, manifest or option value
  4   the network uses something unsupported (all such nodes are listed)
  5   the network does not fit the target's memory
  6   a tool, a file or the disk failed
  7   `simulate` stopped the program
  70  a fault of tilewright itself: please report it";

/// Compiles ONNX networks to bit-exact bare-metal C for microcontrollers.
#[derive(Debug, Parser)]
#[command(
    name = "tilewright",
    version,
    about = "Compiles ONNX networks to bit-exact bare-metal C for microcontrollers",
    after_help = EXIT_CODES,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    disable_help_flag = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Print help
    #[arg(short, long, global = true, display_order = 999, action = ArgAction::HelpShort)]
    pub help: Option<bool>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write the C sources of a network
    #[command(after_help = COMPILE_EXAMPLES)]
    Compile(CompileArgs),
    /// Compile one network, build it, run it, compare with its goldens, show a table
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Run every case below some paths and count
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArgs),
    /// Show a run, or compare two, on a page for a browser
    #[command(after_help = REPORT_EXAMPLES)]
    Report(ReportArgs),
    /// Print a network as the compiler sees it
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(InspectArgs),
    /// List the targets, their memories and their kernels
    Targets(TargetsArgs),
    /// Say which tools are present, what each is for and how to get it
    Doctor,
    /// Write the files of a new kernel, operator or target
    New(NewArgs),
    /// Solve one memory allocation problem
    #[command(after_help = PLAN_EXAMPLES)]
    PlanMemory(PlanMemoryArgs),
    /// Run a program on the simulator of a chip
    #[command(after_help = SIMULATE_HELP)]
    Simulate(SimulateArgs),
}

const COMPILE_EXAMPLES: &str = "\
Examples:
  tilewright compile model.onnx -o firmware/net
  tilewright compile kws.onnx -o kws --name kws --input-type input=uint8
  tilewright compile net.onnx -o net --shape input=1,3,32,32 --io caller
  tilewright compile net.onnx -o net --target cortex-m4 --ram-budget 48KiB";

const RUN_EXAMPLES: &str = "\
Examples:
  tilewright run DeployTest/Models/Int8/KeywordSpotting
  tilewright run model.onnx --keep build --sanitize
  tilewright run model.onnx --target siracusa --profile --report report.html
  tilewright run model.onnx --target siracusa --json > run.json";

const REPORT_EXAMPLES: &str = "\
The page needs no network and no other file. It shows the main figures, when kernels and transfers ran, the
memories over time, a roofline, and a table of layers; of two runs, what changed.

Examples:
  tilewright run model.onnx --target siracusa --json > run.json
  tilewright report run.json -o report.html
  tilewright report before.json after.json -o comparison.html";

const TEST_EXAMPLES: &str = "\
Examples:
  tilewright test DeployTest
  tilewright test cases -j 4 --json results.json --sanitize

The last line reads `N passed, N failed, N skipped`; refused networks count as skipped.";

const INSPECT_EXAMPLES: &str = "\
Examples:
  tilewright inspect model.onnx
  tilewright inspect model.onnx --after import
  tilewright inspect model.onnx --dot | dot -Tsvg > model.svg";

const PLAN_EXAMPLES: &str = "\
The file has the columns id, lower, upper, size: a buffer is live from step `lower` up to, not
including, step `upper`. The answer is the same table with a column `offset`.

Examples:
  tilewright plan-memory A.1048576.csv --capacity 1048576";

const SIMULATE_HELP: &str = "\
The program starts where its ELF file says, on the core that boots the chip, and ends when it writes
0x80000000 | status to the exit register. What it prints goes to standard output; how it ended, the
cycles and the speed go to standard error.

Examples:
  tilewright simulate build/network.elf
  tilewright simulate build/network.elf --no-checks --max-cycles 100000000
  tilewright simulate build/network.elf --profile --trace trace.json

Exit codes:
  0   the program ended with status 0
  1   the program ended with another status
  2   wrong command line
  3   the file is no program for this chip
  6   the file cannot be read
  7   the simulator stopped the program: it did something impossible or forbidden, all its cores
      sleep for ever, or it did not end within --max-cycles";

/// What is common to everything that compiles a model.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Compiler options")]
pub struct ModelArgs {
    /// The target to compile for (see `tilewright targets`)
    #[arg(long, value_name = "NAME", default_value = "host")]
    pub target: String,
    /// Name of the network: the prefix of every C symbol [default: the model's file name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Element type of an input whose integers are stored as floats; may be repeated
    #[arg(long, value_name = "NAME=TYPE")]
    pub input_type: Vec<InputType>,
    /// Shape of an input with unknown dimensions; may be repeated
    #[arg(long, value_name = "NAME=D,D,…")]
    pub shape: Vec<InputShape>,
    /// More kernels, which win over the built-in ones of the same name; may be repeated
    #[arg(long, value_name = "DIR")]
    pub kernels: Vec<PathBuf>,
    /// Where the buffers of inputs and outputs are: in the network's arena, or given by the caller
    #[arg(long, value_enum, default_value = "arena", value_name = "WHERE")]
    pub io: Io,
    /// Have kernels work on whole tensors in the memory of the activations, where a target would compute in parts
    #[arg(long)]
    pub untiled: bool,
    /// Bytes of the scratchpad (L1) that parts may use, or of the tightly coupled memory that activations may [default: all
    /// there are]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub l1: Option<u64>,
    /// Bytes of the memory (L2) that activations may use, of all memories together where there are several [default: all
    /// there are]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub l2: Option<u64>,
    /// Bytes of the arena at most, on targets without a scratchpad: where layer by layer takes more, leading layers are computed
    /// row by row together; without it, only what the target's memory has no room for is
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub ram_budget: Option<u64>,
    /// Bytes of the memory outside of the chip (L3) that may be used [default: all there are]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub l3: Option<u64>,
    /// Where constants lie: in memory that kernels can read, or in the one outside of the chip (L3), from where they come
    /// while earlier layers are computed [default: l2, or l3 where that has no room for them]
    #[arg(long, value_enum, ignore_case = true, value_name = "LEVEL")]
    pub default_level: Option<Level>,
    /// Whether parts are fetched while others are computed, where a target computes in parts
    #[arg(long, value_enum, default_value = "auto", value_name = "HOW")]
    pub buffering: BufferingArg,
    /// Compute every layer by itself, even where neighbouring layers would be faster computed part by part together
    #[arg(long)]
    pub no_fusion: bool,
    /// How long the planner may search for what is kept in the scratchpad: counted in decisions, so that plans do not depend
    /// on the machine [default: 0.15]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub plan_seconds: Option<f64>,
    /// Use the plan in this file (see `compile --save-plan`) instead of making one
    #[arg(long, value_name = "FILE.json")]
    pub plan: Option<PathBuf>,
    /// Print the graph after a pass, or after each of them with `all`; may be repeated
    #[arg(long, value_name = "PASS")]
    pub print_after: Vec<String>,
    /// Apply no pass after this one
    #[arg(long, value_name = "PASS")]
    pub stop_after: Option<String>,
    /// Print how long each stage and pass took
    #[arg(long)]
    pub time_passes: bool,
    /// Say what is being done; print notes and warnings in full
    #[arg(short, long)]
    pub verbose: bool,
}

/// Where constants lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// In the chip
    L2,
    /// Outside of it
    L3,
}

/// How parts are buffered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BufferingArg {
    /// Whatever is faster
    Auto,
    /// One buffer: copies and kernels take turns
    Single,
    /// Two buffers: copies overlap kernels
    Double,
}

/// A number of bytes, with a unit if wanted.
fn seconds(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|s: &f64| (0.0..=86_400.0).contains(s));
    parsed.ok_or_else(|| "a number of seconds from 0 to 86400, such as 0.5".into())
}

fn bytes(text: &str) -> Result<u64, String> {
    let parsed = crate::targets::platform::parse_bytes(text);
    parsed.ok_or_else(|| "a number of bytes, such as 64000 or 64KiB".into())
}

/// How networks are built and run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Build options")]
pub struct BuildArgs {
    /// The C compiler to use instead of the target's
    #[arg(long, value_name = "CC")]
    pub cc: Option<String>,
    /// Build with the address and undefined-behaviour sanitizers, and fail on any finding
    #[arg(long)]
    pub sanitize: bool,
    /// Keep the generated sources, the build and its data in this directory
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Seconds after which a run counts as hanging
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
    /// Largest absolute error of a float output; integers must be exact
    #[arg(long, value_name = "ERROR", default_value_t = crate::runner::FLOAT_TOLERANCE)]
    pub tolerance: f64,
    /// Options of chips
    #[command(flatten)]
    pub chip: ChipArgs,
}

/// How programs for chips run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Chip options")]
pub struct ChipArgs {
    /// Cores that share the work [default: all of the target's]
    #[arg(long, value_name = "N")]
    pub cores: Option<u32>,
    /// An installed simulator instead of the built-in one
    #[arg(long, value_name = "NAME")]
    pub simulator: Option<String>,
    /// Simulated cycles after which a program counts as hanging
    #[arg(long, value_name = "N", default_value_t = crate::runner::chip::MAX_CYCLES)]
    pub max_cycles: u64,
    /// Simulate without checking memory accesses: faster
    #[arg(long)]
    pub no_checks: bool,
}

/// Arguments of `compile`.
#[derive(Debug, Args)]
pub struct CompileArgs {
    /// The network
    #[arg(value_name = "MODEL.onnx")]
    pub model: PathBuf,
    /// The directory to write; it must be empty or not exist
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write into the directory even if it holds files; files of the same names are replaced
    #[arg(long)]
    pub force: bool,
    /// Print the report as JSON instead of a summary
    #[arg(long)]
    pub json: bool,
    /// Write the plan (order, places, parts, transfers) to this file, to be edited and used again with --plan
    #[arg(long, value_name = "FILE.json")]
    pub save_plan: Option<PathBuf>,
    /// Options of the compiler
    #[command(flatten)]
    pub options: ModelArgs,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A case directory (network.onnx or model.onnx with test data) or a model
    #[arg(value_name = "CASE|MODEL")]
    pub case: PathBuf,
    /// Print the result as JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write a page for a browser that shows the run (see `tilewright report`)
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Options of the compiler
    #[command(flatten)]
    pub options: ModelArgs,
    /// Options of the build
    #[command(flatten)]
    pub build: BuildArgs,
    /// Show where the cycles go: per layer, per part and per function
    #[arg(long, help_heading = "Chip options")]
    pub profile: bool,
    /// Write what happened when as Chrome trace JSON to this file
    #[arg(long, value_name = "FILE", help_heading = "Chip options")]
    pub trace: Option<PathBuf>,
}

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Directories to search for cases, or models
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Cases to run at once [default: the number of processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Write the results as JSON to this file (`-` for standard output)
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Only cases whose name contains this text
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Compile every case a second time and fail if a byte differs
    #[arg(long)]
    pub twice: bool,
    /// Options of the compiler
    #[command(flatten)]
    pub options: ModelArgs,
    /// Options of the build
    #[command(flatten)]
    pub build: BuildArgs,
    /// Show where the cycles of every case go: per layer and per part; all of it in --json
    #[arg(long, help_heading = "Chip options")]
    pub profile: bool,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// What `tilewright run --json` printed: of one run, or of two to compare
    #[arg(value_name = "RUN.json", required = true, num_args = 1..=2)]
    pub runs: Vec<PathBuf>,
    /// The page to write
    #[arg(short, long, value_name = "FILE.html")]
    pub output: PathBuf,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The network
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// The graph as it is after this pass (`import`: as loaded) [default: after all passes]
    #[arg(long, value_name = "PASS")]
    pub after: Option<String>,
    /// Print a Graphviz picture instead of text
    #[arg(long)]
    pub dot: bool,
    /// Options of the compiler
    #[command(flatten)]
    pub options: ModelArgs,
}

/// Arguments of `targets`.
#[derive(Debug, Args)]
pub struct TargetsArgs {
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// List every kernel of every target
    #[arg(short, long)]
    pub verbose: bool,
    /// More kernels; may be repeated
    #[arg(long, value_name = "DIR")]
    pub kernels: Vec<PathBuf>,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What to make
    #[arg(value_enum)]
    pub what: Scaffold,
    /// Its name: `relu_s16` for a kernel, `HardTanh` for an operator, `my-board` for a target
    pub name: String,
    /// The operator a new kernel computes
    #[arg(long, value_name = "OPERATOR", default_value = "Relu")]
    pub op: String,
    /// The directory to write below; existing files are never replaced
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,
}

/// Arguments of `plan-memory`.
#[derive(Debug, Args)]
pub struct PlanMemoryArgs {
    /// The problem
    #[arg(value_name = "FILE.csv")]
    pub file: PathBuf,
    /// Bytes to place the buffers in
    #[arg(long, value_name = "BYTES")]
    pub capacity: u64,
    /// Write the solution to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub seconds: u64,
}

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The program, an ELF file
    #[arg(value_name = "ELF")]
    pub program: PathBuf,
    /// The chip
    #[arg(long, value_name = "NAME", default_value = "siracusa")]
    pub soc: String,
    /// Stop after this many cycles of the chip's cluster
    #[arg(long, value_name = "N")]
    pub max_cycles: Option<u64>,
    /// Do not look for accesses that hardware lets pass; faster
    #[arg(long)]
    pub no_checks: bool,
    /// Print where the time went: per function, and per layer and part of a network
    #[arg(long)]
    pub profile: bool,
    /// Write what every core and every transfer did when, as JSON for chrome://tracing or Perfetto
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// What the HyperFlash holds at the start [default: nothing]
    #[arg(long, value_name = "FILE")]
    pub flash: Option<PathBuf>,
}

/// What `new` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scaffold {
    /// A kernel: manifest, call template, C source
    Kernel,
    /// An operator: its Rust file
    Op,
    /// A target: its platform file
    Target,
}

/// Where inputs and outputs live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Io {
    /// Inside the network's arena
    Arena,
    /// In buffers the caller passes
    Caller,
}

/// `NAME=TYPE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputType {
    /// The input.
    pub name: String,
    /// Its element type.
    pub dtype: DType,
}

impl FromStr for InputType {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let (name, dtype) = split(s, "NAME=TYPE, as in input=uint8")?;
        Ok(InputType { name: name.into(), dtype: dtype.parse()? })
    }
}

/// `NAME=D,D,…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// The input.
    pub name: String,
    /// Its dimensions.
    pub dims: Vec<usize>,
}

impl FromStr for InputShape {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let (name, dims) = split(s, "NAME=1,3,32,32")?;
        let dims: Result<Vec<usize>, _> = match dims {
            "" => Ok(vec![]),
            dims => dims.split(',').map(|d| d.trim().parse()).collect(),
        };
        let dims = dims.map_err(|_| format!("`{s}` is not of the form NAME=1,3,32,32"))?;
        Ok(InputShape { name: name.into(), dims })
    }
}

/// Splits at the last `=`: names of tensors may contain one, types and shapes do not.
fn split<'a>(s: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    match s.rsplit_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err(format!("`{s}` is not of the form {form}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn shapes_and_types_parse() {
        let s: InputShape = "a=b=1, 3,32".parse().unwrap();
        assert_eq!((s.name.as_str(), s.dims), ("a=b", vec![1, 3, 32]));
        assert!("x=1,-3".parse::<InputShape>().is_err());
        assert!("=1".parse::<InputShape>().is_err());
        let t: InputType = "x=uint8".parse().unwrap();
        assert_eq!(t.dtype, DType::U8);
        assert!("x=int7".parse::<InputType>().unwrap_err().contains("unknown element type"));
    }
}
