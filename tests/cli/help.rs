//! The help of every command.

use super::{seen, tilewright};

#[test]
fn help_of_every_command() {
    let dir = std::env::temp_dir();
    let help = |args: &[&str]| seen(&dir, &tilewright(&dir, args));
    insta::assert_snapshot!("help", help(&["--help"]));
    for command in
        ["compile", "run", "test", "inspect", "targets", "doctor", "new", "plan-memory", "simulate"]
    {
        insta::assert_snapshot!(format!("help_{command}"), help(&[command, "--help"]));
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
