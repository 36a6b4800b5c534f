//! Printing. In: a graph. Out: its text, the same for the same graph always. Never fails.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value as Json;

use super::{is_bare, is_bare_char};
use crate::ir::graph::{Graph, Node, NodeId, Tensor, TensorId};
use crate::ir::ops::Params;
use crate::ir::value::Value;

/// How constants are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constants {
    /// Every element, so that the text can be read back.
    Full,
    /// Constants with more elements than this as a digest of their bytes: for people and for goldens.
    Digest(usize),
}

/// Elements up to which a constant is a list of numbers; above, its bytes are printed.
const LIST: usize = 64;

/// The whole graph, readable by [`parse`](super::parse).
pub fn print(graph: &Graph) -> String {
    print_with(graph, Constants::Full)
}

/// The graph with constants as wanted.
pub fn print_with(graph: &Graph, constants: Constants) -> String {
    let mut printer = Printer { graph, constants, out: String::new(), defined: BTreeSet::new() };
    printer.header();
    // A faulty graph prints too: its nodes in the order they were made.
    let order = graph.topological_order().unwrap_or_else(|_| graph.nodes().map(|(id, _)| id).collect());
    for id in order {
        printer.node(id);
    }
    let rest: Vec<_> = graph.tensors().map(|(id, _)| id).collect();
    for id in rest {
        printer.constant(id);
    }
    for (id, tensor) in graph.tensors() {
        if printer.defined.insert(id) {
            printer.out.push_str("  ");
            printer.declaration(id, tensor);
            printer.out.push('\n');
        }
    }
    printer.out.push_str("}\n");
    printer.out
}

struct Printer<'g> {
    graph: &'g Graph,
    constants: Constants,
    out: String,
    defined: BTreeSet<TensorId>,
}

impl Printer<'_> {
    fn header(&mut self) {
        self.out.push_str("graph ");
        self.out.push_str(&quoted(&self.graph.name));
        self.out.push('(');
        for (i, id) in self.graph.inputs().iter().enumerate() {
            self.out.push_str(if i > 0 { ", " } else { "" });
            if let Some(tensor) = self.graph.get_tensor(*id) {
                self.declaration(*id, tensor);
                self.defined.insert(*id);
            }
        }
        self.out.push_str(") -> (");
        for (i, output) in self.graph.outputs().iter().enumerate() {
            self.out.push_str(if i > 0 { ", " } else { "" });
            let _ = write!(self.out, "{} = {}", quoted(&output.name), self.reference(output.tensor));
        }
        self.out.push_str(") {\n");
    }

    fn reference(&self, id: TensorId) -> String {
        let name = self.graph.get_tensor(id).map_or_else(|| format!("?{id}"), |t| t.name.clone());
        format!("%{}", quoted(&name))
    }

    fn declaration(&mut self, id: TensorId, tensor: &Tensor) {
        let _ = write!(self.out, "{}: {}", self.reference(id), tensor.ty);
        if let Some(Ok(Json::Object(map))) = tensor.quant.as_ref().map(serde_json::to_value) {
            self.out.push_str(" quant ");
            object(&mut self.out, &map);
        }
    }

    fn constant(&mut self, id: TensorId) {
        let graph = self.graph;
        let Some(tensor) = graph.get_tensor(id) else { return };
        let Some(value) = &tensor.value else { return };
        if !self.defined.insert(id) {
            return;
        }
        self.out.push_str("  ");
        self.declaration(id, tensor);
        self.out.push_str(" = const ");
        constant(&mut self.out, value, self.constants);
        self.out.push('\n');
    }

    /// A node, after the constants it is the first to read.
    fn node(&mut self, id: NodeId) {
        let graph = self.graph;
        let node: &Node = graph.node(id);
        for t in &node.inputs {
            self.constant(*t);
        }
        self.out.push_str("  ");
        for (i, t) in node.outputs.iter().enumerate() {
            self.out.push_str(if i > 0 { ", " } else { "" });
            if let Some(tensor) = graph.get_tensor(*t) {
                self.declaration(*t, tensor);
                self.defined.insert(*t);
            }
        }
        let operands: Vec<_> = node.inputs.iter().map(|t| self.reference(*t)).collect();
        let _ = write!(self.out, " = {}({})", node.op.name(), operands.join(", "));
        let attributes = node.op.attributes();
        if !attributes.is_empty() {
            self.out.push(' ');
            object(&mut self.out, &attributes);
        }
        let first = node.outputs.first().and_then(|t| graph.get_tensor(*t));
        if first.is_none_or(|t| t.name != node.name) {
            let _ = write!(self.out, " @{}", quoted(&node.name));
        }
        self.out.push('\n');
    }
}

/// A name, in quotes where it needs them.
fn quoted(name: &str) -> String {
    if is_bare(name) { name.to_string() } else { Json::from(name).to_string() }
}

fn object(out: &mut String, map: &Params) {
    out.push('{');
    for (i, (key, value)) in map.iter().enumerate() {
        let bare = !key.is_empty() && key.chars().all(is_bare_char);
        let key = if bare { key.clone() } else { Json::from(key.as_str()).to_string() };
        let _ = write!(out, "{}{key}: ", if i > 0 { ", " } else { "" });
        json(out, value);
    }
    out.push('}');
}

fn json(out: &mut String, value: &Json) {
    match value {
        Json::Object(map) => object(out, map),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                json(out, item);
            }
            out.push(']');
        }
        Json::Number(n) if n.is_f64() => {
            // Attributes are f32 or f64; an f32 prints as short as it reads back.
            let x = n.as_f64().unwrap_or(0.0);
            let _ =
                if f64::from(x as f32) == x { write!(out, "{:?}", x as f32) } else { write!(out, "{x:?}") };
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// Every element as text; floats in the shortest form that reads back as the same bits.
fn elements(value: &Value) -> Vec<String> {
    match value {
        Value::F32(a) => a.iter().map(|x| format!("{x:?}").to_lowercase()).collect(),
        other => other.to_i64().iter().map(ToString::to_string).collect(),
    }
}

fn constant(out: &mut String, value: &Value, how: Constants) {
    let bytes = value.to_le_bytes();
    let width = value.dtype().bytes();
    let (mut chunks, first) = (bytes.chunks(width), bytes.chunks(width).next());
    // NaNs other than the usual one have no spelling but their bytes.
    let odd_nan =
        matches!(value, Value::F32(a) if a.iter().any(|x| x.is_nan() && x.to_bits() != f32::NAN.to_bits()));
    if !odd_nan && value.len() > 4 && chunks.all(|c| Some(c) == first) {
        let _ = write!(out, "splat {}", elements(value)[0]);
    } else if matches!(how, Constants::Digest(max) if value.len() > max) {
        let _ = write!(out, "digest \"{:016x}\"", digest(&bytes));
    } else if !odd_nan && value.len() <= LIST {
        let _ = write!(out, "[{}]", elements(value).join(", "));
    } else {
        out.push_str("hex \"");
        for b in bytes {
            let _ = write!(out, "{b:02x}");
        }
        out.push('"');
    }
}

/// FNV-1a: tells constants apart in printed text, nothing more.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
