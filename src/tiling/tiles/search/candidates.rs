//! The candidates of a layer: sizes of a part along each axis, and orders of the loops around parts.
//!
//! In: a layer. Out: all combinations that may fit, with estimates of what they take. Never works one out.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Buffering, Candidate, Layer, MOST_TILES};
use crate::ir::access::Span;
use crate::tiling::tiles::cost;

/// Combinations of sizes that are estimated at most.
const COMBINATIONS: usize = 6000;

/// A stream's part: its bytes in the scratchpad, cycles to copy it, and commands for that.
#[derive(Clone, Copy, Default)]
struct Size {
    bytes: usize,
    cycles: u64,
    commands: usize,
}

/// The parts of one stream, which only depend on the sizes along the axes that it follows.
struct Parts {
    /// For each axis: how far apart its sizes are in `known`; 0 for axes that the stream does not follow.
    steps: Vec<usize>,
    /// `None` inside: it cannot be copied, or not be read where it is.
    known: Vec<Option<Option<Size>>>,
}

/// All that does not depend on the combination.
struct Estimates<'a> {
    layer: &'a Layer<'a>,
    choices: Vec<Vec<usize>>,
    streams: Vec<Parts>,
    orders: BTreeMap<Vec<usize>, Vec<Rc<[usize]>>>,
    found: Vec<Candidate>,
}

impl Layer<'_> {
    /// All combinations of sizes that may fit, with every order of the axes they cut.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let axes = &self.space.axes;
        let mut most = 64;
        let mut choices: Vec<Vec<usize>> = axes.iter().map(|n| sizes(*n, most)).collect();
        while choices.iter().map(|c| c.len()).product::<usize>() > COMBINATIONS && most > 2 {
            most = (most * 2 / 3).max(2);
            choices = axes.iter().map(|n| sizes(*n, most)).collect();
        }
        let streams = (0..self.types.len()).map(|s| Parts::new(self, s, &choices)).collect();
        let mut all = Estimates { layer: self, choices, streams, orders: BTreeMap::new(), found: Vec::new() };
        let mut index = vec![0; axes.len()];
        loop {
            all.estimate(&index);
            let more = |i: &usize| index[*i] + 1 < all.choices[*i].len();
            let Some(next) = (0..axes.len()).rev().find(more) else { return all.found };
            index[next] += 1;
            index[next + 1..].fill(0);
        }
    }

    /// The middle part, which no border cuts short.
    fn largest(&self, shape: &[usize]) -> Vec<Span> {
        let middle = |(n, s): (&usize, &usize)| {
            let count = n.div_ceil(*s);
            let at = (count - 1) / 2;
            (at * s, (at * s + s).min(*n))
        };
        self.space.axes.iter().zip(shape).map(middle).collect()
    }

    fn size(&self, stream: usize, shape: &[usize]) -> Option<Size> {
        let region = self.region(stream, &self.largest(shape));
        let bytes = region.shape().iter().product::<usize>() * self.types[stream].dtype.bytes();
        let (_, copy) = self.copy(stream, &region)?;
        if self.resident(stream) {
            // What is there already is read where it is, which must look like a part by itself.
            return (copy.planes == 1 && copy.rows == 1).then_some(Size::default());
        }
        let cycles = self.pad.dma.transfer([&copy], self.written(stream));
        Some(Size { bytes: self.slot_bytes(bytes), cycles, commands: copy.commands() })
    }

    /// Predicted cycles, given what each stream's part takes.
    fn estimate(&self, order: &[usize], counts: &[usize], sizes: &[Size], tiles: usize, ahead: bool) -> u64 {
        let (mut copies, mut commands) = ([0u64; 2], 0);
        for (s, size) in sizes.iter().enumerate() {
            // A part changes with the axes it follows and with all loops around the innermost of them.
            let innermost = order.iter().rposition(|a| self.follows(s, *a));
            let times: usize = order[..innermost.map_or(0, |i| i + 1)].iter().map(|a| counts[*a]).product();
            let times = if self.written(s) { tiles } else { times };
            copies[usize::from(self.written(s))] += times as u64 * size.cycles;
            commands += times * size.commands;
        }
        let kernel = self.library.cycles(self.whole).unwrap_or(0) + tiles as u64 * 150;
        let steps = tiles as u64 * cost::STEP + commands as u64 * cost::COMMAND;
        let (all, longer) = (copies[0] + copies[1], copies[0].max(copies[1]));
        let overlapped = if ahead { (kernel + steps).max(longer) } else { kernel + longer + steps };
        overlapped + all / tiles as u64
    }
}

