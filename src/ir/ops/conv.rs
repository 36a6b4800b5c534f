//! Conv: cross-correlation over 1 to 3 spatial axes, with groups; optionally requantised or clipped.
//!
//! Operands: x, w, [bias], [mul, add]. Channels first: x `[N, C, spatial..]`, w `[O, C/group, kernel..]`. Channels last: x
//! `[N, spatial.., C]`, w `[O, kernel.., C/group]`. The bias has O elements and joins the accumulator; `mul` and `add`
//! have one element or O.

use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::contraction::{self, Number};
use super::window::{self, Axis, Window};
use super::{Activation, Numeric, Operator, Params, Requant};
use crate::ir::access::{Reach, Space};
use crate::ir::dtype::DType;
use crate::ir::graph::{Layout, TensorType};
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv {
    /// Groups of channels that do not see each other.
    pub group: usize,
    /// Step between windows, per spatial axis.
    pub strides: Vec<usize>,
    /// Step between taps, per spatial axis.
    pub dilations: Vec<usize>,
    /// Zeros before, then behind each spatial axis.
    pub pads: Vec<usize>,
    /// Where the channels are.
    pub layout: Layout,
    /// Requantisation of an integer accumulator.
    pub requant: Option<Requant>,
    /// Activation of a float accumulator.
    pub act: Activation,
}

/// Sizes of one convolution.
#[derive(Clone, Debug)]
struct Sizes {
    batch: usize,
    group: usize,
    /// Input channels of a group.
    inputs: usize,
    /// Output channels of a group.
    outputs: usize,
    /// Spatial axes, as many as x has.
    axes: Vec<Axis>,
}

/// Where the channels of a tensor of rank `rank` are.
pub(super) fn channel_axis(layout: Layout, rank: usize) -> usize {
    match layout {
        Layout::ChannelsFirst => 1,
        Layout::ChannelsLast => rank.saturating_sub(1),
    }
}

/// The spatial part of an activation's (or a weight's) shape; `shape` has at least two dimensions.
pub(super) fn spatial(layout: Layout, shape: &[usize]) -> &[usize] {
    match layout {
        Layout::ChannelsFirst => &shape[2..],
        Layout::ChannelsLast => &shape[1..shape.len() - 1],
    }
}

/// A shape from its batch, channels and spatial part.
pub(super) fn shape(layout: Layout, batch: usize, channels: usize, spatial: &[usize]) -> Vec<usize> {
    let mut shape = vec![batch];
    if layout == Layout::ChannelsFirst {
        shape.push(channels);
    }
    shape.extend(spatial);
    if layout == Layout::ChannelsLast {
        shape.push(channels);
    }
    shape
}

/// Elements of `a` in channels-first order.
pub(super) fn channels_first<T: Clone>(layout: Layout, a: ArrayD<T>) -> Vec<T> {
    let rank = a.ndim();
    if layout == Layout::ChannelsLast {
        let order: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
        contraction::flat(&a.permuted_axes(IxDyn(&order)))
    } else {
        contraction::flat(&a)
    }
}

/// An array in `layout` of elements given in channels-first order.
pub(super) fn from_channels_first<T: Clone>(
    layout: Layout,
    batch: usize,
    channels: usize,
    spatial: &[usize],
    elements: Vec<T>,
) -> Result<ArrayD<T>, OpError> {
    let first = shape(Layout::ChannelsFirst, batch, channels, spatial);
    let a = ArrayD::from_shape_vec(IxDyn(&first), elements)
        .map_err(|e| OpError::invalid(format!("result of shape {first:?}: {e}")))?;
    let rank = first.len();
    Ok(if layout == Layout::ChannelsLast {
        let order: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
        a.permuted_axes(IxDyn(&order)).as_standard_layout().into_owned()
    } else {
        a
    })
}

