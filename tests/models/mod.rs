//! Small models for the tests of the front end, built record by record.

#![allow(dead_code)] // each test file uses a part

use prost::Message;
use tilewright::frontend::proto::*;

/// `f32` in model files.
pub const FLOAT: i32 = data_type::FLOAT;
/// `int64` in model files.
pub const INT64: i32 = data_type::INT64;

pub fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| n.to_string()).collect()
}

pub fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        op_type: Some(op.into()),
        input: strings(inputs),
        output: strings(outputs),
        ..NodeProto::default()
    }
}

pub fn named(name: &str, node: NodeProto) -> NodeProto {
    NodeProto { name: Some(name.into()), ..node }
}

pub fn with(mut node: NodeProto, attribute: AttributeProto) -> NodeProto {
    node.attribute.push(attribute);
    node
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: Some(name.into()), r#type: Some(2), i: Some(i), ..AttributeProto::default() }
}

pub fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: Some(name.into()), r#type: Some(1), f: Some(f), ..AttributeProto::default() }
}

pub fn ints(name: &str, v: &[i64]) -> AttributeProto {
    AttributeProto { name: Some(name.into()), r#type: Some(7), ints: v.to_vec(), ..AttributeProto::default() }
}

pub fn tensor_attribute(name: &str, t: TensorProto) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(4),
        t: Some(Box::new(t)),
        ..AttributeProto::default()
    }
}

pub fn graph_attribute(name: &str, g: GraphProto) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(5),
        g: Some(Box::new(g)),
        ..AttributeProto::default()
    }
}

/// Dimensions: a number, or `-1` for the open dimension `batch`.
pub fn value(name: &str, elem_type: i32, dims: &[i64]) -> ValueInfoProto {
    let dim = |d: &i64| Dimension {
        value: Some(match d {
            -1 => dimension::Value::DimParam("batch".into()),
            n => dimension::Value::DimValue(*n),
        }),
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: Some(elem_type), shape: Some(shape) };
    let r#type = TypeProto { value: Some(type_proto::Value::TensorType(tensor)) };
    ValueInfoProto { name: Some(name.into()), r#type: Some(r#type) }
}

pub fn floats(name: &str, dims: &[i64], data: &[f32]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.to_vec(),
        data_type: Some(FLOAT),
        float_data: data.to_vec(),
        ..TensorProto::default()
    }
}

pub fn int64s(name: &str, dims: &[i64], data: &[i64]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.to_vec(),
        data_type: Some(INT64),
        int64_data: data.to_vec(),
        ..TensorProto::default()
    }
}

pub fn opset(domain: &str, version: i64) -> OperatorSetIdProto {
    OperatorSetIdProto { domain: Some(domain.into()), version: Some(version) }
}

pub fn graph(
    nodes: Vec<NodeProto>,
    inputs: Vec<ValueInfoProto>,
    outputs: Vec<ValueInfoProto>,
    initializer: Vec<TensorProto>,
) -> GraphProto {
    GraphProto { node: nodes, input: inputs, output: outputs, initializer, ..GraphProto::default() }
}

