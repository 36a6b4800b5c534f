//! `Network.c` and `Network.h`: one commented call per node, and the interface.
//!
//! In: graph, choices and plan, all checked. Out: text. Never decides where anything lies or what computes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::api::{Api, Port};
use super::call::{self, Site};
use super::kernel::Kernels;
use super::names::{Names, comment};
use super::template::Templates;
use super::transfers::Transfers;
use super::weights::Weights;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::ir::{Graph, Node, NodeId, Op, TensorId, TensorType};
use crate::targets::{Assignment, Choice, Library, Packing};
use crate::tiling::{AliasKind, Home, Interface, Plan};

/// Columns after which a call is broken.
const MARGIN: usize = 110;

/// Everything the text is made of.
pub struct Network<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// The kernels chosen.
    pub assignment: &'a Assignment,
    /// The plan.
    pub plan: &'a Plan,
    /// Where the kernels are from.
    pub library: &'a Library,
    /// The interface.
    pub api: &'a Api,
    /// The constants.
    pub weights: &'a Weights,
    /// The network's name.
    pub net: &'a str,
    /// The template of what stands around a call, where the platform has one: path and text.
    pub around: Option<(String, String)>,
    /// What C says to have an array placed in a memory, by its name, where the platform knows.
    pub placements: BTreeMap<String, String>,
    /// The template of a layer in parts, where the platform has one: path and text.
    pub tiles: Option<(String, String)>,
}

/// The body of `Network.c`.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Definitions at file scope.
    pub hoisted: Vec<String>,
    /// Statements of the run function, indented, with their comments.
    pub statements: Vec<String>,
    /// Arenas the text uses.
    pub arenas: BTreeSet<usize>,
    /// Caller's buffers the text uses.
    pub ports: BTreeSet<String>,
}

