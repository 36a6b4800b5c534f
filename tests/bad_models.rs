//! Every kind of bad model is refused with a message that names the fault, and with the documented exit code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod models;

use models::*;
use tilewright::frontend::proto::*;
use tilewright::frontend::{LoadOptions, import, load, parse_bytes};
use tilewright::ir::DType;

/// What the loader says; the exit code in front.
fn said(bytes: Vec<u8>, options: &LoadOptions) -> String {
    match parse_bytes(bytes).and_then(|m| import(&m, options)) {
        Ok(loaded) => format!("loaded\n{}", loaded.warnings),
        Err(e) => format!("{}\n{e}", e.exit_code()),
    }
}

fn refusal(model: &ModelProto) -> String {
    said(bytes(model), &LoadOptions::default())
}

macro_rules! says {
    ($model:expr, $($line:literal)*) => {
        assert_eq!(refusal(&$model), [$($line),*].join("\n"))
    };
}

fn relu(from: &str, to: &str) -> NodeProto {
    node("Relu", &[from], &[to])
}

#[test]
fn bytes_that_are_no_model() {
    let none = LoadOptions::default();
    assert_eq!(
        said(vec![], &none),
        "3\nerror[invalid]: the file is empty\n  help: download or export the model again"
    );
    assert_eq!(
        said(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0".to_vec(), &none),
        "3\nerror[invalid]: is a PNG image, not an ONNX model"
    );
    let whole = bytes(&samples()[0]);
    let half = said(whole[..whole.len() / 2].to_vec(), &none);
    assert!(half.starts_with("3\nerror[invalid]: the model is damaged or cut off ("), "{half}");
    let mut state = 1u32;
    let noise = (0..4096).map(|_| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 24) as u8
    });
    let noise = said(noise.collect(), &none);
    assert!(noise.starts_with("3\nerror[invalid]: is not an ONNX model"), "{noise}");
}

#[test]
fn the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    std::fs::write(&path, b"").unwrap();
    let e = load(&path, &LoadOptions::default()).unwrap_err().to_string();
    assert_eq!(e.lines().next(), Some(&*format!("error[invalid]: {}: the file is empty", path.display())));
}

#[test]
fn constants_without_their_data() {
    let claims =
        |dims: &[i64]| simple(vec![node("Add", &["x", "w"], &["y"])], &[4], vec![floats("w", dims, &[])]);
    let start = std::time::Instant::now();
    says!(claims(&[536_870_912]), "3" "error[invalid]: initialiser `w` has 0 elements; its shape and type need 536870912");
    says!(claims(&[1 << 40, 1 << 40]), "3" "error[invalid]: initialiser `w` has shape [1099511627776, 1099511627776], more than 2^31 elements");
    says!(claims(&[0, 1 << 62, 1 << 62]), "3" "error[invalid]: initialiser `w` has shape [0, 4611686018427387904, 4611686018427387904], more than 2^31 elements");
    says!(claims(&[4, -1]), "3" "error[invalid]: initialiser `w` has the negative dimension -1");
    assert!(start.elapsed().as_millis() < 100);
    let mut strings = claims(&[1]);
    strings.graph.as_mut().unwrap().initializer[0].data_type = Some(data_type::STRING);
    says!(strings, "4" "error[unsupported]: initialiser `w` holds strings; only numbers are supported");
}

#[test]
fn wiring() {
    let cyclic = simple(
        vec![named("a", node("Add", &["x", "q"], &["p"])), named("b", relu("p", "q")), relu("p", "y")],
        &[4],
        vec![],
    );
    says!(cyclic,
        "3"
        "error[invalid]: the graph has a cycle: `a` → `b` → `a`"
        "  help: a network must be acyclic; unroll recurrent connections");
    let missing = simple(
        vec![named("conv1", node("Conv", &["x", "w"], &["c"])), relu("d", "y")],
        &[1, 1, 4, 4],
        vec![],
    );
    says!(missing,
        "3"
        "error[invalid]: tensor `w` is undefined: it is read by node `conv1` (Conv), but no input, initialiser or node gives it"
        "  help: an initialiser may be missing: export the model with its parameters"
        "error[invalid]: tensor `d` is undefined: it is read by node `Relu_1` (Relu), but no input, initialiser or node gives it"
        "  help: an initialiser may be missing: export the model with its parameters");
    let no_output = simple(vec![relu("x", "z")], &[4], vec![]);
    says!(no_output,
        "3"
        "error[invalid]: tensor `y` is undefined: it is an output of the graph, but no input, initialiser or node gives it"
        "  help: an initialiser may be missing: export the model with its parameters");
    let twice = simple(vec![relu("x", "y"), named("again", relu("x", "y"))], &[4], vec![]);
    says!(twice,
        "3"
        "error[invalid]: node `again` (Relu): `y` is produced twice: it is also of node `Relu_0`"
        "  help: a tensor has one producer; give the results different names");
    let constant = simple(
        vec![relu("x", "w"), relu("w", "y")],
        &[1],
        vec![floats("w", &[1], &[1.0]), floats("w", &[1], &[1.0])],
    );
    says!(constant,
        "3"
        "error[invalid]: initialiser `w` is given twice"
        "error[invalid]: node `Relu_0` (Relu): `w` is produced twice: it is also an input or initialiser"
        "  help: a tensor has one producer; give the results different names");
}

