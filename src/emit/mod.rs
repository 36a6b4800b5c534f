//! Emission: C sources, build file and report of a checked network.
//!
//! In: a verified graph, its assignment, a checked plan. Out: [`Sources`], the same bytes for the same input.
//! Never decides: no tile or size arithmetic, no choice of kernels.

mod api;
mod call;
mod kernel;
mod literal;
pub mod names;
mod network;
mod report;
mod runtime;
mod streamed;
mod template;
mod tiled;
mod traffic;
mod transfers;
mod weights;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

pub use api::{Api, Port};
pub use network::arena_name;
pub use report::{Layer, MemoryUse, Report, Streams, Totals};
pub use traffic::{Moved, Tiles};
pub use write::write;

use self::kernel::Kernels;
use self::names::Names;
use self::network::Network;
use self::runtime::Parts;
use self::template::Templates;
use self::weights::Weights;
use crate::diag::Result;
use crate::ir::Verified;
use crate::targets::platform::Memory;
use crate::targets::{Assignment, Choice, Library, Platform};
use crate::tiling::CheckedPlan;

/// How to emit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The network's name, prefix of every symbol; see [`names::network_name`] and [`names::identifier`].
    pub name: String,
}

/// The file that an external memory holds at the start: constants.
pub const IMAGE: &str = "external.bin";

/// A program that calls the network, for people to read; no part of it.
pub const EXAMPLE: &str = "example/main.c";

/// What was emitted.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Files by path below the output folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// How to call the network.
    pub api: Api,
    /// What is in it (also the file `report.json`).
    pub report: Report,
}

/// Emits a network.
///
/// # Errors
/// The name is no identifier, or a call template or kernel source is faulty.
pub fn render(
    graph: &Verified,
    assignment: &Assignment,
    plan: &CheckedPlan,
    library: &Library,
    platform: &Platform,
    options: &Options,
) -> Result<Sources> {
    let net = names::network_name(&options.name)?;
    let mut kernels = Kernels::default();
    let mut locals = Names::default();
    let computed = plan.order.iter().filter(|id| !plan.elided.contains(id));
    for choice in computed.filter_map(|id| assignment.choices.get(id)).flat_map(Choice::calls) {
        kernels.add(&net, library, choice)?;
        let (template, _) = library.template(library.kernel(choice.kernel), choice.shares.is_some())?;
        names::declared(template).into_iter().for_each(|name| locals.reserve(name));
    }
    if !plan.streams.is_empty() {
        streamed::DECLARED.into_iter().for_each(|name| locals.reserve(name));
    }
    let api = Api::new(graph, &net, plan.interface, locals);
    let mut names = Names::default();
    api.reserve(&mut names);
    for symbol in kernels.variants.keys() {
        names.unique(&symbol[net.len() + 1..]);
    }
    let runtime = Parts::of(library, platform)?;
    let wanted = runtime.headers.iter().map(|h| (h.clone(), platform.name.clone())).collect();
    kernels.add_headers(library, &platform.name, wanted)?;
    let weights = Weights::collect(graph, plan, assignment, &net, &mut names);
    let placement = |m: &Memory| m.placement.clone().map(|p| (m.name.clone(), p));
    let placements = platform.memories.iter().filter_map(placement).collect();
    let (around, tiles) = (runtime.call.clone(), runtime.tiled.clone());
    let network = Network {
        graph,
        assignment,
        plan,
        library,
        api: &api,
        weights: &weights,
        net: &net,
        around,
        tiles,
        placements,
    };
    let mut templates = Templates::default();
    let mut body = network.body(&mut kernels, &mut templates, &mut names)?;
    // The widest element is 8 bytes; weights are aligned one by one.
    let alignment = platform.defaults.alignment.max(8);
    let mut context = network::context(&network, &mut body, &platform.name, alignment)?;
    extend(&mut context, &kernels, platform);
    runtime.extend(&mut context, platform);
    context.insert("outside".into(), json!(plan.outside.is_some()));
    context.insert("loads".into(), json!(!plan.loads.is_empty()));

    let mut files = BTreeMap::new();
    let context = Json::Object(context);
    own_files(&runtime, &mut templates, &context, &mut files)?;
    files.extend(runtime.render(&mut templates, &context)?);
    files.insert("Weights.c".into(), weights.source(graph, &net, platform.defaults.alignment));
    files.insert("Weights.h".into(), weights.header(&net, platform.defaults.alignment));
    if !plan.loads.is_empty() {
        files.insert(IMAGE.into(), Weights::image(graph, plan, assignment));
    }
    for variant in kernels.variants.values() {
        files.insert(variant.path.clone(), variant.text.clone().into_bytes());
    }
    for (name, text) in &kernels.headers {
        files.insert(format!("kernels/{name}"), text.clone().into_bytes());
    }
    let mut report = Report::new(graph, assignment, plan, library, platform, &api, &weights);
    report.files = files.keys().cloned().chain(["report.json".to_string()]).collect();
    report.files.sort();
    files.insert("report.json".into(), report.json().into_bytes());
    Ok(Sources { files, api, report })
}

