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

/// Cycles to program one command.
const COMMAND: u64 = 25;
/// Cycles of the loop around a part: its barriers and its line of the table.
pub const STEP: u64 = 390;

impl Dma {
    /// Cycles of one copy.
    pub fn cycles(&self, copy: &Copy) -> u64 {
        let bytes = copy.bytes() as f64 / self.bandwidth.max(0.01);
        // Short rows waste a part of every burst.
        let waste = if copy.rows * copy.planes > 1 { copy.rows * copy.planes } else { 0 };
        self.latency + bytes as u64 + waste as u64 + COMMAND * copy.commands() as u64
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
}

/// Cycles of all parts, with or without overlap.
pub fn total(parts: &[Part], ahead: bool) -> u64 {
    let step = |i: usize| {
        let part = parts[i];
        if !ahead {
            return part.fetch + part.kernel + part.store + STEP;
        }
        let next = parts.get(i + 1).map_or(0, |p| p.fetch);
        let before = if i > 0 { parts[i - 1].store } else { 0 };
        // The DMA goes on while the cores are between two parts.
        (part.kernel + STEP).max(next + before)
    };
    let sum: u64 = (0..parts.len()).map(step).sum();
    match (parts.first(), parts.last()) {
        (Some(first), Some(last)) if ahead => sum + first.fetch + last.store,
        _ => sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_hides_the_shorter() {
        let part = Part { kernel: 1000, fetch: 300, store: 100 };
        let parts = [part; 4];
        assert_eq!(total(&parts, false), 4 * (1400 + STEP));
        assert_eq!(total(&parts, true), 4 * (1000 + STEP) + 400);
        let slow = [Part { fetch: 2000, ..part }; 4];
        assert_eq!(total(&slow, true), 2000 + 2000 + 2100 + 2100 + 1000 + STEP + 100);
    }
}
