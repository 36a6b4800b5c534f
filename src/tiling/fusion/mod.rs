//! Fusion: which layers are computed part by part together, so that what lies between them never leaves the scratchpad.
//!
//! In: a graph with its kernels, the memories. Out: a [`Variant`]: the graph with those layers merged into chains, and its plan.
//! Never plans by itself: it compares what the planner makes of each.
//!
//! Without a plan that fits, tensors between layers vanish, the largest first, until one does. With one, layers go together
//! whose parts take fewer predicted cycles than they take apart; the plan with them must be the faster one.

mod merge;

use std::collections::BTreeMap;

pub use merge::{Group, Layers};
use merge::{disjoint, merge};

use super::levels::AROUND_PARTS;
use super::plan::{Home, Plan};
use super::planner::{self, MemoryOptions};
use super::tiles::{Scratchpad, Tiler, stream_set};
use super::variant::Variant;
use crate::diag::{Diagnostic, Diagnostics, Kind, Result};
use crate::ir::verify::verify;
use crate::ir::{Graph, NodeId, TensorId, Verified};
use crate::targets::{Assignment, Library};

/// Layers in a group at most.
const MOST: usize = 4;
/// Groups that are looked at in detail at most.
const LOOKS: usize = 12;

/// Whether layers may be computed together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fusion {
    /// Where it is faster, or where nothing else fits.
    #[default]
    Auto,
    /// Never.
    Off,
    /// As many as can be, whatever it costs: to try it out.
    Longest,
}

/// What does not change while groups are tried.
#[derive(Clone, Copy)]
struct Network<'a> {
    graph: &'a Verified,
    assignment: &'a Assignment,
    library: &'a Library,
    options: &'a MemoryOptions,
}

/// Plans a network, layers merged where that pays.
///
/// # Errors
/// It fits in no way: says why it does not without merged layers.
pub fn plan(
    graph: &Verified,
    assignment: &Assignment,
    library: &Library,
    options: &MemoryOptions,
    fusion: Fusion,
) -> Result<Variant> {
    let network = Network { graph, assignment, library, options };
    let apart = planner::plan(graph, assignment, library, options);
    let Some(pad) = options.scratchpad.as_ref().filter(|_| fusion != Fusion::Off) else {
        return network.with_plan(apart?);
    };
    if fusion == Fusion::Longest {
        let together = network.fuse(&network.layers().longest(MOST));
        return together.or_else(|_| network.with_plan(apart?));
    }
    match apart {
        Ok(plan) => {
            let groups = network.worth(&plan, pad);
            let together = if groups.is_empty() { None } else { network.fuse(&groups).ok() };
            match together.filter(|t| cycles(&t.plan) < cycles(&plan)) {
                Some(together) => Ok(together),
                None => network.with_plan(plan),
            }
        }
        Err(faults) => network.rescue(faults),
    }
}

/// The graph and kernels that a plan with these groups, given by the layers' names, is a plan of.
///
/// # Errors
/// Layers that are none, or cannot go together.
pub fn apply(
    graph: &Verified,
    assignment: &Assignment,
    groups: &[Vec<String>],
) -> Result<(Verified, Assignment)> {
    if groups.is_empty() {
        return Ok((graph.clone(), assignment.clone()));
    }
    let ids: BTreeMap<&str, NodeId> = graph.nodes().map(|(id, n)| (n.name.as_str(), id)).collect();
    let mut wanted: Vec<Group> = Vec::new();
    for names in groups {
        let group: Option<Group> = names.iter().map(|name| ids.get(name.as_str()).copied()).collect();
        let message = || format!("layers {names:?} are to be computed together, but not all of them exist");
        wanted.push(group.ok_or_else(|| Diagnostic::invalid(message()))?);
    }
    let (merged, assignment) = merge(graph, assignment, &wanted)?;
    Ok((verify(merged)?, assignment))
}

fn cycles(plan: &Plan) -> u64 {
    plan.cycles.values().sum()
}

