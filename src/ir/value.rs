//! Tensor values: constants of a graph and what the reference interpreter computes on.
//!
//! In: typed elements and a shape. Out: [`Value`] (an ndarray per element type) and conversions.
//! Never converts silently: every narrowing says how (wrap, saturate, or exact-or-fail).

use ndarray::{ArrayD, IxDyn};

use super::dtype::DType;

/// A tensor's elements, row-major (C order) with the logical shape of the ndarray.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// 32-bit floats.
    F32(ArrayD<f32>),
    /// Signed bytes.
    S8(ArrayD<i8>),
    /// Unsigned bytes.
    U8(ArrayD<u8>),
    /// Signed 16-bit integers.
    S16(ArrayD<i16>),
    /// Unsigned 16-bit integers.
    U16(ArrayD<u16>),
    /// Signed 32-bit integers.
    S32(ArrayD<i32>),
    /// Unsigned 32-bit integers.
    U32(ArrayD<u32>),
    /// Signed 64-bit integers.
    S64(ArrayD<i64>),
    /// Booleans.
    Bool(ArrayD<bool>),
}

/// Runs `$body` with `$a` bound to the typed array of `$value`.
#[macro_export]
macro_rules! with_array {
    ($value:expr, $a:ident => $body:expr) => {
        match $value {
            $crate::ir::Value::F32($a) => $body,
            $crate::ir::Value::S8($a) => $body,
            $crate::ir::Value::U8($a) => $body,
            $crate::ir::Value::S16($a) => $body,
            $crate::ir::Value::U16($a) => $body,
            $crate::ir::Value::S32($a) => $body,
            $crate::ir::Value::U32($a) => $body,
            $crate::ir::Value::S64($a) => $body,
            $crate::ir::Value::Bool($a) => $body,
        }
    };
}

/// Like [`with_array!`], wrapping the resulting array in the variant of the input again.
#[macro_export]
macro_rules! map_array {
    ($value:expr, $a:ident => $body:expr) => {
        match $value {
            $crate::ir::Value::F32($a) => $crate::ir::Value::F32($body),
            $crate::ir::Value::S8($a) => $crate::ir::Value::S8($body),
            $crate::ir::Value::U8($a) => $crate::ir::Value::U8($body),
            $crate::ir::Value::S16($a) => $crate::ir::Value::S16($body),
            $crate::ir::Value::U16($a) => $crate::ir::Value::U16($body),
            $crate::ir::Value::S32($a) => $crate::ir::Value::S32($body),
            $crate::ir::Value::U32($a) => $crate::ir::Value::U32($body),
            $crate::ir::Value::S64($a) => $crate::ir::Value::S64($body),
            $crate::ir::Value::Bool($a) => $crate::ir::Value::Bool($body),
        }
    };
}

