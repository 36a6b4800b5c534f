//! The figures at the top of a page.
//!
//! In: records. Out: cards with one or two values each, and what cycles are spent on. Never lays anything out.

use serde_json::{Value as Json, json};

use super::super::figures::{bytes, grouped};
use super::super::record::{Measured, Record};

/// A figure of each run, and what to say about it.
struct Figure {
    name: String,
    values: Vec<Option<u64>>,
    show: fn(u64) -> String,
    hints: Vec<String>,
}

/// A quotient that reads well: `1.25`.
pub fn ratio(new: u64, old: u64) -> Option<f64> {
    (old > 0).then(|| new as f64 / old as f64)
}

/// How a ratio of costs is to be seen.
pub fn tone(ratio: f64) -> &'static str {
    match ratio {
        r if r <= 0.98 => "good",
        r if r >= 1.02 => "bad",
        _ => "same",
    }
}

/// Bytes that the DMA moved, as measured, or else as planned.
pub fn moved(record: &Record) -> Option<u64> {
    let all = || record.layers.iter().filter_map(|l| l.measured.as_ref()).chain(&record.ending);
    if all().next().is_some() {
        return Some(all().map(|m| m.fetched.saturating_add(m.stored)).fold(0, u64::saturating_add));
    }
    record.totals.moved.map(|m| m.fetched.saturating_add(m.stored))
}

