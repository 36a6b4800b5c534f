//! Value ranges: what integers a requantisation may meet, proven from types, clips and constants.
//!
//! In: a graph and a node. Out: whether the node's requantisation is exact in 32 bits. Never looks at values
//! that are known only at run time, and never changes the graph.

use std::ops::{Add, Mul};

use ndarray::{ArrayViewD, Axis};

use super::graph::{Graph, Node, TensorId, Uses};
use super::ops::{Op, Requant};
use super::value::Value;

/// All integers from `lo` to `hi`, wide enough not to overflow for any tensor that fits in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    lo: i128,
    hi: i128,
}

impl Range {
    const ZERO: Range = Range { lo: 0, hi: 0 };

    fn of((lo, hi): (i64, i64)) -> Range {
        Range { lo: lo.into(), hi: hi.into() }
    }
    fn hull(self, other: Range) -> Range {
        Range { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }
    fn fits_32(self) -> bool {
        self.lo >= i128::from(i32::MIN) && self.hi <= i128::from(i32::MAX)
    }
}

impl Add for Range {
    type Output = Range;
    fn add(self, other: Range) -> Range {
        Range { lo: self.lo.saturating_add(other.lo), hi: self.hi.saturating_add(other.hi) }
    }
}

impl Mul for Range {
    type Output = Range;
    fn mul(self, other: Range) -> Range {
        let ends = [(self.lo, other.lo), (self.lo, other.hi), (self.hi, other.lo), (self.hi, other.hi)];
        let products = ends.map(|(a, b)| a.saturating_mul(b));
        let (lo, hi) = products.iter().fold((i128::MAX, i128::MIN), |(l, h), p| (l.min(*p), h.max(*p)));
        Range { lo, hi }
    }
}

/// What 32 bits hold of a requantisation, for every value that its operands can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fits {
    /// `x * mul + add + half`, so that 32-bit arithmetic computes it exactly.
    pub scaled: bool,
    /// Also that less `lo * 2^shift`: results can be counted from the least one.
    pub from_lo: bool,
}

/// The facts of one graph, gathered once.
#[derive(Clone, Debug)]
pub struct Ranges<'a> {
    graph: &'a Graph,
    uses: Uses,
}

