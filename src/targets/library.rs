//! The kernel library: every kernel on a platform's search path, in a fixed order.
//!
//! In: a kernel [`Tree`] and a [`Platform`]. Out: a [`Library`] of checked manifests with their sources and
//! templates. Never knows graphs.

use std::collections::BTreeSet;

use super::assignment::KernelId;
use super::manifest::Manifest;
use super::platform::Platform;
use super::tree::Tree;
use crate::diag::{Diagnostic, Diagnostics, Result};

/// A kernel on the search path.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// What it does.
    pub manifest: Manifest,
    /// Index of the engine that runs it, in the platform's list.
    pub engine: usize,
    /// Place of its folder on the search path; lower is preferred.
    pub rank: usize,
}

/// All kernels a platform can use.
#[derive(Clone, Debug)]
pub struct Library {
    kernels: Vec<Kernel>,
    folders: Vec<String>,
    tree: Tree,
}

impl Library {
    /// Reads the manifests of a platform's folders. Loose manifests of `--kernels` folders come first and
    /// hide those of the same name.
    ///
    /// # Errors
    /// Every fault in every manifest, and every file they name that does not exist.
    pub fn load(tree: &Tree, platform: &Platform) -> Result<Library> {
        let overlays = tree.overlays().iter().map(|f| (f.clone(), 0));
        let path: Vec<(String, usize)> = overlays.chain(platform.search_path()).collect();
        let mut library = Library {
            kernels: Vec::new(),
            folders: path.iter().map(|(f, _)| f.clone()).collect(),
            tree: tree.clone(),
        };
        let mut faults = Diagnostics::default();
        let mut hidden = BTreeSet::new();
        for (rank, (folder, engine)) in path.iter().enumerate() {
            for file in tree.list(folder).filter(|f| f.ends_with(".toml") && !f.ends_with("/platform.toml")) {
                let name = file[folder.len() + 1..].trim_end_matches(".toml");
                if hidden.contains(name) {
                    continue;
                }
                if tree.overlays().contains(folder) {
                    hidden.insert(name.to_string());
                }
                match library.read(file, folder, name) {
                    Ok(manifest) => library.kernels.push(Kernel { manifest, engine: *engine, rank }),
                    Err(found) => faults.0.extend(found.0),
                }
            }
        }
        faults.into_result(library)
    }
    /// All kernels, in order.
    pub fn kernels(&self) -> impl Iterator<Item = (KernelId, &Kernel)> {
        self.kernels.iter().enumerate().map(|(i, k)| (KernelId(i), k))
    }
    /// The kernel of that id; ids come from this library.
    pub fn kernel(&self, id: KernelId) -> &Kernel {
        &self.kernels[id.0]
    }
    /// The C source of a kernel, with the path a user knows it by.
    ///
    /// # Errors
    /// The file is not text.
    pub fn source(&self, manifest: &Manifest) -> Result<(&str, String)> {
        self.file(&manifest.folder, &manifest.source)
    }
    /// The call template of a kernel, with the path a user knows it by.
    ///
    /// # Errors
    /// The file is not text.
    pub fn template(&self, manifest: &Manifest) -> Result<(&str, String)> {
        self.file(&manifest.folder, &manifest.template)
    }
    /// A file beside a manifest, or else anywhere on the search path (so that targets share headers).
    ///
    /// # Errors
    /// There is no such file, or it is not text.
    pub fn file(&self, folder: &str, name: &str) -> Result<(&str, String)> {
        let path = self.find(folder, name).ok_or_else(|| {
            Diagnostic::invalid(format!("there is no file `{name}` in {}", self.folders.join(", ")))
        })?;
        Ok((self.tree.text(&path)?, self.tree.origin(&path)))
    }
    /// Whether [`Library::file`] would find a file.
    pub fn has_file(&self, folder: &str, name: &str) -> bool {
        self.find(folder, name).is_some()
    }

    fn find(&self, folder: &str, name: &str) -> Option<String> {
        std::iter::once(folder)
            .chain(self.folders.iter().map(String::as_str))
            .map(|f| format!("{f}/{name}"))
            .find(|path| self.tree.get(path).is_some())
    }

    fn read(&self, file: &str, folder: &str, name: &str) -> Result<Manifest> {
        let origin = self.tree.origin(file);
        let manifest = Manifest::parse(self.tree.text(file)?, folder, name, &origin)?;
        let mut faults = Diagnostics::default();
        let named = [&manifest.source, &manifest.template];
        for file in named.into_iter().chain(&manifest.headers) {
            if !self.has_file(folder, file) {
                faults.push(Diagnostic::invalid(format!(
                    "{origin}: names the file `{file}`, which does not exist"
                )));
            }
        }
        faults.into_result(manifest)
    }
}
