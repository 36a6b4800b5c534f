//! Exact single-precision arithmetic in integers: every rounding mode, every exception flag.
//!
//! In: bit patterns and a rounding mode. Out: bit patterns and flags. Pure functions. Values are `sig · 2^exp` with
//! exact integers; only [`pack`] rounds.

use super::float::{NAN, Rounding, flag};

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0x7f80_0000;

/// What a bit pattern stands for.
#[derive(Clone, Copy)]
enum Value {
    Nan { signalling: bool },
    Infinite { sign: bool },
    Zero { sign: bool },
    Finite(Number),
}

/// `sig · 2^exp`, `sig` not zero.
#[derive(Clone, Copy)]
struct Number {
    sign: bool,
    exp: i32,
    sig: u128,
}

fn unpack(v: u32) -> Value {
    let sign = v & SIGN != 0;
    let (exp, fraction) = ((v >> 23 & 0xff) as i32, v & 0x007f_ffff);
    match (exp, fraction) {
        (255, 0) => Value::Infinite { sign },
        (255, _) => Value::Nan { signalling: fraction & 0x0040_0000 == 0 },
        (0, 0) => Value::Zero { sign },
        (0, _) => Value::Finite(Number { sign, exp: -149, sig: u128::from(fraction) }),
        _ => Value::Finite(Number { sign, exp: exp - 150, sig: u128::from(fraction | 0x0080_0000) }),
    }
}

fn signed(sign: bool, magnitude: u32) -> u32 {
    magnitude | if sign { SIGN } else { 0 }
}

/// Whether a magnitude with the dropped part `rest` of `whole` is rounded up.
fn rounds_up(sign: bool, odd: bool, rest: u128, whole: u128, rm: Rounding) -> bool {
    match rm {
        Rounding::NearestEven => rest * 2 > whole || (rest * 2 == whole && odd),
        Rounding::NearestAway => rest * 2 >= whole,
        Rounding::Zero => false,
        Rounding::Down => rest != 0 && sign,
        Rounding::Up => rest != 0 && !sign,
    }
}

/// Drops `shift` bits (kept in range by jamming) and rounds; also whether anything was dropped.
fn shift_round(sign: bool, sig: u128, shift: i32, rm: Rounding) -> (u128, bool) {
    if shift <= 0 {
        return (sig << -shift, false);
    }
    // Beyond this nothing but "something is there" is left.
    let (sig, shift) = if shift > 120 { (u128::from(sig != 0), 120) } else { (sig, shift) };
    let whole = 1u128 << shift;
    let (kept, rest) = (sig >> shift, sig & (whole - 1));
    (kept + u128::from(rounds_up(sign, kept & 1 != 0, rest, whole, rm)), rest != 0)
}

/// Rounds to single precision. Bit 0 of `sig` may be a sticky bit if `sig` has more than 26 bits; at most 126.
fn pack(n: Number, rm: Rounding) -> (u32, u8) {
    let top = n.exp + 127 - n.sig.leading_zeros() as i32;
    let quantum = (top - 23).max(-149);
    let (kept, inexact) = shift_round(n.sign, n.sig, quantum - n.exp, rm);
    // A carry out of the fraction moves into the exponent as it should.
    let bits = (((quantum + 149) as u128) << 23) + kept;
    if bits >= u128::from(INFINITY) {
        let to_infinity = match rm {
            Rounding::NearestEven | Rounding::NearestAway => true,
            Rounding::Zero => false,
            Rounding::Down => n.sign,
            Rounding::Up => !n.sign,
        };
        let magnitude = if to_infinity { INFINITY } else { INFINITY - 1 };
        return (signed(n.sign, magnitude), flag::OF | flag::NX);
    }
    let mut flags = if inexact { flag::NX } else { 0 };
    if inexact && top < -126 {
        // Tininess is detected after rounding, with an unbounded exponent.
        let (unbounded, _) = shift_round(n.sign, n.sig, top - 23 - n.exp, rm);
        if top < -127 || unbounded < 1 << 24 {
            flags |= flag::UF;
        }
    }
    (signed(n.sign, bits as u32), flags)
}

