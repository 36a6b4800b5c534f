//! The kernel library: every kernel on a platform's search path, in a fixed order.
//!
//! In: a kernel [`Tree`] and a [`Platform`]. Out: a [`Library`] of checked manifests with their sources and
//! templates. Never knows graphs.

use std::collections::{BTreeMap, BTreeSet};

use super::assignment::Choice;
use super::assignment::KernelId;
use super::costs::{self, EngineCosts};
use super::expr::Expr;
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
    /// How many cores can share its work: those of the engine, or one.
    pub cores: u32,
    /// How all cores share it though it was written for one, where the platform knows.
    pub shared: Option<Shared>,
    /// What a call costs on this engine, where the platform knows.
    pub costs: Option<EngineCosts>,
    /// Arguments of the call.
    pub arguments: usize,
}

impl Kernel {
    fn cold(&self) -> Option<u64> {
        self.costs.as_ref().and_then(|s| s.cold).or(self.manifest.cold)
    }
}

/// The platform's call of a kernel that was written for one core, by all cores.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The call template in the tree, which takes the place of the manifest's.
    path: String,
    /// How many pieces the template can cut the work into.
    pub shares: Expr,
}

/// All kernels a platform can use.
#[derive(Clone, Debug)]
pub struct Library {
    kernels: Vec<Kernel>,
    folders: Vec<String>,
    tree: Tree,
}

impl Library {
    /// Predicted cycles of a chosen kernel on all the cores that share its work. The cost in the manifest of a kernel that was
    /// written for one core is that of one core: unless the platform knows better, that of the core with most shares, which is
    /// the last to end.
    pub fn cycles(&self, choice: &Choice) -> Option<u64> {
        if !choice.links.is_empty() {
            return choice.links.iter().map(|link| self.cycles(&link.choice)).sum();
        }
        let kernel = self.kernel(choice.kernel);
        choice.engine_cycles.or(choice.cycles.map(|cycles| match choice.shares {
            Some(shares) => cycles.saturating_mul(shares.div_ceil(u64::from(kernel.cores))).div_ceil(shares),
            None => cycles,
        }))
    }

    /// The C functions that a choice calls, by stem and types, with the cycles to bring the code of each into the instruction
    /// cache, where a manifest knows them.
    pub fn code(&self, choice: &Choice) -> Vec<(String, Option<u64>)> {
        let call = |c: &&Choice| {
            let kernel = self.kernel(c.kernel);
            (format!("{} {:?}", kernel.manifest.kernel, c.types), kernel.cold())
        };
        choice.calls().iter().map(call).collect()
    }

    /// Arguments of all calls of a choice.
    pub fn arguments(&self, choice: &Choice) -> usize {
        choice.calls().iter().map(|c| self.kernel(c.kernel).arguments).sum()
    }

