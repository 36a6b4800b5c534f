//! The choice of groups: for each number of bytes the stretches of layers that cost least.
//!
//! In: a network. Out: for a budget the best plan found, and the curve of what other numbers of bytes take. Bytes of plans
//! are those that the planner's exact allocator gives; only which plans it is asked for is estimated.
//!
//! A dynamic program over the order of layers finds, for a limit on live bytes, the cheapest way to cut the order into layers
//! and stretches. Ever lower limits give ever smaller arenas, down to the least.

use super::groups::{Candidates, Stretch};
use super::merge::{Merged, apply};
use super::schedule::Cost;
use super::{Group, Point};
use crate::diag::Result;
use crate::ir::Verified;
use crate::targets::{Assignment, Library};
use crate::tiling::plan::Plan;
use crate::tiling::planner::{self, MemoryOptions};
use crate::tiling::variant::Variant;

/// Points of the curve that are planned at most, beside the first and the last.
const POINTS: usize = 8;
/// Plans that are made for a budget at most.
const TRIES: usize = 8;
/// What a step costs, in bytes moved.
const STEP: u64 = 64;

/// A way to cut the order: the stretches, and live bytes at most.
#[derive(Clone, Debug)]
struct Cut {
    peak: usize,
    stretches: Vec<Stretch>,
}

/// What a search found.
pub struct Found {
    /// The best plan within the budget.
    pub chosen: Option<Variant>,
    /// What other numbers of bytes take, the most first.
    pub curve: Vec<Point>,
    /// Bytes for which there is always a plan.
    pub least: usize,
}

/// A network and what is known of it.
pub struct Search<'a> {
    graph: &'a Verified,
    assignment: &'a Assignment,
    library: &'a Library,
    /// One memory, without a limit.
    free: &'a MemoryOptions,
    /// Those there are.
    options: &'a MemoryOptions,
    candidates: Candidates<'a>,
    /// Layer by layer.
    apart: Plan,
}

