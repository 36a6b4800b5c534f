//! Instruction caches of the cluster: which lines they hold, and what a fetch costs.
//!
//! In: line numbers (address / 16) and times. Out: ticks of delay. Holds no instructions: the decoder has them.
//! Source: geometry and replacement as in the public virtual platform; costs measured on it.

use super::soc::CacheSpec;

/// One set-associative cache with the hardware's pseudo-random replacement.
#[derive(Clone, Debug)]
struct Ways {
    tags: Vec<u32>,
    /// When a line has arrived, in ticks.
    ready: Vec<u64>,
    sets: u32,
    ways: u32,
    /// 8-bit shift register of the replacement.
    shift: u8,
}

const EMPTY: u32 = u32::MAX;

impl Ways {
    fn new(sets: usize, ways: usize) -> Self {
        Ways {
            tags: vec![EMPTY; sets * ways],
            ready: vec![0; sets * ways],
            sets: sets as u32,
            ways: ways as u32,
            shift: 0,
        }
    }
    fn set(&self, line: u32) -> std::ops::Range<usize> {
        let first = ((line % self.sets) * self.ways) as usize;
        first..first + self.ways as usize
    }
    fn contains(&self, line: u32) -> bool {
        self.tags.get(self.set(line)).is_some_and(|tags| tags.contains(&line))
    }
    fn ready(&self, line: u32) -> Option<u64> {
        let set = self.set(line);
        let way = self.tags.get(set.clone())?.iter().position(|tag| *tag == line)?;
        self.ready.get(set.start + way).copied()
    }
    fn insert(&mut self, line: u32, ready: u64) {
        let s = self.shift;
        let feedback = !((s >> 7) ^ (s >> 3) ^ (s >> 2) ^ (s >> 1)) & 1;
        self.shift = s << 1 | feedback;
        let way = u32::from(self.shift >> 1) & (self.ways - 1);
        let slot = ((line % self.sets) * self.ways + way) as usize;
        if let (Some(tag), Some(at)) = (self.tags.get_mut(slot), self.ready.get_mut(slot)) {
            *tag = line;
            *at = ready;
        }
    }
    fn flush(&mut self) {
        self.tags.fill(EMPTY);
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
    pub fn new(spec: CacheSpec, private: &[(usize, usize)]) -> Self {
        Icache {
            spec,
            private: private.iter().map(|(sets, ways)| Ways::new(*sets, *ways)).collect(),
            shared: vec![Ways::new(spec.sets, spec.ways); spec.banks],
            free: vec![0; spec.banks],
            enabled: false,
        }
    }
    /// Whether a fetch of a line costs nothing and concerns nobody else.
    #[inline]
    pub fn hits_private(&self, core: usize, line: u32) -> bool {
        self.enabled && self.private.get(core).is_some_and(|c| c.contains(line))
    }
    /// Fetches a line that the core's own cache does not have; ticks until it is there.
    pub fn fetch(&mut self, core: usize, line: u32, now: u64, period: u64) -> u64 {
        if !self.enabled {
            return u64::from(self.spec.off) * period;
        }
        let bank = line as usize % self.spec.banks;
        let (Some(shared), Some(free)) = (self.shared.get_mut(bank), self.free.get_mut(bank)) else {
            return 0;
        };
        let tag = line / self.spec.banks as u32;
        let hit = u64::from(self.spec.hit) * period;
        let arrived = shared.ready(tag).unwrap_or_else(|| {
            // A bank refills one line at a time.
            *free = now.max(*free) + u64::from(self.spec.miss) * period;
            shared.insert(tag, *free);
            *free
        });
        if let Some(own) = self.private.get_mut(core) {
            own.insert(line, 0);
        }
        arrived.saturating_sub(now) + hit
    }
    /// Empties all caches.
    pub fn flush(&mut self) {
        self.private.iter_mut().chain(&mut self.shared).for_each(Ways::flush);
    }
}
