//! Turns a problem into instances for the search, and their answers into solutions.
//!
//! In: buffers in bytes. Out: independent instances in units of the greatest common divisor of all
//! amounts, for any capacity. Never searches.

use super::instance::{Instance, Item};
use super::problem::{Buffer, Solution};
use super::search::Verdict;

/// Offsets are computed in 64 bits; beyond this many bytes nothing is searched.
const LARGEST: u128 = 1 << 62;

/// Why there is nothing to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsearchable {
    /// A fixed offset contradicts the alignment.
    Misaligned,
    /// The amounts are too large to be added up.
    TooLarge,
}

/// Buffers that are never live at the same time as those of another component.
struct Component {
    /// Index of each item among the buffers.
    buffers: Vec<usize>,
    instance: Instance,
}

/// The buffers, ready to be searched at any capacity.
pub(super) struct Prepared<'b> {
    buffers: &'b [Buffer],
    components: Vec<Component>,
    /// Bytes per unit of the instances.
    unit: u64,
    /// All offsets are multiples of this many bytes, and items are that much rounded up.
    step: u64,
}

impl<'b> Prepared<'b> {
    pub fn new(buffers: &'b [Buffer]) -> Result<Self, Unsearchable> {
        let misaligned = |b: &Buffer| b.fixed_offset.is_some_and(|offset| offset % b.step() != 0);
        if buffers.iter().any(misaligned) {
            return Err(Unsearchable::Misaligned);
        }
        if total(buffers) > LARGEST {
            return Err(Unsearchable::TooLarge);
        }
        let live: Vec<usize> = (0..buffers.len()).filter(|&i| buffers[i].occupies()).collect();
        let step = common_step(buffers, &live);
        let unit = unit(buffers, &live, step);
        let item = |&index: &usize| {
            let buffer = &buffers[index];
            let alignment = if unit % buffer.step() == 0 { 1 } else { buffer.step() / unit };
            Item {
                lower: buffer.lower,
                upper: buffer.upper,
                size: buffer.size.next_multiple_of(step) / unit,
                alignment,
                fixed: buffer.fixed_offset.map(|offset| offset / unit),
                bytes: buffer.size,
            }
        };
        let component = |indices: Vec<usize>| Component {
            instance: Instance::new(indices.iter().map(item).collect()),
            buffers: indices,
        };
        let components = components(buffers, live).into_iter().map(component).collect();
        Ok(Self { buffers, components, unit, step })
    }

    /// The smallest number of bytes beyond `capacity` at which the answer could differ.
    pub fn next_capacity(&self, capacity: u64) -> u64 {
        // Rounding can hide an end between two steps: then every byte counts.
        let exact = self.buffers.iter().all(|b| !b.occupies() || b.size % self.unit == 0);
        if exact { (capacity / self.unit + 1) * self.unit } else { capacity + 1 }
    }

    /// The number of items in all instances.
    pub fn items(&self) -> usize {
        self.components.iter().map(|component| component.buffers.len()).sum()
    }

    /// Runs `search` on one instance after the other, until one of them has no allocation.
    ///
    /// `capacity` in bytes. `None` means that some instance has not been settled.
    pub fn solve(
        &mut self,
        capacity: u64,
        mut search: impl FnMut(&Instance) -> Verdict,
    ) -> Option<Result<Solution, Contradicted>> {
        let buffers = self.buffers;
        // More than everything stacked on top of the fixed buffers is never needed.
        let capacity = u64::try_from(total(buffers)).unwrap_or(u64::MAX).min(capacity);
        let mut offsets: Vec<u64> = buffers.iter().map(|b| b.fixed_offset.unwrap_or(0)).collect();
        let mut settled = true;
        for Component { buffers: indices, instance } in &mut self.components {
            let end = |&i: &usize| buffers[i].fixed_offset.unwrap_or(0) + buffers[i].size;
            if indices.iter().any(|i| end(i) > capacity) {
                return Some(Err(Contradicted));
            }
            let units = capacity.next_multiple_of(self.step) / self.unit;
            instance.limit(units, |item| (capacity - buffers[indices[item]].size) / self.unit);
            match search(instance) {
                Verdict::Found(found) => {
                    for (&index, offset) in indices.iter().zip(found) {
                        offsets[index] = offset * self.unit;
                    }
                }
                Verdict::Infeasible => return Some(Err(Contradicted)),
                Verdict::Exhausted => settled = false,
            }
        }
        settled.then(|| Ok(Solution::new(buffers, offsets)))
    }
}

/// It is proven that no allocation exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contradicted;

/// A height in bytes that suffices for any buffers whose fixed ones do not collide.
fn total(buffers: &[Buffer]) -> u128 {
    let sizes = |b: &Buffer| u128::from(b.size) + u128::from(b.step());
    let pinned = buffers.iter().filter_map(|b| b.fixed_offset).max().unwrap_or(0);
    buffers.iter().map(sizes).sum::<u128>() + u128::from(pinned)
}

/// A number of bytes that divides every offset because it divides every alignment.
fn common_step(buffers: &[Buffer], live: &[usize]) -> u64 {
    live.iter().map(|&i| buffers[i].step()).reduce(gcd).unwrap_or(1)
}

/// The greatest number of bytes that divides all rounded sizes, fixed offsets and alignments.
fn unit(buffers: &[Buffer], live: &[usize], step: u64) -> u64 {
    let amounts = live
        .iter()
        .flat_map(|&i| [buffers[i].size.next_multiple_of(step), buffers[i].fixed_offset.unwrap_or(0)]);
    let amounts = amounts.reduce(gcd).unwrap_or(1).max(1);
    // An alignment that divides all amounts is met by every sum of them.
    let alignments = live.iter().map(|&i| buffers[i].step()).filter(|step| amounts % step != 0);
    alignments.fold(amounts, gcd)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Cuts the list wherever no buffer is live on both sides of a point in time.
fn components(buffers: &[Buffer], mut live: Vec<usize>) -> Vec<Vec<usize>> {
    live.sort_by_key(|&i| (buffers[i].lower, i));
    let mut components: Vec<Vec<usize>> = Vec::new();
    let mut end = i64::MIN;
    for index in live {
        match components.last_mut() {
            Some(component) if buffers[index].lower < end => component.push(index),
            _ => components.push(vec![index]),
        }
        end = end.max(buffers[index].upper);
    }
    components
}
