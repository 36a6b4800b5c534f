//! Operators against onnxruntime: every node of `operators/vectors.json` is imported, inferred and evaluated by the
//! reference, and must give what onnxruntime gave (`operators/generate.py` makes the file). Parts of the results, computed
//! from the parts of the operands that the access maps name, must be parts of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::parts;
use ndarray::{ArrayD, IxDyn};
use serde_json::Value as Json;
use tilewright::ir::{Attr, Attributes, DType, ImportNode, Imported, Op, Operand, Source, TensorType, Value};
use tilewright::runner::random::Random;

fn number(v: &Json) -> f32 {
    match v {
        Json::String(s) => s.parse().unwrap(),
        other => other.as_f64().unwrap() as f32,
    }
}

fn value(v: &Json) -> Value {
    let shape: Vec<usize> =
        v["shape"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect();
    let dtype: DType = v["dtype"].as_str().unwrap().parse().unwrap();
    let data = v["data"].as_array().unwrap();
    if dtype == DType::F32 {
        return Value::f32(&shape, data.iter().map(number).collect()).unwrap();
    }
    let ints = data.iter().map(|d| d.as_i64().unwrap()).collect();
    Value::from_i64_wrapping(ArrayD::from_shape_vec(IxDyn(&shape), ints).unwrap(), dtype)
}

fn attribute(v: &Json) -> Attr {
    match v {
        Json::String(s) => Attr::Str(s.clone()),
        Json::Object(_) => Attr::Tensor(value(v)),
        Json::Array(list) => Attr::Ints(list.iter().map(|i| i.as_i64().unwrap()).collect()),
        other => other.as_i64().map_or_else(|| Attr::Float(number(other)), Attr::Int),
    }
}

/// What the front end and the interpreter do with an imported node, without coercions.
fn evaluate(imported: &Imported, inputs: &[Option<Value>]) -> Result<Vec<Value>, String> {
    let operands: Vec<Value> = imported
        .operands
        .iter()
        .map(|source| match source {
            Source::Input(i) => inputs[*i].clone().ok_or_else(|| format!("operand {i} is missing")),
            Source::Constant(v) => Ok(v.clone()),
            Source::Node(inner) => evaluate(inner, inputs).map(|mut r| r.swap_remove(0)),
        })
        .collect::<Result<_, _>>()?;
    let types: Vec<TensorType> = operands.iter().map(TensorType::of).collect();
    let op = &imported.op;
    assert_eq!(op.operand_names(types.len()).len(), types.len(), "{}", op.name());
    let attributes = Op::from_attributes(op.name(), op.attributes()).map_err(|e| e.message)?;
    assert_eq!(&attributes, op, "attributes survive printing");
    let outputs = op.infer(&types).map_err(|e| e.message)?;
    assert_eq!(op.result_names().len(), outputs.len(), "{}", op.name());
    let refs: Vec<&Value> = operands.iter().collect();
    let results = op.reference(&refs, &outputs).map_err(|e| e.message)?;
    let real: Vec<TensorType> = results.iter().map(TensorType::of).collect();
    if real != outputs {
        return Err(format!("infers {outputs:?}, evaluates {real:?}"));
    }
    op.params(&types, &outputs);
    let mut random = Random::new(1);
    for _ in 0..8 {
        let context = || format!("{:?}", op.attributes());
        parts::check(op, &refs, &results.iter().collect::<Vec<_>>(), &mut random, &context);
    }
    Ok(results)
}

fn check(vector: &Json) -> Result<(), String> {
    let given = vector["attributes"].as_object().unwrap();
    let attributes =
        Attributes(given.iter().map(|(k, v)| (k.clone(), attribute(v))).collect::<BTreeMap<_, _>>());
    let listed = vector["inputs"].as_array().unwrap();
    let inputs: Vec<Option<Value>> = listed.iter().map(|v| (!v.is_null()).then(|| value(v))).collect();
    let types: Vec<Option<TensorType>> = inputs.iter().map(|v| v.as_ref().map(TensorType::of)).collect();
    let operand = |i: usize| -> Option<Operand> {
        let constant = listed[i].get("constant").is_some();
        Some(Operand { ty: types[i].as_ref()?, value: inputs[i].as_ref().filter(|_| constant) })
    };
    let expected: Vec<Value> = vector["outputs"].as_array().unwrap().iter().map(value).collect();
    let node = ImportNode {
        op_type: vector["op"].as_str().unwrap(),
        opset: vector["opset"].as_i64().unwrap(),
        attributes: &attributes,
        inputs: (0..inputs.len()).map(operand).collect(),
        outputs_used: vec![true; expected.len()],
        output_ranks: vec![None; expected.len()],
    };
    let imported = Op::import(&node).ok_or("is not imported")?.map_err(|e| e.message)?;
    let results = evaluate(&imported, &inputs)?;
    for (y, wanted) in results.iter().zip(&expected) {
        if y.shape() != wanted.shape() {
            return Err(format!("shape {:?}, wanted {:?}", y.shape(), wanted.shape()));
        }
        let (a, b) = (y.to_f64(), wanted.to_f64());
        let close = |(a, b): (&f64, &f64)| {
            a == b
                || (a.is_nan() && b.is_nan())
                || (a - b).abs() <= 2e-6 * b.abs().max(1.0) && y.dtype().is_float()
        };
        if !a.iter().zip(&b).all(close) || y.dtype().is_float() != wanted.dtype().is_float() {
            return Err(format!("{y:?}\nwanted {wanted:?}"));
        }
    }
    if results.len() == expected.len() { Ok(()) } else { Err("another number of results".into()) }
}

#[test]
fn operators_agree_with_onnxruntime() {
    let vectors: Vec<Json> = serde_json::from_str(include_str!("operators/vectors.json")).unwrap();
    assert!(vectors.len() > 300);
    let mut faults = Vec::new();
    for (i, vector) in vectors.iter().enumerate() {
        if let Err(fault) = check(vector) {
            faults
                .push(format!("{i}: {} {} {}: {fault}", vector["op"], vector["name"], vector["attributes"]));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
