//! Resize by nearest neighbour: every axis of the result reads the operand through a table. Linear
//! interpolation is a chain of [`ResizeLinear`], one per axis.

use serde::{Deserialize, Serialize};

use super::common::{Real, arity, axis};
use super::elementwise::{array, flat};
use super::strided::{read_by_tables, table_params};
use super::{Identity, Numeric, Operator, Params, ResizeLinear, attributes};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;
use crate::map_array;

/// Which coordinate of the operand a coordinate of the result stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinates {
    /// Pixel centres: `(i + 1/2) / scale - 1/2`.
    HalfPixel,
    /// The same, symmetric where the scale does not divide the size.
    HalfPixelSymmetric,
    /// The same, but 0 for a result of one pixel.
    PytorchHalfPixel,
    /// Corners on corners: `i (n - 1) / (m - 1)`.
    AlignCorners,
    /// `i / scale`.
    Asymmetric,
    /// `(i + 1/2) / scale`.
    TfHalfPixelForNn,
}

/// Which neighbour is nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearest {
    /// Halves down.
    RoundPreferFloor,
    /// Halves up.
    RoundPreferCeil,
    /// The lower one.
    Floor,
    /// The upper one.
    Ceil,
}

/// One axis being resized.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// The result's extent.
    pub size: usize,
    /// The result's extent over the operand's, as the model states it.
    pub scale: Real,
}

impl Coordinates {
    /// The operand's coordinate for index `i` of the result, on an axis of `n` elements.
    pub fn source(self, i: usize, n: usize, to: Scaling) -> f64 {
        let (i, scale) = (i as f64, f64::from(to.scale.0));
        // onnxruntime computes coordinates in single precision.
        let half = || f64::from(((i as f32 + 0.5) / to.scale.0) - 0.5);
        match self {
            Coordinates::HalfPixel => half(),
            Coordinates::HalfPixelSymmetric => {
                let adjustment = to.size as f64 / (scale * n as f64);
                n as f64 / 2.0 * (1.0 - adjustment) + half()
            }
            Coordinates::PytorchHalfPixel => {
                if to.size > 1 {
                    half()
                } else {
                    0.0
                }
            }
            Coordinates::AlignCorners if to.size == 1 => 0.0,
            Coordinates::AlignCorners => f64::from((i as f32) * (n as f32 - 1.0) / (to.size as f32 - 1.0)),
            Coordinates::Asymmetric => f64::from(i as f32 / to.scale.0),
            Coordinates::TfHalfPixelForNn => f64::from((i as f32 + 0.5) / to.scale.0),
        }
    }
}

