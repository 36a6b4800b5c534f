//! The expression language of manifests: predicates, costs and scratch sizes.
//!
//! In: text such as `kernel_h * kernel_w <= 64` and a [`Scope`] of names. Out: a [`Val`], or a sentence that
//! says why there is none. Arithmetic is checked; nothing panics and nothing is silently wrapped.
//!
//! Grammar, loosest first: `||`, `&&`, comparisons, `+ -`, `* / %`, unary `-` and `!`, then numbers, quoted
//! strings, names (dotted), `min(a, b, …)`, `max(a, b, …)` and parentheses. A bare word that names nothing is
//! a string, so `layout == channels_last` reads naturally. Before the expression, terms that it repeats may get
//! names: `rows = n * out_h; rows * 4 + 100`.

use std::collections::BTreeMap;
use std::fmt;

/// Deepest nesting accepted; hostile manifests must not exhaust the stack.
const MAX_DEPTH: usize = 48;

/// A value of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// An integer; booleans are 0 and 1.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string or bare word.
    Str(String),
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Val::Int(i) => write!(f, "{i}"),
            Val::Float(x) => write!(f, "{x}"),
            Val::Str(s) => f.write_str(s),
        }
    }
}

/// What names mean.
pub trait Scope {
    /// The value of a (dotted) name; `Ok(None)` if the name means nothing.
    ///
    /// # Errors
    /// The name is known but has no usable value, with the reason.
    fn get(&self, path: &str) -> Result<Option<Val>, String>;
}

impl Scope for BTreeMap<String, Val> {
    fn get(&self, path: &str) -> Result<Option<Val>, String> {
        Ok(BTreeMap::get(self, path).cloned())
    }
}

/// A fault in an expression's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offset in the text.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

/// A parsed expression with its source.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    text: String,
    /// Named terms, each of which may use those before it.
    terms: Vec<(String, Node)>,
    root: Node,
}

/// What names mean behind named terms.
struct Terms<'a> {
    outer: &'a dyn Scope,
    values: BTreeMap<&'a str, Val>,
}

impl Scope for Terms<'_> {
    fn get(&self, path: &str) -> Result<Option<Val>, String> {
        self.values.get(path).map_or_else(|| self.outer.get(path), |v| Ok(Some(v.clone())))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binary {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Const(Val),
    Name(String),
    Neg(Box<Node>),
    Not(Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Min(Vec<Node>),
    Max(Vec<Node>),
}

impl Expr {
    /// Parses an expression.
    ///
    /// # Errors
    /// The first fault in the text.
    pub fn parse(text: &str) -> Result<Expr, SyntaxError> {
        let tokens = tokenize(text)?;
        let mut parser = Parser { tokens, next: 0, end: text.len(), depth: 0 };
        let mut terms = Vec::new();
        while let Some(name) = parser.term() {
            terms.push((name, parser.binary(0)?));
            parser.expect(";")?;
        }
        let root = parser.binary(0)?;
        match parser.peek() {
            None => Ok(Expr { text: text.to_string(), terms, root }),
            Some(Token::Op("=")) => Err(parser.error("`=` is not an operator; write `==`".into())),
            Some(t) => Err(parser.error(format!("unexpected `{t}`"))),
        }
    }
    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The value in a scope.
    ///
    /// # Errors
    /// A sentence: unknown name, mixed types, overflow, division by zero.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Val, String> {
        let mut terms = Terms { outer: scope, values: BTreeMap::new() };
        for (name, node) in &self.terms {
            let value = eval(node, &terms)?;
            terms.values.insert(name, value);
        }
        eval(&self.root, &terms)
    }
    /// As a predicate: `Ok(())` if it holds.
    ///
    /// # Errors
    /// "needs P, has V" with the values of the names in it, or why it has no value.
    pub fn check(&self, scope: &dyn Scope) -> Result<(), String> {
        match self.eval(scope) {
            Ok(Val::Int(i)) if i != 0 => Ok(()),
            Ok(Val::Int(_)) => {
                let found = self.values(scope);
                match found.as_slice() {
                    [] => Err(format!("needs {}", self.text)),
                    [(_, v)] => Err(format!("needs {}, has {v}", self.text)),
                    many => {
                        let list: Vec<String> = many.iter().map(|(n, v)| format!("{n} = {v}")).collect();
                        Err(format!("needs {}, has {}", self.text, list.join(", ")))
                    }
                }
            }
            Ok(other) => Err(format!("needs {}, which is `{other}` and not a truth value", self.text)),
            Err(reason) => Err(format!("needs {}: {reason}", self.text)),
        }
    }
    /// As a count (bytes, cycles): floats round up, negatives become 0.
    ///
    /// # Errors
    /// As [`Expr::eval`], or the value is not a finite number.
    pub fn count(&self, scope: &dyn Scope) -> Result<u64, String> {
        match self.eval(scope)? {
            Val::Int(i) => Ok(u64::try_from(i).unwrap_or(0)),
            Val::Float(x) if x.is_finite() => Ok(x.ceil().max(0.0) as u64),
            other => Err(format!("`{}` is {other}, not a number", self.text)),
        }
    }
    /// The names in the expression that mean something, with their values, in order of appearance.
    fn values(&self, scope: &dyn Scope) -> Vec<(String, Val)> {
        let mut names = Vec::new();
        self.terms.iter().map(|(_, node)| node).chain([&self.root]).for_each(|n| collect(n, &mut names));
        let mut found: Vec<(String, Val)> = Vec::new();
        for name in names {
            if found.iter().any(|(n, _)| n == name) {
                continue;
            }
            if let Ok(Some(v)) = scope.get(name) {
                found.push((name.to_string(), v));
            }
        }
        found
    }
}

fn collect<'a>(node: &'a Node, names: &mut Vec<&'a str>) {
    match node {
        Node::Const(_) => {}
        Node::Name(n) => names.push(n),
        Node::Neg(a) | Node::Not(a) => collect(a, names),
        Node::Binary(_, a, b) => {
            collect(a, names);
            collect(b, names);
        }
        Node::Min(list) | Node::Max(list) => list.iter().for_each(|n| collect(n, names)),
    }
}

