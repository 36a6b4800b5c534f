//! What an operator sees of a model's node when it is imported, and what it answers.
//!
//! In: attributes and operand facts of one node, free of any file format. Out: [`Imported`], an expression
//! of IR operators. Never reads files and never looks beyond the one node.

use std::collections::BTreeMap;

use super::graph::TensorType;
use super::ops::Op;
use super::value::Value;
use crate::diag::{Diagnostic, Kind};

/// A fault an operator found, before the node's name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpError {
    /// Malformed or merely unsupported.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl OpError {
    /// The node breaks the operator's definition.
    pub fn invalid(message: impl Into<String>) -> Self {
        OpError { kind: Kind::Invalid, message: message.into(), help: None }
    }
    /// The node is legal but not supported.
    pub fn unsupported(message: impl Into<String>) -> Self {
        OpError { kind: Kind::Unsupported, message: message.into(), help: None }
    }
    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
    /// As a diagnostic about a named node.
    pub fn at(self, node: &str, op: &Op) -> Diagnostic {
        let mut d = Diagnostic::new(self.kind, self.message).at(node, op.name());
        d.help = self.help;
        d
    }
}

/// An attribute of a model's node.
#[derive(Clone, Debug, PartialEq)]
pub enum Attr {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f32),
    /// A string.
    Str(String),
    /// Integers.
    Ints(Vec<i64>),
    /// Floats.
    Floats(Vec<f32>),
    /// Strings.
    Strs(Vec<String>),
    /// A tensor.
    Tensor(Value),
}

/// Attributes by name, with typed access. Exporters write one number as int, float, one-element list or
/// one-element tensor; every getter accepts all of these where the value is exact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub BTreeMap<String, Attr>);

impl Attributes {
    /// Whether the attribute is present.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
    /// An integer; `None` when absent.
    ///
    /// # Errors
    /// The attribute is not one integral number.
    pub fn int(&self, name: &str) -> Result<Option<i64>, OpError> {
        let wrong = || OpError::invalid(format!("attribute `{name}` must be one integer"));
        match self.0.get(name) {
            None => Ok(None),
            Some(Attr::Int(i)) => Ok(Some(*i)),
            Some(Attr::Float(f)) if f.fract() == 0.0 => Ok(Some(*f as i64)),
            Some(Attr::Ints(v)) if v.len() == 1 => Ok(Some(v[0])),
            Some(Attr::Floats(v)) if v.len() == 1 && v[0].fract() == 0.0 => Ok(Some(v[0] as i64)),
            Some(Attr::Tensor(t)) if t.is_integral() => t.scalar_i64().ok_or_else(wrong).map(Some),
            Some(_) => Err(wrong()),
        }
    }
    /// An integer with a default.
    ///
    /// # Errors
    /// As [`Attributes::int`].
    pub fn int_or(&self, name: &str, default: i64) -> Result<i64, OpError> {
        Ok(self.int(name)?.unwrap_or(default))
    }
    /// An integer that must be present.
    ///
    /// # Errors
    /// As [`Attributes::int`], or the attribute is missing.
    pub fn required_int(&self, name: &str) -> Result<i64, OpError> {
        self.int(name)?.ok_or_else(|| OpError::invalid(format!("attribute `{name}` is missing")))
    }
    /// A float; `None` when absent.
    ///
    /// # Errors
    /// The attribute is not one number.
    pub fn float(&self, name: &str) -> Result<Option<f32>, OpError> {
        let wrong = || OpError::invalid(format!("attribute `{name}` must be one number"));
        match self.0.get(name) {
            None => Ok(None),
            Some(Attr::Float(f)) => Ok(Some(*f)),
            Some(Attr::Int(i)) => Ok(Some(*i as f32)),
            Some(Attr::Floats(v)) if v.len() == 1 => Ok(Some(v[0])),
            Some(Attr::Tensor(t)) => t.scalar_f64().ok_or_else(wrong).map(|x| Some(x as f32)),
            Some(_) => Err(wrong()),
        }
    }
    /// A float with a default.
    ///
    /// # Errors
    /// As [`Attributes::float`].
    pub fn float_or(&self, name: &str, default: f32) -> Result<f32, OpError> {
        Ok(self.float(name)?.unwrap_or(default))
    }
    /// A list of integers (one number is a list of one); `None` when absent.
    ///
    /// # Errors
    /// The attribute is not a list of integers.
    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>, OpError> {
        let wrong = || OpError::invalid(format!("attribute `{name}` must be a list of integers"));
        match self.0.get(name) {
            None => Ok(None),
            Some(Attr::Ints(v)) => Ok(Some(v.clone())),
            Some(Attr::Int(i)) => Ok(Some(vec![*i])),
            // An empty list has no type in the file; readers see it as floats or strings.
            Some(Attr::Floats(v)) if v.is_empty() => Ok(Some(vec![])),
            Some(Attr::Tensor(t)) if t.is_integral() => Ok(Some(t.to_i64().iter().copied().collect())),
            Some(_) => Err(wrong()),
        }
    }
    /// A string; `None` when absent.
    ///
    /// # Errors
    /// The attribute is not a string.
    pub fn str(&self, name: &str) -> Result<Option<&str>, OpError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Attr::Str(s)) => Ok(Some(s)),
            Some(_) => Err(OpError::invalid(format!("attribute `{name}` must be a string"))),
        }
    }
}

