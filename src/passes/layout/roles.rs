//! What a layout means to each operator. In: a node. Out: its [`Role`], and the operator with its axes renumbered
//! for channels-last operands. Never decides which layout a node gets.

use std::collections::BTreeMap;

use crate::ir::ops::{self, Reshape, Transpose};
use crate::ir::{Graph, Layout, Node, Op, TensorId};

use crate::passes::kinds;

/// The pattern of every reduction, binding what it reduces.
macro_rules! any_reduction {
    ($reduction:ident) => {
        Op::ReduceL1(ops::ReduceL1 { reduction: $reduction })
            | Op::ReduceL2(ops::ReduceL2 { reduction: $reduction })
            | Op::ReduceLogSum(ops::ReduceLogSum { reduction: $reduction })
            | Op::ReduceLogSumExp(ops::ReduceLogSumExp { reduction: $reduction })
            | Op::ReduceMax(ops::ReduceMax { reduction: $reduction })
            | Op::ReduceMean(ops::ReduceMean { reduction: $reduction })
            | Op::ReduceMin(ops::ReduceMin { reduction: $reduction })
            | Op::ReduceProd(ops::ReduceProd { reduction: $reduction })
            | Op::ReduceSum(ops::ReduceSum { reduction: $reduction })
            | Op::ReduceSumSquare(ops::ReduceSumSquare { reduction: $reduction })
    };
}

/// How an operand relates to the layout of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It has the node's layout.
    Node,
    /// It has ONNX's layout, always.
    First,
    /// Any will do: the operator absorbs the difference.
    Any,
}

/// What layouts a node can work in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Whether it can work on channels-last operands.
    pub may: bool,
    /// Whether it cannot work on others.
    pub must: bool,
    /// Per operand.
    pub operands: Vec<Follow>,
    /// Whether the results have the node's layout.
    pub results: bool,
}

impl Role {
    fn opaque(node: &Node) -> Role {
        Role { may: false, must: false, operands: vec![Follow::First; node.inputs.len()], results: false }
    }
    fn flexible(operands: Vec<Follow>) -> Role {
        Role { may: true, must: false, operands, results: true }
    }
    /// Operand 0 (and the results) have the node's layout, the others are parameters.
    fn first_operand(node: &Node) -> Role {
        let follow = |i| if i == 0 { Follow::Node } else { Follow::First };
        Role::flexible((0..node.inputs.len()).map(follow).collect())
    }
}

/// Tensors `[N, C * S]` that are flattened activations, with their `[C, spatial..]`.
pub type Flat = BTreeMap<TensorId, Vec<usize>>;

/// The permutation from channels first to channels last.
pub fn to_last(rank: usize) -> Vec<usize> {
    [0].into_iter().chain(2..rank).chain([1]).collect()
}

/// The permutation from channels last to channels first.
pub fn to_first(rank: usize) -> Vec<usize> {
    [0, rank - 1].into_iter().chain(1..rank - 1).collect()
}

/// Where axis `axis` of a channels-first tensor is in its channels-last form.
pub fn moved(axis: usize, rank: usize) -> usize {
    match axis {
        0 => 0,
        1 => rank - 1,
        _ => axis - 1,
    }
}

