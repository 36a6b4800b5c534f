//! Blocks: which tensors share bytes on purpose.
//!
//! In: a graph in execution order and, per node, what may be shared. Out: [`Blocks`], a partition of tensors
//! into pieces of memory, each with a lifetime. Never chooses offsets in memory: that is the allocator's.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Alias, AliasKind, Interface};
use super::planner::MemoryOptions;
use crate::ir::ops::View;
use crate::ir::{Graph, NodeId, TensorId};
use crate::targets::Assignment;

/// Index of a block.
pub type BlockId = usize;

/// A piece of memory that holds one or more tensors.
#[derive(Clone, Debug)]
pub struct Block {
    /// Size in bytes.
    pub bytes: usize,
    /// First step at which it holds something (0: before the first node).
    pub first: usize,
    /// Last step at which it is read or written (node `i` of the order is step `i + 1`).
    pub last: usize,
}

/// Tensors placed in blocks.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    /// The blocks; merged ones stay with zero bytes.
    pub blocks: Vec<Block>,
    /// Block and offset in bytes of every tensor that is not a constant.
    pub place: BTreeMap<TensorId, (BlockId, usize)>,
    /// Deliberate sharing.
    pub aliases: Vec<Alias>,
    /// Nodes that need no code.
    pub elided: BTreeSet<NodeId>,
}

/// Builds blocks node by node.
pub struct Sharing<'a> {
    graph: &'a Graph,
    assignment: &'a Assignment,
    interface: Interface,
    scratchpad: bool,
    last_read: BTreeMap<TensorId, usize>,
    members: BTreeMap<BlockId, Vec<TensorId>>,
    out: Blocks,
}

impl<'a> Sharing<'a> {
    /// Shares as much as allowed; concatenations in `copied` are left to copy.
    pub fn build(
        graph: &'a Graph,
        assignment: &'a Assignment,
        options: &'a MemoryOptions,
        order: &'a [NodeId],
        copied: &BTreeSet<NodeId>,
    ) -> Blocks {
        let mut sharing = Sharing {
            graph,
            assignment,
            interface: options.interface,
            scratchpad: options.scratchpad.is_some(),
            last_read: last_reads(graph, order),
            members: BTreeMap::new(),
            out: Blocks::default(),
        };
        for t in graph.inputs() {
            sharing.fresh(*t, 0);
        }
        for (i, id) in order.iter().enumerate() {
            sharing.place_results(*id, i + 1, copied.contains(id));
        }
        sharing.out
    }

    fn fresh(&mut self, t: TensorId, step: usize) {
        if self.graph.tensor(t).is_constant() || self.out.place.contains_key(&t) {
            return;
        }
        let id = self.out.blocks.len();
        let last = self.last_read.get(&t).copied().unwrap_or(step).max(step);
        self.out.blocks.push(Block { bytes: self.graph.tensor(t).ty.bytes(), first: step, last });
        self.out.place.insert(t, (id, 0));
        self.members.insert(id, vec![t]);
    }

    fn place_results(&mut self, id: NodeId, step: usize, copied: bool) {
        let node = self.graph.node(id);
        let (ins, outs) = (self.graph.types(&node.inputs), self.graph.types(&node.outputs));
        let empty = outs.iter().all(|ty| ty.bytes() == 0);
        let shared = match node.op.view(&ins, &outs) {
            View::Of { offset } => self.view(id, offset, step),
            View::Joined { offsets } if !copied => self.join(id, &offsets, step),
            _ => false,
        };
        if shared || empty {
            self.out.elided.insert(id);
        } else {
            self.overwrite(id, step);
        }
        for t in &node.outputs {
            self.fresh(*t, step);
        }
    }

    /// Result 0 becomes a part of operand 0's block.
    fn view(&mut self, id: NodeId, offset: usize, step: usize) -> bool {
        let node = self.graph.node(id);
        let (operand, result) = (node.inputs[0], node.outputs[0]);
        let Some((block, start)) = self.out.place.get(&operand).copied() else { return false };
        let ty = &self.graph.tensor(result).ty;
        let offset = start + offset * ty.dtype.bytes();
        // The caller's output buffer is exactly one tensor and nobody else's.
        let whole = offset == 0 && ty.bytes() == self.out.blocks[block].bytes && !self.is_external(block);
        if self.interface == Interface::Caller && self.graph.is_output(result) && !whole {
            return false;
        }
        self.admit(result, block, offset, step);
        self.out.aliases.push(Alias { node: id, operand, result, kind: AliasKind::View });
        true
    }