/// A sum over everything that was measured; `None` if nothing was.
pub fn sum(record: &Record, of: fn(&Measured) -> u64) -> Option<u64> {
    let all = || record.layers.iter().filter_map(|l| l.measured.as_ref()).chain(&record.ending);
    all().next().map(|_| all().map(of).fold(0, u64::saturating_add))
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn cycles(record: &Record) -> Option<u64> {
    record.result.cycles.or_else(|| sum(record, |m| m.cycles).filter(|c| *c > 0))
}

/// The cards.
pub fn cards(records: &[&Record]) -> Vec<Json> {
    let mut figures = vec![
        figure(records, "cycles", cycles, grouped, |r| {
            let rate = r.totals.macs as f64 / cycles(r).unwrap_or(0).max(1) as f64;
            if r.totals.macs == 0 { String::new() } else { format!("{rate:.2} MAC per cycle") }
        }),
        figure(
            records,
            "predicted cycles",
            |r| cycles(r).and(r.totals.predicted_cycles),
            grouped,
            |r| {
                let bound = r.totals.cycles_bound.zip(r.totals.predicted_cycles);
                let bound = bound.map(|(b, p)| match p.saturating_sub(b) {
                    0 => "proven optimal by its costs".to_string(),
                    gap => format!("no plan below {}: gap {:.1} %", grouped(b), percent(gap, p)),
                });
                let off = r.totals.predicted_cycles.zip(cycles(r)).map(|(p, c)| {
                    let off = 100.0 * (p as f64 - c as f64) / c.max(1) as f64;
                    format!("{off:+.1} % off")
                });
                [off, bound].into_iter().flatten().collect::<Vec<_>>().join("; ")
            },
        ),
        figure(
            records,
            "exposed DMA cycles",
            |r| sum(r, |m| m.exposed),
            grouped,
            |r| {
                let all = cycles(r).unwrap_or(0);
                let (exposed, dma) = (sum(r, |m| m.exposed).unwrap_or(0), sum(r, |m| m.dma).unwrap_or(0));
                format!("{:.1} % of all; DMA busy {:.1} %", percent(exposed, all), percent(dma, all))
            },
        ),
        figure(records, "moved by DMA", moved, bytes, |r| {
            let least = r.totals.moved.map(|m| m.least).filter(|l| *l > 0);
            let times = least.zip(moved(r)).map(|(l, m)| (m as f64 / l as f64, l));
            times.map_or_else(String::new, |(t, l)| format!("{t:.2} × the least, {}", bytes(l)))
        }),
    ];
    figures.push(figure(
        records,
        "from off-chip memory",
        |r| {
            let t = &r.totals;
            (t.loaded_bytes.is_some() || t.spilled_bytes.is_some())
                .then(|| t.loaded_bytes.unwrap_or(0).saturating_add(t.spilled_bytes.unwrap_or(0)))
        },
        bytes,
        |r| match r.totals.spilled_bytes {
            None => "constants".into(),
            Some(spilled) => format!("{} of it tensors that had left L2", bytes(spilled)),
        },
    ));
    // Targets without a DMA have none of these.
    figures.retain(|f| f.values.iter().any(|v| v.is_some_and(|v| v > 0)));
    figures.extend(levels(records).iter().map(|level| arena(records, level)));
    figures.push(figure(records, "flash", |r| r.result.flash_bytes, bytes, flash));
    figures.push(figure(
        records,
        "multiply-accumulates",
        |r| Some(r.totals.macs),
        grouped,
        |r| {
            let code = r.result.instructions.map(|i| format!("{} instructions", grouped(i)));
            code.unwrap_or_default()
        },
    ));
    figures.iter().filter(|f| f.values.iter().any(Option::is_some)).map(card).collect()
}

/// An arena beside its lower bound and its limit.
fn arena(records: &[&Record], level: &str) -> Figure {
    let memory = |r: &&Record| r.memories.iter().find(|m| m.level == level).cloned();
    let hint = |r: &&Record| {
        let Some(m) = memory(r) else { return String::new() };
        let bound = match m.gap {
            0 => "the lower bound".to_string(),
            _ => format!("lower bound {}", bytes(m.lower_bound as u64)),
        };
        let share = |c: usize| format!("{:.0} % of {}; ", percent(m.bytes as u64, c as u64), bytes(c as u64));
        m.capacity.map(share).unwrap_or_default() + &bound
    };
    Figure {
        name: format!("arena in {}", super::name(level)),
        values: records.iter().map(|r| memory(r).map(|m| m.bytes as u64)).collect(),
        show: bytes,
        hints: records.iter().map(hint).collect(),
    }
}

fn figure(
    records: &[&Record],
    name: &str,
    value: fn(&Record) -> Option<u64>,
    show: fn(u64) -> String,
    hint: fn(&Record) -> String,
) -> Figure {
    Figure {
        name: name.into(),
        values: records.iter().map(|r| value(r)).collect(),
        show,
        hints: records.iter().map(|r| hint(r)).collect(),
    }
}

/// Names of all memories, in order.
pub fn levels(records: &[&Record]) -> Vec<String> {
    let mut levels: Vec<String> = Vec::new();
    for memory in records.iter().flat_map(|r| &r.memories) {
        if !levels.contains(&memory.level) {
            levels.push(memory.level.clone());
        }
    }
    levels
}

fn card(figure: &Figure) -> Json {
    let shown = |v: &Option<u64>| v.map_or_else(|| "–".to_string(), figure.show);
    let values: Vec<Json> = figure
        .values
        .iter()
        .zip(&figure.hints)
        .zip(["A", "B"])
        .map(|((v, hint), letter)| {
            let letter = (figure.values.len() > 1).then_some(letter);
            json!({ "text": shown(v), "hint": hint, "letter": letter })
        })
        .collect();
    let change = match figure.values.as_slice() {
        [Some(a), Some(b)] => ratio(*b, *a),
        _ => None,
    };
    let change = change.map(|r| json!({ "text": format!("{r:.2} ×"), "tone": tone(r) }));
    json!({ "name": figure.name, "values": values, "change": change })
}

/// What cycles are spent on: kernels, waits, the rest.
pub fn shares(records: &[&Record]) -> Vec<Json> {
    let longest = records.iter().filter_map(|r| sum(r, |m| m.cycles)).max().unwrap_or(0);
    let share = |record: &&Record| {
        let all = sum(record, |m| m.cycles).filter(|c| *c > 0)?;
        let kernels = sum(record, kernel)?.min(all);
        let exposed = sum(record, |m| m.exposed)?.min(all - kernels);
        let bars = [
            ("kernel", "kernels", kernels),
            ("wait", "waiting for the DMA", exposed),
            ("rest", "commands, tables, barriers", all - kernels - exposed),
        ];
        let bar = |(class, what, n): &(&str, &str, u64)| {
            json!({
                "class": class, "what": what, "cycles": grouped(*n),
                "percent": format!("{:.1}", percent(*n, all)), "width": format!("{:.3}", percent(*n, longest)),
            })
        };
        Some(json!({ "bars": bars.iter().map(bar).collect::<Vec<_>>() }))
    };
    records.iter().filter_map(share).collect()
}

/// Cycles in which a layer's kernels ran.
pub fn kernel(measured: &Measured) -> u64 {
    measured.parts.iter().map(|p| p.kernel).fold(0, u64::saturating_add)
}

/// What is in flash.
fn flash(r: &Record) -> String {
    let weights = r.totals.weight_bytes as u64;
    let code = r.flash.map(|f| {
        let tables = f.constants.saturating_sub(weights);
        let more = f.runtime.map(|n| format!("; {} more of start-up and test", bytes(n)));
        format!(", {} of tables, {} of code{}", bytes(tables), bytes(f.code), more.unwrap_or_default())
    });
    format!("{} of weights{}", bytes(weights), code.unwrap_or_default())
}
