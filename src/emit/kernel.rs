//! Kernels as shipped: one plain C file per kernel and combination of element types.
//!
//! In: manifests, sources, the types a network binds. Out: specialised C, its prototype, the headers it needs.
//! Never generates computation: it replaces words.

use std::collections::BTreeMap;

use super::names::comment;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::ir::DType;
use crate::targets::{Choice, Library, Manifest};

const DEFAULTS: &str = "/* tilewright: defaults */";
const END: &str = "/* tilewright: end */";
const MAX_HEADERS: usize = 64;

/// A kernel specialised to element types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Path below the output folder.
    pub path: String,
    /// The C symbol.
    pub symbol: String,
    /// The C text.
    pub text: String,
    /// The prototype, without semicolon.
    pub prototype: String,
    /// The manifest's name.
    pub kernel: String,
}

/// All kernels of a network, and the headers they share.
#[derive(Clone, Debug, Default)]
pub struct Kernels {
    /// Variants by symbol.
    pub variants: BTreeMap<String, Variant>,
    /// Header text by name.
    pub headers: BTreeMap<String, String>,
}

impl Kernels {
    /// Adds the variant a choice needs and gives its symbol.
    ///
    /// # Errors
    /// The source is malformed, a header is missing, or two kernels claim one symbol.
    pub fn add(&mut self, net: &str, library: &Library, choice: &Choice) -> Result<String> {
        let manifest = &library.kernel(choice.kernel).manifest;
        let stem = stem(manifest, choice);
        let symbol = format!("{net}_{stem}");
        if self.variants.get(&symbol).is_some_and(|v| v.kernel == manifest.name) {
            return Ok(symbol);
        }
        let (source, origin) = library.source(manifest)?;
        let words = words(&symbol, manifest, choice);
        let body = replace_words(&without_defaults(source), &words);
        let Some(prototype) = prototype(&body, &symbol) else {
            let message =
                format!("{origin}: does not define the kernel as `void TW_KERNEL(…)` at the start of a line");
            return Err(Diagnostic::invalid(message)
                .help("see docs/add-a-kernel.md for the form of a kernel")
                .into());
        };
        let variant = Variant {
            path: format!("kernels/{stem}.c"),
            text: format!("{}#include \"kernels.h\"\n\n{}", banner(manifest, choice), body.trim_start()),
            symbol: symbol.clone(),
            prototype,
            kernel: manifest.name.clone(),
        };
        if let Some(other) = self.variants.get(&symbol) {
            if other.prototype == variant.prototype
                && strip_banner(&other.text) == strip_banner(&variant.text)
            {
                return Ok(symbol);
            }
            return Err(Diagnostic::invalid(format!(
                "kernels `{}` and `{}` both define `{stem}`; give one another `kernel` name",
                other.kernel, manifest.name
            ))
            .into());
        }
        let named = manifest.headers.iter().map(|h| (h.clone(), manifest.origin.clone()));
        let wanted = includes(source).map(|h| (h.to_string(), origin.clone())).chain(named).collect();
        self.add_headers(library, &manifest.folder, wanted)?;
        self.variants.insert(symbol.clone(), variant);
        Ok(symbol)
    }

    /// Copies headers, and those they include; each is wanted by a file, and looked for in `folder` first.
    ///
    /// # Errors
    /// A header is missing, or two are called the same.
    pub fn add_headers(
        &mut self,
        library: &Library,
        folder: &str,
        mut wanted: Vec<(String, String)>,
    ) -> Result<()> {
        let mut faults = Diagnostics::default();
        let mut next = 0;
        while let Some((name, by)) = wanted.get(next).cloned() {
            next += 1;
            if name.contains('/') || next > MAX_HEADERS {
                faults.push(Diagnostic::invalid(format!(
                    "{by}: cannot include `{name}`: headers lie beside sources"
                )));
                break;
            }
            let Ok((text, path)) = library.file(folder, &name) else {
                faults.push(Diagnostic::invalid(format!("{by}: includes `{name}`, which does not exist")));
                continue;
            };
            for inner in includes(text) {
                if wanted.iter().all(|(n, _)| n != inner) {
                    wanted.push((inner.to_string(), path.clone()));
                }
            }
            match self.headers.get(&name) {
                Some(other) if other != text => {
                    faults
                        .push(Diagnostic::invalid(format!("{path}: another header is also called `{name}`")));
                }
                _ => {
                    self.headers.insert(name, text.to_string());
                }
            }
        }
        faults.into_result(())
    }
}

/// `conv2d_s8_u8`: the kernel's stem and its types in the manifest's order.
fn stem(manifest: &Manifest, choice: &Choice) -> String {
    choice.types.iter().fold(manifest.kernel.clone(), |s, (_, dtype)| format!("{s}_{dtype}"))
}