/// The role of a node.
pub fn role(graph: &Graph, flat: &Flat, node: &Node) -> Role {
    let shape = |t: TensorId| graph.tensor(t).ty.shape.as_slice();
    let Some(&x) = node.inputs.first() else { return Role::opaque(node) };
    let rank = shape(x).len();
    if kinds::is_broadcasting(&node.op) {
        return broadcasting(graph, flat, node);
    }
    let scalar = |t: TensorId| shape(t).iter().product::<usize>() == 1;
    match &node.op {
        Op::Gemm(op) if !op.trans_a => absorbing(graph, flat, node),
        Op::MatMul(_) => absorbing(graph, flat, node),
        // Flattened activations pass through whatever treats all channels alike.
        op if flat.contains_key(&x) => match op {
            op if kinds::is_unary(op) => Role::first_operand(node),
            Op::RequantShift(_) if node.inputs[1..].iter().all(|t| scalar(*t)) => Role::first_operand(node),
            Op::Quantize(op) if op.scale.len() == 1 => Role::first_operand(node),
            Op::Dequantize(op) if op.scale.len() == 1 => Role::first_operand(node),
            _ => Role::opaque(node),
        },
        _ if rank < 3 => Role::opaque(node),
        Op::Conv(op) => window(node, op.layout, 2),
        Op::ConvTranspose(op) => window(node, op.layout, 2),
        Op::MaxPool(op) => window(node, op.layout, 1),
        Op::AveragePool(op) => window(node, op.layout, 1),
        op if kinds::is_unary(op) => Role::first_operand(node),
        Op::RequantShift(_)
        | Op::Quantize(_)
        | Op::Dequantize(_)
        | Op::BatchNorm(_)
        | Op::Pad(_)
        | Op::Slice(_)
        | Op::Split(_)
        | Op::Resize(_)
        | Op::ResizeLinear(_) => Role::first_operand(node),
        Op::Concat(_) => Role::flexible(vec![Follow::Node; node.inputs.len()]),
        Op::Softmax(op) if op.span == 1 => Role::first_operand(node),
        Op::LogSoftmax(op) if op.span == 1 => Role::first_operand(node),
        Op::Transpose(_) => Role::flexible(vec![Follow::Any]),
        Op::Reshape(op) if keeps_channels(shape(x), &op.shape) || flattens(shape(x), &op.shape) => {
            Role::first_operand(node)
        }
        op => match reduction(op) {
            Some((axes, keepdims)) => reducing(node, axes, keepdims, rank),
            None => Role::opaque(node),
        },
    }
}

/// Convolutions and pools: only kernels for channels last exist. Weights are permuted like activations.
fn window(node: &Node, layout: Layout, following: usize) -> Role {
    if layout == Layout::ChannelsLast {
        return Role::opaque(node);
    }
    let follow = |i| if i < following { Follow::Node } else { Follow::First };
    let operands = (0..node.inputs.len()).map(follow).collect();
    Role { may: true, must: true, operands, results: true }
}

fn broadcasting(graph: &Graph, flat: &Flat, node: &Node) -> Role {
    let parameters = if matches!(&node.op, Op::Add(op) if op.requant.is_some()) { 2 } else { 0 };
    let values = node.inputs.len() - parameters;
    let rank = node.outputs.first().map_or(0, |t| graph.tensor(*t).ty.rank());
    let mut operands = vec![Follow::First; node.inputs.len()];
    for (operand, t) in operands.iter_mut().zip(&node.inputs[..values]) {
        let tensor = graph.tensor(*t);
        if flat.contains_key(t) || (rank >= 3 && (tensor.ty.rank() == rank || tensor.is_constant())) {
            *operand = Follow::Node;
        } else if tensor.ty.elements() != 1 {
            return Role::opaque(node);
        }
    }
    let flat_shapes: Vec<_> = node.inputs[..values].iter().filter_map(|t| flat.get(t)).collect();
    let flat_result = node.outputs.first().and_then(|t| flat.get(t));
    if rank < 3 && (flat_result.is_none() || flat_shapes.iter().any(|s| Some(*s) != flat_result)) {
        return Role::opaque(node);
    }
    Role::flexible(operands)
}

/// A product with constant weights absorbs the order of a flattened operand into the weights.
fn absorbing(graph: &Graph, flat: &Flat, node: &Node) -> Role {
    let mut role = Role::opaque(node);
    let weights = graph.tensor(node.inputs[1]);
    if flat.contains_key(&node.inputs[0]) && weights.is_constant() && weights.ty.rank() == 2 {
        role.operands[0] = Follow::Any;
    }
    role
}

