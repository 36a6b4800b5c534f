//! Compile time (model to C, without the C compiler), peak memory and arena of every case below the given paths, and
//! the time the allocator takes for every `.csv` problem there: `cargo bench --bench compile -- PATH…`.
//!
//! Each case is compiled in a process of its own, so that its peak memory is its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tilewright::cli::style::{Stream, bytes, duration, grouped, shorten, table};
use tilewright::driver::{CompileOptions, compile};
use tilewright::ir::DType;
use tilewright::runner::{cases, inputs};
use tilewright::tiling::allocator::{Options, Outcome, Problem, csv, solve, validate};

/// Compilations of one case; the median counts.
const ROUNDS: usize = 5;
/// Capacity of the allocation problems.
const CAPACITY: u64 = 1_048_576;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match args.as_slice() {
        [flag, case] if flag == "--one" => return one(Path::new(case)),
        _ => {}
    }
    let paths: Vec<PathBuf> = args.iter().map(PathBuf::from).collect();
    let (problems, suites): (Vec<_>, Vec<_>) = paths.into_iter().partition(|p| has_problems(p));
    if !suites.is_empty() {
        networks(&suites);
    }
    for dir in problems {
        allocations(&dir);
    }
}

fn has_problems(dir: &Path) -> bool {
    !csv_files(dir).is_empty()
}

fn csv_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    let mut files: Vec<_> = entries.filter(|p| p.extension().is_some_and(|e| e == "csv")).collect();
    files.sort();
    files
}

/// Compiles one case several times and prints its figures in one line.
fn one(case: &Path) {
    let case = cases::at(case).unwrap_or_else(|e| fail(&e));
    let data = case.data.first().map(|d| inputs::read_inputs(d).unwrap_or_else(|e| fail(&e)));
    let options = CompileOptions {
        target: "host".into(),
        default_integer: data.is_none().then_some(DType::S8),
        data: data.unwrap_or_default(),
        ..CompileOptions::default()
    };
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        last = Some(compile(&case.model, &options).unwrap_or_else(|e| fail(&e)));
        times.push(start.elapsed());
    }
    times.sort();
    let Some(compiled) = last else { return };
    let totals = &compiled.sources.report.totals;
    let bound: usize = compiled.plan.arenas.iter().map(|a| a.lower_bound).sum();
    println!(
        "{} {} {} {} {} {} {}",
        times[ROUNDS / 2].as_nanos(),
        times[ROUNDS - 1].as_nanos(),
        peak_memory(),
        totals.nodes,
        totals.macs,
        totals.arena_bytes,
        bound
    );
}

fn fail(e: &tilewright::diag::Diagnostics) -> ! {
    eprintln!("{e}");
    std::process::exit(1)
}

/// The largest resident set of this process, in bytes; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) * 1024
}

fn networks(suites: &[PathBuf]) {
    let found = cases::find(suites).unwrap_or_else(|e| fail(&e));
    let exe = std::env::current_exe().unwrap_or_default();
    let mut rows = table(
        Stream::Out,
        &["case", "nodes", "MACs", "compile", "slowest", "memory", "arena", "live set", "gap"],
        &[1, 2, 3, 4, 5, 6, 7, 8],
    );
    let (mut at_bound, mut compiled, mut slowest, mut largest) = (0, 0, 0, 0);
    for case in &found {
        let dir = case.model.parent().unwrap_or(Path::new("."));
        let output = Command::new(&exe).arg("--one").arg(dir).output();
        let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        let figures: Vec<u64> = text.split_whitespace().filter_map(|f| f.parse().ok()).collect();
        let [median, worst, memory, nodes, macs, arena, bound] = figures[..] else {
            rows.add_row([shorten(&case.name, 48), "refused".into()]);
            continue;
        };
        compiled += 1;
        at_bound += usize::from(arena == bound);
        slowest = slowest.max(median);
        largest = largest.max(memory);
        rows.add_row([
            shorten(&case.name, 48),
            nodes.to_string(),
            grouped(macs),
            duration(Duration::from_nanos(median)),
            duration(Duration::from_nanos(worst)),
            bytes(memory),
            grouped(arena),
            grouped(bound),
            grouped(arena - bound),
        ]);
    }
    println!("{rows}");
    println!(
        "{compiled} networks; slowest {}; most memory {}; arena equals the largest live set in {at_bound} ({:.1} %)",
        duration(Duration::from_nanos(slowest)),
        bytes(largest),
        100.0 * at_bound as f64 / compiled.max(1) as f64
    );
}

fn allocations(dir: &Path) {
    let mut rows = table(
        Stream::Out,
        &["problem", "buffers", "capacity", "largest live set", "time", "result"],
        &[1, 2, 3, 4],
    );
    let mut total = Duration::ZERO;
    for file in csv_files(dir) {
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let text = std::fs::read(&file).unwrap_or_default();
        let Ok(buffers) = csv::parse_bytes(&text) else {
            rows.add_row([name, "malformed".into()]);
            continue;
        };
        let problem = Problem { buffers, capacity: CAPACITY };
        let start = Instant::now();
        let outcome = solve(&problem, &Options { time_limit: None, node_limit: u64::MAX });
        let time = start.elapsed();
        total += time;
        let result = match &outcome {
            Outcome::Solved(solution) if validate(&problem, solution).is_ok() => "solved, validated",
            Outcome::Solved(_) => "WRONG",
            Outcome::Infeasible => "proven infeasible",
            Outcome::Unknown { .. } => "unknown",
        };
        let count = problem.buffers.len().to_string();
        let figures = [grouped(CAPACITY), grouped(problem.lower_bound()), duration(time), result.into()];
        rows.add_row([vec![name, count], figures.to_vec()].concat());
    }
    println!("{rows}\nall of them: {}", duration(total));
}
