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
    /// Plans the network: as it is, or with reductions in pieces if no part of a layer fits or that takes fewer cycles.
    ///
    /// # Errors
    /// It fits in no way: says why it does not as it is.
    pub fn plan(&self, options: &MemoryOptions, fusion: Fusion) -> Result<Variant> {
        let Source { graph, assignment, platform, library } = *self;
        let Some(pad) = &options.scratchpad else {
            return streaming::plan(graph, assignment, library, options);
        };
        let whole = fusion::plan(graph, assignment, library, options, fusion);
        let reduced = match &whole {
            Ok(variant) => reduction::worth(graph, assignment, platform, library, pad, &variant.plan),
            Err(faults) if faults.exit_code() == Kind::Infeasible.exit_code() => {
                reduction::fit(graph, assignment, platform, library, pad)
            }
            Err(_) => None,
        };
        let Some(reduced) = reduced else { return whole };
        let Ok(mut pieces) = fusion::plan(&reduced.graph, &reduced.assignment, library, options, fusion)
        else {
            return whole;
        };
        pieces.plan.cuts = reduced.cuts;
        let cycles = |variant: &Variant| variant.plan.cycles.values().sum::<u64>();
        Ok(whole.ok().filter(|whole| cycles(whole) <= cycles(&pieces)).unwrap_or(pieces))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text;
    use crate::ir::verify::verify;
    use crate::targets::{Tree, assign};
    use crate::tiling::tiles::{Buffering, Dma, Scratchpad};

    /// In 6,000 bytes parts of a product of 1,200 columns and rows are tiny; in 200,000 all of it is one.
    const PRODUCT: &str = "graph g(%a: s8[24x1200], %b: s8[1200x24]) -> (y = %y) {
  %y: s32[24x24] = MatMul(%a, %b) {requant: null, act: \"none\"}
}";

    #[test]
    fn reductions_are_cut_where_it_pays() {
        let tree = Tree::embedded();
        let platform = Platform::load(&tree, "siracusa").unwrap();
        let library = Library::load(&tree, &platform).unwrap();
        let graph = verify(text::parse(PRODUCT).unwrap()).unwrap();
        let assignment = assign(&graph, &platform, &library).unwrap();
        let source =
            Source { graph: &graph, assignment: &assignment, platform: &platform, library: &library };
        let plan = |capacity: usize| {
            let scratchpad = Scratchpad {
                arena: 1,
                level: "l1".into(),
                capacity,
                alignment: 8,
                dma: Dma { latency: 33, bandwidth: 8.0 },
                buffering: Buffering::Auto,
                budget: 100_000,
                seen: Default::default(),
            };
            let options = MemoryOptions {
                level: "l2".into(),
                alignment: 4,
                scratchpad: Some(scratchpad),
                ..MemoryOptions::default()
            };
            source.plan(&options, Fusion::Auto).unwrap().plan
        };
        assert!(plan(200_000).cuts.is_empty());
        let small = plan(6_000);
        assert!(!small.cuts.is_empty() && small.tiled.len() > 2);
    }
}
