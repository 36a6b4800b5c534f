//! Transpose: axes in another order. `DepthToSpace` and `SpaceToDepth` are reshapes around one.

use serde::{Deserialize, Serialize};

use super::common::{arity, axis};
use super::elementwise::{array, flat};
use super::strided::{Strided, row_major};
use super::{Numeric, Operator, Params, Reshape, View, attributes};
use crate::ir::access::{Reach, Space};
use crate::ir::graph::TensorType;
use crate::ir::import::{ImportNode, Imported, OpError, Source};
use crate::ir::value::Value;
use crate::map_array;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transpose {
    /// Axis `i` of the result is axis `perm[i]` of the operand.
    pub perm: Vec<usize>,
}

impl Transpose {
    fn loops(&self, x: &[usize]) -> Strided {
        let strides = row_major(x);
        let dims: Vec<usize> = self.perm.iter().map(|p| x[*p]).collect();
        let strides: Vec<i64> = self.perm.iter().map(|p| strides[*p]).collect();
        Strided::new(&dims, &strides, 0)
    }
}

impl Operator for Transpose {
    const NAME: &'static str = "Transpose";
    const ONNX: &'static [&'static str] = &["Transpose", "DepthToSpace", "SpaceToDepth"];
    const NUMERIC: Numeric = Numeric::Any;

    fn import(node: &ImportNode) -> Result<Imported, OpError> {
        let shape = &node.required(0)?.ty.shape;
        match node.op_type {
            "DepthToSpace" => depth_to_space(node, shape),
            "SpaceToDepth" => space_to_depth(node, shape),
            _ => {
                let perm = match node.attributes.ints("perm")? {
                    Some(perm) => perm.into_iter().map(|p| axis(p, shape.len())).collect::<Result<_, _>>()?,
                    None => (0..shape.len()).rev().collect(),
                };
                Ok(Imported::new(Transpose { perm }, vec![Source::Input(0)]))
            }
        }
    }
    fn operand_names(&self, _count: usize) -> Vec<String> {
        vec!["x".into()]
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        arity(inputs, 1, 1)?;
        let x = &inputs[0];
        let mut sorted = self.perm.clone();
        sorted.sort_unstable();
        if sorted != (0..x.rank()).collect::<Vec<_>>() {
            return Err(OpError::invalid(format!("{:?} does not permute the axes of {x}", self.perm)));
        }
        Ok(vec![TensorType::new(x.dtype, self.perm.iter().map(|p| x.shape[*p]).collect::<Vec<_>>())])
    }
    fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let axis = |i: usize| self.perm.iter().position(|p| *p == i).map_or(Reach::Whole, Reach::same);
        Some(Space {
            axes: outputs[0].shape.clone(),
            operands: vec![(0..inputs[0].rank()).map(axis).collect()],
            results: vec![(0..outputs[0].rank()).map(Reach::same).collect()],
        })
    }
    fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let loops = self.loops(inputs[0].shape());
        Ok(vec![map_array!(inputs[0], a => array(&outputs[0].shape, loops.read(&flat(a))?)?)])
    }
    fn params(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> Params {
        let mut p = attributes(self);
        p.extend(self.loops(&inputs[0].shape).params());
        p
    }
    fn view(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> View {
        if self.loops(&inputs[0].shape).contiguous() { View::Of { offset: 0 } } else { View::None }
    }
}

/// Reshape, transpose, reshape.
fn rearranged(inner: Vec<usize>, perm: Vec<usize>, outer: Vec<usize>) -> Imported {
    let split = Imported::new(Reshape { shape: inner }, vec![Source::Input(0)]);
    let moved = Imported::new(Transpose { perm }, vec![Source::Node(Box::new(split))]);
    Imported::new(Reshape { shape: outer }, vec![Source::Node(Box::new(moved))])
}

fn image(node: &ImportNode, shape: &[usize]) -> Result<([usize; 4], usize), OpError> {
    let &[n, c, h, w] = shape else {
        return Err(OpError::invalid(format!("takes a batch of images, not shape {shape:?}")));
    };
    match usize::try_from(node.attributes.required_int("blocksize")?) {
        Ok(b) if b > 0 => Ok(([n, c, h, w], b)),
        _ => Err(OpError::invalid("`blocksize` must be positive")),
    }
}

fn depth_to_space(node: &ImportNode, shape: &[usize]) -> Result<Imported, OpError> {
    let ([n, c, h, w], b) = image(node, shape)?;
    if b.checked_mul(b).is_none_or(|bb| c % bb != 0) {
        return Err(OpError::invalid(format!("{c} channels do not divide into {b}x{b} blocks")));
    }
    let k = c / (b * b);
    let outer = vec![n, k, h * b, w * b];
    match node.attributes.str("mode")? {
        None | Some("DCR") => Ok(rearranged(vec![n, b, b, k, h, w], vec![0, 3, 4, 1, 5, 2], outer)),
        Some("CRD") => Ok(rearranged(vec![n, k, b, b, h, w], vec![0, 1, 4, 2, 5, 3], outer)),
        Some(other) => Err(OpError::invalid(format!("unknown mode {other}"))),
    }
}

fn space_to_depth(node: &ImportNode, shape: &[usize]) -> Result<Imported, OpError> {
    let ([n, c, h, w], b) = image(node, shape)?;
    if h % b != 0 || w % b != 0 {
        return Err(OpError::invalid(format!("{h}x{w} does not divide into {b}x{b} blocks")));
    }
    let outer = vec![n, c * b * b, h / b, w / b];
    let perm = match node.attributes.str("mode")? {
        None | Some("DCR") => vec![0, 3, 5, 1, 2, 4],
        Some("CRD") => vec![0, 1, 3, 5, 2, 4],
        Some(other) => return Err(OpError::invalid(format!("unknown mode {other}"))),
    };
    Ok(rearranged(vec![n, c, h / b, b, w / b, b], perm, outer))
}
