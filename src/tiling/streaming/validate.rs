//! The judge of streamed nodes: replays their steps row by row and shares no code with what made them.
//!
//! In: a node, its kernels, a [`Streaming`] nobody trusts. Out: everything that is wrong with it. It follows contents: which
//! row of which result each place of a buffer holds, and which rows are done.

use super::{Buffer, Kind, ROWS, Step, Streaming};
use crate::ir::access::{Reach, Space, region};
use crate::ir::ops::{Source, StreamLink, Streamed};
use crate::ir::{Graph, Node, Op, TensorType};
use crate::targets::{Choice, Library, fit_part};

/// Alignment of what kernels take by words, in bytes.
const WORD: usize = 4;

/// Everything wrong with `streaming` as the steps of `node`; whether its scratch memory is free is not looked at.
pub fn faults(
    graph: &Graph,
    library: &Library,
    node: &Node,
    choice: &Choice,
    streaming: &Streaming,
) -> Vec<String> {
    let Op::Streamed(op) = &node.op else { return vec!["is streamed, but it is another operator".into()] };
    let inputs = graph.types(&node.inputs);
    let constant: Vec<bool> = node.inputs.iter().map(|t| graph.tensor(*t).is_constant()).collect();
    let judge = Judge::new(op, &inputs, &constant, library, choice, streaming);
    match judge {
        Some(mut judge) => {
            judge.memory();
            if judge.faults.is_empty() {
                judge.replay();
            }
            judge.faults
        }
        None => vec!["has links that cannot be streamed".into()],
    }
}

/// Whether the result, which begins `distance` bytes before operand `operand`, is only ever written over rows of it that
/// nobody reads later or at the same time.
pub fn behind(graph: &Graph, node: &Node, streaming: &Streaming, operand: usize, distance: i64) -> bool {
    let (Op::Streamed(op), Some(last)) = (&node.op, streaming.buffers.len().checked_add(1)) else {
        return false;
    };
    let row = |ty: &TensorType| (ty.bytes() / ty.shape.get(ROWS).copied().unwrap_or(1).max(1)) as i64;
    let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
    let [result] = &outputs[..] else { return false };
    let mut needed: Option<i64> = None;
    for step in streaming.steps.iter().rev() {
        let Step::Call { kind, at } = step else { continue };
        let Some(kind) = streaming.kinds.get(*kind) else { return false };
        let Some(link) = op.links.get(kind.link) else { return false };
        for (source, place) in link.operands.iter().zip(at).filter(|(s, _)| **s == Source::Operand(operand)) {
            let Source::Operand(o) = source else { continue };
            let first = *place as i64 * row(&inputs[*o]);
            needed = Some(needed.map_or(first, |n| n.min(first)));
        }
        if kind.link + 1 == last {
            let rows = kind.types.last().and_then(|ty| ty.shape.get(ROWS)).copied().unwrap_or(0);
            let end = at.last().map_or(0, |at| at + rows) as i64 * row(result);
            if needed.is_some_and(|first| end > distance + first) {
                return false;
            }
        }
    }
    true
}

/// A link as it is.
struct Link<'a> {
    link: &'a StreamLink,
    choice: &'a Choice,
    types: Vec<TensorType>,
    constant: Vec<bool>,
    result: TensorType,
    space: Space,
    axis: usize,
}

struct Judge<'a> {
    links: Vec<Link<'a>>,
    library: &'a Library,
    streaming: &'a Streaming,
    choice: &'a Choice,
    /// For each link: which row each place of its buffer holds.
    held: Vec<Vec<Option<usize>>>,
    /// For each link: rows that are computed.
    done: Vec<usize>,
    faults: Vec<String>,
}

