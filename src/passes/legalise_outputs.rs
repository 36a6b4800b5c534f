//! Outputs of their own. In: any graph. Out: every graph output is the result of a node and is no other output;
//! where the model returns an input, a constant or a tensor twice, a copy is made.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Result};
use crate::ir::ops::Identity;
use crate::ir::{Graph, Patch};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    let uses = graph.uses();
    let mut seen = BTreeSet::new();
    let mut patch = Patch::new(graph);
    for (i, output) in graph.outputs().iter().enumerate() {
        let own = uses.producer(output.tensor).is_some() && seen.insert(output.tensor);
        if !own {
            let copy = patch.node(&output.name, Identity {}.into(), &[output.tensor])?;
            let copy = copy.first().ok_or_else(|| Diagnostic::internal("Identity has no result"))?;
            patch.set_output(i, *copy);
        }
    }
    let changed = !patch.is_empty();
    let edits = patch.finish();
    graph.apply(edits);
    Ok(changed)
}
