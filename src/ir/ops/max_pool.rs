//! MaxPool: the largest element of each window; padding never wins.
//!
//! Operands: x, channels first or last. A window that meets no element at all gives the type's lowest value.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::common::arity;
use super::conv::{channel_axis, channels_first, from_channels_first, shape, spatial};
use super::window::{self, Axis, Window};
use super::{Numeric, Operator, Params};
use crate::ir::access::{Reach, Space};
use crate::ir::dtype::DType;
use crate::ir::graph::{Layout, TensorType};
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool {
    /// Taps, per spatial axis.
    pub kernel: Vec<usize>,
    /// Step between windows, per spatial axis.
    pub strides: Vec<usize>,
    /// Step between taps, per spatial axis.
    pub dilations: Vec<usize>,
    /// Padding before, then behind each spatial axis.
    pub pads: Vec<usize>,
    /// Whether a last, partial window counts.
    pub ceil: bool,
    /// Where the channels are.
    pub layout: Layout,
}

/// The window of a pooling node over x, from its attributes.
pub(super) fn import_window(node: &ImportNode) -> Result<Window, OpError> {
    let x = node.required(0)?.ty;
    if x.rank() < 3 {
        return Err(OpError::invalid(format!("x {x} must have rank 3 or more")));
    }
    let kernel = node.attributes.ints("kernel_shape")?;
    let kernel = kernel.ok_or_else(|| OpError::invalid("attribute `kernel_shape` is missing"))?;
    let kernel = window::checked(&kernel, "kernel_shape", x.rank() - 2, 1)?;
    Window::import(node, &x.shape[2..], &kernel)
}

/// The axes of a pooling window over `x`.
pub(super) fn axes(window: &Window, layout: Layout, x: &TensorType) -> Result<Vec<Axis>, OpError> {
    if x.rank() < 3 {
        return Err(OpError::invalid(format!("x {x} must have rank 3 or more")));
    }
    let axes = window.axes(spatial(layout, &x.shape))?;
    window::three(&axes)?;
    Ok(axes)
}

/// The result of pooling `x`.
pub(super) fn result(axes: &[Axis], layout: Layout, x: &TensorType) -> TensorType {
    let out: Vec<usize> = axes.iter().map(|a| a.output).collect();
    let channels = x.shape[channel_axis(layout, x.rank())];
    TensorType::new(x.dtype, shape(layout, x.shape[0], channels, &out))
}

/// What kernels need to know of a pool: the window's sizes (see the `window` module), `n`, `channels`, `layout`, and
/// `covered` (0/1: every window meets the input).
pub(super) fn params(axes: &[Axis], layout: Layout, x: &TensorType) -> Params {
    let mut p = Params::new();
    window::params(axes, &mut p);
    let channels = x.shape[channel_axis(layout, x.rank())];
    let covered = axes.iter().all(|a| (0..a.output).all(|o| a.taps(o) > 0));
    p.insert("covered".into(), usize::from(covered).into());
    p.insert("n".into(), x.shape[0].into());
    p.insert("channels".into(), channels.into());
    p.insert("layout".into(), serde_json::to_value(layout).unwrap_or(Json::Null));
    p
}

/// The iteration space of a pool; only that of channels-last ones has parts.
pub(super) fn space(axes: &[Axis], layout: Layout, outputs: &[TensorType]) -> Option<Space> {
    if layout != Layout::ChannelsLast {
        return None;
    }
    let channel = axes.len() + 1;
    let mut x = vec![Reach::same(0)];
    x.extend(window::reaches(axes, 1));
    x.push(Reach::same(channel));
    Some(Space {
        axes: outputs[0].shape.clone(),
        operands: vec![x],
        results: vec![(0..=channel).map(Reach::same).collect()],
    })
}

