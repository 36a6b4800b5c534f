//! Which buffers go to the faster memory.
//!
//! In: buffers with lifetimes and accesses, bytes of the faster memory and of what is behind it. Out: the set with the most
//! accesses whose live bytes fit at each step, and a bound. Never knows offsets.
//!
//! Step by step: of all choices that agree on what is live, only the best is kept. That is exact as long as there are few of
//! them; else the best [`STATES`] go on, and the bound says what the others might have given.

use std::collections::BTreeMap;

/// Choices that are followed at a time.
const STATES: usize = 2048;

/// Buffers that lie in one memory.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// First and last step, and bytes; without a gap between them.
    pub pieces: Vec<(usize, usize, usize)>,
    /// Bytes read and written.
    pub accesses: u64,
}

impl Item {
    fn bytes(&self, step: usize) -> usize {
        self.pieces.iter().filter(|(first, last, _)| (*first..=*last).contains(&step)).map(|p| p.2).sum()
    }
    fn first(&self) -> usize {
        self.pieces.iter().map(|p| p.0).min().unwrap_or(0)
    }
    fn last(&self) -> usize {
        self.pieces.iter().map(|p| p.1).max().unwrap_or(0)
    }
}

/// A choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// What lies in the faster memory, by index.
    pub items: Vec<usize>,
    /// Its accesses.
    pub accesses: u64,
    /// Accesses that no choice exceeds.
    pub most: u64,
}

/// What agrees on the items that are live: its accesses, and how it came about.
type States = BTreeMap<Vec<usize>, (u64, usize)>;

/// The choice with the most accesses of at most `capacity` live bytes, and at most `rest` of what is not chosen; `None` if
/// none is found.
pub fn choose(items: &[Item], capacity: usize, rest: Option<usize>) -> Option<Chosen> {
    let mut times: Vec<usize> = items.iter().flat_map(|i| i.pieces.iter().map(|p| p.0)).collect();
    times.sort_unstable();
    times.dedup();
    let mut left: u64 = items.iter().map(|i| i.accesses).sum();
    let mut dropped = 0;
    // Each way: the one it goes on from, and what it adds.
    let mut trail: Vec<(usize, usize)> = vec![(0, 0)];
    let mut states: States = [(Vec::new(), (0, 0))].into();
    for time in times {
        let live: usize = items.iter().map(|i| i.bytes(time)).sum();
        let fits = |set: &[usize]| {
            let bytes: usize = set.iter().map(|i| items[*i].bytes(time)).sum();
            bytes <= capacity
        };
        let mut next = States::new();
        for (set, way) in states {
            let set: Vec<usize> = set.into_iter().filter(|i| items[*i].last() >= time).collect();
            if fits(&set) {
                keep(&mut next, set, way);
            }
        }
        states = next;
        for (i, item) in items.iter().enumerate().filter(|(_, item)| item.first() == time) {
            left -= item.accesses;
            let before: Vec<_> = states.iter().map(|(set, way)| (set.clone(), *way)).collect();
            for (mut set, (accesses, way)) in before {
                set.push(i);
                if fits(&set) {
                    trail.push((way, i));
                    keep(&mut states, set, (accesses + item.accesses, trail.len() - 1));
                }
            }
            dropped = prune(&mut states).map_or(dropped, |lost| dropped.max(lost + left));
        }
        if let Some(rest) = rest {
            states.retain(|set, _| live - set.iter().map(|i| items[*i].bytes(time)).sum::<usize>() <= rest);
        }
    }
    let (accesses, mut way) = states.into_values().max_by_key(|(accesses, _)| *accesses)?;
    let mut chosen = Vec::new();
    while way != 0 {
        chosen.push(trail[way].1);
        way = trail[way].0;
    }
    chosen.sort_unstable();
    Some(Chosen { items: chosen, accesses, most: accesses.max(dropped) })
}

fn keep(states: &mut States, set: Vec<usize>, way: (u64, usize)) {
    let there = states.entry(set).or_insert(way);
    if there.0 < way.0 {
        *there = way;
    }
}

/// Drops the worst if there are too many: the accesses of the best of those.
fn prune(states: &mut States) -> Option<u64> {
    if states.len() <= STATES {
        return None;
    }
    let mut all: Vec<_> = std::mem::take(states).into_iter().collect();
    all.sort_by_key(|(_, (accesses, _))| std::cmp::Reverse(*accesses));
    let lost = all[STATES / 2].1.0;
    states.extend(all.into_iter().take(STATES / 2));
    Some(lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small random problems.
    fn problem(seed: u64, count: usize) -> (Vec<Item>, usize, usize) {
        let mut state = seed;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut item = |_| {
            let first = random(8);
            let last = first + random(4);
            let mut pieces = vec![(first, last, 1 + random(9))];
            if random(3) == 0 {
                pieces.push((last, last + random(3), 1 + random(5)));
            }
            Item { pieces, accesses: random(20) as u64 }
        };
        let items = (0..count).map(&mut item).collect();
        (items, 5 + random(20), 10 + random(20))
    }

    fn fits(items: &[Item], set: u32, capacity: usize, rest: usize) -> bool {
        (0..16).all(|step| {
            let bytes = |chosen: bool| -> usize {
                let of = items.iter().enumerate().filter(|(i, _)| (set >> i & 1 == 1) == chosen);
                of.map(|(_, item)| item.bytes(step)).sum()
            };
            bytes(true) <= capacity && bytes(false) <= rest
        })
    }

    #[test]
    fn no_other_choice_has_more_accesses() {
        for seed in 0..300 {
            let (items, capacity, rest) = problem(seed, 9);
            let sets = (0..1u32 << items.len()).filter(|set| fits(&items, *set, capacity, rest));
            let sum =
                |set: u32| (0..items.len()).filter(|i| set >> i & 1 == 1).map(|i| items[i].accesses).sum();
            let best: Option<u64> = sets.map(sum).max();
            let found = choose(&items, capacity, Some(rest));
            assert_eq!(found.as_ref().map(|c| (c.accesses, c.most)), best.map(|b| (b, b)), "seed {seed}");
            let Some(found) = found else { continue };
            let set = found.items.iter().fold(0, |set, i| set | 1 << i);
            assert!(fits(&items, set, capacity, rest) && sum(set) == found.accesses, "seed {seed}");
        }
    }

    #[test]
    fn of_many_choices_the_bound_is_said() {
        let items: Vec<Item> = (0..40)
            .map(|i| Item { pieces: vec![(0, 9, 3 + i % 7)], accesses: (5 + i % 11) as u64 })
            .collect();
        let found = choose(&items, 60, None).unwrap();
        let bytes: usize = found.items.iter().map(|i| items[*i].bytes(0)).sum();
        assert!(bytes <= 60 && found.accesses <= found.most, "{found:?}");
        // Bytes are worth no more than those of the best item.
        assert!(found.accesses * 3 >= 60 * 2, "{found:?}");
    }
}
