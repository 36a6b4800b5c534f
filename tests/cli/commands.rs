//! Whole commands on small cases.

use super::fixtures::{self, GOLDEN, case};
use super::{seen, tilewright};

#[test]
fn test_counts_and_writes_json() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("suite/good"), Some(GOLDEN));
    case(&tmp.path().join("suite/bad"), Some(&[1.5, 0.0, 3.0, 0.0, 5.0, 0.5]));
    std::fs::create_dir(tmp.path().join("suite/refused")).unwrap();
    let unknown = fixtures::model(fixtures::graph(vec![fixtures::node("Frobnicate", &["x"], "y")]), 13);
    std::fs::write(tmp.path().join("suite/refused/network.onnx"), unknown).unwrap();
    let output = tilewright(tmp.path(), &["test", "suite", "-j", "2", "--twice", "--json", "results.json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.ends_with("1 passed, 1 failed, 1 skipped\n"), "{text}");
    let json = std::fs::read_to_string(tmp.path().join("results.json")).unwrap();
    let report: tilewright::runner::Report = serde_json::from_str(&json).unwrap();
    let summary: Vec<_> = report.cases.iter().map(|c| (c.name.as_str(), c.mismatches, c.max_error)).collect();
    assert_eq!(summary, [("bad", Some(1), Some(0.5)), ("good", Some(0), Some(0.0)), ("refused", None, None)]);
    let good = &report.cases[1];
    assert!(
        good.ram_bytes == Some(24) && good.flash_bytes.is_some_and(|f| f > 0) && good.compile_ms.is_some()
    );
    assert!(good.cycles.is_none() && good.reason.is_none());
}

#[test]
fn run_shows_a_table() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    for io in ["arena", "caller"] {
        let output = tilewright(tmp.path(), &["run", "case", "--sanitize", "--io", io]);
        let text = seen(tmp.path(), &output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        for part in ["Relu", "f32[2x3]", "RAM", "flash", "compile", "PASS, exact"] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}

#[test]
fn compile_writes_a_network_that_builds_and_writes_the_same_again() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("tiny.onnx"), fixtures::relu()).unwrap();
    for dir in ["one", "two"] {
        let output = tilewright(tmp.path(), &["compile", "tiny.onnx", "-o", dir]);
        assert_eq!(output.status.code(), Some(0), "{}", seen(tmp.path(), &output));
    }
    let files = ["Network.c", "Network.h", "Weights.c", "Makefile", "report.json"];
    for file in files {
        let read = |dir: &str| std::fs::read(tmp.path().join(dir).join(file)).unwrap();
        assert_eq!(read("one"), read("two"), "{file}");
    }
    let make = std::process::Command::new("make").arg("-C").arg(tmp.path().join("one")).output().unwrap();
    assert!(make.status.success(), "{}", String::from_utf8_lossy(&make.stderr));
    assert!(tmp.path().join("one/build/libtiny.a").exists());
    // Over its own output, even a built one, it writes again.
    let output = tilewright(tmp.path(), &["compile", "tiny.onnx", "-o", "one", "--name", "other"]);
    assert_eq!(output.status.code(), Some(0), "{}", seen(tmp.path(), &output));
}

#[test]
fn inspect_prints_text_and_pictures() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("tiny.onnx"), fixtures::relu()).unwrap();
    let inspect = |extra: &[&str]| {
        let mut args = vec!["inspect", "tiny.onnx"];
        args.extend(extra);
        seen(tmp.path(), &tilewright(tmp.path(), &args))
    };
    insta::assert_snapshot!("inspect", inspect(&["--after", "import"]));
    insta::assert_snapshot!("inspect_dot", inspect(&["--dot"]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("tiny.onnx"), fixtures::relu()).unwrap();
    let script = format!("{} inspect tiny.onnx | true", env!("CARGO_BIN_EXE_tilewright"));
    let output =
        std::process::Command::new("sh").args(["-c", &script]).current_dir(tmp.path()).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn plan_memory_solves_and_refuses() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("p.csv"), "id,lower,upper,size\na,0,2,10\nb,1,3,20\nc,2,4,10\n").unwrap();
    let output = tilewright(tmp.path(), &["plan-memory", "p.csv", "--capacity", "30"]);
    let text = seen(tmp.path(), &output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("id,lower,upper,size,offset\na,0,2,10,"), "{text}");
    let output = tilewright(tmp.path(), &["plan-memory", "p.csv", "--capacity", "29"]);
    let text = seen(tmp.path(), &output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("the buffers do not fit 29 bytes (the largest live set has 30"), "{text}");
    std::fs::write(tmp.path().join("bad.csv"), "id,lower,upper,size\na,0,2\n").unwrap();
    let output = tilewright(tmp.path(), &["plan-memory", "bad.csv", "--capacity", "30"]);
    insta::assert_snapshot!("plan_memory_malformed", seen(tmp.path(), &output));
}

#[test]
fn doctor_and_targets_answer() {
    let tmp = tempfile::tempdir().unwrap();
    let text = seen(tmp.path(), &tilewright(tmp.path(), &["doctor"]));
    assert!(text.starts_with("exit code 0") && text.contains("builds networks for the host"), "{text}");
    let text = seen(tmp.path(), &tilewright(tmp.path(), &["targets"]));
    assert!(text.starts_with("exit code 0") && text.contains("host"), "{text}");
    let output = tilewright(tmp.path(), &["targets", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> = json["targets"].as_array().unwrap().iter().map(|t| &t["platform"]["name"]).collect();
    assert!(names.iter().any(|n| *n == "host") && names.iter().any(|n| *n == "cortex-m4"), "{names:?}");
    assert!(!names.iter().any(|n| *n == "mcu"), "{names:?}");
}

#[test]
fn a_new_kernel_runs() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let output = tilewright(tmp.path(), &["new", "kernel", "my_relu_f32", "--into", "mine"]);
    assert_eq!(output.status.code(), Some(0), "{}", seen(tmp.path(), &output));
    let output = tilewright(tmp.path(), &["run", "case", "--kernels", "mine"]);
    let text = seen(tmp.path(), &output);
    assert!(output.status.success() && text.contains("my_relu_f32"), "{text}");
}
