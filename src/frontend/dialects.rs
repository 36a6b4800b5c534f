//! Integer dialects: models whose float tensors hold integers.
//!
//! In: a model and, where there are some, test arrays for its inputs. Out: whether it is such a model, and which
//! integer types its inputs hold. Never changes a graph.

use std::collections::{BTreeMap, BTreeSet};

use super::interface::{self, Declared};
use super::proto::{GraphProto, ModelProto, NodeProto, TensorProto, attribute_type, data_type};
use super::{ModelFile, tensor};
use crate::ir::{Attr, Attributes, DType, Value};

/// Operators that exist in the integer dialect only.
const INTEGER_OPERATORS: [&str; 12] = [
    "RequantShift",
    "iSoftmax",
    "iGELU",
    "iHardswish",
    "iRMSNorm",
    "iLayerNorm",
    "iNoNorm",
    "IntegerMean",
    "IntegerDiv",
    "TrueIntegerDiv",
    "ITAMax",
    "ITAPartialMax",
];

/// Operators that give integers for integers.
const CLOSED: [&str; 32] = [
    "Add",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "ConvTranspose",
    "Expand",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalMaxPool",
    "Identity",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mul",
    "Neg",
    "Pad",
    "ReduceMax",
    "ReduceMin",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Shape",
    "Size",
    "Slice",
    "Split",
    "Squeeze",
    "Sub",
    "Transpose",
    "Unsqueeze",
];

/// Operators that round averages of integers, in a network whose data is stored as integers; in any other the
/// fraction is meant.
const AVERAGING: [&str; 3] = ["AveragePool", "GlobalAveragePool", "ReduceMean"];

/// Whether the node is of the integer dialect.
fn is_integer_node(node: &NodeProto) -> bool {
    INTEGER_OPERATORS.contains(&node.op_type())
}

/// Whether the node gives integers for integers; `stored` says whether the data is stored as integers.
fn is_closed_node(node: &NodeProto, stored: bool) -> bool {
    let has = |name: &str| node.attribute.iter().any(|a| a.name() == name);
    match node.op_type() {
        // Integer versions of float operators; float networks may keep their attributes.
        "Div" => has("Delta"),
        "HardSwish" | "Hardswish" => has("six"),
        op => CLOSED.contains(&op) || (stored && AVERAGING.contains(&op)),
    }
}

/// Whether the model uses operators of the integer dialect.
pub fn is_integer_dialect(model: &ModelProto) -> bool {
    let graph = model.graph.iter().flat_map(|g| &g.node);
    graph.chain(model.functions.iter().flat_map(|f| &f.node)).any(is_integer_node)
}

/// Whether the model was written by QuantLib's exporter.
pub fn is_quantlib(model: &ModelProto) -> bool {
    model.opset_import.iter().any(|o| o.domain() == "PACTOps")
}

/// QuantLib's exporter leaves out the axis of a Softmax that it takes along the last one, where old operator sets
/// mean axis 1 and all behind it. Says whether it put in the axis meant.
pub fn complete(op: &str, opset: i64, attributes: &mut Attributes) -> bool {
    let implied = op == "Softmax" && opset < 13 && !attributes.has("axis");
    if implied {
        attributes.0.insert("axis".into(), Attr::Int(-1));
    }
    implied
}

/// The integer types of float-declared inputs, judged by test arrays in the order of the run-time inputs.
///
/// The network counts as integer when it has an integer-dialect operator; or when nothing in it can give a fraction
/// (all arrays and constants are integral, all operators give integers for integers) and the data does not look like
/// a float network's by chance (an array is stored as integers, or holds a number beyond ±1). The type is the
/// smallest of s8, u8, s32 (s64) that holds the array's numbers; s8 for an empty array.
pub fn infer_input_types(model: &ModelFile, arrays: &[(String, Value)]) -> BTreeMap<String, DType> {
    let inputs = interface::run_time_inputs(&model.proto);
    let pairs: Vec<_> = (inputs.into_iter().zip(arrays))
        .filter(|(info, _)| Declared::of(info).dtype == Ok(DType::F32))
        .map(|(info, (_, array))| (info.name(), array))
        .collect();
    if !is_integer_dialect(&model.proto) && !is_closed(model, &pairs) {
        return BTreeMap::new();
    }
    pairs.into_iter().filter_map(|(name, array)| Some((name.to_string(), integer_type(array)?))).collect()
}

fn integer_type(array: &Value) -> Option<DType> {
    if array.is_empty() {
        return Some(DType::S8);
    }
    array.int_range().map(|(lo, hi)| DType::smallest_int(lo, hi))
}

fn is_closed(model: &ModelFile, inputs: &[(&str, &Value)]) -> bool {
    let Some(graph) = &model.proto.graph else { return false };
    let telling = |v: &Value| v.dtype().is_int() || v.int_range().is_some_and(|(lo, hi)| lo < -1 || hi > 1);
    let stored = inputs.iter().any(|(_, v)| v.dtype().is_int());
    inputs.iter().all(|(_, v)| v.is_integral())
        && inputs.iter().any(|(_, v)| telling(v))
        && graph.node.iter().all(|n| is_closed_node(n, stored) && is_integral_node(n))
        && are_integral(graph, model)
}

/// No attribute of the node can make a fraction of integers.
fn is_integral_node(node: &NodeProto) -> bool {
    node.attribute.iter().all(|a| match a.r#type() {
        attribute_type::FLOAT => a.f().fract() == 0.0 || a.f().abs() > 1e9,
        attribute_type::TENSOR => a.t.as_ref().is_none_or(|t| is_integral(t, None)),
        attribute_type::FLOATS => a.floats.iter().all(|x| x.fract() == 0.0),
        _ => true,
    })
}

/// Constants that the arithmetic reads are integral; a resize's or clip's bounds are among them.
fn are_integral(graph: &GraphProto, model: &ModelFile) -> bool {
    let read: BTreeSet<&str> = graph.node.iter().flat_map(|n| &n.input).map(String::as_str).collect();
    let folder = model.folder();
    let mut used = graph.initializer.iter().filter(|t| read.contains(t.name()));
    used.all(|t| is_integral(t, folder.as_deref())) && graph.sparse_initializer.is_empty()
}

fn is_integral(t: &TensorProto, folder: Option<&std::path::Path>) -> bool {
    use data_type::*;
    match t.data_type() {
        FLOAT | FLOAT16 | BFLOAT16 | DOUBLE => tensor::value(t, folder).is_ok_and(|v| v.is_integral()),
        _ => true,
    }
}
