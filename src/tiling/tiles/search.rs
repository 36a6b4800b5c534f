//! The choice of tile sizes, their order, and buffering for one layer.
//!
//! In: a node, its kernel, a scratchpad and how much of it is free, which tensors already are there. Out: the [`Tiled`]
//! layer with the fewest predicted cycles among those looked at. Never looks at other layers.

mod best;
mod candidates;
mod given;
mod parts;
mod turns;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::copy::{self, Copy};
use super::cost::Dma;
use super::{MOST_STREAMS, Tiled};
use crate::ir::access::{Reach, Region, Space, Span, region};
use crate::ir::{Graph, Node, NodeId, Op, TensorType};
use crate::targets::{Assignment, Choice, FITS, Library};

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

/// A part of a layer as an operator of its own, the types of its operands and results, and what is asked of its kernel: the call
/// with all its parameters is large, and wanted of few.
#[derive(Debug)]
struct Fit {
    op: Op,
    types: Vec<TensorType>,
    /// Cycles of the kernel.
    kernel: u64,
    /// Bytes of its working memory.
    scratch: usize,
    /// Bytes of each operand that it reads packed.
    packed: Vec<Option<usize>>,
}

/// Those found out about, by the number of their layers and their operands' and results' outlines.
type Fits = BTreeMap<(usize, Vec<Outline>), Option<Rc<Fit>>>;

impl PartialEq for Seen {
    /// Scratchpads do not differ in what was looked at.
    fn eq(&self, _: &Seen) -> bool {
        true
    }
}

/// Forms that are worked out at most to find the smallest: with scratch and tables it is not always the first.
const SMALLEST: usize = 1000;
/// Parts of a layer at most.
const MOST_TILES: usize = 4096;

/// What it takes to look for the best form in another number of bytes, in layers that might be played instead; to work one out
/// takes half of that, and some more for each part.
const LOOK: u64 = 40;
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
    shape: Rc<[usize]>,
    order: Rc<[usize]>,
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
        let mut all = self.pad.seen.found.borrow_mut();
        let all = all.entry(key).or_default();
        let same = |f: &&mut Found| match (&f.tiled, &tiled) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        match all.iter_mut().find(same) {
            Some(found) => found.most = found.most.max(most),
            None => all.push(Found { most, tiled: tiled.clone() }),
        }
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
                let bytes = layer.measure(candidate).map(|(_, bytes)| bytes);
                least = least.into_iter().chain(bytes).min();
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
        let types: Vec<TensorType> = inputs.into_iter().chain(outputs).collect();
        (types.len() <= MOST_STREAMS).then_some(Layer {
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

    fn copy(&self, stream: usize, region: &Region) -> Option<(usize, Copy)> {
        match self.whole.packing(stream).filter(|_| !self.written(stream)) {
            Some(packing) => copy::of_packed(&self.types[stream], region, &packing),
            None => copy::of_region(&self.types[stream], region),
        }
    }
}