pub fn model(graph: GraphProto) -> ModelProto {
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![opset("", 17)],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

/// A model with one float input `x` and one output `y` of that shape.
pub fn simple(nodes: Vec<NodeProto>, shape: &[i64], initializer: Vec<TensorProto>) -> ModelProto {
    model(graph(nodes, vec![value("x", FLOAT, shape)], vec![value("y", FLOAT, shape)], initializer))
}

pub fn bytes(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

/// Valid models that use many parts of the format.
pub fn samples() -> Vec<ModelProto> {
    vec![convolution(), shapes(), branches(), functions(), integers()]
}

fn convolution() -> ModelProto {
    let w: Vec<f32> = (0..2 * 3 * 3 * 3).map(|i| i as f32 / 10.0 - 2.0).collect();
    let conv = with(node("Conv", &["x", "w", "b"], &["c"]), ints("pads", &[1, 1, 1, 1]));
    let nodes = vec![
        conv,
        node("Relu", &["c"], &["r"]),
        with(node("MaxPool", &["r"], &["p"]), ints("kernel_shape", &[2, 2])),
        node("Flatten", &["p"], &["f"]),
        with(node("Gemm", &["f", "v"], &["y"]), int("transB", 1)),
    ];
    let v: Vec<f32> = (0..5 * 50).map(|i| (i % 7) as f32).collect();
    let constants =
        vec![floats("w", &[2, 3, 3, 3], &w), floats("b", &[2], &[0.5, -1.0]), floats("v", &[5, 50], &v)];
    model(graph(nodes, vec![value("x", FLOAT, &[1, 3, 10, 10])], vec![value("y", FLOAT, &[1, 5])], constants))
}

/// Shape arithmetic as exporters write it: the Reshape's shape is computed from the input's.
fn shapes() -> ModelProto {
    let nodes = vec![
        node("Shape", &["x"], &["s"]),
        with(node("Gather", &["s", "zero"], &["n"]), int("axis", 0)),
        node("Unsqueeze", &["n", "axes"], &["n1"]),
        with(node("Concat", &["n1", "rest"], &["to"]), int("axis", 0)),
        node("Reshape", &["x", "to"], &["z"]),
        with(node("Transpose", &["z"], &["t"]), ints("perm", &[1, 0])),
        with(node("Softmax", &["t"], &["y"]), int("axis", -1)),
    ];
    let constants = vec![int64s("zero", &[], &[0]), int64s("axes", &[1], &[0]), int64s("rest", &[1], &[-1])];
    model(graph(nodes, vec![value("x", FLOAT, &[2, 3, 4])], vec![value("y", FLOAT, &[12, 2])], constants))
}

/// A branch on a constant condition; the branches capture outer names.
fn branches() -> ModelProto {
    let branch = |op: &str, out: &str| {
        graph(vec![node(op, &["x"], &[out])], vec![], vec![value(out, FLOAT, &[4])], vec![])
    };
    let condition = TensorProto {
        dims: vec![],
        data_type: Some(data_type::BOOL),
        int32_data: vec![1],
        ..TensorProto::default()
    };
    let choice = with(
        with(node("If", &["c"], &["y"]), graph_attribute("then_branch", branch("Relu", "a"))),
        graph_attribute("else_branch", branch("Sigmoid", "b")),
    );
    let constant = with(node("Constant", &[], &["c"]), tensor_attribute("value", condition));
    simple(vec![choice, constant], &[4], vec![])
}

/// `y = Twice(Twice(x))`, where `Twice(a) = LeakyRelu(a + a)` with the caller's slope.
fn functions() -> ModelProto {
    let slope = AttributeProto {
        name: Some("alpha".into()),
        r#type: Some(1),
        ref_attr_name: Some("slope".into()),
        ..AttributeProto::default()
    };
    let twice = FunctionProto {
        name: Some("Twice".into()),
        domain: Some("local".into()),
        input: strings(&["a"]),
        output: strings(&["out"]),
        attribute: strings(&["slope"]),
        node: vec![with(node("LeakyRelu", &["sum"], &["out"]), slope), node("Add", &["a", "a"], &["sum"])],
        opset_import: vec![opset("", 17)],
        ..FunctionProto::default()
    };
    let call = |from: &str, to: &str| {
        let n = with(node("Twice", &[from], &[to]), float("slope", 0.5));
        NodeProto { domain: Some("local".into()), ..n }
    };
    let mut m = simple(vec![call("x", "m"), call("m", "y")], &[3], vec![]);
    m.opset_import.push(opset("local", 1));
    m.functions.push(twice);
    m
}

/// The integer dialect: integers stored as floats.
fn integers() -> ModelProto {
    let requant =
        with(with(node("RequantShift", &["m", "mul", "add"], &["y"]), int("div", 256)), int("n_levels", 256));
    let requant = NodeProto { domain: Some("PACTOps".into()), ..with(requant, int("signed", 1)) };
    let nodes = vec![node("MatMul", &["x", "w"], &["m"]), requant];
    let w: Vec<f32> = (0..16).map(|i| (i as f32) - 8.0).collect();
    let constants =
        vec![floats("w", &[4, 4], &w), floats("mul", &[1], &[3.0]), floats("add", &[1], &[128.0])];
    let mut m = simple(nodes, &[2, 4], constants);
    m.opset_import = vec![opset("", 10), opset("PACTOps", 1)];
    m
}
