//! Decoded instructions, kept per address so that each is decoded once.
//!
//! In: addresses and the bytes there. Out: [`Inst`]s. Writes to pages with decoded code throw them away.

use super::memory::{Memory, PAGE};
use super::rv32::{Class, Inst, Isa, decode};

const SLOTS: usize = PAGE as usize / 2;
const PAGES: usize = 1 << 20;

/// Instructions of a page, one per halfword.
pub type Slots = [Inst; SLOTS];

/// The store of decoded instructions. Cores with different extensions have one each.
pub struct Code {
    isa: Isa,
    /// Place of each page's instructions in `pages`; the first is that of all pages without any.
    index: Vec<u32>,
    pages: Vec<Box<Slots>>,
}

/// The slot of an address in its page.
#[inline(always)]
pub fn slot(pc: u32) -> usize {
    (pc / 2) as usize % SLOTS
}

impl Code {
    /// Nothing decoded yet.
    pub fn new(isa: Isa) -> Self {
        Code { isa, index: vec![0; PAGES], pages: vec![Box::new([Inst::UNKNOWN; SLOTS])] }
    }
    /// The instructions of an address's page.
    #[inline(always)]
    pub fn slots(&self, pc: u32) -> &Slots {
        let place = self.index.get((pc / PAGE) as usize).map_or(0, |i| *i as usize);
        self.pages.get(place).unwrap_or(&self.pages[0])
    }
    /// Decodes the instruction at `pc`; `None` if there is no memory.
    #[cold]
    pub fn decode(&mut self, pc: u32, memory: &mut Memory) -> Option<Inst> {
        let half = |at: u32| memory.slice(at, 2).map(|b| u32::from(b[0]) | u32::from(b[1]) << 8);
        let low = half(pc)?;
        let high = half(pc.wrapping_add(2));
        if low & 3 == 3 && high.is_none() {
            return None;
        }
        let inst = decode::decode(high.unwrap_or(0) << 16 | low, pc, self.isa);
        let entry = self.index.get_mut((pc / PAGE) as usize)?;
        if *entry == 0 {
            self.pages.push(Box::new([Inst::UNKNOWN; SLOTS]));
            *entry = self.pages.len() as u32 - 1;
        }
        if let Some(page) = self.pages.get_mut(*entry as usize) {
            page[slot(pc)] = inst;
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
            let entry = self.index.get((at / PAGE) as usize).map_or(0, |i| *i as usize);
            if let Some(page) = self.pages.get_mut(entry).filter(|_| entry != 0) {
                page.iter_mut().filter(|i| i.class != Class::Unknown).for_each(|i| *i = Inst::UNKNOWN);
            }
        }
    }
}
