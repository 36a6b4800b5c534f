//! What cores share: memories, caches, arithmetic units, and who watches them.
//!
//! In: a [`Soc`]. Out: [`Shared`], whose parts the inner loop uses directly. Never runs anything.

use super::checker::{Checker, Finding};
use super::code::Code;
use super::icache::Icache;
use super::memory::{Memory, PAGE};
use super::profile::Profile;
use super::rv32::Isa;
use super::soc::{Side, Soc};

/// What stops a core for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong, after the core's name.
    pub message: String,
    /// The address accessed, if any.
    pub addr: Option<u32>,
    /// See [`Finding::race`].
    pub race: Option<(usize, Option<usize>)>,
}

impl Trouble {
    /// Trouble without a race.
    pub fn new(addr: Option<u32>, message: impl Into<String>) -> Box<Self> {
        Box::new(Trouble { message: message.into(), addr, race: None })
    }
}

impl From<Finding> for Box<Trouble> {
    fn from(f: Finding) -> Self {
        Box::new(Trouble { message: f.message, addr: Some(f.addr), race: f.race })
    }
}

/// What the cores share, devices aside.
pub struct Shared {
    /// The memories.
    pub memory: Memory,
    /// Decoded instructions: of the cluster's cores, of the controller.
    pub code: [Code; 2],
    /// Instruction caches of the cluster.
    pub icache: Icache,
    /// When each bank is free, in ticks.
    pub banks: [u64; 64],
    /// When each float unit is free.
    pub float_free: Vec<u64>,
    /// When the divider is free.
    pub divider_free: u64,
    /// Cycles of float division.
    pub float_division: u64,
    /// Cycles of a line change without a cache.
    pub uncached_fetch: u64,
    /// Unaligned accesses.
    pub unaligned: u64,
    /// The checker, if it is on.
    pub checker: Option<Box<Checker>>,
    /// The profile, if it is on.
    pub profile: Option<Box<Profile>>,
    /// Address of the variable that tells which layer runs, if it is watched.
    pub layer_addr: Option<u32>,
    /// When it was last written, if the machine has not seen that yet.
    pub layer_written: Option<u64>,
}

impl Shared {
    /// As after reset.
    pub fn new(soc: &Soc) -> Self {
        let of = |side: Side| soc.cores.iter().find(|c| c.side == side).map(|c| c.isa);
        let fallback = Isa { float: false, xpulp: false };
        let isa = |side| of(side).unwrap_or(fallback);
        let private: Vec<(usize, usize)> = soc.cores.iter().filter_map(|c| c.cache).collect();
        Shared {
            memory: Memory::new(soc),
            code: [Code::new(isa(Side::Cluster)), Code::new(isa(Side::Controller))],
            icache: Icache::new(soc.cache, &private),
            banks: [0; 64],
            float_free: vec![0; soc.float_units.max(1)],
            divider_free: 0,
            float_division: u64::from(soc.float_division),
            uncached_fetch: u64::from(soc.uncached_fetch),
            unaligned: 0,
            checker: None,
            profile: None,
            layer_addr: None,
            layer_written: None,
        }
    }
    /// Forgets instructions decoded from bytes that have changed.
    pub fn forget_code(&mut self, addr: u32, size: u32) {
        let mut at = addr & !(PAGE - 1);
        while at < addr.saturating_add(size) {
            if self.memory.is_code(at) {
                self.code.iter_mut().for_each(|c| c.forget(at));
                self.memory.unmark_code(at);
            }
            at = match at.checked_add(PAGE) {
                Some(next) => next,
                None => break,
            };
        }
    }
}
