//! Everything a user can get wrong: each with its message and exit code.

use std::path::Path;
use std::process::Command;

use tilewright::frontend::proto::{TensorProto, data_type};

use super::fixtures::{self, GOLDEN, arrays, case, declared, graph, initialiser, model, node};
use super::{seen, tilewright};

/// Compiles a file of these bytes and snapshots what the user sees.
fn refuses(name: &str, bytes: &[u8]) {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("model.onnx"), bytes).unwrap();
    let output = tilewright(tmp.path(), &["compile", "model.onnx", "-o", "out"]);
    insta::assert_snapshot!(name, seen(tmp.path(), &output));
    assert!(!tmp.path().join("out").exists(), "{name}: something was written");
}

#[test]
fn files_that_are_no_models() {
    refuses("file_empty", b"");
    refuses("file_truncated", &fixtures::relu()[..40]);
    // Random, but the same on every run.
    let random: Vec<u8> = (1u64..=400).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    refuses("file_random", &random);
    refuses("file_png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0");
    let tmp = tempfile::tempdir().unwrap();
    let output = tilewright(tmp.path(), &["compile", "absent.onnx", "-o", "out"]);
    insta::assert_snapshot!("file_absent", seen(tmp.path(), &output));
    std::fs::create_dir(tmp.path().join("folder")).unwrap();
    let output = tilewright(tmp.path(), &["compile", "folder", "-o", "out"]);
    insta::assert_snapshot!("file_folder", seen(tmp.path(), &output));
}

#[test]
fn graphs_that_are_malformed() {
    refuses(
        "graph_cyclic",
        &model(
            graph(vec![
                node("Add", &["x", "b"], "a"),
                node("Add", &["a", "x"], "b"),
                node("Relu", &["b"], "y"),
            ]),
            13,
        ),
    );
    refuses("graph_missing_initialiser", &model(graph(vec![node("Add", &["x", "weight"], "y")]), 13));
    refuses(
        "graph_duplicate_names",
        &model(graph(vec![node("Relu", &["x"], "y"), node("Neg", &["x"], "y")]), 13),
    );
    let mut huge = graph(vec![node("Add", &["x", "w"], "y")]);
    huge.initializer.push(TensorProto {
        dims: vec![1 << 20, 512],
        data_type: Some(data_type::FLOAT),
        name: Some("w".into()),
        raw_data: Some(prost::bytes::Bytes::from_static(&[0; 16])),
        ..Default::default()
    });
    refuses("graph_2gb_tensor", &model(huge, 13));
    let mut open = graph(vec![node("Relu", &["x"], "y")]);
    open.input = vec![declared("x", &[-1, 3])];
    open.output = vec![declared("y", &[-1, 3])];
    refuses("graph_dynamic_shape", &model(open, 13));
    let mut wrong = graph(vec![node("Add", &["x", "w"], "y")]);
    wrong.initializer.push(initialiser("w", &[4], &[1.0; 4]));
    refuses("graph_shapes_do_not_fit", &model(wrong, 13));
}

#[test]
fn networks_that_are_not_supported() {
    // All of them at once, each with its node.
    let nodes = vec![
        node("Frobnicate", &["x"], "a"),
        node("Relu", &["a"], "b"),
        node("Sofmax", &["b"], "c"),
        node("Add", &["b", "c"], "y"),
    ];
    refuses("unsupported_operators", &model(graph(nodes), 13));
    refuses("unsupported_opset_old", &model(graph(vec![node("Relu", &["x"], "y")]), 5));
    refuses("unsupported_opset_new", &model(graph(vec![node("Relu", &["x"], "y")]), 999));
}

#[test]
fn options_that_do_not_fit() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("model.onnx"), fixtures::relu()).unwrap();
    for (name, extra) in [
        ("option_target", ["--target", "hots"]),
        ("option_name", ["--name", "9 lives"]),
        ("option_shape_of_no_input", ["--shape", "z=1,2"]),
        ("option_pass", ["--stop-after", "magic"]),
        ("option_kernels", ["--kernels", "absent"]),
    ] {
        let mut args = vec!["compile", "model.onnx", "-o", "out"];
        args.extend(extra);
        insta::assert_snapshot!(name, seen(tmp.path(), &tilewright(tmp.path(), &args)));
    }
}

#[test]
fn data_that_does_not_fit() {
    let run = |name: &str, inputs: &[(&str, &[usize], &[f32])]| {
        let tmp = tempfile::tempdir().unwrap();
        case(&tmp.path().join("case"), Some(GOLDEN));
        arrays(&tmp.path().join("case/inputs.npz"), inputs);
        let output = tilewright(tmp.path(), &["test", "case"]);
        // The time a run takes differs.
        let text = seen(tmp.path(), &output);
        let lines: Vec<_> = text.lines().filter(|l| !l.contains(" case in ")).collect();
        insta::assert_snapshot!(name, lines.join("\n"));
    };
    run("data_shape", &[("x", &[3, 2], &[0.0; 6])]);
    run("data_count", &[]);
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    std::fs::write(tmp.path().join("case/inputs.npz"), b"not an archive").unwrap();
    let output = tilewright(tmp.path(), &["run", "case"]);
    insta::assert_snapshot!("data_not_npz", seen(tmp.path(), &output));
}

