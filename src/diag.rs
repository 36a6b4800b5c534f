//! Diagnostics: what every stage returns when it cannot go on.
//!
//! In: facts a stage found wrong. Out: [`Diagnostics`], collected (never only the first), printed by the
//! binary and mapped to a documented exit code. This module never prints and never exits.

use std::fmt;

use serde::Serialize;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Suspicious, but the result is still exact.
    Warning,
    /// The stage cannot produce its result.
    Error,
}

/// What kind of fault it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The input (model, data, manifest, option) is malformed: exit code 3.
    Invalid,
    /// The input is well formed but asks for something not supported: exit code 4.
    Unsupported,
    /// Everything is supported but does not fit: exit code 5.
    Infeasible,
    /// A tool, a file or the disk of this machine failed: exit code 6.
    Environment,
    /// A fault of tilewright itself: exit code 70.
    Internal,
}

impl Kind {
    /// The process exit code of a run that ended with this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Invalid => 3,
            Kind::Unsupported => 4,
            Kind::Infeasible => 5,
            Kind::Environment => 6,
            Kind::Internal => 70,
        }
    }
}

/// One finding, with the node it is about and what the user can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of fault it is.
    pub kind: Kind,
    /// The node's name, where the finding is about one.
    pub node: Option<String>,
    /// The operator, where the finding is about one.
    pub op: Option<String>,
    /// What is wrong: one sentence, no trailing full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error of `kind`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            kind,
            node: None,
            op: None,
            message: message.into(),
            help: None,
        }
    }
    /// Malformed input.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }
    /// Well-formed input that is not supported.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, message)
    }
    /// Something that does not fit.
    pub fn infeasible(message: impl Into<String>) -> Self {
        Self::new(Kind::Infeasible, message)
    }
    /// A failing tool, file or disk.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(Kind::Environment, message)
    }
    /// Our own fault; asks for a report.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
            .help("this is a bug in tilewright: please report it with the model that shows it")
    }
    /// Turns the finding into a warning.
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
    /// Turns the finding into a note.
    pub fn note(mut self) -> Self {
        self.severity = Severity::Note;
        self
    }
    /// Names the node and its operator.
    pub fn at(mut self, node: impl Into<String>, op: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self.op = Some(op.into());
        self
    }
    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}")?;
        if self.severity == Severity::Error {
            let kind = match self.kind {
                Kind::Invalid => "invalid",
                Kind::Unsupported => "unsupported",
                Kind::Infeasible => "infeasible",
                Kind::Environment => "environment",
                Kind::Internal => "internal",
            };
            write!(f, "[{kind}]")?;
        }
        match (&self.node, &self.op) {
            (Some(node), Some(op)) => write!(f, ": node `{node}` ({op})")?,
            (Some(node), None) => write!(f, ": node `{node}`")?,
            (None, Some(op)) => write!(f, ": operator {op}")?,
            (None, None) => {}
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// All findings of a stage that failed. Never empty when used as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }
    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }
    /// `Err(self)` if any finding is an error, else `Ok(value)`.
    pub fn into_result<T>(self, value: T) -> Result<T> {
        if self.has_errors() { Err(self) } else { Ok(value) }
    }
    /// The exit code of the gravest kind found (internal first, then by code).
    pub fn exit_code(&self) -> u8 {
        let errors = self.0.iter().filter(|d| d.severity == Severity::Error);
        let kinds = errors.map(|d| d.kind);
        kinds.max().unwrap_or(Kind::Internal).exit_code()
    }
    /// Prefixes every finding without a node with the file it is about.
    pub fn in_file(mut self, file: &std::path::Path) -> Self {
        for d in &mut self.0 {
            d.message = format!("{}: {}", file.display(), d.message);
        }
        self
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(d: Diagnostic) -> Self {
        Diagnostics(vec![d])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{d}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// The result of a stage.
pub type Result<T> = std::result::Result<T, Diagnostics>;