impl Nearest {
    fn pick(self, x: f64) -> f64 {
        match self {
            Nearest::RoundPreferFloor => (x - 0.5).ceil(),
            Nearest::RoundPreferCeil => (x + 0.5).floor(),
            Nearest::Floor => x.floor(),
            Nearest::Ceil => x.ceil(),
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// Every axis.
    pub axes: Vec<Scaling>,
    /// How coordinates correspond.
    pub coordinates: Coordinates,
    /// Which neighbour is nearest.
    pub nearest: Nearest,
}

impl Resize {
    fn tables(&self, x: &[usize]) -> Vec<Vec<Option<usize>>> {
        let table = |(n, to): (&usize, &Scaling)| -> Vec<Option<usize>> {
            let at = |i| self.nearest.pick(self.coordinates.source(i, *n, *to));
            // An axis left as it is needs no rounding at all.
            let place = |i| {
                if to.size == *n && to.scale.0 == 1.0 {
                    i
                } else {
                    at(i).clamp(0.0, *n as f64 - 1.0) as usize
                }
            };
            (0..to.size).map(|i| Some(place(i))).collect()
        };
        x.iter().zip(&self.axes).map(table).collect()
    }
}

impl Operator for Resize {
    const NAME: &'static str = "Resize";
    const ONNX: &'static [&'static str] = &["Resize", "Upsample"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let x = node.required(0)?.ty;
        let old = node.op_type == "Upsample" || node.opset < 11;
        let axes = scalings(node, x, old)?;
        let coordinates = match node.attributes.str("coordinate_transformation_mode")? {
            _ if old => Coordinates::Asymmetric,
            None | Some("half_pixel") => Coordinates::HalfPixel,
            Some("half_pixel_symmetric") => Coordinates::HalfPixelSymmetric,
            Some("pytorch_half_pixel") => Coordinates::PytorchHalfPixel,
            Some("align_corners") => Coordinates::AlignCorners,
            Some("asymmetric") => Coordinates::Asymmetric,
            Some("tf_half_pixel_for_nn") => Coordinates::TfHalfPixelForNn,
            Some(other) => return Err(OpError::unsupported(format!("coordinate transformation {other}"))),
        };
        let nearest = match node.attributes.str("nearest_mode")? {
            _ if old => Nearest::Floor,
            None | Some("round_prefer_floor") => Nearest::RoundPreferFloor,
            Some("round_prefer_ceil") => Nearest::RoundPreferCeil,
            Some("floor") => Nearest::Floor,
            Some("ceil") => Nearest::Ceil,
            Some(other) => return Err(OpError::invalid(format!("nearest_mode {other}"))),
        };
        if node.attributes.int_or("antialias", 0)? != 0 {
            return Err(OpError::unsupported("antialiased resizing"));
        }
        match node.attributes.str("mode")?.unwrap_or("nearest") {
            "nearest" => Ok(Imported::new(Resize { axes, coordinates, nearest }, vec![Source::Input(0)])),
            "linear" | "bilinear" => Ok(linear(x, &axes, coordinates)),
            other => Err(OpError::unsupported(format!("{other} resizing"))),
        }
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let x = &inputs[0];
        let empty = x.elements() == 0 && self.axes.iter().all(|a| a.size > 0);
        if self.axes.len() != x.rank() || empty {
            return Err(OpError::invalid(format!("cannot resize {x} like that")));
        }
        Ok(vec![TensorType::new(x.dtype, self.axes.iter().map(|a| a.size).collect::<Vec<_>>())])
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let tables = self.tables(inputs[0].shape());
        Ok(vec![map_array!(inputs[0], a => {
            array(&outputs[0].shape, read_by_tables(&flat(a), a.shape(), &tables, Default::default())?)?
        })])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        p.extend(table_params(&inputs[0].shape, &self.tables(&inputs[0].shape)));
        p
    }
}

/// The chain of interpolations, over the axes that change.
fn linear(x: &TensorType, axes: &[Scaling], coordinates: Coordinates) -> Imported {
    let mut source = Source::Input(0);
    for (d, to) in axes.iter().enumerate() {
        if to.size != x.shape[d] || to.scale.0 != 1.0 {
            let op = ResizeLinear { axis: d, to: *to, coordinates };
            source = Source::Node(Box::new(Imported::new(op, vec![source])));
        }
    }
    match source {
        Source::Node(last) => *last,
        other => Imported::new(Identity {}, vec![other]),
    }
}

/// Extents and scales of all axes, from `scales` or `sizes`.
fn scalings(node: &ImportNode, x: &TensorType, old: bool) -> Result<Vec<Scaling>, OpError> {
    let (scales_at, sizes_at) = if old { (1, usize::MAX) } else { (2, 3) };
    let axes = match node.attributes.ints("axes")? {
        Some(axes) => axes.into_iter().map(|a| axis(a, x.rank())).collect::<Result<Vec<_>, _>>()?,
        None => (0..x.rank()).collect(),
    };
    let mut all: Vec<Scaling> = x.shape.iter().map(|n| Scaling { size: *n, scale: Real(1.0) }).collect();
    let scales: Option<Vec<f32>> = match node.constant(scales_at, "scales")? {
        Some(v) if !v.is_empty() => Some(v.to_f32().iter().copied().collect()),
        _ => match node.attributes.0.get("scales") {
            Some(crate::ir::import::Attr::Floats(v)) => Some(v.clone()),
            _ => None,
        },
    };
    let wrong = || OpError::invalid("`scales` or `sizes` do not fit the operand");
    if let Some(scales) = scales {
        if scales.len() != axes.len() {
            return Err(wrong());
        }
        for (d, scale) in axes.into_iter().zip(scales) {
            let size = (x.shape[d] as f64 * f64::from(scale)).floor();
            if !(0.0..=1e9).contains(&size) || scale <= 0.0 {
                return Err(wrong());
            }
            all[d] = Scaling { size: size as usize, scale: Real(scale) };
        }
        return Ok(all);
    }
    let sizes = node.constant(sizes_at, "sizes")?.ok_or_else(wrong)?;
    let sizes: Vec<i64> = sizes.to_i64().iter().copied().collect();
    if sizes.len() != axes.len() || sizes.iter().any(|s| !(0..=1 << 30).contains(s)) {
        return Err(wrong());
    }
    let ratio = |(d, s): (&usize, &i64)| *s as f32 / x.shape[*d] as f32;
    let ratios: Vec<f32> = axes.iter().zip(&sizes).map(ratio).collect();
    let one = match node.attributes.str("keep_aspect_ratio_policy")? {
        None | Some("stretch") => None,
        Some("not_larger") => ratios.iter().copied().reduce(f32::min),
        Some("not_smaller") => ratios.iter().copied().reduce(f32::max),
        Some(other) => return Err(OpError::invalid(format!("keep_aspect_ratio_policy {other}"))),
    };
    for (i, d) in axes.into_iter().enumerate() {
        all[d] = match one {
            None => Scaling { size: sizes[i] as usize, scale: Real(ratios[i]) },
            Some(r) => Scaling { size: (r * x.shape[d] as f32).round() as usize, scale: Real(r) },
        };
    }
    Ok(all)
}
