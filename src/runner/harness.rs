//! The program that calls a network on this machine.
//!
//! In: a compiled network. Out: the text of a C file, from `kernels/<target>/runtime/harness.c.hbs`. Never part of
//! what users get.

use handlebars::Handlebars;
use serde_json::{Value as Json, json};

use crate::diag::{Diagnostic, Result};
use crate::driver::Compiled;
use crate::emit::Port;

/// The harness of a network.
///
/// # Errors
/// The target has no harness, or its template is malformed.
pub fn render(compiled: &Compiled) -> Result<String> {
    let path = compiled.target.platform.file(&compiled.target.tree, "runtime/harness.c.hbs")?;
    let template = compiled.target.tree.text(&path)?;
    let api = &compiled.sources.api;
    let ports = |kind: &str, ports: &[Port]| -> Vec<Json> {
        let last = ports.len().saturating_sub(1);
        let one = |(index, port): (usize, &Port)| {
            let accessor = format!("{}_{kind}_{}", api.net, port.symbol);
            json!({ "index": index, "last": index == last, "accessor": accessor, "bytes": port.ty.bytes() })
        };
        ports.iter().enumerate().map(one).collect()
    };
    let context = json!({
        "net": api.net,
        "caller": api.caller,
        "inputs": ports("input", &api.inputs),
        "outputs": ports("output", &api.outputs),
    });
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(handlebars::no_escape);
    engine
        .render_template(template, &context)
        .map_err(|e| Diagnostic::invalid(format!("{}: {e}", compiled.target.tree.origin(&path))).into())
}
