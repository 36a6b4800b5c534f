//! The passes: graph in, equivalent graph out.
//!
//! In: a sound graph. Out: a sound graph with the same interface that computes the same. Integers stay
//! bit-exact; what floats may lose is said in the pass. Never knows memory sizes or kernels' names.

use std::time::{Duration, Instant};

use crate::diag::{Diagnostic, Diagnostics, Kind, Result};
use crate::ir::{Graph, text, verify};

mod batch_norm;
mod constant_folding;
mod data_movement;
mod dead_code;
mod epilogue;
mod fuse_activation;
mod fuse_bias;
mod fuse_requant;
mod fuse_transpose;
mod integer_regions;
mod kinds;
mod layout;
mod legalise_outputs;
mod lookup;
mod no_ops;
mod padding;
mod quantise;
mod sweep;
mod uniform_requant;

/// One step of the pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Its name, as options and golden tests use it.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    run: fn(&mut Graph) -> Result<bool>,
}

impl Pass {
    /// Runs the pass alone; whether it changed anything.
    ///
    /// # Errors
    /// What the pass could not do; the graph is then in no particular state.
    pub fn run(&self, graph: &mut Graph) -> Result<bool> {
        (self.run)(graph)
    }
}

macro_rules! pipeline {
    ($($name:ident: $about:literal),* $(,)?) => {
        /// Every pass, in the order they run; a pass may stand here more than once.
        pub const PIPELINE: &[Pass] =
            &[$(Pass { name: stringify!($name), about: $about, run: $name::run }),*];
    };
}

pipeline! {
    constant_folding: "compute at compile time what needs no input",
    dead_code: "drop nodes whose results nobody reads",
    no_ops: "drop operators that change nothing",
    data_movement: "merge reshapes and transposes",
    quantise: "recognise quantisation written out as float chains",
    integer_regions: "compute on integers between quantisation and dequantisation",
    quantise: "recognise dequantisation behind the integer regions",
    dead_code: "drop the casts that integer regions left unread",
    batch_norm: "fold batch normalisation into weights",
    padding: "fold Pad into the windows behind it",
    fuse_transpose: "let products read operands transposed",
    fuse_bias: "fold additions of constants into biases",
    uniform_requant: "keep one multiplier and addend where all channels have the same",
    fuse_requant: "requantise accumulators where they are made",
    lookup: "replace chains on 8-bit tensors by tables",
    fuse_activation: "clip floats where they are made",
    layout: "convolutions and pools on channels last",
    data_movement: "merge what the layout left",
    no_ops: "drop operators that change nothing",
    constant_folding: "compute what the passes left constant",
    dead_code: "drop what the passes left unread",
    legalise_outputs: "give every graph output a tensor of its own",
}

/// The pass of that name.
pub fn find(name: &str) -> Option<&'static Pass> {
    PIPELINE.iter().find(|p| p.name == name)
}

/// What to do besides running every pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Give the graph's text to the observer after these passes (`all`: after each that changed something).
    pub print_after: Vec<String>,
    /// Stop behind the first pass of this name.
    pub stop_after: Option<String>,
    /// Leave these passes out.
    pub skip: Vec<String>,
    /// Verify the graph after each pass; debug builds always do.
    pub verify_each: bool,
}

/// What one pass did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The pass.
    pub pass: &'static str,
    /// Whether it changed the graph.
    pub changed: bool,
    /// How long it took.
    pub time: Duration,
    /// Nodes behind it.
    pub nodes: usize,
    /// The graph behind it, if it was asked for.
    pub text: Option<String>,
}

/// Runs the pipeline; `observer` hears of every pass as it ends.
///
/// # Errors
/// An option names no pass, a pass fails, or it leaves the graph unsound (an internal fault).
pub fn run(mut graph: Graph, options: &Options, observer: &mut dyn FnMut(&Report)) -> Result<Graph> {
    check_names(options)?;
    for pass in PIPELINE {
        if options.skip.iter().any(|s| s == pass.name) {
            continue;
        }
        let start = Instant::now();
        let changed = pass.run(&mut graph)?;
        let time = start.elapsed();
        if changed && (options.verify_each || cfg!(debug_assertions)) {
            still_sound(&graph, pass)?;
        }
        let wanted = |s: &String| s == pass.name || (s == "all" && changed);
        let text = options.print_after.iter().any(wanted).then(|| text::print(&graph));
        observer(&Report { pass: pass.name, changed, time, nodes: graph.node_count(), text });
        if options.stop_after.as_deref() == Some(pass.name) {
            break;
        }
    }
    Ok(graph)
}

fn check_names(options: &Options) -> Result<()> {
    let mut faults = Diagnostics::default();
    let names = options.print_after.iter().filter(|s| *s != "all");
    for name in names.chain(&options.stop_after).chain(&options.skip) {
        if find(name).is_none() {
            let mut known: Vec<_> = PIPELINE.iter().map(|p| p.name).collect();
            known.sort_unstable();
            known.dedup();
            faults.push(
                Diagnostic::invalid(format!("there is no pass `{name}`"))
                    .help(format!("the passes are: {}", known.join(", "))),
            );
        }
    }
    faults.into_result(())
}

fn still_sound(graph: &Graph, pass: &Pass) -> Result<()> {
    let mut faults = verify::check(graph);
    for d in &mut faults.0 {
        d.kind = Kind::Internal;
        d.message = format!("after pass {}: {}", pass.name, d.message);
        d.help = Diagnostic::internal("").help;
    }
    faults.into_result(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_name_passes() {
        let options = Options { stop_after: Some("nonsense".into()), ..Options::default() };
        let e = run(Graph::new("g"), &options, &mut |_| {}).unwrap_err();
        assert_eq!(e.exit_code(), 3);
        assert!(
            e.to_string()
                .starts_with("error[invalid]: there is no pass `nonsense`\n  help: the passes are: ")
        );
    }

    #[test]
    fn stops_prints_and_skips() {
        let source = "graph g(%x: s8[1]) -> (y = %y) { %y: s8[1] = Relu(%x) %z: s8[1] = Relu(%x) }";
        let graph = text::parse(source).unwrap();
        let options = Options {
            skip: vec!["constant_folding".into()],
            print_after: vec!["all".into()],
            ..Options::default()
        };
        let mut reports = vec![];
        let after = run(graph.clone(), &options, &mut |r| reports.push(r.clone())).unwrap();
        assert!(reports.iter().all(|r| r.pass != "constant_folding"));
        let dead = reports.iter().find(|r| r.pass == "dead_code" && r.changed).unwrap();
        assert_eq!((dead.nodes, dead.text.clone().unwrap()), (1, text::print(&after)));
        let options = Options { stop_after: Some("constant_folding".into()), ..Options::default() };
        assert_eq!(run(graph, &options, &mut |_| {}).unwrap().node_count(), 2);
    }
}
