//! Platforms: what a target's hardware and tools are, read from `kernels/<target>/platform.toml`.
//!
//! In: a kernel [`Tree`] and a target's name. Out: a [`Platform`]. Never knows graphs or kernels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::tree::Tree;
use crate::diag::{Diagnostic, Result};

/// What a memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Activations, constants and code.
    Unified,
    /// Activations.
    Arena,
    /// Constants and code.
    Flash,
    /// Tiles of activations and constants, filled by DMA.
    Scratchpad,
    /// Bulk memory behind a slow link.
    External,
}

/// One memory level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Name, unique in the platform.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// First address; 0 where the linker decides.
    #[serde(default, deserialize_with = "bytes")]
    pub base: u64,
    /// Bytes; `None` for no limit.
    #[serde(default, deserialize_with = "some_bytes")]
    pub size: Option<u64>,
    /// Bytes per cycle of a long transfer.
    pub bandwidth: Option<f64>,
    /// The same for stores, where they are slower.
    pub store_bandwidth: Option<f64>,
    /// Cycles until the first byte of a transfer.
    pub latency: Option<u64>,
    /// Bytes that are not for tensors: stacks, variables of the runtime.
    #[serde(default, deserialize_with = "bytes")]
    pub reserved: u64,
    /// What C says to have an array placed there.
    pub placement: Option<String>,
}

/// Something that runs kernels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Name, unique in the platform.
    pub name: String,
    /// Cores that share the work of one kernel.
    #[serde(default = "one")]
    pub cores: u32,
    /// Kernel folders, preferred first.
    pub kernels: Vec<String>,
    /// A folder of call templates for all cores: `<folder>/<kernel folder>/<template>` replaces the template of
    /// that name, and the kernels that use it run on all cores.
    pub parallel: Option<String>,
    /// Multiply-accumulates per cycle that one core can do at best: the ceiling of a roofline.
    pub macs_per_cycle: Option<f64>,
}

fn one() -> u32 {
    1
}

/// How to build for the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// The C compiler and its fixed arguments.
    #[serde(default)]
    pub cc: Vec<String>,
    /// Arguments for compiling.
    #[serde(default)]
    pub cflags: Vec<String>,
    /// Arguments for linking, after the objects.
    #[serde(default)]
    pub ldflags: Vec<String>,
    /// Debian's packages of the compiler and its C library.
    #[serde(default)]
    pub packages: Vec<String>,
}

/// How to run a built program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulator {
    /// The command; `{elf}` stands for the program.
    #[serde(default)]
    pub argv: Vec<String>,
    /// Debian's packages of the command.
    #[serde(default)]
    pub packages: Vec<String>,
    /// The chip that the simulator in this binary plays instead of a command.
    pub builtin: Option<String>,
    /// Other simulators of the chip, by name.
    #[serde(default)]
    pub external: BTreeMap<String, External>,
}

/// An installed simulator that runs the same programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// The environment variable that holds the command of the simulator.
    pub variable: String,
    /// Arguments behind the command; `{elf}` stands for the program, `{dir}` for a folder it may write to.
    #[serde(default)]
    pub args: Vec<String>,
    /// What to do where it is missing.
    #[serde(default)]
    pub help: String,
}

/// What turns a network into a program for the bare chip; paths are below the target's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// Template of what stands around each call in `Network.c`.
    pub call: Option<String>,
    /// Template of a layer that is computed in parts in a scratchpad.
    pub tiled: Option<String>,
    /// Headers of the kernel folders that `Network.c` includes.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Files to write beside a network, as they are; those that end in `.hbs` are rendered first.
    #[serde(default)]
    pub files: Vec<String>,
    /// Template of the Makefile.
    pub makefile: Option<String>,
    /// The assembly file among them that includes the inputs, compiled with their path as `TW_INPUTS`.
    pub inputs: Option<String>,
    /// The linker's argument that sets the number of cores; `{cores}` stands for it.
    pub cores: Option<String>,
}

/// What holds unless an option says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Alignment of every tensor and table, in bytes; a power of two.
    pub alignment: usize,
}