fn banner(manifest: &Manifest, choice: &Choice) -> String {
    let types: Vec<String> = choice.types.iter().map(|(v, d)| format!("{v} = {d}")).collect();
    let types = if types.is_empty() { String::new() } else { format!(", {}", types.join(", ")) };
    format!("/* Kernel `{}` of tilewright{types}. */\n", comment(&manifest.name))
}

fn strip_banner(text: &str) -> &str {
    text.split_once('\n').map_or(text, |(_, rest)| rest)
}

/// The words that emission replaces.
fn words(symbol: &str, manifest: &Manifest, choice: &Choice) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    words.insert("TW_KERNEL".to_string(), symbol.to_string());
    for (variable, dtype) in &choice.types {
        let (min, max) = limits(*dtype);
        words.insert(format!("{variable}_T"), dtype.c_type().to_string());
        words.insert(format!("{variable}_MIN"), min.to_string());
        words.insert(format!("{variable}_MAX"), max.to_string());
        words.insert(format!("{variable}_IS_FLOAT"), u8::from(dtype.is_float()).to_string());
        words.insert(format!("{variable}_BITS"), (dtype.bytes() * 8).to_string());
    }
    for (name, value) in &manifest.defines {
        let value = replace_words(value, &words);
        words.insert(name.clone(), value);
    }
    words
}

fn limits(dtype: DType) -> (&'static str, &'static str) {
    match dtype {
        DType::F32 => ("(-3.40282347e+38f)", "3.40282347e+38f"),
        DType::S8 => ("INT8_MIN", "INT8_MAX"),
        DType::U8 => ("0", "UINT8_MAX"),
        DType::S16 => ("INT16_MIN", "INT16_MAX"),
        DType::U16 => ("0", "UINT16_MAX"),
        DType::S32 => ("INT32_MIN", "INT32_MAX"),
        DType::U32 => ("0", "UINT32_MAX"),
        DType::S64 => ("INT64_MIN", "INT64_MAX"),
        DType::Bool => ("0", "1"),
    }
}

/// The source without its defaults block; `#include` lines in it stay.
fn without_defaults(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut inside = false;
    for line in source.lines() {
        match line.trim() {
            DEFAULTS => inside = true,
            END => inside = false,
            l if inside && !l.starts_with("#include") => {}
            _ => {
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
    }
    text
}

fn replace_words(text: &str, words: &BTreeMap<String, String>) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let length = rest[start..].find(|c| !is_word(c)).unwrap_or(rest.len() - start);
        let word = &rest[start..start + length];
        result.push_str(&rest[..start]);
        result.push_str(words.get(word).map_or(word, String::as_str));
        rest = &rest[start + length..];
    }
    result.push_str(rest);
    result
}

/// From `void symbol(` at the start of a line to the parenthesis before `{`.
fn prototype(text: &str, symbol: &str) -> Option<String> {
    let head = format!("void {symbol}(");
    let mut from = 0;
    while let Some(found) = text[from..].find(&head) {
        let start = from + found;
        let open = text[start..].find(['{', ';']).map(|i| start + i)?;
        let at_line_start = start == 0 || text[..start].ends_with('\n');
        if at_line_start && text[open..].starts_with('{') {
            return Some(text[start..open].trim_end().to_string());
        }
        from = start + head.len();
    }
    None
}

/// Names in `#include "…"` lines.
fn includes(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
        rest.trim_start().strip_prefix('"')?.split('"').next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_replaced() {
        let words = BTreeMap::from([("X_T".to_string(), "int8_t".to_string()), ("N".into(), "4".into())]);
        assert_eq!(replace_words("X_T *x; MAX_T y; N+N1 é N", &words), "int8_t *x; MAX_T y; 4+N1 é 4");
    }

    #[test]
    fn the_defaults_block_goes_but_its_includes_stay() {
        let source = "/* tilewright: defaults */\n#include <math.h>\n#ifndef TW_KERNEL\n#define X 1\n#endif\n/* tilewright: end */\nint x;\n";
        assert_eq!(without_defaults(source), "#include <math.h>\nint x;\n");
    }

    #[test]
    fn prototypes_are_found() {
        let text =
            "/* void f( */\nvoid f(int a);\nstatic void g(void) { }\nvoid f(int a,\n       int b)\n{\n}\n";
        assert_eq!(prototype(text, "f").unwrap(), "void f(int a,\n       int b)");
        assert_eq!(prototype("static void f(int a)\n{", "f"), None);
        assert_eq!(prototype("void f(", "f"), None);
    }

    #[test]
    fn quoted_includes_are_found() {
        let text = "#include <a.h>\n#include \"b.h\"\n  #  include \"c.h\"\n// #include \"d.h\"\n";
        assert_eq!(includes(text).collect::<Vec<_>>(), ["b.h", "c.h"]);
    }
}
