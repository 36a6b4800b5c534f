//! Layers that are computed row by row together: a table of steps, and a loop that makes them.
//!
//! In: a streamed node with its steps, all checked. Out: its text. Never decides which rows, or where.

use std::fmt::Write;

use serde_json::Value as Json;

use super::call::{self, Calls, Site};
use super::kernel::Kernels;
use super::names::comment;
use super::network::{Body, Network, indent};
use super::template::Templates;
use crate::diag::{Diagnostic, Result};
use crate::ir::ops::{Source, Streamed};
use crate::ir::{NodeId, Op};
use crate::targets::Choice;
use crate::tiling::streaming::{Kind, ROWS, Step, Streaming};

/// Names that the text declares: nothing else may be called so.
pub const DECLARED: [&str; 3] = ["step", "rows", "memmove"];

/// Bytes of a table's line at most before it is broken.
const LINE: usize = 100;

/// The node and where it is emitted.
struct Place<'a> {
    id: NodeId,
    name: &'a str,
    streaming: &'a Streaming,
    op: &'a Streamed,
    choice: &'a Choice,
    /// The node's scratch memory, as bytes.
    scratch: String,
    /// For each kind and stream: the row, if it is the same in all its steps.
    fixed: Vec<Vec<Option<usize>>>,
}

impl Place<'_> {
    /// Bytes from the scratch memory's start, as bytes.
    fn bytes(&self, at: usize) -> String {
        if at == 0 { self.scratch.clone() } else { format!("{} + {at}", self.scratch) }
    }

    /// `base` at the row of a stream of a kind.
    fn at(&self, base: &str, kind: usize, stream: usize, row: usize) -> String {
        match self.fixed[kind][stream] {
            Some(0) => base.to_string(),
            Some(at) => format!("{base} + {}", at * row),
            None => {
                let column = 1 + self.fixed[kind][..stream].iter().filter(|f| f.is_none()).count();
                format!("{base} + rows[{column}] * {row}")
            }
        }
    }
}

/// Rows that are the same in all steps of a kind.
fn fixed(streaming: &Streaming) -> Vec<Vec<Option<usize>>> {
    let kinds = streaming.kinds.iter().enumerate();
    let of = |(k, kind): (usize, &Kind)| -> Vec<Option<usize>> {
        let at = |s: usize| {
            let mut rows = streaming.steps.iter().filter_map(|step| match step {
                Step::Call { kind, at } if *kind == k => at.get(s).copied(),
                _ => None,
            });
            let first = rows.next()?;
            rows.all(|row| row == first).then_some(first)
        };
        (0..kind.types.len()).map(at).collect()
    };
    kinds.map(of).collect()
}

impl Network<'_> {
    /// The statements of a streamed node, and its table at file scope.
    ///
    /// # Errors
    /// A call template is faulty.
    pub fn streamed(
        &self,
        id: NodeId,
        name: &str,
        kernels: &mut Kernels,
        templates: &mut Templates,
        body: &mut Body,
    ) -> Result<Vec<Json>> {
        let node = self.graph.node(id);
        let found =
            (self.plan.streams.get(&id), self.assignment.choices.get(&id), self.plan.scratch.get(&id));
        let ((Some(streaming), Some(choice), scratch), Op::Streamed(op)) = (found, &node.op) else {
            return Err(Diagnostic::internal("a streamed node has no steps").into());
        };
        let scratch = match scratch {
            Some(home) => self.place(*home, None, true, body),
            None => "NULL".into(),
        };
        let fixed = fixed(streaming);
        let place = Place { id, name, streaming, op, choice, scratch, fixed };
        body.hoisted.push(table(self.net, &place));
        let mut cases = String::new();
        for (k, kind) in streaming.kinds.iter().enumerate() {
            let calls = self.rows(&place, k, kind, kernels, templates, body)?;
            let link = &choice.links[kind.link].choice;
            let count = kind.types.last().and_then(|ty| ty.shape.get(ROWS)).copied().unwrap_or(0);
            let plural = if count == 1 { "row" } else { "rows" };
            let (op, kernel) = (kind.op.name(), self.library.names(link));
            let _ =
                writeln!(cases, "    case {k}: /* {}, {count} {plural}: {op}, {kernel} */", kind.link + 1);
            for text in calls.list.iter().filter_map(|c| c["text"].as_str()) {
                for line in indent(text).lines() {
                    let _ = writeln!(cases, "    {line}");
                }
            }
            cases.push_str("        break;\n");
            for hoisted in calls.hoisted.into_iter().filter(|h| !body.hoisted.contains(h)).collect::<Vec<_>>()
            {
                body.hoisted.push(hoisted);
            }
        }
        Ok(vec![serde_json::json!({ "text": text(self.net, &place, &cases), "parallel": false })])
    }

    /// The call of a kind: pointers are to the rows that the step names.
    fn rows(
        &self,
        place: &Place,
        index: usize,
        kind: &Kind,
        kernels: &mut Kernels,
        templates: &mut Templates,
        body: &mut Body,
    ) -> Result<Calls> {
        let node = self.graph.node(place.id);
        let Place { streaming, op, choice, .. } = place;
        let link = &choice.links[kind.link].choice;
        let mut streams = Vec::new();
        let last = kind.types.len().saturating_sub(1);
        for (s, ty) in kind.types.iter().enumerate() {
            let source = op.links[kind.link].operands.get(s).copied();
            let source = source.unwrap_or(Source::Link(kind.link));
            let pointer = match source {
                Source::Link(l) if l < streaming.buffers.len() => {
                    let b = &streaming.buffers[l];
                    let qualifier = if s == last { "" } else { "const " };
                    let row = place.at(&place.bytes(b.at), index, s, b.row);
                    format!("({qualifier}{} *)({row})", ty.dtype.c_type())
                }
                source => {
                    let stream = match source {
                        Source::Operand(o) => o,
                        Source::Link(_) => node.inputs.len(),
                    };
                    let Some(tensor) = node.inputs.iter().chain(&node.outputs).nth(stream).copied() else {
                        continue;
                    };
                    let packing = link.packing(s).filter(|_| s < last);
                    let whole = &self.graph.tensor(tensor).ty;
                    let pointer =
                        self.outside(place.id, stream, tensor, packing, self.plan.layer(place.id), body)?;
                    match whole == ty && s < last {
                        true => pointer,
                        false => {
                            let row = whole.elements() / whole.shape.get(ROWS).copied().unwrap_or(1).max(1);
                            format!("({})", place.at(&pointer, index, s, row))
                        }
                    }
                }
            };
            streams.push(call::tensor(ty, &pointer));
        }
        let results = streams.split_off(last.min(streams.len()));
        let needs = kind.choice.scratch_bytes > 0;
        let scratch = format!("(void *)({})", place.bytes(streaming.scratch_at));
        let site = Site {
            node,
            op: &kind.op,
            choice: &kind.choice,
            name: &format!("{}_{index}", place.name),
            operands: streams,
            results,
            scratch: if needs { scratch } else { "NULL".into() },
        };
        self.calls(&site, kernels, templates)
    }
}