/// A target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Platform {
    /// The target's name (its folder).
    pub name: String,
    /// The target's folder, then those it inherits from, nearest first.
    pub lineage: Vec<String>,
    /// One line for lists.
    pub description: String,
    /// Memories, in the file's order: the first with a fitting role is preferred.
    pub memories: Vec<Memory>,
    /// Engines, in the file's order.
    pub engines: Vec<Engine>,
    /// How to build.
    pub toolchain: Toolchain,
    /// How to run.
    pub simulator: Option<Simulator>,
    /// What makes a network a program of its own; `None` where a harness calls it.
    pub runtime: Option<Runtime>,
    /// Defaults.
    pub defaults: Defaults,
}

/// The file; every part is optional because a parent may give it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    inherits: Option<String>,
    description: Option<String>,
    #[serde(default)]
    memories: Vec<Memory>,
    #[serde(default)]
    engines: Vec<Engine>,
    toolchain: Option<Toolchain>,
    simulator: Option<Simulator>,
    runtime: Option<Runtime>,
    defaults: Option<Defaults>,
}

impl Platform {
    /// The target of that name.
    ///
    /// # Errors
    /// There is no such target, or its file (or one it inherits from) is malformed.
    pub fn load(tree: &Tree, name: &str) -> Result<Platform> {
        let mut lineage = Vec::new();
        let file = load_file(tree, name, &mut lineage)?;
        let platform = Platform {
            name: name.to_string(),
            lineage,
            description: file.description.unwrap_or_default(),
            memories: file.memories,
            engines: file.engines,
            toolchain: file.toolchain.unwrap_or_default(),
            simulator: file.simulator,
            runtime: file.runtime,
            defaults: file.defaults.unwrap_or(Defaults { alignment: 16 }),
        };
        platform.check().map_err(|message| {
            Diagnostic::invalid(format!("{}: {message}", tree.origin(&format!("{name}/platform.toml"))))
        })?;
        Ok(platform)
    }
    /// A file of the target, `runtime/harness.c.hbs` say: its own, or else the nearest ancestor's.
    ///
    /// # Errors
    /// None of them has it.
    pub fn file(&self, tree: &Tree, path: &str) -> Result<String> {
        let mut places = self.lineage.iter().map(|folder| format!("{folder}/{path}"));
        places.find(|place| tree.get(place).is_some()).ok_or_else(|| {
            let message = format!("target `{}` has no file `{path}`", self.name);
            Diagnostic::unsupported(message)
                .help("add it to the target's folder, or inherit a target that has it, such as `host`")
                .into()
        })
    }
    /// The memories that activations may live in, preferred first; the last one is for all that the others do not hold.
    pub fn arena_memories(&self) -> Vec<&Memory> {
        let of = |role| self.memories.iter().filter(move |m| m.role == role);
        let arenas: Vec<&Memory> = of(Role::Arena).collect();
        if arenas.is_empty() { of(Role::Unified).take(1).collect() } else { arenas }
    }
    /// The last of these.
    pub fn arena_memory(&self) -> Option<&Memory> {
        self.arena_memories().pop()
    }
    /// The memory that constants lie in, where it is one of their own.
    pub fn flash(&self) -> Option<&Memory> {
        self.memories.iter().find(|m| m.role == Role::Flash)
    }
    /// Cores of the engine that shares kernels most widely; at least one.
    pub fn cores(&self) -> u32 {
        self.engines.iter().map(|e| e.cores).max().unwrap_or(1).max(1)
    }
    /// Kernel folders of all engines with the engine's index, preferred first, without repetition.
    pub fn search_path(&self) -> Vec<(String, usize)> {
        let mut path: Vec<(String, usize)> = Vec::new();
        for (i, engine) in self.engines.iter().enumerate() {
            for folder in &engine.kernels {
                if path.iter().all(|(f, _)| f != folder) {
                    path.push((folder.clone(), i));
                }
            }
        }
        path
    }

    fn check(&self) -> std::result::Result<(), String> {
        if !self.defaults.alignment.is_power_of_two() || self.defaults.alignment > 4096 {
            return Err(format!("alignment {} is not a power of two up to 4096", self.defaults.alignment));
        }
        if self.engines.is_empty() {
            return Err("there is no engine; add [[engines]] with `name` and `kernels`".into());
        }
        if self.arena_memory().is_none() {
            return Err("there is no memory for activations; add [[memories]] with role = \"arena\"".into());
        }
        let names = self.memories.iter().map(|m| &m.name).chain(self.engines.iter().map(|e| &e.name));
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(format!("two memories or engines are named `{name}`"));
            }
        }
        Ok(())
    }
}

