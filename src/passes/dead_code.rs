//! Dead code. In: any graph. Out: only nodes that a graph output depends on. Never drops graph inputs.

use std::collections::BTreeSet;

use crate::diag::Result;
use crate::ir::{Graph, Patch};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    let uses = graph.uses();
    let mut live = BTreeSet::new();
    let mut todo: Vec<_> = graph.outputs().iter().map(|o| o.tensor).collect();
    while let Some(tensor) = todo.pop() {
        if let Some((id, _)) = uses.producer(tensor) {
            if live.insert(id) {
                todo.extend(&graph.node(id).inputs);
            }
        }
    }
    let mut patch = Patch::new(graph);
    graph.nodes().filter(|(id, _)| !live.contains(id)).for_each(|(id, _)| patch.remove(id));
    let changed = !patch.is_empty();
    let edits = patch.finish();
    graph.apply(edits);
    Ok(changed)
}
