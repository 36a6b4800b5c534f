//! The comma-separated exchange format `id,lower,upper,size[,alignment][,offset]`.
//!
//! In: text. Out: buffers, or the first error with its line; and the way back. Never opens files,
//! never panics, whatever the text.

use super::problem::{Buffer, Solution};
use std::collections::BTreeSet;
use std::fmt::{self, Write};

/// Why a text is not a list of buffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Line of the text, counted from one.
    pub line: usize,
    /// What is wrong there.
    pub kind: ErrorKind,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // Every field is named in the text of its variant.
pub enum ErrorKind {
    /// The text is not UTF-8.
    Encoding,
    /// There is nothing but white space.
    Empty,
    /// The header has no such column.
    MissingColumn(&'static str),
    /// The header has an unknown column.
    UnknownColumn(String),
    /// The header has a column twice.
    RepeatedColumn(&'static str),
    /// The line has `found` fields, the header `expected`.
    FieldCount { expected: usize, found: usize },
    /// The `text` in `column` is not an integer in the range of the column.
    Number { column: &'static str, text: String },
    /// The lifetime from `lower` to `upper` is empty.
    Lifetime { lower: i64, upper: i64 },
    /// The alignment is not a power of two.
    Alignment(u64),
    /// An earlier line has the same id.
    RepeatedId(String),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: ", self.line)?;
        match &self.kind {
            ErrorKind::Encoding => write!(out, "not UTF-8"),
            ErrorKind::Empty => write!(out, "no header: the text is empty"),
            ErrorKind::MissingColumn(name) => write!(out, "the header has no column `{name}`"),
            ErrorKind::UnknownColumn(name) => write!(out, "unknown column {name:?} in the header"),
            ErrorKind::RepeatedColumn(name) => write!(out, "the header has `{name}` twice"),
            ErrorKind::FieldCount { expected, found } => {
                write!(out, "{found} fields, but the header has {expected}")
            }
            ErrorKind::Number { column, text } => {
                write!(out, "{text:?} is not a valid `{column}` (integer out of range or malformed)")
            }
            ErrorKind::Lifetime { lower, upper } => {
                write!(out, "the lifetime is empty: upper {upper} is not above lower {lower}")
            }
            ErrorKind::Alignment(value) => write!(out, "alignment {value} is not a power of two"),
            ErrorKind::RepeatedId(id) => write!(out, "id {id:?} was used on an earlier line"),
        }
    }
}

impl std::error::Error for Error {}

const COLUMNS: [&str; 6] = ["id", "lower", "upper", "size", "alignment", "offset"];
const REQUIRED: usize = 4;

/// Reads buffers from bytes; see [`parse`].
///
/// # Errors
/// The first error, with its line.
pub fn parse_bytes(bytes: &[u8]) -> Result<Vec<Buffer>, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.iter().take(error.valid_up_to());
        Error { line: valid.filter(|&&byte| byte == b'\n').count() + 1, kind: ErrorKind::Encoding }
    })?;
    parse(text)
}

/// Reads buffers. The header names the columns, in any order; `alignment` (a power of two, default
/// 1) and `offset` (a fixed offset, empty for none) are optional. Blank lines are skipped.
///
/// # Errors
/// The first error, with its line.
pub fn parse(text: &str) -> Result<Vec<Buffer>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (number, header) = lines.next().ok_or(Error { line: 1, kind: ErrorKind::Empty })?;
    let columns = parse_header(header).map_err(|kind| Error { line: number + 1, kind })?;
    let mut ids = BTreeSet::new();
    let mut buffers = Vec::new();
    for (number, line) in lines {
        let parsed = parse_line(line, &columns).and_then(|buffer| {
            let fresh = ids.insert(buffer.id.clone());
            if fresh { Ok(buffer) } else { Err(ErrorKind::RepeatedId(buffer.id)) }
        });
        buffers.push(parsed.map_err(|kind| Error { line: number + 1, kind })?);
    }
    Ok(buffers)
}

/// For each field of a line, its index in `COLUMNS`.
fn parse_header(header: &str) -> Result<Vec<usize>, ErrorKind> {
    let mut columns = Vec::new();
    for name in header.split(',').map(str::trim) {
        let column = COLUMNS.iter().position(|&known| known == name);
        let column = column.ok_or_else(|| ErrorKind::UnknownColumn(name.to_owned()))?;
        if columns.contains(&column) {
            return Err(ErrorKind::RepeatedColumn(COLUMNS[column]));
        }
        columns.push(column);
    }
    match (0..REQUIRED).find(|required| !columns.contains(required)) {
        Some(missing) => Err(ErrorKind::MissingColumn(COLUMNS[missing])),
        None => Ok(columns),
    }
}

fn parse_line(line: &str, columns: &[usize]) -> Result<Buffer, ErrorKind> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    if fields.len() != columns.len() {
        return Err(ErrorKind::FieldCount { expected: columns.len(), found: fields.len() });
    }
    let mut buffer = Buffer::new("", 0, 0, 0);
    for (&text, &column) in fields.iter().zip(columns) {
        let name = COLUMNS[column];
        match column {
            0 => text.clone_into(&mut buffer.id),
            1 => buffer.lower = number(name, text)?,
            2 => buffer.upper = number(name, text)?,
            3 => buffer.size = number(name, text)?,
            4 if text.is_empty() => {}
            4 => buffer.alignment = number(name, text)?,
            _ if text.is_empty() => {}
            _ => buffer.fixed_offset = Some(number(name, text)?),
        }
    }
    if buffer.upper <= buffer.lower {
        return Err(ErrorKind::Lifetime { lower: buffer.lower, upper: buffer.upper });
    }
    if !buffer.alignment.is_power_of_two() {
        return Err(ErrorKind::Alignment(buffer.alignment));
    }
    Ok(buffer)
}

fn number<N: std::str::FromStr>(column: &'static str, text: &str) -> Result<N, ErrorKind> {
    text.parse().map_err(|_| ErrorKind::Number { column, text: text.to_owned() })
}

/// Writes buffers, and their offsets if a solution is given, in the order of the list.
///
/// The column `alignment` is written only if some buffer has one. Without a solution, `offset`
/// carries the fixed offsets, if there are any.
#[must_use]
pub fn write(buffers: &[Buffer], solution: Option<&Solution>) -> String {
    let aligned = buffers.iter().any(|b| b.alignment > 1);
    let located = solution.is_some() || buffers.iter().any(|b| b.fixed_offset.is_some());
    let mut text = String::from("id,lower,upper,size");
    text.push_str(if aligned { ",alignment" } else { "" });
    text.push_str(if located { ",offset\n" } else { "\n" });
    for (index, buffer) in buffers.iter().enumerate() {
        let Buffer { id, lower, upper, size, .. } = buffer;
        // Writing to a string cannot fail.
        let _ = write!(text, "{id},{lower},{upper},{size}");
        if aligned {
            let _ = write!(text, ",{}", buffer.alignment.max(1));
        }
        if located {
            let offset = match solution {
                Some(solution) => solution.offsets.get(index).copied(),
                None => buffer.fixed_offset,
            };
            let _ = write!(text, ",{}", offset.map(|o| o.to_string()).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}
