//! How the command line looks: colours, tables, numbers, progress.
//!
//! In: plain values. Out: text for people. Colours and moving things only go to terminals, and colours
//! not even there if `NO_COLOR` is set.

use std::io::IsTerminal;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableComponent, presets};
use indicatif::{ProgressBar, ProgressStyle};

pub use crate::runner::figures::{bytes, grouped};

/// What a piece of text means; decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// It needs attention.
    Caution,
    /// Less important.
    Quiet,
    /// More important.
    Strong,
}

/// Which stream a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Out,
    /// Diagnostics and progress.
    Err,
}

/// Whether the stream takes colours.
pub fn coloured(stream: Stream) -> bool {
    let terminal = match stream {
        Stream::Out => std::io::stdout().is_terminal(),
        Stream::Err => std::io::stderr().is_terminal(),
    };
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let able = std::env::var_os("TERM").is_none_or(|t| t != "dumb");
    terminal && wanted && able
}

/// The text in its colour, if the stream takes colours.
pub fn paint(stream: Stream, tone: Tone, text: &str) -> String {
    if !coloured(stream) {
        return text.to_string();
    }
    let code = match tone {
        Tone::Good => "32",
        Tone::Bad => "1;31",
        Tone::Caution => "33",
        Tone::Quiet => "2",
        Tone::Strong => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// A table with a head; columns named in `right` are right-aligned.
pub fn table(stream: Stream, head: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_header(head.iter().map(|h| Cell::new(paint(stream, Tone::Strong, h))));
    table.set_content_arrangement(ContentArrangement::Disabled);
    for component in [
        TableComponent::HorizontalLines,
        TableComponent::MiddleIntersections,
        TableComponent::LeftBorderIntersections,
        TableComponent::RightBorderIntersections,
    ] {
        table.remove_style(component);
    }
    for i in right {
        if let Some(column) = table.column_mut(*i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A duration in milliseconds or seconds.
pub fn duration(d: Duration) -> String {
    let ms = d.as_secs_f64() * 1e3;
    if ms < 10.0 {
        format!("{ms:.2} ms")
    } else if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.2} s", ms / 1e3)
    }
}

/// Shortens a text to `width` characters, keeping its end (names of nodes differ there).
pub fn shorten(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_string();
    }
    let tail: String = text.chars().skip(count - width.saturating_sub(1)).collect();
    format!("…{tail}")
}

/// A progress bar on standard error if that is a terminal, else nothing.
pub fn progress(total: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total as u64);
    let template = "{bar:30} {pos}/{len}  {elapsed}  {wide_msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(Duration::from_micros(1234)), "1.23 ms");
        assert_eq!(duration(Duration::from_millis(2500)), "2.50 s");
    }

    #[test]
    fn long_names_keep_their_end() {
        assert_eq!(shorten("layer1/conv", 20), "layer1/conv");
        assert_eq!(shorten("model/layer1/conv", 8), "…r1/conv");
    }
}