/// Renders the files that every network has.
fn own_files(
    runtime: &Parts,
    templates: &mut Templates,
    context: &Json,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<()> {
    let own = [
        ("Network.h", include_str!("templates/Network.h.hbs")),
        ("Network.c", include_str!("templates/Network.c.hbs")),
        ("kernels/kernels.h", include_str!("templates/kernels.h.hbs")),
    ];
    let makefile = runtime.makefile.clone();
    let makefile =
        makefile.unwrap_or_else(|| ("Makefile".into(), include_str!("templates/Makefile.hbs").into()));
    // Where layers are computed in parts, the network is nothing without the target's runtime.
    let package = [
        ("CMakeLists.txt", include_str!("templates/CMakeLists.txt.hbs")),
        (EXAMPLE, include_str!("templates/example.c.hbs")),
    ];
    let package = package.into_iter().filter(|_| runtime.tiled.is_none());
    for (path, text) in own.into_iter().chain(package).chain([("Makefile", makefile.1.as_str())]) {
        // A fault in a platform's Makefile is shown under its own name.
        let known = if path == "Makefile" { makefile.0.as_str() } else { path };
        templates.add(known, text)?;
        files.insert(path.to_string(), templates.render(known, text, context)?.text.into_bytes());
    }
    Ok(())
}

/// Adds what only `kernels.h` and the Makefile need.
fn extend(context: &mut Map<String, Json>, kernels: &Kernels, platform: &Platform) {
    let prototypes: Vec<&str> = kernels.variants.values().map(|v| v.prototype.as_str()).collect();
    // A prototype that names a type of ours needs the header that defines it.
    let own_types = prototypes.iter().any(|p| p.contains("struct ") || p.contains("tw_"));
    let includes: BTreeSet<&String> =
        if own_types { kernels.headers.keys().collect() } else { BTreeSet::new() };
    let sources = ["Network.c", "Weights.c"].into_iter().map(str::to_string);
    let sources: Vec<String> = sources.chain(kernels.variants.values().map(|v| v.path.clone())).collect();
    context.insert("prototypes".into(), json!(prototypes));
    context.insert("includes".into(), json!(includes));
    context.insert("sources".into(), json!(sources));
    context.insert("cc".into(), json!(platform.toolchain.cc.join(" ")));
    context.insert("cflags".into(), json!(platform.toolchain.cflags.join(" ")));
    // What the sources need or gain by; what warns and what measures is for the project.
    let needed = |f: &&String| !f.starts_with("-W") && !f.starts_with("-D") && *f != "-pedantic";
    let needed: Vec<&str> = platform.toolchain.cflags.iter().filter(needed).map(String::as_str).collect();
    context.insert("library_cflags".into(), json!(needed.join(" ")));
    context.insert("mathematics".into(), json!(platform.toolchain.ldflags.iter().any(|f| f == "-lm")));
}

#[cfg(test)]
mod tests;