/// Folds every window of every plane of `x` (channels first) from `start`; `f` sees the accumulated value and the
/// element.
pub(super) fn fold<T: Copy, U: Copy>(axes: &[Axis; 3], x: &[T], start: U, f: impl Fn(U, T) -> U) -> Vec<U> {
    let [d, h, v] = axes;
    let (image, plane) = (d.input * h.input * v.input, d.output * h.output * v.output);
    let planes = x.len().checked_div(image).unwrap_or(0);
    let mut y = vec![start; planes * plane];
    for (x, y) in x.chunks_exact(image.max(1)).zip(y.chunks_exact_mut(plane.max(1))) {
        for (kd, kh, kw) in taps(axes) {
            let (depth, height, width) = (d.windows(kd), h.windows(kh), v.windows(kw));
            if width.0 >= width.1 {
                continue;
            }
            for od in depth.0..depth.1 {
                for oh in height.0..height.1 {
                    let row = (d.position(od, kd) * h.input + h.position(oh, kh)) * v.input;
                    let from = x[row + v.position(width.0, kw)..].iter().step_by(v.stride);
                    let to = &mut y[(od * h.output + oh) * v.output..][width.0..width.1];
                    for (y, x) in to.iter_mut().zip(from) {
                        *y = f(*y, *x);
                    }
                }
            }
        }
    }
    y
}

fn taps(axes: &[Axis; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
    let [d, h, v] = axes.map(|a| a.kernel);
    (0..d).flat_map(move |i| (0..h).flat_map(move |j| (0..v).map(move |k| (i, j, k))))
}

impl MaxPool {
    fn axes(&self, x: &TensorType) -> Result<Vec<Axis>, OpError> {
        let window = Window {
            kernel: self.kernel.clone(),
            strides: self.strides.clone(),
            dilations: self.dilations.clone(),
            pads: self.pads.clone(),
            ceil: self.ceil,
        };
        axes(&window, self.layout, x)
    }
}

impl Operator for MaxPool {
    const NAME: &'static str = "MaxPool";
    const ONNX: &'static [&'static str] = &["MaxPool"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        if node.outputs_used.get(1).copied().unwrap_or(false) {
            return Err(OpError::unsupported("the result `Indices` is not supported"));
        }
        let window = import_window(node)?;
        let op = MaxPool {
            kernel: window.kernel,
            strides: window.strides,
            dilations: window.dilations,
            pads: window.pads,
            ceil: window.ceil,
            layout: Layout::ChannelsFirst,
        };
        Ok(Imported::new(op, node.all()))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        Ok(vec![result(&self.axes(&inputs[0])?, self.layout, &inputs[0])])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        space(&self.axes(&inputs[0]).ok()?, self.layout, outputs)
    }
    fn part(&self, _inputs: &[TensorType], margins: &[(usize, usize)]) -> MaxPool {
        MaxPool { pads: window::part_pads(margins, self.pads.len() / 2), ceil: false, ..self.clone() }
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let x = inputs[0];
        let axes = self.axes(&TensorType::of(x))?;
        let out: Vec<usize> = axes.iter().map(|a| a.output).collect();
        let (n, c) = (x.shape()[0], x.shape()[channel_axis(self.layout, x.shape().len())]);
        let axes = window::three(&axes)?;
        Ok(vec![if x.dtype() == DType::F32 {
            let x = channels_first(self.layout, x.to_f32());
            let y = fold(&axes, &x, f32::NEG_INFINITY, f32::max);
            Value::F32(from_channels_first(self.layout, n, c, &out, y)?)
        } else {
            let lowest = x.dtype().range().map_or(i64::MIN, |r| r.0);
            let x = channels_first(self.layout, x.to_i64());
            let y = fold(&axes, &x, lowest, i64::max);
            let y = from_channels_first(self.layout, n, c, &out, y)?;
            Value::from_i64_wrapping(y, outputs[0].dtype)
        }])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        self.axes(&inputs[0]).map(|a| params(&a, self.layout, &inputs[0])).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
