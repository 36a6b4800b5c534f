//! SIMD of Xpulpv2: two halfwords or four bytes in a register.
//!
//! In: operand values; `b` already has the splatted or immediate lanes. Out: the result. Pure functions.

use super::inst::Op;

/// Lane `k` of bytes.
#[inline(always)]
fn byte(v: u32, k: u32) -> u32 {
    v >> (8 * k) & 0xff
}

/// Applies `f` to each pair of halfwords; results are cut to the lane.
#[inline(always)]
fn map_h(a: u32, b: u32, f: impl Fn(u32, u32) -> u32) -> u32 {
    f(a & 0xffff, b & 0xffff) & 0xffff | f(a >> 16, b >> 16) << 16
}

/// Applies `f` to each pair of bytes; results are cut to the lane.
#[inline(always)]
fn map_b(a: u32, b: u32, f: impl Fn(u32, u32) -> u32) -> u32 {
    let lane = |k| (f(byte(a, k), byte(b, k)) & 0xff) << (8 * k);
    lane(0) | lane(1) | lane(2) | lane(3)
}

fn all_ones(condition: bool) -> u32 {
    if condition { u32::MAX } else { 0 }
}

/// Halfword operations; `d` is the old value of `rd`.
pub fn half(op: Op, a: u32, b: u32, d: u32) -> u32 {
    let s = |v: u32| i32::from(v as i16);
    let dot = |p: fn(u32, u32) -> u32| p(a & 0xffff, b & 0xffff).wrapping_add(p(a >> 16, b >> 16));
    match op {
        Op::Add => map_h(a, b, u32::wrapping_add),
        Op::Sub => map_h(a, b, u32::wrapping_sub),
        Op::Avg => map_h(a, b, |x, y| (s(x.wrapping_add(y)) >> 1) as u32),
        Op::Avgu => map_h(a, b, |x, y| (x.wrapping_add(y) & 0xffff) >> 1),
        Op::Min => map_h(a, b, |x, y| s(x).min(s(y)) as u32),
        Op::Minu => map_h(a, b, u32::min),
        Op::Max => map_h(a, b, |x, y| s(x).max(s(y)) as u32),
        Op::Maxu => map_h(a, b, u32::max),
        Op::VSrl => map_h(a, b, |x, y| x >> (y & 15)),
        Op::VSra => map_h(a, b, |x, y| (s(x) >> (y & 15)) as u32),
        Op::VSll => map_h(a, b, |x, y| x << (y & 15)),
        Op::Or => a | b,
        Op::Xor => a ^ b,
        Op::And => a & b,
        Op::Abs => map_h(a, 0, |x, _| s(x).wrapping_abs() as u32),
        Op::DotUp => dot(|x, y| x.wrapping_mul(y)),
        Op::DotUsp => dot(|x, y| x.wrapping_mul(y as i16 as u32)),
        Op::DotSp => dot(|x, y| (x as i16 as u32).wrapping_mul(y as i16 as u32)),
        Op::SdotUp => d.wrapping_add(half(Op::DotUp, a, b, 0)),
        Op::SdotUsp => d.wrapping_add(half(Op::DotUsp, a, b, 0)),
        Op::SdotSp => d.wrapping_add(half(Op::DotSp, a, b, 0)),
        Op::CmpEq => map_h(a, b, |x, y| all_ones(x == y)),
        Op::CmpNe => map_h(a, b, |x, y| all_ones(x != y)),
        Op::CmpGt => map_h(a, b, |x, y| all_ones(s(x) > s(y))),
        Op::CmpGe => map_h(a, b, |x, y| all_ones(s(x) >= s(y))),
        Op::CmpLt => map_h(a, b, |x, y| all_ones(s(x) < s(y))),
        Op::CmpLe => map_h(a, b, |x, y| all_ones(s(x) <= s(y))),
        Op::CmpGtu => map_h(a, b, |x, y| all_ones(x > y)),
        Op::CmpGeu => map_h(a, b, |x, y| all_ones(x >= y)),
        Op::CmpLtu => map_h(a, b, |x, y| all_ones(x < y)),
        Op::CmpLeu => map_h(a, b, |x, y| all_ones(x <= y)),
        Op::LaneExtract => s(a >> (16 * (b & 1))) as u32,
        Op::LaneExtractU => a >> (16 * (b & 1)) & 0xffff,
        Op::LaneInsert => {
            let shift = 16 * (b & 1);
            d & !(0xffff << shift) | (a & 0xffff) << shift
        }
        Op::Shuffle => map_h(b, 0, |sel, _| a >> (16 * (sel & 1))),
        Op::Shuffle2 => map_h(b, 0, |sel, _| (if sel & 2 != 0 { a } else { d }) >> (16 * (sel & 1))),
        Op::Pack => a << 16 | b & 0xffff,
        _ => 0,
    }
}