impl Conv {
    fn sizes(&self, x: &TensorType, w: &TensorType) -> Result<Sizes, OpError> {
        if x.rank() != w.rank() || x.rank() < 3 {
            return Err(OpError::invalid(format!("x {x} and w {w} must both have rank 3 or more")));
        }
        let channels = x.shape[channel_axis(self.layout, x.rank())];
        let inputs = w.shape[channel_axis(self.layout, w.rank())];
        let group = self.group;
        if group == 0 || inputs.checked_mul(group) != Some(channels) || w.shape[0] % group != 0 {
            return Err(OpError::invalid(format!(
                "x {x} with {channels} channels does not fit w {w} in {group} groups"
            )));
        }
        let window = Window {
            kernel: spatial(self.layout, &w.shape).to_vec(),
            strides: self.strides.clone(),
            dilations: self.dilations.clone(),
            pads: self.pads.clone(),
            ceil: false,
        };
        let axes = window.axes(spatial(self.layout, &x.shape))?;
        window::three(&axes)?;
        Ok(Sizes { batch: x.shape[0], group, inputs, outputs: w.shape[0] / group, axes })
    }
    fn leading(&self, count: usize) -> Result<usize, OpError> {
        contraction::leading(count, self.requant.as_ref(), 2, 3)
    }
    fn accumulate<T: Number>(
        &self,
        s: &Sizes,
        x: ArrayD<T>,
        w: ArrayD<T>,
        bias: Option<ArrayD<T>>,
    ) -> Result<ArrayD<T>, OpError> {
        let out: Vec<usize> = s.axes.iter().map(|a| a.output).collect();
        let (channels, plane) = (s.group * s.outputs, out.iter().product::<usize>());
        let mut y = vec![T::ZERO; s.batch * channels * plane];
        if let Some(bias) = bias {
            let bias = contraction::flat(&bias);
            for (i, plane) in y.chunks_exact_mut(plane.max(1)).enumerate() {
                plane.fill(bias[i % channels]);
            }
        }
        let axes = window::three(&s.axes)?;
        let (x, w) = (channels_first(self.layout, x), channels_first(self.layout, w));
        let image: usize = axes.iter().map(|a| a.input).product();
        let taps: usize = axes.iter().map(|a| a.kernel).product();
        for b in 0..s.batch {
            for o in 0..channels {
                let to = &mut y[(b * channels + o) * plane..][..plane];
                for i in 0..s.inputs {
                    let from = (b * s.group + o / s.outputs) * s.inputs + i;
                    let x = &x[from * image..][..image];
                    let w = &w[(o * s.inputs + i) * taps..][..taps];
                    correlate(&axes, x, w, to);
                }
            }
        }
        from_channels_first(self.layout, s.batch, channels, &out, y)
    }
}

/// Adds to the plane `y` the correlation of the plane `x` with the taps `w`.
fn correlate<T: Number>(axes: &[Axis; 3], x: &[T], w: &[T], y: &mut [T]) {
    let [d, h, v] = axes;
    let mut tap = 0;
    for kd in 0..d.kernel {
        let depth = d.windows(kd);
        for kh in 0..h.kernel {
            let height = h.windows(kh);
            for kw in 0..v.kernel {
                let (first, behind) = v.windows(kw);
                let weight = w[tap];
                tap += 1;
                if first >= behind {
                    continue;
                }
                for od in depth.0..depth.1 {
                    for oh in height.0..height.1 {
                        let row = (d.position(od, kd) * h.input + h.position(oh, kh)) * v.input;
                        let from = x[row + v.position(first, kw)..].iter().step_by(v.stride);
                        let to = &mut y[(od * h.output + oh) * v.output..][first..behind];
                        for (y, x) in to.iter_mut().zip(from) {
                            *y = y.mac(*x, weight);
                        }
                    }
                }
            }
        }
    }
}

