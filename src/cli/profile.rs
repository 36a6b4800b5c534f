//! Tables of where cycles go: layers, and parts of layers.
//!
//! In: times of layers as a simulator measured them. Out: tables. Never measures.

use comfy_table::Table;

use super::style::{Stream, Tone, grouped, paint, shorten, table};
use crate::sim::{LayerTime, PartTime};

/// Parts of a layer that are shown one by one.
const SHOWN: usize = 3;

/// Per layer, what its cycles are: kernels, waits for the DMA, and the rest: commands, tables, barriers.
pub fn layers(stream: Stream, times: &[LayerTime], name: &dyn Fn(u32) -> String) -> Table {
    let head = [
        "layer",
        "cycles",
        "kernels",
        "exposed",
        "rest",
        "DMA",
        "fetched",
        "stored",
        "asleep",
        "instructions",
    ];
    let mut rows = table(stream, &head, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for t in times {
        let kernels: u64 = t.parts.iter().map(|p| p.kernel).sum();
        let rest = t.cycles.saturating_sub(kernels + t.exposed);
        let moved = (t.fetched, t.stored + t.outside);
        let numbers = [t.cycles, kernels, t.exposed, rest, t.dma, moved.0, moved.1, t.asleep, t.instructions];
        rows.add_row([shorten(&name(t.number), 32)].into_iter().chain(numbers.map(grouped)));
    }
    rows
}

/// Per part: the first ones of each layer, then the least, the median and the most of each column.
pub fn parts(stream: Stream, times: &[LayerTime], name: &dyn Fn(u32) -> String) -> Option<Table> {
    let head = ["layer", "part", "fetch", "kernel", "store", "wait", "bytes in", "bytes out"];
    let mut rows = table(stream, &head, &[2, 3, 4, 5, 6, 7]);
    let mut any = false;
    for t in times.iter().filter(|t| t.parts.len() > 1) {
        any = true;
        let all: Vec<[u64; 6]> = t.parts.iter().map(numbers).collect();
        let mut title = shorten(&name(t.number), 32);
        let mut row = |part: String, numbers: [u64; 6]| {
            let figures = numbers.map(grouped);
            rows.add_row([std::mem::take(&mut title), part].into_iter().chain(figures));
        };
        // One row more than a summary would take is still shorter than it.
        let shown = if all.len() <= SHOWN + 3 { all.len() } else { SHOWN };
        for (i, figures) in all.iter().take(shown).enumerate() {
            row(format!("{} of {}", i + 1, all.len()), *figures);
        }
        if shown < all.len() {
            let columns: Vec<Vec<u64>> = (0..6)
                .map(|c| {
                    let mut column: Vec<u64> = all.iter().map(|n| n[c]).collect();
                    column.sort_unstable();
                    column
                })
                .collect();
            let pick = |at: usize| std::array::from_fn(|c| columns[c][at]);
            for (what, at) in [("least", 0), ("median", all.len() / 2), ("most", all.len() - 1)] {
                row(paint(stream, Tone::Quiet, what), pick(at));
            }
        }
    }
    any.then_some(rows)
}

fn numbers(p: &PartTime) -> [u64; 6] {
    [p.fetch, p.kernel, p.store, p.wait, p.fetched, p.stored]
}

/// Says what the columns are.
pub const LEGEND: &str = "\
Cycles of each part: `fetch` and `store` are transfers under way, `wait` is what they cost: the time in which core 0 waits.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_parts_are_summarised() {
        let part = |kernel| PartTime { kernel, ..PartTime::default() };
        let layer = |n: u64| LayerTime { parts: (1..=n).map(part).collect(), ..LayerTime::default() };
        let text = |n| parts(Stream::Out, &[layer(n)], &|_| "conv".into()).map(|t| t.to_string());
        assert_eq!(text(1), None);
        let (few, many) = (text(6).unwrap_or_default(), text(9).unwrap_or_default());
        assert!(few.contains("6 of 6") && !few.contains("median"), "{few}");
        assert!(many.contains("3 of 9") && !many.contains("4 of 9"), "{many}");
        let median = many.lines().find(|l| l.contains("median")).unwrap_or_default();
        assert!(median.split_whitespace().nth(2) == Some("5"), "{many}");
    }
}
