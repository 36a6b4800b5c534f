//! Layout. In: a graph in ONNX's layout, channels first. Out: every convolution and pool on channels last, the only
//! layout that kernels know; constants permuted at compile time; transposes where the layouts meet. Graph inputs
//! and outputs keep ONNX's layout. Exact.
//!
//! Operators that work in either layout are divided by a minimum cut: the side of the convolutions is the source,
//! that of operators (and of the graph's interface) which need ONNX's layout is the sink, and a cut through a
//! tensor costs its bytes, once. So the bytes that transposes move are as few as possible. A tensor whose
//! transpose moves nothing (one channel, or one pixel) costs nothing.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::IxDyn;

use super::data_movement::moves_only_ones;
use super::kinds;
use crate::diag::{Diagnostic, Result};
use crate::ir::graph::{Node, NodeId, Tensor, TensorId};
use crate::ir::ops::{Reshape, Transpose};
use crate::ir::{Graph, Op, Patch, TensorType, Value};
use crate::map_array;

mod min_cut;
mod roles;

use min_cut::{INFINITE, Network};
use roles::{Flat, Follow, Role};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    let order = graph.topological_order().map_err(|_| Diagnostic::internal("the graph has a cycle"))?;
    let flat = flattened(graph, &order);
    let roles: BTreeMap<NodeId, Role> =
        order.iter().map(|id| (*id, roles::role(graph, &flat, graph.node(*id)))).collect();
    if !roles.values().any(|r| r.must) {
        return Ok(false);
    }
    let last = divide(graph, &flat, &roles);
    let mut rewriter = Rewriter::new(graph, &flat);
    for id in order {
        rewriter.node(id, &roles[&id], last.contains(&id))?;
    }
    rewriter.first_needed.extend(graph.outputs().iter().map(|o| o.tensor));
    rewriter.restore();
    let edits = rewriter.patch.finish();
    graph.apply(edits);
    Ok(true)
}

/// Tensors that are flattened activations of more than one channel and more than one pixel.
fn flattened(graph: &Graph, order: &[NodeId]) -> Flat {
    let mut flat = Flat::new();
    for node in order.iter().map(|id| graph.node(*id)) {
        let (Some(x), &[y]) = (node.inputs.first(), node.outputs.as_slice()) else { continue };
        let from = &graph.tensor(*x).ty.shape;
        let origin = match &node.op {
            Op::Reshape(op) if roles::flattens(from, &op.shape) => {
                (!moves_only_ones(from, &roles::to_last(from.len()))).then(|| from[1..].to_vec())
            }
            op if kinds::is_unary(op) || kinds::is_broadcasting(op) || is_requantisation(op) => {
                let same_shape = |t: &&TensorId| graph.tensor(**t).ty.shape == graph.tensor(y).ty.shape;
                node.inputs.iter().filter(same_shape).find_map(|t| flat.get(t).cloned())
            }
            _ => None,
        };
        flat.extend(origin.map(|origin| (y, origin)));
    }
    flat
}

fn is_requantisation(op: &Op) -> bool {
    matches!(op, Op::RequantShift(_) | Op::Quantize(_) | Op::Dequantize(_))
}

/// Whether both forms of a tensor hold the same bytes, so that going from one to the other costs nothing.
fn is_free(graph: &Graph, flat: &Flat, t: TensorId) -> bool {
    let shape = &graph.tensor(t).ty.shape;
    if shape.len() < 3 {
        !flat.contains_key(&t)
    } else {
        moves_only_ones(shape, &roles::to_last(shape.len()))
    }
}

