//! Kernel manifests: what one C kernel computes, on which types, under which conditions, at which cost.
//!
//! In: the text of a `.toml` file. Out: a [`Manifest`], or diagnostics with file, line and caret. Never looks
//! at graphs and never reads the C source.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::expr::Expr;
use super::packing::{Order, Rule};
use super::source::point_at;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::ir::{DType, Op};

/// What an operand's element type may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// A type variable: one of its types, the same wherever it stands.
    Variable(String),
    /// Exactly this type.
    Type(DType),
}

/// One kernel, as its file describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The file's name without extension; overriding works by it.
    pub name: String,
    /// The folder in the kernel tree.
    pub folder: String,
    /// The path a user knows the file by.
    pub origin: String,
    /// One line for people.
    pub description: String,
    /// The IR operators that it computes.
    pub ops: Vec<String>,
    /// The stem of the C symbol.
    pub kernel: String,
    /// The C file that defines the kernel.
    pub source: String,
    /// Headers beside it, other than those its `#include` lines name.
    pub headers: Vec<String>,
    /// The call template.
    pub template: String,
    /// Whether all cores make the call, each computing its part; else one core does.
    pub parallel: bool,
    /// Conditions on the node.
    pub requires: Vec<Expr>,
    /// (operand, result): the result may be written over the operand.
    pub inplace: Vec<(String, String)>,
    /// Bytes of scratch memory.
    pub scratch: Option<Expr>,
    /// Predicted cycles.
    pub cost: Option<Expr>,
    /// Cycles that a call takes longer if none of its code is in the instruction cache.
    pub cold: Option<u64>,
    /// Constant operands the kernel reads in another order.
    pub pack: Vec<(String, Rule)>,
    /// Text macros replaced in the source.
    pub defines: Vec<(String, String)>,
    /// Type variables and what they range over, in the file's order.
    pub types: Vec<(String, Vec<DType>)>,
    /// Operand patterns by name; `x*` stands for `x0`, `x1`, ….
    pub operands: Vec<(String, Pattern)>,
    /// Result patterns by name.
    pub results: Vec<(String, Pattern)>,
}

