//! Tables of layers: one run's, and two runs side by side.
//!
//! In: records. Out: columns and cells, each with the number to sort by. Never sorts: the page's script does.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::super::figures::grouped;
use super::super::record::{LayerRecord, Measured, Part, Record};
use super::headline::{kernel, levels, ratio, tone};
use super::memory::live;

/// A cell: its text, and the number to sort by if it is one.
fn number(value: Option<u64>) -> Json {
    match value {
        Some(v) => json!({ "text": if v == 0 { "·".into() } else { grouped(v) }, "value": v, "n": true }),
        None => json!({ "text": "", "value": -1, "n": true }),
    }
}

fn text(text: impl Into<String>) -> Json {
    json!({ "text": text.into() })
}

fn decimal(value: Option<f64>, shown: impl Fn(f64) -> String) -> Json {
    match value {
        Some(v) => json!({ "text": shown(v), "value": v, "n": true }),
        None => json!({ "text": "", "value": -1, "n": true }),
    }
}

fn column(head: impl Into<String>, numeric: bool, help: &str) -> Json {
    json!({ "head": head.into(), "numeric": numeric, "help": help })
}

/// How a layer is computed: `4 of 1x8x16`, or where.
fn how(l: &LayerRecord) -> Json {
    let mode = l.planned.mode.as_deref().unwrap_or_default();
    let Some(tiles) = &l.planned.tiles else {
        return json!({ "text": super::name(mode), "value": 0, "n": true });
    };
    let shape: Vec<String> = tiles.shape.iter().take(8).map(ToString::to_string).collect();
    let title = l.measured.as_ref().map(|m| spread(&m.parts)).unwrap_or_default();
    let shown = format!("{} of {}", grouped(tiles.count as u64), shape.join("×"));
    json!({ "text": shown, "value": tiles.count, "n": true, "title": title })
}

/// Least, median and most of what parts took.
fn spread(parts: &[Part]) -> String {
    if parts.is_empty() {
        return String::new();
    }
    let mut lines = vec!["cycles of a part: least, median, most".to_string()];
    let fetch: fn(&Part) -> u64 = |p| p.fetch;
    let columns = [("fetch", fetch), ("kernel", |p| p.kernel), ("store", |p| p.store), ("wait", |p| p.wait)];
    for (name, of) in columns {
        let mut all: Vec<u64> = parts.iter().map(of).collect();
        all.sort_unstable();
        let figures = [all[0], all[all.len() / 2], all[all.len() - 1]].map(grouped);
        lines.push(format!("{name}: {}", figures.join(", ")));
    }
    lines.join("\n")
}

/// The cell of a layer and its number.
type Cell<'a> = Box<dyn Fn(usize, &LayerRecord) -> Json + 'a>;

/// A column of the table of a run's layers: its head and its cells.
struct Column<'a> {
    head: Json,
    cell: Cell<'a>,
}

impl<'a> Column<'a> {
    fn text(head: &str, cell: impl Fn(&LayerRecord) -> String + 'a) -> Self {
        Column { head: column(head, false, ""), cell: Box::new(move |_, l| text(cell(l))) }
    }
    fn new(head: &str, help: &str, cell: impl Fn(usize, &LayerRecord) -> Json + 'a) -> Self {
        Column { head: column(head, true, help), cell: Box::new(cell) }
    }
}

