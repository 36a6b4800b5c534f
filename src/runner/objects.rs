//! Object files: compile each distinct source once.
//!
//! In: C files. Out: object files, from a cache keyed by everything that goes into them. Never links.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::diag::{Diagnostic, Result};

/// A compiler and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// The compiler's command and fixed arguments.
    pub cc: Vec<String>,
    /// Arguments for compiling.
    pub cflags: Vec<String>,
    /// Arguments for linking, after the objects.
    pub ldflags: Vec<String>,
    /// Debian's packages of the compiler; empty for one that the user names.
    pub packages: Vec<String>,
}

impl Flags {
    /// The compiler, ready for more arguments.
    pub fn command(&self) -> Command {
        let mut words = self.cc.iter();
        let mut command = Command::new(words.next().map_or("cc", String::as_str));
        command.args(words);
        command
    }
}

/// Objects by content. Safe to use from several threads and processes: an object appears under its name only
/// when it is complete.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// A cache in an existing directory.
    pub fn new(dir: &Path) -> Self {
        Cache { dir: dir.to_path_buf() }
    }
    /// The object of `dir/path`, compiled now or before.
    ///
    /// # Errors
    /// A source cannot be read, or the compiler is missing or rejects it.
    pub fn object(&self, dir: &Path, path: &str, flags: &Flags) -> Result<PathBuf> {
        let mut content = Vec::new();
        let mut seen = Vec::new();
        gather(dir, path, &mut content, &mut seen)?;
        for word in flags.cc.iter().chain(&flags.cflags) {
            content.extend(word.as_bytes());
            content.push(0);
        }
        let object = self.dir.join(format!("{:016x}{:016x}.o", fnv1a(&content, 0), fnv1a(&content, 1)));
        if object.exists() {
            return Ok(object);
        }
        let fresh = tempfile::Builder::new()
            .prefix("new")
            .suffix(".o")
            .tempfile_in(&self.dir)
            .map_err(|e| Diagnostic::environment(format!("cannot write object files: {e}")))?;
        let mut command = flags.command();
        command.args(&flags.cflags).arg("-c").arg(path).arg("-o").arg(fresh.path()).current_dir(dir);
        run_tool(command, &format!("compile {path}"), dir, &flags.packages)?;
        fresh
            .persist(&object)
            .map_err(|e| Diagnostic::environment(format!("cannot write object files: {e}")))?;
        Ok(object)
    }
}

/// A file's text and that of every file it includes with quotes, in order, each once.
fn gather(dir: &Path, path: &str, content: &mut Vec<u8>, seen: &mut Vec<String>) -> Result<()> {
    if seen.iter().any(|s| s == path) {
        return Ok(());
    }
    seen.push(path.to_string());
    let full = dir.join(path);
    let text = fs::read(&full)
        .map_err(|e| Diagnostic::environment(format!("cannot read {}: {e}", full.display())))?;
    content.extend(path.as_bytes());
    content.push(0);
    content.extend(&text);
    let parent = Path::new(path).parent().unwrap_or(Path::new(""));
    for line in String::from_utf8_lossy(&text).lines() {
        let included = line.trim_start().strip_prefix("#include \"").and_then(|r| r.split('"').next());
        // It declares all kernels of a network; the object of one does not depend on the others, and the same kernel is
        // in many networks.
        if included == Some("kernels.h") && parent == Path::new("kernels") {
            continue;
        }
        for candidate in included.iter().flat_map(|i| [parent.join(i), PathBuf::from(i)]) {
            if dir.join(&candidate).is_file() {
                gather(dir, &candidate.to_string_lossy(), content, seen)?;
                break;
            }
        }
    }
    Ok(())
}

