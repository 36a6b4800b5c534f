//! What cores share: memories, caches, arithmetic units, and who watches them.
//!
//! In: a [`Soc`]. Out: [`Shared`], whose parts the inner loop uses directly. Never runs anything.

use std::collections::BTreeMap;

use super::checker::{Checker, Finding};
use super::devices::HYPER_SIZES;
use super::icache::Icache;
use super::memory::{Memory, PAGE};
use super::profile::Profile;
use super::soc::Soc;

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
    /// Addresses in pages with decoded code that were written: what was decoded must be forgotten.
    pub written_code: Vec<u32>,
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
    /// Memories behind HyperBus: RAM, flash.
    pub outside: [Outside; 2],
    /// Unaligned accesses by instruction.
    pub unaligned: BTreeMap<u32, u64>,
    /// The checker, if it is on.
    pub checker: Option<Box<Checker>>,
    /// The profile, if it is on.
    pub profile: Option<Box<Profile>>,
    /// Address of the variable that tells which layer runs, if it is watched.
    pub layer_addr: Option<u32>,
    /// Whether the machine has something to do about `written_code` or `layer_written`.
    pub attention: bool,
    /// When it was last written, if the machine has not seen that yet.
    pub layer_written: Option<u64>,
}

impl Shared {
    /// As after reset.
    pub fn new(soc: &Soc) -> Self {
        let private: Vec<usize> = soc.cores.iter().filter_map(|c| c.cache).collect();
        Shared {
            memory: Memory::new(soc),
            written_code: Vec::new(),
            icache: Icache::new(soc.cache, &private),
            banks: [0; 64],
            float_free: vec![0; soc.float_units.max(1)],
            divider_free: 0,
            float_division: u64::from(soc.float_division),
            uncached_fetch: u64::from(soc.uncached_fetch),
            outside: [Outside::ram(), Outside::flash(&[])],
            unaligned: BTreeMap::new(),
            checker: None,
            profile: None,
            layer_addr: None,
            attention: false,
            layer_written: None,
        }
    }
    /// Notes that bytes have changed which instructions may have been decoded from.
    pub fn forget_code(&mut self, addr: u32, size: u32) {
        let mut at = addr & !(PAGE - 1);
        while at < addr.saturating_add(size) {
            if self.memory.is_code(at) {
                self.written_code.push(at);
            }
            at = match at.checked_add(PAGE) {
                Some(next) => next,
                None => break,
            };
        }
    }
}

/// A memory outside the chip.
pub struct Outside {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Which of them were written.
    written: Vec<bool>,
}

impl Outside {
    /// A RAM that nobody has written.
    pub fn ram() -> Self {
        let size = HYPER_SIZES[0] as usize;
        Outside { bytes: vec![0xff; size], written: vec![false; size] }
    }
    /// A flash that begins with these bytes; the others are erased.
    pub fn flash(image: &[u8]) -> Self {
        let mut bytes = image.to_vec();
        bytes.truncate(HYPER_SIZES[1] as usize);
        Outside { bytes, written: Vec::new() }
    }
    /// The byte at an offset, and whether it was ever written.
    pub fn get(&self, offset: usize) -> (u8, bool) {
        let byte = self.bytes.get(offset).copied().unwrap_or(0xff);
        (byte, self.written.get(offset).copied().unwrap_or(true))
    }
    /// Writes a byte whose value was itself written, or not.
    pub fn set(&mut self, offset: usize, byte: u8, written: bool) {
        if let (Some(b), Some(w)) = (self.bytes.get_mut(offset), self.written.get_mut(offset)) {
            (*b, *w) = (byte, written);
        }
    }
}
