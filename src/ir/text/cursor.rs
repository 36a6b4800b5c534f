//! A position in text and the small things read from it: names, numbers, types, JSON-like values.
//!
//! In: text. Out: pieces of it, or an error with line, column and a caret. Never knows graphs.

use serde_json::{Map, Number, Value as Json};

use super::is_bare_char;
use crate::diag::Diagnostic;
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;

/// Nesting of attribute values that is accepted; keeps hostile text from exhausting the stack.
const MAX_DEPTH: usize = 32;

/// A result without allocation of a list: parsing stops at the first fault.
pub type Parsed<T> = Result<T, Box<Diagnostic>>;

/// Where in the text we are.
pub struct Cursor<'t> {
    text: &'t str,
    pos: usize,
}

impl<'t> Cursor<'t> {
    /// At the start.
    pub fn new(text: &'t str) -> Self {
        Cursor { text, pos: 0 }
    }
    /// Byte offset of the next token.
    pub fn mark(&mut self) -> usize {
        self.skip();
        self.pos
    }
    fn rest(&self) -> &'t str {
        &self.text[self.pos..]
    }
    fn skip(&mut self) {
        loop {
            self.pos += self.rest().len() - self.rest().trim_start().len();
            if !self.rest().starts_with("//") {
                return;
            }
            self.pos += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }
    /// Whether nothing but blanks and comments is left.
    pub fn at_end(&mut self) -> bool {
        self.skip();
        self.rest().is_empty()
    }
    /// A fault at `pos`: message, line, column, the line itself and a caret.
    pub fn error_at(&self, pos: usize, message: impl AsRef<str>) -> Box<Diagnostic> {
        let start = self.text[..pos].rfind('\n').map_or(0, |i| i + 1);
        let line = self.text[start..].lines().next().unwrap_or("");
        let (row, column) =
            (self.text[..pos].matches('\n').count() + 1, self.text[start..pos].chars().count());
        let (line, caret) = window(line, column);
        Box::new(Diagnostic::invalid(format!(
            "{row}:{}: {}\n  | {line}\n  | {}^",
            column + 1,
            message.as_ref(),
            " ".repeat(caret)
        )))
    }
    /// A fault here: what was expected and what stands there.
    pub fn expected(&mut self, what: &str) -> Box<Diagnostic> {
        self.skip();
        let found: String = match self.rest().chars().next() {
            None => "the end of the text".into(),
            Some(c) if is_bare_char(c) => format!("`{}`", self.bare()),
            Some(c) => format!("`{c}`"),
        };
        self.error_at(self.pos, format!("expected {what}, found {found}"))
    }
    /// Whether `token` is next.
    pub fn peek(&mut self, token: &str) -> bool {
        self.skip();
        self.rest().starts_with(token)
    }
    /// Takes `token` if it is next.
    pub fn eat(&mut self, token: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(token);
        if found {
            self.pos += token.len();
        }
        found
    }
    /// Takes `token`, which must be next.
    pub fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }
    /// Takes the word `word` if it is next, and not merely the start of a longer one.
    pub fn eat_word(&mut self, word: &str) -> bool {
        self.skip();
        let found = self.bare() == word;
        if found {
            self.pos += word.len();
        }
        found
    }
    /// The bare word here, not taken; may be empty.
    fn bare(&self) -> &'t str {
        let rest = self.rest();
        &rest[..rest.find(|c| !is_bare_char(c)).unwrap_or(rest.len())]
    }
    /// A name, bare or quoted.
    pub fn name(&mut self, what: &str) -> Parsed<String> {
        self.skip();
        if self.rest().starts_with('"') {
            return self.string();
        }
        let word = self.bare();
        if word.is_empty() {
            return Err(self.expected(what));
        }
        self.pos += word.len();
        Ok(word.to_string())
    }
    /// A quoted string, unescaped.
    pub fn string(&mut self) -> Parsed<String> {
        self.skip();
        let start = self.pos;
        let mut chars = self.rest().char_indices();
        if chars.next().is_none_or(|(_, c)| c != '"') {
            return Err(self.expected("a quoted string"));
        }
        let mut escaped = false;
        for (i, c) in chars {
            match c {
                '"' if !escaped => {
                    let raw = &self.rest()[..=i];
                    let text = serde_json::from_str(raw).map_err(|e| self.error_at(start, e.to_string()))?;
                    self.pos += i + 1;
                    return Ok(text);
                }
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        Err(self.error_at(start, "this string is never closed"))
    }
    /// The text of a number (also `nan`, `inf`, `-inf`).
    pub fn number(&mut self) -> Parsed<&'t str> {
        self.skip();
        let rest = self.rest();
        let numeric = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let text = &rest[..rest.find(|c| !numeric(c)).unwrap_or(rest.len())];
        if text.is_empty() {
            return Err(self.expected("a number"));
        }
        self.pos += text.len();
        Ok(text)
    }
    /// A tensor type: `s8[1x2x3]`.
    pub fn tensor_type(&mut self) -> Parsed<TensorType> {
        let start = self.mark();
        let dtype = self.name("an element type")?;
        let dtype: DType = dtype.parse().map_err(|e: String| self.error_at(start, e))?;
        self.expect("[")?;
        let mut shape = Vec::new();
        let dims = self.mark();
        while !self.eat("]") {
            self.skip();
            let digits =
                self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let dim = self.rest()[..digits].parse::<usize>();
            shape.push(dim.map_err(|_| self.expected("a dimension or `]`"))?);
            self.pos += digits;
            self.eat("x");
        }
        let elements = shape.iter().try_fold(dtype.bytes(), |n, d| n.checked_mul(*d));
        if elements.is_none_or(|n| n > isize::MAX as usize) {
            return Err(self.error_at(dims, "a tensor of this shape does not fit any memory"));
        }
        Ok(TensorType::new(dtype, shape))
    }
    /// `{key: value, …}`.
    pub fn object(&mut self) -> Parsed<Map<String, Json>> {
        self.object_in(0)
    }
    fn object_in(&mut self, depth: usize) -> Parsed<Map<String, Json>> {
        self.expect("{")?;
        let mut map = Map::new();
        while !self.eat("}") {
            let start = self.mark();
            let key = self.name("an attribute's name or `}`")?;
            self.expect(":")?;
            let value = self.json(depth + 1)?;
            if map.insert(key.clone(), value).is_some() {
                return Err(self.error_at(start, format!("`{key}` is given twice")));
            }
            if !self.eat(",") && !self.peek("}") {
                return Err(self.expected("`,` or `}`"));
            }
        }
        Ok(map)
    }
    fn json(&mut self, depth: usize) -> Parsed<Json> {
        let start = self.mark();
        if depth > MAX_DEPTH {
            return Err(self.error_at(start, "attributes are nested too deeply"));
        }
        match self.rest().chars().next() {
            Some('{') => Ok(Json::Object(self.object_in(depth)?)),
            Some('"') => Ok(Json::String(self.string()?)),
            Some('[') => {
                self.expect("[")?;
                let mut items = Vec::new();
                while !self.eat("]") {
                    items.push(self.json(depth + 1)?);
                    if !self.eat(",") && !self.peek("]") {
                        return Err(self.expected("`,` or `]`"));
                    }
                }
                Ok(Json::Array(items))
            }
            _ if self.eat_word("true") => Ok(Json::Bool(true)),
            _ if self.eat_word("false") => Ok(Json::Bool(false)),
            _ if self.eat_word("null") => Ok(Json::Null),
            _ => {
                let text = self.number()?;
                let number: Result<Number, _> = serde_json::from_str(text);
                number.map(Json::Number).map_err(|_| self.error_at(start, format!("`{text}` is not a value")))
            }
        }
    }
}

/// The part of a long line around `column`, and where the column is in it.
fn window(line: &str, column: usize) -> (String, usize) {
    const WIDTH: usize = 100;
    let skip = column.saturating_sub(WIDTH / 2);
    (line.chars().skip(skip).take(WIDTH).collect(), column - skip)
}
