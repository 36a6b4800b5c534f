//! Where in a text file something is wrong, shown with a caret.
//!
//! In: a text, a byte range, a message. Out: a diagnostic's message in the manner of the TOML parser's own.

use std::ops::Range;

/// `message` with the line of `span` and carets under it.
pub fn point_at(text: &str, span: Range<usize>, message: &str) -> String {
    let start = floor(text, span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    let line = text[..start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count();
    let end = floor(text, span.end).clamp(start, line_end);
    let width = text[start..end].chars().count().max(1);
    let gutter = " ".repeat(line.to_string().len());
    format!(
        "at line {line}, column {}\n{gutter} |\n{line} | {}\n{gutter} | {}{}\n{message}",
        column + 1,
        &text[line_start..line_end],
        " ".repeat(column),
        "^".repeat(width),
    )
}

/// The byte offset of a line and column, both counted from 1; the end of the text if they lie beyond it.
pub fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[start..];
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(i, _)| i)
}

/// The nearest character boundary at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_the_words() {
        let shown = point_at("a = 1\nnämé = 22\n", 14..16, "too big");
        assert_eq!(shown, "at line 2, column 7\n  |\n2 | nämé = 22\n  |       ^^\ntoo big");
        assert!(point_at("", 5..9, "empty").contains("line 1, column 1"));
    }
}