fn eval(node: &Node, scope: &dyn Scope) -> Result<Val, String> {
    match node {
        Node::Const(v) => Ok(v.clone()),
        Node::Name(name) => match scope.get(name)? {
            Some(v) => Ok(v),
            None if name == "true" => Ok(Val::Int(1)),
            None if name == "false" => Ok(Val::Int(0)),
            None if name.contains('.') => Err(format!("there is no `{name}` here")),
            None => Ok(Val::Str(name.clone())),
        },
        Node::Neg(a) => match eval(a, scope)? {
            Val::Int(i) => i.checked_neg().map(Val::Int).ok_or_else(overflow),
            Val::Float(x) => Ok(Val::Float(-x)),
            Val::Str(s) => Err(not_a_parameter(&s)),
        },
        Node::Not(a) => Ok(Val::Int(i64::from(!truth(&eval(a, scope)?)?))),
        Node::Binary(Binary::And, a, b) => {
            Ok(Val::Int(i64::from(truth(&eval(a, scope)?)? && truth(&eval(b, scope)?)?)))
        }
        Node::Binary(Binary::Or, a, b) => {
            Ok(Val::Int(i64::from(truth(&eval(a, scope)?)? || truth(&eval(b, scope)?)?)))
        }
        Node::Binary(op, a, b) => binary(*op, eval(a, scope)?, eval(b, scope)?),
        Node::Min(list) => extreme(list, scope, Binary::Lt),
        Node::Max(list) => extreme(list, scope, Binary::Gt),
    }
}

fn extreme(list: &[Node], scope: &dyn Scope, better: Binary) -> Result<Val, String> {
    let mut best: Option<Val> = None;
    for node in list {
        let v = eval(node, scope)?;
        best = Some(match best {
            None => v,
            Some(b) if binary(better, v.clone(), b.clone())? == Val::Int(1) => v,
            Some(b) => b,
        });
    }
    best.ok_or_else(|| "min and max need an argument".to_string())
}

fn truth(v: &Val) -> Result<bool, String> {
    match v {
        Val::Int(i) => Ok(*i != 0),
        Val::Float(x) => Ok(*x != 0.0),
        Val::Str(s) => Err(not_a_parameter(s)),
    }
}

fn overflow() -> String {
    "the value exceeds 64 bits".to_string()
}

fn not_a_parameter(word: &str) -> String {
    format!("`{word}` is not a number, and the operator has no parameter of that name")
}

