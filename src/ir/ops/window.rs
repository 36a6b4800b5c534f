//! Sliding windows over spatial axes: what convolutions and pools share.
//!
//! In: attributes (`strides`, `dilations`, `pads`, `auto_pad`, `ceil_mode`) and spatial sizes. Out: a resolved
//! [`Window`] and, per axis, which taps meet the input. Never sees channels, batches or numbers.

use serde_json::Value as Json;

use super::Params;
use crate::ir::access::Reach;
use crate::ir::import::{Attributes, ImportNode, OpError};

/// Attributes above this are refused: no real network has them, and products of them stay small.
const LIMIT: i64 = 65_535;

/// A window with everything resolved; every list has one entry per spatial axis, `pads` two (all starts,
/// then all ends).
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Taps per axis.
    pub kernel: Vec<usize>,
    /// Steps between windows.
    pub strides: Vec<usize>,
    /// Steps between taps.
    pub dilations: Vec<usize>,
    /// Padding at the starts, then at the ends.
    pub pads: Vec<usize>,
    /// Whether a last, partial window counts.
    pub ceil: bool,
}

/// One spatial axis of a window over an input of known size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Size of the input.
    pub input: usize,
    /// Number of windows.
    pub output: usize,
    /// Taps.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Step between taps.
    pub dilation: usize,
    /// Padding before the input.
    pub begin: usize,
    /// Padding behind the input.
    pub end: usize,
}

impl Axis {
    /// The axis that is not there.
    pub const UNIT: Axis = Axis { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, begin: 0, end: 0 };

    /// The windows whose tap `tap` lies inside the input, as a half-open range.
    pub fn windows(&self, tap: usize) -> (usize, usize) {
        let shift = tap * self.dilation;
        let first = self.begin.saturating_sub(shift).div_ceil(self.stride);
        let behind = (self.input + self.begin).saturating_sub(shift).div_ceil(self.stride);
        (first.min(self.output), behind.min(self.output))
    }
    /// Where tap `tap` of window `window` reads; only meaningful inside [`Axis::windows`].
    pub fn position(&self, window: usize, tap: usize) -> usize {
        (window * self.stride + tap * self.dilation).saturating_sub(self.begin)
    }
    /// The taps of `window` that lie inside the padded input.
    pub fn taps_with_padding(&self, window: usize) -> usize {
        let room = (self.begin + self.input + self.end).saturating_sub(window * self.stride);
        room.div_ceil(self.dilation).min(self.kernel)
    }
    /// The taps of `window` that lie inside the input.
    pub fn taps(&self, window: usize) -> usize {
        let start = window * self.stride;
        let below = self.begin.saturating_sub(start).div_ceil(self.dilation).min(self.kernel);
        let room = (self.begin + self.input).saturating_sub(start);
        room.div_ceil(self.dilation).min(self.kernel) - below.min(room.div_ceil(self.dilation))
    }
}

/// How windows over these axes reach their input; the first axis is axis `first` of the iteration space.
pub fn reaches(axes: &[Axis], first: usize) -> impl Iterator<Item = Reach> {
    axes.iter().enumerate().map(move |(i, a)| Reach::Along {
        axis: first + i,
        stride: a.stride,
        before: a.begin,
        extent: (a.kernel - 1) * a.dilation + 1,
    })
}

/// The pads (all starts, then all ends) of a part whose channels-last input has these margins.
pub fn part_pads(margins: &[(usize, usize)], spatial: usize) -> Vec<usize> {
    let own = || margins.iter().skip(1).take(spatial);
    own().map(|m| m.0).chain(own().map(|m| m.1)).collect()
}

/// A list attribute with one entry per spatial axis, each at least 1.
pub fn per_axis(attributes: &Attributes, name: &str, rank: usize) -> Result<Vec<usize>, OpError> {
    match attributes.ints(name)? {
        None => Ok(vec![1; rank]),
        Some(v) => checked(&v, name, rank, 1),
    }
}

/// Checks the length and range of a list of numbers.
pub fn checked(v: &[i64], name: &str, len: usize, min: i64) -> Result<Vec<usize>, OpError> {
    if v.len() != len {
        return Err(OpError::invalid(format!("`{name}` has {} entries, needs {len}", v.len())));
    }
    if let Some(bad) = v.iter().find(|x| !(min..=LIMIT).contains(*x)) {
        return Err(OpError::unsupported(format!("`{name}` contains {bad}; supported are {min} to {LIMIT}")));
    }
    Ok(v.iter().map(|x| *x as usize).collect())
}

