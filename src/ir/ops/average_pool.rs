//! AveragePool: the mean of each window.
//!
//! Operands: x, channels first or last. The divisor is the number of taps on the input, or, if the padding counts, on
//! the padded input; taps of a partial last window beyond it never count. Integers keep their type; the mean is rounded
//! half up, `floor(sum / count + 1/2)`. A window without any tap that counts gives 0.

use serde::{Deserialize, Serialize};

use super::common::arity;
use super::conv::{channel_axis, channels_first, from_channels_first};
use super::max_pool::{axes, fold, import_window, params, result, space};
use super::window::{self, Axis, Window};
use super::{Numeric, Operator, Params};
use crate::ir::access::Space;
use crate::ir::dtype::DType;
use crate::ir::graph::{Layout, TensorType};
use crate::ir::import::{ImportNode, Imported, OpError};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AveragePool {
    /// Taps, per spatial axis.
    pub kernel: Vec<usize>,
    /// Step between windows, per spatial axis.
    pub strides: Vec<usize>,
    /// Step between taps, per spatial axis.
    pub dilations: Vec<usize>,
    /// Zeros before, then behind each spatial axis.
    pub pads: Vec<usize>,
    /// Whether a last, partial window counts.
    pub ceil: bool,
    /// Whether the padding counts in the divisor.
    pub count_pads: bool,
    /// Where the channels are.
    pub layout: Layout,
}

impl AveragePool {
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
    /// The divisor of every window of a plane.
    fn counts(&self, axes: &[Axis; 3]) -> Vec<i64> {
        let taps = |a: &Axis| -> Vec<i64> {
            let one = |o| if self.count_pads { a.taps_with_padding(o) } else { a.taps(o) };
            (0..a.output).map(|o| one(o) as i64).collect()
        };
        let [d, h, v] = axes.each_ref().map(taps);
        let planes = d.iter().flat_map(|d| h.iter().map(move |h| d * h));
        planes.flat_map(|n| v.iter().map(move |v| n * v)).collect()
    }
}

impl Operator for AveragePool {
    const NAME: &'static str = "AveragePool";
    const ONNX: &'static [&'static str] = &["AveragePool"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let window = import_window(node)?;
        let op = AveragePool {
            kernel: window.kernel,
            strides: window.strides,
            dilations: window.dilations,
            pads: window.pads,
            ceil: window.ceil,
            count_pads: node.attributes.int_or("count_include_pad", 0)? != 0,
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
        // A partial last window counts less padding than a part would see.
        if self.ceil && self.count_pads {
            return None;
        }
        space(&self.axes(&inputs[0]).ok()?, self.layout, outputs)
    }
    fn part(&self, _inputs: &[TensorType], margins: &[(usize, usize)]) -> AveragePool {
        AveragePool { pads: window::part_pads(margins, self.pads.len() / 2), ceil: false, ..self.clone() }
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let x = inputs[0];
        let axes = self.axes(&TensorType::of(x))?;
        let out: Vec<usize> = axes.iter().map(|a| a.output).collect();
        let (n, c) = (x.shape()[0], x.shape()[channel_axis(self.layout, x.shape().len())]);
        let axes = window::three(&axes)?;
        let counts = self.counts(&axes);
        Ok(vec![if x.dtype() == DType::F32 {
            let x = channels_first(self.layout, x.to_f64());
            let sums = fold(&axes, &x, 0.0, |s, x| s + x);
            let mean = |(s, n): (f64, i64)| if n == 0 { 0.0 } else { (s / n as f64) as f32 };
            let y = sums.into_iter().zip(counts.iter().copied().cycle()).map(mean).collect();
            Value::F32(from_channels_first(self.layout, n, c, &out, y)?)
        } else {
            let x = channels_first(self.layout, x.to_i64());
            let sums = fold(&axes, &x, 0, i64::wrapping_add);
            let mean = |(s, n): (i64, i64)| if n == 0 { 0 } else { s.wrapping_add(n / 2).div_euclid(n) };
            let y = sums.into_iter().zip(counts.iter().copied().cycle()).map(mean).collect();
            let y = from_channels_first(self.layout, n, c, &out, y)?;
            Value::from_i64_wrapping(y, outputs[0].dtype)
        }])
    }
    /// As for MaxPool, and `count_pads` (0/1).
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let Ok(axes) = self.axes(&inputs[0]) else { return Params::new() };
        let mut p = params(&axes, self.layout, &inputs[0]);
        p.insert("count_pads".into(), usize::from(self.count_pads).into());
        p
    }
}
