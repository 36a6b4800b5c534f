//! What loading makes of small models: structure, folding, inlining, integer types.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod models;

use models::*;
use tilewright::frontend::proto::*;
use tilewright::frontend::{LoadOptions, Loaded, import, infer_input_types, parse_bytes};
use tilewright::ir::{DType, Value, interp};

fn loaded_with(model: &ModelProto, options: &LoadOptions) -> Loaded {
    import(&parse_bytes(bytes(model)).unwrap(), options).map_err(|e| e.to_string()).unwrap()
}

fn loaded(model: &ModelProto) -> Loaded {
    loaded_with(model, &LoadOptions::default())
}

/// The operators in creation order.
fn operators(l: &Loaded) -> Vec<&'static str> {
    l.graph.nodes().map(|(_, n)| n.op.name()).collect()
}

fn run(l: &Loaded, input: &[f32]) -> Vec<f32> {
    let x = l.graph.tensor(l.graph.inputs()[0]);
    let value = Value::f32(&x.ty.shape, input.to_vec()).unwrap().cast(x.ty.dtype);
    interp::run(&l.graph, &[value]).unwrap()[0].to_f32().iter().copied().collect()
}

/// The value of a graph that computes its only output at load time.
fn folded(nodes: Vec<NodeProto>) -> Value {
    let m = model(graph(nodes, vec![], vec![value("y", FLOAT, &[])], vec![]));
    let l = loaded(&m);
    l.graph.constant(l.graph.outputs()[0].tensor).unwrap().clone()
}

#[test]
fn shape_arithmetic_folds_away() {
    let l = loaded(&samples()[1]);
    assert_eq!(operators(&l), ["Reshape", "Transpose", "Softmax"]);
    assert_eq!(l.warnings.0, []);
    assert_eq!(l.graph.tensor(l.graph.outputs()[0].tensor).ty.shape, [12, 2]);
}

#[test]
fn constant_branches_are_taken() {
    // The condition is a Constant node that stands behind its reader in the file.
    let l = loaded(&samples()[2]);
    assert_eq!(operators(&l), ["Relu"]);
    assert_eq!(run(&l, &[1.0, -1.0, 0.5, -2.0]), [1.0, 0.0, 0.5, 0.0]);
}

#[test]
fn functions_are_inlined_with_the_callers_attributes() {
    let l = loaded(&samples()[3]);
    assert_eq!(operators(&l), ["Add", "LeakyRelu", "Add", "LeakyRelu"]);
    // leaky(2x) twice with slope 1/2: 4x for positive, x for negative numbers.
    assert_eq!(run(&l, &[1.0, -1.0, 2.0]), [4.0, -1.0, 8.0]);
    let names: Vec<&str> = l.graph.nodes().map(|(_, n)| n.name.as_str()).collect();
    assert_eq!(names, ["Twice_0/Add_1", "Twice_0/LeakyRelu_0", "Twice_1/Add_1", "Twice_1/LeakyRelu_0"]);
}

#[test]
fn constants_in_all_forms() {
    let attribute = |name: &str, t: i32| AttributeProto {
        name: Some(name.into()),
        r#type: Some(t),
        ..AttributeProto::default()
    };
    let constant = |a: AttributeProto| folded(vec![with(node("Constant", &[], &["y"]), a)]);
    assert_eq!(
        constant(AttributeProto { f: Some(2.5), ..attribute("value_float", 1) }),
        Value::scalar_f32(2.5)
    );
    assert_eq!(
        constant(AttributeProto { i: Some(-7), ..attribute("value_int", 2) }),
        Value::s64(&[], vec![-7]).unwrap()
    );
    assert_eq!(
        constant(AttributeProto { floats: vec![1.0, 2.0], ..attribute("value_floats", 6) }),
        Value::f32(&[2], vec![1.0, 2.0]).unwrap()
    );
    assert_eq!(constant(ints("value_ints", &[3, 4, 5])), Value::s64(&[3], vec![3, 4, 5]).unwrap());
    assert_eq!(constant(attribute("value_ints", 7)), Value::s64(&[0], vec![]).unwrap());
    assert_eq!(
        constant(tensor_attribute("value", floats("", &[1], &[9.0]))),
        Value::f32(&[1], vec![9.0]).unwrap()
    );
    let sparse = SparseTensorProto {
        values: Some(floats("", &[1], &[9.0])),
        indices: Some(int64s("", &[1], &[2])),
        dims: vec![3],
    };
    assert_eq!(
        constant(AttributeProto { sparse_tensor: Some(Box::new(sparse)), ..attribute("sparse_value", 11) }),
        Value::f32(&[3], vec![0.0, 0.0, 9.0]).unwrap()
    );
}

#[test]
fn files_in_any_order_with_any_names() {
    // Nodes reversed, two nodes of one name, an unnamed one, an initialiser that is also an input.
    let mut m = simple(
        vec![
            named("n", node("Relu", &["b"], &["y"])),
            named("n", node("Add", &["a", "w"], &["b"])),
            node("Neg", &["x"], &["a"]),
        ],
        &[2],
        vec![floats("w", &[2], &[1.0, 5.0])],
    );
    m.graph.as_mut().unwrap().input.insert(0, value("w", FLOAT, &[2]));
    let l = loaded(&m);
    let names: Vec<&str> = l.graph.nodes().map(|(_, n)| n.name.as_str()).collect();
    assert_eq!(names, ["Neg_2", "n", "n_2"]);
    assert_eq!(l.graph.inputs().len(), 1);
    assert_eq!(run(&l, &[3.0, 3.0]), [0.0, 2.0]);
}

