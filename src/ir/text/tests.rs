use super::*;
use crate::ir::{DType, Graph, Patch, QuantParams, Tensor, TensorType, Value, ops};
use proptest::prelude::*;

const TEXT: &str = r#"graph "my net"(%x: s8[1x2] quant {scale: [0.1, 1e-7], zero_point: [0, -3], axis: 1}, %"a:b": f32[]) -> (y = %/y/Relu, "o 2" = %"a:b") {
  %/h: s8[1x2] = Relu(%x) @"node 1"
  %/y/Relu: s8[1x2] = Relu(%/h)
  %c: f32[4] = const [0.1, -0.0, inf, nan]
  %i: s64[2] = const [-9223372036854775808, 9223372036854775807]
  %s: u8[3x3] = const splat 255
  %e: s32[1x0x4] = const []
  %b: bool[2] = const [0, 1]
  %n: f32[1] = const hex "0100c07f"
  %w: f32[2]
}
"#;

#[test]
fn prints_what_it_reads() {
    assert_eq!(print(&parse(TEXT).unwrap()), TEXT);
}

#[test]
fn reads_values_exactly() {
    let graph = parse(TEXT).unwrap();
    let constant = |name: &str| {
        let (id, _) = graph.tensors().find(|(_, t)| t.name == name).unwrap();
        graph.constant(id).unwrap().clone()
    };
    let Value::F32(c) = constant("c") else { panic!() };
    assert_eq!(c[1].to_bits(), (-0.0f32).to_bits());
    assert!(c[0] == 0.1 && c[2] == f32::INFINITY && c[3].is_nan());
    assert_eq!(constant("i").to_i64()[0], i64::MIN);
    let Value::F32(n) = constant("n") else { panic!() };
    assert_eq!(n[0].to_bits(), 0x7fc0_0001);
    assert_eq!(graph.inputs().len(), 2);
    assert_eq!(graph.tensor(graph.inputs()[0]).quant.as_ref().unwrap().scale, [0.1, 1e-7]);
}

#[test]
fn reads_in_any_order_with_comments() {
    let text =
        "graph g(%x: s8[2]) -> (y = %y) { // forward\n %y: s8[2] = Relu(%h)\n//\n %h: s8[2] = Relu(%x) }";
    let graph = parse(text).unwrap();
    let order = graph.topological_order().unwrap();
    assert_eq!(graph.node(order[0]).name, "h");
}