impl Network<'_> {
    /// Renders the call of every node in the plan's order.
    ///
    /// # Errors
    /// Every fault in every call template.
    pub fn body(&self, kernels: &mut Kernels, templates: &mut Templates, names: &mut Names) -> Result<Body> {
        let mut body = Body::default();
        let mut faults = Diagnostics::default();
        let total = self.plan.order.len();
        let mut layer = 0;
        for (i, id) in self.plan.order.iter().enumerate() {
            let node = self.graph.node(*id);
            let step = format!("{}/{total}", i + 1);
            let elided = self.plan.elided.contains(id);
            if !elided {
                layer += 1;
            }
            match (elided, self.assignment.choices.get(id)) {
                (true, _) => body.statements.push(self.elided(*id, node, &step)),
                (false, None) => faults.push(
                    Diagnostic::internal("is neither computed nor left out").at(&node.name, node.op.name()),
                ),
                (false, Some(choice)) => {
                    let name = self.call_name(node, names);
                    let tiled = self.plan.tiled.get(id);
                    let calls = match tiled {
                        Some(tiled) => {
                            let text = self.tiled(*id, tiled, &name, kernels, templates, &mut body);
                            text.map(|t| {
                                body.hoisted.extend(t.hoisted);
                                vec![json!({ "text": t.statements.trim(), "parallel": true, "tables": t.tables })]
                            })
                        }
                        None if self.plan.streams.contains_key(id) => {
                            self.streamed(*id, &name, kernels, templates, &mut body)
                        }
                        None => self.call(*id, &name, kernels, templates, &mut body),
                    };
                    let transfers = self.transfers(layer - 1, tiled.is_some(), &mut body);
                    let around = transfers.and_then(|t| {
                        calls.and_then(|calls| self.surround(&calls, i, tiled.is_some(), &t, templates))
                    });
                    match around {
                        Ok(text) => {
                            let note = self.comment(*id, node, choice, &step);
                            body.statements.push(format!("{note}\n{text}\n"));
                        }
                        Err(found) => faults.0.extend(found.0),
                    }
                }
            }
        }
        match self.last_transfers(layer, templates, &mut body) {
            Ok(Some(text)) => body.statements.push(text),
            Ok(None) => {}
            Err(found) => faults.0.extend(found.0),
        }
        if let Err(found) = self.copy_outputs(templates, &mut body) {
            faults.0.extend(found.0);
        }
        if let Some(last) = body.statements.last_mut() {
            last.truncate(last.trim_end().len());
        }
        faults.into_result(body)
    }

    /// A name for a node whose `<net>_<name>_…` cannot be the name of a table.
    fn call_name(&self, node: &Node, names: &mut Names) -> String {
        let plain = names.unique(&node.name);
        let prefix = format!("{}_{plain}_", self.net);
        if self.weights.tables.iter().any(|t| t.symbol.starts_with(&prefix)) {
            names.unique(&format!("{plain}_call"))
        } else {
            plain
        }
    }

    /// The calls of a layer that is computed at once.
    fn call(
        &self,
        id: NodeId,
        name: &str,
        kernels: &mut Kernels,
        templates: &mut Templates,
        body: &mut Body,
    ) -> Result<Vec<Json>> {
        let node = self.graph.node(id);
        let Some(choice) = self.assignment.choices.get(&id) else { return Ok(Vec::new()) };
        let mut streams = Vec::new();
        for (s, t) in node.inputs.iter().chain(&node.outputs).enumerate() {
            let packing = choice.packing(s).filter(|_| s < node.inputs.len());
            streams.push(self.tensor(id, s, *t, packing, body)?);
        }
        let results = streams.split_off(node.inputs.len());
        let scratch = match self.plan.scratch.get(&id) {
            Some(home) => format!("(void *){}", self.place(*home, None, true, body)),
            None => "NULL".into(),
        };
        let site = Site { node, op: &node.op, choice, name, operands: streams, results, scratch };
        let calls = self.calls(&site, kernels, templates)?;
        for hoisted in calls.hoisted {
            if !body.hoisted.contains(&hoisted) {
                body.hoisted.push(hoisted);
            }
        }
        Ok(calls.list)
    }

    /// The statements of a layer's calls with what the platform puts around them; `index` counts the plan's steps from 0.
    pub fn surround(
        &self,
        calls: &[Json],
        index: usize,
        parts: bool,
        transfers: &Transfers,
        templates: &mut Templates,
    ) -> Result<String> {
        let Some((path, text)) = &self.around else {
            let texts: Vec<&str> = calls.iter().filter_map(|c| c["text"].as_str()).collect();
            return Ok(indent(&texts.join("\n")));
        };
        templates.add(path, text)?;
        let context = json!({
            "calls": calls, "index": index, "parts": parts, "starts": transfers.starts,
            "blocking": transfers.blocking, "awaited": transfers.awaited,
            "outside": transfers.outside, "arrived": transfers.arrived, "loaded": transfers.loaded,
        });
        Ok(indent(&templates.render(path, text, &context)?.text))
    }

    /// What a template sees of stream `stream` of a node: `id`, where it is or where it is staged.
    fn tensor(
        &self,
        node: NodeId,
        stream: usize,
        id: TensorId,
        packing: Option<Packing>,
        body: &mut Body,
    ) -> Result<Json> {
        let ty = &self.graph.tensor(id).ty;
        let written = stream >= self.graph.node(node).inputs.len();
        let pointer = match self.plan.staged.get(&(node, stream)) {
            Some(staged) => self.place(staged.home, Some(ty), written, body),
            None => self.outside(node, stream, id, packing, self.plan.layer(node), body)?,
        };
        Ok(call::tensor(ty, &pointer))
    }

    /// A C expression for a stream of a node where it is, as layer `layer` runs, when it is not staged.
    ///
    /// # Errors
    /// The tensor has no home.
    pub fn outside(
        &self,
        node: NodeId,
        stream: usize,
        id: TensorId,
        packing: Option<Packing>,
        layer: usize,
        body: &mut Body,
    ) -> Result<String> {
        let written = stream >= self.graph.node(node).inputs.len();
        match self.plan.external.get(&(node, stream)) {
            Some(external) => Ok(self.place(external.home, Some(&self.graph.tensor(id).ty), written, body)),
            None => self.pointer(id, packing, written, layer, body),
        }
    }

    /// A C expression of type `const T *`, or `T *` if it is written.
    ///
    /// # Errors
    /// The tensor has no home.
    pub fn pointer(
        &self,
        id: TensorId,
        packing: Option<Packing>,
        written: bool,
        layer: usize,
        body: &mut Body,
    ) -> Result<String> {
        if let Some(symbol) = self.weights.symbol(id, packing) {
            return Ok(symbol.to_string());
        }
        match self.plan.home(id, layer) {
            Some(home) => Ok(self.place(home, Some(&self.graph.tensor(id).ty), written, body)),
            None => {
                let name = &self.graph.tensor(id).name;
                Err(Diagnostic::internal(format!("tensor `{name}` has no home")).into())
            }
        }
    }

    /// A C expression for a place: of the type of its elements, or of bytes.
    pub fn place(&self, home: Home, ty: Option<&TensorType>, written: bool, body: &mut Body) -> String {
        let qualifier = if written { "" } else { "const " };
        let (base, offset, own) = match home {
            Home::Arena { arena, offset } => {
                body.arenas.insert(arena);
                (arena_name(self.plan, arena), offset, None)
            }
            Home::Input { index, offset } => self.buffer(&self.api.inputs, index, offset, body),
            Home::Output { index, offset } => self.buffer(&self.api.outputs, index, offset, body),
        };
        if offset == 0 && ty.is_some() && own.as_ref() == ty.map(|t| t.dtype.c_type()).as_ref() {
            return base;
        }
        let bytes = if own.is_none() { base } else { format!("({qualifier}uint8_t *){base}") };
        match ty {
            Some(ty) => format!("({qualifier}{} *)({bytes} + {offset})", ty.dtype.c_type()),
            None => format!("({bytes} + {offset})"),
        }
    }

    fn buffer<'p>(
        &self,
        ports: &'p [Port],
        index: usize,
        offset: usize,
        body: &mut Body,
    ) -> (String, usize, Option<&'p str>) {
        match ports.get(index) {
            Some(port) => {
                body.ports.insert(port.symbol.clone());
                (port.symbol.clone(), offset, Some(port.ty.dtype.c_type()))
            }
            None => (String::new(), offset, None),
        }
    }

    /// Copies outputs that are not where the caller wants them: constants, inputs passed through, repeats.
    fn copy_outputs(&self, templates: &mut Templates, body: &mut Body) -> Result<()> {
        if self.plan.interface != Interface::Caller {
            return Ok(());
        }
        for (index, port) in self.api.outputs.iter().enumerate() {
            let there = self.plan.homes.get(&port.tensor) == Some(&Home::Output { index, offset: 0 });
            if there || port.ty.bytes() == 0 {
                continue;
            }
            if let Ok(from) = self.pointer(port.tensor, None, false, self.plan.runs().len(), body) {
                body.ports.insert(port.symbol.clone());
                let (name, bytes) = (comment(&port.name), port.ty.bytes());
                let copy = format!("memcpy({}, {from}, {bytes});", port.symbol);
                let copy = json!({ "text": copy, "parallel": false });
                let index = self.plan.order.len() + index;
                let copy = self.surround(&[copy], index, false, &Transfers::default(), templates)?;
                body.statements
                    .push(format!("    /* output `{name}` is not computed here: copy it */\n{copy}\n"));
            }
        }
        Ok(())
    }

    /// `x u8[1x4], w s8[4x4] -> u8[1x4]`.
    fn signature(&self, node: &Node) -> String {
        let list = |ids: &[TensorId]| {
            ids.iter().map(|t| self.graph.tensor(*t).ty.to_string()).collect::<Vec<_>>().join(", ")
        };
        // Layers that are computed row by row together have dozens of constants.
        let many = matches!(node.op, Op::Streamed(_));
        let shown = |t: &&TensorId| !many || !self.graph.tensor(**t).is_constant();
        let inputs: Vec<TensorId> = node.inputs.iter().filter(shown).copied().collect();
        format!("{} -> {}", list(&inputs), list(&node.outputs))
    }

    fn comment(&self, id: NodeId, node: &Node, choice: &Choice, step: &str) -> String {
        let (inputs, outputs) = (self.graph.types(&node.inputs), self.graph.types(&node.outputs));
        let mut notes = vec![format!("kernel {}", self.library.names(choice))];
        let macs = node.op.macs(&inputs, &outputs);
        if macs > 0 {
            notes.push(format!("{macs} MAC"));
        }
        if let Some(tiled) = self.plan.tiled.get(&id) {
            let shape: Vec<String> = tiled.shape.iter().map(usize::to_string).collect();
            let ahead = if tiled.ahead { ", fetched ahead" } else { "" };
            let bytes = tiled.bytes;
            let shape = shape.join("x");
            notes.push(format!("{} parts of {shape}{ahead}, {bytes} bytes of scratchpad", tiled.tiles.len()));
        } else if choice.scratch_bytes > 0 {
            notes.push(format!("{} bytes of scratch", choice.scratch_bytes));
        }
        for alias in self.plan.aliases.iter().filter(|a| a.node == id && a.kind == AliasKind::InPlace) {
            notes.push(format!("in place of {}", self.graph.tensor(alias.operand).name));
        }
        for alias in self.plan.aliases.iter().filter(|a| a.node == id && a.kind == AliasKind::Overlaid) {
            notes.push(format!("over rows of {} that were read", self.graph.tensor(alias.operand).name));
        }
        let (name, notes) = (comment(&node.name), comment(&notes.join(", ")));
        let signature = self.signature(node);
        format!("    /* {step} {name}: {} {signature}\n     *   {notes} */", node.op.name())
    }

    fn elided(&self, id: NodeId, node: &Node, step: &str) -> String {
        let alias = self.plan.aliases.iter().find(|a| a.node == id);
        let why = match alias.map(|a| a.kind) {
            Some(AliasKind::View) => "the result is a view of its operand",
            Some(AliasKind::Joined) => "the operands are written where the result needs them",
            Some(AliasKind::InPlace | AliasKind::Overlaid) => "the result already is where it should be",
            None => "there is nothing to compute",
        };
        let (name, op, signature) = (comment(&node.name), node.op.name(), self.signature(node));
        format!("    /* {step} {name}: {op} {signature}\n     *   no code: {why} */\n")
    }

    /// Where an accessor points.
    ///
    /// # Errors
    /// The tensor has no home.
    pub fn accessor(&self, port: &Port, body: &mut Body, written: bool) -> Result<String> {
        // Inputs are written before the first layer, outputs read behind the last.
        let layer = if written { 0 } else { self.plan.runs().len() };
        self.pointer(port.tensor, None, written, layer, body)
    }
}

