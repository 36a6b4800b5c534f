//! Variants of a network: the graph as a plan computes it, layers merged and reductions cut.
//!
//! In: a graph with its kernels, memories. Out: a [`Variant`]: the graph of the best plan found, or of one that was saved.
//! Never plans by itself.

use super::fusion::{self, Fusion};
use super::plan::Plan;
use super::planner::MemoryOptions;
use super::reduction;
use super::streaming::{self, Merged};
use crate::diag::{Kind, Result};
use crate::ir::Verified;
use crate::targets::{Assignment, Library, Platform};

/// A network as it is computed, and its plan.
#[derive(Debug)]
pub struct Variant {
    /// The graph: a node for each group of merged layers, several for each cut reduction.
    pub graph: Verified,
    /// Its kernels.
    pub assignment: Assignment,
    /// Its plan, which lists groups and cuts.
    pub plan: Plan,
}

/// A network as it came from the passes.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The graph.
    pub graph: &'a Verified,
    /// Its kernels.
    pub assignment: &'a Assignment,
    /// The target.
    pub platform: &'a Platform,
    /// The kernels there are.
    pub library: &'a Library,
}

impl Source<'_> {
    /// Plans the network: as it is; if no part of a layer fits, with reductions in pieces.
    ///
    /// # Errors
    /// It fits in no way: says why it does not as it is.
    pub fn plan(&self, options: &MemoryOptions, fusion: Fusion) -> Result<Variant> {
        let Source { graph, assignment, platform, library } = *self;
        if options.scratchpad.is_none() {
            return streaming::plan(graph, assignment, library, options);
        }
        let faults = match fusion::plan(graph, assignment, library, options, fusion) {
            Ok(variant) => return Ok(variant),
            Err(faults) => faults,
        };
        let pad = options.scratchpad.as_ref().filter(|_| faults.exit_code() == Kind::Infeasible.exit_code());
        let reduced = pad.and_then(|pad| reduction::fit(graph, assignment, platform, library, pad));
        let Some(reduced) = reduced else { return Err(faults) };
        let made = fusion::plan(&reduced.graph, &reduced.assignment, library, options, fusion);
        let mut variant = made.map_err(|_| faults)?;
        variant.plan.cuts = reduced.cuts;
        Ok(variant)
    }

    /// The graph and kernels that `plan` is a plan of, and what its streamed nodes do by themselves.
    ///
    /// # Errors
    /// Its cuts or groups are none of this network.
    pub fn of_plan(&self, plan: &Plan) -> Result<Merged> {
        let Source { graph, assignment, platform, library } = *self;
        let (graph, assignment) = reduction::apply(graph, assignment, platform, library, &plan.cuts)?;
        let (graph, assignment) = fusion::apply(&graph, &assignment, &plan.fused)?;
        streaming::apply(&graph, &assignment, library, &plan.streamed)
    }
}
