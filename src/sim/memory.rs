//! Memories: bytes, and which address reaches which byte at which cost.
//!
//! In: a [`Soc`]'s memories and addresses. Out: bytes and costs. Never knows cores, time or devices.

use super::soc::Soc;

/// Addresses are mapped in pages of this many bytes.
pub const PAGE: u32 = 4096;
const PAGES: usize = 1 << 20;
/// Most mappings (memories and their aliases) that a chip has.
const MAPPINGS: usize = 16;
/// Marks a page that instructions were decoded from.
const CODE: u8 = 0x80;
/// Marks a page with a variable that is watched.
const WATCHED: u8 = 0x40;

/// One range of addresses and where its bytes are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mapping {
    /// First address.
    pub base: u32,
    /// Bytes.
    pub size: u32,
    /// Place of the first byte.
    pub place: usize,
    /// Costs, see [`super::soc::Costs`].
    pub costs: [u32; 2],
    /// Banks − 1, or 0.
    pub bank_mask: u32,
    /// Place of the memory that it is (an alias of).
    pub memory: usize,
}

/// All memories of a chip in one array.
pub struct Memory {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Mapping number of each page, 0 for none; the top bit marks code.
    pages: Box<[u8; PAGES]>,
    /// Mappings; number 0 is empty.
    pub mappings: [Mapping; MAPPINGS],
}

impl Memory {
    /// The memories of a chip, filled with a pattern that is unlikely to pass for data.
    pub fn new(soc: &Soc) -> Self {
        let total: usize = soc.memories.iter().map(|m| m.size as usize).sum();
        let pages = vec![0; PAGES].into_boxed_slice().try_into().unwrap_or_else(|_| Box::new([0; PAGES]));
        let mut memory = Memory { bytes: vec![0xa5; total], pages, mappings: [Mapping::default(); MAPPINGS] };
        let (mut place, mut next) = (0, 1);
        for (index, spec) in soc.memories.iter().enumerate() {
            for base in std::iter::once(spec.base).chain(spec.aliases.iter().copied()) {
                let Some(slot) = memory.mappings.get_mut(next) else { break };
                *slot = Mapping {
                    base,
                    size: spec.size,
                    place,
                    costs: spec.costs,
                    bank_mask: (spec.banks as u32).saturating_sub(1),
                    memory: index,
                };
                for page in base / PAGE..(base / PAGE).saturating_add(spec.size / PAGE) {
                    memory.pages[page as usize % PAGES] = next as u8;
                }
                next += 1;
            }
            place += spec.size as usize;
        }
        memory
    }
    /// The mapping of an address; its size is 0 if there is none. Also whether writes to its page need attention.
    #[inline(always)]
    pub fn find(&self, addr: u32) -> (&Mapping, bool) {
        let page = self.pages[(addr / PAGE) as usize];
        (&self.mappings[usize::from(page & 15)], page & (CODE | WATCHED) != 0)
    }
    /// The place of `size` bytes at `addr`, if all of them are in one memory.
    pub fn place(&self, addr: u32, size: u32) -> Option<usize> {
        let (m, _) = self.find(addr);
        let offset = addr.wrapping_sub(m.base);
        let fits = m.size != 0 && u64::from(offset) + u64::from(size) <= u64::from(m.size);
        fits.then_some(m.place + offset as usize)
    }
    /// The bytes at `addr`, if all of them are in one memory.
    pub fn slice(&self, addr: u32, size: u32) -> Option<&[u8]> {
        let place = self.place(addr, size)?;
        self.bytes.get(place..place + size as usize)
    }
    /// The same, to write.
    pub fn slice_mut(&mut self, addr: u32, size: u32) -> Option<&mut [u8]> {
        let place = self.place(addr, size)?;
        self.bytes.get_mut(place..place + size as usize)
    }
    /// Remembers that instructions were decoded from a page.
    pub fn mark_code(&mut self, addr: u32) {
        self.pages[(addr / PAGE) as usize] |= CODE;
    }
    /// Writes to the page of this address need attention.
    pub fn watch(&mut self, addr: u32) {
        self.pages[(addr / PAGE) as usize] |= WATCHED;
    }
    /// Whether instructions were decoded from the page of an address.
    pub fn is_code(&self, addr: u32) -> bool {
        self.pages[(addr / PAGE) as usize] & CODE != 0
    }
    /// Forgets it.
    pub fn unmark_code(&mut self, addr: u32) {
        self.pages[(addr / PAGE) as usize] &= !CODE;
    }
    /// Little-endian value of 1, 2 or 4 bytes at a place.
    #[inline(always)]
    pub fn get(&self, place: usize, size: u32) -> u32 {
        match size {
            4 => match self.bytes.get(place..place + 4) {
                Some(b) => u32::from_le_bytes([b[0], b[1], b[2], b[3]]),
                None => 0,
            },
            2 => match self.bytes.get(place..place + 2) {
                Some(b) => u32::from(u16::from_le_bytes([b[0], b[1]])),
                None => 0,
            },
            _ => self.bytes.get(place).map_or(0, |b| u32::from(*b)),
        }
    }
    /// Writes 1, 2 or 4 bytes at a place.
    #[inline(always)]
    pub fn set(&mut self, place: usize, size: u32, value: u32) {
        let bytes = value.to_le_bytes();
        let n = size as usize;
        match size {
            4 => {
                if let Some(b) = self.bytes.get_mut(place..place + 4) {
                    b.copy_from_slice(&bytes);
                }
            }
            _ => {
                if let Some(b) = self.bytes.get_mut(place..place + n) {
                    b.copy_from_slice(&bytes[..n]);
                }
            }
        }
    }
}
