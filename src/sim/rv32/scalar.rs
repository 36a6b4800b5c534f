//! Integer arithmetic: RV32IM and the scalar part of Xpulpv2.
//!
//! In: operand values. Out: the result. Pure functions; never touch registers, memory or time.

use super::inst::{Inst, Op};

/// Base integer operations and multiplication.
#[inline(always)]
pub fn base(op: Op, a: u32, b: u32) -> u32 {
    match op {
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll => a << (b & 31),
        Op::Slt => u32::from((a as i32) < b as i32),
        Op::Sltu => u32::from(a < b),
        Op::Xor => a ^ b,
        Op::Srl => a >> (b & 31),
        Op::Sra => ((a as i32) >> (b & 31)) as u32,
        Op::Or => a | b,
        Op::And => a & b,
        Op::Lui => b,
        Op::Mul => a.wrapping_mul(b),
        Op::Mulh => ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32,
        Op::Mulhsu => ((i64::from(a as i32) * i64::from(b)) >> 32) as u32,
        Op::Mulhu => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        _ => 0,
    }
}

/// Division and remainder; RISC-V defines every case.
pub fn divide(op: Op, a: u32, b: u32) -> u32 {
    let (sa, sb) = (a as i32, b as i32);
    match op {
        Op::Div if b == 0 => u32::MAX,
        Op::Div => sa.wrapping_div(sb) as u32,
        Op::Divu => a.checked_div(b).unwrap_or(u32::MAX),
        Op::Rem if b == 0 => a,
        Op::Rem => sa.wrapping_rem(sb) as u32,
        _ => a.checked_rem(b).unwrap_or(a),
    }
}

/// Whether a branch is taken; `imm5` is the register field that `p.beqimm` compares with.
#[inline(always)]
pub fn taken(op: Op, a: u32, b: u32, imm5: u8) -> bool {
    let small = (u32::from(imm5) << 27) as i32 >> 27;
    match op {
        Op::Beq => a == b,
        Op::Bne => a != b,
        Op::Blt => (a as i32) < b as i32,
        Op::Bge => a as i32 >= b as i32,
        Op::Bltu => a < b,
        Op::Bgeu => a >= b,
        Op::BeqImm => a as i32 == small,
        _ => a as i32 != small,
    }
}

/// A bit field: its mask (at bit 0) and its start. Width beyond bit 31 is cut.
fn field(place: u32) -> (u32, u32) {
    let (width, start) = ((place >> 5 & 31) + 1, place & 31);
    let width = width.min(32 - start);
    (u32::MAX >> (32 - width), start)
}

fn redundant_signs(a: u32) -> u32 {
    if a == 0 { 0 } else { (a ^ ((a as i32) >> 31) as u32).leading_zeros() - 1 }
}

/// Scalar Xpulp operations; `d` is the old value of `rd`.
pub fn pulp(inst: &Inst, a: u32, b: u32, d: u32) -> u32 {
    let (sa, sb) = (a as i32, b as i32);
    match inst.op {
        Op::Abs => sa.wrapping_abs() as u32,
        Op::Sle => u32::from(sa <= sb),
        Op::Sleu => u32::from(a <= b),
        Op::Avgu => a.wrapping_add(b) >> 1,
        Op::Min => sa.min(sb) as u32,
        Op::Minu => a.min(b),
        Op::Max => sa.max(sb) as u32,
        Op::Maxu => a.max(b),
        Op::Ror => a.rotate_right(b & 31),
        Op::Ff1 => a.trailing_zeros(),
        Op::Fl1 => a.checked_ilog2().unwrap_or(32),
        Op::Clb => redundant_signs(a),
        Op::Cnt => a.count_ones(),
        Op::ExtHs => a as i16 as u32,
        Op::ExtHz => a & 0xffff,
        Op::ExtBs => a as i8 as u32,
        Op::ExtBz => a & 0xff,
        Op::Clip => clip(sa, sb.wrapping_neg().wrapping_sub(1), sb),
        Op::ClipU => clip(sa, 0, sb),
        Op::Mac => d.wrapping_add(a.wrapping_mul(b)),
        Op::Msu => d.wrapping_sub(a.wrapping_mul(b)),
        Op::Extract => {
            let (mask, start) = field(b);
            let shift = mask.leading_zeros();
            ((((a >> start) & mask) << shift) as i32 >> shift) as u32
        }
        Op::ExtractU => {
            let (mask, start) = field(b);
            (a >> start) & mask
        }
        Op::Insert => {
            let (mask, start) = field(b);
            d & !(mask << start) | (a & mask) << start
        }
        Op::Bclr => {
            let (mask, start) = field(b);
            a & !(mask << start)
        }
        Op::Bset => {
            let (mask, start) = field(b);
            a | mask << start
        }
        _ => normalise(inst, a, b, d),
    }
}

