//! The steps of a group: who computes which rows when, and what its buffers must hold.
//!
//! In: layers by rows, how they feed each other, rows at a time. Out: a [`Streaming`]. Never decides which layers.
//!
//! The last layer asks for the rows it needs next, and so does everyone whom it asks: rows are computed as late as they can
//! be. Before a layer adds rows, those that nobody reads again leave its buffer, and the others move to the front.

use std::collections::BTreeMap;

use super::parts::{Layer, Takes};
use super::{Buffer, Kind, Step, Streaming};
use crate::ir::ops::Source;

/// Alignment of everything in the node's scratch memory, in bytes.
const ALIGNMENT: usize = 16;

/// A layer of a group.
pub struct Link<'a> {
    /// The layer.
    pub layer: &'a Layer<'a>,
    /// Where its operands come from.
    pub operands: Vec<Source>,
}

/// How far a link is.
#[derive(Clone, Copy, Default)]
struct State {
    /// Rows that are computed.
    done: usize,
    /// The row at the front of the buffer.
    front: usize,
    /// Rows the buffer has held at most.
    most: usize,
}

struct Maker<'a> {
    links: &'a [Link<'a>],
    rows: usize,
    /// Who reads each link's result, and as which operand.
    readers: Vec<Vec<(usize, usize)>>,
    state: Vec<State>,
    /// Kinds by link and the layer's form.
    kinds: BTreeMap<(usize, usize), usize>,
    steps: Vec<Step>,
    moved: u64,
    /// What each call touches.
    touched: Vec<Touched>,
}

/// What a call touches outside of buffers.
struct Touched {
    /// Operands of the node, and the first byte that is read of each.
    reads: Vec<(usize, usize)>,
    /// Bytes of the node's result that are written then, by calls that do.
    written: Option<usize>,
}

/// What a group takes, without its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of scratch memory.
    pub bytes: usize,
    /// Bytes that move within buffers.
    pub moved: u64,
    /// How many steps there are.
    pub steps: usize,
    /// For operands of the node: how many bytes before one the result may begin, see [`Choice::overlay`](crate::targets::Choice).
    pub overlay: Vec<(usize, usize)>,
}