impl<'a> Ranges<'a> {
    /// What there is to know of `graph`.
    pub fn new(graph: &'a Graph) -> Ranges<'a> {
        Ranges { graph, uses: graph.uses() }
    }
    /// What of the node's requantisation lies in 32 bits: nothing where there is none.
    pub fn requant_fits_32(&self, node: &Node) -> Fits {
        let inputs = node.inputs.as_slice();
        let (requant, sums) = match &node.op {
            Op::Conv(conv) => (conv.requant, self.convolution(inputs)),
            Op::Gemm(gemm) if gemm.alpha.0 == 1.0 && gemm.beta.0 == 1.0 => {
                let columns = if gemm.trans_b { 0 } else { 1 };
                (gemm.requant, self.product(inputs, gemm.trans_a, columns))
            }
            Op::MatMul(matmul) => (matmul.requant, self.product(inputs, false, 1)),
            Op::Add(add) => (add.requant, self.sum(inputs)),
            Op::RequantShift(op) => (Some(op.requant), self.tensor(inputs[0]).map(|x| vec![x])),
            _ => return Fits::default(),
        };
        let rank = node.outputs.first().map_or(0, |t| self.graph.tensor(*t).ty.rank());
        match (requant, sums, inputs) {
            (Some(requant), Some(sums), [.., mul, add]) => {
                // Sums are counted along channels (the only axis the verifier allows for Conv) or columns.
                let aligned = matches!(node.op, Op::Conv(_)) || requant.axis + 1 == rank;
                self.scaled_fit(&requant, &sums, [*mul, *add], aligned)
            }
            _ => Fits::default(),
        }
    }

    /// What is known of a tensor's elements: its constant, the clip before it, or its type.
    fn tensor(&self, id: TensorId) -> Option<Range> {
        if let Some(value) = self.graph.constant(id) {
            return value.int_range().map(Range::of);
        }
        let clip = self.uses.producer(id).and_then(|(node, _)| match &self.graph.node(node).op {
            Op::Conv(op) => op.requant,
            Op::Gemm(op) => op.requant,
            Op::MatMul(op) => op.requant,
            Op::Add(op) => op.requant,
            Op::RequantShift(op) => Some(op.requant),
            _ => None,
        });
        let dtype = self.graph.tensor(id).ty.dtype.range();
        clip.map(|r| (r.lo, r.hi)).or(dtype).map(Range::of)
    }

    fn sum(&self, inputs: &[TensorId]) -> Option<Vec<Range>> {
        let [a, b, ..] = inputs else { return None };
        Some(vec![self.tensor(*a)? + self.tensor(*b)?])
    }

    /// The accumulators of a convolution: one range for each output channel if the weights are constant.
    fn convolution(&self, inputs: &[TensorId]) -> Option<Vec<Range>> {
        let [x, w, rest @ ..] = inputs else { return None };
        // Padding adds zeros.
        let x = self.tensor(*x)?.hull(Range::ZERO);
        let taps = self.graph.tensor(*w).ty.shape.iter().skip(1).product();
        self.accumulated(x, *w, 0, taps, (rest.len() == 3).then(|| rest[0]))
    }

    /// The accumulators of a matrix product; `columns` is the axis of b that becomes the columns of the result.
    fn product(&self, inputs: &[TensorId], trans_a: bool, columns: usize) -> Option<Vec<Range>> {
        let [a, b, rest @ ..] = inputs else { return None };
        let shape = &self.graph.tensor(*a).ty.shape;
        let depth = if trans_a { shape.first() } else { shape.last() }.copied()?;
        self.accumulated(self.tensor(*a)?, *b, columns, depth, (rest.len() == 3).then(|| rest[0]))
    }

    /// Sums of `depth` products of values from `x` with those of `w`, plus `bias`: one for each index of `axis` if `w`
    /// is constant, else one for all.
    fn accumulated(
        &self,
        x: Range,
        w: TensorId,
        axis: usize,
        depth: usize,
        bias: Option<TensorId>,
    ) -> Option<Vec<Range>> {
        let flat = |v: &&Value| v.dtype().is_int() && (axis == 0 || v.shape().len() == 2);
        let sums: Vec<Range> = match self.graph.constant(w).filter(flat) {
            Some(value) => {
                let dot = |row: ArrayViewD<i64>| {
                    row.iter().fold(Range::ZERO, |sum, w| sum + x * Range::of((*w, *w)))
                };
                value.to_i64().axis_iter(Axis(axis)).map(dot).collect()
            }
            None => {
                let depth = i128::try_from(depth).ok()?;
                vec![x * self.tensor(w)? * Range { lo: depth, hi: depth }]
            }
        };
        let Some(bias) = bias else { return Some(sums) };
        let last = self.graph.tensor(bias).ty.shape.last().copied();
        let biases = self.each(bias, sums.len(), last == Some(sums.len()))?;
        Some(sums.into_iter().zip(biases).map(|(s, b)| s + b).collect())
    }

    /// The values of a constant of `n` elements one by one if they are `aligned` with something; else `n` times the
    /// range of all.
    fn each(&self, id: TensorId, n: usize, aligned: bool) -> Option<Vec<Range>> {
        let one_by_one = |v: &&Value| aligned && v.dtype().is_int() && v.len() == n;
        match self.graph.constant(id).filter(one_by_one) {
            Some(value) => Some(value.to_i64().iter().map(|x| Range::of((*x, *x))).collect()),
            None => Some(vec![self.tensor(id)?; n]),
        }
    }

    /// Whether the sums, the parameters (which kernels then read as 32 bits) and what is scaled all fit; and also what is
    /// scaled less what the least result is.
    fn scaled_fit(
        &self,
        requant: &Requant,
        sums: &[Range],
        [mul, add]: [TensorId; 2],
        aligned: bool,
    ) -> Fits {
        if requant.shift > 31 {
            return Fits::default();
        }
        let half = (1i128 << requant.shift) >> 1;
        let half = Range { lo: half, hi: half };
        let (Some(muls), Some(adds)) =
            (self.each(mul, sums.len(), aligned), self.each(add, sums.len(), aligned))
        else {
            return Fits::default();
        };
        let scaled = || sums.iter().zip(muls.iter().zip(&adds)).map(|(s, (m, a))| *s * *m + *a + half);
        let fits = muls.iter().chain(&adds).chain(sums).copied().chain(scaled()).all(Range::fits_32);
        let least = -(i128::from(requant.lo) << requant.shift);
        let from_lo = scaled().all(|s| (s + Range { lo: least, hi: least }).fits_32());
        Fits { scaled: fits, from_lo: fits && from_lo }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;

    fn fits(graph: &str) -> bool {
        both(graph).0
    }

    fn both(graph: &str) -> (bool, bool) {
        let graph = parse(graph).unwrap();
        let ranges = Ranges::new(&graph);
        let node = graph.nodes().last().unwrap().1.clone();
        let Fits { scaled, from_lo } = ranges.requant_fits_32(&node);
        (scaled, from_lo)
    }

    /// A 2x1 by 1x2 pointwise convolution of bytes; the largest accumulator of channel 1 is 3 * 127 + 4 * 127.
    fn conv(mul: &str, add: &str, shift: u32) -> bool {
        fits(&format!(
            "graph g(%x: s8[1x2x3x3]) -> (y = %y) {{
  %w: s8[2x2x1x1] = const [1, -2, 3, 4]
  %mul: s32[2] = const {mul}
  %add: s32[] = const {add}
  %y: s8[1x2x3x3] = Conv(%x, %w, %mul, %add) {{group: 1, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], \
             layout: \"channels_first\", requant: {{shift: {shift}, lo: -128, hi: 127, axis: 1}}, act: \"none\"}}
}}"
        ))
    }

    #[test]
    fn the_bound_is_sharp_in_each_channel() {
        // Channel 0 reaches -127 * 1 - 128 * 2 < -383, channel 1 -7 * 128 = -896.
        let limit = |sum: i64| (1i64 << 31) / sum;
        assert!(conv(&format!("[1, {}]", limit(896)), "[0]", 0));
        assert!(!conv(&format!("[1, {}]", limit(896) + 1), "[0]", 0));
        assert!(conv(&format!("[{}, 1]", limit(384)), "[0]", 0));
        assert!(!conv(&format!("[{}, 1]", limit(382) + 1), "[0]", 0));
    }

    #[test]
    fn addend_and_half_count() {
        assert!(conv("[1, 1]", "[2147482758]", 0));
        assert!(!conv("[1, 1]", "[2147482759]", 0));
        assert!(!conv("[1, 1]", "[2147482758]", 1));
        assert!(conv("[1, 1]", "[0]", 31));
        assert!(!conv("[1, 1]", "[0]", 32));
    }

    #[test]
    fn counted_from_the_least_result_the_bound_is_lower() {
        let relu = |lo: i64, add: i64| {
            both(&format!(
                "graph g(%x: s8[4]) -> (y = %y) {{
  %mul: s32[] = const [1]
  %add: s32[] = const [{add}]
  %y: s8[4] = RequantShift(%x, %mul, %add) {{requant: {{shift: 8, lo: {lo}, hi: 127, axis: 0}}}}
}}"
            ))
        };
        // 127 + add + half stays below 2^31, less lo * 2^8 only below it.
        let most = (1i64 << 31) - 1 - 127 - 128;
        assert_eq!(relu(0, most), (true, true));
        assert_eq!(relu(0, most + 1), (false, false));
        assert_eq!(relu(-128, most), (true, false));
        assert_eq!(relu(-128, most - (128 << 8)), (true, true));
        assert_eq!(relu(-128, most - (128 << 8) + 1), (true, false));
    }

    #[test]
    fn operands_known_only_at_run_time_have_the_range_of_their_type() {
        let matmul = |mul: i64| {
            fits(&format!(
                "graph g(%a: u8[4x3], %b: s8[3x2]) -> (y = %y) {{
  %mul: s32[] = const [{mul}]
  %add: s32[] = const [0]
  %y: s8[4x2] = MatMul(%a, %b, %mul, %add) {{requant: {{shift: 0, lo: -128, hi: 127, axis: 1}}, act: \"none\"}}
}}"
            ))
        };
        // The smallest sum is 3 * 255 * -128.
        let limit = (1i64 << 31) / (3 * 255 * 128);
        assert!(matmul(limit) && matmul(-limit));
        assert!(!matmul(limit + 1) && !matmul(-limit - 1));
    }

    #[test]
    fn a_clip_before_counts() {
        let chain = |hi: i64| {
            fits(&format!(
                "graph g(%x: s32[4]) -> (y = %y) {{
  %one: s32[] = const [1]
  %big: s32[] = const [16777216]
  %none: s32[] = const [0]
  %a: u8[4] = RequantShift(%x, %one, %none) {{requant: {{shift: 3, lo: 0, hi: {hi}, axis: 0}}}}
  %y: s8[4] = RequantShift(%a, %big, %none) {{requant: {{shift: 0, lo: -128, hi: 127, axis: 0}}}}
}}"
            ))
        };
        assert!(chain(127));
        assert!(!chain(128));
    }
}
