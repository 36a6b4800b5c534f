//! Layers in parts: their tables and the function that calls the kernel on one part.
//!
//! In: a node and its [`Tiled`] form. Out: the context of the platform's template, with every kind's call rendered.
//! Never decides sizes, order or places.

use serde_json::{Map, Value as Json, json};

use super::call::{self, Calls, Site};
use super::kernel::Kernels;
use super::network::{Body, Network, arena_name, indent};
use super::template::Templates;
use crate::diag::{Diagnostic, Result};
use crate::ir::{Node, NodeId, TensorType};
use crate::tiling::tiles::{Kind, Tiled};

/// The text of a layer in parts: what goes to file scope, and the statements of the run function.
pub struct Text {
    /// Tables and the function of one part.
    pub hoisted: Vec<String>,
    /// Statements.
    pub statements: String,
    /// What the statements' names begin with and where the layer's share is: tables may come before other operands.
    pub tables: Json,
}

impl Network<'_> {
    /// Renders a layer in parts with the platform's template.
    ///
    /// # Errors
    /// The platform has no such template, or a template is faulty.
    pub fn tiled(
        &self,
        id: NodeId,
        tiled: &Tiled,
        name: &str,
        kernels: &mut Kernels,
        templates: &mut Templates,
        body: &mut Body,
    ) -> Result<Text> {
        let node = self.graph.node(id);
        let Some((path, text)) = &self.tiles else {
            return Err(Diagnostic::unsupported("the target has a scratchpad but no template for tiles")
                .help("name one: `tiled` in the `[runtime]` of its platform.toml")
                .into());
        };
        let mut hoisted = Vec::new();
        let mut kinds = Vec::new();
        for (i, kind) in tiled.kinds.iter().enumerate() {
            let mut calls = self.kind(node, tiled, kind, &format!("{name}_{i}"), kernels, templates)?;
            for call in &mut calls.list {
                call["text"] = json!(indent(call["text"].as_str().unwrap_or_default()));
            }
            kinds.push(json!({ "index": i, "calls": calls.list }));
            hoisted.extend(calls.hoisted);
        }
        let mut context = self.tables(id, tiled, node, body)?;
        body.arenas.insert(tiled.arena);
        context.insert("net".into(), json!(self.net));
        context.insert("id".into(), json!(name));
        context.insert("kinds".into(), json!(kinds));
        let arena = arena_name(self.plan, tiled.arena);
        let share = if tiled.base > 0 { format!("{arena} + {}", tiled.base) } else { arena };
        let tables = json!({ "net": self.net, "id": name, "l1": share });
        let scratch = tiled.scratch.map_or("NULL".into(), |at| format!("{share} + {at}"));
        context.insert("scratch".into(), json!(scratch));
        context.insert("l1".into(), json!(share));
        context.insert("title".into(), json!(super::names::comment(&node.name)));
        templates.add(path, text)?;
        let rendered = templates.render(path, text, &Json::Object(context))?;
        hoisted.extend(rendered.hoisted);
        Ok(Text { hoisted, statements: rendered.text, tables })
    }

    /// The kernel's calls for one kind of part; `at` holds the parts' addresses.
    fn kind(
        &self,
        node: &Node,
        tiled: &Tiled,
        kind: &Kind,
        name: &str,
        kernels: &mut Kernels,
        templates: &mut Templates,
    ) -> Result<Calls> {
        let part = |(s, ty): (usize, &TensorType)| {
            let qualifier = if tiled.streams[s].written { "" } else { "const " };
            call::tensor(ty, &format!("({qualifier}{} *)at[{s}]", ty.dtype.c_type()))
        };
        let mut operands: Vec<Json> = kind.types.iter().enumerate().map(part).collect();
        let results = operands.split_off(node.inputs.len());
        let choice = &kind.choice;
        let scratch = if choice.scratch_bytes > 0 { "scratch" } else { "NULL" }.into();
        self.calls(&Site { node, op: &kind.op, choice, name, operands, results, scratch }, kernels, templates)
    }

    /// The tables: a line for each part, a line for each stream.
    fn tables(&self, id: NodeId, tiled: &Tiled, node: &Node, body: &mut Body) -> Result<Map<String, Json>> {
        let bits = |flags: Vec<bool>| flags.iter().rev().fold(0u64, |n, b| n * 2 + u64::from(*b));
        // What is fetched before the layer begins is in its slot.
        let there = |i: usize, s: usize| i == 0 && self.plan.stages_first(id, s);
        let loads = |i: usize, loads: &[bool]| {
            bits(loads.iter().enumerate().map(|(s, load)| *load && !there(i, s)).collect())
        };
        let tiles: Vec<Json> = tiled
            .tiles
            .iter()
            .enumerate()
            .map(|(i, t)| {
                json!({
                    "kind": t.kind, "loads": loads(i, &t.loads),
                    "turns": bits(t.slots.iter().map(|s| *s == 1).collect()), "offsets": t.offsets,
                })
            })
            .collect();
        let choice = self.assignment.choices.get(&id);
        let mut streams = Vec::new();
        for (s, stream) in tiled.streams.iter().enumerate() {
            let packing = choice.and_then(|c| c.packing(s)).filter(|_| !stream.written);
            let whole = match self.plan.staged.get(&(id, s)).filter(|_| stream.resident()) {
                Some(staged) => {
                    self.place(staged.home, Some(&self.graph.tensor(stream.tensor).ty), stream.written, body)
                }
                None => self.outside(id, s, stream.tensor, packing, self.plan.layer(id), body)?,
            };
            let names = choice.map(|c| c.operands.iter().chain(&c.results).cloned().collect::<Vec<_>>());
            streams.push(json!({
                "index": s, "name": names.and_then(|n| n.get(s).cloned()), "whole": whole,
                "slot": stream.slots.first().unwrap_or(&0), "other": stream.slots.last().unwrap_or(&0),
                "bytes": stream.bytes, "resident": stream.resident(),
            }));
        }
        let copies: Vec<Json> = tiled
            .kinds
            .iter()
            .flat_map(|k| &k.copies)
            .map(|c| json!([c.row, c.rows, c.stride, c.planes, c.plane]))
            .collect();
        let (fetched, stored) = tiled.moved();
        let fields = json!({
            "tiles": tiles, "count": tiled.tiles.len(), "streams": streams, "columns": tiled.streams.len(),
            "operands": node.inputs.len(), "copies": copies, "kinds_count": tiled.kinds.len(),
            "ahead": u8::from(tiled.ahead), "bytes": tiled.bytes, "shape": tiled.shape,
            "tables_near": tiled.tables.bytes, "tables_at": tiled.tables.at, "fetched": fetched, "stored": stored,
            "resident": bits(tiled.streams.iter().map(|s| s.resident()).collect()),
        });
        match fields {
            Json::Object(map) => Ok(map),
            _ => Ok(Map::new()),
        }
    }
}
