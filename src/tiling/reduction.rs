//! Reductions in pieces: contractions of which no part, or only tiny ones, fit the scratchpad, because each of its results sums
//! over too much, become several that each sum over a piece, and additions of what they sum.
//!
//! In: a graph with its kernels, a scratchpad, perhaps a plan. Out: the graph and kernels with such nodes cut, and which.
//! Integers only: their sums are the same in any order. Never plans: each piece writes and reads its sums once more, so whoever
//! asks compares what becomes of it.

use std::collections::BTreeMap;

use super::plan::Plan;
use super::tiles::{Scratchpad, Tiler};
use crate::diag::{Diagnostic, Result};
use crate::ir::ops::{Activation, Add, Conv, Gemm, MatMul, Requant, RequantShift, Slice};
use crate::ir::verify::verify;
use crate::ir::{DType, Graph, Layout, Node, NodeId, Op, Patch, Tensor, TensorId, Value, Verified};
use crate::targets::{Assignment, Library, Platform, assign};

/// Pieces of a reduction at most.
const MOST: usize = 64;
/// A piece is a multiple of this many elements: kernels take words.
const UNIT: usize = 16;

/// Kinds of layers that are tried in pieces at most.
const LOOKS: usize = 4;

/// A node by name, and into how many pieces its reduction is cut.
pub type Cut = (String, usize);

/// A graph with its kernels, and which nodes were cut for it.
#[derive(Debug)]
pub struct Reduced {
    /// The graph.
    pub graph: Verified,
    /// Its kernels.
    pub assignment: Assignment,
    /// The cuts.
    pub cuts: Vec<Cut>,
}

/// A contraction as this module sees it.
struct Contraction {
    /// The operator without what follows the sums.
    plain: Op,
    requant: Option<Requant>,
    /// The axis of the first and the second operand that is summed over.
    axes: [usize; 2],
}

/// Cuts every contraction of which no part fits, in as few pieces as do. None if no layer is too large, or one of them
/// does not fit in any number of pieces.
pub fn fit(
    graph: &Verified,
    assignment: &Assignment,
    platform: &Platform,
    library: &Library,
    pad: &Scratchpad,
) -> Option<Reduced> {
    let tiler = Tiler::new(graph, assignment, library, pad);
    let large = |id: &NodeId| tiler.fits(*id) == Some(false);
    let fits = |name: &str, pieces: usize| {
        let cut = [(name.to_string(), pieces)];
        let (one, chosen) = apply(graph, assignment, platform, library, &cut).ok()?;
        let tiler = Tiler::new(&one, &chosen, library, pad);
        let mut new = one.nodes().map(|(id, _)| id).filter(|id| graph.get_node(*id).is_none());
        Some(new.all(|id| tiler.fits(id) != Some(false)))
    };
    let mut cuts: Vec<Cut> = Vec::new();
    for id in graph.nodes().map(|(id, _)| id).filter(large) {
        let node = graph.node(id);
        let Contraction { axes, .. } = contraction(graph, node)?;
        let depth = *graph.tensor(node.inputs[0]).ty.shape.get(axes[0])?;
        // If the finest pieces do not fit, nothing else needs to be tried.
        let finest = depth.div_ceil(UNIT).min(MOST);
        if !fits(&node.name, finest)? {
            return None;
        }
        let mut coarser = (1..).map(|i| 1usize << i).take_while(|n| *n < finest);
        let enough = coarser.find(|n| fits(&node.name, *n) == Some(true));
        cuts.push((node.name.clone(), enough.unwrap_or(finest)));
    }
    reduced(graph, assignment, platform, library, cuts)
}

/// The graph with these nodes cut, if there are any.
fn reduced(
    graph: &Verified,
    assignment: &Assignment,
    platform: &Platform,
    library: &Library,
    cuts: Vec<Cut>,
) -> Option<Reduced> {
    if cuts.is_empty() {
        return None;
    }
    let (graph, assignment) = apply(graph, assignment, platform, library, &cuts).ok()?;
    Some(Reduced { graph, assignment, cuts })
}

