//! DMA transfers under way: which bytes they move, and when they are done.
//!
//! In: transfers as devices start them. Out: moved bytes at the end of each. Never decides how long one takes.
//! For the checker a transfer lasts until somebody has asked whether it has ended.

use super::checker::Reach;
use super::devices::{Place, Transfer};
use super::shared::{Shared, Trouble};

/// Transfers by number; one that is over leaves a free place.
#[derive(Default)]
pub struct Transfers {
    running: Vec<Option<Transfer>>,
    /// Finished, but nobody knows yet.
    finished: Vec<Transfer>,
}

/// Places and sizes of the ends of a transfer that are in memories, and whether they are written.
fn ends(transfer: &Transfer) -> impl Iterator<Item = (u32, u32, bool)> + '_ {
    transfer.rows.iter().flat_map(|(source, destination, size)| {
        let end = |place: &Place, write| match place {
            Place::Bus(addr) => Some((*addr, *size, write)),
            Place::Hyper(..) => None,
        };
        end(source, false).into_iter().chain(end(destination, true))
    })
}

/// Ends of a transfer that are outside of the chip: memory, offset, bytes, and whether they are written.
fn outside(transfer: &Transfer) -> impl Iterator<Item = (usize, u32, u32, bool)> + '_ {
    transfer.rows.iter().flat_map(|(source, destination, size)| {
        let end = |place: &Place, write| match place {
            Place::Hyper(chip, offset) => Some((*chip, *offset, *size, write)),
            Place::Bus(_) => None,
        };
        end(source, false).into_iter().chain(end(destination, true))
    })
}

impl Transfers {
    /// Whether another transfer still moves bytes outside of the chip that this one must not touch before its end.
    fn check_outside(&self, transfer: &Transfer) -> Result<(), Box<Trouble>> {
        let others = || self.running.iter().flatten().chain(&self.finished).flat_map(outside);
        for (chip, offset, size, write) in outside(transfer) {
            let meets = |(c, o, s, w): (usize, u32, u32, bool)| {
                c == chip && (w || write) && o < offset.saturating_add(size) && offset < o.saturating_add(s)
            };
            if others().any(meets) {
                let verb = if write { "to" } else { "from" };
                let message = format!(
                    "starts a transfer {verb} {size} bytes at {offset:#x} of a HyperBus memory: bytes that another transfer \
                     is still moving, or whose end nobody has waited for"
                );
                return Err(Trouble::new(None, message));
            }
        }
        Ok(())
    }
    /// Checks a transfer's bytes; the number to finish it by.
    ///
    /// # Errors
    /// Some of them do not exist, or are somebody else's.
    pub fn begin(&mut self, transfer: Transfer, shared: &mut Shared) -> Result<usize, Box<Trouble>> {
        for (addr, size, write) in ends(&transfer) {
            let Some(place) = shared.memory.place(addr, size) else {
                let verb = if write { "to" } else { "from" };
                let message =
                    format!("starts a transfer {verb} {size} bytes at {addr:#010x}, where no memory is");
                return Err(Trouble::new(Some(addr), message));
            };
            if let Some(checker) = &shared.checker {
                checker.check_move(Reach { core: transfer.core, addr, place, size, write })?;
            }
        }
        if shared.checker.is_some() {
            self.check_outside(&transfer)?;
        }
        mark(&transfer, shared);
        let id = match self.running.iter().position(Option::is_none) {
            Some(free) => free,
            None => {
                self.running.push(None);
                self.running.len() - 1
            }
        };
        self.running[id] = Some(transfer);
        Ok(id)
    }
    /// Moves the bytes.
    pub fn finish(&mut self, id: usize, shared: &mut Shared) {
        let Some(transfer) = self.running.get_mut(id).and_then(Option::take) else { return };
        for (source, destination, size) in &transfer.rows {
            move_row(*source, *destination, *size, shared);
        }
        if shared.checker.is_some() {
            self.finished.push(transfer);
        }
    }
    /// Somebody knows that the finished transfers are over.
    pub fn acknowledge(&mut self, shared: &mut Shared) {
        if self.finished.is_empty() {
            return;
        }
        for transfer in self.finished.drain(..) {
            for (addr, size, write) in ends(&transfer) {
                if let (Some(place), Some(checker)) = (shared.memory.place(addr, size), &mut shared.checker) {
                    checker.unmark(place, size, write);
                }
            }
        }
        // Others may use some of the same bytes.
        self.running.iter().flatten().for_each(|t| mark(t, shared));
    }
}

fn mark(transfer: &Transfer, shared: &mut Shared) {
    for (addr, size, write) in ends(transfer) {
        if let (Some(place), Some(checker)) = (shared.memory.place(addr, size), &mut shared.checker) {
            checker.mark(place, size, write);
        }
    }
}

fn move_row(source: Place, destination: Place, size: u32, shared: &mut Shared) {
    match (source, destination) {
        (Place::Bus(from), Place::Bus(to)) => {
            let (Some(from), Some(place)) = (shared.memory.place(from, size), shared.memory.place(to, size))
            else {
                return;
            };
            shared.memory.bytes.copy_within(from..from + size as usize, place);
            if let Some(checker) = &mut shared.checker {
                checker.copied(from, place, size);
            }
            shared.forget_code(to, size);
        }
        (Place::Hyper(chip, offset), Place::Bus(to)) => {
            let Some(place) = shared.memory.place(to, size) else { return };
            for i in 0..size as usize {
                let (byte, written) = shared.outside[chip & 1].get(offset as usize + i);
                if let Some(b) = shared.memory.bytes.get_mut(place + i) {
                    *b = byte;
                }
                if let Some(checker) = &mut shared.checker {
                    checker.filled(place + i, written);
                }
            }
            shared.forget_code(to, size);
        }
        (Place::Bus(from), Place::Hyper(chip, offset)) => {
            let Some(place) = shared.memory.place(from, size) else { return };
            for i in 0..size as usize {
                let byte = shared.memory.bytes.get(place + i).copied().unwrap_or(0);
                let written = shared.checker.as_ref().is_none_or(|c| c.is_written(place + i));
                shared.outside[chip & 1].set(offset as usize + i, byte, written);
            }
        }
        (Place::Hyper(..), Place::Hyper(..)) => {}
    }
}