impl Window {
    /// Resolves a node's attributes for spatial sizes `input` and `kernel` taps.
    ///
    /// # Errors
    /// An attribute is malformed or out of the supported range.
    pub fn import(node: &ImportNode, input: &[usize], kernel: &[usize]) -> Result<Window, OpError> {
        let (at, rank) = (node.attributes, input.len());
        if kernel.iter().any(|k| *k == 0 || *k as i64 > LIMIT) {
            return Err(OpError::invalid(format!("kernel of shape {kernel:?}; supported are 1 to {LIMIT}")));
        }
        let mut window = Window {
            kernel: kernel.to_vec(),
            strides: per_axis(at, "strides", rank)?,
            dilations: per_axis(at, "dilations", rank)?,
            pads: vec![0; 2 * rank],
            ceil: at.int_or("ceil_mode", 0)? != 0,
        };
        match at.str("auto_pad")?.unwrap_or("NOTSET") {
            "NOTSET" | "" => {
                if let Some(pads) = at.ints("pads")? {
                    window.pads = checked(&pads, "pads", 2 * rank, 0)?;
                }
            }
            "VALID" => {}
            "SAME_UPPER" => window.pad_same(input, false),
            "SAME_LOWER" => window.pad_same(input, true),
            other => return Err(OpError::invalid(format!("`auto_pad` is `{other}`"))),
        }
        Ok(window)
    }
    /// Pads so that there are ceil(input / stride) windows; an odd total puts the extra element at the
    /// start (`lower`) or at the end.
    fn pad_same(&mut self, input: &[usize], lower: bool) {
        self.ceil = false;
        for (i, size) in input.iter().enumerate() {
            let windows = size.div_ceil(self.strides[i]);
            let reach = windows.saturating_sub(1) * self.strides[i] + self.extent(i);
            let total = reach.saturating_sub(*size);
            let small = total / 2;
            let (begin, end) = if lower { (total - small, small) } else { (small, total - small) };
            self.pads[i] = begin;
            self.pads[input.len() + i] = end;
        }
    }
    /// From the first tap to the last on axis `i`.
    fn extent(&self, i: usize) -> usize {
        (self.kernel[i] - 1) * self.dilations[i] + 1
    }
    /// The axes over an input of spatial sizes `input`.
    ///
    /// # Errors
    /// The lists do not match the input's rank, or the window is larger than the padded input.
    pub fn axes(&self, input: &[usize]) -> Result<Vec<Axis>, OpError> {
        let rank = input.len();
        let lists = [&self.kernel, &self.strides, &self.dilations];
        let positive = lists.iter().all(|l| l.len() == rank && l.iter().all(|x| *x >= 1));
        if !positive || self.pads.len() != 2 * rank {
            return Err(OpError::invalid(format!("{rank} spatial axes do not fit {self:?}")));
        }
        (0..rank).map(|i| self.axis(i, input[i])).collect()
    }
    fn axis(&self, i: usize, input: usize) -> Result<Axis, OpError> {
        let (begin, end) = (self.pads[i], self.pads[self.kernel.len() + i]);
        let (stride, extent) = (self.strides[i], self.extent(i));
        let room = (begin + input + end).checked_sub(extent).ok_or_else(|| {
            OpError::invalid(format!(
                "a window reaching over {extent} elements does not fit into {input} elements padded by {begin} and {end}"
            ))
        })?;
        let mut output = if self.ceil { room.div_ceil(stride) } else { room / stride } + 1;
        // A partial window must still start on the input or the padding before it.
        if self.ceil && (output - 1) * stride >= input + begin {
            output -= 1;
        }
        let (kernel, dilation) = (self.kernel[i], self.dilations[i]);
        Ok(Axis { input, output, kernel, stride, dilation, begin, end })
    }
}

