//! Traces in Chrome's JSON format, for chrome://tracing and Perfetto.
//!
//! In: the slices of a [`Profile`]. Out: JSON text. One unit of time is one cycle of the chip's reported clock.

use std::fmt::Write;

use super::profile::{Profile, Track};
use super::soc::Soc;

/// A quoted string.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if u32::from(c) < 32 => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn track(soc: &Soc, track: Track) -> (usize, String) {
    match track {
        Track::Layers => (0, "layers".into()),
        Track::Core(i) => (1 + i, soc.cores.get(i).map_or_else(String::new, |c| c.name.clone())),
        Track::Transfers(i) => {
            (100 + i, ["DMA out of L1", "DMA into L1", "HyperBus"].get(i).copied().unwrap_or("DMA").into())
        }
    }
}

/// The JSON text.
pub fn json(profile: &Profile, soc: &Soc) -> String {
    let mut lines = Vec::new();
    let mut tracks: Vec<Track> = profile.slices.iter().map(|s| s.track).collect();
    tracks.sort();
    tracks.dedup();
    for t in tracks {
        let (id, name) = track(soc, t);
        lines.push(format!(
            "{{\"ph\":\"M\",\"pid\":1,\"tid\":{id},\"name\":\"thread_name\",\"args\":{{\"name\":{}}}}}",
            quote(&name)
        ));
        lines.push(format!(
            "{{\"ph\":\"M\",\"pid\":1,\"tid\":{id},\"name\":\"thread_sort_index\",\"args\":{{\"sort_index\":{id}}}}}"
        ));
    }
    let cycle = |ticks: u64| ticks / soc.period;
    for s in &profile.slices {
        let (from, until) = (cycle(s.from), cycle(s.until));
        lines.push(format!(
            "{{\"ph\":\"X\",\"pid\":1,\"tid\":{},\"ts\":{from},\"dur\":{},\"name\":{}}}",
            track(soc, s.track).0,
            until - from.min(until),
            quote(&s.name)
        ));
    }
    format!(
        "{{\"otherData\":{{\"unit\":\"cycles\",\"dropped\":{}}},\"traceEvents\":[\n{}\n]}}\n",
        profile.dropped,
        lines.join(",\n")
    )
}