/// Reads a target's file and those it inherits from; `children` collects their names, nearest first. What targets have in
/// common, but is none, is a `family.toml`.
fn load_file(tree: &Tree, name: &str, children: &mut Vec<String>) -> Result<File> {
    let mut path = format!("{name}/platform.toml");
    let family = format!("{name}/family.toml");
    if !children.is_empty() && tree.get(&path).is_none() && tree.get(&family).is_some() {
        path = family;
    }
    if tree.get(&path).is_none() {
        let mut d = Diagnostic::invalid(format!("there is no target `{name}`"));
        if let Some(child) = children.last() {
            d = Diagnostic::invalid(format!("target `{child}` inherits from `{name}`, which does not exist"));
        }
        return Err(d.help(format!("known targets: {}", tree.targets().join(", "))).into());
    }
    if children.iter().any(|c| c == name) {
        return Err(Diagnostic::invalid(format!("target `{name}` inherits from itself")).into());
    }
    let file: File = toml::from_str(tree.text(&path)?)
        .map_err(|e| Diagnostic::invalid(format!("{}: {}", tree.origin(&path), e.to_string().trim_end())))?;
    children.push(name.to_string());
    let Some(parent) = file.inherits.clone() else {
        return Ok(file);
    };
    let base = load_file(tree, &parent, children)?;
    Ok(merge(base, file))
}

/// The child's parts win; memories and engines merge by name; toolchain lists replace when given.
fn merge(base: File, child: File) -> File {
    let mut memories = base.memories;
    for m in child.memories {
        match memories.iter_mut().find(|b| b.name == m.name) {
            Some(b) => *b = m,
            None => memories.push(m),
        }
    }
    let mut engines = base.engines;
    for e in child.engines {
        match engines.iter_mut().find(|b| b.name == e.name) {
            Some(b) => *b = e,
            None => engines.push(e),
        }
    }
    let parent = base.toolchain.unwrap_or_default();
    let own = child.toolchain.unwrap_or_default();
    let pick = |own: Vec<String>, parent: Vec<String>| if own.is_empty() { parent } else { own };
    let toolchain = Toolchain {
        cc: pick(own.cc, parent.cc),
        cflags: pick(own.cflags, parent.cflags),
        ldflags: pick(own.ldflags, parent.ldflags),
        packages: pick(own.packages, parent.packages),
    };
    File {
        inherits: None,
        description: child.description.or(base.description),
        memories,
        engines,
        toolchain: Some(toolchain),
        simulator: child.simulator.or(base.simulator),
        runtime: child.runtime.or(base.runtime),
        defaults: child.defaults.or(base.defaults),
    }
}

/// A number of bytes, or a string such as `"256 KiB"`.
fn bytes<'de, D: Deserializer<'de>>(d: D) -> std::result::Result<u64, D::Error> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = u64;
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a number of bytes, or a string such as \"256 KiB\"")
        }
        fn visit_i64<E: de::Error>(self, v: i64) -> std::result::Result<u64, E> {
            u64::try_from(v).map_err(|_| E::invalid_value(de::Unexpected::Signed(v), &self))
        }
        fn visit_u64<E: de::Error>(self, v: u64) -> std::result::Result<u64, E> {
            Ok(v)
        }
        fn visit_str<E: de::Error>(self, v: &str) -> std::result::Result<u64, E> {
            parse_bytes(v).ok_or_else(|| E::invalid_value(de::Unexpected::Str(v), &self))
        }
    }
    d.deserialize_any(Bytes)
}

fn some_bytes<'de, D: Deserializer<'de>>(d: D) -> std::result::Result<Option<u64>, D::Error> {
    bytes(d).map(Some)
}

/// `"256 KiB"`, `"2 MiB"`, `"64000"`, `"64 kB"`.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let factor: u64 = match text[digits..].trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.add_file(path, *text);
        }
        tree
    }

    const BASE: &str = r#"
