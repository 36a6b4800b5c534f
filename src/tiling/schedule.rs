//! The order in which nodes run.
//!
//! In: a graph. Out: candidate topological orders. Never decides by itself which is best: the planner
//! compares the memory each needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Graph, NodeId, TensorId};

/// Orders worth comparing: the graph's own (ties by creation), and one that greedily keeps the live set small.
///
/// # Errors
/// The nodes on a cycle.
pub fn candidates(graph: &Graph) -> Result<Vec<Vec<NodeId>>, Vec<NodeId>> {
    let natural = graph.topological_order()?;
    let greedy = smallest_growth(graph, &natural);
    Ok(if greedy == natural { vec![natural] } else { vec![natural, greedy] })
}

/// List scheduling: among the ready nodes, run the one after which the fewest bytes are live; ties go to the
/// node that was made ready last (depth first), then to creation order.
fn smallest_growth(graph: &Graph, natural: &[NodeId]) -> Vec<NodeId> {
    let uses = graph.uses();
    let mut readers: BTreeMap<TensorId, usize> = BTreeMap::new();
    let mut waiting: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut ready: BTreeMap<NodeId, usize> = BTreeMap::new();
    for id in natural {
        let distinct: BTreeSet<TensorId> = graph.node(*id).inputs.iter().copied().collect();
        let producers: BTreeSet<NodeId> =
            distinct.iter().filter_map(|t| uses.producer(*t)).map(|p| p.0).collect();
        for t in distinct {
            *readers.entry(t).or_default() += 1;
        }
        if producers.is_empty() {
            ready.insert(*id, 0);
        } else {
            waiting.insert(*id, producers.len());
        }
    }
    let mut order = Vec::with_capacity(natural.len());
    while let Some(next) = best(graph, &ready, &readers) {
        ready.remove(&next);
        order.push(next);
        let node = graph.node(next);
        for t in node.inputs.iter().collect::<BTreeSet<_>>() {
            if let Some(n) = readers.get_mut(t) {
                *n -= 1;
            }
        }
        let consumers: BTreeSet<NodeId> =
            node.outputs.iter().flat_map(|t| uses.consumers(*t)).copied().collect();
        for c in consumers {
            if let Some(n) = waiting.get_mut(&c) {
                *n -= 1;
                if *n == 0 {
                    waiting.remove(&c);
                    ready.insert(c, order.len());
                }
            }
        }
    }
    order
}

fn best(
    graph: &Graph,
    ready: &BTreeMap<NodeId, usize>,
    readers: &BTreeMap<TensorId, usize>,
) -> Option<NodeId> {
    let growth = |id: NodeId| {
        let node = graph.node(id);
        let made: i64 = node.outputs.iter().map(|t| graph.tensor(*t).ty.bytes() as i64).sum();
        let freed: i64 = node
            .inputs
            .iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|t| {
                !graph.tensor(**t).is_constant() && readers.get(*t) == Some(&1) && !graph.is_output(**t)
            })
            .map(|t| graph.tensor(*t).ty.bytes() as i64)
            .sum();
        made - freed
    };
    ready.iter().min_by_key(|(id, since)| (growth(**id), std::cmp::Reverse(**since), **id)).map(|(id, _)| *id)
}