/// A table in the order of the file, with the places of its keys.
struct Table<T>(Vec<(Spanned<String>, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Table<T>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a table")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Table<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Table(entries))
            }
        }
        d.deserialize_map(Entries(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    order: Order,
    rows: Spanned<String>,
    columns: Spanned<String>,
    row_step: Spanned<String>,
    column_step: Spanned<String>,
    run: Option<Spanned<String>>,
    turn: Option<Spanned<String>>,
}

/// An operator, or several that are computed alike.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected the name of an operator, or a list of names")]
enum Ops {
    One(String),
    Several(Vec<String>),
}

impl Ops {
    fn names(&self) -> &[String] {
        match self {
            Ops::One(name) => std::slice::from_ref(name),
            Ops::Several(names) => names,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    op: Spanned<Ops>,
    kernel: Spanned<String>,
    sources: Spanned<Vec<String>>,
    #[serde(default)]
    headers: Vec<String>,
    template: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parallel: bool,
    #[serde(default)]
    requires: Vec<Spanned<String>>,
    #[serde(default)]
    inplace: Vec<Spanned<[String; 2]>>,
    scratch: Option<Spanned<String>>,
    cost: Option<Spanned<String>>,
    cold: Option<u64>,
    #[serde(default)]
    pack: Table<PackFile>,
    #[serde(default)]
    defines: Table<String>,
    #[serde(default)]
    types: Table<Spanned<Vec<DType>>>,
    operands: Table<Spanned<String>>,
    results: Table<Spanned<String>>,
}

/// Collects faults with their places.
struct Faults<'a> {
    text: &'a str,
    origin: &'a str,
    found: Diagnostics,
}

impl Faults<'_> {
    fn at(&mut self, span: Range<usize>, message: impl AsRef<str>) {
        let shown = point_at(self.text, span, message.as_ref());
        self.found.push(Diagnostic::invalid(format!("{}: manifest error {shown}", self.origin)));
    }
    /// Where the characters of a TOML string begin: after its opening quote.
    fn inside(&self, s: &Spanned<String>) -> usize {
        let raw = &self.text[s.span()];
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        s.span().start + quotes
    }
    fn rule(&mut self, file: &PackFile) -> Option<Rule> {
        let mut optional = |e: &Option<Spanned<String>>| match e {
            Some(e) => self.expr(e).map(Some),
            None => Some(None),
        };
        Some(Rule {
            run: optional(&file.run)?,
            turn: optional(&file.turn)?,
            order: file.order,
            rows: self.expr(&file.rows)?,
            columns: self.expr(&file.columns)?,
            row_step: self.expr(&file.row_step)?,
            column_step: self.expr(&file.column_step)?,
        })
    }
    fn expr(&mut self, s: &Spanned<String>) -> Option<Expr> {
        match Expr::parse(s.get_ref()) {
            Ok(e) => Some(e),
            Err(e) => {
                let at = (self.inside(s) + e.at).min(s.span().end);
                self.at(at..at + 1, e.message);
                None
            }
        }
    }
}

impl Manifest {
    /// Reads a manifest. `folder/name.toml` is its place in the kernel tree, `origin` what the user calls it.
    ///
    /// # Errors
    /// Every fault found, with its place.
    pub fn parse(text: &str, folder: &str, name: &str, origin: &str) -> Result<Manifest> {
        let file: File = toml::from_str(text)
            .map_err(|e| Diagnostic::invalid(format!("{origin}: {}", e.to_string().trim_end())))?;
        let mut faults = Faults { text, origin, found: Diagnostics::default() };
        check_names(&file, &mut faults);
        let types: Vec<(String, Vec<DType>)> = variables(&file.types, &mut faults);
        let operands = patterns(&file.operands, &types, &mut faults);
        let results = patterns(&file.results, &types, &mut faults);
        let mut inplace = Vec::new();
        for pair in &file.inplace {
            let [x, y] = pair.get_ref();
            if operands.iter().all(|(n, _)| n != x) {
                faults.at(pair.span(), format!("`{x}` is not in [operands]"));
            }
            if results.iter().all(|(n, _)| n != y) {
                faults.at(pair.span(), format!("`{y}` is not in [results]"));
            }
            inplace.push((x.clone(), y.clone()));
        }
        let mut pack = Vec::new();
        for (name, rule) in &file.pack.0 {
            if operands.iter().all(|(n, _)| n != name.get_ref()) {
                faults.at(name.span(), format!("`{}` is not in [operands]", name.get_ref()));
            }
            pack.extend(faults.rule(rule).map(|rule| (name.get_ref().clone(), rule)));
        }
        let requires = file.requires.iter().filter_map(|p| faults.expr(p)).collect();
        let scratch = file.scratch.as_ref().and_then(|e| faults.expr(e));
        let cost = file.cost.as_ref().and_then(|e| faults.expr(e));
        let manifest = Manifest {
            name: name.to_string(),
            folder: folder.to_string(),
            origin: origin.to_string(),
            description: file.description,
            ops: file.op.get_ref().names().to_vec(),
            kernel: file.kernel.into_inner(),
            source: file.sources.into_inner().into_iter().next().unwrap_or_default(),
            headers: file.headers,
            template: file.template,
            parallel: file.parallel,
            requires,
            inplace,
            scratch,
            cost,
            cold: file.cold,
            pack,
            defines: file.defines.0.into_iter().map(|(k, v)| (k.into_inner(), v)).collect(),
            types,
            operands,
            results,
        };
        faults.found.into_result(manifest)
    }
    /// The pattern of an operand; `None` if the kernel does not take it.
    pub fn operand(&self, name: &str) -> Option<&Pattern> {
        find(&self.operands, name)
    }
    /// The pattern of a result; `None` if the kernel does not compute it.
    pub fn result(&self, name: &str) -> Option<&Pattern> {
        find(&self.results, name)
    }
}

fn find<'a>(patterns: &'a [(String, Pattern)], name: &str) -> Option<&'a Pattern> {
    patterns.iter().find(|(n, _)| matches_name(n, name)).map(|(_, p)| p)
}

/// Whether `name` is the operand `pattern` names: equal, or `x3` for `x*`.
pub fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(stem) => name
            .strip_prefix(stem)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())),
        None => pattern == name,
    }
}

/// Whether `name` can be an identifier in C.
pub fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn check_names(file: &File, faults: &mut Faults) {
    let ops = file.op.get_ref().names();
    if ops.is_empty() {
        faults.at(file.op.span(), "names no operator");
    }
    for op in ops.iter().filter(|op| !Op::NAMES.contains(&op.as_str())) {
        let nearest = Op::NAMES.iter().find(|n| n.eq_ignore_ascii_case(op));
        let hint = nearest.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        faults.at(file.op.span(), format!("there is no operator `{op}`{hint}"));
    }
    let kernel = file.kernel.get_ref();
    if !is_identifier(kernel) {
        faults.at(file.kernel.span(), format!("`{kernel}` is not a C identifier"));
    }
    if file.sources.get_ref().len() != 1 {
        let message = "name exactly one source, the one that defines TW_KERNEL; the rest are `headers`";
        faults.at(file.sources.span(), message);
    }
    for (name, _) in &file.defines.0 {
        if !is_identifier(name.get_ref()) {
            faults.at(name.span(), format!("`{}` is not a C identifier", name.get_ref()));
        }
    }
}

fn variables(table: &Table<Spanned<Vec<DType>>>, faults: &mut Faults) -> Vec<(String, Vec<DType>)> {
    let mut types = Vec::new();
    for (name, dtypes) in &table.0 {
        let variable = name.get_ref();
        if !is_identifier(variable) || variable.parse::<DType>().is_ok() {
            faults.at(name.span(), format!("`{variable}` cannot name a type variable"));
        }
        if dtypes.get_ref().is_empty() {
            faults.at(dtypes.span(), "a type variable needs at least one type");
        }
        types.push((variable.clone(), dtypes.get_ref().clone()));
    }
    types
}

