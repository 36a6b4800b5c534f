//! DMA transfers under way: which bytes they move, and when they are done.
//!
//! In: transfers as devices start them. Out: moved bytes at the end of each. Never decides how long one takes.

use super::devices::{Place, Transfer};
use super::execute::Shared;

/// Transfers by number; a finished one leaves a free place.
#[derive(Default)]
pub struct Transfers {
    running: Vec<Option<Transfer>>,
}

/// Where a transfer leaves the memories, and why that is wrong.
type Wrong = (Place, String);

impl Transfers {
    /// Checks that every byte of a transfer exists; the number to finish it by.
    pub fn begin(&mut self, transfer: Transfer, shared: &Shared) -> Result<usize, Wrong> {
        for (source, destination, size) in &transfer.rows {
            for place in [*source, *destination] {
                let Place::Bus(addr) = place else { continue };
                if shared.memory.place(addr, *size).is_none() {
                    let message = format!(
                        "starts {} over {size} bytes at {addr:#010x}, where no memory is",
                        transfer.label
                    );
                    return Err((place, message));
                }
            }
        }
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
            let (Place::Bus(from), Place::Bus(to)) = (*source, *destination) else { continue };
            let Some(place) = shared.memory.place(from, *size) else { continue };
            let Some(target) = shared.memory.place(to, *size) else { continue };
            shared.memory.bytes.copy_within(place..place + *size as usize, target);
            shared.forget_code(to, *size);
        }
    }
}