impl<'a> Judge<'a> {
    fn new(
        op: &'a Streamed,
        inputs: &[TensorType],
        constant: &[bool],
        library: &'a Library,
        choice: &'a Choice,
        streaming: &'a Streaming,
    ) -> Option<Judge<'a>> {
        let results = op.types(inputs).ok()?;
        let count = op.links.len();
        if choice.links.len() != count || streaming.buffers.len() + 1 != count {
            return None;
        }
        let mut links = Vec::new();
        for ((link, call), result) in op.links.iter().zip(&choice.links).zip(&results) {
            let taken = link.operands.iter().map(|s| match s {
                Source::Operand(o) => Some((inputs.get(*o)?.clone(), *constant.get(*o)?)),
                Source::Link(l) => Some((results.get(*l)?.clone(), false)),
            });
            let (types, constant): (Vec<TensorType>, Vec<bool>) =
                taken.collect::<Option<Vec<_>>>()?.into_iter().unzip();
            let space = link.op.space(&types, std::slice::from_ref(result))?;
            let Reach::Along { axis, stride: 1, before: 0, extent: 1 } = *space.results.first()?.get(ROWS)?
            else {
                return None;
            };
            // Rows lie one behind the other only if nothing is outside of them.
            let first = |ty: &TensorType| ty.rank() <= ROWS || ty.shape[..ROWS].iter().all(|n| *n == 1);
            let rows = |r: &Reach| matches!(r, Reach::Along { axis: a, .. } if *a == axis);
            let apart = |(reaches, ty): (&Vec<Reach>, &TensorType)| {
                let elsewhere = reaches.iter().enumerate().any(|(dim, r)| dim != ROWS && rows(r));
                !elsewhere && (first(ty) || !reaches.iter().any(rows))
            };
            if !first(result) || !space.operands.iter().zip(&types).all(apart) {
                return None;
            }
            links.push(Link {
                link,
                choice: &call.choice,
                types,
                constant,
                result: result.clone(),
                space,
                axis,
            });
        }
        let held = streaming.buffers.iter().map(|b| vec![None; b.rows]).collect();
        let done = vec![0; count];
        Some(Judge { links, library, streaming, choice, held, done, faults: Vec::new() })
    }

    fn fault(&mut self, message: String) {
        self.faults.push(message);
    }

    /// Buffers and working memory lie apart within the node's scratch memory; buffers hold rows of their results.
    fn memory(&mut self) {
        let Streaming { buffers, kinds, scratch_at, bytes, .. } = self.streaming;
        let end = |b: &Buffer| b.rows.checked_mul(b.row).and_then(|n| b.at.checked_add(n));
        let mut used: Vec<(usize, usize)> = Vec::new();
        for (i, b) in buffers.iter().enumerate() {
            let ty = &self.links[i].result;
            let row = ty.bytes() / ty.shape.get(ROWS).copied().unwrap_or(1).max(1);
            match end(b) {
                Some(end) if b.row == row && b.at % WORD == 0 && row % WORD == 0 => used.push((b.at, end)),
                _ => self.faults.push(format!("the buffer of link {i} is none of rows of {row} bytes")),
            }
        }
        let scratch = kinds.iter().map(|k| k.choice.scratch_bytes).max().unwrap_or(0);
        used.push((*scratch_at, scratch_at.saturating_add(scratch)));
        used.sort_unstable();
        if used.windows(2).any(|w| w[1].0 < w[0].1) || scratch_at % WORD != 0 {
            self.fault("two buffers overlap, or working memory is not aligned".into());
        }
        let end = used.iter().map(|u| u.1).max().unwrap_or(0);
        if end > *bytes || *bytes > self.choice.scratch_bytes {
            let has = self.choice.scratch_bytes;
            self.fault(format!("buffers end at {end} of {bytes} bytes; the node has {has}"));
        }
    }

    fn replay(&mut self) {
        for (i, kind) in self.streaming.kinds.iter().enumerate() {
            if let Some(message) = self.call(kind) {
                self.fault(format!("kind {i} {message}"));
                return;
            }
        }
        for (i, step) in self.streaming.steps.iter().enumerate() {
            let wrong = match step {
                Step::Call { kind, at } => self.compute(*kind, at),
                Step::Slide { link, from, rows } => self.slide(*link, *from, *rows),
            };
            if let Err(message) = wrong {
                self.fault(format!("step {i} {message}"));
                return;
            }
        }
        let last = self.links.len() - 1;
        let height = self.links[last].result.shape[ROWS];
        if self.done[last] != height {
            let done = self.done[last];
            self.fault(format!("{done} of {height} rows of the result are computed"));
        }
    }

    /// A kind's call is the one that its link's kernel needs for its types, with the constants the node has.
    fn call(&self, kind: &Kind) -> Option<String> {
        let Some(link) = self.links.get(kind.link) else { return Some("is of no link".into()) };
        let count = link.types.len();
        if kind.types.len() != count + 1 {
            return Some("has too few types, or too many".into());
        }
        let made = fit_part(self.library, link.choice, &kind.op, &kind.types[..count], &link.constant);
        match made {
            Ok((choice, outputs)) if choice == kind.choice && outputs == kind.types[count..] => {}
            _ => return Some("is not what its kernel can be called for".into()),
        }
        (kind.choice.packs != link.choice.packs).then(|| "packs constants in another way".into())
    }

    /// A link computes its next rows: everything they need is where the call reads it.
    fn compute(&mut self, kind: usize, at: &[usize]) -> Result<(), String> {
        let kind = self.streaming.kinds.get(kind).ok_or("is of no kind")?;
        let (index, link) = (kind.link, &self.links[kind.link]);
        let (operands, own) = kind.types.split_at(link.types.len());
        let rows = own[0].shape.get(ROWS).copied().unwrap_or(0);
        let (begin, end) = (self.done[index], self.done[index] + rows);
        let alike = |part: &TensorType, whole: &TensorType, rows: usize| {
            let mut ty = whole.clone();
            ty.shape[ROWS] = rows;
            *part == ty
        };
        if rows == 0 || end > link.result.shape[ROWS] || !alike(&own[0], &link.result, rows) {
            return Err("computes rows that are none".into());
        }
        if at.len() != kind.types.len() {
            return Err("has too few places, or too many".into());
        }
        let mut part: Vec<_> = link.space.axes.iter().map(|n| (0, *n)).collect();
        part[link.axis] = (begin, end);
        let mut margins = Vec::new();
        for (o, (whole, taken)) in link.types.iter().zip(operands).enumerate() {
            let reaches = &link.space.operands[o];
            let needs = region(reaches, &whole.shape, &part);
            if o == 0 {
                margins.clone_from(&needs.margins);
            }
            let along = |r: &Reach| matches!(r, Reach::Along { axis, .. } if *axis == link.axis);
            if !reaches.get(ROWS).is_some_and(along) {
                if taken != whole || at[o] != 0 || matches!(link.link.operands[o], Source::Link(_)) {
                    return Err(format!("reads operand {o} other than as a whole"));
                }
                continue;
            }
            let (first, behind) = needs.spans[ROWS];
            if !alike(taken, whole, behind - first) {
                return Err(format!("reads another number of rows of operand {o}"));
            }
            let found = match link.link.operands[o] {
                Source::Operand(_) => at[o] == first,
                Source::Link(from) => {
                    let places = self.held[from].get(at[o]..at[o] + (behind - first));
                    places.is_some_and(|p| p.iter().copied().eq((first..behind).map(Some)))
                }
            };
            if !found {
                return Err(format!("reads rows of operand {o} that are not there"));
            }
        }
        if link.link.op.part(operands, &margins) != kind.op {
            return Err("is another operator than its rows need".into());
        }
        self.store(index, at[at.len() - 1], begin, end)
    }

    /// Rows are written: to the buffer, or to the node's result.
    fn store(&mut self, link: usize, at: usize, begin: usize, end: usize) -> Result<(), String> {
        match self.held.get_mut(link) {
            Some(held) => {
                let places = held.get_mut(at..at + (end - begin)).ok_or("writes beyond its buffer")?;
                places.iter_mut().zip(begin..end).for_each(|(place, row)| *place = Some(row));
            }
            None if at != begin => return Err("writes rows of the result to other places".into()),
            None => {}
        }
        self.done[link] = end;
        Ok(())
    }

    fn slide(&mut self, link: usize, from: usize, rows: usize) -> Result<(), String> {
        let held = self.held.get_mut(link).ok_or("moves rows of no buffer")?;
        let moved =
            held.get(from..from.saturating_add(rows)).ok_or("moves rows from beyond a buffer")?.to_vec();
        held[..rows].copy_from_slice(&moved);
        Ok(())
    }
}
