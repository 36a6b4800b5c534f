//! Padding in front of windows. In: a spatial Pad, read by nothing else, of the value that a Conv, MaxPool or
//! AveragePool pads with itself. Out: the window with larger pads. Exact.

use crate::diag::Result;
use crate::ir::ops::{Pad, PadMode};
use crate::ir::{Graph, Layout, NodeId, Op};

use super::sweep::{Sweep, rewrite};

/// Runs the pass.
pub fn run(graph: &mut Graph) -> Result<bool> {
    rewrite(graph, |sweep, id| {
        fold(sweep, id);
        Ok(())
    })
}

fn fold(sweep: &mut Sweep, id: NodeId) -> Option<()> {
    let node = sweep.node(id);
    let x = *node.inputs.first()?;
    let (producer, before) = sweep.producer(x)?;
    let Op::Pad(pad) = &before.op else { return None };
    if pad.mode != PadMode::Constant || !sweep.read_once(x) {
        return None;
    }
    let mut op = node.op.clone();
    match &mut op {
        Op::Conv(op) if pad.value.0 == 0.0 => grow(&mut op.pads, pad, op.layout)?,
        Op::MaxPool(op) if !op.ceil && is_lowest(sweep, x, pad.value.0) => {
            grow(&mut op.pads, pad, op.layout)?
        }
        Op::AveragePool(op) if !op.ceil && pad.value.0 == 0.0 => {
            // The Pad's zeros count in the divisor; the pool's own do only if it says so.
            if !op.count_pads && op.pads.iter().any(|n| *n > 0) {
                return None;
            }
            op.count_pads = true;
            grow(&mut op.pads, pad, op.layout)?;
        }
        _ => return None,
    }
    let inputs = before.inputs.iter().chain(&node.inputs[1..]).copied().collect();
    if sweep.replace(id, &node.name, op, inputs) {
        sweep.drop(producer);
    }
    Some(())
}

fn is_lowest(sweep: &Sweep, x: crate::ir::TensorId, value: f64) -> bool {
    value == f64::NEG_INFINITY || sweep.ty(x).dtype.range().is_some_and(|(lo, _)| value == lo as f64)
}

/// Adds a Pad's counts to a window's; `None` if it pads something else or removes elements.
fn grow(pads: &mut [usize], pad: &Pad, layout: Layout) -> Option<()> {
    let (rank, axes) = (pad.before.len(), pads.len() / 2);
    if rank != axes + 2 {
        return None;
    }
    let (first, channel) = if layout == Layout::ChannelsFirst { (2, 1) } else { (1, rank - 1) };
    let outside = |counts: &[i64]| counts[0] != 0 || counts[channel] != 0 || counts.iter().any(|n| *n < 0);
    if outside(&pad.before) || outside(&pad.after) {
        return None;
    }
    for axis in 0..axes {
        pads[axis] += pad.before[first + axis] as usize;
        pads[axes + axis] += pad.after[first + axis] as usize;
    }
    Some(())
}
