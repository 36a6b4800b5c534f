//! The reference interpreter: runs a graph by the operators' definitions, as slowly as it takes.
//!
//! In: a graph and its inputs' values. Out: its outputs' values, and every node's results to an observer.
//! Never optimises: it is what everything else is compared with.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::graph::{Graph, Node, NodeId, TensorId, TensorType};
use super::value::Value;
use crate::diag::{Diagnostic, Diagnostics, Result};

/// Runs the graph on `inputs`, in the order of its inputs.
///
/// # Errors
/// The inputs do not fit the graph, or an operator is given operands outside its definition.
pub fn run(graph: &Graph, inputs: &[Value]) -> Result<Vec<Value>> {
    run_with(graph, inputs, |_, _| {})
}

/// Runs the graph, showing `observer` the results of every node as they are made.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    graph: &Graph,
    inputs: &[Value],
    mut observer: impl FnMut(NodeId, &[Value]),
) -> Result<Vec<Value>> {
    check_inputs(graph, inputs)?;
    let order = graph.topological_order().map_err(|_| Diagnostic::internal("the graph has a cycle"))?;
    let mut readers: BTreeMap<TensorId, usize> = BTreeMap::new();
    for t in graph.nodes().flat_map(|(_, n)| &n.inputs).chain(graph.outputs().iter().map(|o| &o.tensor)) {
        *readers.entry(*t).or_insert(0) += 1;
    }
    let mut values: BTreeMap<TensorId, Cow<Value>> = BTreeMap::new();
    values.extend(graph.inputs().iter().zip(inputs).map(|(t, v)| (*t, Cow::Borrowed(v))));
    values.extend(graph.tensors().filter_map(|(t, _)| Some((t, Cow::Borrowed(graph.constant(t)?)))));
    for id in order {
        let node = graph.node(id);
        let results = evaluate(graph, node, &values)?;
        observer(id, &results);
        values.extend(node.outputs.iter().copied().zip(results.into_iter().map(Cow::Owned)));
        // Values nobody will read again are dropped, so that large networks run in little memory.
        for t in &node.inputs {
            if let Some(n) = readers.get_mut(t) {
                *n -= 1;
                if *n == 0 {
                    values.remove(t);
                }
            }
        }
    }
    let output = |t: &TensorId| {
        let undefined = || Diagnostic::internal(format!("output tensor {t} is never defined"));
        values.get(t).map(|v| v.clone().into_owned()).ok_or_else(undefined)
    };
    graph.outputs().iter().map(|o| output(&o.tensor).map_err(Diagnostics::from)).collect()
}

fn check_inputs(graph: &Graph, inputs: &[Value]) -> Result<()> {
    let mut faults = Diagnostics::default();
    if graph.inputs().len() != inputs.len() {
        let (takes, given) = (graph.inputs().len(), inputs.len());
        let names: Vec<_> = graph.inputs().iter().map(|t| graph.tensor(*t).name.as_str()).collect();
        faults.push(
            Diagnostic::invalid(format!("network `{}` takes {takes} inputs, {given} given", graph.name))
                .help(format!("its inputs are: {}", names.join(", "))),
        );
    }
    for (i, (id, value)) in graph.inputs().iter().zip(inputs).enumerate() {
        let (tensor, given) = (graph.tensor(*id), TensorType::of(value));
        if tensor.ty != given {
            faults.push(Diagnostic::invalid(format!(
                "input {i} (`{}`) is {}, {given} given",
                tensor.name, tensor.ty
            )));
        }
    }
    faults.into_result(())
}

fn evaluate(graph: &Graph, node: &Node, values: &BTreeMap<TensorId, Cow<Value>>) -> Result<Vec<Value>> {
    let fault = |message: String| Diagnostic::internal(message).at(&node.name, node.op.name());
    let operands = node.inputs.iter().map(|t| {
        values.get(t).map(Cow::as_ref).ok_or_else(|| fault(format!("operand {t} is never defined")))
    });
    let operands: Vec<&Value> = operands.collect::<std::result::Result<_, _>>()?;
    let types = graph.types(&node.outputs);
    let results = node.op.reference(&operands, &types).map_err(|e| e.at(&node.name, &node.op))?;
    let given: Vec<_> = results.iter().map(TensorType::of).collect();
    if given != types {
        let list = |t: &[TensorType]| t.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(fault(format!("computed {}, declared {}", list(&given), list(&types))).into());
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;

    const TEXT: &str = "graph g(%x: f32[3], %z: s8[2]) -> (y = %y, same = %z, k = %k) {
        %h: f32[3] = Relu(%x)
        %y: f32[3] = Relu(%h)
        %k: s32[2] = const [5, -6]
    }";

    #[test]
    fn runs_in_order_and_shows_every_node() {
        let graph = parse(TEXT).unwrap();
        let x = Value::f32(&[3], vec![-1.0, 0.5, 2.0]).unwrap();
        let z = Value::s64(&[2], vec![-1, 7]).unwrap().cast(super::super::DType::S8);
        let mut seen = vec![];
        let out = run_with(&graph, &[x, z.clone()], |id, v| seen.push((id, v.len()))).unwrap();
        assert_eq!(out[0], Value::f32(&[3], vec![0.0, 0.5, 2.0]).unwrap());
        assert_eq!(out[1], z);
        assert_eq!(out[2].to_i64().into_raw_vec_and_offset().0, [5, -6]);
        assert_eq!(seen, [(NodeId(0), 1), (NodeId(1), 1)]);
    }

    #[test]
    fn says_which_input_is_wrong() {
        let graph = parse(TEXT).unwrap();
        let message = |inputs: &[Value]| run(&graph, inputs).unwrap_err().to_string();
        assert_eq!(
            message(&[]),
            "error[invalid]: network `g` takes 2 inputs, 0 given\n  help: its inputs are: x, z"
        );
        assert_eq!(
            message(&[Value::scalar_f32(0.0), Value::f32(&[2], vec![0.0; 2]).unwrap()]),
            "error[invalid]: input 0 (`x`) is f32[3], f32[] given\n\
             error[invalid]: input 1 (`z`) is s8[2], f32[2] given"
        );
    }
}
