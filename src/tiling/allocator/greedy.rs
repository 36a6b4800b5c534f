//! Fast allocations that are often the best possible.
//!
//! In: buffers. Out: offsets without collisions, of no guaranteed height. Never searches.

use super::problem::{Buffer, Solution};
use std::cmp::Reverse;

/// Orders in which buffers are placed, the most successful first.
const ORDERS: [fn(&Buffer) -> Key; 5] = [
    |b| Reverse((u128::from(b.size), u128::from(length(b)))),
    |b| Reverse((u128::from(b.size) * u128::from(length(b)), u128::from(b.size))),
    |b| Reverse((u128::from(length(b)), u128::from(b.size))),
    |b| Reverse((u128::from(b.lower.abs_diff(i64::MAX)), u128::from(b.size))),
    |b| Reverse((u128::from(b.upper.abs_diff(i64::MIN)), u128::from(b.size))),
];

type Key = Reverse<(u128, u128)>;

fn length(buffer: &Buffer) -> u64 {
    buffer.upper.abs_diff(buffer.lower)
}

/// The lowest of several first-fit allocations; stops at one that is at most `target` bytes high.
///
/// `None` where fixed buffers collide, contradict their alignment, or offsets exceed 64 bits.
pub(super) fn allocate(buffers: &[Buffer], target: u64) -> Option<Solution> {
    let mut best: Option<Solution> = None;
    for key in ORDERS {
        let mut order: Vec<usize> = (0..buffers.len()).filter(|&i| buffers[i].occupies()).collect();
        order.sort_by_key(|&i| (buffers[i].fixed_offset.is_none(), key(&buffers[i]), i));
        let solution = first_fit(buffers, &order)?;
        if best.as_ref().is_none_or(|best| solution.height < best.height) {
            best = Some(solution);
        }
        if best.as_ref().is_some_and(|best| best.height <= target) {
            break;
        }
    }
    best
}

/// Places the buffers of `order` one by one in the lowest gap.
fn first_fit(buffers: &[Buffer], order: &[usize]) -> Option<Solution> {
    let mut offsets: Vec<u64> = buffers.iter().map(|b| b.fixed_offset.unwrap_or(0)).collect();
    if buffers.iter().zip(&offsets).any(|(b, offset)| offset % b.step() != 0) {
        return None;
    }
    // Sorted by offset, so that a gap is met before anything above it.
    let mut placed: Vec<usize> = Vec::with_capacity(order.len());
    for &index in order {
        let buffer = &buffers[index];
        let mut offset = buffer.fixed_offset.unwrap_or(0);
        for &other in &placed {
            let (low, neighbour) = (offsets[other], &buffers[other]);
            let apart = buffer.lower >= neighbour.upper || neighbour.lower >= buffer.upper;
            let end = low + neighbour.size;
            if apart || end <= offset {
                continue;
            }
            if low >= offset.checked_add(buffer.size)? {
                break;
            }
            if buffer.fixed_offset.is_some() {
                return None;
            }
            offset = end.checked_next_multiple_of(buffer.step())?;
        }
        offset.checked_add(buffer.size)?;
        offsets[index] = offset;
        let at = placed.partition_point(|&other| offsets[other] <= offset);
        placed.insert(at, index);
    }
    Some(Solution::new(buffers, offsets))
}