fn run<'a>(links: &'a [Link<'a>], rows: usize) -> Option<Maker<'a>> {
    let mut readers = vec![Vec::new(); links.len()];
    for (i, link) in links.iter().enumerate() {
        for (o, source) in link.operands.iter().enumerate() {
            if let Source::Link(l) = source {
                readers.get_mut(*l)?.push((i, o));
            }
        }
    }
    let state = vec![State::default(); links.len()];
    let (kinds, steps) = (BTreeMap::new(), Vec::new());
    let mut maker =
        Maker { links, rows: rows.max(1), readers, state, kinds, steps, moved: 0, touched: Vec::new() };
    let last = links.len().checked_sub(1)?;
    while maker.state[last].done < links[last].layer.height {
        maker.produce(last)?;
    }
    Some(maker)
}

/// What links that feed each other take, `rows` rows at a time; `None` if a kernel cannot.
pub fn cost(links: &[Link], rows: usize) -> Option<Cost> {
    let maker = run(links, rows)?;
    let (_, scratch_at) = maker.buffers();
    let scratch = maker.kinds.keys().map(|(link, form)| links[*link].layer.scratch(*form)).max();
    let (bytes, overlay) = (scratch_at + scratch.unwrap_or(0), maker.overlay());
    Some(Cost { bytes, moved: maker.moved, steps: maker.steps.len(), overlay })
}

/// The steps of links that feed each other, `rows` rows at a time, and how far the result may begin before operands; `None` if
/// a kernel cannot.
pub fn schedule(links: &[Link], rows: usize) -> Option<(Streaming, Vec<(usize, usize)>)> {
    let maker = run(links, rows)?;
    let overlay = maker.overlay();
    let (buffers, scratch_at) = maker.buffers();
    let mut kinds: Vec<(usize, Kind)> = Vec::new();
    for ((link, form), index) in &maker.kinds {
        kinds.push((*index, links[*link].layer.kind(*form, *link)?));
    }
    kinds.sort_by_key(|(index, _)| *index);
    let kinds: Vec<Kind> = kinds.into_iter().map(|(_, kind)| kind).collect();
    let scratch = kinds.iter().map(|k| k.choice.scratch_bytes).max().unwrap_or(0);
    let bytes = scratch_at + scratch;
    Some((Streaming { buffers, kinds, steps: maker.steps, scratch_at, bytes }, overlay))
}

impl Maker<'_> {
    /// A buffer for every link but the last, and where they end.
    fn buffers(&self) -> (Vec<Buffer>, usize) {
        let mut at = 0;
        let mut buffers = Vec::new();
        for (link, state) in self.links.iter().zip(&self.state).take(self.links.len().saturating_sub(1)) {
            buffers.push(Buffer { at, rows: state.most, row: link.layer.row });
            at += (state.most * link.layer.row).next_multiple_of(ALIGNMENT);
        }
        (buffers, at)
    }

    /// How many bytes before each operand of the node the result may begin, so that it never reaches what is still read.
    fn overlay(&self) -> Vec<(usize, usize)> {
        let mut needed: BTreeMap<usize, usize> = BTreeMap::new();
        let mut overlay: BTreeMap<usize, usize> = BTreeMap::new();
        for Touched { reads, written } in self.touched.iter().rev() {
            for (operand, first) in reads {
                let known = needed.entry(*operand).or_insert(*first);
                *known = (*known).min(*first);
            }
            for (operand, first) in written.iter().flat_map(|_| &needed) {
                let before = written.unwrap_or(0).saturating_sub(*first).next_multiple_of(ALIGNMENT);
                let known = overlay.entry(*operand).or_insert(0);
                *known = (*known).max(before);
            }
        }
        overlay.into_iter().collect()
    }

    /// Has a link compute its next rows.
    fn produce(&mut self, link: usize) -> Option<()> {
        let Link { layer, operands } = &self.links[link];
        let begin = self.state[link].done;
        let end = (begin + self.rows).min(layer.height);
        for (takes, source) in layer.takes.iter().zip(operands) {
            let Source::Link(from) = source else { continue };
            while self.state[*from].done < takes.span(begin, end).1 {
                self.produce(*from)?;
            }
        }
        let last = link + 1 == self.links.len();
        if !last {
            self.make_room(link);
        }
        let state = &mut self.state[link];
        state.done = end;
        state.most = state.most.max(end - state.front);
        let kind = self.kind(link, (begin, end))?;
        let mut at = Vec::new();
        let mut reads = Vec::new();
        for (takes, source) in layer.takes.iter().zip(operands) {
            let (first, _) = takes.span(begin, end);
            at.push(match source {
                Source::Link(from) => first.checked_sub(self.state[*from].front)?,
                Source::Operand(operand) => {
                    reads.push((*operand, takes.first_byte(begin)));
                    first
                }
            });
        }
        at.push(if last { begin } else { begin - self.state[link].front });
        self.steps.push(Step::Call { kind, at });
        self.touched.push(Touched { reads, written: last.then_some(end * layer.row) });
        Some(())
    }

    /// Rows that nobody reads again leave the buffer.
    fn make_room(&mut self, link: usize) {
        let State { done, front, .. } = self.state[link];
        let next = |(reader, operand): &(usize, usize)| {
            let (layer, at) = (&self.links[*reader].layer, self.state[*reader].done);
            match layer.takes[*operand] {
                takes @ Takes::Rows { .. } if at < layer.height => takes.span(at, at + 1).0,
                _ => done,
            }
        };
        let keep = self.readers[link].iter().map(next).min().unwrap_or(done).clamp(front, done);
        if keep == front {
            return;
        }
        if done > keep {
            self.steps.push(Step::Slide { link, from: keep - front, rows: done - keep });
            self.moved += ((done - keep) * self.links[link].layer.row) as u64;
        }
        self.state[link].front = keep;
    }

    fn kind(&mut self, link: usize, span: (usize, usize)) -> Option<usize> {
        let form = self.links[link].layer.form(span)?;
        let next = self.kinds.len();
        Some(*self.kinds.entry((link, form)).or_insert(next))
    }
}
