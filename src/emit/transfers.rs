//! Transfers of whole tensors between memories, beside the layers that they overlap.
//!
//! In: a plan's staged operands and results. Out: what starts and what is waited for at each layer, for the platform's
//! template around calls. Never decides when.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::names::comment;
use super::network::{Body, Network};
use super::template::Templates;
use crate::diag::Result;
use crate::ir::NodeId;
use crate::tiling::{Load, Spill, Staged, Trip};

/// What happens around one layer.
#[derive(Clone, Debug, Default)]
pub struct Transfers {
    /// Transfers that start with the layer: a number, and copies with the near and the far address, bytes, and direction.
    pub starts: Vec<Json>,
    /// Numbers of those that everybody waits for before the layer's call.
    pub blocking: Vec<usize>,
    /// Numbers of those that must have ended before the next layer.
    pub awaited: Vec<usize>,
    /// Transfers from and to an external memory that start with the layer, each with the channels of those that end before.
    pub outside: Vec<Json>,
    /// Channels of those that must have ended before the layer's call.
    pub arrived: Vec<usize>,
    /// Channels of those that must have ended before the next layer.
    pub loaded: Vec<usize>,
}

impl Network<'_> {
    /// What happens around layer `layer`, counted from 0; behind the last one for their number. A layer in parts lets its own
    /// fetches go first.
    ///
    /// # Errors
    /// A tensor has no home.
    pub fn transfers(&self, layer: usize, parts: bool, body: &mut Body) -> Result<Transfers> {
        let staged = || self.plan.staged.iter();
        let is_store = |node: &NodeId, stream: &usize| *stream >= self.graph.node(*node).inputs.len();
        let mut starts = Vec::new();
        let starting = || staged().filter(|(_, s)| s.start == layer);
        let groups = starting().map(|((node, stream), s)| (!is_store(node, stream), s.end, s.transfer));
        for (fetch, end, number) in groups.collect::<BTreeSet<_>>() {
            let here = starting().filter(|(_, s)| s.transfer == number);
            let copies = here.map(|((node, stream), s)| self.copy(*node, *stream, s, body));
            let copies = copies.collect::<Result<Vec<Json>>>()?;
            // What is stored must be there before anything is fetched from there.
            let wait = !fetch && end <= layer;
            let later = parts && fetch && end > layer;
            starts.push(json!({ "transfer": number, "copies": copies, "later": later, "wait": wait }));
        }
        let blocking = starting().filter(|((n, s), t)| !is_store(n, s) && t.end <= layer);
        let awaited = staged().filter(|(_, s)| s.start <= layer && s.end == layer + 1);
        let numbers = |list: BTreeSet<usize>| list.into_iter().collect();
        let (outside, arrived, loaded) = self.beyond(layer, body);
        Ok(Transfers {
            outside,
            arrived,
            loaded,
            starts,
            blocking: numbers(blocking.map(|(_, s)| s.transfer).collect()),
            awaited: numbers(awaited.map(|(_, s)| s.transfer).collect()),
        })
    }

    /// Transfers from and to an external memory that start with layer `layer`, and the channels of those that must have ended
    /// before its call, and before the next layer. Loads that both must end are under way together; what is spilled or comes back
    /// has ended before anything else starts, which may lie where it was.
    fn beyond(&self, layer: usize, body: &mut Body) -> (Vec<Json>, Vec<usize>, Vec<usize>) {
        let name = |s: &Spill| s.tensors.keys().next().map(|t| comment(&self.graph.tensor(*t).name));
        let spills = || self.plan.spills.iter();
        let outs = spills().map(|s| ("spill", s.out, s.at, s.bytes, name(s)));
        let backs = spills().map(|s| ("reload", s.back, s.at, s.bytes, name(s)));
        let trip = |l: &Load| Trip { home: l.home, start: l.start, end: l.end, channel: l.channel };
        let loads = self.plan.loads.iter().map(|l| ("load", trip(l), l.from, l.bytes, None));
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        // Those that must end before the call, and were not waited for yet.
        let mut due: Vec<(usize, &str)> = Vec::new();
        for (kind, trip, outside, bytes, tensor) in outs.chain(backs).chain(loads) {
            let Trip { home, start, end, channel } = trip;
            if start == layer {
                let here = self.place(home, None, kind != "spill", body);
                let alone = due.iter().any(|(_, kind)| *kind != "load");
                let (waits, left): (Vec<_>, Vec<_>) =
                    due.into_iter().partition(|(c, _)| alone || *c == channel);
                due = left;
                let waits: Vec<usize> = waits.into_iter().map(|(channel, _)| channel).collect();
                starts.push(json!({
                    kind: true, "channel": channel, "here": here, "outside": outside, "bytes": bytes, "tensor": tensor,
                    "waits": waits,
                }));
                due.extend((end <= layer).then_some((channel, kind)));
            }
            if start <= layer && end == layer + 1 {
                ends.push(channel);
            }
        }
        (starts, due.into_iter().map(|(channel, _)| channel).collect(), ends)
    }

    fn copy(&self, node: NodeId, stream: usize, staged: &Staged, body: &mut Body) -> Result<Json> {
        let n = self.graph.node(node);
        let (written, tensor) = match n.inputs.get(stream) {
            Some(tensor) => (false, *tensor),
            None => (true, n.outputs[stream - n.inputs.len()]),
        };
        let packing = self.assignment.choices.get(&node).and_then(|c| c.packing(stream)).filter(|_| !written);
        // A fetch writes the near side, a store the far one.
        let far = self.outside(node, stream, tensor, packing, staged.start, body)?;
        let near = self.place(staged.home, None, !written, body);
        Ok(json!({
            "store": written, "near": near, "far": far, "bytes": staged.bytes, "node": comment(&n.name),
            "tensor": comment(&self.graph.tensor(tensor).name),
        }))
    }

    /// Statements behind the last layer, if transfers end there.
    ///
    /// # Errors
    /// A tensor has no home, or the template is faulty.
    pub fn last_transfers(
        &self,
        layers: usize,
        templates: &mut Templates,
        body: &mut Body,
    ) -> Result<Option<String>> {
        let transfers = self.transfers(layers, false, body)?;
        if transfers.starts.is_empty() && transfers.outside.is_empty() {
            return Ok(None);
        }
        let text = self.surround(&[], self.plan.order.len(), false, &transfers, templates)?;
        Ok(Some(format!("    /* The last results are stored. */\n{text}\n")))
    }
}
