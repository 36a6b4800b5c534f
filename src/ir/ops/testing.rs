//! What the operators' tests share: patterned operands and one-node evaluation.
//!
//! In: a model's node in a line. Out: its first result. Never used outside tests.

use std::collections::BTreeMap;

use ndarray::IxDyn;

use super::Op;
use crate::ir::graph::TensorType;
use crate::ir::import::{Attr, Attributes, ImportNode, OpError, Operand, Source};
use crate::ir::value::Value;
use crate::map_array;

/// Small integers in a pattern, as floats: element i is `(i * step + start) % modulus - modulus / 2`.
pub fn pattern(shape: &[usize], step: usize, start: usize, modulus: usize) -> Value {
    let n = shape.iter().product();
    let at = |i: usize| ((i * step + start) % modulus) as f32 - (modulus / 2) as f32;
    Value::f32(shape, (0..n).map(at).collect()).unwrap()
}

pub fn ints(name: &str, v: &[i64]) -> (String, Attr) {
    (name.into(), Attr::Ints(v.to_vec()))
}

pub fn int(name: &str, v: i64) -> (String, Attr) {
    (name.into(), Attr::Int(v))
}

pub fn float(name: &str, v: f32) -> (String, Attr) {
    (name.into(), Attr::Float(v))
}

pub fn text(name: &str, v: &str) -> (String, Attr) {
    (name.into(), Attr::Str(v.into()))
}

/// Imports a node on run-time operands; the operator and the operands it keeps.
pub fn import(
    op_type: &str,
    attributes: &[(String, Attr)],
    inputs: &[Value],
) -> Result<(Op, Vec<usize>), OpError> {
    let attributes = Attributes(attributes.iter().cloned().collect::<BTreeMap<_, _>>());
    let types: Vec<TensorType> = inputs.iter().map(TensorType::of).collect();
    let node = ImportNode {
        op_type,
        opset: 19,
        attributes: &attributes,
        inputs: types.iter().map(|ty| Some(Operand { ty, value: None })).collect(),
        outputs_used: vec![true],
        output_ranks: vec![None],
    };
    let imported = Op::import(&node).unwrap()?;
    let kept = imported.operands.iter().map(|s| match s {
        Source::Input(i) => *i,
        other => panic!("{other:?}"),
    });
    Ok((imported.op, kept.collect()))
}

/// Infers and evaluates an operator.
pub fn evaluate(op: &Op, inputs: &[&Value]) -> Result<Value, OpError> {
    let types: Vec<TensorType> = inputs.iter().map(|v| TensorType::of(v)).collect();
    let outputs = op.infer(&types)?;
    let results = op.reference(inputs, &outputs)?;
    assert_eq!(results.iter().map(TensorType::of).collect::<Vec<_>>(), outputs);
    Ok(results.into_iter().next().unwrap())
}

/// Imports and evaluates a node.
pub fn run(op_type: &str, attributes: &[(String, Attr)], inputs: &[Value]) -> Result<Value, OpError> {
    let (op, kept) = import(op_type, attributes, inputs)?;
    let operands: Vec<&Value> = kept.iter().map(|i| &inputs[*i]).collect();
    evaluate(&op, &operands)
}

/// The elements as numbers, to compare with.
pub fn elements(v: &Value) -> Vec<f64> {
    v.to_f64().iter().copied().collect()
}

/// Moves axis 1 to the end.
pub fn last(v: &Value) -> Value {
    let rank = v.shape().len();
    let order: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
    map_array!(v, a => a.clone().permuted_axes(IxDyn(&order)).as_standard_layout().into_owned())
}
