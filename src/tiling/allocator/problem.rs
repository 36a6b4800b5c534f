//! What is allocated: buffers with lifetimes, and the results of an allocation.
//!
//! In: nothing. Out: the types every other file of the allocator speaks. Never decides an offset.

/// A block of memory that must exist during a half-open interval of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffer {
    /// Name used in messages and in the CSV format; the solver never reads it.
    pub id: String,
    /// First point in time (any unit, the same for all buffers) at which the buffer is live.
    pub lower: i64,
    /// First point in time at which the buffer is no longer live. `upper <= lower` is never live.
    pub upper: i64,
    /// Size in bytes. A buffer of zero bytes conflicts with nothing.
    pub size: u64,
    /// The offset in bytes must be a multiple of this. Zero means the same as one.
    pub alignment: u64,
    /// The offset in bytes, if it is not for the allocator to choose.
    pub fixed_offset: Option<u64>,
}

impl Buffer {
    /// A buffer of `size` bytes, live during `[lower, upper)`, without further demands.
    pub fn new(id: impl Into<String>, lower: i64, upper: i64, size: u64) -> Self {
        Self { id: id.into(), lower, upper, size, alignment: 1, fixed_offset: None }
    }

    /// The same buffer with offsets limited to multiples of `alignment` bytes.
    #[must_use]
    pub fn aligned(mut self, alignment: u64) -> Self {
        self.alignment = alignment;
        self
    }

    /// The same buffer, pinned at `offset` bytes.
    #[must_use]
    pub fn fixed_at(mut self, offset: u64) -> Self {
        self.fixed_offset = Some(offset);
        self
    }

    /// Whether the buffer takes memory at any time.
    pub(super) fn occupies(&self) -> bool {
        self.size > 0 && self.upper > self.lower
    }

    /// The alignment in bytes, at least one.
    pub(super) fn step(&self) -> u64 {
        self.alignment.max(1)
    }
}

/// Buffers to be placed in one memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// What is to be placed; results refer to buffers by their index in this list.
    pub buffers: Vec<Buffer>,
    /// Bytes available, from offset 0.
    pub capacity: u64,
}

impl Problem {
    /// A height in bytes that no allocation can undercut; see [`lower_bound`].
    #[must_use]
    pub fn lower_bound(&self) -> u64 {
        lower_bound(&self.buffers)
    }
}

/// The largest live set in bytes, and at least the end of every fixed buffer.
///
/// Where all buffers live at one time share an alignment of `a` bytes, each of them but the
/// topmost takes a multiple of `a`, so sizes are counted rounded up to the smallest alignment in
/// the live set, save for the largest rounding loss, which the topmost buffer may keep.
#[must_use]
pub fn lower_bound(buffers: &[Buffer]) -> u64 {
    let pinned = buffers
        .iter()
        .filter(|b| b.occupies())
        .filter_map(|b| b.fixed_offset.map(|offset| offset.saturating_add(b.size)));
    let live = lifetime_starts(buffers).into_iter().map(|time| live_bytes(buffers, time));
    pinned.chain(live).max().unwrap_or(0)
}

/// Every live set that is not contained in another begins where some buffer begins.
fn lifetime_starts(buffers: &[Buffer]) -> Vec<i64> {
    let mut starts: Vec<i64> = buffers.iter().filter(|b| b.occupies()).map(|b| b.lower).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Bytes needed at `time`, with the rounding described at [`lower_bound`].
fn live_bytes(buffers: &[Buffer], time: i64) -> u64 {
    let live = || buffers.iter().filter(|b| b.occupies() && b.lower <= time && time < b.upper);
    // The smallest alignment divides all others only among powers of two.
    let powers = live().all(|b| b.step().is_power_of_two());
    let step = if powers { live().map(Buffer::step).min().unwrap_or(1) } else { 1 };
    let (mut total, mut largest_loss) = (0u64, 0u64);
    for buffer in live() {
        let loss = (step - buffer.size % step) % step;
        total = total.saturating_add(buffer.size).saturating_add(loss);
        largest_loss = largest_loss.max(loss);
    }
    if total == u64::MAX { total } else { total - largest_loss }
}

/// Where each buffer lies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Solution {
    /// Offset in bytes of each buffer, in the order of the buffers of the problem.
    pub offsets: Vec<u64>,
    /// Bytes used: the largest `offset + size` of a buffer that is ever live.
    pub height: u64,
}

impl Solution {
    /// The solution with these offsets, its height computed from the buffers.
    pub(super) fn new(buffers: &[Buffer], offsets: Vec<u64>) -> Self {
        let ends = buffers.iter().zip(&offsets).filter(|(b, _)| b.occupies());
        let height = ends.map(|(b, offset)| offset.saturating_add(b.size)).max().unwrap_or(0);
        Self { offsets, height }
    }
}

/// Limits on the effort of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Wall-clock limit. Results depend on the machine once it is reached; `None` by default.
    pub time_limit: Option<std::time::Duration>,
    /// Limit on search nodes (placements and rejections tried): the same on every machine.
    pub node_limit: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { time_limit: None, node_limit: 20_000 }
    }
}

impl Options {
    /// For problems that are hard and matter: seconds to minutes where the default takes at most
    /// fractions of a second.
    #[must_use]
    pub fn thorough() -> Self {
        Self { time_limit: None, node_limit: 20_000_000 }
    }
}

/// What is known about a problem after a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An allocation within the capacity.
    Solved(Solution),
    /// No allocation within the capacity exists.
    Infeasible,
    /// The limits were reached first.
    Unknown {
        /// The lowest allocation found: valid except that it exceeds the capacity. `None` where
        /// not even that was found (fixed buffers that collide, say).
        best: Option<Solution>,
    },
}

/// The lowest allocation found, and how good it is known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minimised {
    /// The allocation.
    pub solution: Solution,
    /// Its height in bytes.
    pub height: u64,
    /// No allocation is lower than this many bytes.
    pub lower_bound: u64,
    /// Whether `height` is known to be the smallest possible.
    pub proven: bool,
}
