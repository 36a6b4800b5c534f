//! What a run of a case found: the records of `tilewright test --json`.
//!
//! In: outcomes. Out: [`Report`], serialised exactly as documented in `docs/json.md`; fields a target does
//! not have are null.

use serde::{Deserialize, Serialize};

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every output is as expected.
    Pass,
    /// Wrong outputs, a crash, a time-out, or an error after the network was accepted.
    Fail,
    /// The network asks for something unsupported or does not fit; counts as skipped.
    Refused,
    /// There is nothing to compare with.
    Skip,
}

/// One case on one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The case's path below the tested path.
    pub name: String,
    /// The target.
    pub target: String,
    /// How it ended.
    pub status: Status,
    /// Why, unless it passed.
    pub reason: Option<String>,
    /// Largest absolute error over all outputs and data sets.
    pub max_error: Option<f64>,
    /// Elements that differ by more than allowed.
    pub mismatches: Option<u64>,
    /// Bytes of RAM the network uses.
    pub ram_bytes: Option<u64>,
    /// Bytes of flash: code and constants.
    pub flash_bytes: Option<u64>,
    /// Multiply-accumulates of one inference.
    pub macs: Option<u64>,
    /// Cores that shared the work, on targets that have several.
    pub cores: Option<u32>,
    /// Cycles of one inference, on simulators that count them.
    pub cycles: Option<u64>,
    /// Instructions of one inference, on simulators that count them.
    pub instructions: Option<u64>,
    /// Bytes of stack that one inference used, where it is measured.
    #[serde(default)]
    pub stack_bytes: Option<u64>,
    /// Bytes of stack that no inference exceeds, where they are known.
    #[serde(default)]
    pub stack_bound_bytes: Option<u64>,
    /// Milliseconds from model to C.
    pub compile_ms: Option<f64>,
}

impl CaseResult {
    /// A result without figures.
    pub fn new(name: impl Into<String>, target: impl Into<String>, status: Status) -> Self {
        CaseResult {
            name: name.into(),
            target: target.into(),
            status,
            reason: None,
            max_error: None,
            mismatches: None,
            ram_bytes: None,
            flash_bytes: None,
            macs: None,
            cores: None,
            cycles: None,
            instructions: None,
            stack_bytes: None,
            stack_bound_bytes: None,
            compile_ms: None,
        }
    }
}

/// All cases of one invocation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// In the order the cases were found.
    pub cases: Vec<CaseResult>,
}

impl Report {
    /// Cases that passed, failed, and were skipped (refused ones included).
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |s: Status| self.cases.iter().filter(|c| c.status == s).count();
        (count(Status::Pass), count(Status::Fail), count(Status::Skip) + count(Status::Refused))
    }
    /// The last line of `tilewright test`.
    pub fn summary(&self) -> String {
        let (passed, failed, skipped) = self.counts();
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_cases_count_as_skipped() {
        let case = |s| CaseResult::new("a", "host", s);
        let report = Report {
            cases: vec![case(Status::Pass), case(Status::Refused), case(Status::Skip), case(Status::Fail)],
        };
        assert_eq!(report.summary(), "1 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn json_has_every_field_and_null_for_what_is_missing() {
        let json = serde_json::to_string(&CaseResult::new("a/b", "host", Status::Refused)).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"name":"a/b","target":"host","status":"refused","reason":null,"max_error":null,"#,
                r#""mismatches":null,"ram_bytes":null,"flash_bytes":null,"macs":null,"cores":null,"cycles":null,"#,
                r#""instructions":null,"stack_bytes":null,"stack_bound_bytes":null,"compile_ms":null}"#
            )
        );
    }
}
