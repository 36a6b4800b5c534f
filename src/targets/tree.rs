//! The kernel tree: the `kernels/` folder embedded in the binary, overlaid with folders from disk.
//!
//! In: folders. Out: files by path (`generic/relu.toml`), in sorted order. Never knows what the files mean.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::diag::{Diagnostic, Result};

static EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// What a kernel tree may hold; anything else in a folder from disk is ignored.
const EXTENSIONS: [&str; 8] = ["toml", "hbs", "c", "h", "S", "ld", "mk", "txt"];
const MAX_DEPTH: usize = 6;
const MAX_FILES: usize = 10_000;
const MAX_BYTES: u64 = 4 << 20;

/// One file.
#[derive(Clone, Debug)]
struct File {
    bytes: Cow<'static, [u8]>,
    /// The path a user knows it by.
    origin: String,
}

/// Files by path. Later layers hide earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, File>,
    /// Folders of loose manifests from disk, searched before a platform's own, latest first.
    overlays: Vec<String>,
}

impl Tree {
    /// The tree in the binary.
    pub fn embedded() -> Tree {
        let file = |(path, bytes): &(&str, &'static [u8])| {
            let origin = format!("kernels/{path}");
            ((*path).to_string(), File { bytes: Cow::Borrowed(bytes), origin })
        };
        Tree { files: EMBEDDED.iter().map(file).collect(), overlays: Vec::new() }
    }
    /// Adds a folder from disk: its subfolders overlay folders of the same name (a subfolder with a
    /// `platform.toml` is a target); manifests directly in it serve every target.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn add_dir(&mut self, dir: &Path) -> Result<()> {
        let overlay = format!("+{}", self.overlays.len());
        let mut found = Vec::new();
        read_dir(dir, "", 0, &mut found).map_err(|e| {
            Diagnostic::environment(format!("cannot read the kernels in {}: {e}", dir.display()))
        })?;
        for (path, file) in found {
            let path = if path.contains('/') { path } else { format!("{overlay}/{path}") };
            self.files.insert(path, file);
        }
        self.overlays.insert(0, overlay);
        Ok(())
    }
    /// Adds one file, as a layer on top.
    pub fn add_file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        let file = File { bytes: Cow::Owned(bytes.into()), origin: format!("kernels/{path}") };
        self.files.insert(path.to_string(), file);
    }
    /// Folders of loose manifests, to search first.
    pub fn overlays(&self) -> &[String] {
        &self.overlays
    }
    /// The bytes of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(|f| f.bytes.as_ref())
    }
    /// The path a user knows a file by.
    pub fn origin(&self, path: &str) -> String {
        self.files.get(path).map_or_else(|| format!("kernels/{path}"), |f| f.origin.clone())
    }
    /// The text of a file.
    ///
    /// # Errors
    /// There is no such file, or it is not UTF-8.
    pub fn text(&self, path: &str) -> Result<&str> {
        let Some(bytes) = self.get(path) else {
            return Err(Diagnostic::invalid(format!("there is no file {}", self.origin(path))).into());
        };
        std::str::from_utf8(bytes)
            .map_err(|e| Diagnostic::invalid(format!("{}: not UTF-8: {e}", self.origin(path))).into())
    }
    /// Paths of the files directly in `folder`, sorted.
    pub fn list<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a str> {
        let prefix = format!("{folder}/");
        let start = prefix.clone();
        self.files
            .range(start..)
            .map(|(path, _)| path.as_str())
            .take_while({
                let prefix = prefix.clone();
                move |path| path.starts_with(&prefix)
            })
            .filter(move |path| !path[prefix.len()..].contains('/'))
    }
    /// Names of all targets: folders with a `platform.toml`.
    pub fn targets(&self) -> Vec<String> {
        let names = self.files.keys().filter_map(|p| p.strip_suffix("/platform.toml"));
        names.filter(|n| !n.contains('/')).map(str::to_string).collect()
    }
}

fn read_dir(dir: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, File)>) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other(format!("folders are nested more than {MAX_DEPTH} deep")));
    }
    let mut entries: Vec<_> = fs::read_dir(dir)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let meta = fs::metadata(&path)?;
        if meta.is_dir() {
            read_dir(&path, &format!("{prefix}{name}/"), depth + 1, found)?;
        } else if has_known_extension(&path) {
            if meta.len() > MAX_BYTES {
                return Err(io::Error::other(format!("{} exceeds {MAX_BYTES} bytes", path.display())));
            }
            if found.len() == MAX_FILES {
                return Err(io::Error::other(format!("more than {MAX_FILES} files")));
            }
            let origin = path.display().to_string();
            found.push((format!("{prefix}{name}"), File { bytes: Cow::Owned(fs::read(&path)?), origin }));
        }
    }
    Ok(())
}

fn has_known_extension(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| EXTENSIONS.contains(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_from_disk_overlay_the_embedded_tree() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("board")).unwrap();
        fs::write(dir.path().join("board/platform.toml"), "").unwrap();
        fs::write(dir.path().join("mine.toml"), "x").unwrap();
        fs::write(dir.path().join("notes.pdf"), "x").unwrap();
        let mut tree = Tree::embedded();
        tree.add_dir(dir.path()).unwrap();
        assert!(tree.targets().contains(&"host".to_string()));
        assert!(tree.targets().contains(&"board".to_string()));
        assert_eq!(tree.overlays(), ["+0"]);
        assert_eq!(tree.list("+0").collect::<Vec<_>>(), ["+0/mine.toml"]);
        assert!(tree.origin("+0/mine.toml").ends_with("mine.toml"));
        assert!(Tree::embedded().add_dir(&dir.path().join("absent")).is_err());
    }
}
