//! Predicted cycles of a tiled layer.
//!
//! In: what a kernel costs on each part and what is copied. Out: cycles. Never decides.

use super::Copy;

/// What the DMA costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dma {
    /// Cycles from the command to the first byte.
    pub latency: u64,
    /// Bytes per cycle.
    pub bandwidth: f64,
}

/// Cycles of core 0 to program one command, for which the others wait.
pub const COMMAND: u64 = 50;
/// Bytes of the longest burst.
const BURST: usize = 256;
/// Cycles of the loop around a part: its barriers and its line of the table.
pub const STEP: u64 = 350;

impl Dma {
    /// Cycles of one transfer of some copies, all inwards or all outwards.
    pub fn transfer<'c>(&self, copies: impl IntoIterator<Item = &'c Copy>, outwards: bool) -> u64 {
        copies.into_iter().fold(0, |transfer, copy| self.joined(transfer, self.cycles(copy, outwards)))
    }

    /// Cycles of a transfer with one more copy: copies follow each other, the latency is that of the first.
    pub fn joined(&self, transfer: u64, copy: u64) -> u64 {
        transfer + copy + if transfer == 0 { self.latency } else { 0 }
    }

    /// Cycles of one copy of a transfer, from that before it.
    pub fn cycles(&self, copy: &Copy, outwards: bool) -> u64 {
        let bytes = copy.bytes() as f64 / self.bandwidth.max(0.01);
        // Outwards every burst, and so every row, takes a cycle more.
        let bursts = if outwards { copy.planes * copy.rows * copy.row.div_ceil(BURST) } else { 0 };
        bytes as u64 + bursts as u64
    }
}

/// What one part costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part {
    /// Cycles of the kernel.
    pub kernel: u64,
    /// Cycles of fetching its operands.
    pub fetch: u64,
    /// Cycles of storing its results.
    pub store: u64,
    /// Commands of both.
    pub commands: u64,
}

impl Part {
    /// Cycles in which cores are busy with it.
    fn busy(&self) -> u64 {
        self.kernel + STEP + COMMAND * self.commands
    }
}

/// Cycles of all parts, with or without overlap. The DMA has a queue for each direction: results leave while operands come.
pub fn total(parts: &[Part], ahead: bool) -> u64 {
    let fetch = |i: usize| parts.get(i).map_or(0, |p| p.fetch);
    let step = |i: usize| match ahead {
        // The DMA goes on while the cores are between two parts.
        true => parts[i].busy().max(fetch(i + 1)).max(if i > 0 { parts[i - 1].store } else { 0 }),
        false => parts[i].busy() + fetch(i + 1).max(if i + 1 < parts.len() { parts[i].store } else { 0 }),
    };
    let sum: u64 = (0..parts.len()).map(step).sum();
    sum + fetch(0) + parts.last().map_or(0, |p| p.store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_hides_the_shorter() {
        let part = Part { kernel: 1000, fetch: 300, store: 100, commands: 0 };
        let parts = [part; 4];
        assert_eq!(total(&parts, false), 4 * (1000 + STEP) + 4 * 300 + 100);
        assert_eq!(total(&parts, true), 4 * (1000 + STEP) + 400);
        let slow = [Part { fetch: 2000, ..part }; 4];
        assert_eq!(total(&slow, true), 4 * 2000 + 1000 + STEP + 100);
    }

    #[test]
    fn copies_of_a_transfer_follow_each_other() {
        let dma = Dma { latency: 30, bandwidth: 8.0 };
        let (run, rows) = (Copy::run(8000), Copy { planes: 1, plane: 0, rows: 10, stride: 90, row: 80 });
        assert_eq!(dma.transfer([&run, &rows], false), 30 + 1000 + 100);
        assert_eq!(dma.transfer([&run, &rows], true), 30 + 1032 + 110);
        assert_eq!(dma.transfer([], true), 0);
    }
}
