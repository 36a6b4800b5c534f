//! Golden tests of passes: each `tests/passes/NAME.ir` names passes, gives a graph, and holds the graph expected
//! behind them. The interpreter must compute the same before and after.
//!
//! `TILEWRIGHT_BLESS=1 cargo test --test passes` writes what the passes give as the new expectation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use tilewright::ir::{Graph, Value, interp, text, verify};
use tilewright::passes;
use tilewright::runner::random::Random;

const RUN: &str = "// RUN:";
const TOLERANCE: &str = "// TOLERANCE:";
const EXPECT: &str = "// EXPECT\n";

fn sound(graph: &Graph, file: &Path) {
    let faults = verify::check(graph);
    assert!(faults.0.is_empty(), "{}:\n{faults}", file.display());
}

fn header<'t>(source: &'t str, key: &str) -> Option<&'t str> {
    source.lines().find_map(|l| l.strip_prefix(key)).map(str::trim)
}

/// Integers must agree bit for bit; floats bit for bit, or within the file's tolerance.
fn same(a: &Value, b: &Value, tolerance: Option<f32>) -> bool {
    match (a, b, tolerance) {
        (Value::F32(a), Value::F32(b), Some(t)) => {
            a.shape() == b.shape() && a.iter().zip(b).all(|(x, y)| x == y || (x - y).abs() <= t)
        }
        (Value::F32(a), Value::F32(b), None) => {
            a.shape() == b.shape() && a.iter().zip(b).all(|(x, y)| x == y || (x.is_nan() && y.is_nan()))
        }
        _ => a == b,
    }
}

fn compute_the_same(before: &Graph, after: &Graph, tolerance: Option<f32>, file: &Path) {
    let mut random = Random::new(1);
    for _ in 0..5 {
        let inputs: Vec<_> =
            before.inputs().iter().map(|t| random.value(&before.tensor(*t).ty, 1000)).collect();
        let expected = interp::run(before, &inputs).unwrap();
        let found = interp::run(after, &inputs).unwrap();
        for ((e, f), o) in expected.iter().zip(&found).zip(before.outputs()) {
            assert!(same(e, f, tolerance), "{}: output {} was\n{e:?}\nis\n{f:?}", file.display(), o.name);
        }
    }
}

fn check(file: &Path) {
    let source = fs::read_to_string(file).unwrap();
    let (input, expected) = source.split_once(EXPECT).unwrap_or((&source, ""));
    let names = header(input, RUN).unwrap_or_else(|| panic!("{}: no `{RUN} pass…`", file.display()));
    let tolerance = header(input, TOLERANCE).map(|t| t.parse().unwrap());
    let before = text::parse(input).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    sound(&before, file);
    let mut after = before.clone();
    for name in names.split_whitespace() {
        let pass = passes::find(name).unwrap_or_else(|| panic!("{}: no pass {name}", file.display()));
        pass.run(&mut after).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }
    sound(&after, file);
    compute_the_same(&before, &after, tolerance, file);
    let found = text::print(&after);
    if std::env::var_os("TILEWRIGHT_BLESS").is_some() {
        fs::write(file, format!("{}\n{EXPECT}{found}", input.trim_end())).unwrap();
    } else {
        assert_eq!(
            found,
            expected,
            "{}: not as expected; see TILEWRIGHT_BLESS in tests/passes.rs",
            file.display()
        );
    }
}

#[test]
fn passes_give_what_is_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/passes");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "ir"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        check(&file);
    }
}
