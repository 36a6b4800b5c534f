//! The roofline: what layers reach, over what they compute per byte, below what the chip can do.
//!
//! In: records. Out: places in a picture with two logarithmic axes. Never draws: the template does.

use serde_json::{Value as Json, json};

use super::super::figures::grouped;
use super::super::record::Record;
use super::memory::n;
use crate::targets::platform::Role;

const WIDTH: f64 = 1120.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 1110.0;
const TOP: f64 = 16.0;
const BASE: f64 = 336.0;

/// A layer.
struct Point {
    /// Multiply-accumulates per byte; none if no byte is moved.
    intensity: Option<f64>,
    /// Multiply-accumulates per cycle.
    rate: f64,
    cycles: u64,
    run: usize,
    title: String,
}

fn points(record: &Record, run: usize) -> Vec<Point> {
    let point = |l: &super::super::record::LayerRecord| {
        let m = l.measured.as_ref().filter(|m| m.cycles > 0)?;
        if l.planned.macs == 0 {
            return None;
        }
        let moved = m.fetched.saturating_add(m.stored);
        let planned = l.planned.moved.map(|p| p.fetched.saturating_add(p.stored));
        // Operands may have been fetched while another layer ran: the plan knows whose they are.
        let bytes = planned.unwrap_or(moved);
        let intensity = (bytes > 0).then(|| l.planned.macs as f64 / bytes as f64);
        let rate = l.planned.macs as f64 / m.cycles as f64;
        let per = intensity.map_or_else(|| "no transfers".into(), |i| format!("{i:.1} MAC per byte"));
        let title = format!(
            "{}\n{} cycles, {rate:.2} MAC per cycle\n{per}",
            super::name(&l.planned.name),
            grouped(m.cycles)
        );
        Some(Point { intensity, rate, cycles: m.cycles, run, title })
    };
    record.layers.iter().filter_map(point).collect()
}

/// Most multiply-accumulates per cycle of the cores that ran it.
fn peak(record: &Record) -> Option<f64> {
    let cores = record.result.cores.unwrap_or(1);
    let peaks = record
        .platform
        .engines
        .iter()
        .filter_map(|e| Some(e.macs_per_cycle? * f64::from(cores.min(e.cores))));
    peaks.filter(|p| p.is_finite() && *p > 0.0).reduce(f64::max)
}

/// Bytes per cycle of the link to the memory that tensors are in.
fn bandwidth(record: &Record) -> Option<f64> {
    let inner = |r: &Role| matches!(r, Role::Unified | Role::Arena);
    let memory = record.platform.memories.iter().find(|m| inner(&m.role));
    memory?.bandwidth.filter(|b| b.is_finite() && *b > 0.0)
}

/// The picture; `None` where nothing was measured.
pub fn picture(records: &[&Record]) -> Json {
    let points: Vec<Point> = records.iter().enumerate().flat_map(|(i, r)| points(r, i)).collect();
    if points.is_empty() {
        return Json::Null;
    }
    let peak = records.iter().filter_map(|r| peak(r)).reduce(f64::max);
    let bandwidth = records.iter().filter_map(|r| bandwidth(r)).reduce(f64::max);
    let ridge = peak.zip(bandwidth).map(|(p, b)| p / b);
    let intensities = || points.iter().filter_map(|p| p.intensity).chain(ridge);
    let (low, high) = (intensities().fold(1.0, f64::min), intensities().fold(10.0, f64::max));
    let rates = || points.iter().map(|p| p.rate).chain(peak);
    let (slow, fast) = (rates().fold(1.0, f64::min), rates().fold(1.0, f64::max));
    let across = Axis::new(low, high * 3.0, LEFT, RIGHT);
    let up = Axis::new(slow, fast * 1.3, BASE, TOP);
    let most = points.iter().map(|p| p.cycles).max().unwrap_or(1).max(1);
    let edge = RIGHT - 12.0;
    let circle = |p: &Point| {
        let size = 3.5 + 10.0 * (p.cycles as f64 / most as f64).sqrt();
        json!({
            "x": n(p.intensity.map_or(edge, |i| across.at(i))), "y": n(up.at(p.rate)), "r": n(size),
            "class": if p.run == 0 { "a" } else { "b" }, "open": p.intensity.is_none(), "title": p.title,
        })
    };
    let mut sorted: Vec<&Point> = points.iter().collect();
    // Small ones in front.
    sorted.sort_by_key(|p| std::cmp::Reverse(p.cycles));
    let mut ceilings = Vec::new();
    if let Some(p) = peak {
        let from = ridge.map_or(LEFT, |r| across.at(r));
        let text = format!("{p:.0} MAC per cycle: all cores at their best");
        ceilings.push(json!({ "x1": n(from), "y1": n(up.at(p)), "x2": n(RIGHT), "y2": n(up.at(p)),
            "text": text, "tx": n(RIGHT - 4.0), "ty": n(up.at(p) - 5.0), "anchor": "end" }));
    }
    if let Some(b) = bandwidth {
        // From where it enters the picture up to the ridge.
        let start = across.low.max(up.low / b);
        let end = ridge.unwrap_or(across.high).min(up.high / b).max(start);
        // The text stands beside the middle of the line.
        let middle = (start * end).sqrt();
        ceilings.push(json!({ "x1": n(across.at(start)), "y1": n(up.at(start * b)), "x2": n(across.at(end)),
            "y2": n(up.at(end * b)), "text": format!("DMA: {b} bytes per cycle"), "tx": n(across.at(middle) + 12.0),
            "ty": n(up.at(middle * b) + 14.0), "anchor": "start" }));
    }
    json!({
        "width": n(WIDTH), "height": n(HEIGHT), "left": n(LEFT), "right": n(RIGHT), "top": n(TOP), "base": n(BASE),
        "circles": sorted.into_iter().map(circle).collect::<Vec<_>>(), "ceilings": ceilings,
        "xs": across.ticks(), "ys": up.ticks(), "foot": n(BASE + 16.0), "label": n(HEIGHT - 8.0),
        "middle": n((LEFT + RIGHT) / 2.0), "two": records.len() > 1,
        "open": points.iter().any(|p| p.intensity.is_none()),
        "above": points.iter().any(|p| p.intensity.zip(bandwidth).is_some_and(|(i, b)| p.rate > i * b)),
    })
}

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        let low = (low.max(1e-6) * 0.7).min(1e9);
        Axis { low, high: high.clamp(low * 2.0, 1e12), from, to }
    }
    fn at(&self, value: f64) -> f64 {
        let share = (value.clamp(self.low, self.high) / self.low).ln() / (self.high / self.low).ln();
        self.from + (self.to - self.from) * share
    }
    /// Round numbers: powers of ten, halves of them where there is room.
    fn ticks(&self) -> Vec<Json> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let steps: &[f64] = if last - first > 6 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = (first..=last).flat_map(|e| steps.iter().map(move |s| s * 10f64.powi(e)));
        let within = all.filter(|v| (self.low..=self.high).contains(v));
        within.map(|v| json!({ "at": n(self.at(v)), "text": plain(v) })).collect()
    }
}

fn plain(v: f64) -> String {
    if v >= 1.0 { grouped(v.round() as u64) } else { format!("{v:.6}").trim_end_matches('0').to_string() }
}