/// Byte operations; `d` is the old value of `rd`.
pub fn bytes(op: Op, a: u32, b: u32, d: u32) -> u32 {
    let s = |v: u32| i32::from(v as i8);
    match op {
        Op::SdotSp => d.wrapping_add(dot_sp(a, b)),
        Op::SdotUsp => d.wrapping_add(dot_usp(a, b)),
        Op::SdotUp => d.wrapping_add(dot_up(a, b)),
        Op::DotSp => dot_sp(a, b),
        Op::DotUsp => dot_usp(a, b),
        Op::DotUp => dot_up(a, b),
        Op::Add => map_b(a, b, u32::wrapping_add),
        Op::Sub => map_b(a, b, u32::wrapping_sub),
        Op::Avg => map_b(a, b, |x, y| (s(x.wrapping_add(y)) >> 1) as u32),
        Op::Avgu => map_b(a, b, |x, y| (x.wrapping_add(y) & 0xff) >> 1),
        Op::Min => map_b(a, b, |x, y| s(x).min(s(y)) as u32),
        Op::Minu => map_b(a, b, u32::min),
        Op::Max => map_b(a, b, |x, y| s(x).max(s(y)) as u32),
        Op::Maxu => map_b(a, b, u32::max),
        Op::VSrl => map_b(a, b, |x, y| x >> (y & 7)),
        Op::VSra => map_b(a, b, |x, y| (s(x) >> (y & 7)) as u32),
        Op::VSll => map_b(a, b, |x, y| x << (y & 7)),
        Op::Or => a | b,
        Op::Xor => a ^ b,
        Op::And => a & b,
        Op::Abs => map_b(a, 0, |x, _| s(x).wrapping_abs() as u32),
        Op::CmpEq => map_b(a, b, |x, y| all_ones(x == y)),
        Op::CmpNe => map_b(a, b, |x, y| all_ones(x != y)),
        Op::CmpGt => map_b(a, b, |x, y| all_ones(s(x) > s(y))),
        Op::CmpGe => map_b(a, b, |x, y| all_ones(s(x) >= s(y))),
        Op::CmpLt => map_b(a, b, |x, y| all_ones(s(x) < s(y))),
        Op::CmpLe => map_b(a, b, |x, y| all_ones(s(x) <= s(y))),
        Op::CmpGtu => map_b(a, b, |x, y| all_ones(x > y)),
        Op::CmpGeu => map_b(a, b, |x, y| all_ones(x >= y)),
        Op::CmpLtu => map_b(a, b, |x, y| all_ones(x < y)),
        Op::CmpLeu => map_b(a, b, |x, y| all_ones(x <= y)),
        Op::LaneExtract => s(byte(a, b & 3)) as u32,
        Op::LaneExtractU => byte(a, b & 3),
        Op::LaneInsert => {
            let shift = 8 * (b & 3);
            d & !(0xff << shift) | (a & 0xff) << shift
        }
        Op::Shuffle => map_b(b, 0, |sel, _| byte(a, sel & 3)),
        Op::Shuffle2 => map_b(b, 0, |sel, _| byte(if sel & 4 != 0 { a } else { d }, sel & 3)),
        Op::PackHi => (a & 0xff) << 24 | (b & 0xff) << 16 | d & 0xffff,
        Op::PackLo => d & 0xffff_0000 | (a & 0xff) << 8 | b & 0xff,
        _ => 0,
    }
}

fn dot_up(a: u32, b: u32) -> u32 {
    let p = |k| byte(a, k) * byte(b, k);
    p(0) + p(1) + p(2) + p(3)
}

fn dot_usp(a: u32, b: u32) -> u32 {
    let p = |k| byte(a, k) as i32 * i32::from(byte(b, k) as i8);
    (p(0) + p(1) + p(2) + p(3)) as u32
}

fn dot_sp(a: u32, b: u32) -> u32 {
    let p = |k| i32::from(byte(a, k) as i8) * i32::from(byte(b, k) as i8);
    (p(0) + p(1) + p(2) + p(3)) as u32
}