fn patterns(
    table: &Table<Spanned<String>>,
    types: &[(String, Vec<DType>)],
    faults: &mut Faults,
) -> Vec<(String, Pattern)> {
    let mut list = Vec::new();
    for (name, pattern) in &table.0 {
        let word = pattern.get_ref();
        let known = DType::ALL.into_iter().find(|d| d.name() == word);
        let pattern = match known {
            _ if types.iter().any(|(v, _)| v == word) => Pattern::Variable(word.clone()),
            Some(dtype) => Pattern::Type(dtype),
            None => {
                faults.at(pattern.span(), format!("`{word}` is neither in [types] nor an element type"));
                continue;
            }
        };
        list.push((name.get_ref().clone(), pattern));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"op = "Relu"
kernel = "relu"
sources = ["relu.c"]
template = "relu.c.hbs"
requires = ["x.rank <= 4"]
inplace = [["x", "y"]]
cost = "x.elements * 2"
[pack.b]
order = "rows4"
rows = "x.elements"
columns = "2"
row_step = "2"
column_step = "1"
[types]
X = ["s8", "f32"]
A = ["u8"]
[operands]
x = "X"
"w*" = "A"
b = "s32"
[results]
y = "X"
"#;

    fn fault(text: &str) -> String {
        Manifest::parse(text, "generic", "relu", "kernels/generic/relu.toml").unwrap_err().to_string()
    }

    #[test]
    fn a_manifest_is_read_in_order() {
        let m = Manifest::parse(GOOD, "generic", "relu", "relu.toml").unwrap();
        assert_eq!(m.ops, ["Relu"]);
        let several = GOOD.replace("\"Relu\"", "[\"Relu\", \"Abs\"]");
        assert_eq!(Manifest::parse(&several, "generic", "relu", "relu.toml").unwrap().ops, ["Relu", "Abs"]);
        assert_eq!(m.types, [("X".into(), vec![DType::S8, DType::F32]), ("A".into(), vec![DType::U8])]);
        assert_eq!(m.operand("x"), Some(&Pattern::Variable("X".into())));
        assert_eq!(m.operand("w12"), Some(&Pattern::Variable("A".into())));
        assert_eq!(m.operand("w"), None);
        assert_eq!(m.operand("b"), Some(&Pattern::Type(DType::S32)));
        assert_eq!(m.result("y"), Some(&Pattern::Variable("X".into())));
        assert_eq!(m.inplace, [("x".into(), "y".into())]);
        assert_eq!((m.pack.len(), m.pack[0].0.as_str(), m.pack[0].1.order), (1, "b", Order::Rows4));
    }

    #[test]
    fn faults_carry_file_line_and_caret() {
        let shown = fault(&GOOD.replace("x.rank <= 4", "x.rank = 4"));
        let expected = "error[invalid]: kernels/generic/relu.toml: manifest error at line 5, column 21\n  \
            |\n5 | requires = [\"x.rank = 4\"]\n  |                     ^\n`=` is not an operator; write `==`";
        assert_eq!(shown, expected);
        let shown = fault(&GOOD.replace("inplace", "in_place"));
        assert!(shown.contains("TOML parse error at line 6, column 1"), "{shown}");
        assert!(shown.contains("unknown field `in_place`"), "{shown}");
        let shown = fault(&GOOD.replace("y = \"X\"", "y = \"Z\""));
        assert!(shown.contains("at line 22, column 5"), "{shown}");
        assert!(shown.contains("`Z` is neither in [types] nor an element type"), "{shown}");
        let shown = fault(&GOOD.replace("\"s8\", \"f32\"", "\"int9\""));
        assert!(shown.contains("line 15, column 6") && shown.contains("unknown variant `int9`"), "{shown}");
        assert!(fault("op = ").contains("line 1"));
        assert!(fault(&GOOD.replace("\"Relu\"", "[]")).contains("line 1, column 6"));
        assert!(fault(&GOOD.replace("\"Relu\"", "[\"Relu\", \"Reluu\"]")).contains("no operator `Reluu`"));
        assert!(fault(&GOOD.replace("\"Relu\"", "3")).contains("expected the name of an operator"));
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let bad = GOOD
            .replace("\"Relu\"", "\"relu\"")
            .replace("kernel = \"relu\"", "kernel = \"re lu\"")
            .replace("[\"relu.c\"]", "[]")
            .replace("[\"x\", \"y\"]", "[\"q\", \"r\"]")
            .replace("[pack.b]", "[pack.c]");
        let found = Manifest::parse(&bad, "generic", "relu", "relu.toml").unwrap_err().0;
        let messages: Vec<&str> = found.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(messages.len(), 6, "{messages:#?}");
        assert!(messages[0].contains("there is no operator `relu`; did you mean `Relu`?"));
        assert!(messages[1].contains("`re lu` is not a C identifier"));
        assert!(messages[2].contains("exactly one source"));
        assert!(messages[3].contains("`q` is not in [operands]"));
        assert!(messages[4].contains("`r` is not in [results]"));
        assert!(messages[5].contains("`c` is not in [operands]"));
    }
}
