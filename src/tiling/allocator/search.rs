//! Complete search for an allocation of one component within its capacity.
//!
//! In: an instance, a way to choose the next item, a budget. Out: offsets, or the proof that there
//! are none, or neither. Never looks at the clock except to stop.

use super::instance::Instance;
use super::state::State;
use std::ops::Range;
use std::time::Instant;

/// How the next item to decide on is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    /// In the section with the fewest items that can come next.
    Candidates,
    /// The same, but sections that often failed count as having fewer.
    Weighted,
    /// In the section with the least waste allowed.
    Slack,
    /// The item that can lie lowest, in all sections.
    Lowest,
}

/// Which item goes first among those that may be next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preference {
    /// The largest.
    Size,
    /// The one with the longest lifetime.
    Length,
    /// The one that is live together with most others.
    Neighbours,
}

/// One way to search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strategy {
    pub focus: Focus,
    pub preference: Preference,
    /// Zero, or the seed of a random perturbation of the preference.
    pub seed: u64,
}

/// What remains of the limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub nodes: u64,
    pub deadline: Option<Instant>,
}

impl Budget {
    /// Whether the deadline has passed.
    pub fn late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// The end of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Offsets of the items.
    Found(Vec<u64>),
    /// No allocation exists.
    Infeasible,
    /// The budget did not suffice to tell.
    Exhausted,
}

enum Ending {
    Found,
    Infeasible,
    Exhausted,
}

enum Step {
    /// Choose an item of the topmost frame and place it.
    Choose,
    /// The item is placed, and every part settled so far is, too.
    Continue,
    /// Some part cannot be settled.
    Retreat,
}

/// One item placed, within a range of sections that nothing unplaced crosses.
struct Frame {
    range: Range<usize>,
    /// State before the frame made any decision.
    entry: usize,
    /// State before the item was placed.
    mark: usize,
    index: usize,
    /// What is left to settle after the item was placed.
    parts: Vec<Range<usize>>,
}

impl Frame {
    fn new(range: Range<usize>, entry: usize) -> Self {
        Self { range, entry, mark: entry, index: 0, parts: Vec::new() }
    }
}

struct Search<'s, 'a> {
    state: State<'a>,
    budget: &'s mut Budget,
    focus: Focus,
    priority: Vec<u64>,
}

/// Searches until an answer is found or the budget is spent; deducts from the budget.
pub(super) fn search(instance: &Instance, strategy: Strategy, budget: &mut Budget) -> Verdict {
    let state = State::new(instance);
    let priority = priorities(instance, strategy);
    let mut search = Search { state, budget, focus: strategy.focus, priority };
    if search.state.propagate().is_err() {
        return Verdict::Infeasible;
    }
    match search.explore() {
        Ending::Found => Verdict::Found(search.state.rest),
        Ending::Infeasible => Verdict::Infeasible,
        Ending::Exhausted => Verdict::Exhausted,
    }
}

fn priorities(instance: &Instance, strategy: Strategy) -> Vec<u64> {
    let mut random = strategy.seed;
    let measure = |(index, item): (usize, &super::instance::Item)| {
        let length = instance.spans[index].len() as u64;
        let neighbours = instance.neighbours.row(index).len() as u64;
        let value = match strategy.preference {
            Preference::Size => item.size,
            Preference::Length => item.upper.abs_diff(item.lower),
            Preference::Neighbours => neighbours * 1024 + length,
        };
        if strategy.seed == 0 {
            return value;
        }
        // splitmix64: up to half as much again.
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value.saturating_mul(64 + (mixed >> 32) % 32)
    };
    instance.items.iter().enumerate().map(measure).collect()
}

impl Search<'_, '_> {
    /// Depth first: each frame places one item, then settles the parts that are left, each on its
    /// own. An explicit stack, because the depth is the number of items.
    fn explore(&mut self) -> Ending {
        let sections = self.state.instance.sections;
        let mut frames = vec![Frame::new(0..sections, self.state.mark())];
        let mut step = Step::Choose;
        while let Some(frame) = frames.last_mut() {
            step = match step {
                Step::Choose => match self.choose(frame.range.clone()) {
                    None => Step::Continue,
                    Some(_) if self.spent() => return Ending::Exhausted,
                    Some(index) => {
                        (frame.index, frame.mark) = (index, self.state.mark());
                        if self.state.place(index).is_ok() {
                            frame.parts = self.parts(frame.range.clone());
                            Step::Continue
                        } else {
                            Step::Retreat
                        }
                    }
                },
                Step::Continue => {
                    if let Some(part) = frame.parts.pop() {
                        frames.push(Frame::new(part, self.state.mark()));
                        Step::Choose
                    } else {
                        frames.pop();
                        Step::Continue
                    }
                }
                Step::Retreat => {
                    self.state.undo(frame.mark);
                    if self.state.reject(frame.index).is_ok() {
                        Step::Choose
                    } else {
                        self.state.undo(frame.entry);
                        frames.pop();
                        Step::Retreat
                    }
                }
            };
        }
        if matches!(step, Step::Continue) { Ending::Found } else { Ending::Infeasible }
    }