impl Network<'_> {
    fn with_plan(&self, plan: Plan) -> Result<Variant> {
        Ok(Variant { graph: self.graph.clone(), assignment: self.assignment.clone(), plan })
    }

    fn layers(&self) -> Layers<'_> {
        Layers::new(self.graph, self.assignment)
    }

    fn fuse(&self, groups: &[Group]) -> Result<Variant> {
        let name = |id: &NodeId| self.graph.node(*id).name.clone();
        let names: Vec<Vec<String>> = groups.iter().map(|g| g.iter().map(name).collect()).collect();
        let (graph, assignment) = apply(self.graph, self.assignment, &names)?;
        let mut plan = planner::plan(&graph, &assignment, self.library, self.options)?;
        plan.fused = names;
        Ok(Variant { graph, assignment, plan })
    }

    /// Pairs of layers that may go together, the largest tensor between them first, none twice.
    fn pairs(&self) -> Vec<Group> {
        let bytes = |g: &Group| self.graph.tensor(self.graph.node(g[0]).outputs[0]).ty.bytes();
        let mut all = self.layers().pairs();
        all.sort_by_key(|g| (std::cmp::Reverse(bytes(g)), g[0]));
        disjoint(all.into_iter())
    }

    /// The first plan that fits, with more and more pairs.
    fn rescue(&self, faults: Diagnostics) -> Result<Variant> {
        // A layer of which no part fits is no smaller together with another.
        let layers = faults.0.iter().any(|d| d.node.is_some());
        if layers || faults.exit_code() != Kind::Infeasible.exit_code() {
            return Err(faults);
        }
        let pairs = self.pairs();
        let mut count = 1;
        while count < 2 * pairs.len() {
            if let Ok(fused) = self.fuse(&pairs[..count.min(pairs.len())]) {
                return Ok(fused);
            }
            count *= 2;
        }
        self.fuse(&self.layers().longest(MOST)).map_err(|_| faults)
    }

    /// Groups that take fewer cycles than their layers, by their parts alone.
    fn worth(&self, plan: &Plan, pad: &Scratchpad) -> Vec<Group> {
        let layers = self.layers();
        let look = Look { network: *self, layers: &layers, plan, pad, free: free(self.graph, plan, pad) };
        let mut found: Vec<(u64, Group)> = Vec::new();
        let mut seen = BTreeMap::new();
        let far = |g: &Group| !near(plan, pad, self.graph.node(g[0]).outputs[0]);
        let mut pairs: Vec<Group> = layers.pairs().into_iter().filter(far).collect();
        pairs.sort_by_key(|g| (std::cmp::Reverse(look.hope(g)), g[0]));
        for pair in pairs {
            if seen.len() >= LOOKS || look.hope(&pair) == 0 {
                break;
            }
            let mut best = (look.gain(&pair, &mut seen), pair);
            // As long as one more layer makes it better.
            while let Some(longer) = layers.longer(&best.1).filter(|g| best.0 > 0 && g.len() <= MOST) {
                let gain = look.gain(&longer, &mut seen);
                if gain <= best.0 {
                    break;
                }
                best = (gain, longer);
            }
            found.extend(Some(best).filter(|(gain, _)| *gain > 0));
        }
        found.sort_by_key(|(gain, group)| (std::cmp::Reverse(*gain), group[0]));
        disjoint(found.into_iter().map(|(_, group)| group))
    }
}

fn near(plan: &Plan, pad: &Scratchpad, t: TensorId) -> bool {
    matches!(plan.homes.get(&t), Some(Home::Arena { arena, .. }) if *arena == pad.arena)
}

/// Bytes of the scratchpad that tensors which stay there leave to each layer.
fn free(graph: &Graph, plan: &Plan, pad: &Scratchpad) -> BTreeMap<NodeId, usize> {
    let runs = plan.runs();
    let mut used = vec![0usize; runs.len()];
    for t in plan.homes.keys().filter(|t| near(plan, pad, **t)) {
        let touches = |id: &NodeId| graph.node(*id).inputs.contains(t) || graph.node(*id).outputs.contains(t);
        let first = runs.iter().position(touches);
        let last = runs.iter().rposition(touches);
        if let (Some(first), Some(last)) = (first, last) {
            used[first..=last].iter_mut().for_each(|u| *u += graph.tensor(*t).ty.bytes());
        }
    }
    runs.into_iter().zip(used).map(|(id, used)| (id, pad.capacity.saturating_sub(used))).collect()
}

/// A look at groups beside a plan without them.
struct Look<'a> {
    network: Network<'a>,
    layers: &'a Layers<'a>,
    plan: &'a Plan,
    pad: &'a Scratchpad,
    free: BTreeMap<NodeId, usize>,
}

impl Look<'_> {
    fn apart(&self, group: &[NodeId]) -> u64 {
        group.iter().filter_map(|id| self.plan.cycles.get(id)).sum()
    }

    /// Cycles that a group could save at most: kernels must run.
    fn hope(&self, group: &[NodeId]) -> u64 {
        let choices = group.iter().filter_map(|id| self.network.assignment.choices.get(id));
        let kernels: u64 = choices.filter_map(|c| self.network.library.cycles(c)).sum();
        self.apart(group).saturating_sub(kernels + AROUND_PARTS)
    }

    /// Cycles that a group saves; groups of equal layers are looked at once.
    fn gain(&self, group: &[NodeId], seen: &mut BTreeMap<String, u64>) -> u64 {
        let Network { graph, assignment, library, .. } = self.network;
        let Some(node) = self.layers.node(group) else { return 0 };
        let streams = node.inputs.iter().chain(&node.outputs).enumerate();
        let resident = streams.filter(|(_, t)| near(self.plan, self.pad, **t));
        let resident = stream_set(resident.map(|(s, _)| s));
        let free = group.iter().filter_map(|id| self.free.get(id)).min().copied().unwrap_or(0);
        let apart = self.apart(group);
        let key = format!("{:?} {:?} {resident} {free} {apart}", node.op, graph.types(&node.outputs));
        if let Some(gain) = seen.get(&key) {
            return *gain;
        }
        let together = || {
            let (merged, chosen) = merge(graph, assignment, &[group.to_vec()]).ok()?;
            let tiler = Tiler::new(&merged, &chosen, library, self.pad);
            tiler.tile(*group.last()?, resident, free).map(|t| t.cycles + AROUND_PARTS)
        };
        let gain = together().map_or(0, |cycles| apart.saturating_sub(cycles));
        seen.insert(key, gain);
        gain
    }
}