/// Brings the leading bit to bit 120.
fn normalise(n: Number) -> Number {
    let shift = n.sig.leading_zeros() as i32 - 7;
    Number { exp: n.exp - shift, sig: n.sig << shift, ..n }
}

/// Sum of two numbers, exact but for a sticky bit; `None` if it is zero.
fn sum(a: Number, b: Number) -> Option<Number> {
    let (a, b) = (normalise(a), normalise(b));
    let (large, small) = if (a.exp, a.sig) >= (b.exp, b.sig) { (a, b) } else { (b, a) };
    let distance = large.exp - small.exp;
    let aligned = if distance >= 121 {
        1
    } else {
        let lost = small.sig & ((1u128 << distance) - 1) != 0;
        small.sig >> distance | u128::from(lost)
    };
    let sig = if large.sign == small.sign { large.sig + aligned } else { large.sig - aligned };
    (sig != 0).then_some(Number { sig, ..large })
}

fn exact_zero(a: bool, b: bool, rm: Rounding) -> u32 {
    signed(if a == b { a } else { rm == Rounding::Down }, 0)
}

fn nan(invalid: bool) -> (u32, u8) {
    (NAN, if invalid { flag::NV } else { 0 })
}

fn is_signalling(v: Value) -> bool {
    matches!(v, Value::Nan { signalling: true })
}

fn is_nan(v: Value) -> bool {
    matches!(v, Value::Nan { .. })
}

fn sign_of(v: u32) -> bool {
    v & SIGN != 0
}

/// `a + b`.
pub fn add(a: u32, b: u32, rm: Rounding) -> (u32, u8) {
    let (x, y) = (unpack(a), unpack(b));
    match (x, y) {
        _ if is_nan(x) || is_nan(y) => nan(is_signalling(x) || is_signalling(y)),
        (Value::Infinite { sign: s }, Value::Infinite { sign: t }) if s != t => nan(true),
        (Value::Infinite { .. }, _) => (a, 0),
        (_, Value::Infinite { .. }) => (b, 0),
        (Value::Zero { sign: s }, Value::Zero { sign: t }) => (exact_zero(s, t, rm), 0),
        (Value::Zero { .. }, _) => (b, 0),
        (_, Value::Zero { .. }) => (a, 0),
        (Value::Finite(m), Value::Finite(n)) => match sum(m, n) {
            Some(total) => pack(total, rm),
            None => (exact_zero(m.sign, n.sign, rm), 0),
        },
        _ => nan(true),
    }
}

/// `a · b`.
pub fn multiply(a: u32, b: u32, rm: Rounding) -> (u32, u8) {
    let (x, y) = (unpack(a), unpack(b));
    let sign = sign_of(a) != sign_of(b);
    match (x, y) {
        _ if is_nan(x) || is_nan(y) => nan(is_signalling(x) || is_signalling(y)),
        (Value::Infinite { .. }, Value::Zero { .. }) | (Value::Zero { .. }, Value::Infinite { .. }) => {
            nan(true)
        }
        (Value::Infinite { .. }, _) | (_, Value::Infinite { .. }) => (signed(sign, INFINITY), 0),
        (Value::Finite(m), Value::Finite(n)) => {
            pack(Number { sign, exp: m.exp + n.exp, sig: m.sig * n.sig }, rm)
        }
        _ => (signed(sign, 0), 0),
    }
}