impl<'a> Search<'a> {
    /// A network, one memory without a limit to compare plans in, and the memories there are.
    ///
    /// # Errors
    /// It cannot be planned layer by layer.
    pub fn new(
        graph: &'a Verified,
        assignment: &'a Assignment,
        library: &'a Library,
        free: &'a MemoryOptions,
        options: &'a MemoryOptions,
    ) -> Result<Search<'a>> {
        let apart = planner::plan(graph, assignment, library, free)?;
        let draft = planner::best_draft(graph, assignment, free)?;
        let candidates =
            Candidates::new(graph, assignment, library, free, draft.order.clone(), &draft.blocks);
        Ok(Search { graph, assignment, library, free, options, candidates, apart })
    }

    /// The best plan found of at most `budget` bytes, and what else there is.
    ///
    /// # Errors
    /// None that a network causes.
    pub fn within(&self, budget: usize) -> Result<Found> {
        let cuts = self.cuts();
        let mut curve = vec![self.point(&self.apart)];
        let every = cuts.len().div_ceil(POINTS).max(1);
        for cut in cuts.iter().step_by(every).chain(cuts.last()) {
            for limit in [cut.peak, 0] {
                curve.push(self.point(&self.variant(&self.groups(cut, limit))?.plan));
            }
        }
        // Whatever the budget, these are looked at: so the least of them is enough.
        let least = curve.iter().map(|p| p.arena_bytes).min().unwrap_or(0);
        let (graph, assignment) = (self.graph.clone(), self.assignment.clone());
        let mut chosen = self.kept(Variant { graph, assignment, plan: self.apart.clone() }, budget);
        // Estimates are low where there are gaps: then the next lower limit is tried.
        for cut in cuts.iter().filter(|c| c.peak <= budget).take(TRIES) {
            if chosen.is_some() {
                break;
            }
            let variant = self.variant(&self.groups(cut, budget))?;
            curve.push(self.point(&variant.plan));
            chosen = self.kept(variant, budget);
        }
        let curve = best(curve);
        let fits = curve.iter().find(|p| p.arena_bytes <= budget);
        if let Some(point) = fits.filter(|_| chosen.is_none()) {
            chosen = self.kept(self.variant(&point.groups)?, budget);
        }
        Ok(Found { chosen, curve, least })
    }

    /// The variant in the memories there are, if it keeps to the budget.
    fn kept(&self, variant: Variant, budget: usize) -> Option<Variant> {
        let Variant { graph, assignment, plan } = variant;
        if plan.ram() > budget {
            return None;
        }
        let mut placed = planner::plan(&graph, &assignment, self.library, self.options).ok()?;
        (placed.streams, placed.streamed) = (plan.streams, plan.streamed);
        Some(Variant { graph, assignment, plan: placed })
    }

    fn point(&self, plan: &Plan) -> Point {
        let macs: u64 = plan.streams.values().map(|s| s.macs()).sum();
        let whole: u64 = self.macs(plan);
        Point {
            arena_bytes: plan.ram(),
            extra_macs: macs.saturating_sub(whole),
            moved_bytes: plan.streams.values().map(|s| s.moved()).sum(),
            groups: plan.streamed.clone(),
        }
    }

    /// Those of the streamed layers if each is computed by itself.
    fn macs(&self, plan: &Plan) -> u64 {
        let streamed = |name: &str| plan.streamed.iter().any(|g| g.layers.iter().any(|l| l == name));
        let nodes = self.graph.nodes().filter(|(_, n)| streamed(&n.name));
        nodes.map(|(_, n)| n.op.macs(&self.graph.types(&n.inputs), &self.graph.types(&n.outputs))).sum()
    }

    fn variant(&self, groups: &[Group]) -> Result<Variant> {
        let Merged { graph, assignment, streams } = apply(self.graph, self.assignment, self.library, groups)?;
        let mut plan = planner::plan(&graph, &assignment, self.library, self.free)?;
        plan.streams = streams;
        plan.streamed = groups.to_vec();
        Ok(Variant { graph, assignment, plan })
    }

    fn groups(&self, cut: &Cut, limit: usize) -> Vec<Group> {
        let group =
            |s: &Stretch| Group { layers: self.candidates.names(s), rows: self.candidates.rows(s, limit) };
        cut.stretches.iter().map(group).collect()
    }

    /// The cheapest cuts for ever lower limits, below that of no stretches.
    fn cuts(&self) -> Vec<Cut> {
        let mut cuts = Vec::new();
        let mut limit = self.candidates.live.iter().copied().max().unwrap_or(0);
        while let Some(cut) = limit.checked_sub(1).and_then(|limit| self.cut(limit)) {
            limit = cut.peak;
            cuts.push(cut);
        }
        cuts
    }

    /// The cheapest cut of which no part has more than `limit` bytes live.
    fn cut(&self, limit: usize) -> Option<Cut> {
        let Candidates { live, stretches, .. } = &self.candidates;
        // For each place in the order: the cost up to there, live bytes, and the stretch that ends there, if one does.
        let mut best: Vec<Option<(u64, usize, Option<&Stretch>)>> = vec![Some((0, 0, None))];
        for end in 1..=live.len() {
            let alone = best[end - 1].filter(|_| live[end - 1] <= limit);
            let mut here = alone.map(|(cost, peak, _)| (cost, peak.max(live[end - 1]), None));
            for s in stretches[end].iter().filter(|s| s.bytes <= limit) {
                let Some((before, peak, _)) = best[s.begin] else { continue };
                let found = (before + price(&s.cost), peak.max(s.bytes));
                if here.is_none_or(|(cost, peak, _)| found < (cost, peak)) {
                    here = Some((found.0, found.1, Some(s)));
                }
            }
            best.push(here);
        }
        let peak = best.last().copied().flatten()?.1;
        let mut chosen = Vec::new();
        let mut end = live.len();
        while end > 0 {
            match best[end].and_then(|(.., s)| s) {
                Some(s) => {
                    chosen.push(s.clone());
                    end = s.begin;
                }
                None => end -= 1,
            }
        }
        chosen.reverse();
        Some(Cut { peak, stretches: chosen })
    }
}

fn price(cost: &Cost) -> u64 {
    cost.moved + STEP * cost.steps as u64
}

/// Points of which none is better in every way, the largest arena first.
fn best(mut points: Vec<Point>) -> Vec<Point> {
    let price =
        |p: &Point| (p.extra_macs, p.moved_bytes, p.groups.iter().map(|g| g.layers.len()).sum::<usize>());
    points.sort_by_key(|p| (p.arena_bytes, price(p)));
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        if kept.last().is_none_or(|last| price(&point) < price(last)) {
            kept.push(point);
        }
    }
    kept.reverse();
    kept
}