fn binary(op: Binary, a: Val, b: Val) -> Result<Val, String> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => ints(op, a, b),
        (Val::Str(a), Val::Str(b)) => match op {
            Binary::Eq => Ok(Val::Int(i64::from(a == b))),
            Binary::Ne => Ok(Val::Int(i64::from(a != b))),
            _ => Err(not_a_parameter(&a)),
        },
        (Val::Str(s), _) | (_, Val::Str(s)) => Err(not_a_parameter(&s)),
        (a, b) => floats(op, as_float(&a), as_float(&b)),
    }
}

fn as_float(v: &Val) -> f64 {
    match v {
        Val::Int(i) => *i as f64,
        Val::Float(x) => *x,
        Val::Str(_) => f64::NAN,
    }
}

fn ints(op: Binary, a: i64, b: i64) -> Result<Val, String> {
    let checked = |r: Option<i64>| r.map(Val::Int).ok_or_else(overflow);
    let truth = |r: bool| Ok(Val::Int(i64::from(r)));
    match op {
        Binary::Add => checked(a.checked_add(b)),
        Binary::Sub => checked(a.checked_sub(b)),
        Binary::Mul => checked(a.checked_mul(b)),
        Binary::Div | Binary::Rem if b == 0 => Err("division by zero".to_string()),
        Binary::Div => checked(a.checked_div(b)),
        Binary::Rem => checked(a.checked_rem(b)),
        Binary::Eq => truth(a == b),
        Binary::Ne => truth(a != b),
        Binary::Lt => truth(a < b),
        Binary::Le => truth(a <= b),
        Binary::Gt => truth(a > b),
        Binary::Ge => truth(a >= b),
        Binary::And => truth(a != 0 && b != 0),
        Binary::Or => truth(a != 0 || b != 0),
    }
}

fn floats(op: Binary, a: f64, b: f64) -> Result<Val, String> {
    let truth = |r: bool| Ok(Val::Int(i64::from(r)));
    match op {
        Binary::Add => Ok(Val::Float(a + b)),
        Binary::Sub => Ok(Val::Float(a - b)),
        Binary::Mul => Ok(Val::Float(a * b)),
        Binary::Div | Binary::Rem if b == 0.0 => Err("division by zero".to_string()),
        Binary::Div => Ok(Val::Float(a / b)),
        Binary::Rem => Ok(Val::Float(a % b)),
        Binary::Eq => truth(a == b),
        Binary::Ne => truth(a != b),
        Binary::Lt => truth(a < b),
        Binary::Le => truth(a <= b),
        Binary::Gt => truth(a > b),
        Binary::Ge => truth(a >= b),
        Binary::And => truth(a != 0.0 && b != 0.0),
        Binary::Or => truth(a != 0.0 || b != 0.0),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Int(i64),
    Float(f64),
    Str(String),
    Name(String),
    Op(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Int(i) => write!(f, "{i}"),
            Token::Float(x) => write!(f, "{x}"),
            Token::Str(s) | Token::Name(s) => f.write_str(s),
            Token::Op(o) => f.write_str(o),
        }
    }
}

/// Longest first, so that `<=` is not read as `<`.
const OPERATORS: [&str; 19] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "(", ")", ",", "!", "=", ";"];

fn tokenize(text: &str) -> Result<Vec<(usize, Token)>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if c.is_whitespace() {
            c.len_utf8()
        } else if c.is_ascii_digit() {
            let (length, token) = number(rest).map_err(|message| SyntaxError { at, message })?;
            tokens.push((at, token));
            length
        } else if c.is_ascii_alphabetic() || c == '_' {
            let length = span(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            tokens.push((at, Token::Name(rest[..length].to_string())));
            length
        } else if c == '"' || c == '\'' {
            let inner = &rest[1..];
            let Some(close) = inner.find(c) else {
                return Err(SyntaxError { at, message: "the string does not end".into() });
            };
            tokens.push((at, Token::Str(inner[..close].to_string())));
            close + 2
        } else if let Some(op) = OPERATORS.iter().find(|o| rest.starts_with(**o)) {
            tokens.push((at, Token::Op(op)));
            op.len()
        } else {
            return Err(SyntaxError { at, message: format!("unexpected character `{c}`") });
        };
        at += length;
    }
    Ok(tokens)
}

fn span(text: &str, accept: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accept(c)).unwrap_or(text.len())
}

