//! Whose turn it is: cores in the order of the times at which they want to go on.
//!
//! In: times. Out: the earliest core, and how far it may go. Never knows what cores do. Ties go to the core with the
//! smaller number.

/// Later than anything: times have room for a core's number.
pub const NEVER: u64 = u64::MAX >> CORE_BITS;
const CORE_BITS: u32 = 4;
/// Places of the ring: two more than cores that a machine can have.
const MOST_CORES: usize = 1 << CORE_BITS;
const MASK: u64 = MOST_CORES as u64 - 1;

/// Cores that want to go on, the earliest first.
pub struct Turns {
    /// A ring: times above numbers of cores, then [`END`].
    ring: [u64; MOST_CORES],
    head: usize,
    len: usize,
}

/// Behind the last core.
const END: u64 = u64::MAX;

/// A core's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The core.
    pub core: usize,
    /// When it wants to go on; [`NEVER`] if no core does.
    pub at: u64,
    /// The last tick before another's turn.
    pub others: u64,
}

impl Turns {
    /// Nobody wants to go on.
    pub fn new() -> Self {
        Turns { ring: [END; MOST_CORES], head: 0, len: 0 }
    }
    #[inline(always)]
    fn get(&self, i: usize) -> u64 {
        self.ring[(self.head + i) % MOST_CORES]
    }
    /// Whose turn it is.
    #[inline(always)]
    pub fn first(&self) -> Turn {
        let (first, second) = (self.get(0), self.get(1));
        let core = first & MASK;
        Turn {
            core: core as usize,
            at: first >> CORE_BITS,
            others: second.wrapping_sub(core + 1) >> CORE_BITS,
        }
    }
    /// The core whose turn it was wants to go on later, at the earliest at the same time.
    #[inline(always)]
    pub fn postpone(&mut self, at: u64) {
        let front = self.head;
        let key = at << CORE_BITS | self.ring[front % MOST_CORES] & MASK;
        // It leaves the front and enters from the back: cores in step only change places. Its own old time is the
        // earliest and ends the search.
        let mut place = front + self.len;
        while self.ring[(place - 1) % MOST_CORES] > key {
            self.ring[place % MOST_CORES] = self.ring[(place - 1) % MOST_CORES];
            place -= 1;
        }
        self.ring[place % MOST_CORES] = key;
        self.ring[(front + self.len + 1) % MOST_CORES] = END;
        self.head = (front + 1) % MOST_CORES;
    }
    /// A core wants to go on at another time, or not at all.
    pub fn set(&mut self, core: usize, at: u64) {
        let mut keys: Vec<u64> = (0..self.len).map(|i| self.get(i)).collect();
        keys.retain(|k| (k & MASK) as usize != core);
        if at < NEVER {
            keys.push(at << CORE_BITS | core as u64 & MASK);
        }
        keys.sort_unstable();
        (self.head, self.len) = (0, keys.len().min(MOST_CORES - 2));
        self.ring = [END; MOST_CORES];
        self.ring[..self.len].copy_from_slice(&keys[..self.len]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_goes_first_and_ties_go_by_number() {
        let mut turns = Turns::new();
        assert_eq!(turns.first().at, NEVER);
        turns.set(3, 100);
        assert_eq!(turns.first(), Turn { core: 3, at: 100, others: NEVER });
        turns.set(1, 100);
        // Core 1 may act at 100 too, as it goes first; core 3 must be before 100 then.
        assert_eq!(turns.first(), Turn { core: 1, at: 100, others: 100 });
        turns.postpone(101);
        assert_eq!(turns.first(), Turn { core: 3, at: 100, others: 100 });
        turns.postpone(101);
        assert_eq!(turns.first(), Turn { core: 1, at: 101, others: 101 });
        turns.set(0, 50);
        assert_eq!(turns.first(), Turn { core: 0, at: 50, others: 101 });
        turns.postpone(500);
        // Not later than before is no harm.
        turns.postpone(101);
        turns.postpone(700);
        let order: Vec<usize> = (0..3)
            .map(|_| {
                let core = turns.first().core;
                turns.set(core, NEVER);
                core
            })
            .collect();
        assert_eq!(order, [3, 0, 1]);
    }
}
