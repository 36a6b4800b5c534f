//! The graph: nodes and tensors keyed by never-reused ids.
//!
//! In: edits through [`Patch`](super::patch::Patch). Out: ordered, deterministic views
//! (topological order, producers, uses). Never checks meaning: that is [`verify`](super::verify).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use petgraph::graphmap::DiGraphMap;
use serde::{Deserialize, Serialize};

use super::dtype::DType;
use super::ops::Op;
use super::value::Value;

/// Identifies a node for the lifetime of its graph; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// Identifies a tensor for the lifetime of its graph; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TensorId(pub u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}
impl fmt::Display for TensorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// Element type and (static) dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TensorType {
    /// Element type.
    pub dtype: DType,
    /// Dimensions, outermost first; empty for a scalar; a dimension may be 0.
    pub shape: Vec<usize>,
}

impl TensorType {
    /// A type from its parts.
    pub fn new(dtype: DType, shape: impl Into<Vec<usize>>) -> Self {
        TensorType { dtype, shape: shape.into() }
    }
    /// The type of a value.
    pub fn of(value: &Value) -> Self {
        TensorType::new(value.dtype(), value.shape())
    }
    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }
    /// Number of elements (the loader rejects shapes whose product overflows).
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.elements() * self.dtype.bytes()
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        write!(f, "{}[{}]", self.dtype, dims.join("x"))
    }
}

/// How the dimensions of an activation are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// ONNX order: batch, channels, spatial (also: no channels at all).
    #[default]
    ChannelsFirst,
    /// Batch, spatial, channels.
    ChannelsLast,
}

/// Affine quantisation: real = scale * (stored - zero_point).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantParams {
    /// One scale, or one per channel along `axis`.
    pub scale: Vec<f32>,
    /// One zero point, or one per channel.
    pub zero_point: Vec<i32>,
    /// The channel axis of per-channel parameters.
    pub axis: Option<usize>,
}

/// A tensor: the one thing nodes read and write.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Name, unique in the graph.
    pub name: String,
    /// Element type and shape.
    pub ty: TensorType,
    /// The value, for constants.
    pub value: Option<Arc<Value>>,
    /// What the numbers mean, where the model says so (informational; arithmetic never reads it).
    pub quant: Option<QuantParams>,
}

impl Tensor {
    /// A tensor computed at run time.
    pub fn new(name: impl Into<String>, ty: TensorType) -> Self {
        Tensor { name: name.into(), ty, value: None, quant: None }
    }
    /// A constant.
    pub fn constant(name: impl Into<String>, value: Value) -> Self {
        let ty = TensorType::of(&value);
        Tensor { name: name.into(), ty, value: Some(Arc::new(value)), quant: None }
    }
    /// Whether the value is known at compile time.
    pub fn is_constant(&self) -> bool {
        self.value.is_some()
    }
}

/// An operator applied to operands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Name, unique in the graph.
    pub name: String,
    /// What it computes, with its attributes.
    pub op: Op,
    /// Operands, in the operator's order.
    pub inputs: Vec<TensorId>,
    /// Results, in the operator's order.
    pub outputs: Vec<TensorId>,
}

/// A graph output: the interface name and the tensor that holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The name of the interface; stays when passes replace the tensor.
    pub name: String,
    /// The tensor that is read.
    pub tensor: TensorId,
}

/// A network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The network's name.
    pub name: String,
    pub(super) nodes: BTreeMap<NodeId, Node>,
    pub(super) tensors: BTreeMap<TensorId, Tensor>,
    pub(super) inputs: Vec<TensorId>,
    pub(super) outputs: Vec<Output>,
    pub(super) next_node: u32,
    pub(super) next_tensor: u32,
}

/// Producers and consumers of every tensor at one moment.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    producer: BTreeMap<TensorId, (NodeId, usize)>,
    consumers: BTreeMap<TensorId, Vec<NodeId>>,
}

impl Uses {
    /// The node that writes `tensor` and the index of that output.
    pub fn producer(&self, tensor: TensorId) -> Option<(NodeId, usize)> {
        self.producer.get(&tensor).copied()
    }
    /// The nodes that read `tensor`, in creation order, once per operand.
    pub fn consumers(&self, tensor: TensorId) -> &[NodeId] {
        self.consumers.get(&tensor).map_or(&[], Vec::as_slice)
    }
}

impl Graph {
    /// An empty network.
    pub fn new(name: impl Into<String>) -> Self {
        Graph { name: name.into(), ..Graph::default() }
    }
    /// Nodes in creation order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().map(|(id, n)| (*id, n))
    }
    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }
    /// Tensors in creation order.
    pub fn tensors(&self) -> impl Iterator<Item = (TensorId, &Tensor)> {
        self.tensors.iter().map(|(id, t)| (*id, t))
    }
    /// The node, if it still exists.
    pub fn get_node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }
    /// The tensor, if it still exists.
    pub fn get_tensor(&self, id: TensorId) -> Option<&Tensor> {
        self.tensors.get(&id)
    }
    /// The node; ids come from this graph, so a missing one is a bug and panics like an index.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[&id]
    }
    /// The tensor; ids come from this graph, so a missing one is a bug and panics like an index.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[&id]
    }
    /// The value of a constant tensor.
    pub fn constant(&self, id: TensorId) -> Option<&Value> {
        self.get_tensor(id)?.value.as_deref()
    }
    /// Run-time inputs, in the model's order.
    pub fn inputs(&self) -> &[TensorId] {
        &self.inputs
    }
    /// Outputs, in the model's order.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }
    /// Whether `tensor` is a graph output.
    pub fn is_output(&self, tensor: TensorId) -> bool {
        self.outputs.iter().any(|o| o.tensor == tensor)
    }
    /// Types of a list of tensors.
    pub fn types(&self, ids: &[TensorId]) -> Vec<TensorType> {
        ids.iter().map(|t| self.tensor(*t).ty.clone()).collect()
    }
    /// Producers and consumers as of now.
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        for (id, node) in &self.nodes {
            for (i, t) in node.outputs.iter().enumerate() {
                uses.producer.insert(*t, (*id, i));
            }
            for t in &node.inputs {
                uses.consumers.entry(*t).or_default().push(*id);
            }
        }
        uses
    }
    /// Nodes so that producers precede consumers; ties broken by creation order.
    ///
    /// # Errors
    /// The nodes that lie on or behind a cycle.
    pub fn topological_order(&self) -> Result<Vec<NodeId>, Vec<NodeId>> {
        let uses = self.uses();
        let mut edges = DiGraphMap::<NodeId, ()>::new();
        for (id, node) in &self.nodes {
            edges.add_node(*id);
            for (producer, _) in node.inputs.iter().filter_map(|t| uses.producer(*t)) {
                edges.add_edge(producer, *id, ());
            }
        }
        let mut missing: BTreeMap<NodeId, usize> = self
            .nodes
            .keys()
            .map(|id| (*id, edges.neighbors_directed(*id, petgraph::Incoming).count()))
            .collect();
        let mut ready: std::collections::BTreeSet<NodeId> =
            missing.iter().filter(|(_, n)| **n == 0).map(|(id, _)| *id).collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(id) = ready.pop_first() {
            order.push(id);
            missing.remove(&id);
            for next in edges.neighbors_directed(id, petgraph::Outgoing) {
                if let Some(n) = missing.get_mut(&next) {
                    *n -= 1;
                    if *n == 0 {
                        ready.insert(next);
                    }
                }
            }
        }
        if missing.is_empty() { Ok(order) } else { Err(missing.into_keys().collect()) }
    }
}