fn number(text: &str) -> Result<(usize, Token), String> {
    let mut length = span(text, |c| c.is_ascii_digit() || c == '.' || c == '_');
    if text[length..].starts_with(['e', 'E']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        length += 1 + sign;
        length += span(&text[length..], |c| c.is_ascii_digit());
    }
    let digits = text[..length].replace('_', "");
    let wrong = || format!("`{}` is not a number", &text[..length]);
    if digits.contains(['.', 'e', 'E']) {
        digits.parse().map(|x| (length, Token::Float(x))).map_err(|_| wrong())
    } else {
        digits.parse().map(|i| (length, Token::Int(i))).map_err(|_| wrong())
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

/// Binary operators by how tightly they bind.
const LEVELS: [&[(&str, Binary)]; 5] = [
    &[("||", Binary::Or)],
    &[("&&", Binary::And)],
    &[
        ("==", Binary::Eq),
        ("!=", Binary::Ne),
        ("<=", Binary::Le),
        (">=", Binary::Ge),
        ("<", Binary::Lt),
        (">", Binary::Gt),
    ],
    &[("+", Binary::Add), ("-", Binary::Sub)],
    &[("*", Binary::Mul), ("/", Binary::Div), ("%", Binary::Rem)],
];

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, t)| t)
    }
    fn error(&self, message: String) -> SyntaxError {
        let at = self.tokens.get(self.next).map_or(self.end, |(at, _)| *at);
        SyntaxError { at, message }
    }
    fn take(&mut self, op: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Op(o)) if *o == op);
        self.next += usize::from(found);
        found
    }
    /// The name of a term, which ends with a `;`, and behind its `=`.
    fn term(&mut self) -> Option<String> {
        self.tokens[self.next..].iter().find(|(_, t)| *t == Token::Op(";"))?;
        match self.tokens.get(self.next..self.next + 2) {
            Some([(_, Token::Name(name)), (_, Token::Op("="))]) => {
                let name = name.clone();
                self.next += 2;
                Some(name)
            }
            _ => None,
        }
    }
    fn expect(&mut self, op: &str) -> Result<(), SyntaxError> {
        if self.take(op) { Ok(()) } else { Err(self.error(format!("expected `{op}`"))) }
    }
    fn binary(&mut self, level: usize) -> Result<Node, SyntaxError> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        let mut length = 0;
        while let Some(op) = operators.iter().find(|(text, _)| self.take(text)).map(|(_, op)| *op) {
            length += 1;
            // A chain nests to the left: its length is depth too.
            if length > MAX_DEPTH {
                return Err(self.error("the expression is too long".into()));
            }
            let right = self.binary(level + 1)?;
            left = Node::Binary(op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }
    fn unary(&mut self) -> Result<Node, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("the expression is nested too deeply".into()));
        }
        let node = if self.take("-") {
            Node::Neg(Box::new(self.unary()?))
        } else if self.take("!") {
            Node::Not(Box::new(self.unary()?))
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(node)
    }
    fn primary(&mut self) -> Result<Node, SyntaxError> {
        if self.take("(") {
            let node = self.binary(0)?;
            self.expect(")")?;
            return Ok(node);
        }
        let Some(token) = self.peek().cloned() else {
            return Err(self.error("the expression ends too early".into()));
        };
        let node = match token {
            Token::Int(i) => Node::Const(Val::Int(i)),
            Token::Float(x) => Node::Const(Val::Float(x)),
            Token::Str(s) => Node::Const(Val::Str(s)),
            Token::Name(name) => {
                self.next += 1;
                return self.call_or_name(name);
            }
            Token::Op(o) => return Err(self.error(format!("expected a value, found `{o}`"))),
        };
        self.next += 1;
        Ok(node)
    }
    fn call_or_name(&mut self, name: String) -> Result<Node, SyntaxError> {
        if !self.take("(") {
            return Ok(Node::Name(name));
        }
        let mut arguments = vec![self.binary(0)?];
        while self.take(",") {
            arguments.push(self.binary(0)?);
        }
        self.expect(")")?;
        match name.as_str() {
            "min" => Ok(Node::Min(arguments)),
            "max" => Ok(Node::Max(arguments)),
            _ => Err(self.error(format!("there is no function `{name}`; known: min, max"))),
        }
    }
}

#[cfg(test)]
#[path = "expr_tests.rs"]
mod tests;
