//! The choice of tile sizes, their order, and buffering for one layer.
//!
//! In: a node, its kernel, a scratchpad and how much of it is free, which tensors already are there. Out: the [`Tiled`]
//! layer with the fewest predicted cycles among those looked at. Never looks at other layers.

mod best;
mod given;
mod parts;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::copy::{self, Copy};
use super::cost::{self, Dma, Part};
use super::{Kind, Stream, Tables, Tile, Tiled};
use crate::ir::access::{Reach, Region, Space, Span, region};
use crate::ir::{Graph, Node, NodeId, Op, TensorType};
use crate::targets::{Assignment, Choice, FITS, Library, fit_part};

/// Whether parts are fetched ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffering {
    /// Whatever is faster.
    #[default]
    Auto,
    /// One buffer for each stream: copies and kernels take turns.
    Single,
    /// Two buffers for each stream that changes, where they fit and do not make it slower: copies overlap kernels.
    Double,
}

/// The memory for parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Scratchpad {
    /// Index of its arena in the plan.
    pub arena: usize,
    /// Its name.
    pub level: String,
    /// Bytes available.
    pub capacity: usize,
    /// Alignment of every slot.
    pub alignment: usize,
    /// The DMA that fills it.
    pub dma: Dma,
    /// Whether parts are fetched ahead.
    pub buffering: Buffering,
    /// Layers that the search for what is near may play.
    pub budget: u64,
    /// What tilers of it have seen.
    pub seen: Rc<Seen>,
}

/// What tilers have found out about layers, with the same library: the network is planned anew with some of its layers changed.
#[derive(Debug, Default)]
pub struct Seen {
    /// Layers that are alike, in scratchpads that are alike, have the same number.
    numbers: RefCell<BTreeMap<String, usize>>,
    known: RefCell<BTreeMap<Key, Rc<Candidates>>>,
    found: RefCell<BTreeMap<Key, Vec<Found>>>,
    smallest: RefCell<BTreeMap<usize, Option<usize>>>,
    fits: RefCell<Fits>,
    /// What looking for new forms took, in layers that might be played instead.
    pub effort: Cell<u64>,
}

impl Seen {
    fn spend(&self, layers: u64) {
        self.effort.set(self.effort.get() + layers);
    }
}

/// A part of a layer as an operator of its own: its kernel and the types of its results.
type Fit = (Op, Choice, Vec<TensorType>);

/// Those found out about, by the number of their layers and their operands' and results' outlines.
type Fits = BTreeMap<(usize, Vec<Outline>), Option<Fit>>;

impl PartialEq for Seen {
    /// Scratchpads do not differ in what was looked at.
    fn eq(&self, _: &Seen) -> bool {
        true
    }
}

/// Forms that are worked out at most to find the smallest: with scratch and tables it is not always the first.
const SMALLEST: usize = 1000;
/// Combinations of sizes that are estimated at most.
const COMBINATIONS: usize = 6000;
/// Parts of a layer at most.
const MOST_TILES: usize = 4096;

/// What it takes to look for the best form in another number of bytes, in layers that might be played instead; to work one out
/// takes half of that, and some more for each part.
const LOOK: u64 = 40;
/// Bytes of a layer's tables that are copied to the scratchpad whatever they cost there.
const NEAR_TABLES: usize = 1024;

/// A region's shape and margins: all that tells parts apart but their place.
type Outline = (Vec<usize>, Vec<(usize, usize)>);

/// What tells layers apart for the search, but not which node they are: operator, kernel, types; and which streams (bit
/// s: stream s) are resident.
type Key = (usize, u64);

/// Tiles layers of one network for one scratchpad, which remembers those that were seen.
#[derive(Debug)]
pub struct Tiler<'a> {
    graph: &'a Graph,
    assignment: &'a Assignment,
    library: &'a Library,
    /// The scratchpad.
    pub pad: &'a Scratchpad,
    signatures: BTreeMap<NodeId, usize>,
}