/// The C name of an arena.
pub fn arena_name(plan: &Plan, arena: usize) -> String {
    match plan.arenas.get(arena) {
        Some(a) if plan.arenas.len() > 1 => format!("arena_{}", super::names::identifier(&a.level)),
        _ => "arena".into(),
    }
}

/// The text as statements of a function: four spaces in, lines broken at commas before the margin.
pub fn indent(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.trim().lines().map(str::trim_end) {
        let line = if line.is_empty() { String::new() } else { format!("    {line}") };
        wrap(&line, &mut lines);
    }
    lines.join("\n")
}

/// Breaks a long line after commas. Lines with strings or comments stay as they are.
fn wrap(line: &str, lines: &mut Vec<String>) {
    let depth = line.len() - line.trim_start().len();
    let mut rest = line.to_string();
    while rest.len() > MARGIN && !rest.contains(['"', '\'']) && !rest.contains("/*") {
        let end = rest.char_indices().nth(MARGIN).map_or(rest.len(), |(i, _)| i);
        // A line that has no comma before the margin breaks at its first one.
        let comma = rest[..end].rfind(", ").or_else(|| rest.find(", "));
        let Some(comma) = comma else { break };
        let next = format!("{:depth$}    {}", "", rest[comma + 2..].trim_start());
        rest.truncate(comma + 1);
        lines.push(rest);
        rest = next;
    }
    lines.push(rest);
}