#[test]
fn integer_inputs_take_integers_only() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("case");
    case(&dir, Some(GOLDEN));
    arrays(&dir.join("inputs.npz"), &[("x", &[2, 3], &[0.5; 6])]);
    let output = tilewright(tmp.path(), &["run", "case", "--input-type", "x=int8"]);
    assert_eq!(output.status.code(), Some(3));
    // The table before it holds times.
    insta::assert_snapshot!("data_type", String::from_utf8(output.stderr).unwrap());
}

#[test]
fn missing_goldens_are_said() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("without"), None);
    let output = tilewright(tmp.path(), &["test", "without"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("skip    without: no goldens; equals the reference interpreter"), "{text}");
    assert!(text.contains("1 case in ") && text.ends_with("0 passed, 0 failed, 1 skipped\n"), "{text}");
    // One golden too few is an error, not a skip.
    let dir = tmp.path().join("few");
    case(&dir, Some(GOLDEN));
    arrays(&dir.join("outputs.npz"), &[]);
    let output = tilewright(tmp.path(), &["test", "few"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("FAIL    few: the network has 1 output, but 0 golden arrays are given"), "{text}");
}

#[test]
fn paths_without_cases() {
    let tmp = tempfile::tempdir().unwrap();
    let output = tilewright(tmp.path(), &["test", ".", "nowhere"]);
    insta::assert_snapshot!("paths_without_cases", seen(tmp.path(), &output));
}

#[test]
fn output_folders() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("model.onnx"), fixtures::relu()).unwrap();
    std::fs::create_dir(tmp.path().join("full")).unwrap();
    std::fs::write(tmp.path().join("full/thesis.txt"), "years of work").unwrap();
    let output = tilewright(tmp.path(), &["compile", "model.onnx", "-o", "full"]);
    insta::assert_snapshot!("output_not_empty", seen(tmp.path(), &output));
    // Root may write anywhere, but not below a file.
    let output = tilewright(tmp.path(), &["compile", "model.onnx", "-o", "model.onnx/out"]);
    insta::assert_snapshot!("output_unwritable", seen(tmp.path(), &output));
    let names: Vec<_> = std::fs::read_dir(tmp.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "something was left behind: {names:?}");
}

#[test]
fn full_disks() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("model.onnx"), fixtures::relu()).unwrap();
    // A limit on file sizes fails the write on any machine, as a full disk does.
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec {} compile model.onnx -o out",
        env!("CARGO_BIN_EXE_tilewright")
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(tmp.path()).output().unwrap();
    let text = seen(tmp.path(), &output);
    assert!(output.status.code() == Some(6) && text.contains("nothing was changed"), "{text}");
    assert!(!tmp.path().join("out").exists());
    let left = std::fs::read_dir(tmp.path()).unwrap().count();
    assert_eq!(left, 1, "something was left behind");
    if Path::new("/dev/full").exists() {
        let script = format!("exec {} inspect model.onnx > /dev/full", env!("CARGO_BIN_EXE_tilewright"));
        let output = Command::new("sh").args(["-c", &script]).current_dir(tmp.path()).output().unwrap();
        insta::assert_snapshot!("stdout_full", seen(tmp.path(), &output));
    }
}

#[test]
fn full_disks_leave_old_files_whole() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    std::fs::write(tmp.path().join("p.csv"), "id,lower,upper,size\na,0,2,10\n").unwrap();
    for command in ["plan-memory p.csv --capacity 30 -o old", "test case --cc no-such-cc --json old"] {
        std::fs::write(tmp.path().join("old"), "years of work").unwrap();
        // No file may grow; the folder of builds lies elsewhere and is not written to without a compiler.
        let script =
            format!("trap '' XFSZ; ulimit -f 0; exec {} {command}", env!("CARGO_BIN_EXE_tilewright"));
        let output = Command::new("sh").args(["-c", &script]).current_dir(tmp.path()).output().unwrap();
        let text = seen(tmp.path(), &output);
        assert!(output.status.code() == Some(6) && text.contains("old: cannot be written"), "{text}");
        assert_eq!(std::fs::read_to_string(tmp.path().join("old")).unwrap(), "years of work");
        assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 3, "something was left behind");
    }
}

#[test]
fn missing_compiler() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let output = tilewright(tmp.path(), &["run", "case", "--cc", "no-such-cc"]);
    let text = seen(tmp.path(), &output);
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(text.contains("cannot start `no-such-cc`") && text.contains("doctor"), "{text}");
}
