//! `tilewright targets`: platforms, memories, kernels.

use serde_json::json;

use super::args::TargetsArgs;
use super::print;
use super::style::{Stream, bytes, grouped, table};
use crate::diag::Result;
use crate::driver::{Target, load_target};
use crate::targets::Tree;

/// Runs the command.
///
/// # Errors
/// A platform or manifest is malformed.
pub fn targets(args: &TargetsArgs) -> Result<u8> {
    let mut tree = Tree::embedded();
    for dir in &args.kernels {
        tree.add_dir(dir)?;
    }
    let loaded: Vec<Target> =
        tree.targets().iter().map(|name| load_target(name, &args.kernels)).collect::<Result<_>>()?;
    if args.json {
        let list: Vec<_> = loaded
            .iter()
            .map(|t| {
                let kernels: Vec<_> = t.library.kernels().map(|(_, k)| &k.manifest.name).collect();
                json!({ "platform": t.platform, "kernels": kernels })
            })
            .collect();
        print(json!({ "targets": list }))?;
        return Ok(0);
    }
    let mut rows = table(Stream::Out, &["target", "what", "memories", "kernels"], &[3]);
    for target in &loaded {
        let memories: Vec<String> = target
            .platform
            .memories
            .iter()
            .map(|m| format!("{} {}", m.name, m.size.map_or("without limit".into(), bytes)))
            .collect();
        rows.add_row([
            target.platform.name.clone(),
            target.platform.description.clone(),
            memories.join(", "),
            grouped(target.library.kernels().count() as u64),
        ]);
    }
    print(rows)?;
    if args.verbose {
        for target in &loaded {
            print(kernels(target))?;
        }
    }
    Ok(0)
}

fn kernels(target: &Target) -> comfy_table::Table {
    let mut rows = table(Stream::Out, &["kernel", "operator", "cores", "element types", "requires"], &[2]);
    for (_, kernel) in target.library.kernels() {
        let m = &kernel.manifest;
        let types: Vec<String> = m
            .types
            .iter()
            .map(|(name, allowed)| {
                let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
                format!("{name}: {}", allowed.join(" "))
            })
            .collect();
        let requires: Vec<String> = m.requires.iter().map(|r| r.text().to_string()).collect();
        let cores = kernel.cores.to_string();
        rows.add_row([m.name.clone(), m.ops.join(", "), cores, types.join(", "), requires.join(", ")]);
    }
    rows
}
