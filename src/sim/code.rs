//! Decoded instructions, kept per address so that each is decoded once.
//!
//! In: addresses and the bytes there. Out: [`Inst`]s. Writes to pages with decoded code throw them away.

use super::memory::{Memory, PAGE};
use super::rv32::{Class, Inst, Isa, decode};

const SLOTS: usize = PAGE as usize / 2;
const PAGES: usize = 1 << 20;

/// The store of decoded instructions. Cores with different extensions have one each.
pub struct Code {
    isa: Isa,
    /// Place of each page's instructions in `pages`, plus one.
    index: Vec<u32>,
    pages: Vec<Vec<Inst>>,
}

impl Code {
    /// Nothing decoded yet.
    pub fn new(isa: Isa) -> Self {
        Code { isa, index: vec![0; PAGES], pages: Vec::new() }
    }
    /// Place of the page of an address, if anything of it was decoded.
    #[inline(always)]
    pub fn page(&self, pc: u32) -> Option<usize> {
        (self.index.get((pc / PAGE) as usize).copied()? as usize).checked_sub(1)
    }
    /// The instruction at `pc`, which lies in the page at this place; unknown if it was not decoded.
    #[inline(always)]
    pub fn get(&self, page: usize, pc: u32) -> Inst {
        let slot = (pc % PAGE / 2) as usize;
        match self.pages.get(page).and_then(|p| p.get(slot)) {
            Some(inst) => *inst,
            None => Inst::UNKNOWN,
        }
    }
    /// Decodes the instruction at `pc`; `None` if there is no memory.
    #[cold]
    pub fn decode(&mut self, pc: u32, memory: &mut Memory) -> Option<Inst> {
        let low = u32::from_le_bytes(two(memory.slice(pc, 2)?));
        let high = memory.slice(pc.wrapping_add(2), 2).map_or(0, |b| u32::from_le_bytes(two(b)));
        if low & 3 == 3 && memory.slice(pc.wrapping_add(2), 2).is_none() {
            return None;
        }
        let inst = decode::decode(high << 16 | low, pc, self.isa);
        let page = match self.page(pc) {
            Some(page) => page,
            None => {
                self.pages.push(vec![Inst::UNKNOWN; SLOTS]);
                if let Some(entry) = self.index.get_mut((pc / PAGE) as usize) {
                    *entry = self.pages.len() as u32;
                }
                self.pages.len() - 1
            }
        };
        if let Some(slot) = self.pages.get_mut(page).and_then(|p| p.get_mut((pc % PAGE / 2) as usize)) {
            *slot = inst;
        }
        memory.mark_code(pc);
        // The second half may be in the next page.
        memory.mark_code(pc.wrapping_add(2));
        Some(inst)
    }
    /// Forgets what was decoded from the page of `addr`, and what may reach into it.
    #[cold]
    pub fn forget(&mut self, addr: u32) {
        for at in [addr, addr.wrapping_sub(PAGE)] {
            if let Some(page) = self.page(at).and_then(|p| self.pages.get_mut(p)) {
                page.iter_mut().filter(|i| i.class != Class::Unknown).for_each(|i| *i = Inst::UNKNOWN);
            }
        }
    }
}

fn two(bytes: &[u8]) -> [u8; 4] {
    [bytes.first().copied().unwrap_or(0), bytes.get(1).copied().unwrap_or(0), 0, 0]
}
