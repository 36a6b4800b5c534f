//! ConvTranspose: the gradient of a convolution with respect to its input, as an operator of its own.
//!
//! Operands: x, w, [bias]. Channels first: x `[N, I, spatial..]`, w `[I, O/group, kernel..]`. Channels last: x
//! `[N, spatial.., I]`, w `[I, kernel.., O/group]` (the same permutation as for Conv). Element `i` of the input adds
//! `x * w` to output position `i * stride + tap * dilation - pad`; positions outside are dropped.

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::contraction::{self, Number};
use super::conv::{channel_axis, channels_first, from_channels_first, shape, spatial};
use super::window::{self, Axis};
use super::{Activation, Numeric, Operator, Params};
use crate::ir::dtype::DType;
use crate::ir::graph::{Layout, TensorType};
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose {
    /// Groups of channels that do not see each other.
    pub group: usize,
    /// Step in the output between elements of the input, per spatial axis.
    pub strides: Vec<usize>,
    /// Step in the output between taps, per spatial axis.
    pub dilations: Vec<usize>,
    /// Positions dropped before the output, per spatial axis. May exceed what the window covers.
    pub pads: Vec<i64>,
    /// Spatial sizes of the output.
    pub output: Vec<usize>,
    /// Where the channels are.
    pub layout: Layout,
    /// Activation of a float result.
    pub act: Activation,
}

/// One spatial axis, seen from the output: the output is the "input" of the mirrored convolution.
#[derive(Clone, Copy, Debug)]
struct Scatter {
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    pad: i64,
}

impl Scatter {
    const UNIT: Scatter = Scatter { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, pad: 0 };

    /// Where element `i` adds its product with `tap`, if inside.
    fn position(&self, i: usize, tap: usize) -> Option<usize> {
        let at = (i * self.stride + tap * self.dilation) as i64 - self.pad;
        usize::try_from(at).ok().filter(|at| *at < self.output)
    }
}

struct Sizes {
    batch: usize,
    group: usize,
    inputs: usize,
    outputs: usize,
    axes: Vec<Scatter>,
}

impl Sizes {
    fn three(&self) -> [Scatter; 3] {
        let mut all = [Scatter::UNIT; 3];
        all[3 - self.axes.len()..].copy_from_slice(&self.axes);
        all
    }
}

impl ConvTranspose {
    fn sizes(&self, x: &TensorType, w: &TensorType) -> Result<Sizes, OpError> {
        if x.rank() != w.rank() || x.rank() < 3 {
            return Err(OpError::invalid(format!("x {x} and w {w} must both have rank 3 or more")));
        }
        let rank = x.rank() - 2;
        if rank > 3 {
            return Err(OpError::unsupported(format!("{rank} spatial axes; supported are up to 3")));
        }
        let channels = x.shape[channel_axis(self.layout, x.rank())];
        if w.shape[0] != channels || self.group == 0 || channels % self.group != 0 {
            return Err(OpError::invalid(format!("x {x} does not fit w {w} in {} groups", self.group)));
        }
        let lists = [&self.strides, &self.dilations, &self.output];
        if lists.iter().any(|l| l.len() != rank) || self.pads.len() != rank {
            return Err(OpError::invalid(format!("{rank} spatial axes do not fit {self:?}")));
        }
        let (size, kernel) = (spatial(self.layout, &x.shape), spatial(self.layout, &w.shape));
        let axes = (0..rank).map(|i| Scatter {
            input: size[i],
            output: self.output[i],
            kernel: kernel[i],
            stride: self.strides[i],
            dilation: self.dilations[i],
            pad: self.pads[i],
        });
        Ok(Sizes {
            batch: x.shape[0],
            group: self.group,
            inputs: channels / self.group,
            outputs: w.shape[channel_axis(self.layout, w.rank())],
            axes: axes.collect(),
        })
    }
    fn accumulate<T: Number>(
        &self,
        s: &Sizes,
        x: ArrayD<T>,
        w: ArrayD<T>,
        bias: Option<ArrayD<T>>,
    ) -> Result<ArrayD<T>, OpError> {
        let plane = self.output.iter().product::<usize>();
        let channels = s.group * s.outputs;
        let mut y = vec![T::ZERO; s.batch * channels * plane];
        if let Some(bias) = bias {
            let bias = contraction::flat(&bias);
            for (i, plane) in y.chunks_exact_mut(plane.max(1)).enumerate() {
                plane.fill(bias[i % channels]);
            }
        }
        let axes = s.three();
        let (x, w) = (channels_first(self.layout, x), channels_first(self.layout, w));
        let image: usize = axes.iter().map(|a| a.input).product();
        let taps: usize = axes.iter().map(|a| a.kernel).product();
        for b in 0..s.batch {
            for i in 0..s.group * s.inputs {
                let x = &x[(b * s.group * s.inputs + i) * image..][..image];
                for o in 0..s.outputs {
                    let channel = i / s.inputs * s.outputs + o;
                    let w = &w[(i * s.outputs + o) * taps..][..taps];
                    scatter(&axes, x, w, &mut y[(b * channels + channel) * plane..][..plane]);
                }
            }
        }
        from_channels_first(self.layout, s.batch, channels, &self.output, y)
    }
}

