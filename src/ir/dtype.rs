//! Element types. In: nothing. Out: [`DType`] and facts about it. Never knows how ONNX numbers them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The element type of a tensor. Half-precision and double tensors of a model are widened or
/// narrowed to [`DType::F32`] on import; sub-byte integers widen to 8 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DType {
    /// IEEE 754 binary32.
    #[serde(rename = "f32")]
    F32,
    /// Signed 8 bit.
    #[serde(rename = "s8")]
    S8,
    /// Unsigned 8 bit.
    #[serde(rename = "u8")]
    U8,
    /// Signed 16 bit.
    #[serde(rename = "s16")]
    S16,
    /// Unsigned 16 bit.
    #[serde(rename = "u16")]
    U16,
    /// Signed 32 bit; arithmetic wraps.
    #[serde(rename = "s32")]
    S32,
    /// Unsigned 32 bit; arithmetic wraps.
    #[serde(rename = "u32")]
    U32,
    /// Signed 64 bit; arithmetic wraps.
    #[serde(rename = "s64")]
    S64,
    /// One byte, 0 or 1.
    #[serde(rename = "bool")]
    Bool,
}

impl DType {
    /// Every type, smallest first within a class.
    pub const ALL: [DType; 9] = [
        DType::F32,
        DType::S8,
        DType::U8,
        DType::S16,
        DType::U16,
        DType::S32,
        DType::U32,
        DType::S64,
        DType::Bool,
    ];

    /// Bytes per element.
    pub fn bytes(self) -> usize {
        match self {
            DType::S8 | DType::U8 | DType::Bool => 1,
            DType::S16 | DType::U16 => 2,
            DType::F32 | DType::S32 | DType::U32 => 4,
            DType::S64 => 8,
        }
    }
    /// Whether it is a floating-point type.
    pub fn is_float(self) -> bool {
        self == DType::F32
    }
    /// Whether it is an integer type (not bool).
    pub fn is_int(self) -> bool {
        !matches!(self, DType::F32 | DType::Bool)
    }
    /// The inclusive range of an integer or bool type; `None` for floats.
    pub fn range(self) -> Option<(i64, i64)> {
        match self {
            DType::F32 => None,
            DType::S8 => Some((-128, 127)),
            DType::U8 => Some((0, 255)),
            DType::S16 => Some((-32768, 32767)),
            DType::U16 => Some((0, 65535)),
            DType::S32 => Some((i32::MIN as i64, i32::MAX as i64)),
            DType::U32 => Some((0, u32::MAX as i64)),
            DType::S64 => Some((i64::MIN, i64::MAX)),
            DType::Bool => Some((0, 1)),
        }
    }
    /// The smallest of s8, u8, s32, s64 that holds `lo..=hi` (16-bit types have few kernels, so they
    /// are not chosen automatically).
    pub fn smallest_int(lo: i64, hi: i64) -> DType {
        [DType::S8, DType::U8, DType::S32]
            .into_iter()
            .find(|d| d.range().is_some_and(|(l, h)| l <= lo && hi <= h))
            .unwrap_or(DType::S64)
    }
    /// The type's short name: `f32`, `s8`, `u8`, …
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::S8 => "s8",
            DType::U8 => "u8",
            DType::S16 => "s16",
            DType::U16 => "u16",
            DType::S32 => "s32",
            DType::U32 => "u32",
            DType::S64 => "s64",
            DType::Bool => "bool",
        }
    }
    /// The C99 type.
    pub fn c_type(self) -> &'static str {
        match self {
            DType::F32 => "float",
            DType::S8 => "int8_t",
            DType::U8 | DType::Bool => "uint8_t",
            DType::S16 => "int16_t",
            DType::U16 => "uint16_t",
            DType::S32 => "int32_t",
            DType::U32 => "uint32_t",
            DType::S64 => "int64_t",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DType {
    type Err = String;

    /// Accepts the short names and the usual long ones (`int8`, `uint8`, `float32`, …).
    fn from_str(s: &str) -> Result<Self, String> {
        Ok(match s {
            "f32" | "float32" | "float" => DType::F32,
            "s8" | "i8" | "int8" => DType::S8,
            "u8" | "uint8" => DType::U8,
            "s16" | "i16" | "int16" => DType::S16,
            "u16" | "uint16" => DType::U16,
            "s32" | "i32" | "int32" => DType::S32,
            "u32" | "uint32" => DType::U32,
            "s64" | "i64" | "int64" => DType::S64,
            "bool" => DType::Bool,
            _ => {
                return Err(format!(
                    "unknown element type `{s}`; known: float32, int8, uint8, int16, uint16, int32, uint32, int64, bool"
                ));
            }
        })
    }
}
