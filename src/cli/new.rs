//! `tilewright new`: the files of a new kernel, operator or target.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::{NewArgs, Scaffold};
use super::print;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::ir::Op;

/// Runs the command.
///
/// # Errors
/// The name is not one, or a file exists or cannot be written; then nothing is.
pub fn new(args: &NewArgs) -> Result<u8> {
    let (files, next) = match args.what {
        Scaffold::Kernel => kernel(args)?,
        Scaffold::Op => operator(args)?,
        Scaffold::Target => target(args)?,
    };
    write_all(&files)?;
    for (path, _) in &files {
        print(format!("wrote {}", path.display()))?;
    }
    print(next)?;
    Ok(0)
}

type Files = Vec<(PathBuf, String)>;

fn kernel(args: &NewArgs) -> Result<(Files, String)> {
    let name = checked(&args.name, "a kernel", "relu_s16", |c| c.is_ascii_lowercase() || c == '_')?;
    if !Op::NAMES.contains(&args.op.as_str()) {
        let message = format!("there is no operator `{}`", args.op);
        let known = format!("--op takes one of {}", Op::NAMES.join(", "));
        return Err(Diagnostic::invalid(message).help(known).into());
    }
    // The element types are appended to the symbol: `relu_s16` is the stem `relu` with s16.
    let stem = name.rsplit_once('_').filter(|(_, t)| t.parse::<crate::ir::DType>().is_ok());
    let symbol = stem.map_or(name, |(stem, _)| stem);
    let dir = below(&args.into, "kernels/generic");
    let fill =
        |text: &str| text.replace("@NAME@", name).replace("@SYMBOL@", symbol).replace("@OP@", &args.op);
    let files = vec![
        (dir.join(format!("{name}.toml")), fill(include_str!("scaffold/kernel.toml"))),
        (dir.join(format!("{name}.c.hbs")), fill(include_str!("scaffold/kernel.c.hbs"))),
        (dir.join(format!("{name}.c")), fill(include_str!("scaffold/kernel.c"))),
    ];
    let next = format!(
        "Edit the three files, then try them: tilewright run CASE --kernels {}\n\
         Its reference is the operator's `reference` function; docs/add-a-kernel.md has the rules.",
        dir.display()
    );
    Ok((files, next))
}

fn operator(args: &NewArgs) -> Result<(Files, String)> {
    let name = checked(&args.name, "an operator", "HardTanh", |c| c.is_ascii_alphabetic())?;
    if Op::NAMES.contains(&name) {
        return Err(Diagnostic::invalid(format!("the operator {name} exists")).into());
    }
    let snake = snake(name);
    let type_name = format!("{}{}", name[..1].to_ascii_uppercase(), &name[1..]);
    let dir = below(&args.into, "src/ir/ops");
    let text = include_str!("scaffold/op.rs").replace("@OP@", &type_name);
    let next = format!(
        "Then, in src/ir/ops/mod.rs: `mod {snake};`, `pub use {snake}::{type_name};`, and `{type_name}` in the \
         table `ops!`.\nIt needs a kernel: tilewright new kernel {snake}_f32 --op {type_name}\n\
         docs/add-an-operator.md walks through it."
    );
    Ok((vec![(dir.join(format!("{snake}.rs")), text)], next))
}

fn target(args: &NewArgs) -> Result<(Files, String)> {
    let name = checked(&args.name, "a target", "my-board", |c| c.is_ascii_lowercase() || c == '-')?;
    let dir = below(&args.into, "kernels").join(name);
    let files =
        vec![(dir.join("platform.toml"), include_str!("scaffold/platform.toml").replace("@NAME@", name))];
    let parent = dir.parent().unwrap_or(Path::new(".")).display().to_string();
    let next = format!(
        "Try it: tilewright compile MODEL.onnx -o out --target {name} --kernels {}\n\
         docs/add-a-target.md explains every key.",
        if parent.is_empty() { "." } else { &parent }
    );
    Ok((files, next))
}

/// The folder `below` in `into` if that is there (a checkout), else `into` itself.
fn below(into: &Path, below: &str) -> PathBuf {
    let inside = into.join(below);
    if inside.is_dir() { inside } else { into.to_path_buf() }
}

fn checked<'a>(name: &'a str, what: &str, example: &str, allowed: fn(char) -> bool) -> Result<&'a str> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && name.len() <= 60 && name.chars().all(|c| allowed(c) || c.is_ascii_digit()) {
        return Ok(name);
    }
    Err(Diagnostic::invalid(format!("`{name}` cannot be the name of {what}"))
        .help(format!("choose one like `{example}`"))
        .into())
}

/// `HardTanh` → `hard_tanh`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Writes all files, none of which may exist.
fn write_all(files: &Files) -> Result<()> {
    let mut faults = Diagnostics::default();
    for (path, _) in files.iter().filter(|(p, _)| p.exists()) {
        faults.push(Diagnostic::environment(format!("{} exists; nothing was written", path.display())));
    }
    faults.into_result(())?;
    for (path, text) in files {
        let fail = |e: std::io::Error| {
            Diagnostic::environment(format!("{}: cannot be written: {e}", path.display()))
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        let mut file = fs::File::create_new(path).map_err(fail)?;
        file.write_all(text.as_bytes()).map_err(fail)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(what: Scaffold, name: &str, into: &Path) -> NewArgs {
        NewArgs { what, name: name.into(), op: "Relu".into(), into: into.into() }
    }

    #[test]
    fn names_are_checked_and_files_never_replaced() {
        let tmp = tempfile::tempdir().unwrap();
        for (what, bad) in [(Scaffold::Kernel, "../x"), (Scaffold::Op, "a_b"), (Scaffold::Target, "X")] {
            assert_eq!(new(&args(what, bad, tmp.path())).unwrap_err().exit_code(), 3);
        }
        let target = args(Scaffold::Target, "my-board", tmp.path());
        assert_eq!(new(&target).unwrap(), 0);
        assert_eq!(new(&target).unwrap_err().exit_code(), 6);
    }

    #[test]
    fn scaffolded_targets_and_kernels_load() {
        let tmp = tempfile::tempdir().unwrap();
        new(&args(Scaffold::Target, "my-board", tmp.path())).unwrap();
        new(&args(Scaffold::Kernel, "relu_scaffold", tmp.path())).unwrap();
        let target = crate::driver::load_target("my-board", &[tmp.path().to_path_buf()]).unwrap();
        assert!(target.library.kernels().any(|(_, k)| k.manifest.name == "relu_scaffold"));
    }

    #[test]
    fn file_names_of_operators() {
        assert_eq!(snake("HardTanh"), "hard_tanh");
        assert_eq!(snake("iRMSNorm"), "i_rmsnorm");
        assert_eq!(snake("GELU"), "gelu");
    }
}
