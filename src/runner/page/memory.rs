//! Arenas over time: one rectangle for each buffer, lines for what is used, needed and there.
//!
//! In: records. Out: places and sizes in the picture's units. Never draws: the template does.

use serde_json::{Value as Json, json};

use super::super::figures::{bytes, grouped};
use super::super::record::{Buffer, Record};
use super::headline::levels;

/// The picture's size, and the room for what stands beside the rectangles.
const WIDTH: f64 = 1120.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 22.0;
/// Buffers of a run in one picture; the smallest beyond that are left out.
const MOST: usize = 4000;

/// Bytes of a level that are taken at each step, each counted once.
pub fn live(record: &Record, level: &str) -> Vec<u64> {
    let steps = record.layers.len() + 1;
    let mut at: Vec<Vec<(u64, u64)>> = vec![Vec::new(); steps];
    for b in largest(record, level).0 {
        let (first, last) = life(b, steps);
        at[first..=last].iter_mut().for_each(|l| l.push((b.offset, b.offset.saturating_add(b.bytes))));
    }
    at.into_iter().map(union).collect()
}

/// Length of all intervals together.
fn union(mut intervals: Vec<(u64, u64)>) -> u64 {
    intervals.sort_unstable();
    let (mut sum, mut end) = (0u64, 0);
    for (from, until) in intervals {
        sum = sum.saturating_add(until.saturating_sub(from.max(end)));
        end = end.max(until);
    }
    sum
}

/// First and last step of a buffer, among so many.
fn life(b: &Buffer, steps: usize) -> (usize, usize) {
    let step = |s: u32| usize::try_from(s).unwrap_or(usize::MAX).min(steps - 1);
    (step(b.first), step(b.last).max(step(b.first)))
}

/// The buffers of a level, and how many small ones are left out.
fn largest<'a>(record: &'a Record, level: &str) -> (Vec<&'a Buffer>, usize) {
    let mut all: Vec<&Buffer> = record.buffers.iter().filter(|b| b.level == level).collect();
    let left_out = all.len().saturating_sub(MOST);
    if left_out > 0 {
        all.sort_by_key(|b| std::cmp::Reverse(b.bytes));
        all.truncate(MOST);
    }
    (all, left_out)
}

/// A picture per level and run; runs share the scale of a level.
pub fn pictures(records: &[&Record]) -> Vec<Json> {
    let pictures = levels(records).into_iter().filter_map(|level| {
        let top = records.iter().map(|r| top(r, &level)).max().unwrap_or(0).max(1);
        let here =
            records.iter().zip(["A", "B"]).filter(|(r, _)| r.memories.iter().any(|m| m.level == level));
        let views: Vec<Json> = here.filter_map(|(r, letter)| view(r, letter, &level, top)).collect();
        (!views.is_empty()).then(|| json!({ "level": super::name(&level), "views": views }))
    });
    pictures.collect()
}

/// The largest number of bytes that the picture has to show.
fn top(record: &Record, level: &str) -> u64 {
    let used = record.memories.iter().filter(|m| m.level == level).map(|m| {
        let used = m.bytes.max(m.lower_bound);
        // The limit is shown where it is near.
        m.capacity.filter(|c| *c as f64 <= 1.5 * used as f64).map_or(used, |c| c.max(used)) as u64
    });
    let ends = record.buffers.iter().filter(|b| b.level == level).map(|b| b.offset.saturating_add(b.bytes));
    used.chain(ends).max().unwrap_or(0)
}

fn view(record: &Record, letter: &str, level: &str, top: u64) -> Option<Json> {
    let memory = record.memories.iter().find(|m| m.level == level)?;
    let steps = record.layers.len() + 1;
    let (plot, high) = (WIDTH - LEFT - 8.0, HEIGHT - TOP - BOTTOM);
    let x = |step: usize| LEFT + plot * step as f64 / steps as f64;
    let y = |b: u64| TOP + high * (1.0 - b as f64 / top as f64);
    let (buffers, left_out) = largest(record, level);
    let layer = |step: usize| match record.layers.get(step) {
        Some(l) => format!("{} {}", step + 1, super::name(&l.planned.name)),
        None => "the end".into(),
    };
    let rectangle = |b: &&Buffer| {
        let (first, last) = life(b, steps);
        let end = b.offset.saturating_add(b.bytes);
        let kind = match b.kind.as_str() {
            "copy" => "copy",
            "load" => "load",
            "part" => "part",
            "scratch" => "scratch",
            _ => "tensor",
        };
        let when = if first == last { layer(first) } else { format!("{} to {}", layer(first), layer(last)) };
        let what = match kind {
            "tensor" => String::new(),
            "copy" => "copy of ".into(),
            "load" => "constants from outside for ".into(),
            "part" => "part of ".into(),
            _ => "scratch of ".to_string(),
        };
        let title = format!(
            "{what}{}\n{} at {}\nlayer {when}",
            super::name(&b.name),
            bytes(b.bytes),
            grouped(b.offset)
        );
        json!({
            "x": n(x(first) + 0.5), "y": n(y(end)), "w": n((x(last + 1) - x(first) - 1.0).max(1.0)),
            "h": n((y(b.offset) - y(end)).max(1.0)), "class": kind, "title": title,
        })
    };
    // Two texts on neighbouring lines stand at opposite ends.
    let line = |b: u64, class: &str, x: f64, text: String| json!({ "y": n(y(b)), "x": n(x), "class": class, "text": text });
    let bound = memory.lower_bound as u64;
    let mut lines = vec![
        line(memory.bytes as u64, "used", LEFT, String::new()),
        line(bound, "bound", WIDTH - 12.0, format!("lower bound {}", bytes(bound))),
    ];
    let capacity = memory.capacity.map(|c| c as u64);
    if let Some(c) = capacity.filter(|c| *c <= top) {
        lines.push(line(c, "capacity", LEFT + 4.0, format!("capacity {}", bytes(c))));
    }
    let ticks: Vec<Json> = ticks(steps)
        .into_iter()
        .map(|s| json!({ "x": n((x(s) + x(s + 1)) / 2.0), "text": (s + 1).to_string() }))
        .collect();
    let marks = [0, top / 2, top].map(|b| json!({ "y": n(y(b)), "text": bytes(b) }));
    Some(json!({
        "letter": letter, "width": n(WIDTH), "height": n(HEIGHT), "left": n(LEFT), "right": n(WIDTH - 8.0),
        "base": n(HEIGHT - BOTTOM), "foot": n(HEIGHT - 6.0), "count": buffers.len(), "left_out": left_out,
        "rectangles": buffers.iter().map(rectangle).collect::<Vec<_>>(), "lines": lines, "ticks": ticks,
        "marks": marks, "bytes": bytes(memory.bytes as u64), "capacity": capacity.map(bytes),
        "reason": super::name(&memory.gap_reason),
    }))
}

/// Steps that are numbered below the picture: about twenty.
fn ticks(steps: usize) -> Vec<usize> {
    let every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
    let every = every.into_iter().find(|e| steps / e <= 22).unwrap_or(1000);
    (0..steps.saturating_sub(1)).filter(|s| (s + 1) % every == 0 || *s == 0 || every == 1).collect()
}

/// A number for SVG.
pub fn n(x: f64) -> String {
    format!("{x:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_two_buffers_share_count_once() {
        assert_eq!(union(vec![(10, 20), (0, 12), (30, 31)]), 21);
        assert_eq!(union(Vec::new()), 0);
        assert_eq!(ticks(5), [0, 1, 2, 3]);
        assert_eq!(ticks(301)[..3], [0, 19, 39]);
    }
}
