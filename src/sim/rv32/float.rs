//! Single-precision float with RISC-V's semantics: NaN results are canonical, minimum and maximum prefer numbers.
//!
//! In: bit patterns and a rounding mode. Out: bit patterns and the exception flags. Pure functions.
//! Source: RISC-V unprivileged specification, chapter "F". The common rounding mode runs on the host's float unit,
//! the others in `soft`.

use super::inst::Op;
use super::soft;

/// The one NaN that operations produce.
pub const NAN: u32 = 0x7fc0_0000;

/// Exception flags in `fflags`.
pub mod flag {
    /// Inexact.
    pub const NX: u8 = 1;
    /// Underflow.
    pub const UF: u8 = 2;
    /// Overflow.
    pub const OF: u8 = 4;
    /// Division by zero.
    pub const DZ: u8 = 8;
    /// Invalid operation.
    pub const NV: u8 = 16;
}

/// Rounding modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To nearest, ties to even.
    NearestEven,
    /// Towards zero.
    Zero,
    /// Down.
    Down,
    /// Up.
    Up,
    /// To nearest, ties away from zero.
    NearestAway,
}

impl Rounding {
    /// By its number in an instruction or in `frm`.
    pub fn from_bits(bits: u8) -> Option<Rounding> {
        Some(match bits {
            0 => Rounding::NearestEven,
            1 => Rounding::Zero,
            2 => Rounding::Down,
            3 => Rounding::Up,
            4 => Rounding::NearestAway,
            _ => return None,
        })
    }
}

fn is_nan(v: u32) -> bool {
    v & 0x7fff_ffff > 0x7f80_0000
}

/// A signalling NaN: operations on it are invalid.
fn is_signalling(v: u32) -> bool {
    is_nan(v) && v & 0x0040_0000 == 0
}

/// Arithmetic with two or three operands, and conversions; integers go in and come out as bit patterns.
///
/// `sticky` are the flags that are already set: the host's float unit does not report what it rounds, so it is only
/// used where no further flag can come.
#[inline]
pub fn arithmetic(op: Op, a: u32, b: u32, c: u32, rm: Rounding, sticky: u8) -> (u32, u8) {
    let quiet = sticky & flag::NX != 0 && rm == Rounding::NearestEven;
    match if quiet { native(op, a, b, c) } else { None } {
        Some(result) => (result, 0),
        None => exact(op, a, b, c, rm),
    }
}

/// The host's result where it is a normal number that cannot have underflowed.
#[inline]
fn native(op: Op, a: u32, b: u32, c: u32) -> Option<u32> {
    let (x, y, z) = (f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
    let result = match op {
        Op::Fadd => x + y,
        Op::Fsub => x - y,
        Op::Fmul => x * y,
        Op::Fdiv => x / y,
        Op::Fsqrt => x.sqrt(),
        Op::Fmadd => fused(x, y, z),
        Op::Fmsub => fused(x, y, -z),
        Op::Fnmsub => fused(-x, y, z),
        Op::Fnmadd => fused(-x, y, -z),
        _ => return None,
    };
    let exponent = result.to_bits() >> 23 & 0xff;
    (exponent > 1 && exponent < 255).then_some(result.to_bits())
}

/// `x · y + z` rounded once: the sum in double precision is rounded to odd, so that the second rounding is exact.
#[inline]
fn fused(x: f32, y: f32, z: f32) -> f32 {
    let (p, z) = (f64::from(x) * f64::from(y), f64::from(z));
    let s = p + z;
    // Knuth's two-sum: the exact error of `s`.
    let t = s - p;
    let error = (p - (s - t)) + (z - t);
    let bits = s.to_bits();
    if error == 0.0 || bits & 1 == 1 {
        return s as f32;
    }
    // The exact value lies between `s` and its neighbour in the direction of the error.
    let away = (error > 0.0) == (s > 0.0);
    f64::from_bits(if away { bits + 1 } else { bits - 1 }) as f32
}

fn exact(op: Op, a: u32, b: u32, c: u32, rm: Rounding) -> (u32, u8) {
    const SIGN: u32 = 1 << 31;
    match op {
        Op::Fadd => soft::add(a, b, rm),
        Op::Fsub => soft::add(a, b ^ SIGN, rm),
        Op::Fmul => soft::multiply(a, b, rm),
        Op::Fmadd => soft::multiply_add(a, b, c, rm),
        Op::Fmsub => soft::multiply_add(a, b, c ^ SIGN, rm),
        Op::Fnmsub => soft::multiply_add(a ^ SIGN, b, c, rm),
        Op::Fnmadd => soft::multiply_add(a ^ SIGN, b, c ^ SIGN, rm),
        Op::Fdiv => soft::divide(a, b, rm),
        Op::Fsqrt => soft::square_root(a, rm),
        Op::FcvtWs => soft::to_integer(a, true, rm),
        Op::FcvtWus => soft::to_integer(a, false, rm),
        Op::FcvtSw => soft::from_integer(i64::from(a as i32), rm),
        Op::FcvtSwu => soft::from_integer(i64::from(a), rm),
        _ => simple(op, a, b),
    }
}

/// Operations that never round.
fn simple(op: Op, a: u32, b: u32) -> (u32, u8) {
    const SIGN: u32 = 1 << 31;
    let nan = is_nan(a) || is_nan(b);
    let signalling = if is_signalling(a) || is_signalling(b) { flag::NV } else { 0 };
    let quiet = if nan { flag::NV } else { 0 };
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    match op {
        Op::Fsgnj => (a & !SIGN | b & SIGN, 0),
        Op::Fsgnjn => (a & !SIGN | !b & SIGN, 0),
        Op::Fsgnjx => (a ^ b & SIGN, 0),
        Op::Fmin => (extreme(a, b, true), signalling),
        Op::Fmax => (extreme(a, b, false), signalling),
        Op::Feq => (u32::from(x == y), signalling),
        Op::Flt => (u32::from(x < y), quiet),
        Op::Fle => (u32::from(x <= y), quiet),
        Op::Fclass => (classify(a), 0),
        _ => (NAN, 0),
    }
}

/// The smaller or larger number; −0 is smaller than +0, and a number wins over a NaN.
fn extreme(a: u32, b: u32, smaller: bool) -> u32 {
    match (is_nan(a), is_nan(b)) {
        (true, true) => NAN,
        (true, false) => b,
        (false, true) => a,
        (false, false) => {
            // Sign-magnitude order as an integer order.
            let key = |v: u32| v as i32 ^ ((v as i32 >> 31) as u32 >> 1) as i32;
            if (key(a) < key(b)) == smaller { a } else { b }
        }
    }
}

fn classify(a: u32) -> u32 {
    let negative = a >> 31 != 0;
    let bit = match (a & 0x7f80_0000, a & 0x007f_ffff) {
        (0x7f80_0000, 0) => 0,
        (0x7f80_0000, _) => return if is_signalling(a) { 1 << 8 } else { 1 << 9 },
        (0, 0) => 3,
        (0, _) => 2,
        _ => 1,
    };
    1 << if negative { bit } else { 7 - bit }
}