/// One operand of a node being imported.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// Its type.
    pub ty: &'a TensorType,
    /// Its value, when known at compile time (initialisers and anything folded from them).
    pub value: Option<&'a Value>,
}

/// A model's node, as its operator sees it.
#[derive(Clone, Debug)]
pub struct ImportNode<'a> {
    /// The operator name in the model.
    pub op_type: &'a str,
    /// The version of the operator set in force.
    pub opset: i64,
    /// The attributes.
    pub attributes: &'a Attributes,
    /// The operands; `None` for an omitted optional one.
    pub inputs: Vec<Option<Operand<'a>>>,
    /// For each result, whether anything may read it (named in the model).
    pub outputs_used: Vec<bool>,
    /// For each result, the rank the model declares for it (graph outputs and value infos), where it does.
    /// Only a hint, for operators whose exporters disagree about which results they list.
    pub output_ranks: Vec<Option<usize>>,
}

impl<'a> ImportNode<'a> {
    /// Whether operand `i` is given.
    pub fn has(&self, i: usize) -> bool {
        self.inputs.get(i).is_some_and(Option::is_some)
    }
    /// Operand `i`, which the operator requires.
    ///
    /// # Errors
    /// The operand is omitted.
    pub fn required(&self, i: usize) -> Result<Operand<'a>, OpError> {
        self.inputs.get(i).copied().flatten().ok_or_else(|| {
            OpError::invalid(format!("operand {i} is missing; {} has {}", self.op_type, self.inputs.len()))
        })
    }
    /// The compile-time value of operand `i`; `Ok(None)` when omitted.
    ///
    /// # Errors
    /// The operand is given but only known at run time.
    pub fn constant(&self, i: usize, what: &str) -> Result<Option<&'a Value>, OpError> {
        match self.inputs.get(i).copied().flatten() {
            None => Ok(None),
            Some(o) => o.value.map(Some).ok_or_else(|| {
                OpError::unsupported(format!("`{what}` (operand {i}) is computed at run time")).help(format!(
                    "make `{what}` an initialiser, or bind dynamic shapes with --shape NAME=1,3,32,32"
                ))
            }),
        }
    }
    /// A list of integers given as attribute `name` (old operator sets) or as constant operand `i` (new ones).
    ///
    /// # Errors
    /// It is of another type or only known at run time.
    pub fn ints(&self, name: &str, i: usize) -> Result<Option<Vec<i64>>, OpError> {
        match self.constant(i, name)? {
            Some(v) => Ok(Some(v.to_i64().iter().copied().collect())),
            None => self.attributes.ints(name),
        }
    }
    /// All given operands in order, as sources of the imported operator.
    pub fn all(&self) -> Vec<Source> {
        (0..self.inputs.len()).filter(|i| self.has(*i)).map(Source::Input).collect()
    }
}

/// Where an operand of an imported operator comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Operand `i` of the model's node.
    Input(usize),
    /// A new constant.
    Constant(Value),
    /// The first result of another operator.
    Node(Box<Imported>),
}

/// An operator and its operands: what a model's node means. Its results are the node's results, in order;
/// the model may name fewer.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The operator.
    pub op: Op,
    /// Its operands.
    pub operands: Vec<Source>,
}

impl Imported {
    /// An operator on the given sources.
    pub fn new(op: impl Into<Op>, operands: Vec<Source>) -> Self {
        Imported { op: op.into(), operands }
    }
}
