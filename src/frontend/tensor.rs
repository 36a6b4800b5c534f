//! Constant tensors of a model file as values.
//!
//! In: tensor records (elements as raw bytes, typed lists, or in a file beside the model). Out: [`Value`]s.
//! Never allocates before the elements are known to be there.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use half::{bf16, f16};
use ndarray::{ArrayD, IxDyn};
use prost::bytes::Bytes;

use super::proto::{SparseTensorProto, TensorProto, data_type};
use crate::ir::{DType, OpError, Value};

/// Tensors with more elements are refused: every offset in generated code fits 32 bits.
pub const MAX_ELEMENTS: usize = i32::MAX as usize;

/// The number of elements; `None` if it is above [`MAX_ELEMENTS`] (zeros aside, so that no product of some of
/// the dimensions overflows either).
pub fn count(shape: &[usize]) -> Option<usize> {
    let bound =
        shape.iter().try_fold(1usize, |n, d| n.checked_mul((*d).max(1)).filter(|n| *n <= MAX_ELEMENTS));
    bound.map(|n| if shape.contains(&0) { 0 } else { n })
}

/// Dimensions of a record as a shape with its number of elements.
///
/// # Errors
/// A dimension is negative, or there are too many elements.
pub fn shape_of(dims: &[i64]) -> Result<(Vec<usize>, usize), OpError> {
    let shape = dims
        .iter()
        .map(|d| usize::try_from(*d).map_err(|_| OpError::invalid(format!("has the negative dimension {d}"))))
        .collect::<Result<Vec<_>, _>>()?;
    match count(&shape) {
        Some(n) => Ok((shape, n)),
        None => Err(OpError::invalid(format!("has shape {dims:?}, more than 2^31 elements"))),
    }
}

/// The element type a model's element type becomes.
///
/// # Errors
/// There is none: strings, complex numbers, exotic floats.
pub fn element_type(code: i32) -> Result<DType, OpError> {
    use data_type::*;
    Ok(match code {
        FLOAT | FLOAT16 | BFLOAT16 | DOUBLE | FLOAT8E4M3FN | FLOAT8E4M3FNUZ | FLOAT8E5M2 | FLOAT8E5M2FNUZ => {
            DType::F32
        }
        INT8 | INT4 | INT2 => DType::S8,
        UINT8 | UINT4 | UINT2 => DType::U8,
        INT16 => DType::S16,
        UINT16 => DType::U16,
        INT32 => DType::S32,
        UINT32 => DType::U32,
        INT64 | UINT64 => DType::S64,
        BOOL => DType::Bool,
        STRING => return Err(OpError::unsupported("holds strings; only numbers are supported")),
        COMPLEX64 | COMPLEX128 => return Err(OpError::unsupported("holds complex numbers")),
        0 => return Err(OpError::invalid("has no element type")),
        _ => return Err(OpError::unsupported(format!("has element type {code}, which is not supported"))),
    })
}

/// The element type of tensors whose values are only known at run time. Floats of 16 and 64 bits become f32,
/// but types of 8 bits and fewer that C lacks would change their layout without a word.
///
/// # Errors
/// As [`element_type`], or it is one of those.
pub fn run_time_type(code: i32) -> Result<DType, OpError> {
    use data_type::*;
    let dtype = element_type(code)?;
    let what = match code {
        FLOAT8E4M3FN | FLOAT8E4M3FNUZ | FLOAT8E5M2 | FLOAT8E5M2FNUZ => "8-bit floats",
        INT4 | UINT4 => "4-bit integers",
        INT2 | UINT2 => "2-bit integers",
        _ => return Ok(dtype),
    };
    Err(OpError::unsupported(format!("holds {what}; only constants may")))
}

/// Bits per element in raw data.
fn bits(code: i32) -> usize {
    use data_type::*;
    match code {
        INT2 | UINT2 => 2,
        INT4 | UINT4 => 4,
        INT16 | UINT16 | FLOAT16 | BFLOAT16 => 16,
        FLOAT | INT32 | UINT32 => 32,
        DOUBLE | INT64 | UINT64 => 64,
        _ => 8,
    }
}

