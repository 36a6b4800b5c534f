//! Tensors as raw memory: what a harness reads and writes.
//!
//! In: values or bytes. Out: the other. Elements are in the byte order of this machine, row-major; bool is one
//! byte.

use ndarray::{ArrayD, IxDyn};

use crate::ir::{DType, TensorType, Value};

/// The elements as they lie in memory.
pub fn to_bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::F32(a) => a.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        Value::S8(a) => a.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        Value::U8(a) => a.iter().copied().collect(),
        Value::S16(a) => a.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        Value::U16(a) => a.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        Value::S32(a) => a.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        Value::U32(a) => a.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        Value::S64(a) => a.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        Value::Bool(a) => a.iter().map(|x| u8::from(*x)).collect(),
    }
}

/// The tensor whose elements lie in `bytes`; `None` if the size is wrong.
pub fn from_bytes(ty: &TensorType, bytes: &[u8]) -> Option<Value> {
    Some(match ty.dtype {
        DType::F32 => Value::F32(array(ty, bytes, f32::from_ne_bytes)?),
        DType::S8 => Value::S8(array(ty, bytes, i8::from_ne_bytes)?),
        DType::U8 => Value::U8(array(ty, bytes, u8::from_ne_bytes)?),
        DType::S16 => Value::S16(array(ty, bytes, i16::from_ne_bytes)?),
        DType::U16 => Value::U16(array(ty, bytes, u16::from_ne_bytes)?),
        DType::S32 => Value::S32(array(ty, bytes, i32::from_ne_bytes)?),
        DType::U32 => Value::U32(array(ty, bytes, u32::from_ne_bytes)?),
        DType::S64 => Value::S64(array(ty, bytes, i64::from_ne_bytes)?),
        DType::Bool => Value::Bool(array(ty, bytes, |b: [u8; 1]| b[0] != 0)?),
    })
}

fn array<T, const N: usize>(ty: &TensorType, bytes: &[u8], make: fn([u8; N]) -> T) -> Option<ArrayD<T>> {
    let elements: Option<Vec<T>> = bytes.chunks(N).map(|c| c.try_into().ok().map(make)).collect();
    ArrayD::from_shape_vec(IxDyn(&ty.shape), elements?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_the_round_trip() {
        for dtype in DType::ALL {
            let value = Value::s64(&[2, 3], vec![0, 1, -1, 100, -100, 7]).unwrap().cast(dtype);
            let ty = TensorType::of(&value);
            let bytes = to_bytes(&value);
            assert_eq!(bytes.len(), ty.bytes());
            assert_eq!(from_bytes(&ty, &bytes), Some(value));
            assert_eq!(from_bytes(&ty, &bytes[1..]), None);
        }
    }
}