#[test]
fn digests_are_for_people() {
    let graph = parse("graph g() -> (c = %c) { %c: u8[6] = const [1, 2, 3, 4, 5, 6] }").unwrap();
    let text = print_with(&graph, Constants::Digest(5));
    assert!(text.contains("%c: u8[6] = const digest \"9746a713f3a6584a\""), "{text}");
    assert!(parse(&text).unwrap_err().to_string().contains("print the graph in full"));
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn errors_have_line_column_and_caret() {
    assert_eq!(
        error("graph g(%x: s8[2]) -> (y = %y) {\n  %y: s8[2] = Relu(%z)\n}"),
        "error[invalid]: 2:20: there is no tensor %z\n  |   %y: s8[2] = Relu(%z)\n  |                    ^"
    );
    assert_eq!(
        error("graph g(%x: int4[2]) -> () {}").lines().next().unwrap(),
        "error[invalid]: 1:13: unknown element type `int4`; known: float32, int8, uint8, int16, uint16, int32, uint32, int64, bool"
    );
    for (text, message) in [
        ("", "1:1: expected `graph`, found the end of the text"),
        ("graph g() -> ()", "1:16: expected `{`, found the end of the text"),
        ("graph g() -> () {", "1:18: expected `%`, found the end of the text"),
        ("graph g() -> () {} x", "1:20: expected the end of the text, found `x`"),
        ("graph g() -> () { %c: s8[2] = const [1] }", "1:37: 1 elements given, s8[2] has 2"),
        ("graph g() -> () { %c: s8[1] = const [128] }", "1:38: `128` is not an element of type s8"),
        (
            "graph g() -> () { %c: s8[1] = const hex \"0\" }",
            "1:37: these are not pairs of hexadecimal digits",
        ),
        ("graph g() -> () { %c: s8[1] = const hex \"0 }", "1:41: this string is never closed"),
        ("graph g() -> () { %c: s8[1y] }", "1:27: expected a dimension or `]`, found `y`"),
        (
            "graph g() -> () { %c: s8[99999999999x99999999999] }",
            "1:26: a tensor of this shape does not fit any memory",
        ),
        ("graph g() -> () { %c: s8[99999999999] = const splat 1 }", "1:47: this constant is too large"),
        ("graph g() -> () { %c: s8[1] = Frob() }", "1:31: there is no operator Frob"),
        ("graph g() -> () { %c: s8[1] = Relu(%c) {a: 1, a: 2} }", "1:47: `a` is given twice"),
        ("graph g() -> () { %c: s8[1] = Relu(%c) {a: 1 }", "1:40: attributes of Relu: unknown field `a`"),
        ("graph g() -> () { %c: s8[1] = Relu(%c) {a: [1 2] }", "1:47: expected `,` or `]`, found `2`"),
        ("graph g() -> () { %c: s8[1] %c: s8[2] }", "1:29: %c is s8[1] elsewhere"),
        (
            "graph g() -> () { %c: s8[1] = const [1] %c: s8[1] = const [1] }",
            "1:53: constant %c is given twice",
        ),
    ] {
        let found = error(text);
        assert!(found.starts_with(&format!("error[invalid]: {message}")), "{text}: {found}");
    }
    assert!(
        error(&format!("graph g() -> () {{ %c: s8[1] = Relu() {{a: {}", "[".repeat(100_000)))
            .contains("too deeply")
    );
}

#[test]
fn dot_names_nodes_and_edges() {
    let text = "graph g(%x: s8[2]) -> (y = %y) { %y: s8[2] = Relu(%x) }";
    assert_eq!(
        dot(&parse(text).unwrap()),
        "digraph \"g\" {\n  node [shape=box, fontname=monospace];\n  t0 [shape=oval, label=\"x\\ns8[2]\"];\n  \
         n0 [label=\"Relu\\ny\"];\n  t0 -> n0 [label=\"s8[2]\"];\n  out0 [shape=oval, label=\"y\"];\n  n0 -> out0;\n}\n"
    );
}

/// Any value of a few elements, every bit pattern included.
fn value() -> impl Strategy<Value = Value> {
    (prop::sample::select(&DType::ALL), prop::collection::vec(0usize..5, 0..4), any::<u64>()).prop_map(
        |(dtype, shape, seed)| {
            let mut state = seed | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let n = shape.iter().product();
            if dtype == DType::F32 {
                Value::f32(&shape, (0..n).map(|_| f32::from_bits(next() as u32)).collect()).unwrap()
            } else {
                let data = (0..n).map(|_| next() as i64).collect();
                Value::from_i64_wrapping(Value::s64(&shape, data).unwrap().to_i64(), dtype)
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn full_text_round_trips(
        values in prop::collection::vec((value(), ".*", any::<f32>()), 1..6),
        name in ".*",
    ) {
        let mut graph = Graph::new(name);
        let mut patch = Patch::new(&graph);
        for (i, (v, label, scale)) in values.into_iter().enumerate() {
            let ty = TensorType::of(&v);
            let mut tensor = Tensor::constant(format!("{label}{i}"), v);
            if scale.is_finite() {
                tensor.quant = Some(QuantParams { scale: vec![scale], zero_point: vec![i as i32], axis: None });
            }
            let c = patch.tensor(tensor);
            let r = patch.node(format!("{label} r"), ops::Relu {}.into(), &[c]).unwrap();
            let x = patch.input(Tensor::new(format!("{label} x{i}"), ty));
            patch.output(format!("{label}{i}"), r[0]);
            patch.output(format!("in{i}"), x);
        }
        let edits = patch.finish();
        graph.apply(edits);
        let text = print(&graph);
        let again = parse(&text).unwrap();
        prop_assert_eq!(print(&again), text);
    }

    #[test]
    fn any_text_gives_an_answer(text in "(graph|g|\\(|\\)|->|\\{|\\}|%[a-c]|: |s8|f32|\\[|\\]|[0-9]|x|= |const|splat|hex|\"|Relu|,|é|\n| ){0,40}") {
        let _ = parse(&text);
    }
}