#[test]
fn outputs_may_be_inputs_or_constants_and_dimensions_zero() {
    let g = graph(
        vec![],
        vec![value("x", FLOAT, &[2, 0, 3])],
        vec![value("x", FLOAT, &[2, 0, 3]), value("w", FLOAT, &[1])],
        vec![floats("w", &[1], &[4.0])],
    );
    let l = loaded(&model(g));
    assert_eq!(l.graph.outputs()[0].tensor, l.graph.inputs()[0]);
    assert_eq!(l.graph.constant(l.graph.outputs()[1].tensor), Value::f32(&[1], vec![4.0]).as_ref());
}

#[test]
fn unused_results_may_be_missing() {
    let dropout = node("Dropout", &["x"], &["y", "mask"]);
    assert_eq!(run(&loaded(&simple(vec![dropout], &[2], vec![])), &[1.0, -2.0]), [1.0, -2.0]);
}

#[test]
fn wrong_declarations_are_warnings() {
    let mut m = simple(vec![node("Relu", &["x"], &["r"]), node("Neg", &["r"], &["y"])], &[2, 3], vec![]);
    m.graph.as_mut().unwrap().value_info =
        vec![value("r", FLOAT, &[2, 3, 1]), value("unrelated", FLOAT, &[1])];
    assert_eq!(
        loaded(&m).warnings.to_string(),
        "warning: `r` is declared [2, 3, 1], but is [2, 3]; the declaration is ignored"
    );
}

#[test]
fn integers_stored_as_floats_become_integers() {
    let mut options = LoadOptions::default();
    options.input_types.insert("x".into(), DType::S8);
    let l = loaded_with(&samples()[4], &options);
    assert!(l.integer_dialect);
    assert_eq!(operators(&l), ["MatMul", "RequantShift"]);
    let dtype = |name: &str| l.graph.tensors().find(|(_, t)| t.name.starts_with(name)).unwrap().1.ty.dtype;
    assert_eq!(
        (dtype("x"), dtype("w"), dtype("m"), dtype("y")),
        (DType::S8, DType::S8, DType::S32, DType::S8)
    );
    // Row one: x = [1 2 3 4], w = -8..7 row-major: sums are 0 10 20 30 minus 0; (3 s + 128 + 128) >> 8.
    let x = [1.0, 2.0, 3.0, 4.0, 100.0, 100.0, 100.0, 100.0];
    let w = |i: usize, j: usize| (4 * i + j) as i64 - 8;
    let expected: Vec<f32> = (0..8)
        .map(|k| {
            let s: i64 = (0..4).map(|i| x[k / 4 * 4 + i] as i64 * w(i, k % 4)).sum();
            ((3 * s + 128 + 128) >> 8).clamp(-128, 127) as f32
        })
        .collect();
    assert_eq!(run(&l, &x), expected);
}

#[test]
fn test_data_decides_integer_types() {
    let types = |m: &ModelProto, array: Value| {
        infer_input_types(&parse_bytes(bytes(m)).unwrap(), &[("x".into(), array)])
    };
    let f32s = |v: &[f32]| Value::f32(&[v.len()], v.to_vec()).unwrap();
    let integer = &samples()[4];
    assert_eq!(types(integer, f32s(&[0.0, 127.0])).get("x"), Some(&DType::S8));
    assert_eq!(types(integer, f32s(&[0.0, 128.0])).get("x"), Some(&DType::U8));
    assert_eq!(types(integer, f32s(&[-1.0, 128.0])).get("x"), Some(&DType::S32));
    assert_eq!(types(integer, f32s(&[])).get("x"), Some(&DType::S8));
    // Closed over integers: decided by the data.
    let pool =
        simple(vec![with(node("MaxPool", &["x"], &["y"]), ints("kernel_shape", &[2]))], &[1, 1, 4], vec![]);
    assert_eq!(types(&pool, Value::s64(&[1], vec![1]).unwrap()).get("x"), Some(&DType::S8));
    assert_eq!(types(&pool, f32s(&[3.0])).get("x"), Some(&DType::S8));
    assert!(types(&pool, f32s(&[1.0, 0.0])).is_empty());
    assert!(types(&pool, f32s(&[2.5])).is_empty());
    let scaled = simple(vec![node("Mul", &["x", "k"], &["y"])], &[4], vec![floats("k", &[1], &[0.5])]);
    assert!(types(&scaled, f32s(&[3.0])).is_empty());
    let float = simple(vec![node("Sigmoid", &["x"], &["y"])], &[4], vec![]);
    assert!(types(&float, f32s(&[3.0])).is_empty());
}

#[test]
fn real_division_stays_real_in_integer_networks() {
    // Integers divided by a float-declared constant: ONNX means the quotient with its fraction.
    let mut m = simple(
        vec![node("Div", &["x", "k"], &["q"]), node("Floor", &["q"], &["y"])],
        &[2],
        vec![floats("k", &[1], &[2.0])],
    );
    m.opset_import = vec![opset("", 13)];
    let mut options = LoadOptions::default();
    options.input_types.insert("x".into(), DType::S8);
    assert_eq!(run(&loaded_with(&m, &options), &[3.0, -3.0]), [1.0, -2.0]);
}