/// The nodes that will work on channels last.
fn divide(graph: &Graph, flat: &Flat, roles: &BTreeMap<NodeId, Role>) -> BTreeSet<NodeId> {
    let mut network = Network::default();
    let (source, sink) = (network.vertex(), network.vertex());
    let vertices: BTreeMap<NodeId, usize> = roles
        .iter()
        .map(|(id, role)| {
            (
                *id,
                if role.must {
                    source
                } else if role.may {
                    network.vertex()
                } else {
                    sink
                },
            )
        })
        .collect();
    let uses = graph.uses();
    let outputs: BTreeSet<TensorId> = graph.outputs().iter().map(|o| o.tensor).collect();
    let mut seen = BTreeSet::new();
    for (t, tensor) in graph.tensors() {
        if tensor.is_constant() || is_free(graph, flat, t) {
            continue;
        }
        let producer = uses.producer(t).map(|(id, _)| id).filter(|id| roles[id].results);
        let producer = producer.map_or(sink, |id| vertices[&id]);
        let mut readers: BTreeSet<usize> = outputs.contains(&t).then_some(sink).into_iter().collect();
        seen.clear();
        for id in uses.consumers(t).iter().filter(|id| seen.insert(**id)) {
            for (_, follow) in
                graph.node(*id).inputs.iter().zip(&roles[id].operands).filter(|(i, _)| **i == t)
            {
                match follow {
                    Follow::Node => readers.insert(vertices[id]),
                    Follow::First => readers.insert(sink),
                    Follow::Any => false,
                };
            }
        }
        // A flattened tensor is never transposed itself, only what it is made from.
        let cost = if flat.contains_key(&t) { INFINITE } else { tensor.ty.bytes() as u64 };
        let (to_first, to_last) = (network.vertex(), network.vertex());
        network.arc(producer, to_first, cost);
        network.arc(to_last, producer, cost);
        for reader in readers {
            network.arc(to_first, reader, INFINITE);
            network.arc(reader, to_last, INFINITE);
        }
    }
    let side = network.source_side(source, sink);
    vertices.into_iter().filter(|(_, v)| side[*v]).map(|(id, _)| id).collect()
}

struct Rewriter<'g> {
    graph: &'g Graph,
    flat: &'g Flat,
    patch: Patch<'g>,
    /// The channels-last form of tensors that have one.
    last: BTreeMap<TensorId, TensorId>,
    /// Those of them that are made in it; the others are transposed to it.
    made_last: BTreeSet<TensorId>,
    /// Tensors that somebody wants in ONNX's layout.
    first_needed: BTreeSet<TensorId>,
    /// Permuted constants, by the rank they were permuted in.
    constants: BTreeMap<(TensorId, usize), TensorId>,
}

impl<'g> Rewriter<'g> {
    fn new(graph: &'g Graph, flat: &'g Flat) -> Self {
        Rewriter {
            graph,
            flat,
            patch: Patch::new(graph),
            last: BTreeMap::new(),
            made_last: BTreeSet::new(),
            first_needed: BTreeSet::new(),
            constants: BTreeMap::new(),
        }
    }

    fn node(&mut self, id: NodeId, role: &Role, last: bool) -> Result<()> {
        let node = self.graph.node(id);
        let mut new = node.clone();
        for (i, follow) in role.operands.iter().enumerate() {
            let t = node.inputs[i];
            match follow {
                Follow::Node if last => new.inputs[i] = self.last_form(t, node)?,
                Follow::Any if self.made_last.contains(&t) => self.absorb(&mut new, i)?,
                _ => {
                    self.first_needed.insert(t);
                }
            }
        }
        if let Op::Transpose(op) = &node.op {
            let operand_last = new.inputs[0] != node.inputs[0];
            new.op = roles::transpose(&op.perm, operand_last, last && role.results).into();
        } else if last {
            new.op = roles::on_last(&node.op, rank(self.graph, node));
        }
        if last && role.results {
            self.results(&mut new)?;
        }
        if new != *node {
            self.patch.replace_node(id, new);
        }
        Ok(())
    }

    /// New results in channels-last form.
    fn results(&mut self, node: &mut Node) -> Result<()> {
        let types: Vec<TensorType> = node.inputs.iter().map(|t| self.patch.get(*t).ty.clone()).collect();
        let types = node.op.infer(&types).map_err(|e| e.at(&node.name, &node.op))?;
        for (t, ty) in node.outputs.iter_mut().zip(types) {
            let old = self.graph.tensor(*t);
            let quant = old.quant.clone().filter(|q| q.axis.is_none());
            let new = self.patch.tensor(Tensor { name: old.name.clone(), ty, value: None, quant });
            self.last.insert(*t, new);
            self.made_last.insert(*t);
            *t = new;
        }
        Ok(())
    }

