//! Instruction caches of the cluster: which lines they hold, and what a fetch costs.
//!
//! In: line numbers (address / 16) and times. Out: ticks of delay. Holds no instructions: the decoder has them.
//! Source: geometry and replacement as in the public virtual platform; costs measured on it.

use super::soc::CacheSpec;

/// One set-associative cache with the hardware's pseudo-random replacement.
#[derive(Clone, Debug)]
struct Ways {
    tags: Vec<[u32; WAYS]>,
    /// When a line has arrived, in ticks.
    ready: Vec<[u64; WAYS]>,
    /// 8-bit shift register of the replacement.
    shift: u8,
}

/// No line.
pub const EMPTY: u32 = u32::MAX;
/// Ways of every cache.
const WAYS: usize = 4;

impl Ways {
    /// A power of two of sets, so that the set of a line is a mask.
    fn new(sets: usize) -> Self {
        let sets = sets.next_power_of_two();
        Ways { tags: vec![[EMPTY; WAYS]; sets], ready: vec![[0; WAYS]; sets], shift: 0 }
    }
    #[inline(always)]
    fn contains(&self, line: u32) -> bool {
        let set = line as usize & (self.tags.len() - 1);
        // All ways are compared, without branches.
        self.tags.get(set).is_some_and(|tags| tags.iter().fold(false, |found, tag| found | (*tag == line)))
    }
    fn ready(&self, line: u32) -> Option<u64> {
        let set = line as usize & (self.tags.len() - 1);
        let way = self.tags.get(set)?.iter().position(|tag| *tag == line)?;
        self.ready.get(set).map(|r| r[way])
    }
    /// Puts a line in; the one that had its place.
    fn insert(&mut self, line: u32, ready: u64) -> u32 {
        let s = self.shift;
        let feedback = !((s >> 7) ^ (s >> 3) ^ (s >> 2) ^ (s >> 1)) & 1;
        self.shift = s << 1 | feedback;
        let (set, way) = (line as usize & (self.tags.len() - 1), usize::from(self.shift >> 1) % WAYS);
        let (Some(tags), Some(times)) = (self.tags.get_mut(set), self.ready.get_mut(set)) else {
            return EMPTY;
        };
        times[way] = ready;
        std::mem::replace(&mut tags[way], line)
    }
    fn flush(&mut self) {
        self.tags.fill([EMPTY; WAYS]);
    }
}

/// The private caches and the shared one.
#[derive(Clone, Debug)]
pub struct Icache {
    spec: CacheSpec,
    private: Vec<Ways>,
    shared: Vec<Ways>,
    /// When each shared bank has finished its refill, in ticks.
    free: Vec<u64>,
    /// Whether they are on.
    pub enabled: bool,
}

impl Icache {
    /// Empty caches, off.
    pub fn new(spec: CacheSpec, private: &[usize]) -> Self {
        Icache {
            spec,
            private: private.iter().map(|sets| Ways::new((*sets).max(1))).collect(),
            shared: vec![Ways::new(spec.sets.max(1)); spec.banks],
            free: vec![0; spec.banks],
            enabled: false,
        }
    }
    /// Whether a fetch of a line costs nothing and concerns nobody else.
    #[inline]
    pub fn hits_private(&self, core: usize, line: u32) -> bool {
        self.enabled && self.private.get(core).is_some_and(|c| c.contains(line))
    }
    /// Fetches a line that the core's own cache does not have; ticks until it is there, and the line that had its
    /// place.
    pub fn fetch(&mut self, core: usize, line: u32, now: u64, period: u64) -> (u64, u32) {
        if !self.enabled {
            return (u64::from(self.spec.off) * period, EMPTY);
        }
        let bank = line as usize % self.spec.banks;
        let (Some(shared), Some(free)) = (self.shared.get_mut(bank), self.free.get_mut(bank)) else {
            return (0, EMPTY);
        };
        let tag = line / self.spec.banks as u32;
        let hit = u64::from(self.spec.hit) * period;
        let arrived = shared.ready(tag).unwrap_or_else(|| {
            // A bank refills one line at a time.
            *free = now.max(*free) + u64::from(self.spec.miss) * period;
            shared.insert(tag, *free);
            *free
        });
        let evicted = self.private.get_mut(core).map_or(EMPTY, |own| own.insert(line, 0));
        (arrived.saturating_sub(now) + hit, evicted)
    }
    /// Empties all caches.
    pub fn flush(&mut self) {
        self.private.iter_mut().chain(&mut self.shared).for_each(Ways::flush);
    }
}