/// The context of the file templates.
///
/// # Errors
/// An input or output has no home.
pub fn context(
    network: &Network,
    body: &mut Body,
    target: &str,
    alignment: usize,
) -> Result<Map<String, Json>> {
    let (graph, plan, api) = (network.graph, network.plan, network.api);
    let caller = plan.interface == Interface::Caller;
    let mut places = BTreeMap::new();
    if !caller {
        for (ports, written) in [(&api.inputs, true), (&api.outputs, false)] {
            for port in ports {
                places.insert((written, port.symbol.clone()), network.accessor(port, body, written)?);
            }
        }
    }
    let ports = |ports: &[Port], kind: &str| -> Vec<Json> {
        let place = |p: &Port| places.get(&(kind == "input", p.symbol.clone())).cloned().unwrap_or_default();
        let mut offset = 0;
        let mut context = Vec::new();
        for (i, p) in ports.iter().enumerate() {
            let mut port = port_context(p, i, kind, network.net, &place(p));
            port["offset"] = json!(offset);
            offset += p.ty.bytes();
            context.push(port);
        }
        context
    };
    let (inputs, outputs) = (ports(&api.inputs, "input"), ports(&api.outputs, "output"));
    let macs: u64 =
        graph.nodes().map(|(_, n)| n.op.macs(&graph.types(&n.inputs), &graph.types(&n.outputs))).sum();
    let arenas = body.arenas.iter().filter_map(|i| plan.arenas.get(*i).map(|a| (*i, a)));
    let arenas: Vec<Json> = arenas
        .map(|(i, a)| {
            let name = arena_name(plan, i);
            json!({
                "name": name, "macro": name.to_ascii_uppercase(), "level": a.level, "bytes": a.bytes,
                "placement": network.placements.get(&a.level),
                "lower_bound": a.lower_bound, "length": a.bytes.max(1), "alignment": a.alignment.max(8),
            })
        })
        .collect();
    let parameter = |p: &Port, qualifier: &str| format!("{qualifier}{} *{}", p.ty.dtype.c_type(), p.symbol);
    let parameters: Vec<String> = if caller {
        let inputs = api.inputs.iter().map(|p| parameter(p, "const "));
        inputs.chain(api.outputs.iter().map(|p| parameter(p, ""))).collect()
    } else {
        vec![]
    };
    let all = api.inputs.iter().chain(&api.outputs);
    let symbols: Vec<&String> = all.map(|p| &p.symbol).collect();
    let unused: Vec<&String> =
        if caller { symbols.iter().copied().filter(|s| !body.ports.contains(*s)).collect() } else { vec![] };
    let both = [inputs.clone(), outputs.clone()].concat();
    let fields = json!({
        "title": comment(&graph.name), "net": network.net, "NET": network.net.to_ascii_uppercase(), "target": target,
        "caller": caller, "alignment": alignment, "macs": macs,
        "nodes": graph.node_count(), "steps": plan.order.len() - plan.elided.len(),
        "weight_bytes": network.weights.bytes(), "arena_bytes": plan.arenas.iter().map(|a| a.bytes).sum::<usize>(),
        "arenas": arenas, "inputs": inputs, "outputs": outputs,
        "ports": both, "parameters": parameters, "arguments": symbols, "unused": unused,
        "hoisted": body.hoisted, "statements": body.statements,
    });
    match fields {
        Json::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

/// Safe as a macro's value.
fn zero_point(z: i32) -> String {
    let literal = super::literal::int(i64::from(z));
    if literal.starts_with('-') { format!("({literal})") } else { literal }
}

fn port_context(port: &Port, index: usize, kind: &str, net: &str, place: &str) -> Json {
    let one = vec![1];
    let list = |items: Vec<String>| match items.as_slice() {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    };
    let quant = port.quant.as_ref().map(|q| {
        let scale = list(q.scale.iter().map(|s| super::literal::float(*s)).collect());
        let zero_point = list(q.zero_point.iter().map(|z| zero_point(*z)).collect());
        json!({ "scale": scale, "zero_point": zero_point, "per_axis": q.scale.len() > 1, "axis": q.axis.unwrap_or(0) })
    });
    let meaning = port.quant.as_ref().map(|q| match (q.scale.as_slice(), q.zero_point.as_slice()) {
        ([scale], [0]) => format!("real = {scale} * stored"),
        ([scale], [zero]) if *zero < 0 => format!("real = {scale} * (stored + {})", zero.unsigned_abs()),
        ([scale], [zero]) => format!("real = {scale} * (stored - {zero})"),
        _ => "real = scale * (stored - zero point), per channel".into(),
    });
    json!({
        "title": format!("{kind} {index}, `{}`", comment(&port.name)),
        "signature": port.ty.to_string(), "symbol": port.symbol, "type": port.ty.dtype.c_type(),
        "macro": format!("{net}_{kind}_{}", port.symbol).to_ascii_uppercase(),
        "rank": port.ty.rank(), "dims": if port.ty.rank() == 0 { &one } else { &port.ty.shape },
        "elements": port.ty.elements(), "bytes": port.ty.bytes(), "quant": quant, "meaning": meaning, "place": place,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_calls_break_after_commas() {
        let call = format!("f({}z);\n\n  g(1);", "some_long_argument, ".repeat(9));
        let text = indent(&call);
        assert!(text.lines().all(|l| l.len() <= MARGIN), "{text}");
        assert_eq!(text.lines().count(), 4);
        assert!(text.lines().nth(1).unwrap().starts_with("        some_long_argument, "), "{text}");
        assert_eq!(text.split_whitespace().collect::<Vec<_>>(), call.split_whitespace().collect::<Vec<_>>());
        let one = format!("f({});", "x".repeat(200));
        assert_eq!(indent(&one), format!("    {one}"));
    }
}