/// The value of a tensor record; external data is looked for in `folder`.
///
/// # Errors
/// Elements are missing or surplus, or of a type that is not supported.
pub fn value(t: &TensorProto, folder: Option<&Path>) -> Result<Value, OpError> {
    let code = t.data_type.unwrap_or(0);
    element_type(code)?;
    let (shape, n) = shape_of(&t.dims)?;
    if t.segment.is_some() {
        return Err(OpError::unsupported("is one segment of a larger tensor"));
    }
    let bytes = (n * bits(code)).div_ceil(8);
    let value = if t.data_location == Some(1) {
        from_raw(code, &shape, n, &external(t, folder, bytes)?)
    } else if let Some(raw) = t.raw_data.as_ref().filter(|raw| !raw.is_empty() || n == 0) {
        check_count(raw.len(), bytes, "bytes of data")?;
        from_raw(code, &shape, n, raw)
    } else {
        from_typed(t, code, &shape, n)?
    };
    value.ok_or_else(|| OpError::invalid("has data that does not fit its shape"))
}

fn check_count(have: usize, need: usize, what: &str) -> Result<(), OpError> {
    if have == need {
        Ok(())
    } else {
        Err(OpError::invalid(format!("has {have} {what}; its shape and type need {need}")))
    }
}

/// Splits little-endian bytes into elements.
macro_rules! elements {
    ($raw:expr, $ty:ty, $n:literal) => {
        $raw.chunks_exact($n).map(|b| <$ty>::from_le_bytes(b.try_into().unwrap_or([0; $n])))
    };
}

/// Interprets `raw` (of the right length) as elements.
pub(super) fn from_raw(code: i32, shape: &[usize], n: usize, raw: &[u8]) -> Option<Value> {
    use data_type::*;
    let f32s = |v: Vec<f32>| array(shape, v).map(Value::F32);
    match code {
        FLOAT => f32s(elements!(raw, f32, 4).collect()),
        DOUBLE => f32s(elements!(raw, f64, 8).map(|x| x as f32).collect()),
        FLOAT16 => f32s(elements!(raw, f16, 2).map(f16::to_f32).collect()),
        BFLOAT16 => f32s(elements!(raw, bf16, 2).map(bf16::to_f32).collect()),
        FLOAT8E4M3FN | FLOAT8E4M3FNUZ | FLOAT8E5M2 | FLOAT8E5M2FNUZ => {
            f32s(raw.iter().map(|b| float8(*b, code)).collect())
        }
        INT8 => array(shape, raw.iter().map(|b| *b as i8).collect()).map(Value::S8),
        UINT8 => array(shape, raw.to_vec()).map(Value::U8),
        BOOL => array(shape, raw.iter().map(|b| *b != 0).collect()).map(Value::Bool),
        INT16 => array(shape, elements!(raw, i16, 2).collect()).map(Value::S16),
        UINT16 => array(shape, elements!(raw, u16, 2).collect()).map(Value::U16),
        INT32 => array(shape, elements!(raw, i32, 4).collect()).map(Value::S32),
        UINT32 => array(shape, elements!(raw, u32, 4).collect()).map(Value::U32),
        INT64 | UINT64 => array(shape, elements!(raw, i64, 8).collect()).map(Value::S64),
        INT4 => array(shape, packed(raw, n, 4).map(|x| (x << 4) as i8 >> 4).collect()).map(Value::S8),
        INT2 => array(shape, packed(raw, n, 2).map(|x| (x << 6) as i8 >> 6).collect()).map(Value::S8),
        UINT4 => array(shape, packed(raw, n, 4).collect()).map(Value::U8),
        UINT2 => array(shape, packed(raw, n, 2).collect()).map(Value::U8),
        _ => None,
    }
}

fn array<T>(shape: &[usize], data: Vec<T>) -> Option<ArrayD<T>> {
    ArrayD::from_shape_vec(IxDyn(shape), data).ok()
}