    /// The names of the kernels that a choice calls.
    pub fn names(&self, choice: &Choice) -> String {
        let calls = choice.calls();
        let mut names: Vec<&str> = Vec::new();
        for call in calls {
            let name = self.kernel(call.kernel).manifest.name.as_str();
            // Of layers computed row by row there are many: each kernel is named once.
            if !choice.streamed || !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(" + ")
    }

    /// Whether all cores of the engine make every call of a choice.
    pub fn parallel(&self, choice: &Choice) -> bool {
        choice.calls().iter().all(|c| c.shares.is_some() || self.kernel(c.kernel).manifest.parallel)
    }

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
        let costs = costs(tree, platform, &mut faults);
        for (rank, (folder, engine)) in path.iter().enumerate() {
            let other = |f: &&str| !["/platform.toml", "/family.toml"].iter().any(|end| f.ends_with(end));
            for file in tree.list(folder).filter(|f| f.ends_with(".toml")).filter(other) {
                let name = file[folder.len() + 1..].trim_end_matches(".toml");
                if hidden.contains(name) {
                    continue;
                }
                if tree.overlays().contains(folder) {
                    hidden.insert(name.to_string());
                }
                let read = library.read(file, folder, name);
                match read.and_then(|manifest| adapted(tree, platform, manifest, *engine, rank)) {
                    Ok(mut kernel) => {
                        kernel.costs = costs.get(&(*engine, kernel.manifest.name.clone())).cloned();
                        let template = library.template(&kernel, true);
                        kernel.arguments = template.map_or(0, |(text, _)| arguments(text));
                        library.kernels.push(kernel);
                    }
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
    /// The call template of a kernel, with the path a user knows it by: that for all cores if they `share` it and the platform
    /// has one.
    ///
    /// # Errors
    /// The file is not text.
    pub fn template(&self, kernel: &Kernel, share: bool) -> Result<(&str, String)> {
        match kernel.shared.as_ref().filter(|_| share) {
            Some(shared) => Ok((self.tree.text(&shared.path)?, self.tree.origin(&shared.path))),
            None => self.file(&kernel.manifest.folder, &kernel.manifest.template),
        }
    }
    /// Every file of the targets.
    pub fn tree(&self) -> &Tree {
        &self.tree
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

/// Arguments of the longest call in a template.
fn arguments(template: &str) -> usize {
    let calls = template.split("{{kernel}}(").skip(1).filter_map(|call| call.split(");").next());
    calls.map(|call| call.split(',').count()).max().unwrap_or(0)
}

/// The kernel on its engine, and how all cores share it if the engine has a call template for that.
///
/// # Errors
/// That template does not say into how many pieces it cuts the work.
fn adapted(
    tree: &Tree,
    platform: &Platform,
    manifest: Manifest,
    engine: usize,
    rank: usize,
) -> Result<Kernel> {
    let place = platform.engines.get(engine);
    let path = place
        .and_then(|e| e.parallel.as_ref())
        .map(|folder| format!("{folder}/{}/{}", manifest.folder, manifest.template));
    let shared = match path.filter(|p| !manifest.parallel && tree.get(p).is_some()) {
        Some(path) => Some(Shared { shares: shares(tree, &path)?, path }),
        None => None,
    };
    let parallel = manifest.parallel || shared.is_some();
    let cores = place.filter(|_| parallel).map_or(1, |e| e.cores.max(1));
    Ok(Kernel { manifest, engine, rank, cores, shared, costs: None, arguments: 0 })
}

/// The expression in the first line of a call template for all cores.
fn shares(tree: &Tree, path: &str) -> Result<Expr> {
    let first = tree.text(path)?.lines().next().unwrap_or_default();
    let fault = |message: &str| Diagnostic::invalid(format!("{}:1: {message}", tree.origin(path)));
    let text = first.strip_prefix("{{! shares: ").and_then(|rest| rest.strip_suffix(" }}"));
    let text = text.ok_or_else(|| {
        fault("a call template for all cores begins with `{{! shares: EXPRESSION }}`: how many pieces the work has")
    })?;
    Expr::parse(text).map_err(|e| fault(&format!("`{text}`: {}", e.message)).into())
}

/// What each engine's calls by all cores cost, by engine and kernel.
fn costs(
    tree: &Tree,
    platform: &Platform,
    faults: &mut Diagnostics,
) -> BTreeMap<(usize, String), EngineCosts> {
    let mut all = BTreeMap::new();
    for (i, engine) in platform.engines.iter().enumerate() {
        let file = engine.parallel.as_ref().map(|folder| format!("{folder}/{}", costs::FILE));
        let Some(file) = file.filter(|f| tree.get(f).is_some()) else { continue };
        match tree.text(&file).and_then(|text| costs::parse(text, &tree.origin(&file))) {
            Ok(found) => all.extend(found.into_iter().map(|(name, shared)| ((i, name), shared))),
            Err(found) => faults.0.extend(found.0),
        }
    }
    all
}