/// The best form of a layer in `most` bytes; it is also the best in any that it fits.
#[derive(Clone, Debug)]
struct Found {
    most: usize,
    tiled: Option<Rc<Tiled>>,
}

/// The candidates of a layer, the most promising first.
type Candidates = Vec<Candidate>;

/// The layer, its operands' and results' types in one list.
struct Layer<'a> {
    /// That of layers which are alike.
    number: usize,
    node: &'a Node,
    whole: &'a Choice,
    library: &'a Library,
    space: Space,
    types: Vec<TensorType>,
    constant: Vec<bool>,
    resident: u64,
    pad: &'a Scratchpad,
}

/// A candidate: the size of a part along each axis, and the axes that are cut, outermost loop first.
#[derive(Clone, Debug)]
struct Candidate {
    shape: Vec<usize>,
    order: Vec<usize>,
    ahead: bool,
    estimate: u64,
    bytes: usize,
    /// Its cycles and bytes, if it was worked out; none if its kernel or the DMA does not take it.
    known: Cell<Option<Option<(u64, usize)>>>,
    /// All of it, if it was the best once.
    tiled: RefCell<Option<Rc<Tiled>>>,
}

impl<'a> Tiler<'a> {
    /// A tiler for the nodes of a graph.
    pub fn new(
        graph: &'a Graph,
        assignment: &'a Assignment,
        library: &'a Library,
        pad: &'a Scratchpad,
    ) -> Tiler<'a> {
        let signature = |id: NodeId, node: &Node| {
            let choice = assignment.choices.get(&id)?;
            let constant: Vec<bool> = node.inputs.iter().map(|t| graph.tensor(*t).is_constant()).collect();
            let types = (graph.types(&node.inputs), graph.types(&node.outputs));
            let fits = FITS.map(|name| choice.params.get(name));
            let memory = (pad.capacity, pad.alignment, pad.dma, pad.buffering);
            Some(format!("{:?} {:?} {types:?} {constant:?} {fits:?} {memory:?}", node.op, choice.kernel))
        };
        let mut numbers = pad.seen.numbers.borrow_mut();
        let mut signatures = BTreeMap::new();
        for (id, node) in graph.nodes() {
            if let Some(text) = signature(id, node) {
                let next = numbers.len();
                signatures.insert(id, *numbers.entry(text).or_insert(next));
            }
        }
        Tiler { graph, assignment, library, pad, signatures }
    }

    /// The best tiled form of a node within `most` bytes, where the streams whose bit is set are in the scratchpad as a
    /// whole; `None` if the operator has no parts or none of them fits. Its streams are those of the first such layer.
    pub fn tile(&self, id: NodeId, resident: u64, most: usize) -> Option<Rc<Tiled>> {
        let key = (*self.signatures.get(&id)?, resident);
        let fits = |f: &&Found| f.most >= most && f.tiled.as_ref().is_none_or(|t| t.bytes <= most);
        let hit = self.pad.seen.found.borrow().get(&key).and_then(|all| all.iter().find(fits).cloned());
        if let Some(found) = hit {
            return found.tiled;
        }
        self.pad.seen.spend(LOOK);
        let tiled = self.layer(id, resident).and_then(|layer| {
            let candidates = self.candidates(&layer, key);
            layer.best(&candidates, most)
        });
        let found = Found { most, tiled: tiled.clone() };
        self.pad.seen.found.borrow_mut().entry(key).or_default().push(found);
        tiled
    }

    /// Whether a node can be computed in parts in the whole scratchpad; `None` if its operator has no parts.
    pub fn fits(&self, id: NodeId) -> Option<bool> {
        let key = (*self.signatures.get(&id)?, 0);
        let layer = self.layer(id, 0)?;
        let candidates = self.candidates(&layer, key);
        let within = |bytes: usize| bytes <= self.pad.capacity;
        let mut small = candidates.iter().filter(|c| within(c.bytes));
        Some(small.any(|c| layer.known(c).is_some_and(|(_, bytes)| within(bytes))))
    }

    /// The fewest bytes in which a node can be computed in parts, however large the scratchpad is.
    pub fn least(&self, id: NodeId) -> Option<usize> {
        let signature = self.signatures.get(&id)?;
        if let Some(known) = self.pad.seen.smallest.borrow().get(signature) {
            return *known;
        }
        let pad = Scratchpad { capacity: usize::MAX, ..self.pad.clone() };
        let layer = self.layer(id, 0).map(|layer| Layer { pad: &pad, ..layer });
        let least = layer.and_then(|layer| {
            let mut candidates = layer.candidates();
            candidates.sort_by_key(|c| c.bytes);
            let mut least: Option<usize> = None;
            for candidate in candidates.iter().take(SMALLEST) {
                if least.is_some_and(|least| candidate.bytes >= least) {
                    break;
                }
                if let Some(tiled) = layer.work_out(candidate, least.map_or(usize::MAX, |l| l - 1)) {
                    least = Some(tiled.bytes);
                }
            }
            least
        });
        self.pad.seen.smallest.borrow_mut().insert(*signature, least);
        least
    }

    fn candidates(&self, layer: &Layer, key: Key) -> Rc<Candidates> {
        if let Some(known) = self.pad.seen.known.borrow().get(&key) {
            return known.clone();
        }
        let mut candidates = layer.candidates();
        candidates.sort_by_key(|c| c.estimate);
        let candidates = Rc::new(candidates);
        self.pad.seen.known.borrow_mut().insert(key, candidates.clone());
        candidates
    }

    fn layer(&self, id: NodeId, resident: u64) -> Option<Layer<'_>> {
        let node = self.graph.node(id);
        let (number, whole) = (*self.signatures.get(&id)?, self.assignment.choices.get(&id)?);
        let (inputs, outputs) = (self.graph.types(&node.inputs), self.graph.types(&node.outputs));
        let space = node.op.space(&inputs, &outputs)?;
        if space.axes.contains(&0) || inputs.iter().chain(&outputs).any(|t| t.elements() == 0) {
            return None;
        }
        let constant = node.inputs.iter().map(|t| self.graph.tensor(*t).is_constant()).collect();
        let types = inputs.into_iter().chain(outputs).collect();
        Some(Layer {
            number,
            node,
            whole,
            library: self.library,
            space,
            types,
            constant,
            resident,
            pad: self.pad,
        })
    }
}