/// Sub-byte elements, lowest bits first.
fn packed(raw: &[u8], n: usize, bits: usize) -> impl Iterator<Item = u8> + '_ {
    let per = 8 / bits;
    (0..n).map(move |i| raw.get(i / per).map_or(0, |b| b >> (i % per * bits)) & ((1u8 << bits) - 1))
}

/// Elements given in the typed lists.
fn from_typed(t: &TensorProto, code: i32, shape: &[usize], n: usize) -> Result<Option<Value>, OpError> {
    use data_type::*;
    let ints = |v: Vec<i64>, dtype: DType| array(shape, v).map(|a| Value::from_i64_wrapping(a, dtype));
    let small = || t.int32_data.iter().map(|x| i64::from(*x)).collect::<Vec<i64>>();
    let have = match code {
        FLOAT => t.float_data.len(),
        DOUBLE => t.double_data.len(),
        INT64 => t.int64_data.len(),
        UINT32 | UINT64 => t.uint64_data.len(),
        _ => t.int32_data.len(),
    };
    let per = (8 / bits(code)).max(1);
    check_count(have, n.div_ceil(per), "elements")?;
    let bytes = || t.int32_data.iter().map(|x| *x as u8).collect::<Vec<u8>>();
    Ok(match code {
        FLOAT => array(shape, t.float_data.clone()).map(Value::F32),
        DOUBLE => array(shape, t.double_data.iter().map(|x| *x as f32).collect()).map(Value::F32),
        INT64 => array(shape, t.int64_data.clone()).map(Value::S64),
        UINT64 => ints(t.uint64_data.iter().map(|x| *x as i64).collect(), DType::S64),
        UINT32 => ints(t.uint64_data.iter().map(|x| *x as i64).collect(), DType::U32),
        FLOAT16 | BFLOAT16 => {
            let raw: Vec<u8> = t.int32_data.iter().flat_map(|x| (*x as u16).to_le_bytes()).collect();
            from_raw(code, shape, n, &raw)
        }
        FLOAT8E4M3FN | FLOAT8E4M3FNUZ | FLOAT8E5M2 | FLOAT8E5M2FNUZ | INT4 | UINT4 | INT2 | UINT2 => {
            from_raw(code, shape, n, &bytes())
        }
        _ => ints(small(), element_type(code)?),
    })
}

/// An 8-bit float. E4M3FN: no infinities, NaN = all ones. E5M2: IEEE. FNUZ: bias one higher, NaN = minus zero.
fn float8(b: u8, code: i32) -> f32 {
    use data_type::*;
    let (mantissa_bits, bias) = match code {
        FLOAT8E4M3FN => (3, 7),
        FLOAT8E4M3FNUZ => (3, 8),
        FLOAT8E5M2 => (2, 15),
        _ => (2, 16),
    };
    let sign = if b & 0x80 == 0 { 1.0f32 } else { -1.0 };
    let exponent = i32::from((b & 0x7f) >> mantissa_bits);
    let mantissa = f32::from(b & ((1 << mantissa_bits) - 1));
    match code {
        FLOAT8E4M3FN if b & 0x7f == 0x7f => return f32::NAN,
        FLOAT8E5M2 if exponent == 31 => return if mantissa == 0.0 { sign * f32::INFINITY } else { f32::NAN },
        FLOAT8E4M3FNUZ | FLOAT8E5M2FNUZ if b == 0x80 => return f32::NAN,
        _ => {}
    }
    let fraction = mantissa / f32::from(1u8 << mantissa_bits);
    if exponent == 0 {
        sign * fraction * 2f32.powi(1 - bias)
    } else {
        sign * (1.0 + fraction) * 2f32.powi(exponent - bias)
    }
}