#[test]
fn every_unsupported_node_is_listed() {
    let foreign =
        NodeProto { domain: Some("com.example".into()), ..named("mine", node("Thing", &["b"], &["c"])) };
    let mut m = simple(
        vec![
            named("typo", node("Reluu", &["x"], &["a"])),
            named("lstm", node("LSTM", &["a", "w"], &["b"])),
            foreign,
            named("pool", with(node("MaxPool", &["d"], &["e", "where"]), ints("kernel_shape", &[2, 2]))),
            relu("c", "d"),
            node("Add", &["e", "where"], &["y"]),
        ],
        &[1, 1, 4, 4],
        vec![floats("w", &[1], &[1.0])],
    );
    m.graph.as_mut().unwrap().value_info = vec![value("d", FLOAT, &[1, 1, 4, 4])];
    says!(m,
        "4"
        "error[unsupported]: node `typo` (Reluu): this operator is not supported"
        "  help: the nearest supported operator is Relu"
        "error[unsupported]: node `lstm` (LSTM): this operator is not supported"
        "  help: export the network unrolled, as MatMul, Sigmoid and Tanh nodes"
        "error[unsupported]: node `mine` (Thing): operators of the domain `com.example` are not supported"
        "error[unsupported]: node `pool` (MaxPool): the result `Indices` is not supported");
}

#[test]
fn operator_sets() {
    let of = |version: i64| {
        let mut m = simple(vec![relu("x", "y")], &[4], vec![]);
        m.opset_import = vec![opset("", version)];
        m
    };
    says!(of(6),
        "4"
        "error[unsupported]: the model uses operator set 6; 7 to 28 are supported"
        "  help: convert it: onnx.version_converter.convert_version(model, 7)");
    says!(of(29),
        "4"
        "error[unsupported]: the model uses operator set 29; 7 to 28 are supported"
        "  help: convert it: onnx.version_converter.convert_version(model, 28)");
    says!(of(7), "loaded" "");
    says!(of(28), "loaded" "");
    let mut none = of(7);
    none.opset_import.clear();
    says!(none,
        "3"
        "error[invalid]: the model names no operator set"
        "  help: export it with an operator set from 7 to 28");
}

#[test]
fn shapes_that_are_open() {
    let m = simple(vec![relu("x", "y")], &[-1, 3, 32, 32], vec![]);
    says!(m,
        "3"
        "error[invalid]: input `x` has the dynamic shape [batch, 3, 32, 32]"
        "  help: bind it, for example --shape x=1,3,32,32");
    let options = |name: &str, shape: &[usize]| {
        let mut o = LoadOptions::default();
        o.shapes.insert(name.into(), shape.to_vec());
        o
    };
    assert_eq!(said(bytes(&m), &options("x", &[2, 3, 32, 32])), "loaded\n");
    assert_eq!(
        said(bytes(&m), &options("x", &[2, 3])),
        "3\nerror[invalid]: input `x` has 4 dimensions; --shape gives 2"
    );
    assert_eq!(
        said(bytes(&m), &options("X", &[1])).lines().take(3).collect::<Vec<_>>(),
        [
            "3",
            "error[invalid]: --shape names `X`, which is not an input of the model",
            "  help: did you mean `x`?"
        ]
    );
    assert_eq!(
        said(bytes(&m), &options("x", &[2, 3, 16, 16])),
        "loaded\nwarning: input `x` is declared batch,3,32,32; --shape overrides it\nwarning: `y` is declared \
         [batch, 3, 32, 32], but is [2, 3, 16, 16]; the declaration is ignored"
    );
}

#[test]
fn integers_of_unknown_type() {
    let m = samples().pop().unwrap();
    says!(m,
        "3"
        "error[invalid]: input `x` is declared float32, but RequantShift computes on integers stored as floats"
        "  help: say which integers it holds: --input-type x=uint8 (or int8, int32)");
    let mut options = LoadOptions::default();
    options.input_types.insert("x".into(), DType::U8);
    assert_eq!(said(bytes(&m), &options), "loaded\n");
    let assumed = LoadOptions { default_integer: Some(DType::S8), ..LoadOptions::default() };
    assert_eq!(
        said(bytes(&m), &assumed),
        "loaded\nwarning: nothing says which integers input `x` holds; taken as s8"
    );
}