fn reducing(node: &Node, axes: &[usize], keepdims: bool, rank: usize) -> Role {
    let mut role = Role::first_operand(node);
    if !keepdims {
        let left: Vec<_> = (0..rank).filter(|a| !axes.contains(a)).collect();
        let stays_in_order = left.iter().map(|a| moved(*a, rank)).is_sorted();
        let still_has_channels = left.len() >= 3 && left[..2] == [0, 1];
        if still_has_channels {
            return role;
        }
        if !stays_in_order {
            return Role::opaque(node);
        }
        role.results = false;
    }
    role
}

/// The axes of a reduction, and whether they stay.
fn reduction(op: &Op) -> Option<(&[usize], bool)> {
    match op {
        any_reduction!(op) => Some((op.axes.as_slice(), op.keepdims)),
        _ => None,
    }
}

/// Whether a reshape only regroups the spatial axes.
fn keeps_channels(from: &[usize], to: &[usize]) -> bool {
    from.len() >= 3 && to.len() >= 3 && from[..2] == to[..2]
}

/// Whether a reshape makes one row of each batch entry.
pub fn flattens(from: &[usize], to: &[usize]) -> bool {
    from.len() >= 3 && to.len() == 2 && from[0] == to[0]
}

/// The operator on channels-last operands of rank `rank`; Transpose, Gemm and MatMul are handled apart.
pub fn on_last(op: &Op, rank: usize) -> Op {
    let axis = |a: &mut usize| *a = moved(*a, rank);
    let mut op = op.clone();
    if rank < 3 {
        return op;
    }
    match &mut op {
        Op::Conv(op) => {
            op.layout = Layout::ChannelsLast;
            op.requant.iter_mut().for_each(|rq| axis(&mut rq.axis));
        }
        Op::ConvTranspose(op) => op.layout = Layout::ChannelsLast,
        Op::MaxPool(op) => op.layout = Layout::ChannelsLast,
        Op::AveragePool(op) => op.layout = Layout::ChannelsLast,
        Op::Add(op) => op.requant.iter_mut().for_each(|rq| axis(&mut rq.axis)),
        Op::RequantShift(op) => axis(&mut op.requant.axis),
        Op::Quantize(op) => axis(&mut op.axis),
        Op::Dequantize(op) => axis(&mut op.axis),
        Op::BatchNorm(op) => axis(&mut op.axis),
        Op::Softmax(op) => axis(&mut op.axis),
        Op::LogSoftmax(op) => axis(&mut op.axis),
        Op::Concat(op) => axis(&mut op.axis),
        Op::Split(op) => axis(&mut op.axis),
        Op::ResizeLinear(op) => axis(&mut op.axis),
        Op::Resize(op) => permute(&mut op.axes),
        Op::Pad(op) => {
            permute(&mut op.before);
            permute(&mut op.after);
        }
        Op::Slice(op) => {
            permute(&mut op.starts);
            permute(&mut op.sizes);
            permute(&mut op.steps);
        }
        // A flattened tensor keeps its shape; only the order of its elements changes.
        Op::Reshape(Reshape { shape }) if shape.len() >= 3 => permute(shape),
        any_reduction!(op) => {
            op.axes.iter_mut().for_each(axis);
            op.axes.sort_unstable();
        }
        _ => {}
    }
    op
}

fn permute<T: Clone>(list: &mut Vec<T>) {
    *list = to_last(list.len()).into_iter().map(|i| list[i].clone()).collect();
}

/// The transpose between operand and result in the given layouts that means the same as `perm` between
/// channels-first ones.
pub fn transpose(perm: &[usize], operand_last: bool, result_last: bool) -> Transpose {
    let rank = perm.len();
    let result = if result_last { to_last(rank) } else { (0..rank).collect() };
    let from = |axis: usize| if operand_last { moved(axis, rank) } else { axis };
    Transpose { perm: result.into_iter().map(|i| from(perm[i])).collect() }
}