/// The table of a run's layers; columns that would be empty are left out.
pub fn layers(record: &Record) -> Json {
    let mut columns = vec![
        Column::new("#", "order of execution", |i, _| number(Some(i as u64 + 1))),
        Column::text("layer", |l| super::name(&l.planned.name)),
        Column::text("operator", |l| super::name(&l.planned.operator)),
        Column::text("kernel", |l| l.planned.kernel.as_deref().map_or_else(|| "–".into(), super::name)),
    ];
    let moved = record.layers.iter().any(|l| l.planned.moved.is_some());
    if moved {
        let help = "number and size of parts; near: whole tensors in the scratchpad";
        columns.push(Column::new("parts", help, |_, l| how(l)));
    }
    columns.push(Column::new("MAC", "multiply-accumulates", |_, l| number(Some(l.planned.macs))));
    // Some simulators count instructions and know no cycles.
    let measured = record.layers.iter().filter_map(|l| l.measured.as_ref()).any(|m| m.cycles > 0);
    if measured {
        columns.extend(cycles(record));
    } else if record.layers.iter().any(|l| l.measured.is_some()) {
        let of = |_, l: &LayerRecord| number(l.measured.as_ref().map(|m| m.instructions));
        columns.push(Column::new("instructions", "executed; not cycles", of));
    }
    if measured && record.layers.iter().any(|l| l.planned.predicted_cycles.is_some()) {
        let help = "cycles, by the planner";
        columns.push(Column::new("predicted", help, |_, l| number(l.planned.predicted_cycles)));
    }
    if measured {
        columns.extend(waits());
    }
    if moved {
        columns.extend(traffic());
    }
    for level in levels(&[record]) {
        let bytes = live(record, &level);
        let head = format!("live {}", super::name(&level));
        let cell = move |i: usize, _: &LayerRecord| number(bytes.get(i).copied());
        columns.push(Column::new(&head, "bytes that are live", cell));
    }
    let row = |(i, l): (usize, &LayerRecord)| {
        let cells: Vec<Json> = columns.iter().map(|c| (c.cell)(i, l)).collect();
        json!({ "cells": cells })
    };
    let rows: Vec<Json> = record.layers.iter().enumerate().map(row).collect();
    let heads: Vec<&Json> = columns.iter().map(|c| &c.head).collect();
    json!({ "columns": heads, "rows": rows, "groups": Json::Null })
}

/// Cycles, their share, and what they do.
fn cycles<'a>(record: &Record) -> [Column<'a>; 3] {
    let of = |l: &LayerRecord| l.measured.as_ref().map(|m| m.cycles);
    let all = record.layers.iter().filter_map(of).fold(0, u64::saturating_add).max(1);
    let longest = record.layers.iter().filter_map(of).max().unwrap_or(0).max(1);
    let share = move |_, l: &LayerRecord| {
        let cycles = of(l).map(|c| c as f64);
        let mut cell = decimal(cycles.map(|c| 100.0 * c / all as f64), |s| format!("{s:.1} %"));
        // The longest bar fills the cell.
        cell["bar"] = json!(format!("{:.1}", 100.0 * cycles.unwrap_or(0.0) / longest as f64));
        cell
    };
    let rate = move |_, l: &LayerRecord| {
        let cycles = of(l).filter(|c| *c > 0 && l.planned.macs > 0);
        decimal(cycles.map(|c| l.planned.macs as f64 / c as f64), |r| format!("{r:.2}"))
    };
    [
        Column::new("cycles", "simulated", move |_, l| number(of(l))),
        Column::new("share", "of all cycles", share),
        Column::new("MAC/cycle", "", rate),
    ]
}

/// Kernels and transfers.
fn waits<'a>() -> [Column<'a>; 3] {
    let one = |head, help, of: fn(&Measured) -> u64| {
        Column::new(head, help, move |_, l| number(l.measured.as_ref().map(of)))
    };
    [
        one("kernels", "cycles in which a kernel runs", kernel),
        one("exposed", "cycles in which core 0 waits for a transfer", |m| m.exposed),
        one("DMA", "cycles in which a transfer is under way", |m| m.dma),
    ]
}

/// Bytes that a layer's transfers move.
fn planned(l: &LayerRecord) -> Option<u64> {
    l.planned.moved.map(|m| m.fetched.saturating_add(m.stored))
}

fn traffic<'a>() -> [Column<'a>; 2] {
    let times = |_, l: &LayerRecord| {
        let least = l.planned.moved.map(|m| m.least).filter(|l| *l > 0);
        let bytes = planned(l).filter(|b| *b > 0);
        decimal(bytes.zip(least).map(|(b, l)| b as f64 / l as f64), |t| format!("{t:.2}"))
    };
    [
        Column::new("moved", "bytes between scratchpad and other memories", |_, l| number(planned(l))),
        Column::new("× least", "every operand fetched once, every result stored once", times),
    ]
}

