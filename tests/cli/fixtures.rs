//! Small models and data, made on the spot.

use std::path::Path;

use prost::Message;
use tilewright::frontend::data::write_npz;
use tilewright::frontend::proto::{
    Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, data_type, dimension, type_proto,
};
use tilewright::ir::Value;

/// A node.
pub fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|s| s.to_string()).collect(),
        output: vec![output.into()],
        name: Some(format!("{}_{output}", op.to_lowercase())),
        op_type: Some(op.into()),
        ..Default::default()
    }
}

/// A declared float tensor; a negative dimension is the open dimension `N`.
pub fn declared(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |d: &i64| Dimension {
        value: Some(match *d {
            ..0 => dimension::Value::DimParam("N".into()),
            d => dimension::Value::DimValue(d),
        }),
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: Some(data_type::FLOAT), shape: Some(shape) };
    ValueInfoProto {
        name: Some(name.into()),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)) }),
    }
}

/// A float initialiser.
pub fn initialiser(name: &str, dims: &[i64], data: &[f32]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.to_vec(),
        data_type: Some(data_type::FLOAT),
        float_data: data.to_vec(),
        ..Default::default()
    }
}

/// A graph from `x` to `y`, both float [2, 3].
pub fn graph(nodes: Vec<NodeProto>) -> GraphProto {
    GraphProto {
        name: Some("tiny".into()),
        node: nodes,
        input: vec![declared("x", &[2, 3])],
        output: vec![declared("y", &[2, 3])],
        ..Default::default()
    }
}

/// The file of a graph.
pub fn model(graph: GraphProto, opset: i64) -> Vec<u8> {
    let model = ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(opset) }],
        graph: Some(graph),
        ..Default::default()
    };
    model.encode_to_vec()
}

/// A sound model: `y = relu(x)`.
pub fn relu() -> Vec<u8> {
    model(graph(vec![node("Relu", &["x"], "y")]), 13)
}

/// Writes a case `y = relu(x)` into `dir`: model, inputs, and goldens if given.
pub fn case(dir: &Path, golden: Option<&[f32]>) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("network.onnx"), relu()).unwrap();
    arrays(&dir.join("inputs.npz"), &[("x", &[2, 3], &[1.5, -2.0, 3.0, -4.0, 5.0, -6.0])]);
    if let Some(golden) = golden {
        arrays(&dir.join("outputs.npz"), &[("y", &[2, 3], golden)]);
    }
}

/// What [`case`] computes.
pub const GOLDEN: &[f32] = &[1.5, 0.0, 3.0, 0.0, 5.0, 0.0];

/// Writes float arrays.
pub fn arrays(path: &Path, arrays: &[(&str, &[usize], &[f32])]) {
    let arrays: Vec<_> = arrays
        .iter()
        .map(|(name, shape, data)| (name.to_string(), Value::f32(shape, data.to_vec()).unwrap()))
        .collect();
    write_npz(path, &arrays).unwrap();
}