impl Parts {
    fn new(layer: &Layer, stream: usize, choices: &[Vec<usize>]) -> Parts {
        let mut count = 1;
        let mut step = |(axis, sizes): (usize, &Vec<usize>)| {
            let step = if layer.follows(stream, axis) { count } else { 0 };
            count *= if step > 0 { sizes.len() } else { 1 };
            step
        };
        let steps = choices.iter().enumerate().map(&mut step).collect();
        Parts { steps, known: vec![None; count] }
    }
}

impl Estimates<'_> {
    /// The candidates of one combination of sizes, given by their indices.
    fn estimate(&mut self, index: &[usize]) {
        let layer = self.layer;
        let shape: Rc<[usize]> = self.choices.iter().zip(index).map(|(c, i)| c[*i]).collect();
        let counts: Vec<usize> =
            layer.space.axes.iter().zip(shape.iter()).map(|(n, s)| n.div_ceil(*s)).collect();
        let tiles = counts.iter().fold(1usize, |p, c| p.saturating_mul(*c));
        if tiles > MOST_TILES {
            return;
        }
        let mut sizes = Vec::with_capacity(self.streams.len());
        for (s, parts) in self.streams.iter_mut().enumerate() {
            let at: usize = parts.steps.iter().zip(index).map(|(step, i)| step * i).sum();
            let Some(size) = *parts.known[at].get_or_insert_with(|| layer.size(s, &shape)) else { return };
            sizes.push(size);
        }
        let cut: Vec<usize> = (0..shape.len()).filter(|a| counts[*a] > 1).collect();
        let modes: &[bool] = match layer.pad.buffering {
            Buffering::Single => &[false],
            Buffering::Double | Buffering::Auto => &[true, false],
        };
        for ahead in modes.iter().copied() {
            if ahead && cut.is_empty() && modes.len() > 1 {
                continue;
            }
            let slots = |s: usize| if ahead && cut.iter().any(|a| layer.follows(s, *a)) { 2 } else { 1 };
            let bytes: usize = sizes.iter().enumerate().map(|(s, size)| size.bytes * slots(s)).sum();
            if bytes > layer.pad.capacity {
                continue;
            }
            let all = || orders(&cut).into_iter().map(Rc::from).collect();
            for order in self.orders.entry(cut.clone()).or_insert_with(all).iter() {
                self.found.push(Candidate {
                    shape: shape.clone(),
                    order: order.clone(),
                    ahead,
                    estimate: layer.estimate(order, &counts, &sizes, tiles, ahead),
                    bytes,
                    known: Cell::new(None),
                    tiled: RefCell::default(),
                });
            }
        }
    }
}

/// Sizes worth trying for an axis of `n`: even divisions, also rounded up to whole words.
fn sizes(n: usize, most: usize) -> Vec<usize> {
    let divided = (1..=n.min(24)).map(|k| n.div_ceil(k));
    let rounded =
        divided.clone().flat_map(|s| [s, s.next_multiple_of(4).min(n), s.next_multiple_of(16).min(n)]);
    let mut all: Vec<usize> = rounded.chain([1, 2, 4, 8].map(|s: usize| s.min(n))).collect();
    all.sort_unstable();
    all.dedup();
    if all.len() > most {
        // Few, evenly spread in their logarithm: the largest, then about halves.
        let mut few = vec![n];
        while let Some(next) = all.iter().rev().find(|s| **s < few[few.len() - 1].div_ceil(2).max(2)) {
            if few.len() == most || few.contains(next) {
                break;
            }
            few.push(*next);
        }
        all = few;
    }
    all
}

/// All orders of a few axes.
fn orders(axes: &[usize]) -> Vec<Vec<usize>> {
    match axes {
        [] => vec![vec![]],
        _ if axes.len() > 4 => vec![axes.to_vec()],
        _ => (0..axes.len())
            .flat_map(|i| {
                let mut rest = axes.to_vec();
                let first = rest.remove(i);
                orders(&rest).into_iter().map(move |mut order| {
                    order.insert(0, first);
                    order
                })
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_cover_an_axis() {
        assert_eq!(sizes(1, 64), [1]);
        assert!(sizes(16, 64).contains(&16) && sizes(16, 64).contains(&4) && sizes(16, 64).contains(&1));
        assert_eq!(sizes(100, 3), [100, 48, 20]);
        assert!(sizes(18_250, 2).len() <= 2 && sizes(3, 1) == [3] && sizes(5, 64).contains(&1));
        assert!(sizes(100, 64).iter().all(|s| (1..=100).contains(s)));
    }

    #[test]
    fn orders_are_permutations() {
        assert_eq!(orders(&[]).len(), 1);
        assert_eq!(orders(&[2, 0, 5]).len(), 6);
        assert!(orders(&[0, 1]).contains(&vec![1, 0]));
    }
}