#[test]
fn external_data_stays_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("model");
    std::fs::create_dir(&inner).unwrap();
    let four: Vec<u8> = [1.0f32, -2.0, 3.0, 4.5].iter().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(folder.path().join("outside.bin"), &four).unwrap();
    std::fs::write(inner.join("weights.bin"), [&[9; 4][..], &four].concat()).unwrap();
    std::os::unix::fs::symlink(folder.path().join("outside.bin"), inner.join("link.bin")).unwrap();
    let say = |entries: &[(&str, &str)]| {
        let entry = |(k, v): &(&str, &str)| StringStringEntryProto {
            key: Some(k.to_string()),
            value: Some(v.to_string()),
        };
        let w = TensorProto {
            data_location: Some(1),
            external_data: entries.iter().map(entry).collect(),
            ..floats("w", &[4], &[])
        };
        let path = inner.join("m.onnx");
        std::fs::write(&path, bytes(&simple(vec![node("Add", &["x", "w"], &["y"])], &[4], vec![w]))).unwrap();
        match load(&path, &LoadOptions::default()) {
            Ok(loaded) => {
                let w = loaded.graph.tensors().find(|(_, t)| t.name == "w").unwrap().1;
                format!("{:?}", w.value.as_ref().unwrap().to_f32().iter().collect::<Vec<_>>())
            }
            Err(e) => e
                .to_string()
                .replace(&format!("{}: ", path.display()), "")
                .lines()
                .next()
                .unwrap()
                .to_string(),
        }
    };
    assert_eq!(
        say(&[("location", "weights.bin"), ("offset", "4"), ("length", "16")]),
        "[1.0, -2.0, 3.0, 4.5]"
    );
    let outside = |l: &str| {
        format!("error[invalid]: initialiser `w` has its data in `{l}`, outside of the model's folder")
    };
    assert_eq!(say(&[("location", "../outside.bin")]), outside("../outside.bin"));
    assert_eq!(say(&[("location", "/etc/hostname")]), outside("/etc/hostname"));
    assert_eq!(say(&[("location", "link.bin")]), outside("link.bin"));
    assert_eq!(
        say(&[("location", "weights.bin"), ("offset", "8")]),
        "error[invalid]: initialiser `w` has its data at 8+16 of `weights.bin`, which holds 20 bytes"
    );
    assert_eq!(
        say(&[("location", "weights.bin"), ("length", "99")]),
        "error[invalid]: initialiser `w` has 99 bytes of external data; its shape and type need 16"
    );
    assert!(say(&[("location", "absent.bin")]).contains("cannot be read"));
}

#[test]
fn nesting_and_growth_are_bounded() {
    // A function that calls itself, and a tower of functions that each call the one below twice.
    let function = |name: &str, calls: &[&str]| {
        let mut names = vec!["a".to_string()];
        let mut nodes = Vec::new();
        for (i, callee) in calls.iter().enumerate() {
            let to = format!("v{i}");
            let call = node(callee, &[&names[i]], &[&to]);
            nodes.push(NodeProto { domain: Some("local".into()), ..call });
            names.push(to);
        }
        FunctionProto {
            name: Some(name.into()),
            domain: Some("local".into()),
            input: strings(&["a"]),
            output: names.last().cloned().into_iter().collect(),
            node: nodes,
            opset_import: vec![opset("", 17)],
            ..FunctionProto::default()
        }
    };
    let call = |f: &str| NodeProto { domain: Some("local".into()), ..node(f, &["x"], &["y"]) };
    let mut recursive = simple(vec![call("f")], &[1], vec![]);
    recursive.functions.push(function("f", &["f"]));
    let text = refusal(&recursive);
    assert!(text.starts_with("4\n") && text.contains("nested more than 24 deep (or recursive)"), "{text}");
    let mut tower = simple(vec![call("f22")], &[1], vec![]);
    for i in 1..=22 {
        let below = format!("f{}", i - 1);
        tower.functions.push(function(&format!("f{i}"), &[&below, &below]));
    }
    tower.functions.push(function("f0", &[]));
    assert!(refusal(&tower).contains("more than 50000 nodes"));
    // A constant that grows by a factor of 1000 at each step.
    let mut growing = simple(
        vec![
            node("Expand", &["c", "to"], &["c1"]),
            with(node("Concat", &["c1", "c1", "c1", "c1"], &["c2"]), int("axis", 0)),
            node("Expand", &["c2", "to2"], &["y"]),
        ],
        &[1],
        vec![
            floats("c", &[1], &[1.0]),
            int64s("to", &[1], &[1_000_000]),
            int64s("to2", &[2], &[1_000, 4_000_000]),
        ],
    );
    growing.graph.as_mut().unwrap().input.clear();
    assert!(
        refusal(&growing).starts_with("4\nerror[unsupported]: node `Expand_2` (Expand): "),
        "{}",
        refusal(&growing)
    );
}
