//! C identifiers: from any text, unique, never a keyword.
//!
//! In: names of networks, nodes and tensors, which may hold anything. Out: identifiers. Never knows what they
//! stand for.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Result};
use crate::targets::manifest::is_identifier;

/// Longest identifier made from a model's name; exporters write whole paths.
const MAX_LENGTH: usize = 40;

/// Words that cannot be parameters in C or C++, or that the emitted C uses itself.
const RESERVED: [&str; 94] = [
    "alignas",
    "alignof",
    "and",
    "arena",
    "asm",
    "auto",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "complex",
    "const",
    "constexpr",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "errno",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "imaginary",
    "inline",
    "int",
    "int16_t",
    "int32_t",
    "int64_t",
    "int8_t",
    "linux",
    "long",
    "main",
    "memcpy",
    "memset",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "noreturn",
    "not",
    "null",
    "nullptr",
    "operator",
    "or",
    "private",
    "protected",
    "public",
    "register",
    "requires",
    "restrict",
    "return",
    "short",
    "signed",
    "size_t",
    "sizeof",
    "static",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "uint8_t",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "nan",
    "infinity",
];

/// An identifier that resembles `text`.
pub fn identifier(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '_' };
        if c != '_' || !name.ends_with('_') {
            name.push(c);
        }
    }
    let name = name.trim_matches('_');
    // The tail of a long path says more than its head.
    let name = name[name.len().saturating_sub(MAX_LENGTH)..].trim_start_matches('_');
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("n{name}")
    } else if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        format!("{name}_")
    } else {
        name.to_string()
    }
}

/// The network's name from the command line, used as prefix of every symbol.
///
/// # Errors
/// It is not an identifier that C leaves to programs.
pub fn network_name(text: &str) -> Result<String> {
    if is_identifier(text) && !text.starts_with('_') && text.len() <= 64 {
        return Ok(text.to_string());
    }
    let help =
        format!("use letters, digits and `_`, starting with a letter, for example `{}`", identifier(text));
    let message = format!("`{text}` cannot be the network's name: every C symbol starts with it");
    Err(Diagnostic::invalid(message).help(help).into())
}

/// A set of names without repetition, upper and lower case alike (they become macros and files too).
#[derive(Debug, Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// The identifier for `text`: itself, or with `_2`, `_3`, … appended.
    pub fn unique(&mut self, text: &str) -> String {
        let base = identifier(text);
        let mut name = base.clone();
        let mut n = 2;
        while !self.0.insert(name.to_ascii_uppercase()) {
            name = format!("{base}_{n}");
            n += 1;
        }
        name
    }
    /// Keeps a name from being given to anything.
    pub fn reserve(&mut self, name: &str) {
        self.0.insert(name.to_ascii_uppercase());
    }
}

/// The variables that a call template declares, `type name = …`: inside of it they hide parameters of the same name.
pub fn declared(template: &str) -> Vec<&str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (at, _) in template.match_indices('=') {
        let (before, after) = (template[..at].trim_end(), &template[at + 1..]);
        let start = before.rfind(|c| !word(c)).map_or(0, |i| i + 1);
        let (left, name) = before.split_at(start);
        let left = left.trim_end().trim_end_matches('*').trim_end();
        let typed = left.ends_with(|c| word(c) || c == ',') && !left.ends_with("return");
        if typed && !after.starts_with('=') && is_identifier(name) {
            names.push(name);
        }
    }
    names
}

/// Text that is safe inside a C comment, on one line.
pub fn comment(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_an_identifier() {
        assert_eq!(identifier("/layers.0/conv1/Conv_output_0"), "layers_0_conv1_Conv_output_0");
        assert_eq!(identifier("1x"), "n1x");
        assert_eq!(identifier(""), "n");
        assert_eq!(identifier("größe"), "gr_e");
        assert_eq!(identifier("int"), "int_");
        assert_eq!(identifier("Class"), "Class_");
        assert_eq!(identifier("**"), "n");
        assert!(identifier(&"ab/".repeat(100)).len() <= MAX_LENGTH);
        let mut sorted = RESERVED.to_vec();
        sorted.dedup();
        assert_eq!(sorted.len(), RESERVED.len());
    }

    #[test]
    fn names_differ_in_more_than_case() {
        let mut names = Names::default();
        assert_eq!(names.unique("x"), "x");
        assert_eq!(names.unique("X"), "X_2");
        assert_eq!(names.unique("x_2"), "x_2_2");
        assert_eq!(names.unique("x"), "x_3");
    }

    #[test]
    fn templates_tell_what_they_declare() {
        let template = "const struct tw_range part = tw_split({{p.n}}, 1);\n    for (int32_t i = 0; i <= {{p.m}}; i++) {\n\
                        const size_t a = 1, j = row % {{p.m}};\n int8_t *to = x + i; k = 2; if (i == 3) { l += 1; }";
        assert_eq!(declared(template), ["part", "i", "a", "j", "to"]);
        let mut names = Names::default();
        names.reserve("i");
        assert_eq!(names.unique("I"), "I_2");
    }

    #[test]
    fn the_networks_name_is_checked() {
        assert_eq!(network_name("kws2").unwrap(), "kws2");
        for bad in ["", "2d", "_x", "a-b", "a b", "ä", &"x".repeat(65)] {
            assert!(network_name(bad).is_err(), "{bad}");
        }
        let shown = network_name("my net").unwrap_err().to_string();
        assert!(shown.contains("for example `my_net`"), "{shown}");
    }

    #[test]
    fn comments_cannot_end_early() {
        assert_eq!(comment("a*/b\n/*c??/"), "a* /b / *c? ?/");
    }
}
