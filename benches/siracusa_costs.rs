//! Prints the cost table: what was measured on Siracusa's public virtual platform beside what the simulator gives,
//! and how fast the simulator is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/simulator/build.rs"]
mod build;
#[path = "../tests/simulator/costs.rs"]
mod costs;

use std::time::Instant;

use tilewright::sim::{self, Options};

fn main() {
    let mut all = Vec::new();
    for (program, rows) in costs::TABLE {
        all.extend(costs::measure(&build::program(program, &[]), rows));
    }
    println!("{}", costs::table(&all));
    let elf = build::program("speed", &[]);
    let soc = sim::soc("siracusa").unwrap();
    for (what, check) in [("checks off", false), ("checks on", true)] {
        let start = Instant::now();
        let report = sim::simulate(&elf, &soc, &Options { check, ..Options::default() }).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        let speed = report.instructions as f64 / seconds / 1e6;
        println!(
            "8 cores, matrix product, {what}: {} instructions in {seconds:.2} s, {speed:.1} million a second",
            report.instructions
        );
    }
}
