//! Constant folding. In: any graph. Out: no node whose operands are all constants, unless its result would be
//! large and larger than they are. Computes by the reference, so folding never changes a value.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Diagnostic, Result};
use crate::ir::{Graph, Patch, Tensor, TensorId, TensorType, Value};

/// Results up to this many bytes are folded even if they are larger than the operands (an expanded scalar costs
/// flash that the computation would not).
const MAX_GROWTH: usize = 4096;

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    let order = graph.topological_order().map_err(|_| Diagnostic::internal("the graph has a cycle"))?;
    let mut folded: BTreeMap<TensorId, Arc<Value>> = BTreeMap::new();
    let mut patch = Patch::new(graph);
    for id in order {
        let node = graph.node(id);
        let known = |t: &TensorId| graph.tensor(*t).value.clone().or_else(|| folded.get(t).cloned());
        let Some(operands) = node.inputs.iter().map(known).collect::<Option<Vec<_>>>() else { continue };
        let types = graph.types(&node.outputs);
        let size = |types: &[TensorType]| types.iter().map(TensorType::bytes).sum::<usize>();
        if size(&types) > size(&graph.types(&node.inputs)).max(MAX_GROWTH) {
            continue;
        }
        let operands: Vec<&Value> = operands.iter().map(Arc::as_ref).collect();
        let results = node.op.reference(&operands, &types).map_err(|e| e.at(&node.name, &node.op))?;
        patch.remove(id);
        for (t, value) in node.outputs.iter().zip(results) {
            let value = Arc::new(value);
            patch.retype(*t, Tensor { value: Some(value.clone()), ..graph.tensor(*t).clone() });
            folded.insert(*t, value);
        }
    }
    let changed = !patch.is_empty();
    let edits = patch.finish();
    graph.apply(edits);
    Ok(changed)
}