impl Operator for Conv {
    const NAME: &'static str = "Conv";
    const ONNX: &'static [&'static str] = &["Conv"];
    const NUMERIC: Numeric = Numeric::Unified;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let (x, w) = (node.required(0)?.ty, node.required(1)?.ty);
        if x.rank() < 3 || w.rank() != x.rank() {
            return Err(OpError::invalid(format!("x {x} and w {w} must both have rank 3 or more")));
        }
        let window = Window::import(node, &x.shape[2..], &w.shape[2..])?;
        if let Some(kernel) = node.attributes.ints("kernel_shape")? {
            if window::checked(&kernel, "kernel_shape", w.rank() - 2, 1)? != w.shape[2..] {
                return Err(OpError::invalid(format!("`kernel_shape` is {kernel:?}, w is {w}")));
            }
        }
        let group = node.attributes.int_or("group", 1)?;
        let op = Conv {
            group: usize::try_from(group).map_err(|_| OpError::invalid(format!("`group` is {group}")))?,
            strides: window.strides,
            dilations: window.dilations,
            pads: window.pads,
            layout: Layout::ChannelsFirst,
            requant: None,
            act: Activation::None,
        };
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        contraction::operand_names(&["x", "w", "bias"], count, self.requant.as_ref())
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        let leading = self.leading(inputs.len())?;
        let (operands, epilogue) = inputs.split_at(leading);
        let s = self.sizes(&inputs[0], &inputs[1])?;
        let channels = s.group * s.outputs;
        if let Some(bias) = operands.get(2).filter(|b| b.shape != [channels]) {
            return Err(OpError::invalid(format!("the bias is {bias}, needs {channels} elements")));
        }
        let channel = channel_axis(self.layout, inputs[0].rank());
        if self.requant.is_some_and(|r| r.axis != channel) {
            return Err(OpError::invalid(format!(
                "requantisation must run along the channels, axis {channel}"
            )));
        }
        let out: Vec<usize> = s.axes.iter().map(|a| a.output).collect();
        let shape = shape(self.layout, s.batch, channels, &out);
        let acc = contraction::accumulator(operands)?;
        Ok(vec![contraction::result_type(acc, shape, self.requant.as_ref(), self.act, epilogue)?])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let s = self.sizes(&inputs[0], &inputs[1]).ok()?;
        if self.layout != Layout::ChannelsLast {
            return None;
        }
        let leading = self.leading(inputs.len()).ok()?;
        // n, then the positions, then the channels.
        let (spatial, channel) = (s.axes.len(), s.axes.len() + 1);
        let mut x = vec![Reach::same(0)];
        x.extend(window::reaches(&s.axes, 1));
        // Channels of groups go together; only depthwise ones are cut along with their inputs.
        let depthwise = s.group > 1 && s.inputs == 1 && s.outputs == 1;
        let channels = if s.group == 1 || depthwise { s.group * s.outputs } else { 1 };
        let cut = if s.group == 1 || depthwise { Reach::same(channel) } else { Reach::Whole };
        x.push(if depthwise { cut } else { Reach::Whole });
        let mut w = vec![Reach::Whole; spatial + 2];
        w[0] = cut;
        let mut operands = vec![x, w];
        operands.extend(inputs[2..leading].iter().map(|_| vec![cut]));
        let step =
            |t: &TensorType| t.shape.iter().map(|n| if *n == 1 { Reach::Whole } else { cut }).collect();
        operands.extend(inputs[leading..].iter().map(step));
        let mut y: Vec<Reach> = (0..=spatial).map(Reach::same).collect();
        y.push(cut);
        let axes = outputs[0].shape[..=spatial].iter().copied().chain([channels]).collect();
        Some(Space { axes, operands, results: vec![y] })
    }
    fn part(&self, inputs: &[TensorType], margins: &[(usize, usize)]) -> Conv {
        let channels = |t: &TensorType| t.shape[channel_axis(self.layout, t.rank())];
        let group = channels(&inputs[0]) / channels(&inputs[1]).max(1);
        Conv { pads: window::part_pads(margins, self.pads.len() / 2), group, ..self.clone() }
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (operands, epilogue) = inputs.split_at(self.leading(inputs.len())?);
        let types: Vec<TensorType> = operands.iter().map(|v| TensorType::of(v)).collect();
        let s = self.sizes(&types[0], &types[1])?;
        let (x, w, bias) = (operands[0], operands[1], operands.get(2));
        let acc = contraction::accumulator(&types)?;
        Ok(vec![if acc == DType::F32 {
            let y = self.accumulate(&s, x.to_f64(), w.to_f64(), bias.map(|b| b.to_f64()))?;
            contraction::finish_float(y, self.act)
        } else {
            let y = self.accumulate(&s, x.to_i64(), w.to_i64(), bias.map(|b| b.to_i64()))?;
            contraction::finish_int(y, acc, self.requant.as_ref(), epilogue, &outputs[0])?
        }])
    }
    /// The window's sizes (see the `window` module), the epilogue's (see `contraction`), and `n`, `in_c`, `out_c`, `group`,
    /// `group_in`, `group_out` (channels of a group), `pixels` (positions of the output), `bias`, `pointwise` (one tap, stride 1, no pads, one group),
    /// `depthwise` (one input channel to a group), `layout`, `macs`.
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let mut p = Params::new();
        let Ok(s) = self.sizes(&inputs[0], &inputs[1]) else { return p };
        let leading = self.leading(inputs.len()).unwrap_or(2);
        window::params(&s.axes, &mut p);
        contraction::epilogue_params(self.requant.as_ref(), self.act, &inputs[leading..], &mut p);
        let trivial = |a: &Axis| a.kernel == 1 && a.stride == 1 && a.begin == 0 && a.end == 0;
        let pointwise = s.group == 1 && s.axes.iter().all(trivial);
        let depthwise = s.group > 1 && s.inputs == 1;
        let mut put = |name: &str, x: Json| p.insert(name.into(), x);
        put("n", s.batch.into());
        put("in_c", (s.group * s.inputs).into());
        put("out_c", (s.group * s.outputs).into());
        put("group", s.group.into());
        put("group_in", s.inputs.into());
        put("group_out", s.outputs.into());
        put("pixels", (s.batch * s.axes.iter().map(|a| a.output).product::<usize>()).into());
        put("bias", usize::from(leading == 3).into());
        put("pointwise", usize::from(pointwise).into());
        put("depthwise", usize::from(depthwise).into());
        put("layout", serde_json::to_value(self.layout).unwrap_or_default());
        put("macs", self.macs(inputs, outputs).into());
        p
    }
    fn macs(&self, inputs: &[TensorType], outputs: &[TensorType]) -> u64 {
        let Ok(s) = self.sizes(&inputs[0], &inputs[1]) else { return 0 };
        let taps: usize = s.axes.iter().map(|a| a.kernel).product();
        outputs[0].elements() as u64 * (taps * s.inputs) as u64
    }
}

#[cfg(test)]
#[path = "conv_tests.rs"]
mod tests;