description = "a board"
[toolchain]
cc = ["gcc"]
cflags = ["-O2"]
[[memories]]
name = "l2"
role = "unified"
base = 0x1c000000
size = "2 MiB"
bandwidth = 8.0
[[engines]]
name = "cpu"
kernels = ["a", "generic"]
"#;

    #[test]
    fn host_is_embedded_and_unlimited() {
        let host = Platform::load(&Tree::embedded(), "host").unwrap();
        assert_eq!(host.arena_memory().unwrap().size, None);
        assert_eq!(host.search_path(), [("generic".to_string(), 0)]);
        assert_eq!(host.defaults.alignment, 1);
    }

    #[test]
    fn children_override_their_parents() {
        let child = "inherits = \"base\"\n[toolchain]\ncflags = [\"-O3\"]\n\
            [[memories]]\nname = \"l2\"\nrole = \"arena\"\nsize = 1000\n\
            [[engines]]\nname = \"npu\"\nkernels = [\"npu\", \"a\"]\n";
        let p =
            Platform::load(&tree(&[("base/platform.toml", BASE), ("child/platform.toml", child)]), "child");
        let p = p.unwrap();
        assert_eq!(p.description, "a board");
        assert_eq!(p.toolchain.cc, ["gcc"]);
        assert_eq!(p.toolchain.cflags, ["-O3"]);
        assert_eq!(p.memories.len(), 1);
        assert_eq!(p.arena_memory().unwrap().size, Some(1000));
        let path = [("a".to_string(), 0), ("generic".to_string(), 0), ("npu".to_string(), 1)];
        assert_eq!(p.search_path(), path);
        assert_eq!(p.lineage, ["child", "base"]);
    }

    #[test]
    fn files_of_ancestors_are_found() {
        let mut tree = tree(&[("base/platform.toml", BASE), ("child/platform.toml", "inherits = 'base'")]);
        tree.add_file("base/runtime/a", "a");
        tree.add_file("base/runtime/b", "b");
        tree.add_file("child/runtime/b", "b");
        let p = Platform::load(&tree, "child").unwrap();
        assert_eq!(p.file(&tree, "runtime/a").unwrap(), "base/runtime/a");
        assert_eq!(p.file(&tree, "runtime/b").unwrap(), "child/runtime/b");
        assert!(p.file(&tree, "runtime/c").unwrap_err().to_string().contains("has no file `runtime/c`"));
    }

    #[test]
    fn families_are_no_targets() {
        let mut tree = tree(&[("child/platform.toml", "inherits = 'base'"), ("base/family.toml", BASE)]);
        tree.add_file("base/runtime/a", "a");
        let p = Platform::load(&tree, "child").unwrap();
        assert_eq!(p.file(&tree, "runtime/a").unwrap(), "base/runtime/a");
        assert!(Platform::load(&tree, "base").is_err());
        assert_eq!(tree.targets(), ["child"]);
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        let load =
            |text: &str| Platform::load(&tree(&[("t/platform.toml", text)]), "t").unwrap_err().to_string();
        let shown = load(&BASE.replace("bandwidth", "bandwith"));
        assert!(shown.contains("kernels/t/platform.toml: TOML parse error at line 11, column 1"), "{shown}");
        assert!(shown.contains("11 | bandwith = 8.0\n   | ^^^^^^^^"), "{shown}");
        assert!(shown.contains("unknown field `bandwith`"), "{shown}");
        assert!(load(&BASE.replace("2 MiB", "2 moons")).contains("such as \"256 KiB\""));
        assert!(load("inherits = \"t\"").contains("inherits from itself"));
        assert!(load("inherits = \"u\"").contains("`t` inherits from `u`, which does not exist"));
        assert!(load("").contains("there is no engine"));
        let none = Platform::load(&Tree::embedded(), "hsot").unwrap_err().to_string();
        assert!(
            none.contains("there is no target `hsot`")
                && none.contains("known targets: ")
                && none.contains("host"),
            "{none}"
        );
    }

    #[test]
    fn byte_counts() {
        assert_eq!(parse_bytes("256 KiB"), Some(262_144));
        assert_eq!(parse_bytes("64 kB"), Some(64_000));
        assert_eq!(parse_bytes("12"), Some(12));
        assert_eq!(parse_bytes("12 apples"), None);
        assert_eq!(parse_bytes("99999999999999 GiB"), None);
    }
}