    /// Operands that fill a whole block move into the result's block; true if all did.
    fn join(&mut self, id: NodeId, offsets: &[usize], step: usize) -> bool {
        let node = self.graph.node(id);
        let result = node.outputs[0];
        let size = self.graph.tensor(result).ty.dtype.bytes();
        self.fresh(result, step);
        let (target, _) = self.out.place[&result];
        let mut all = true;
        for (i, operand) in node.inputs.iter().enumerate() {
            if self.graph.tensor(*operand).ty.bytes() == 0 {
                continue;
            }
            // Another operand in the same block would have to be copied out of the result being written.
            let sharers = |block| node.inputs.iter().filter(|t| self.block_of(**t) == Some(block)).count();
            let movable = self.out.place.get(operand).copied().filter(|(block, start)| {
                *start == 0
                    && sharers(*block) == 1
                    && *block != target
                    && self.out.blocks[*block].bytes == self.graph.tensor(*operand).ty.bytes()
                    && !(self.interface == Interface::Caller && self.is_external(*block))
            });
            let Some((block, _)) = movable else {
                all = false;
                continue;
            };
            for t in self.members.remove(&block).unwrap_or_default() {
                let (_, start) = self.out.place[&t];
                self.out.place.insert(t, (target, offsets[i] * size + start));
                self.members.entry(target).or_default().push(t);
            }
            let (first, last) = (self.out.blocks[block].first, self.out.blocks[block].last);
            self.out.blocks[block].bytes = 0;
            let joined = &mut self.out.blocks[target];
            joined.first = joined.first.min(first);
            joined.last = joined.last.max(last);
            self.out.aliases.push(Alias { node: id, operand: *operand, result, kind: AliasKind::Joined });
        }
        all
    }

    /// A result takes over the block of an operand that dies here, where the kernel allows it.
    fn overwrite(&mut self, id: NodeId, step: usize) {
        let node = self.graph.node(id);
        let Some(choice) = self.assignment.choices.get(&id) else { return };
        for (operand, result) in &choice.inplace {
            if self.scratchpad && !same_parts(self.graph, id, *operand, *result) {
                continue;
            }
            let (operand, result) = (node.inputs[*operand], node.outputs[*result]);
            let Some((block, start)) = self.out.place.get(&operand).copied() else { continue };
            let whole = self.out.blocks[block].bytes;
            let fits = start == 0
                && self.graph.tensor(operand).ty.bytes() == whole
                && self.graph.tensor(result).ty.bytes() == whole;
            let dies = self.members[&block].iter().all(|t| self.last_read.get(t).is_none_or(|l| *l <= step));
            let readers = node.inputs.iter().filter(|t| self.block_of(**t) == Some(block));
            // What enters or leaves the network stays outside of a scratchpad; what follows in its place would too.
            let outside = self.scratchpad && (self.is_external(block) || self.graph.is_output(result));
            let external = outside || (self.interface == Interface::Caller && self.is_external(block));
            if fits && dies && readers.count() == 1 && !external && !self.out.place.contains_key(&result) {
                self.admit(result, block, 0, step);
                self.out.aliases.push(Alias { node: id, operand, result, kind: AliasKind::InPlace });
            }
        }
    }

    fn admit(&mut self, t: TensorId, block: BlockId, offset: usize, step: usize) {
        let last = self.last_read.get(&t).copied().unwrap_or(step).max(step);
        self.out.place.insert(t, (block, offset));
        self.out.blocks[block].last = self.out.blocks[block].last.max(last);
        self.members.entry(block).or_default().push(t);
    }

    fn block_of(&self, t: TensorId) -> Option<BlockId> {
        self.out.place.get(&t).map(|(block, _)| *block)
    }

    /// Whether the block holds a graph input or output.
    fn is_external(&self, block: BlockId) -> bool {
        self.members[&block].iter().any(|t| self.graph.inputs().contains(t) || self.graph.is_output(*t))
    }

    /// Number of steps of the schedule: what is read "after the end" is read at this step.
    pub fn end(order: &[NodeId]) -> usize {
        order.len() + 1
    }
}

/// The last step at which each tensor is read; graph outputs are read after the last node.
fn last_reads(graph: &Graph, order: &[NodeId]) -> BTreeMap<TensorId, usize> {
    let mut last = BTreeMap::new();
    for (i, id) in order.iter().enumerate() {
        for t in &graph.node(*id).inputs {
            last.insert(*t, i + 1);
        }
    }
    for o in graph.outputs() {
        last.insert(o.tensor, Sharing::end(order));
    }
    last
}

/// Whether each part of the result lies where the same part of the operand does, so that a layer in parts may overwrite it.
fn same_parts(graph: &Graph, id: NodeId, operand: usize, result: usize) -> bool {
    let node = graph.node(id);
    let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
    let alike = inputs[operand].shape == outputs[result].shape;
    node.op.space(&inputs, &outputs).is_none_or(|s| alike && s.operands[operand] == s.results[result])
}