/// Adds to the plane `y` the plane `x` spread by the taps `w`.
fn scatter<T: Number>(axes: &[Scatter; 3], x: &[T], w: &[T], y: &mut [T]) {
    let [d, h, v] = axes;
    let mut from = x.iter();
    for id in 0..d.input {
        for ih in 0..h.input {
            for (iw, x) in (0..v.input).zip(from.by_ref()) {
                let mut weights = w.iter();
                for kd in 0..d.kernel {
                    let od = d.position(id, kd);
                    for kh in 0..h.kernel {
                        let oh = h.position(ih, kh);
                        for (kw, weight) in (0..v.kernel).zip(weights.by_ref()) {
                            if let (Some(od), Some(oh), Some(ow)) = (od, oh, v.position(iw, kw)) {
                                let y = &mut y[(od * h.output + oh) * v.output + ow];
                                *y = y.mac(*x, *weight);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Output sizes and starting pads of a node with inputs of spatial sizes `input`.
fn resolve(
    node: &ImportNode,
    input: &[usize],
    kernel: &[usize],
    strides: &[usize],
    dilations: &[usize],
) -> Result<(Vec<usize>, Vec<i64>), OpError> {
    let (at, rank) = (node.attributes, input.len());
    let extra = match at.ints("output_padding")? {
        Some(v) => window::checked(&v, "output_padding", rank, 0)?,
        None => vec![0; rank],
    };
    let mut pads = match at.ints("pads")? {
        Some(v) => window::checked(&v, "pads", 2 * rank, 0)?,
        None => vec![0; 2 * rank],
    };
    let auto_pad = at.str("auto_pad")?.unwrap_or("NOTSET");
    let wanted = match at.ints("output_shape")? {
        Some(v) if v.len() == rank + 2 => Some(window::checked(&v[2..], "output_shape", rank, 1)?),
        Some(v) => Some(window::checked(&v, "output_shape", rank, 1)?),
        None => None,
    };
    let same = match auto_pad {
        "NOTSET" | "" => false,
        "VALID" => {
            pads = vec![0; 2 * rank];
            false
        }
        "SAME_UPPER" | "SAME_LOWER" => true,
        other => return Err(OpError::invalid(format!("`auto_pad` is `{other}`"))),
    };
    let (mut sizes, mut starts) = (vec![], vec![]);
    for i in 0..rank {
        let extent = (kernel[i] - 1) * dilations[i] + 1;
        let full = (input[i].saturating_sub(1) * strides[i] + extra[i] + extent) as i64;
        let target = match &wanted {
            Some(v) => Some(v[i] as i64),
            // As onnxruntime: where the kernel is smaller than the stride, the size stays below input * stride.
            None if same => Some(full.min((input[i] * strides[i]) as i64)),
            None => None,
        };
        let (size, start) = match target {
            Some(size) => {
                let total = (full - size).max(0);
                // As onnxruntime: only SAME_UPPER drops the odd position at the end.
                (size, if auto_pad == "SAME_UPPER" { total / 2 } else { total - total / 2 })
            }
            None => (full - (pads[i] + pads[rank + i]) as i64, pads[i] as i64),
        };
        let size = usize::try_from(size).ok().filter(|s| *s > 0 || input[i] == 0);
        sizes.push(size.ok_or_else(|| OpError::invalid("the pads leave no output"))?);
        starts.push(start);
    }
    Ok((sizes, starts))
}

impl Operator for ConvTranspose {
    const NAME: &'static str = "ConvTranspose";
    const ONNX: &'static [&'static str] = &["ConvTranspose"];
    const NUMERIC: Numeric = Numeric::Unified;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let (x, w) = (node.required(0)?.ty, node.required(1)?.ty);
        if x.rank() < 3 || w.rank() != x.rank() || w.shape[2..].contains(&0) {
            return Err(OpError::invalid(format!("x {x} and w {w} must both have rank 3 or more")));
        }
        let (at, rank, kernel) = (node.attributes, x.rank() - 2, &w.shape[2..]);
        if let Some(given) = at.ints("kernel_shape")? {
            if window::checked(&given, "kernel_shape", rank, 1)? != kernel {
                return Err(OpError::invalid(format!("`kernel_shape` is {given:?}, w is {w}")));
            }
        }
        let group = at.int_or("group", 1)?;
        let strides = window::per_axis(at, "strides", rank)?;
        let dilations = window::per_axis(at, "dilations", rank)?;
        let (output, pads) = resolve(node, &x.shape[2..], kernel, &strides, &dilations)?;
        let op = ConvTranspose {
            group: usize::try_from(group).map_err(|_| OpError::invalid(format!("`group` is {group}")))?,
            strides,
            dilations,
            pads,
            output,
            layout: Layout::ChannelsFirst,
            act: Activation::None,
        };
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, count: usize) -> Vec<String> {
        contraction::operand_names(&["x", "w", "bias"], count, None)
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        contraction::leading(inputs.len(), None, 2, 3)?;
        let s = self.sizes(&inputs[0], &inputs[1])?;
        let channels = s.group * s.outputs;
        if let Some(bias) = inputs.get(2).filter(|b| b.shape != [channels]) {
            return Err(OpError::invalid(format!("the bias is {bias}, needs {channels} elements")));
        }
        let shape = shape(self.layout, s.batch, channels, &self.output);
        let acc = contraction::accumulator(inputs)?;
        Ok(vec![contraction::result_type(acc, shape, None, self.act, &[])?])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let types: Vec<TensorType> = inputs.iter().map(|v| TensorType::of(v)).collect();
        let s = self.sizes(&types[0], &types[1])?;
        let (x, w, bias) = (inputs[0], inputs[1], inputs.get(2));
        let acc = contraction::accumulator(&types)?;
        Ok(vec![if acc == DType::F32 {
            let y = self.accumulate(&s, x.to_f64(), w.to_f64(), bias.map(|b| b.to_f64()))?;
            contraction::finish_float(y, self.act)
        } else {
            let y = self.accumulate(&s, x.to_i64(), w.to_i64(), bias.map(|b| b.to_i64()))?;
            contraction::finish_int(y, acc, None, &[], &outputs[0])?
        }])
    }
    /// As for Conv; `pad_front`, `pad_top`, `pad_left` may be anything, the pads behind are not given (the sizes say it all).
    fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let mut p = Params::new();
        let Ok(s) = self.sizes(&inputs[0], &inputs[1]) else { return p };
        let axes: Vec<Axis> = s
            .axes
            .iter()
            .map(|a| Axis {
                input: a.input,
                output: a.output,
                kernel: a.kernel,
                stride: a.stride,
                dilation: a.dilation,
                begin: 0,
                end: 0,
            })
            .collect();
        window::params(&axes, &mut p);
        contraction::epilogue_params(None, self.act, &[], &mut p);
        let mut put = |name: &str, x: Json| p.insert(name.into(), x);
        for (side, a) in ["front", "top", "left"].into_iter().zip(s.three()) {
            put(&format!("pad_{side}"), a.pad.into());
        }
        put("n", s.batch.into());
        put("in_c", (s.group * s.inputs).into());
        put("out_c", (s.group * s.outputs).into());
        put("group", s.group.into());
        put("group_in", s.inputs.into());
        put("group_out", s.outputs.into());
        put("bias", usize::from(inputs.len() == 3).into());
        put("layout", serde_json::to_value(self.layout).unwrap_or_default());
        put("macs", self.macs(inputs, outputs).into());
        p
    }
    fn macs(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> u64 {
        let Ok(s) = self.sizes(&inputs[0], &inputs[1]) else { return 0 };
        let taps: usize = s.axes.iter().map(|a| a.kernel).product();
        inputs[0].elements() as u64 * (taps * s.outputs) as u64
    }
}

#[cfg(test)]
#[path = "conv_transpose_tests.rs"]
mod tests;