/// The steps as lines of numbers: which call (behind the kinds: rows of which link move), and those of its rows that vary.
fn lines(place: &Place) -> Vec<Vec<usize>> {
    let streaming = place.streaming;
    let line = |step: &Step| match step {
        Step::Call { kind, at } => {
            let varying = at.iter().zip(&place.fixed[*kind]).filter(|(_, fixed)| fixed.is_none());
            std::iter::once(*kind).chain(varying.map(|(at, _)| *at)).collect()
        }
        Step::Slide { link, from, rows } => vec![streaming.kinds.len() + link, *from, *rows],
    };
    streaming.steps.iter().map(line).collect()
}

fn columns(lines: &[Vec<usize>]) -> usize {
    lines.iter().map(Vec::len).max().unwrap_or(1)
}

fn element(lines: &[Vec<usize>]) -> &'static str {
    if lines.iter().flatten().all(|n| *n < 256) { "uint8_t" } else { "uint16_t" }
}

fn table(net: &str, place: &Place) -> String {
    let lines = lines(place);
    let (columns, element) = (columns(&lines), element(&lines));
    let mut text = format!(
        "/* Steps: which call, and the rows at which its operands and its result begin, where they vary. */\n\
         static const {element} {net}_{}_steps[{}][{columns}] = {{\n",
        place.name,
        lines.len()
    );
    let mut row = String::from("   ");
    for line in &lines {
        let numbers: Vec<String> = line.iter().map(usize::to_string).collect();
        let next = format!(" {{ {} }},", numbers.join(", "));
        if row.len() + next.len() > LINE {
            text.push_str(&row);
            text.push('\n');
            row = String::from("   ");
        }
        row.push_str(&next);
    }
    text.push_str(&row);
    text.push_str("\n};");
    text
}

fn text(net: &str, place: &Place, cases: &str) -> String {
    let streaming = place.streaming;
    let lines = lines(place);
    let (name, element, count) = (place.name, element(&lines), lines.len());
    let mut text = String::new();
    for (i, link) in place.op.links.iter().enumerate() {
        let what = match streaming.buffers.get(i) {
            Some(b) => format!("{} rows of {} bytes at a time", b.rows, b.row),
            None => "the result".into(),
        };
        let _ = writeln!(text, "/* {}. {}: {what} */", i + 1, comment(link.op.name()));
    }
    let _ = writeln!(text, "for (size_t step = 0; step < {count}; step++) {{");
    let _ = writeln!(text, "    const {element} *const rows = {net}_{name}_steps[step];");
    text.push_str("    switch (rows[0]) {\n");
    text.push_str(cases);
    for (i, b) in streaming.buffers.iter().enumerate() {
        let moves = |s: &Step| matches!(s, Step::Slide { link, .. } if *link == i);
        if !streaming.steps.iter().any(moves) {
            continue;
        }
        let base = place.bytes(b.at);
        let _ = writeln!(
            text,
            "    case {}: /* rows of {} that are read again */",
            streaming.kinds.len() + i,
            i + 1
        );
        let row = b.row;
        let _ = writeln!(text, "        memmove({base}, {base} + rows[1] * {row}, rows[2] * (size_t){row});");
        text.push_str("        break;\n");
    }
    text.push_str("    default:\n        break;\n    }\n}");
    text
}
