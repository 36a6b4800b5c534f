//! The result of assigning nodes to kernels: a side table keyed by node.

use std::collections::BTreeMap;

use super::packing::Packing;
use crate::ir::ops::Params;
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
    /// Operands (by index), all constant, that the kernel reads packed.
    pub packs: Vec<(usize, Packing)>,
    /// Predicted cycles, where the manifest has a cost.
    pub cycles: Option<u64>,
}

impl Choice {
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