/// Sizes worth trying for an axis of `n`: even divisions, also rounded up to whole words.
fn sizes(n: usize, most: usize) -> Vec<usize> {
    let divided = (1..=n.min(24)).map(|k| n.div_ceil(k));
    let rounded =
        divided.clone().flat_map(|s| [s, s.next_multiple_of(4).min(n), s.next_multiple_of(16).min(n)]);
    let mut all: Vec<usize> = rounded.chain([1, 2, 4, 8].map(|s: usize| s.min(n))).collect();
    all.sort_unstable();
    all.dedup();
    if all.len() > most {
        // Few, evenly spread in their logarithm: the largest, then about halves.
        let mut few = vec![n];
        while let Some(next) = all.iter().rev().find(|s| **s < few[few.len() - 1].div_ceil(2).max(2)) {
            if few.len() == most || few.contains(next) {
                break;
            }
            few.push(*next);
        }
        all = few;
    }
    all
}

impl Layer<'_> {
    fn resident(&self, stream: usize) -> bool {
        self.resident >> stream & 1 != 0
    }
    fn reaches(&self, stream: usize) -> &[Reach] {
        let operands = self.space.operands.len();
        if stream < operands { &self.space.operands[stream] } else { &self.space.results[stream - operands] }
    }
    fn region(&self, stream: usize, part: &[Span]) -> Region {
        region(self.reaches(stream), &self.types[stream].shape, part)
    }
    /// Axes of the iteration space that a stream's part depends on.
    fn follows(&self, stream: usize, axis: usize) -> bool {
        self.reaches(stream).iter().any(|r| matches!(r, Reach::Along { axis: a, .. } if *a == axis))
    }
    fn written(&self, stream: usize) -> bool {
        stream >= self.space.operands.len()
    }
    fn slot_bytes(&self, bytes: usize) -> usize {
        bytes.next_multiple_of(self.pad.alignment.max(8))
    }

    /// All combinations of sizes that may fit, with every order of the axes they cut.
    fn candidates(&self) -> Vec<Candidate> {
        let axes = &self.space.axes;
        let mut most = 64;
        let mut choices: Vec<Vec<usize>> = axes.iter().map(|n| sizes(*n, most)).collect();
        while choices.iter().map(|c| c.len()).product::<usize>() > COMBINATIONS && most > 2 {
            most = (most * 2 / 3).max(2);
            choices = axes.iter().map(|n| sizes(*n, most)).collect();
        }
        let mut found = Vec::new();
        let mut shape: Vec<usize> = choices.iter().map(|c| c[0]).collect();
        let mut index = vec![0; axes.len()];
        loop {
            self.estimate_all(&shape, &mut found);
            let Some(next) = (0..axes.len()).rev().find(|i| index[*i] + 1 < choices[*i].len()) else { break };
            index[next] += 1;
            index[next + 1..].fill(0);
            for i in next..axes.len() {
                shape[i] = choices[i][index[i]];
            }
        }
        found
    }

    fn estimate_all(&self, shape: &[usize], found: &mut Vec<Candidate>) {
        let counts: Vec<usize> = self.space.axes.iter().zip(shape).map(|(n, s)| n.div_ceil(*s)).collect();
        let tiles = counts.iter().fold(1usize, |p, c| p.saturating_mul(*c));
        if tiles > MOST_TILES {
            return;
        }
        let part: Vec<Span> = self.largest(shape);
        let regions: Vec<Region> = (0..self.types.len()).map(|s| self.region(s, &part)).collect();
        let size = |s: usize| regions[s].shape().iter().product::<usize>() * self.types[s].dtype.bytes();
        let bytes: Vec<usize> =
            (0..regions.len()).map(|s| if self.resident(s) { 0 } else { self.slot_bytes(size(s)) }).collect();
        if bytes.iter().sum::<usize>() > self.pad.capacity {
            return;
        }
        let cycles = |s: usize| {
            let (_, copy) = self.copy(s, &regions[s])?;
            let resident = self.resident(s);
            // What is there already is read where it is, which must look like a part by itself.
            let there = copy.planes == 1 && copy.rows == 1;
            (there || !resident).then(|| if resident { 0 } else { self.pad.dma.cycles(&copy) })
        };
        let copies: Option<Vec<u64>> = (0..regions.len()).map(cycles).collect();
        let Some(copies) = copies else { return };
        let cut: Vec<usize> = (0..shape.len()).filter(|a| counts[*a] > 1).collect();
        let modes: &[bool] = match self.pad.buffering {
            Buffering::Single => &[false],
            Buffering::Double | Buffering::Auto => &[true, false],
        };
        for ahead in modes.iter().copied() {
            if ahead && cut.is_empty() && modes.len() > 1 {
                continue;
            }
            let changes = |s: usize| cut.iter().any(|a| self.follows(s, *a));
            let total: usize =
                (0..bytes.len()).map(|s| bytes[s] * if ahead && changes(s) { 2 } else { 1 }).sum();
            if total > self.pad.capacity {
                continue;
            }
            for order in orders(&cut) {
                let estimate = self.estimate(&order, &counts, &copies, tiles, ahead);
                found.push(Candidate {
                    shape: shape.to_vec(),
                    order,
                    ahead,
                    estimate,
                    bytes: total,
                    known: Cell::new(None),
                    tiled: RefCell::default(),
                });
            }
        }
    }

    /// The middle part, which no border cuts short.
    fn largest(&self, shape: &[usize]) -> Vec<Span> {
        let middle = |(n, s): (&usize, &usize)| {
            let count = n.div_ceil(*s);
            let at = (count - 1) / 2;
            (at * s, (at * s + s).min(*n))
        };
        self.space.axes.iter().zip(shape).map(middle).collect()
    }

    /// Predicted cycles, given the cycles of copying each stream's part once.
    fn estimate(&self, order: &[usize], counts: &[usize], each: &[u64], tiles: usize, ahead: bool) -> u64 {
        let mut copies = 0u64;
        for (s, cycles) in each.iter().enumerate() {
            // A part changes with the axes it follows and with all loops around the innermost of them.
            let innermost = order.iter().rposition(|a| self.follows(s, *a));
            let times: usize = order[..innermost.map_or(0, |i| i + 1)].iter().map(|a| counts[*a]).product();
            let times = if self.written(s) { tiles } else { times };
            copies += times as u64 * cycles;
        }
        let kernel = self.library.cycles(self.whole).unwrap_or(0) + tiles as u64 * 150;
        let steps = tiles as u64 * cost::STEP;
        if ahead { (kernel + steps).max(copies) + copies / tiles as u64 } else { kernel + copies + steps }
    }

    /// The candidate with all its parts; `None` if the kernel or the DMA does not take one of them, or they do not fit.
    fn work_out(&self, candidate: &Candidate, most: usize) -> Option<Tiled> {
        let (kinds, tiles) = self.parts(candidate)?;
        self.pad.seen.spend(LOOK / 2 + tiles.len() as u64 / 4);
        self.place(candidate, kinds, tiles, most)
    }

    fn copy(&self, stream: usize, region: &Region) -> Option<(usize, Copy)> {
        match self.whole.packing(stream).filter(|_| !self.written(stream)) {
            Some(packing) => copy::of_packed(&self.types[stream], region, &packing),
            None => copy::of_region(&self.types[stream], region),
        }
    }

    fn kind(&self, regions: &[Region]) -> Option<Kind> {
        let operands = self.space.operands.len();
        let inputs: Vec<TensorType> = regions[..operands]
            .iter()
            .zip(&self.types)
            .map(|(r, t)| TensorType::new(t.dtype, r.shape()))
            .collect();
        let key = (self.number, regions.iter().map(|r| (r.shape(), r.margins.clone())).collect());
        let known = self.pad.seen.fits.borrow().get(&key).cloned();
        let (op, choice, outputs) = known.unwrap_or_else(|| {
            let op = self.node.op.part(&inputs, &regions[0].margins);
            let fit = fit_part(self.library, self.whole, &op, &inputs, &self.constant).ok();
            let fit = fit.map(|(choice, outputs)| (op, choice, outputs));
            self.pad.seen.fits.borrow_mut().insert(key, fit.clone());
            fit
        })?;
        let fits = outputs.iter().zip(&regions[operands..]).all(|(t, r)| t.shape == r.shape());
        let copies = (0..regions.len()).map(|s| self.copy(s, &regions[s]).map(|c| c.1));
        let copies: Vec<Copy> = copies.collect::<Option<_>>()?;
        // A packed part must be packed like the part alone.
        let packed = (0..operands).all(|i| match choice.packing(i) {
            Some(p) => p.packed_type(&inputs[i]).bytes() == copies[i].bytes(),
            None => self.whole.packing(i).is_none(),
        });
        let types = inputs.into_iter().chain(outputs).collect();
        (fits && packed).then_some(Kind { op, types, choice, copies })
    }

    /// Gives streams their slots, and parts their turns.
    fn place(
        &self,
        candidate: &Candidate,
        kinds: Vec<Kind>,
        mut tiles: Vec<Tile>,
        most: usize,
    ) -> Option<Tiled> {
        let mut streams: Vec<Stream> = Vec::new();
        let mut used = 0;
        let tensors = self.node.inputs.iter().chain(&self.node.outputs);
        for (s, tensor) in tensors.enumerate() {
            let written = self.written(s);
            let bytes = kinds.iter().map(|k| k.copies[s].bytes()).max().unwrap_or(0);
            if self.resident(s) {
                streams.push(Stream { tensor: *tensor, written, slots: vec![], bytes });
                continue;
            }
            let mut changes = 0;
            for i in 0..tiles.len() {
                let key = |t: &Tile| (t.offsets[s], kinds[t.kind].copies[s]);
                let same = i > 0 && key(&tiles[i]) == key(&tiles[i - 1]);
                if i > 0 && !same {
                    changes += 1;
                }
                tiles[i].loads[s] = !written && !same;
                tiles[i].slots[s] = if candidate.ahead { changes % 2 } else { 0 };
            }
            let slots = if candidate.ahead && changes > 0 { 2 } else { 1 };
            let each = self.slot_bytes(bytes);
            streams.push(Stream {
                tensor: *tensor,
                written,
                slots: (0..slots).map(|i| used + i * each).collect(),
                bytes,
            });
            used += slots * each;
        }
        let scratch = kinds.iter().map(|k| k.choice.scratch_bytes).max().filter(|b| *b > 0);
        let scratch = scratch.map(|bytes| {
            used += self.slot_bytes(bytes);
            used - self.slot_bytes(bytes)
        });
        let costs: Vec<Part> = tiles.iter().map(|t| self.cost(&kinds[t.kind], t)).collect();
        let mut tiled = Tiled {
            arena: self.pad.arena,
            base: 0,
            // Nor are parts ever faster than the whole: costs that say so lack something.
            cycles: cost::total(&costs, candidate.ahead).max(self.library.cycles(self.whole).unwrap_or(0)),
            streams,
            kinds,
            tiles,
            ahead: candidate.ahead,
            scratch,
            tables: Tables::default(),
            bytes: used,
            shape: candidate.shape.clone(),
            order: candidate.order.clone(),
        };
        let (fixed, all) = tiled.table_bytes();
        let bytes = if all <= NEAR_TABLES { all } else { fixed };
        tiled.tables = Tables { at: used, bytes };
        tiled.bytes += self.slot_bytes(bytes);
        (tiled.bytes <= most).then_some(tiled)
    }

    fn cost(&self, kind: &Kind, tile: &Tile) -> Part {
        let mut part = Part { kernel: self.library.cycles(&kind.choice).unwrap_or(0), ..Part::default() };
        for (s, copy) in kind.copies.iter().enumerate() {
            if self.resident(s) {
                continue;
            }
            let cycles = self.pad.dma.cycles(copy);
            if self.written(s) {
                part.store += cycles;
            } else if tile.loads[s] {
                part.fetch += cycles;
            }
        }
        part
    }
}

/// All orders of a few axes.
fn orders(axes: &[usize]) -> Vec<Vec<usize>> {
    match axes {
        [] => vec![vec![]],
        _ if axes.len() > 4 => vec![axes.to_vec()],
        _ => (0..axes.len())
            .flat_map(|i| {
                let mut rest = axes.to_vec();
                let first = rest.remove(i);
                orders(&rest).into_iter().map(move |mut order| {
                    order.insert(0, first);
                    order
                })
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_cover_an_axis() {
        assert_eq!(sizes(1, 64), [1]);
        assert!(sizes(16, 64).contains(&16) && sizes(16, 64).contains(&4) && sizes(16, 64).contains(&1));
        assert_eq!(sizes(100, 3), [100, 48, 20]);
        assert!(sizes(18_250, 2).len() <= 2 && sizes(3, 1) == [3] && sizes(5, 64).contains(&1));
        assert!(sizes(100, 64).iter().all(|s| (1..=100).contains(s)));
    }

    #[test]
    fn orders_are_permutations() {
        assert_eq!(orders(&[]).len(), 1);
        assert_eq!(orders(&[2, 0, 5]).len(), 6);
        assert!(orders(&[0, 1]).contains(&vec![1, 0]));
    }
}