/// Three axes (depth, height, width): missing leading ones are [`Axis::UNIT`].
///
/// # Errors
/// There are more than three.
pub fn three(axes: &[Axis]) -> Result<[Axis; 3], OpError> {
    if axes.len() > 3 {
        let message = format!("{} spatial axes; supported are up to 3", axes.len());
        return Err(OpError::unsupported(message));
    }
    let mut all = [Axis::UNIT; 3];
    all[3 - axes.len()..].copy_from_slice(axes);
    Ok(all)
}

/// What kernels need to know of a window: `in_*`, `out_*`, `kernel_*`, `stride_*`, `dil_*` with `d`, `h`, `w`, the
/// pads by side, and `spatial`, the number of axes.
pub fn params(axes: &[Axis], params: &mut Params) {
    let mut put = |name: String, x: usize| params.insert(name, Json::from(x));
    put("spatial".into(), axes.len());
    let Ok(all) = three(axes) else { return };
    let sides = [("front", "back"), ("top", "bottom"), ("left", "right")];
    for ((a, letter), (begin, end)) in all.iter().zip(["d", "h", "w"]).zip(sides) {
        put(format!("in_{letter}"), a.input);
        put(format!("out_{letter}"), a.output);
        put(format!("kernel_{letter}"), a.kernel);
        put(format!("stride_{letter}"), a.stride);
        put(format!("dil_{letter}"), a.dilation);
        put(format!("pad_{begin}"), a.begin);
        put(format!("pad_{end}"), a.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(input: usize, kernel: usize, stride: usize, pads: [usize; 2], ceil: bool) -> Axis {
        let window = Window {
            kernel: vec![kernel],
            strides: vec![stride],
            dilations: vec![1],
            pads: pads.to_vec(),
            ceil,
        };
        window.axes(&[input]).unwrap()[0]
    }

    #[test]
    fn counts_windows() {
        assert_eq!(axis(64, 8, 2, [1, 1], false).output, 30);
        assert_eq!(axis(6, 3, 2, [0, 0], false).output, 2);
        assert_eq!(axis(6, 3, 2, [0, 0], true).output, 3);
        // The third window would start in the end padding.
        assert_eq!(axis(4, 2, 2, [0, 1], true).output, 2);
        assert_eq!(axis(2, 1, 3, [1, 1], true).output, 1);
    }

    #[test]
    fn refuses_windows_larger_than_the_input() {
        let window =
            Window { kernel: vec![4], strides: vec![1], dilations: vec![2], pads: vec![1, 1], ceil: false };
        assert!(window.axes(&[4]).is_err());
        assert!(window.axes(&[5]).is_ok());
        assert!(window.axes(&[5, 5]).is_err());
    }

    #[test]
    fn ranges_agree_with_enumeration() {
        for (input, kernel, stride, dilation, begin, end) in
            [(7, 3, 2, 1, 1, 1), (5, 3, 1, 2, 3, 0), (4, 2, 3, 1, 0, 2), (9, 2, 2, 4, 2, 3)]
        {
            let window = Window {
                kernel: vec![kernel],
                strides: vec![stride],
                dilations: vec![dilation],
                pads: vec![begin, end],
                ceil: false,
            };
            let a = window.axes(&[input]).unwrap()[0];
            let at = |w: usize, t: usize| (w * stride + t * dilation) as i64 - begin as i64;
            for t in 0..kernel {
                let inside: Vec<usize> =
                    (0..a.output).filter(|w| (0..input as i64).contains(&at(*w, t))).collect();
                let (first, behind) = a.windows(t);
                assert_eq!(inside, (first..behind).collect::<Vec<_>>(), "{a:?} tap {t}");
            }
            for w in 0..a.output {
                let inside = (0..kernel).filter(|t| (0..input as i64).contains(&at(w, *t))).count();
                assert_eq!(a.taps(w), inside, "{a:?} window {w}");
                let padded = (0..kernel).filter(|t| at(w, *t) < (input + end) as i64).count();
                assert_eq!(a.taps_with_padding(w), padded);
            }
        }
    }

    #[test]
    fn same_padding_keeps_the_size() {
        let mut window =
            Window { kernel: vec![3], strides: vec![2], dilations: vec![1], pads: vec![0, 0], ceil: true };
        window.pad_same(&[6], false);
        assert_eq!(window.pads, [0, 1]);
        window.pad_same(&[6], true);
        assert_eq!(window.pads, [1, 0]);
        assert_eq!(window.axes(&[6]).unwrap()[0].output, 3);
    }
}