fn clip(a: i32, low: i32, high: i32) -> u32 {
    let value = if a < low {
        low
    } else if a > high {
        high
    } else {
        a
    };
    value as u32
}

/// Half of the last bit that a shift by `n` drops.
fn half(n: u32) -> u32 {
    if n == 0 { 0 } else { 1 << (n - 1) }
}

/// Sums and 16-bit products that are shifted, perhaps rounded.
fn normalise(inst: &Inst, a: u32, b: u32, d: u32) -> u32 {
    let n = inst.imm as u32;
    let r = b & 31;
    let signed = |v: u32, n: u32| (v as i32 >> n) as u32;
    match inst.op {
        Op::AddN => signed(a.wrapping_add(b), n),
        Op::SubN => signed(a.wrapping_sub(b), n),
        Op::AddUn => a.wrapping_add(b) >> n,
        Op::SubUn => a.wrapping_sub(b) >> n,
        Op::AddRn => signed(a.wrapping_add(b).wrapping_add(half(n)), n),
        Op::SubRn => signed(a.wrapping_sub(b).wrapping_add(half(n)), n),
        Op::AddURn => a.wrapping_add(b).wrapping_add(half(n)) >> n,
        Op::SubURn => a.wrapping_sub(b).wrapping_add(half(n)) >> n,
        Op::AddNr => signed(d.wrapping_add(a), r),
        Op::SubNr => signed(d.wrapping_sub(a), r),
        Op::AddUnr => d.wrapping_add(a) >> r,
        Op::SubUnr => d.wrapping_sub(a) >> r,
        Op::AddRnr => signed(d.wrapping_add(a).wrapping_add(half(r)), r),
        Op::SubRnr => signed(d.wrapping_sub(a).wrapping_add(half(r)), r),
        Op::AddURnr => d.wrapping_add(a).wrapping_add(half(r)) >> r,
        Op::SubURnr => d.wrapping_sub(a).wrapping_add(half(r)) >> r,
        _ => product(inst.op, a, b, d, n),
    }
}

/// 16 × 16 bit products: low or high halves, signed or not, accumulated or not, rounded or not.
fn product(op: Op, a: u32, b: u32, d: u32, n: u32) -> u32 {
    let low_s = (i32::from(a as i16) * i32::from(b as i16)) as u32;
    let high_s = (i32::from((a >> 16) as i16) * i32::from((b >> 16) as i16)) as u32;
    let low_u = (a & 0xffff) * (b & 0xffff);
    let high_u = (a >> 16) * (b >> 16);
    let signed = |v: u32| (v as i32 >> n) as u32;
    // The accumulating forms round in more than 32 bits, the others wrap.
    let wide_s = |v: u32| ((i64::from(v as i32) + i64::from(half(n))) >> n) as u32;
    let wide_u = |v: u32| ((u64::from(v) + u64::from(half(n))) >> n) as u32;
    let round = |v: u32| v.wrapping_add(half(n));
    match op {
        Op::MulS => signed(low_s),
        Op::MulHhS => signed(high_s),
        Op::MulU => low_u >> n,
        Op::MulHhU => high_u >> n,
        Op::MulSRn => signed(round(low_s)),
        Op::MulHhSRn => signed(round(high_s)),
        Op::MulURn => round(low_u) >> n,
        Op::MulHhURn => round(high_u) >> n,
        Op::MacS => signed(d.wrapping_add(low_s)),
        Op::MacHhS => signed(d.wrapping_add(high_s)),
        Op::MacU => d.wrapping_add(low_u) >> n,
        Op::MacHhU => d.wrapping_add(high_u) >> n,
        Op::MacSRn => wide_s(d.wrapping_add(low_s)),
        Op::MacHhSRn => wide_s(d.wrapping_add(high_s)),
        Op::MacURn => wide_u(d.wrapping_add(low_u)),
        Op::MacHhURn => wide_u(d.wrapping_add(high_u)),
        _ => 0,
    }
}
