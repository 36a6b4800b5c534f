//! A layer in parts that somebody asks for.
//!
//! In: a node, the size of its parts, the order of loops. Out: the [`Tiled`] layer. Never looks for another one.

use super::{Candidate, MOST_TILES, Tiled, Tiler};
use crate::ir::NodeId;

impl Tiler<'_> {
    /// The form of a node with parts of this size in this order, however large it is.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn given(
        &self,
        id: NodeId,
        resident: u64,
        shape: &[usize],
        order: &[usize],
        ahead: bool,
    ) -> Result<Tiled, String> {
        let layer = self.layer(id, resident).ok_or("it has no parts")?;
        let axes = &layer.space.axes;
        if shape.len() != axes.len() || shape.iter().zip(axes).any(|(s, n)| *s == 0 || s > n) {
            return Err(format!("a part of {shape:?} is none of its {axes:?} results"));
        }
        let cut: Vec<usize> = (0..axes.len()).filter(|a| shape[*a] < axes[*a]).collect();
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if sorted != cut {
            return Err(format!("the order of loops {order:?} does not list the axes that are cut: {cut:?}"));
        }
        let tiles = axes.iter().zip(shape).fold(1usize, |p, (n, s)| p.saturating_mul(n.div_ceil(*s)));
        if tiles > MOST_TILES {
            return Err(format!("{tiles} parts are more than {MOST_TILES}"));
        }
        let (shape, order) = (shape.into(), order.into());
        let candidate = Candidate {
            shape,
            order,
            ahead,
            estimate: 0,
            bytes: 0,
            known: Default::default(),
            tiled: Default::default(),
        };
        let tiled = layer.work_out(&candidate);
        tiled.ok_or_else(|| format!("its kernel or the DMA does not take a part of {:?}", candidate.shape))
    }
}
