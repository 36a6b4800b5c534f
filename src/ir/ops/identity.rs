//! Identity: the operand. What a model computes from shapes and attributes alone (`Shape`, `Size`,
//! `ConstantOfShape`, `Range`, `EyeLike`) is the identity of a constant, and so is inference-time `Dropout` of
//! its operand.

use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};

use super::common::arity;
use super::elementwise::array;
use super::{Numeric, Operator, View};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::{Attr, ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {}

/// More elements than this are not worth computing at compile time.
const LIMIT: usize = 1 << 24;

impl Operator for Identity {
    const NAME: &'static str = "Identity";
    const ONNX: &'static [&'static str] =
        &["Identity", "Dropout", "Shape", "Size", "ConstantOfShape", "Range", "EyeLike"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let constant = match node.op_type {
            "Shape" => shape(node)?,
            "Size" => Value::s64(&[], vec![node.required(0)?.ty.elements() as i64]),
            "ConstantOfShape" => constant_of_shape(node)?,
            "Range" => range(node)?,
            "EyeLike" => eye_like(node)?,
            _ => None,
        };
        if let Some(value) = constant {
            return Ok(Imported::new(Identity {}, vec![Source::Constant(value)]));
        }
        node.required(0)?;
        if node.op_type == "Dropout" {
            if node.outputs_used.get(1) == Some(&true) {
                return Err(OpError::unsupported("the mask of a Dropout is used"));
            }
            if node.constant(2, "training_mode")?.and_then(Value::scalar_i64).is_some_and(|t| t != 0) {
                return Err(OpError::unsupported("Dropout in training mode is random"));
            }
        }
        Ok(Imported::new(Identity {}, vec![Source::Input(0)]))
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        Ok(inputs.to_vec())
    }
    fn reference(&self, inputs: &[&Value], _outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        Ok(vec![inputs[0].clone()])
    }
    fn view(&self, _inputs: &[TensorType], _outputs: &[TensorType]) -> View {
        View::Of { offset: 0 }
    }
}

/// `Shape`: the dimensions from `start` to `end` (both may count from the end and are clamped).
fn shape(node: &ImportNode) -> Result<Option<Value>, OpError> {
    let dims = &node.required(0)?.ty.shape;
    let rank = dims.len() as i64;
    let place = |i: i64| if i < 0 { (i + rank).max(0) } else { i.min(rank) };
    let start = place(node.attributes.int_or("start", 0)?);
    let end = place(node.attributes.int_or("end", rank)?).max(start);
    let part: Vec<i64> = dims[start as usize..end as usize].iter().map(|d| *d as i64).collect();
    Ok(Value::s64(&[part.len()], part))
}

/// A shape from integers.
///
/// # Errors
/// One is negative, or their product is absurd.
fn checked_shape(dims: &[i64]) -> Result<Vec<usize>, OpError> {
    let shape: Option<Vec<usize>> = dims.iter().map(|d| usize::try_from(*d).ok()).collect();
    let shape = shape.ok_or_else(|| OpError::invalid(format!("{dims:?} is not a shape")))?;
    // Zeros count as ones: arrays refuse shapes of which any part overflows.
    match shape.iter().try_fold(1usize, |p, d| p.checked_mul((*d).max(1))) {
        Some(n) if n <= LIMIT => Ok(shape),
        _ => Err(OpError::unsupported(format!("a constant of shape {shape:?} is too large"))),
    }
}

/// `ConstantOfShape`: a shape full of one value (a float zero if not given).
fn constant_of_shape(node: &ImportNode) -> Result<Option<Value>, OpError> {
    node.required(0)?;
    let shape = checked_shape(&node.ints("shape", 0)?.unwrap_or_default())?;
    let fill = match node.attributes.0.get("value") {
        None => Value::scalar_f32(0.0),
        Some(Attr::Tensor(v)) if v.len() == 1 => v.clone(),
        Some(_) => return Err(OpError::invalid("attribute `value` must be a tensor of one element")),
    };
    Ok(Some(match fill.dtype() {
        DType::F32 => {
            let x = fill.to_f32().iter().next().copied().unwrap_or_default();
            Value::F32(ArrayD::from_elem(IxDyn(&shape), x))
        }
        dtype => {
            let x = fill.scalar_i64().unwrap_or_default();
            Value::from_i64_wrapping(ArrayD::from_elem(IxDyn(&shape), x), dtype)
        }
    }))
}

/// `Range`: `start, start + delta, …` below (above, for a negative delta) `limit`.
fn range(node: &ImportNode) -> Result<Option<Value>, OpError> {
    let part = |i: usize, name: &str| -> Result<&Value, OpError> {
        let v = node.constant(i, name)?.ok_or_else(|| OpError::invalid(format!("`{name}` is missing")))?;
        if v.len() == 1 { Ok(v) } else { Err(OpError::invalid(format!("`{name}` is not one number"))) }
    };
    let (start, limit, delta) = (part(0, "start")?, part(1, "limit")?, part(2, "delta")?);
    let real = |v: &Value| v.scalar_f64().unwrap_or_default();
    if real(delta) == 0.0 || real(delta).is_nan() {
        return Err(OpError::invalid("`delta` is zero"));
    }
    let count = ((real(limit) - real(start)) / real(delta)).ceil().max(0.0);
    if count > LIMIT as f64 || count.is_nan() {
        return Err(OpError::unsupported("a range of that length"));
    }
    let n = count as usize;
    Ok(Some(if start.dtype().is_float() {
        Value::F32(array(&[n], (0..n).map(|i| (real(start) + i as f64 * real(delta)) as f32).collect())?)
    } else {
        let int = |v: &Value| v.scalar_i64().unwrap_or_default();
        let values = (0..n as i64).map(|i| int(start).wrapping_add(i.wrapping_mul(int(delta))));
        Value::from_i64_wrapping(array(&[n], values.collect())?, start.dtype())
    }))
}

/// `EyeLike`: ones on the `k`-th diagonal of a matrix of the operand's shape.
fn eye_like(node: &ImportNode) -> Result<Option<Value>, OpError> {
    let ty = node.required(0)?.ty;
    let &[rows, columns] = ty.shape.as_slice() else {
        return Err(OpError::invalid(format!("takes a matrix, not {ty}")));
    };
    checked_shape(&[rows as i64, columns as i64])?;
    let k = node.attributes.int_or("k", 0)?;
    let dtype = match node.attributes.int("dtype")? {
        Some(code) => super::cast::dtype(code)?,
        None => ty.dtype,
    };
    let one = |i: usize| i64::from((i % columns) as i64 - (i / columns) as i64 == k);
    let eye = array(&[rows, columns], (0..rows * columns).map(one).collect())?;
    Ok(Some(Value::from_i64_wrapping(eye, dtype)))
}