impl Value {
    /// The element type.
    pub fn dtype(&self) -> DType {
        match self {
            Value::F32(_) => DType::F32,
            Value::S8(_) => DType::S8,
            Value::U8(_) => DType::U8,
            Value::S16(_) => DType::S16,
            Value::U16(_) => DType::U16,
            Value::S32(_) => DType::S32,
            Value::U32(_) => DType::U32,
            Value::S64(_) => DType::S64,
            Value::Bool(_) => DType::Bool,
        }
    }
    /// The dimensions; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        with_array!(self, a => a.shape())
    }
    /// Number of elements.
    pub fn len(&self) -> usize {
        with_array!(self, a => a.len())
    }
    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The elements' bytes, little-endian, row-major.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        match self {
            Value::F32(a) => a.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Value::S8(a) => a.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Value::U8(a) => a.iter().copied().collect(),
            Value::S16(a) => a.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Value::U16(a) => a.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Value::S32(a) => a.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Value::U32(a) => a.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Value::S64(a) => a.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Value::Bool(a) => a.iter().map(|x| u8::from(*x)).collect(),
        }
    }
    /// A float tensor; `None` if `data` has not the shape's number of elements.
    pub fn f32(shape: &[usize], data: Vec<f32>) -> Option<Value> {
        ArrayD::from_shape_vec(IxDyn(shape), data).ok().map(Value::F32)
    }
    /// A 64-bit integer tensor; `None` if `data` has not the shape's number of elements.
    pub fn s64(shape: &[usize], data: Vec<i64>) -> Option<Value> {
        ArrayD::from_shape_vec(IxDyn(shape), data).ok().map(Value::S64)
    }
    /// A rank-0 float.
    pub fn scalar_f32(x: f32) -> Value {
        Value::F32(ArrayD::from_elem(IxDyn(&[]), x))
    }
    /// All zero (false) elements.
    pub fn zeros(dtype: DType, shape: &[usize]) -> Value {
        Value::from_i64_wrapping(ArrayD::zeros(IxDyn(shape)), dtype)
    }
    /// Elements as f32 (integers are converted, rounding to nearest where they exceed 24 bits).
    pub fn to_f32(&self) -> ArrayD<f32> {
        match self {
            Value::F32(a) => a.clone(),
            Value::Bool(a) => a.mapv(|x| x as u8 as f32),
            Value::S8(a) => a.mapv(f32::from),
            Value::U8(a) => a.mapv(f32::from),
            Value::S16(a) => a.mapv(f32::from),
            Value::U16(a) => a.mapv(f32::from),
            Value::S32(a) => a.mapv(|x| x as f32),
            Value::U32(a) => a.mapv(|x| x as f32),
            Value::S64(a) => a.mapv(|x| x as f32),
        }
    }
    /// Elements as f64, exactly but for 64-bit integers above 2^53.
    pub fn to_f64(&self) -> ArrayD<f64> {
        match self {
            Value::F32(a) => a.mapv(f64::from),
            Value::S64(a) => a.mapv(|x| x as f64),
            other => other.to_i64().mapv(|x| x as f64),
        }
    }
    /// Elements as i64. Floats truncate towards zero and saturate (C's cast, made total).
    pub fn to_i64(&self) -> ArrayD<i64> {
        match self {
            Value::F32(a) => a.mapv(|x| x as i64),
            Value::Bool(a) => a.mapv(i64::from),
            Value::S8(a) => a.mapv(i64::from),
            Value::U8(a) => a.mapv(i64::from),
            Value::S16(a) => a.mapv(i64::from),
            Value::U16(a) => a.mapv(i64::from),
            Value::S32(a) => a.mapv(i64::from),
            Value::U32(a) => a.mapv(i64::from),
            Value::S64(a) => a.clone(),
        }
    }
    /// Narrows integers modulo 2^bits (to f32: rounds to nearest; to bool: non-zero).
    pub fn from_i64_wrapping(a: ArrayD<i64>, dtype: DType) -> Value {
        match dtype {
            DType::F32 => Value::F32(a.mapv(|x| x as f32)),
            DType::S8 => Value::S8(a.mapv(|x| x as i8)),
            DType::U8 => Value::U8(a.mapv(|x| x as u8)),
            DType::S16 => Value::S16(a.mapv(|x| x as i16)),
            DType::U16 => Value::U16(a.mapv(|x| x as u16)),
            DType::S32 => Value::S32(a.mapv(|x| x as i32)),
            DType::U32 => Value::U32(a.mapv(|x| x as u32)),
            DType::S64 => Value::S64(a),
            DType::Bool => Value::Bool(a.mapv(|x| x != 0)),
        }
    }
    /// Converts to `dtype`: integers wrap; floats to integers truncate and saturate to the target's
    /// range (C leaves that undefined, so generated code saturates too); anything to bool: non-zero.
    pub fn cast(&self, dtype: DType) -> Value {
        match (self, dtype) {
            (Value::F32(a), DType::F32) => Value::F32(a.clone()),
            (Value::F32(a), DType::Bool) => Value::Bool(a.mapv(|x| x != 0.0)),
            (Value::F32(a), _) => {
                let (lo, hi) = dtype.range().unwrap_or((i64::MIN, i64::MAX));
                Value::from_i64_wrapping(a.mapv(|x| (x as i64).clamp(lo, hi)), dtype)
            }
            (v, DType::F32) => Value::F32(v.to_f32()),
            (v, _) => Value::from_i64_wrapping(v.to_i64(), dtype),
        }
    }
    /// Whether every element is an integer (true for integer types; NaN and infinities are not).
    pub fn is_integral(&self) -> bool {
        match self {
            Value::F32(a) => a.iter().all(|x| x.fract() == 0.0 && x.abs() < 9.0e18),
            _ => true,
        }
    }
    /// Smallest and largest element as integers; `None` when empty or not integral.
    pub fn int_range(&self) -> Option<(i64, i64)> {
        if self.is_empty() || !self.is_integral() {
            return None;
        }
        let a = self.to_i64();
        Some((*a.iter().min()?, *a.iter().max()?))
    }
    /// The same elements under another shape; `None` if the counts differ.
    pub fn reshaped(&self, shape: &[usize]) -> Option<Value> {
        Some(
            map_array!(self, a => a.as_standard_layout().into_owned().into_shape_with_order(IxDyn(shape)).ok()?),
        )
    }
    /// The single element as i64; `None` unless there is exactly one.
    pub fn scalar_i64(&self) -> Option<i64> {
        (self.len() == 1).then(|| self.to_i64().iter().copied().next())?
    }
    /// The single element as f64; `None` unless there is exactly one.
    pub fn scalar_f64(&self) -> Option<f64> {
        (self.len() == 1).then(|| self.to_f64().iter().copied().next())?
    }
}