/// What is compared of a layer.
struct Costs {
    cycles: Option<u64>,
    moved: Option<u64>,
    live: Vec<u64>,
}

fn costs(record: &Record, levels: &[String]) -> Vec<Costs> {
    let memories: Vec<Vec<u64>> = levels.iter().map(|l| live(record, l)).collect();
    let one = |(i, l): (usize, &LayerRecord)| Costs {
        cycles: l.measured.as_ref().map(|m| m.cycles).filter(|c| *c > 0),
        moved: planned(l),
        live: memories.iter().map(|m| m.get(i).copied().unwrap_or(0)).collect(),
    };
    record.layers.iter().enumerate().map(one).collect()
}

/// Pairs of layers of the same name; what only one run has stands alone, where it would run.
fn pairs(a: &Record, b: &Record) -> Vec<(Option<usize>, Option<usize>)> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, l) in b.layers.iter().enumerate().rev() {
        places.entry(&l.planned.name).or_default().push(i);
    }
    let mut pairs = Vec::new();
    let mut next = 0;
    let mut taken = vec![false; b.layers.len()];
    for (i, l) in a.layers.iter().enumerate() {
        let partner = places.get_mut(l.planned.name.as_str()).and_then(Vec::pop);
        if let Some(j) = partner {
            taken[j] = true;
            next = next.max(j + 1);
        }
        pairs.push((Some(i), partner, next));
    }
    let mut all = Vec::new();
    let mut alone = (0..b.layers.len()).filter(|j| !taken[*j]).peekable();
    for (i, j, behind) in pairs {
        while let Some(lonely) = alone.next_if(|l| l + 1 < behind) {
            all.push((None, Some(lonely)));
        }
        all.push((i, j));
    }
    all.extend(alone.map(|j| (None, Some(j))));
    all
}

/// The table of two runs.
pub fn comparison(a: &Record, b: &Record) -> Json {
    let levels = levels(&[a, b]);
    let mut columns = vec![column("#", true, ""), column("layer", false, ""), column("operator", false, "")];
    let mut titles = vec!["cycles".to_string(), "moved bytes".to_string()];
    titles.extend(levels.iter().map(|l| format!("live in {}", super::name(l))));
    let mut groups = vec![json!({ "text": "", "span": 3 })];
    for title in titles {
        groups.push(json!({ "text": title, "span": 3 }));
        for head in ["A", "B", "B / A"] {
            columns.push(column(head, true, ""));
        }
    }
    let sides = (costs(a, &levels), costs(b, &levels));
    let mut rows = Vec::new();
    for (place, (i, j)) in pairs(a, b).into_iter().enumerate() {
        let layer = i.and_then(|i| a.layers.get(i)).or_else(|| b.layers.get(j?));
        let Some(layer) = layer else { continue };
        let (one, other) = (i.and_then(|i| sides.0.get(i)), j.and_then(|j| sides.1.get(j)));
        let mut cells = vec![
            json!({ "text": (place + 1).to_string(), "value": place, "n": true }),
            text(super::name(&layer.planned.name)),
            text(super::name(&layer.planned.operator)),
        ];
        let mut compare = |of: &dyn Fn(&Costs) -> Option<u64>| {
            let (x, y) = (one.and_then(of), other.and_then(of));
            cells.extend([number(x), number(y)]);
            let change = x.zip(y).and_then(|(x, y)| ratio(y, x));
            let mut cell = decimal(change, |r| if r < 100.0 { format!("{r:.2}") } else { grouped(r as u64) });
            cell["tone"] = json!(change.map_or("same", tone));
            cells.push(cell);
        };
        compare(&|c| c.cycles);
        compare(&|c| c.moved);
        for level in 0..levels.len() {
            compare(&|c| c.live.get(level).copied());
        }
        rows.push(json!({ "cells": cells }));
    }
    json!({ "columns": columns, "rows": rows, "groups": groups })
}
