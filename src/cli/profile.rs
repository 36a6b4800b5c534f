//! Tables of where cycles go: layers, and parts of layers.
//!
//! In: what a simulator measured of layers, with their names. Out: tables. Never measures.

use comfy_table::Table;

use super::style::{Stream, Tone, grouped, paint, shorten, table};
use crate::diag::Result;
use crate::runner::Record;
use crate::runner::record::{Measured, Part};

/// A layer's name and what was measured of it.
pub type Row = (String, Measured);

/// The layers of a run, and what came behind them.
pub fn rows(record: &Record) -> Vec<Row> {
    let layers = record.layers.iter().filter_map(|l| Some((l.planned.name.clone(), l.measured.clone()?)));
    let ending = record.ending.iter().map(|m| ("(results)".to_string(), m.clone()));
    layers.chain(ending).collect()
}

/// Parts of a layer that are shown one by one.
const SHOWN: usize = 3;

/// Per layer, what its cycles are: kernels, waits for the DMA, and the rest: commands, tables, barriers.
pub fn layers(stream: Stream, times: &[Row]) -> Table {
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
    for (name, t) in times {
        let kernels: u64 = t.parts.iter().map(|p| p.kernel).sum();
        let rest = t.cycles.saturating_sub(kernels + t.exposed);
        let moved = (t.fetched, t.stored + t.outside);
        let numbers = [t.cycles, kernels, t.exposed, rest, t.dma, moved.0, moved.1, t.asleep, t.instructions];
        rows.add_row([shorten(name, 32)].into_iter().chain(numbers.map(grouped)));
    }
    rows
}

/// Per part: the first ones of each layer, then the least, the median and the most of each column.
pub fn parts(stream: Stream, times: &[Row]) -> Option<Table> {
    let head = ["layer", "part", "fetch", "kernel", "store", "wait", "bytes in", "bytes out"];
    let mut rows = table(stream, &head, &[2, 3, 4, 5, 6, 7]);
    let mut any = false;
    for (name, t) in times.iter().filter(|(_, t)| t.parts.len() > 1) {
        any = true;
        let all: Vec<[u64; 6]> = t.parts.iter().map(numbers).collect();
        let mut title = shorten(name, 32);
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

fn numbers(p: &Part) -> [u64; 6] {
    [p.fetch, p.kernel, p.store, p.wait, p.fetched, p.stored]
}

/// Prints the tables of a run, as far as it has transfers and parts.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(record: &Record) -> Result<()> {
    let times = rows(record);
    if times.iter().any(|(_, t)| t.dma > 0) {
        super::print(layers(Stream::Out, &times))?;
    }
    parts(Stream::Out, &times).map_or(Ok(()), |rows| super::print(format!("{LEGEND}\n{rows}")))
}

/// Says what the columns are.
pub const LEGEND: &str = "\
Cycles of each part: `fetch` and `store` are transfers under way, `wait` is what they cost: the time in which core 0 waits.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_parts_are_summarised() {
        let part = |kernel| Part { kernel, ..Part::default() };
        let layer = |n: u64| Measured { parts: (1..=n).map(part).collect(), ..Measured::default() };
        let text = |n| parts(Stream::Out, &[("conv".into(), layer(n))]).map(|t| t.to_string());
        assert_eq!(text(1), None);
        let (few, many) = (text(6).unwrap_or_default(), text(9).unwrap_or_default());
        assert!(few.contains("6 of 6") && !few.contains("median"), "{few}");
        assert!(many.contains("3 of 9") && !many.contains("4 of 9"), "{many}");
        let median = many.lines().find(|l| l.contains("median")).unwrap_or_default();
        assert!(median.split_whitespace().nth(2) == Some("5"), "{many}");
    }
}