    fn spent(&mut self) -> bool {
        if self.budget.nodes == 0 {
            return true;
        }
        self.budget.nodes -= 1;
        self.budget.nodes % 256 == 0 && self.budget.late()
    }

    /// The ranges of sections with unplaced items that share none of them; the smallest last.
    fn parts(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let (state, instance) = (&self.state, self.state.instance);
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        let mut start = range.start;
        while start < range.end {
            if state.sections[start].candidates == 0 {
                start += 1;
                continue;
            }
            let (mut end, mut section, mut work) = (start + 1, start, 0);
            while section < end {
                for &member in instance.members.row(section) {
                    if !state.placed[member as usize] {
                        end = end.max(instance.spans[member as usize].end);
                        work += 1;
                    }
                }
                section += 1;
            }
            parts.push((work, start..end));
            start = end;
        }
        // Small parts are settled first: they fail soonest.
        parts.sort_by_key(|(work, part)| std::cmp::Reverse((*work, part.start)));
        parts.into_iter().map(|(_, part)| part).collect()
    }

    fn choose(&self, range: Range<usize>) -> Option<usize> {
        let first = match self.focus {
            Focus::Lowest => self.lowest_item(range),
            _ => self.item_of_section(range),
        }?;
        Some(self.descend(first))
    }

    fn lowest_item(&self, range: Range<usize>) -> Option<usize> {
        let open = |s: &usize| self.state.sections[*s].candidates > 0;
        let floor = range.clone().filter(open).map(|s| self.state.sections[s].floor).min()?;
        let sections = range.filter(|s| open(s) && self.state.sections[*s].floor == floor);
        let members = sections.flat_map(|s| self.state.instance.members.row(s)).map(|&i| i as usize);
        members
            .filter(|&i| !self.state.placed[i] && self.state.bound[i] == floor)
            .max_by_key(|&i| (self.priority[i], usize::MAX - i))
    }

    fn item_of_section(&self, range: Range<usize>) -> Option<usize> {
        let state = &self.state;
        let key = |s: &usize| {
            let section = state.sections[*s];
            let candidates = u64::from(section.candidates);
            match self.focus {
                Focus::Slack => (section.slack, candidates, section.floor),
                Focus::Weighted => ((candidates << 32) / state.failures[*s], section.slack, section.floor),
                _ => (candidates, section.slack, section.floor),
            }
        };
        let section = range.filter(|&s| state.sections[s].candidates > 0).min_by_key(key)?;
        let reach = state.sections[section].floor + state.sections[section].slack;
        let members = state.instance.members.row(section).iter().map(|&i| i as usize);
        members
            .filter(|&i| !state.placed[i] && state.bound[i] <= reach)
            .max_by_key(|&i| (u64::MAX - state.bound[i], self.priority[i], usize::MAX - i))
    }

    /// From an item down to one that can be decided: nothing unplaced fits below where it rests.
    fn descend(&self, mut index: usize) -> usize {
        let state = &self.state;
        loop {
            let twin = state.instance.twin_below[index].map(|twin| twin as usize);
            if let Some(twin) = twin.filter(|&twin| !state.placed[twin]) {
                index = twin;
                continue;
            }
            let item = &state.instance.items[index];
            let level = item.fixed.unwrap_or(state.rest[index]);
            let hole = state.hole[index];
            let below = |other: &usize| {
                !state.placed[*other]
                    && if hole > 0 { state.bound[*other] < hole } else { state.top(*other) <= level }
            };
            let neighbours = state.instance.neighbours.row(index).iter().map(|&o| o as usize);
            let lowest =
                neighbours.filter(below).min_by_key(|&o| (state.bound[o], u64::MAX - self.priority[o], o));
            match lowest {
                Some(other) => index = other,
                None => return index,
            }
        }
    }
}
