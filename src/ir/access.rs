//! Access maps: which part of each operand an operator needs to compute a part of its results.
//!
//! In: an operator's iteration space and a part of it. Out: boxes of operands and results, and how far windows reach
//! beyond an operand (padding). Never knows memories, tiles or kernels.
//!
//! Each axis of an operand is either needed whole or is an affine image of one axis of the iteration space. Axes
//! that are summed over (taps, input channels) are not cut and do not appear.

/// Whether a result is just another name for bytes of the operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// It is computed.
    None,
    /// Result 0 has operand 0's bytes, `offset` elements in.
    Of {
        /// Elements skipped at the start of operand 0.
        offset: usize,
    },
    /// Result 0 is its operands end to end; operand `i` starts `offsets[i]` elements in.
    Joined {
        /// Start of each operand in the result, in elements.
        offsets: Vec<usize>,
    },
}

/// How one axis of a tensor is reached from the iteration space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All of it, whatever the part.
    Whole,
    /// Iteration i of axis `axis` reaches `extent` elements from `i * stride - before` on; those outside are padding.
    Along {
        /// Axis of the iteration space.
        axis: usize,
        /// Elements from one iteration to the next.
        stride: usize,
        /// Padding before the first element.
        before: usize,
        /// Elements that one iteration reaches.
        extent: usize,
    },
}

impl Reach {
    /// Iteration i of `axis` reaches element i.
    pub fn same(axis: usize) -> Reach {
        Reach::Along { axis, stride: 1, before: 0, extent: 1 }
    }

    /// The indices along an axis of `size` elements that a part reaches, and the elements of padding before and behind them.
    fn span(&self, size: usize, part: &[Span]) -> (Span, (usize, usize)) {
        let Reach::Along { axis, stride, before, extent } = *self else { return ((0, size), (0, 0)) };
        let (begin, end) = part.get(axis).copied().unwrap_or((0, 1));
        // In coordinates of the padded tensor.
        let (low, high) = (begin * stride, end.saturating_sub(1) * stride + extent);
        let (first, behind) = (low.max(before), high.min(before + size));
        if first >= behind {
            // Nothing but padding.
            let at = first.saturating_sub(before).min(size);
            ((at, at), (high - low, 0))
        } else {
            ((first - before, behind - before), (first - low, high - behind))
        }
    }
}

/// A half-open range of indices.
pub type Span = (usize, usize);

/// The iteration space of an operator and what it reaches; one list of axes for each operand and result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// Size of each axis, outermost first.
    pub axes: Vec<usize>,
    /// What operands are reached by.
    pub operands: Vec<Vec<Reach>>,
    /// What results are reached by.
    pub results: Vec<Vec<Reach>>,
}

/// A box of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The indices along each axis.
    pub spans: Vec<Span>,
    /// Elements of padding before and behind them along each axis.
    pub margins: Vec<(usize, usize)>,
}

impl Region {
    /// The shape of the box.
    pub fn shape(&self) -> Vec<usize> {
        self.spans.iter().map(|(begin, end)| end - begin).collect()
    }
}

/// What a part of the iteration space (a range along each axis, none empty) reaches of a tensor of shape `shape`.
pub fn region(reaches: &[Reach], shape: &[usize], part: &[Span]) -> Region {
    let (spans, margins) = reaches.iter().zip(shape).map(|(reach, size)| reach.span(*size, part)).unzip();
    Region { spans, margins }
}

/// The space of an operator that computes each element of its result, of shape `y`, from the elements of its operands
/// that broadcast to it.
pub fn elementwise(y: &[usize], operands: &[&[usize]]) -> Space {
    let reach = |shape: &&[usize]| -> Vec<Reach> {
        let skip = y.len().saturating_sub(shape.len());
        let one = |(i, n): (usize, &usize)| {
            if *n == 1 && y.get(skip + i) != Some(&1) { Reach::Whole } else { Reach::same(skip + i) }
        };
        shape.iter().enumerate().map(one).collect()
    };
    let results = vec![(0..y.len()).map(Reach::same).collect()];
    Space { axes: y.to_vec(), operands: operands.iter().map(reach).collect(), results }
}

/// The space of an operator on the rows of x: the `span` axes from `first` on are needed whole; `others` are shapes of
/// the other operands, those like x's for operands that have its rows, all others needed whole by every part. All
/// `results` have the shape of x.
pub fn rows(x: &[usize], first: usize, span: usize, others: &[&[usize]], results: usize) -> Space {
    let row = first..first + span;
    let axes: Vec<usize> = (0..x.len()).filter(|i| !row.contains(i)).collect();
    let reach = |i: usize| axes.iter().position(|a| *a == i).map_or(Reach::Whole, Reach::same);
    let own: Vec<Reach> = (0..x.len()).map(reach).collect();
    let others =
        others.iter().map(|shape| if *shape == x { own.clone() } else { vec![Reach::Whole; shape.len()] });
    Space {
        axes: axes.iter().map(|a| x[*a]).collect(),
        operands: std::iter::once(own.clone()).chain(others).collect(),
        results: vec![own; results],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_halos_and_margins() {
        // Five windows of three taps, stride two, padded by one on both sides, over nine elements.
        let reach = [Reach::Along { axis: 0, stride: 2, before: 1, extent: 3 }];
        let of = |begin, end| {
            let r = region(&reach, &[9], &[(begin, end)]);
            (r.spans[0], r.margins[0])
        };
        assert_eq!(of(0, 5), ((0, 9), (1, 1)));
        assert_eq!(of(0, 2), ((0, 4), (1, 0)));
        assert_eq!(of(1, 3), ((1, 6), (0, 0)));
        assert_eq!(of(4, 5), ((7, 9), (0, 1)));
    }

    #[test]
    fn windows_wholly_in_the_padding_reach_nothing() {
        let reach = [Reach::Along { axis: 0, stride: 1, before: 3, extent: 2 }];
        let r = region(&reach, &[4], &[(0, 1)]);
        assert_eq!((r.spans[0], r.margins[0]), ((0, 0), (2, 0)));
    }

    #[test]
    fn repeated_operands_are_whole() {
        let space = elementwise(&[2, 3, 4], &[&[2, 3, 4], &[3, 1], &[]]);
        assert_eq!(space.operands[1], [Reach::same(1), Reach::Whole]);
        assert_eq!(region(&space.operands[0], &[2, 3, 4], &[(1, 2), (0, 2), (3, 4)]).shape(), [1, 2, 1]);
        assert_eq!(region(&space.operands[1], &[3, 1], &[(1, 2), (0, 2), (3, 4)]).spans, [(0, 2), (0, 1)]);
    }

    #[test]
    fn rows_stay_together() {
        let space = rows(&[2, 5, 3], 1, 1, &[&[5]], 1);
        assert_eq!(space.axes, [2, 3]);
        assert_eq!(region(&space.operands[0], &[2, 5, 3], &[(0, 1), (1, 3)]).spans, [(0, 1), (0, 5), (1, 3)]);
        assert_eq!(region(&space.operands[1], &[5], &[(0, 1), (1, 3)]).spans, [(0, 5)]);
        let pair = rows(&[2, 5, 3], 1, 1, &[&[2, 5, 3]], 1);
        assert_eq!(pair.operands[0], pair.operands[1]);
    }
}