    /// The channels-last form of an operand of `reader`.
    fn last_form(&mut self, t: TensorId, reader: &Node) -> Result<TensorId> {
        if let Some(new) = self.last.get(&t) {
            return Ok(*new);
        }
        let tensor = self.graph.tensor(t);
        let rank = tensor.ty.rank();
        if let Some(value) = &tensor.value {
            let wanted =
                if kinds::is_broadcasting(&reader.op) { rank_of_result(self.graph, reader) } else { rank };
            let patch = &mut self.patch;
            let permuted = || constant_last(value, wanted).map_or(t, |v| patch.constant(&tensor.name, v));
            return Ok(*self.constants.entry((t, wanted)).or_insert_with(permuted));
        }
        if rank < 3 {
            return Ok(t);
        }
        let op = movement(&tensor.ty.shape, roles::to_last(rank));
        let new = self.patch.node(format!("{}_channels_last", tensor.name), op, &[t])?;
        let new = *new.first().ok_or_else(|| Diagnostic::internal("a transpose without result"))?;
        self.first_needed.insert(t);
        self.last.insert(t, new);
        Ok(new)
    }

    /// Makes a node that takes operand `i` in any layout take it as it is made.
    fn absorb(&mut self, node: &mut Node, i: usize) -> Result<()> {
        let t = node.inputs[i];
        node.inputs[i] = self.last[&t];
        let Some(origin) = self.flat.get(&t) else { return Ok(()) };
        let inner = matches!(&node.op, Op::Gemm(op) if op.trans_b);
        let weights = self.graph.tensor(node.inputs[1]);
        let permuted = weights.value.as_ref().and_then(|v| rows_last(v, origin, usize::from(inner)));
        let permuted = permuted.ok_or_else(|| {
            Diagnostic::internal("weights of a flattened operand do not fit it")
                .at(&node.name, node.op.name())
        })?;
        node.inputs[1] = self.patch.constant(&weights.name, permuted);
        Ok(())
    }

    /// Makes the channels-first form of tensors that are made in the other but still wanted.
    fn restore(&mut self) {
        for t in self.first_needed.intersection(&self.made_last).copied() {
            let new = self.last[&t];
            let tensor = self.graph.tensor(t);
            let shape = self.patch.get(new).ty.shape.clone();
            let op = movement(&shape, roles::to_first(shape.len()));
            self.patch.node_into(format!("{}_channels_first", tensor.name), op, vec![new], vec![t]);
        }
    }
}

/// A transpose, or a reshape where that is enough.
fn movement(from: &[usize], perm: Vec<usize>) -> Op {
    if moves_only_ones(from, &perm) {
        return Reshape { shape: perm.iter().map(|i| from[*i]).collect() }.into();
    }
    Transpose { perm }.into()
}

fn rank_of_result(graph: &Graph, node: &Node) -> usize {
    node.outputs.first().map_or(0, |t| graph.tensor(*t).ty.rank())
}

/// The rank that a node's axes count in.
fn rank(graph: &Graph, node: &Node) -> usize {
    if kinds::is_broadcasting(&node.op) {
        return rank_of_result(graph, node);
    }
    node.inputs.first().map_or(0, |t| graph.tensor(*t).ty.rank())
}

/// A constant (of lower rank: as it broadcasts) in channels-last form; `None` if it stays as it is.
fn constant_last(value: &Value, rank: usize) -> Option<Value> {
    if value.len() == 1 && value.shape().len() < 3 || rank < 3 {
        return None;
    }
    let mut shape = vec![1; rank.checked_sub(value.shape().len())?];
    shape.extend(value.shape());
    Some(permuted(&value.reshaped(&shape)?, &roles::to_last(rank)))
}

fn permuted(value: &Value, perm: &[usize]) -> Value {
    map_array!(value, a => a.clone().permuted_axes(IxDyn(perm)).as_standard_layout().into_owned())
}

/// Weights whose axis `axis` runs over flattened `[C, spatial..]`, with that axis in the order `[spatial.., C]`.
fn rows_last(weights: &Value, origin: &[usize], axis: usize) -> Option<Value> {
    let old = weights.shape().to_vec();
    let apart = [&old[..axis], origin, &old[axis + 1..]].concat();
    let mut perm: Vec<usize> = (0..apart.len()).collect();
    perm[axis..axis + origin.len()].rotate_left(1);
    permuted(&weights.reshaped(&apart)?, &perm).reshaped(&old)
}