/// `a · b + c`, rounded once.
pub fn multiply_add(a: u32, b: u32, c: u32, rm: Rounding) -> (u32, u8) {
    let (x, y, z) = (unpack(a), unpack(b), unpack(c));
    let sign = sign_of(a) != sign_of(b);
    let undefined = matches!(
        (x, y),
        (Value::Infinite { .. }, Value::Zero { .. }) | (Value::Zero { .. }, Value::Infinite { .. })
    );
    if undefined || is_nan(x) || is_nan(y) || is_nan(z) {
        return nan(undefined || is_signalling(x) || is_signalling(y) || is_signalling(z));
    }
    match (x, y, z) {
        (Value::Infinite { .. }, _, _) | (_, Value::Infinite { .. }, _) => match z {
            Value::Infinite { sign: t } if t != sign => nan(true),
            _ => (signed(sign, INFINITY), 0),
        },
        (_, _, Value::Infinite { .. }) => (c, 0),
        (Value::Finite(m), Value::Finite(n), z) => {
            let product = Number { sign, exp: m.exp + n.exp, sig: m.sig * n.sig };
            match z {
                Value::Finite(addend) => match sum(product, addend) {
                    Some(total) => pack(total, rm),
                    None => (exact_zero(sign, addend.sign, rm), 0),
                },
                _ => pack(product, rm),
            }
        }
        (_, _, Value::Zero { sign: t }) => (exact_zero(sign, t, rm), 0),
        _ => (c, 0),
    }
}

/// `a / b`.
pub fn divide(a: u32, b: u32, rm: Rounding) -> (u32, u8) {
    let (x, y) = (unpack(a), unpack(b));
    let sign = sign_of(a) != sign_of(b);
    match (x, y) {
        _ if is_nan(x) || is_nan(y) => nan(is_signalling(x) || is_signalling(y)),
        (Value::Infinite { .. }, Value::Infinite { .. }) | (Value::Zero { .. }, Value::Zero { .. }) => {
            nan(true)
        }
        (Value::Infinite { .. }, _) => (signed(sign, INFINITY), 0),
        (_, Value::Zero { .. }) => (signed(sign, INFINITY), flag::DZ),
        (Value::Finite(m), Value::Finite(n)) => {
            let dividend = m.sig << 60;
            let sig = (dividend / n.sig) | u128::from(dividend % n.sig != 0);
            pack(Number { sign, exp: m.exp - n.exp - 60, sig }, rm)
        }
        _ => (signed(sign, 0), 0),
    }
}

/// The square root of `a`.
pub fn square_root(a: u32, rm: Rounding) -> (u32, u8) {
    match unpack(a) {
        Value::Nan { signalling } => nan(signalling),
        Value::Zero { .. } | Value::Infinite { sign: false } => (a, 0),
        Value::Infinite { .. } => nan(true),
        Value::Finite(n) if n.sign => nan(true),
        Value::Finite(n) => {
            // An even exponent; the root of more than 100 bits has more than 50.
            let n = normalise(n);
            let (sig, exp) = (n.sig << (n.exp & 1), n.exp - (n.exp & 1));
            let root = sig.isqrt();
            let sticky = u128::from(root * root != sig);
            pack(Number { sign: false, exp: exp / 2 - 1, sig: (root << 1) | sticky }, rm)
        }
    }
}

/// To a 32-bit integer, saturating; NaN gives the largest.
pub fn to_integer(a: u32, is_signed: bool, rm: Rounding) -> (u32, u8) {
    let (low, high) = if is_signed { (-(1i128 << 31), (1 << 31) - 1) } else { (0, (1i128 << 32) - 1) };
    let n = match unpack(a) {
        Value::Zero { .. } => return (0, 0),
        Value::Nan { .. } | Value::Infinite { sign: false } => return (high as u32, flag::NV),
        Value::Infinite { sign: true } => return (low as u32, flag::NV),
        Value::Finite(n) => n,
    };
    if n.exp > 40 {
        return (if n.sign { low } else { high } as u32, flag::NV);
    }
    let (magnitude, inexact) = shift_round(n.sign, n.sig, -n.exp, rm);
    let value = if n.sign { -(magnitude as i128) } else { magnitude as i128 };
    if value < low || value > high {
        return (if n.sign { low } else { high } as u32, flag::NV);
    }
    (value as u32, if inexact { flag::NX } else { 0 })
}

/// From an integer.
pub fn from_integer(value: i64, rm: Rounding) -> (u32, u8) {
    if value == 0 {
        return (0, 0);
    }
    pack(Number { sign: value < 0, exp: 0, sig: u128::from(value.unsigned_abs()) }, rm)
}
