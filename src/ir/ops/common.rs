//! What several operators share: exact attribute numbers, broadcasting, axes, operand checks.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ir::access::{self, Space};
use crate::ir::graph::TensorType;
use crate::ir::import::OpError;

/// A float attribute that survives text: infinities and NaN, which JSON lacks, are written as strings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real(pub f32);

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { s.serialize_f32(self.0) } else { s.serialize_str(&self.0.to_string()) }
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(f32),
            Text(String),
        }
        match Either::deserialize(d)? {
            Either::Number(x) => Ok(Real(x)),
            Either::Text(t) => t.parse().map(Real).map_err(serde::de::Error::custom),
        }
    }
}

/// Like [`Real`] in double precision, which holds every float and every 32-bit integer exactly.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bound(pub f64);

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { s.serialize_f64(self.0) } else { s.serialize_str(&self.0.to_string()) }
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(f64),
            Text(String),
        }
        match Either::deserialize(d)? {
            Either::Number(x) => Ok(Bound(x)),
            Either::Text(t) => t.parse().map(Bound).map_err(serde::de::Error::custom),
        }
    }
}

/// The shape two operands broadcast to (ONNX's multidirectional broadcasting).
///
/// # Errors
/// A pair of dimensions differs and neither is 1.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, OpError> {
    let rank = a.len().max(b.len());
    let dim = |s: &[usize], i: usize| if i + s.len() < rank { 1 } else { s[i + s.len() - rank] };
    (0..rank)
        .map(|i| match (dim(a, i), dim(b, i)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(OpError::invalid(format!("shapes {a:?} and {b:?} do not broadcast"))),
        })
        .collect()
}

/// A possibly negative axis as an index below `rank`.
///
/// # Errors
/// The axis is out of range.
pub fn axis(axis: i64, rank: usize) -> Result<usize, OpError> {
    let r = rank as i64;
    if (-r..r).contains(&axis) {
        Ok(axis.rem_euclid(r) as usize)
    } else {
        Err(OpError::invalid(format!("axis {axis} is out of range for rank {rank}")))
    }
}

/// Checks the number of operands.
///
/// # Errors
/// There are fewer than `min` or more than `max`.
pub fn arity(inputs: &[TensorType], min: usize, max: usize) -> Result<(), OpError> {
    if (min..=max).contains(&inputs.len()) {
        Ok(())
    } else {
        Err(OpError::invalid(format!("has {} operands, takes {min} to {max}", inputs.len())))
    }
}

/// The iteration space of an operator whose operands broadcast to its result.
pub fn space(inputs: &[TensorType], outputs: &[TensorType]) -> Space {
    let shapes: Vec<&[usize]> = inputs.iter().map(|t| t.shape.as_slice()).collect();
    access::elementwise(outputs.first().map_or(&[], |t| &t.shape), &shapes)
}

/// Within the `Operator` of one whose operands all broadcast to its result: its iteration space.
macro_rules! broadcasts {
    () => {
        fn space(
            &self,
            inputs: &[crate::ir::graph::TensorType],
            outputs: &[crate::ir::graph::TensorType],
        ) -> Option<crate::ir::access::Space> {
            Some(super::common::space(inputs, outputs))
        }
    };
}
pub(super) use broadcasts;
