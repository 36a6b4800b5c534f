//! Checks an allocation against its problem.
//!
//! In: a problem and a solution from anywhere. Out: every rule the solution breaks. Shares no code
//! with the search, and never repairs anything.

use super::problem::{Problem, Solution};

/// One broken rule; buffers are given by their index in the problem, amounts in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // Every field is named in the text of its variant.
pub enum Violation {
    /// The solution has `offsets` offsets for `buffers` buffers.
    Count { buffers: usize, offsets: usize },
    /// `buffer` ends beyond `capacity`.
    Capacity { buffer: usize, capacity: u64 },
    /// The `offset` of `buffer` is not a multiple of its `alignment`.
    Alignment { buffer: usize, offset: u64, alignment: u64 },
    /// The `offset` of `buffer` is not the demanded `fixed` one.
    Fixed { buffer: usize, offset: u64, fixed: u64 },
    /// The buffers `first` and `second` share memory while both are live.
    Overlap { first: usize, second: usize },
    /// The `stated` height is not the `actual` end of the topmost buffer.
    Height { stated: u64, actual: u64 },
}

/// Lists every rule that `solution` breaks.
///
/// # Errors
/// The violations, in the order of the buffers; never an empty list.
pub fn validate(problem: &Problem, solution: &Solution) -> Result<(), Vec<Violation>> {
    let buffers = &problem.buffers;
    let offsets = &solution.offsets;
    if buffers.len() != offsets.len() {
        return Err(vec![Violation::Count { buffers: buffers.len(), offsets: offsets.len() }]);
    }
    let mut violations = Vec::new();
    let mut actual = 0;
    // Ends are computed in 128 bits, so that no offset can wrap into validity.
    let end = |index: usize| u128::from(offsets[index]) + u128::from(buffers[index].size);
    for (index, buffer) in buffers.iter().enumerate() {
        let (offset, alignment) = (offsets[index], buffer.alignment);
        if alignment > 1 && offset % alignment != 0 {
            violations.push(Violation::Alignment { buffer: index, offset, alignment });
        }
        if let Some(fixed) = buffer.fixed_offset.filter(|&fixed| fixed != offset) {
            violations.push(Violation::Fixed { buffer: index, offset, fixed });
        }
        if buffer.size == 0 || buffer.lower >= buffer.upper {
            continue;
        }
        if end(index) > u128::from(problem.capacity) {
            violations.push(Violation::Capacity { buffer: index, capacity: problem.capacity });
        }
        actual = end(index).max(actual);
        for (second, other) in buffers.iter().enumerate().skip(index + 1) {
            let together =
                buffer.lower < other.upper && other.lower < buffer.upper && other.lower < other.upper;
            let disjoint = end(index) <= u128::from(offsets[second])
                || end(second) <= u128::from(offset)
                || other.size == 0;
            if together && !disjoint {
                violations.push(Violation::Overlap { first: index, second });
            }
        }
    }
    if actual != u128::from(solution.height) {
        let actual = u64::try_from(actual).unwrap_or(u64::MAX);
        violations.push(Violation::Height { stated: solution.height, actual });
    }
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}
