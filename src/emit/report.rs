//! The report: what was emitted, for people's tables and other programs.
//!
//! In: graph, choices, plan, weights. Out: [`Report`], written as `report.json`. Never decides anything.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::api::Api;
use super::traffic::{self, Moved, Tiles};
use super::weights::Weights;
use crate::ir::{Graph, NodeId, TensorId};
use crate::targets::{Assignment, Library, Platform};
use crate::tiling::streaming::Point;
use crate::tiling::{AliasKind, Home, Hot, Plan};

/// Marks a folder as ours.
pub const GENERATOR: &str = "tilewright";

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The node's name.
    pub name: String,
    /// The operator.
    pub operator: String,
    /// The kernel; `None` for nodes without code.
    pub kernel: Option<String>,
    /// The engine that runs it.
    pub engine: Option<String>,
    /// Whether all cores of the engine share it, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<bool>,
    /// Types of the operands, as text.
    pub inputs: Vec<String>,
    /// Types of the results, as text.
    pub outputs: Vec<String>,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Bytes of computed operands.
    pub input_bytes: usize,
    /// Bytes of results.
    pub output_bytes: usize,
    /// Bytes of constant operands.
    pub weight_bytes: usize,
    /// Bytes of scratch memory.
    pub scratch_bytes: usize,
    /// Predicted cycles, where the manifest has a cost.
    pub predicted_cycles: Option<u64>,
    /// Where the target has a scratchpad: whether the kernel works there on whole tensors (`near`) or on parts (`parts`), or
    /// where the tensors are (`far`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The parts, where it is computed in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiles: Option<Tiles>,
    /// The layers, where it stands for some that are computed row by row together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streamed: Option<Streams>,
    /// What the DMA moves for it, where the plan has transfers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// Why other kernels were not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<String>,
}

/// Layers that are computed row by row together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streams {
    /// Their names.
    pub layers: Vec<String>,
    /// Rows of its result that a layer computes at a time at most.
    pub rows: usize,
    /// Bytes of the rows that exist at a time.
    pub buffer_bytes: usize,
    /// How many calls and moves there are.
    pub steps: usize,
    /// Bytes that move within the buffers.
    pub moved_bytes: u64,
}

/// One memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryUse {
    /// The platform's name of it.
    pub level: String,
    /// Bytes used.
    pub bytes: usize,
    /// Bytes there are for it, where there is a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<usize>,
    /// Largest live set of the schedule.
    pub lower_bound: usize,
    /// `bytes - lower_bound`, and why.
    pub gap: usize,
    /// Why the arena is larger than the largest live set.
    pub gap_reason: String,
}

/// Sums over the network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Bytes of all arenas.
    pub arena_bytes: usize,
    /// Bytes of constant tables.
    pub weight_bytes: usize,
    /// Multiply-accumulates of one run.
    pub macs: u64,
    /// Nodes.
    pub nodes: usize,
    /// Nodes without code.
    pub elided: usize,
    /// Predicted cycles, if every kernel has a cost.
    pub predicted_cycles: Option<u64>,
    /// Cycles below which no choice of what is near is predicted, if known; equal to the above where that is proven optimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles_bound: Option<u64>,
    /// Bytes of constants that come from an external memory, where some do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded_bytes: Option<u64>,
    /// Bytes of tensors that leave the memory of the activations for an external one and come back, where some do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spilled_bytes: Option<u64>,
    /// What the DMA moves, where the plan has transfers; the least is constants, inputs and outputs once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
}

/// Everything in `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`GENERATOR`].
    pub generator: &'static str,
    /// Version of tilewright.
    pub version: &'static str,
    /// The model's name for the network.
    pub title: String,
    /// The target.
    pub target: String,
    /// The interface.
    pub interface: Api,
    /// Sums.
    pub totals: Totals,
    /// Memories used.
    pub memories: Vec<MemoryUse>,
    /// What the fastest memory is used for, where activations lie in several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hot: Option<Hot>,
    /// What other numbers of bytes of RAM take, the most first, where a budget was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ram_curve: Vec<Point>,
    /// Nodes in execution order.
    pub layers: Vec<Layer>,
    /// Tensors that share bytes on purpose.
    pub aliases: Vec<Json>,
    /// Where every computed tensor lies.
    pub tensors: Vec<Json>,
    /// The files written.
    pub files: Vec<String>,
}

