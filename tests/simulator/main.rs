//! Tests of the simulator with programs: costs, semantics, faults. They need the target's compiler and QEMU
//! (`scripts/setup.sh riscv qemu`), and fail without.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod assembly;
mod build;
mod costs;
mod faults;
mod files;
mod profile;
mod pulp;
mod qemu;

#[test]
fn costs_are_as_measured_on_the_platform() {
    let mut all = Vec::new();
    for (program, rows) in costs::TABLE {
        all.extend(costs::measure(&build::program(program, &[]), rows));
    }
    let table = costs::table(&all);
    println!("{table}");
    let wrong: Vec<&str> = all.iter().filter(|m| !m.passes()).map(|m| m.row.what).collect();
    assert!(wrong.is_empty(), "{table}\ntoo far off: {wrong:?}");
}

#[test]
fn the_same_program_takes_the_same_time() {
    use tilewright::sim::{self, Options};
    let elf = build::program("cluster_costs", &[]);
    let soc = sim::soc("siracusa").unwrap();
    let run = |check, profile| {
        let options = Options { check, profile, trace: profile, ..Options::default() };
        let report = sim::simulate(&elf, &soc, &options).unwrap();
        (report.cycles, report.instructions, report.cores, report.stdout)
    };
    let first = run(true, false);
    assert_eq!(first, run(true, false));
    // Watching changes nothing.
    assert_eq!(first, run(false, false));
    assert_eq!(first, run(true, true));
}