/// Cuts contractions whose parts in `plan` are so small that kernels take far longer for them, if they take fewer predicted
/// cycles in pieces. None if there are none.
pub fn worth(
    graph: &Verified,
    assignment: &Assignment,
    platform: &Platform,
    library: &Library,
    pad: &Scratchpad,
    plan: &Plan,
) -> Option<Reduced> {
    let total: u64 = plan.cycles.values().sum();
    // Layers that are alike, by what they take longer than their kernels on the whole tensors.
    let mut alike: BTreeMap<String, (u64, Vec<NodeId>)> = BTreeMap::new();
    for (id, node) in graph.nodes().filter(|(id, _)| plan.tiled.contains_key(id)) {
        let kernel = assignment.choices.get(&id).and_then(|c| library.cycles(c)).unwrap_or(0);
        let more = plan.cycles.get(&id).map_or(0, |c| c.saturating_sub(kernel));
        if contraction(graph, node).is_some() && more > kernel / 2 {
            let key = format!("{:?} {:?}", node.op, graph.types(&node.inputs));
            let (sum, list) = alike.entry(key).or_default();
            *sum += more;
            list.push(id);
        }
    }
    let mut alike: Vec<(u64, Vec<NodeId>)> =
        alike.into_values().filter(|(sum, _)| *sum > total / 50).collect();
    alike.sort_by_key(|(sum, list)| (std::cmp::Reverse(*sum), list[0]));
    let cycles = |name: &str, pieces: usize| {
        let (one, chosen) =
            apply(graph, assignment, platform, library, &[(name.to_string(), pieces)]).ok()?;
        let tiler = Tiler::new(&one, &chosen, library, pad);
        let new = one.nodes().filter(|(id, _)| graph.get_node(*id).is_none());
        new.map(|(id, _)| tiler.tile(id, 0, pad.capacity).map(|t| t.cycles)).sum::<Option<u64>>()
    };
    let mut cuts: Vec<Cut> = Vec::new();
    for (_, list) in alike.iter().take(LOOKS) {
        let name = &graph.node(list[0]).name;
        let found = [2, 4, 8].into_iter().filter_map(|pieces| Some((cycles(name, pieces)?, pieces)));
        let now = plan.cycles.get(&list[0]).copied().unwrap_or(0);
        // Predictions of forms that differ so much are no better than that.
        if let Some((_, pieces)) = found.min().filter(|(cycles, _)| *cycles < now - now / 5) {
            cuts.extend(list.iter().map(|id| (graph.node(*id).name.clone(), pieces)));
        }
    }
    reduced(graph, assignment, platform, library, cuts)
}

/// The graph with these nodes cut, and its kernels.
///
/// # Errors
/// A name is that of no contraction of integers, or the pieces are none.
pub fn apply(
    graph: &Verified,
    assignment: &Assignment,
    platform: &Platform,
    library: &Library,
    cuts: &[Cut],
) -> Result<(Verified, Assignment)> {
    if cuts.is_empty() {
        return Ok((graph.clone(), assignment.clone()));
    }
    let mut patch = Patch::new(graph);
    for (name, pieces) in cuts {
        let found = graph.nodes().find(|(_, n)| n.name == *name);
        let cut = found.and_then(|(id, node)| cut(graph, &mut patch, id, node, *pieces));
        cut.ok_or_else(|| {
            Diagnostic::invalid(format!("layer `{name}` cannot be summed in {pieces} pieces"))
        })?;
    }
    let mut reduced: Graph = (**graph).clone();
    reduced.apply(patch.finish());
    let reduced = verify(reduced)?;
    let assignment = assign(&reduced, platform, library)?;
    Ok((reduced, assignment))
}

fn contraction(graph: &Graph, node: &Node) -> Option<Contraction> {
    let rank = |i: usize| node.inputs.get(i).map(|t| graph.tensor(*t).ty.rank());
    let (a, b) = (rank(0)?, rank(1)?);
    let (plain, requant, act, axes): (Op, _, _, _) = match &node.op {
        Op::Conv(op) if op.group == 1 && op.layout == Layout::ChannelsLast => {
            (Conv { requant: None, ..op.clone() }.into(), op.requant, op.act, [a - 1, b - 1])
        }
        Op::Gemm(op) => {
            let first = if op.trans_a { a.checked_sub(2)? } else { a - 1 };
            let second = if op.trans_b { b - 1 } else { b.checked_sub(2)? };
            (Gemm { requant: None, ..op.clone() }.into(), op.requant, op.act, [first, second])
        }
        Op::MatMul(op) => {
            let plain = MatMul { requant: None, ..op.clone() };
            (plain.into(), op.requant, op.act, [a - 1, b.checked_sub(2)?])
        }
        _ => return None,
    };
    (act == Activation::None).then_some(Contraction { plain, requant, axes })
}

/// Replaces a node by pieces; None if it cannot be.
fn cut(graph: &Graph, patch: &mut Patch, id: NodeId, node: &Node, pieces: usize) -> Option<()> {
    let Contraction { plain, requant, axes } = contraction(graph, node)?;
    let leading = node.inputs.len() - if requant.is_some() { 2 } else { 0 };
    let depth = *graph.tensor(node.inputs[0]).ty.shape.get(axes[0])?;
    let each = depth.div_ceil(pieces.max(1)).next_multiple_of(UNIT);
    if pieces < 2 || each >= depth {
        return None;
    }
    let mut sum: Option<TensorId> = None;
    for (i, begin) in (0..depth).step_by(each).enumerate() {
        let size = each.min(depth - begin);
        let mut operands = Vec::new();
        for (operand, axis) in node.inputs.iter().zip(axes) {
            operands.push(slice(
                graph,
                patch,
                &format!("{}_piece{i}", node.name),
                *operand,
                axis,
                begin,
                size,
            )?);
        }
        // What is added once comes with the first piece.
        operands.extend(node.inputs[2..leading].iter().filter(|_| i == 0));
        let part = *patch.node(format!("{}_piece{i}", node.name), plain.clone(), &operands).ok()?.first()?;
        if patch.get(part).ty.dtype != DType::S32 {
            return None;
        }
        sum = Some(match sum {
            None => part,
            Some(before) => {
                let add = Add { requant: None, act: Activation::None };
                *patch.node(format!("{}_sum{i}", node.name), add.into(), &[before, part]).ok()?.first()?
            }
        });
    }
    let (result, sum) = (*node.outputs.first()?, sum?);
    match requant {
        Some(requant) => {
            let operands = [sum, node.inputs[leading], node.inputs[leading + 1]];
            let op: Op = RequantShift { requant }.into();
            patch.node_into(node.name.clone(), op, operands.to_vec(), vec![result]);
        }
        None => patch.replace_uses(result, sum),
    }
    patch.remove(id);
    Some(())
}

