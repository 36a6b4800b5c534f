//! Streaming: layers computed row by row together, so that of the tensors between them only a few rows exist at a time.
//!
//! In: a graph with its kernels, the memories, perhaps a budget. Out: a [`Variant`]: the graph with those layers merged, and
//! its plan. Never plans by itself: it compares what the planner makes of groups that look best.
//!
//! Rows that a window needs again stay in their buffer (they move to its front), so nothing is computed twice. It is for
//! targets without a scratchpad; tensors are channels-last with one image, so that rows lie one behind the other.

mod groups;
mod merge;
mod parts;
mod schedule;
mod search;
mod validate;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::planner::{self, MemoryOptions};
use super::variant::Variant;
use crate::diag::{Diagnostic, Kind as Fault, Result};
use crate::ir::{Op, TensorType, Verified};
use crate::targets::{Assignment, Choice, Library};

pub use merge::{Merged, apply};
pub use validate::{behind, faults};

/// The dimension of rows in every tensor that is streamed.
pub const ROWS: usize = 1;

/// Layers that are computed row by row together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Their names, in the order they are computed.
    pub layers: Vec<String>,
    /// How many rows of its result a layer computes at a time at most.
    pub rows: usize,
}

impl Group {
    /// The name of its node.
    pub fn name(&self) -> String {
        let name = |layer: Option<&String>| layer.cloned().unwrap_or_default();
        format!("{} to {}", name(self.layers.first()), name(self.layers.last()))
    }
}

/// Rows of a link's result that exist at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Where they lie, in bytes from the start of the node's scratch memory.
    pub at: usize,
    /// How many there are.
    pub rows: usize,
    /// Bytes of a row.
    pub row: usize,
}

/// Calls that are alike: the same link on as many rows with the same padding, only elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Which link.
    pub link: usize,
    /// The operator that computes such rows.
    pub op: Op,
    /// Types of the operands' rows (or of whole operands), then of the result's.
    pub types: Vec<TensorType>,
    /// The kernel's call.
    pub choice: Choice,
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A link computes its next rows.
    Call {
        /// Index into [`Streaming::kinds`].
        kind: usize,
        /// Row at which each operand and the result begin: of a buffer, or of a tensor that is not streamed.
        at: Vec<usize>,
    },
    /// Rows move to the front of their buffer.
    Slide {
        /// Whose result they are of.
        link: usize,
        /// The first that stays.
        from: usize,
        /// How many stay.
        rows: usize,
    },
}

/// A streamed node: its buffers, and all it does in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Streaming {
    /// A buffer for every link but the last, whose result is the node's.
    pub buffers: Vec<Buffer>,
    /// What kinds of calls there are.
    pub kinds: Vec<Kind>,
    /// The steps.
    pub steps: Vec<Step>,
    /// Where the kernels' working memory lies in the node's.
    pub scratch_at: usize,
    /// Bytes of the node's scratch memory.
    pub bytes: usize,
}

impl Streaming {
    /// Bytes that move within buffers.
    pub fn moved(&self) -> u64 {
        let bytes = |step: &Step| match step {
            Step::Slide { link, rows, .. } => (self.buffers[*link].row * rows) as u64,
            Step::Call { .. } => 0,
        };
        self.steps.iter().map(bytes).sum()
    }

    /// Multiply-accumulates of all steps.
    pub fn macs(&self) -> u64 {
        let macs = |kind: &Kind| {
            let (inputs, outputs) = kind.types.split_at(kind.types.len().saturating_sub(1));
            kind.op.macs(inputs, outputs)
        };
        let each: Vec<u64> = self.kinds.iter().map(macs).collect();
        let of = |step: &Step| match step {
            Step::Call { kind, .. } => each[*kind],
            Step::Slide { .. } => 0,
        };
        self.steps.iter().map(of).sum()
    }
}

/// One way to compute the network: what it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Bytes of the arena.
    pub arena_bytes: usize,
    /// Multiply-accumulates beyond those of the network layer by layer.
    pub extra_macs: u64,
    /// Bytes that move within buffers of rows.
    pub moved_bytes: u64,
    /// Layers that are computed row by row together.
    pub groups: Vec<Group>,
}

/// Plans a network: layer by layer if that fits memory and budget, else with layers together.
///
/// # Errors
/// It fits in no way: says how many bytes would do.
pub fn plan(
    graph: &Verified,
    assignment: &Assignment,
    library: &Library,
    options: &MemoryOptions,
) -> Result<Variant> {
    let apart = planner::plan(graph, assignment, library, options);
    let whole = |plan: Plan| Ok(Variant { graph: graph.clone(), assignment: assignment.clone(), plan });
    if !options.streams {
        return whole(within(apart?, options)?);
    }
    let budget = match (&apart, options.ram_budget) {
        (Ok(plan), None) => return whole(plan.clone()),
        (Err(faults), _) if faults.exit_code() != Fault::Infeasible.exit_code() => return whole(apart?),
        (_, budget) => {
            let room = planner::room(graph, assignment, options)?.unwrap_or(usize::MAX);
            budget.unwrap_or(usize::MAX).min(room)
        }
    };
    // What there is to choose from does not depend on what there is room for.
    let free = options.unlimited();
    let search = search::Search::new(graph, assignment, library, &free, options)?;
    let search::Found { chosen, curve, least } = search.within(budget)?;
    match chosen {
        Some(mut variant) => {
            variant.plan.curve = curve;
            Ok(variant)
        }
        None => match (apart, options.ram_budget) {
            (Err(mut faults), None) => {
                let more = format!("computed row by row they still need {least} bytes");
                for fault in &mut faults.0 {
                    fault.message = format!("{}; {more}", fault.message);
                }
                Err(faults)
            }
            _ => Err(refusal(budget, least, options).into()),
        },
    }
}

/// The plan, if it keeps to the budget.
fn within(plan: Plan, options: &MemoryOptions) -> Result<Plan> {
    let bytes = plan.ram();
    match options.ram_budget.filter(|budget| bytes > *budget) {
        Some(budget) => Err(refusal(budget, bytes, options).into()),
        None => Ok(plan),
    }
}

fn refusal(budget: usize, least: usize, options: &MemoryOptions) -> Diagnostic {
    let how = if options.streams { "as found, layers computed row by row" } else { "every layer by itself" };
    let message = format!(
        "the activations need {least} bytes of `{}` at least ({how}); the budget is {budget}",
        options.level
    );
    let help = if options.streams {
        format!("--ram-budget {least} is enough; or use a smaller input")
    } else {
        format!("--ram-budget {least} is enough; without --no-fusion less may do")
    };
    Diagnostic::infeasible(message).help(help)
}