impl Report {
    /// The report of a network; `files` is filled in at the end.
    pub fn new(
        graph: &Graph,
        assignment: &Assignment,
        plan: &Plan,
        library: &Library,
        platform: &Platform,
        api: &Api,
        weights: &Weights,
    ) -> Report {
        let layers: Vec<Layer> =
            plan.order.iter().map(|id| layer(graph, assignment, plan, library, platform, *id)).collect();
        let run: Vec<&Layer> = layers.iter().filter(|l| l.kernel.is_some()).collect();
        let totals = Totals {
            arena_bytes: plan.arenas.iter().map(|a| a.bytes).sum(),
            weight_bytes: weights.bytes(),
            macs: layers.iter().map(|l| l.macs).sum(),
            nodes: layers.len(),
            elided: plan.elided.len(),
            predicted_cycles: run.iter().map(|l| l.predicted_cycles).sum(),
            cycles_bound: plan.cycles_bound,
            loaded_bytes: traffic::loaded(plan),
            spilled_bytes: traffic::spilled(plan),
            moved: traffic::total(graph, plan, platform, &layers, weights.bytes()),
        };
        Report {
            generator: GENERATOR,
            version: env!("CARGO_PKG_VERSION"),
            title: graph.name.clone(),
            target: platform.name.clone(),
            interface: api.clone(),
            totals,
            memories: memories(plan),
            hot: plan.hot.clone(),
            ram_curve: plan.curve.clone(),
            layers,
            aliases: aliases(graph, plan),
            tensors: tensors(graph, plan),
            files: Vec::new(),
        }
    }
    /// The file's text.
    pub fn json(&self) -> String {
        // Names and numbers always serialise.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

fn layer(
    graph: &Graph,
    assignment: &Assignment,
    plan: &Plan,
    library: &Library,
    platform: &Platform,
    id: NodeId,
) -> Layer {
    let node = graph.node(id);
    let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
    let choice = assignment.choices.get(&id).filter(|_| !plan.elided.contains(&id));
    let kernel = choice.map(|c| library.kernel(c.kernel));
    let bytes = |constant: bool| -> usize {
        let of = |t: &&TensorId| graph.tensor(**t).is_constant() == constant;
        node.inputs.iter().filter(of).map(|t| graph.tensor(*t).ty.bytes()).sum()
    };
    let engine = kernel.and_then(|k| platform.engines.get(k.engine));
    let rejected = assignment.rejections.get(&id).into_iter().flatten();
    Layer {
        name: node.name.clone(),
        operator: node.op.name().into(),
        kernel: choice.map(|c| library.names(c)),
        engine: engine.map(|e| e.name.clone()),
        parallel: engine.filter(|e| e.cores > 1).and(choice).map(|choice| match plan.tiled.get(&id) {
            Some(tiled) => tiled.kinds.iter().any(|kind| library.parallel(&kind.choice)),
            None => library.parallel(choice),
        }),
        macs: node.op.macs(&inputs, &outputs),
        input_bytes: bytes(false),
        weight_bytes: bytes(true),
        output_bytes: outputs.iter().map(|t| t.bytes()).sum(),
        inputs: inputs.iter().map(ToString::to_string).collect(),
        outputs: outputs.iter().map(ToString::to_string).collect(),
        scratch_bytes: choice.map_or(0, |c| c.scratch_bytes),
        predicted_cycles: choice.and_then(|c| plan.cycles.get(&id).copied().or(c.cycles)),
        mode: choice.and_then(|_| traffic::mode(graph, plan, platform, id)).map(str::to_string),
        tiles: plan.tiled.get(&id).map(Tiles::of),
        streamed: streamed(graph, plan, id),
        moved: choice.and_then(|_| traffic::layer(graph, plan, platform, id)),
        rejected: rejected.map(|r| format!("{}: {}", r.kernel, r.reason)).collect(),
    }
}

fn streamed(graph: &Graph, plan: &Plan, id: NodeId) -> Option<Streams> {
    let streaming = plan.streams.get(&id)?;
    // Groups are named by their first and last layers.
    let name = &graph.node(id).name;
    let group = plan.streamed.iter().find(|g| g.name() == *name)?;
    Some(Streams {
        layers: group.layers.clone(),
        rows: group.rows,
        buffer_bytes: streaming.scratch_at,
        steps: streaming.steps.len(),
        moved_bytes: streaming.moved(),
    })
}

fn memories(plan: &Plan) -> Vec<MemoryUse> {
    let describe = |a: &crate::tiling::ArenaUse| {
        let gap = a.bytes.saturating_sub(a.lower_bound);
        let reason = if gap == 0 {
            "the arena is the largest live set"
        } else if a.optimal {
            "proven minimal for this schedule: no placement of these lifetimes needs fewer bytes"
        } else {
            "best placement found within the search budget; a smaller one may exist"
        };
        MemoryUse {
            level: a.level.clone(),
            bytes: a.bytes,
            capacity: a.capacity,
            lower_bound: a.lower_bound,
            gap,
            gap_reason: reason.into(),
        }
    };
    plan.arenas.iter().chain(&plan.outside).map(describe).collect()
}

fn aliases(graph: &Graph, plan: &Plan) -> Vec<Json> {
    let describe = |a: &crate::tiling::Alias| {
        let kind = match a.kind {
            AliasKind::InPlace => "in place",
            AliasKind::View => "view",
            AliasKind::Joined => "joined",
            AliasKind::Overlaid => "overlaid",
        };
        serde_json::json!({
            "node": graph.node(a.node).name, "operand": graph.tensor(a.operand).name,
            "result": graph.tensor(a.result).name, "kind": kind,
        })
    };
    plan.aliases.iter().map(describe).collect()
}

fn tensors(graph: &Graph, plan: &Plan) -> Vec<Json> {
    let describe = |(id, home): (&TensorId, &Home)| {
        let (space, index, offset) = match home {
            Home::Arena { arena, offset } => ("arena", arena, offset),
            Home::Input { index, offset } => ("input", index, offset),
            Home::Output { index, offset } => ("output", index, offset),
        };
        let tensor = graph.tensor(*id);
        serde_json::json!({
            "name": tensor.name, "type": tensor.ty.to_string(), "bytes": tensor.ty.bytes(),
            "space": space, "index": index, "offset": offset,
        })
    };
    plan.homes.iter().map(describe).collect()
}
