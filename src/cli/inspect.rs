//! `tilewright inspect`: a network as the compiler sees it.

use super::args::InspectArgs;
use super::{options, print};
use crate::diag::Result;
use crate::driver;
use crate::ir::text;

/// Runs the command.
///
/// # Errors
/// What the front end or a pass found.
pub fn inspect(args: &InspectArgs) -> Result<u8> {
    let mut compile = options::compile(&args.options);
    compile.data = options::sibling_data(&args.model)?;
    let as_loaded = args.after.as_deref() == Some("import");
    if let Some(pass) = args.after.as_ref().filter(|_| !as_loaded) {
        compile.passes.stop_after = Some(pass.clone());
    }
    let (optimised, stages) = driver::optimise(&args.model, &compile)?;
    options::trace(&args.options, &stages, &optimised.passes);
    options::notes(&args.options, &optimised.warnings);
    let graph = if as_loaded { &optimised.imported } else { &optimised.graph };
    let shown = if args.dot { text::dot(graph) } else { text::print(graph) };
    print(shown.trim_end())?;
    Ok(0)
}
