//! The runner: build what was emitted, run it, compare with the goldens, report.
//!
//! In: cases (a model with inputs and expected outputs) and a target. Out: one [`CaseResult`] per case.
//! Never decides anything about the generated code, and no other module imports it.

mod bytes;
pub mod cases;
pub mod chip;
pub mod compare;
pub mod execute;
pub mod figures;
pub mod flash;
mod harness;
pub mod host;
pub mod inputs;
pub mod labels;
pub mod objects;
pub mod page;
pub mod random;
pub mod record;
pub mod result;
mod stack;
pub mod suite;

pub use cases::{Case, DataSet};
pub use chip::ChipOptions;
pub use compare::{Comparison, FLOAT_TOLERANCE};
pub use execute::RunOptions;
pub use flash::Flash;
pub use record::Record;
pub use result::{CaseResult, Report, Status};
