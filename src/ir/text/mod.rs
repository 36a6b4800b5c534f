//! Graphs as text, for people, for tests and for files that survive a round trip.
//!
//! In: a graph or its text. Out: the other. Text that was printed in full reads back as the same graph
//! (ids are numbered anew). Never checks meaning: text may describe a faulty graph, which the verifier then
//! refuses.
//!
//! ```text
//! graph kws(%input: u8[1x1x49x13]) -> (output = %out) {
//!   %w: s8[2x1x1x1] = const [1, -2]                   // also: const splat 0, const hex "00ff"
//!   %y: s32[1x2x49x13] = Conv(%input, %w) {group: 1}  // the node is named like its first result,
//!   %out: s32[1x2x49x13] = Relu(%y) @relu             // or is given a name
//! }
//! ```

mod cursor;
mod dot;
mod parse;
mod print;

pub use dot::dot;
pub use parse::parse;
pub use print::{Constants, print, print_with};

/// Whether a name can stand without quotes.
fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_bare_char) && !name.contains("//")
}

fn is_bare_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '$')
}

#[cfg(test)]
mod tests;
