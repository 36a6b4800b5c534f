//! Allocation within a capacity, and allocation in as little memory as possible.
//!
//! In: a problem and limits. Out: an allocation, or the proof that there is none, or an honest
//! "unknown". Never returns anything that depends on the machine unless a time limit is set.

use super::greedy;
use super::instance::Instance;
use super::prepare::{Contradicted, Prepared, Unsearchable};
use super::problem::{Buffer, Minimised, Options, Outcome, Problem, Solution, lower_bound};
use super::search::{Budget, Focus, Preference, Strategy, Verdict, search};
use std::time::Instant;

/// Ways to search, taken in turns: each is good where the others are not.
const STRATEGIES: [(Focus, Preference); 7] = [
    (Focus::Weighted, Preference::Length),
    (Focus::Slack, Preference::Length),
    (Focus::Candidates, Preference::Size),
    (Focus::Lowest, Preference::Length),
    (Focus::Weighted, Preference::Neighbours),
    (Focus::Slack, Preference::Neighbours),
    (Focus::Candidates, Preference::Length),
];

/// Finds an allocation within the capacity, or proves that there is none.
#[must_use]
pub fn solve(problem: &Problem, options: &Options) -> Outcome {
    let Problem { buffers, capacity } = problem;
    if lower_bound(buffers) > *capacity {
        return Outcome::Infeasible;
    }
    let best = greedy::allocate(buffers, *capacity);
    if let Some(solution) = best.as_ref().filter(|best| best.height <= *capacity) {
        return Outcome::Solved(solution.clone());
    }
    let mut prepared = match Prepared::new(buffers) {
        Ok(prepared) => prepared,
        Err(Unsearchable::Misaligned) => return Outcome::Infeasible,
        Err(Unsearchable::TooLarge) => return Outcome::Unknown { best },
    };
    let mut budget = budget(options);
    match prepared.solve(*capacity, |instance| portfolio(instance, &mut budget)) {
        Some(Ok(solution)) => Outcome::Solved(solution),
        Some(Err(Contradicted)) => Outcome::Infeasible,
        None => Outcome::Unknown { best },
    }
}

/// Finds an allocation of the smallest height, as far as the limits permit.
///
/// `None` if the buffers have no allocation of any height: fixed ones collide or contradict their
/// alignment, or the offsets do not fit in 64 bits.
#[must_use]
pub fn minimise(buffers: &[Buffer], options: &Options) -> Option<Minimised> {
    let mut proven = lower_bound(buffers);
    let mut best = greedy::allocate(buffers, proven)?;
    if best.height > proven {
        if let Ok(mut prepared) = Prepared::new(buffers) {
            descend(&mut prepared, &mut proven, &mut best, budget(options));
        }
    }
    let height = best.height;
    Some(Minimised { solution: best, height, lower_bound: proven, proven: proven == height })
}

/// Closes in on the smallest height from both sides.
fn descend(prepared: &mut Prepared, proven: &mut u64, best: &mut Solution, mut budget: Budget) {
    let enough = 2 * prepared.items() as u64;
    // The lower bound itself is the most likely answer; after that the interval is halved.
    let mut capacity = *proven;
    let mut open = *proven;
    while capacity < best.height && budget.nodes > enough && !budget.late() {
        let mut share = Budget { nodes: budget.nodes / 2, ..budget };
        budget.nodes -= share.nodes;
        let answer = prepared.solve(capacity, |instance| portfolio(instance, &mut share));
        budget.nodes += share.nodes;
        let next = prepared.next_capacity(capacity);
        match answer {
            Some(Ok(solution)) => *best = solution,
            Some(Err(Contradicted)) => {
                // What does not fit here fits nowhere below, even where that was left open.
                *proven = next.min(best.height);
                open = next;
            }
            None => open = next,
        }
        capacity = open + best.height.saturating_sub(open + 1) / 2;
    }
}

fn budget(options: &Options) -> Budget {
    let deadline = options.time_limit.and_then(|limit| Instant::now().checked_add(limit));
    Budget { nodes: options.node_limit, deadline }
}

/// Takes turns among the strategies. Hard instances are solved quickly from some beginnings and never
/// from others, so attempts are short; they grow slowly, so that small instances are settled.
fn portfolio(instance: &Instance, budget: &mut Budget) -> Verdict {
    let unit = 2 * instance.items.len() as u64 + 16;
    let mut attempt = 0;
    while budget.nodes > 0 && !budget.late() {
        let (focus, preference) = STRATEGIES[attempt % STRATEGIES.len()];
        let seed = (attempt / STRATEGIES.len()) as u64;
        let nodes = (unit + unit * attempt as u64 / 40).min(budget.nodes);
        let mut share = Budget { nodes, ..*budget };
        let verdict = search(instance, Strategy { focus, preference, seed }, &mut share);
        budget.nodes -= nodes - share.nodes;
        if verdict != Verdict::Exhausted {
            return verdict;
        }
        attempt += 1;
    }
    Verdict::Exhausted
}
