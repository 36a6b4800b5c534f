//! The runner: build what was emitted, run it, compare with the goldens, report.
//!
//! In: cases (a model with inputs and expected outputs) and a target. Out: one [`CaseResult`] per case.
//! Never decides anything about the generated code, and no other module imports it.

pub mod cases;
pub mod compare;
pub mod random;
pub mod result;

pub use cases::{Case, DataSet};
pub use compare::{Comparison, FLOAT_TOLERANCE};
pub use result::{CaseResult, Report, Status};
