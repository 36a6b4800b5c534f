//! The result of assigning nodes to kernels: a side table keyed by node.

use std::collections::BTreeMap;

use super::packing::Packing;
use crate::ir::ops::Operator;
use crate::ir::ops::{Chain, Params, Source, Streamed};
use crate::ir::{DType, NodeId, TensorType};

/// Index of a kernel in the library that was searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelId(pub usize);

/// The kernel chosen for one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Which kernel.
    pub kernel: KernelId,
    /// The element type bound to each type variable of the manifest, in the manifest's order.
    pub types: Vec<(String, DType)>,
    /// The operator's parameters (what the call template sees as `p`).
    pub params: Params,
    /// Name of each operand, in the node's order.
    pub operands: Vec<String>,
    /// Name of each result, in the node's order.
    pub results: Vec<String>,
    /// Bytes of scratch memory the call needs.
    pub scratch_bytes: usize,
    /// Pairs (operand index, result index): the result may be written over the operand.
    pub inplace: Vec<(usize, usize)>,
    /// Operands (by index) and bytes: the result may begin so many bytes before the operand, over what is read by the time that
    /// it is written.
    pub overlay: Vec<(usize, usize)>,
    /// Operands (by index), all constant, that the kernel reads packed.
    pub packs: Vec<(usize, Packing)>,
    /// Predicted cycles, where the manifest has a cost: of one core, for kernels that were written for one.
    pub cycles: Option<u64>,
    /// The calls of a chain, or of layers computed row by row, one for each link; none for all other operators.
    pub links: Vec<LinkCall>,
    /// Whether the calls are made row by row, each many times.
    pub streamed: bool,
    /// Into how many pieces (at least 2) the platform's call template cuts the work of a kernel that was written for one core;
    /// `None` where it does not: kernels written for all cores, and calls by one core.
    pub shares: Option<u64>,
    /// Those on this engine of a kernel that was not made for it, where the platform knows.
    pub engine_cycles: Option<u64>,
}

/// The call of one link of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkCall {
    /// The kernel and all about it.
    pub choice: Choice,
    /// Where its result lies in the chain's scratch memory; the last link's is the chain's result and lies elsewhere.
    pub result_at: Option<usize>,
    /// Where its own scratch memory lies there.
    pub scratch_at: usize,
}

/// Alignment of everything in a chain's scratch memory, in bytes.
const ALIGNMENT: usize = 16;

impl Choice {
    /// The choice for a chain, from its links' and the types of their results. Of the results between links, only two
    /// exist at a time: they take turns in two places.
    pub fn chained(chain: &Chain, links: Vec<(Choice, TensorType)>) -> Choice {
        let between = links.len().saturating_sub(1);
        let mut places = [0usize; 2];
        for (i, (_, ty)) in links.iter().enumerate().take(between) {
            places[i % 2] = places[i % 2].max(ty.bytes().next_multiple_of(ALIGNMENT));
        }
        let scratch_at = places[0] + places[1];
        let scratch = links.iter().map(|(c, _)| c.scratch_bytes).max().unwrap_or(0);
        let packs = links.iter().zip(chain.streams()).flat_map(|((choice, _), streams)| {
            choice.packs.iter().filter_map(move |(i, p)| Some((*streams.get(*i)?.as_ref()?, *p)))
        });
        let count = chain.streams().iter().flatten().flatten().count();
        let last = links.last();
        Choice {
            kernel: last.map_or(KernelId(0), |(c, _)| c.kernel),
            types: Vec::new(),
            params: Params::new(),
            operands: chain.operand_names(count),
            results: last.map_or_else(Vec::new, |(c, _)| c.results.clone()),
            scratch_bytes: scratch_at + scratch,
            inplace: Vec::new(),
            overlay: Vec::new(),
            streamed: false,
            packs: packs.collect(),
            cycles: links.iter().map(|(c, _)| c.cycles).sum(),
            shares: None,
            engine_cycles: None,
            links: links
                .into_iter()
                .enumerate()
                .map(|(i, (choice, _))| LinkCall {
                    choice,
                    result_at: (i < between).then_some(i % 2 * places[0]),
                    scratch_at,
                })
                .collect(),
        }
    }

    /// The choice for layers that are computed row by row together, from those of the links. Where everything lies in the
    /// scratch memory is a matter of the plan.
    pub fn streamed(
        op: &Streamed,
        links: Vec<Choice>,
        operands: Vec<String>,
        scratch_bytes: usize,
    ) -> Choice {
        let packs = links.iter().zip(&op.links).flat_map(|(choice, link)| {
            choice.packs.iter().filter_map(|(i, packing)| match link.operands.get(*i)? {
                Source::Operand(o) => Some((*o, *packing)),
                Source::Link(_) => None,
            })
        });
        let last = links.last();
        Choice {
            kernel: last.map_or(KernelId(0), |c| c.kernel),
            types: Vec::new(),
            params: Params::new(),
            operands,
            results: last.map_or_else(Vec::new, |c| c.results.clone()),
            scratch_bytes,
            inplace: Vec::new(),
            overlay: Vec::new(),
            streamed: true,
            packs: packs.collect(),
            cycles: links.iter().map(|c| c.cycles).sum(),
            shares: None,
            engine_cycles: None,
            links: links
                .into_iter()
                .map(|choice| LinkCall { choice, result_at: None, scratch_at: 0 })
                .collect(),
        }
    }

    /// The kernels' calls: those of the links, or the one there is.
    pub fn calls(&self) -> Vec<&Choice> {
        if self.links.is_empty() { vec![self] } else { self.links.iter().map(|l| &l.choice).collect() }
    }

    /// How operand `index` is to be packed.
    pub fn packing(&self, index: usize) -> Option<Packing> {
        self.packs.iter().find(|(i, _)| *i == index).map(|(_, packing)| *packing)
    }

    /// Bytes of operand `index`, of type `ty`, as the kernel reads it: packed, if it is to be.
    pub fn operand_bytes(&self, index: usize, ty: &TensorType) -> usize {
        self.packing(index).map_or(ty.bytes(), |p| p.packed_type(ty).bytes())
    }
}

/// Why a kernel was not chosen for a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The kernel's name.
    pub kernel: String,
    /// The predicate that failed, with the values that made it fail.
    pub reason: String,
}

/// Node → kernel, with the reason for each rejection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// The choice for every node that is computed.
    pub choices: BTreeMap<NodeId, Choice>,
    /// The kernels that were considered and refused.
    pub rejections: BTreeMap<NodeId, Vec<Rejection>>,
}