/// The bytes of a tensor stored in a file beside the model.
fn external(t: &TensorProto, folder: Option<&Path>, bytes: usize) -> Result<Bytes, OpError> {
    let entry = |key: &str| t.external_data.iter().find(|e| e.key() == key).map(|e| e.value());
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| OpError::invalid(format!("has external data with the malformed {key} `{text}`"))),
    };
    let location =
        entry("location").ok_or_else(|| OpError::invalid("has external data without a location"))?;
    let folder = folder.ok_or_else(|| {
        OpError::invalid(format!("has its data in `{location}`, but the model was not read from a folder"))
    })?;
    let path = inside(folder, location)?;
    let failed = |e: std::io::Error| {
        OpError::invalid(format!("has its data in `{location}`, which cannot be read: {e}"))
            .help("keep the external data file beside the model")
    };
    let mut file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let offset = number("offset")?.unwrap_or(0);
    let length = number("length")?.unwrap_or(bytes as u64);
    check_count(usize::try_from(length).unwrap_or(usize::MAX), bytes, "bytes of external data")?;
    if offset.checked_add(length).is_none_or(|end| end > size) {
        return Err(OpError::invalid(format!(
            "has its data at {offset}+{length} of `{location}`, which holds {size} bytes"
        )));
    }
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut data = vec![0; bytes];
    file.read_exact(&mut data).map_err(failed)?;
    Ok(data.into())
}

/// The file `location` names, which must lie in `folder`, symbolic links included.
fn inside(folder: &Path, location: &str) -> Result<PathBuf, OpError> {
    let outside = || OpError::invalid(format!("has its data in `{location}`, outside of the model's folder"));
    let relative = Path::new(location);
    if !relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
        return Err(outside());
    }
    let failed = |e: std::io::Error| {
        OpError::invalid(format!("has its data in `{location}`, which cannot be read: {e}"))
            .help("keep the external data file beside the model")
    };
    let root = folder.canonicalize().map_err(failed)?;
    let path = root.join(relative).canonicalize().map_err(failed)?;
    if path.starts_with(&root) && path.is_file() { Ok(path) } else { Err(outside()) }
}

/// The dense value of a sparse record of at most `limit` bytes.
///
/// # Errors
/// As [`value`], or a position is outside of the shape, or the dense value is too large.
pub fn dense(s: &SparseTensorProto, folder: Option<&Path>, limit: usize) -> Result<Value, OpError> {
    let missing = || OpError::invalid("is a sparse tensor without values or indices");
    let values = value(s.values.as_ref().ok_or_else(missing)?, folder)?;
    let indices = value(s.indices.as_ref().ok_or_else(missing)?, folder)?;
    let (shape, n) = shape_of(&s.dims)?;
    if n.saturating_mul(8) > limit {
        return Err(OpError::unsupported(format!(
            "is a sparse tensor of {n} elements, too many to make dense"
        )));
    }
    let at = indices.to_i64();
    let rows = values.len();
    let coordinates: Vec<i64> = at.iter().copied().collect();
    let linear = |i: usize| -> Option<usize> {
        if at.ndim() == 1 {
            return usize::try_from(*coordinates.get(i)?).ok().filter(|x| *x < n);
        }
        let row = coordinates.get(i * shape.len()..(i + 1) * shape.len())?;
        row.iter()
            .zip(&shape)
            .try_fold(0usize, |sum, (x, d)| usize::try_from(*x).ok().filter(|x| x < d).map(|x| sum * d + x))
    };
    let places: Option<Vec<usize>> = (0..rows).map(linear).collect();
    let places =
        places.ok_or_else(|| OpError::invalid("is a sparse tensor with indices outside of its shape"))?;
    macro_rules! scatter {
        ($a:expr, $zero:expr, $variant:ident) => {{
            let mut data = vec![$zero; n];
            for (place, x) in places.iter().zip($a.iter()) {
                data[*place] = *x;
            }
            array(&shape, data).map(Value::$variant)
        }};
    }
    let dense = match &values {
        Value::F32(a) => scatter!(a, 0.0f32, F32),
        other => {
            let a = other.to_i64();
            let wide = scatter!(a, 0i64, S64);
            wide.map(|v| v.cast(other.dtype()))
        }
    };
    dense.ok_or_else(missing)
}

#[cfg(test)]
#[path = "tensor_tests.rs"]
mod tests;