/// The FNV-1a hash; two seeds together are wide enough that no two kernels meet.
fn fnv1a(bytes: &[u8], seed: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bytes.iter().fold(start, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// Runs a tool to its end; `packages` have it and what it needs.
///
/// # Errors
/// It is missing (the message names the package), or it fails (the message shows what it said).
pub fn run_tool(mut command: Command, what: &str, dir: &Path, packages: &[String]) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|e| {
        let d = missing(&name, packages, &e);
        let other = ", or name another compiler with --cc; `tilewright doctor` lists all tools";
        Diagnostic { help: d.help.map(|h| h + other), ..d }
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let text = text.replace(&format!("{}/", dir.display()), "");
    let shown: Vec<&str> = text.lines().take(20).collect();
    let message = format!("{name} cannot {what}:\n    {}", shown.join("\n    "));
    let full = ["No space left on device", "Disk quota exceeded"].iter().any(|m| text.contains(m));
    // Debian packs the C library by itself.
    let library = text.contains(".specs: No such file") && !packages.is_empty();
    Err(match (full, library) {
        (true, _) => Diagnostic::environment(message),
        (_, true) => Diagnostic::environment(message).help(format!("apt install {}", packages.join(" "))),
        _ => Diagnostic::internal(message),
    }
    .into())
}

/// A command that does not start, and the packages that have it.
pub fn missing(name: &str, packages: &[String], e: &io::Error) -> Diagnostic {
    let known = packages.join(" ");
    let package = match name.rsplit('/').next().unwrap_or(name) {
        _ if !packages.is_empty() => &known,
        "cc" | "gcc" | "c99" => "gcc",
        other => other,
    };
    let d = Diagnostic::environment(format!("cannot start `{name}`: {e}"));
    if e.kind() == io::ErrorKind::NotFound {
        return d.help(format!("install it (apt install {package})"));
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(cc: &str) -> Flags {
        Flags { cc: vec![cc.into()], cflags: vec![], ldflags: vec![], packages: vec![] }
    }

    #[test]
    fn a_missing_compiler_names_the_package() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("a.c"), "int a;\n").unwrap();
        let e = Cache::new(tmp.path()).object(tmp.path(), "a.c", &flags("clang-does-not-exist")).unwrap_err();
        assert_eq!(e.exit_code(), 6);
        assert!(e.to_string().contains("apt install clang-does-not-exist"), "{e}");
    }

    #[test]
    fn objects_are_compiled_once_and_again_when_a_header_changes() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path();
        fs::write(dir.join("a.c"), "#include \"a.h\"\nint a = A;\n").unwrap();
        fs::write(dir.join("a.h"), "#define A 1\n").unwrap();
        let cache = Cache::new(dir);
        let first = cache.object(dir, "a.c", &flags("cc")).unwrap();
        assert_eq!(cache.object(dir, "a.c", &flags("cc")).unwrap(), first);
        fs::write(dir.join("a.h"), "#define A 2\n").unwrap();
        assert_ne!(cache.object(dir, "a.c", &flags("cc")).unwrap(), first);
    }

    #[test]
    fn a_kernel_is_compiled_once_for_all_networks() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path();
        fs::create_dir(dir.join("kernels")).unwrap();
        fs::write(dir.join("kernels/a.c"), "#include \"kernels.h\"\nvoid a(void) { }\n").unwrap();
        fs::write(dir.join("Network.c"), "#include \"kernels/kernels.h\"\nint b;\n").unwrap();
        let cache = Cache::new(dir);
        let objects = |header: &str| {
            fs::write(dir.join("kernels/kernels.h"), header).unwrap();
            ["kernels/a.c", "Network.c"].map(|f| cache.object(dir, f, &flags("cc")).unwrap())
        };
        let (first, second) = (objects("void a(void);\n"), objects("void a(void);\nvoid c(void);\n"));
        assert_eq!(first[0], second[0]);
        assert_ne!(first[1], second[1]);
    }

    #[test]
    fn rejected_code_is_shown() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("a.c"), "int a = b;\n").unwrap();
        let e = Cache::new(tmp.path()).object(tmp.path(), "a.c", &flags("cc")).unwrap_err();
        assert!(e.to_string().contains("cc cannot compile a.c") && e.to_string().contains('b'), "{e}");
    }
}
