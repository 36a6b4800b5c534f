//! The help of every command.

use std::collections::BTreeSet;

use tilewright::diag::Kind;

use super::{seen, tilewright};

const COMMANDS: [&str; 10] =
    ["compile", "run", "test", "report", "inspect", "targets", "doctor", "new", "plan-memory", "simulate"];

#[test]
fn help_of_every_command() {
    let dir = std::env::temp_dir();
    let help = |args: &[&str]| seen(&dir, &tilewright(&dir, args));
    insta::assert_snapshot!("help", help(&["--help"]));
    for command in COMMANDS {
        insta::assert_snapshot!(format!("help_{command}"), help(&[command, "--help"]));
    }
}

/// The README has a row for each command, and one for each exit code that helps and diagnostics know.
#[test]
fn readme_lists_commands_and_exit_codes() {
    let dir = std::env::temp_dir();
    let readme = include_str!("../../README.md");
    let code = |line: &str| line.split_whitespace().next()?.parse::<u8>().ok();
    let told: BTreeSet<u8> = readme.lines().filter_map(|l| code(l.strip_prefix("| ")?)).collect();
    let kinds = [Kind::Invalid, Kind::Unsupported, Kind::Infeasible, Kind::Environment, Kind::Internal];
    let mut known: BTreeSet<u8> = kinds.map(Kind::exit_code).into();
    for args in std::iter::once(vec!["--help"]).chain(COMMANDS.map(|c| vec![c, "--help"])) {
        let help = String::from_utf8(tilewright(&dir, &args).stdout).unwrap();
        known.extend(help.lines().skip_while(|l| *l != "Exit codes:").filter_map(code));
    }
    assert!(known.contains(&0) && known.contains(&7), "{known:?}");
    assert_eq!(told, known);
    for command in COMMANDS {
        assert!(readme.contains(&format!("\n| `{command}")), "{command} is not in the README");
    }
}

#[test]
fn wrong_use() {
    let dir = std::env::temp_dir();
    let wrong = |args: &[&str]| seen(&dir, &tilewright(&dir, args));
    insta::assert_snapshot!("usage_nothing", wrong(&[]));
    insta::assert_snapshot!("usage_unknown_command", wrong(&["complie"]));
    insta::assert_snapshot!("usage_missing_output", wrong(&["compile", "model.onnx"]));
    insta::assert_snapshot!("usage_bad_shape", wrong(&["inspect", "m.onnx", "--shape", "x=1,-2"]));
    insta::assert_snapshot!("usage_bad_type", wrong(&["inspect", "m.onnx", "--input-type", "x=int7"]));
}

#[test]
fn colours_only_go_to_terminals() {
    let dir = std::env::temp_dir();
    let output = tilewright(&dir, &["inspect", "does-not-exist.onnx"]);
    assert!(!output.stderr.contains(&0x1b));
}