/// A piece of a tensor: a constant of a constant.
fn slice(
    graph: &Graph,
    patch: &mut Patch,
    name: &str,
    tensor: TensorId,
    axis: usize,
    begin: usize,
    size: usize,
) -> Option<TensorId> {
    let ty = &graph.tensor(tensor).ty;
    let op: Op = Slice::along(&ty.shape, axis, begin, size).into();
    let Some(value) = graph.constant(tensor) else {
        return patch.node(format!("{name}_operand"), op, &[tensor]).ok()?.first().copied();
    };
    let types = op.infer(std::slice::from_ref(ty)).ok()?;
    let piece: Value = op.reference(&[value], &types).ok()?.pop()?;
    Some(patch.tensor(Tensor::constant(format!("{}_of_{name}", graph.tensor(tensor).name), piece)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::ops::Real;
    use crate::ir::{TensorType, interp};
    use crate::targets::Tree;

    fn host() -> (Platform, Library) {
        let tree = Tree::embedded();
        let platform = Platform::load(&tree, "host").unwrap();
        let library = Library::load(&tree, &platform).unwrap();
        (platform, library)
    }

    fn bytes(shape: &[usize]) -> Value {
        let n: usize = shape.iter().product();
        let a = ndarray::ArrayD::from_shape_vec(shape, (0..n as i64).map(|i| i * 37 % 41 - 20).collect());
        Value::from_i64_wrapping(a.unwrap(), DType::S8)
    }

    fn words(shape: &[usize], one: i64) -> Value {
        Value::from_i64_wrapping(ndarray::ArrayD::from_elem(shape, one), DType::S32)
    }

    /// A requantised convolution of 40 channels with a bias, then a product with computed operands.
    fn network() -> Verified {
        let empty = Graph::new("sums");
        let mut patch = Patch::new(&empty);
        let x = patch.input(Tensor::new("x", TensorType::new(DType::S8, [1, 3, 3, 40])));
        let z = patch.input(Tensor::new("z", TensorType::new(DType::S8, [5, 33])));
        let constants = [
            patch.constant("w", bytes(&[6, 3, 3, 40])),
            patch.constant("bias", words(&[6], 77)),
            patch.constant("mul", words(&[], 3)),
            patch.constant("add", words(&[], -9)),
        ];
        let requant = Some(Requant { shift: 7, lo: -128, hi: 127, axis: 3 });
        let conv = Conv {
            group: 1,
            strides: vec![1, 1],
            dilations: vec![1, 1],
            pads: vec![1; 4],
            layout: Layout::ChannelsLast,
            requant,
            act: Activation::None,
        };
        let y = patch.node("conv", conv.into(), &[&[x], &constants[..]].concat()).unwrap();
        let gemm = Gemm {
            alpha: Real(1.0),
            beta: Real(1.0),
            trans_a: false,
            trans_b: true,
            requant: None,
            act: Activation::None,
        };
        let product = patch.node("gemm", gemm.into(), &[z, z]).unwrap();
        patch.output("y", y[0]);
        patch.output("product", product[0]);
        let edits = patch.finish();
        let mut graph = empty.clone();
        graph.apply(edits);
        verify(graph).unwrap()
    }

    #[test]
    fn pieces_sum_to_the_same() {
        let (platform, library) = host();
        let graph = network();
        let assignment = assign(&graph, &platform, &library).unwrap();
        let inputs = [bytes(&[1, 3, 3, 40]), bytes(&[5, 33])];
        let expected = interp::run(&graph, &inputs).unwrap();
        for pieces in [2, 3] {
            let cuts = [("conv".to_string(), pieces), ("gemm".to_string(), pieces)];
            let (cut, chosen) = apply(&graph, &assignment, &platform, &library, &cuts).unwrap();
            assert!(cut.node_count() > graph.node_count() + 4);
            assert!(cut.nodes().all(|(id, _)| chosen.choices.contains_key(&id)));
            assert_eq!(interp::run(&cut, &inputs).unwrap(), expected);
        }
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        let (platform, library) = host();
        let graph = network();
        let assignment = assign(&graph, &platform, &library).unwrap();
        for (name, pieces) in [("conv", 1), ("conv", 0), ("nothing", 2)] {
            let cuts = [(name.to_string(), pieces)];
            assert!(apply(&graph, &assignment, &platform, &library, &cuts).is_err(), "{name} {pieces}");
        }
    }
}
