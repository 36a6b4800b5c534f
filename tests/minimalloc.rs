//! The published benchmark of static allocation, where its instances are at hand.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use tilewright::tiling::allocator::{Options, Outcome, Problem, csv, solve, validate};

const CAPACITY: u64 = 1 << 20;

fn instance(name: char) -> Option<Problem> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/minimalloc");
    let bytes = std::fs::read(folder.join(format!("{name}.{CAPACITY}.csv"))).ok()?;
    let buffers = csv::parse_bytes(&bytes).unwrap();
    Some(Problem { buffers, capacity: CAPACITY })
}

#[test]
fn every_instance_is_solved() {
    for name in 'A'..='K' {
        let Some(problem) = instance(name) else {
            eprintln!("instance {name} is not at hand");
            continue;
        };
        let start = std::time::Instant::now();
        let outcome = solve(&problem, &Options::thorough());
        println!("{name}: {} buffers, {:.3} s", problem.buffers.len(), start.elapsed().as_secs_f64());
        let Outcome::Solved(solution) = outcome else { panic!("{name}: {outcome:?}") };
        assert_eq!(validate(&problem, &solution), Ok(()), "{name}");
    }
}

#[test]
fn below_the_largest_live_set_nothing_fits() {
    for mut problem in ('A'..='K').filter_map(instance) {
        problem.capacity = problem.lower_bound() - 1;
        assert_eq!(solve(&problem, &Options::default()), Outcome::Infeasible);
    }
}
