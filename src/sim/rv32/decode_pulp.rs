//! Decoding of Xpulpv2 in RI5CY's encoding.
//!
//! In: instruction words of the opcodes 0x0b, 0x2b, 0x33, 0x57, 0x5b and 0x7b. Out: an [`Inst`], or `None`:
//! bits that must be zero are checked, as the hardware traps on them. Source: RI5CY user manual, confirmed by
//! programs on the public virtual platform of the chip.

use super::decode::{Word, imm, load_width, reg, x};
use super::inst::{Class, Inst, Mode, Op};

/// Everything but opcode 0x33.
pub(super) fn word(w: Word) -> Option<Inst> {
    match w.op() {
        0x0b => post_load(w),
        0x2b => post_store(w),
        0x57 => simd(w),
        0x5b => rounding(w),
        0x7b => hardware_loop(w),
        _ => None,
    }
}

/// Width of the register-register loads.
pub(super) fn load_width_by_f7(w: Word) -> Option<Op> {
    if w.f7() & 7 == 0 { load_width(w.f7() >> 3) } else { None }
}

fn post_load(w: Word) -> Option<Inst> {
    if w.f3() == 7 {
        let op = load_width_by_f7(w)?;
        let inst = reg(w, Class::Load, op);
        return Some(Inst { mode: Mode::PostReg, rs3: inst.rs2, late: inst.rd, ..inst });
    }
    let inst = imm(w, Class::Load, load_width(w.f3())?, w.imm_i());
    Some(Inst { mode: Mode::PostImm, late: inst.rd, ..inst })
}

fn post_store(w: Word) -> Option<Inst> {
    let op = match w.f3() & 3 {
        0 => Op::B,
        1 => Op::H,
        2 => Op::W,
        _ => return None,
    };
    let inst = reg(w, Class::Store, op);
    if w.f3() < 4 {
        return Some(Inst { rd: 0, mode: Mode::PostImm, imm: w.imm_s(), ..inst });
    }
    let r3 = w.rd();
    let inst = Inst { rd: 0, rs3: r3, mode: Mode::PostReg, reads: inst.reads | x(r3), ..inst };
    (w.f7() == 0).then_some(inst)
}

fn hardware_loop(w: Word) -> Option<Inst> {
    let rd = w.rd();
    let upper = (w.0 >> 20) as i32;
    let class = Class::Loop;
    if rd > 1 {
        return None;
    }
    let none = |op| (w.rs1() == 0).then_some(Inst { reads: 0, ..imm(w, class, op, upper) });
    match w.f3() {
        0 => none(Op::LoopStart),
        1 => none(Op::LoopEnd),
        2 => Some(imm(w, class, Op::LoopCount, 0)),
        3 => none(Op::LoopCountImm),
        4 => Some(imm(w, class, Op::LoopSetup, upper)),
        // The end distance is in the place of rs1.
        5 => Some(Inst { reads: 0, ..imm(w, class, Op::LoopSetupImm, upper) }),
        _ => None,
    }
}

/// Opcode 0x33 beyond RV32IM.
pub(super) fn scalar(w: Word) -> Option<Inst> {
    let class = Class::Scalar;
    let one = |op| (w.rs2() == 0).then(|| Inst { reads: x(w.rs1()), ..reg(w, class, op) });
    let two = |op| Some(reg(w, class, op));
    let with_rd = |i: Inst| Some(Inst { reads: i.reads | x(w.rd()), ..i });
    // `imm` holds the upper bound; the lower one follows from it.
    let bound = ((1u32 << w.rs2().max(1)) >> 1) as i32 - 1;
    let clip = |op| Some(imm(w, class, op, bound));
    match (w.f7(), w.f3()) {
        (0x02, 0) => one(Op::Abs),
        (0x02, 1) => two(Op::Avgu),
        (0x02, 2) => two(Op::Sle),
        (0x02, 3) => two(Op::Sleu),
        (0x02, 4) => two(Op::Min),
        (0x02, 5) => two(Op::Minu),
        (0x02, 6) => two(Op::Max),
        (0x02, 7) => two(Op::Maxu),
        (0x04, 5) => two(Op::Ror),
        (0x08, 0) => one(Op::Ff1),
        (0x08, 1) => one(Op::Fl1),
        (0x08, 2) => one(Op::Clb),
        (0x08, 3) => one(Op::Cnt),
        (0x08, 4) => one(Op::ExtHs),
        (0x08, 5) => one(Op::ExtHz),
        (0x08, 6) => one(Op::ExtBs),
        (0x08, 7) => one(Op::ExtBz),
        (0x0a, 1) => clip(Op::Clip),
        (0x0a, 2) => clip(Op::ClipU),
        (0x0a, 5) => two(Op::Clip),
        (0x0a, 6) => two(Op::ClipU),
        (0x21, 0) => with_rd(reg(w, class, Op::Mac)),
        (0x21, 1) => with_rd(reg(w, class, Op::Msu)),
        (0x40, _) => field(w, true),
        (f7, _) if f7 & 0x60 == 0x60 => field(w, false),
        _ => None,
    }
}

/// Bit fields: width − 1 in `f7`, start in the place of `rs2`, or both in `rs2`.
fn field(w: Word, register: bool) -> Option<Inst> {
    let op = match w.f3() {
        0 => Op::Extract,
        1 => Op::ExtractU,
        2 => Op::Insert,
        3 => Op::Bclr,
        4 => Op::Bset,
        _ => return None,
    };
    let place = (w.f7() & 31) << 5 | u32::from(w.rs2());
    let inst = if register { reg(w, Class::Scalar, op) } else { imm(w, Class::Scalar, op, place as i32) };
    let keeps = if w.f3() == 2 { x(w.rd()) } else { 0 };
    Some(Inst { reads: inst.reads | keeps, ..inst })
}

/// Opcode 0x5b: normalise and round; the shift is the low five bits of `f7`, carried in `imm`.
fn rounding(w: Word) -> Option<Inst> {
    #[rustfmt::skip]
    const SUMS: [[Op; 4]; 4] = [
        [Op::AddN, Op::AddNr, Op::AddUn, Op::AddUnr],
        [Op::SubN, Op::SubNr, Op::SubUn, Op::SubUnr],
        [Op::AddRn, Op::AddRnr, Op::AddURn, Op::AddURnr],
        [Op::SubRn, Op::SubRnr, Op::SubURn, Op::SubURnr],
    ];
    #[rustfmt::skip]
    const PRODUCTS: [[Op; 4]; 4] = [
        [Op::MulU, Op::MulHhU, Op::MulS, Op::MulHhS],
        [Op::MacU, Op::MacHhU, Op::MacS, Op::MacHhS],
        [Op::MulURn, Op::MulHhURn, Op::MulSRn, Op::MulHhSRn],
        [Op::MacURn, Op::MacHhURn, Op::MacSRn, Op::MacHhSRn],
    ];
    let (shift, kind) = ((w.f7() & 31) as i32, (w.f7() >> 5) as usize);
    let row = |f3: u32| match f3 {
        0 | 2 => 0,
        1 | 3 => 1,
        4 | 6 => 2,
        _ => 3,
    };
    let f3 = w.f3();
    let sum = f3 & 2 != 0;
    let op = if sum { SUMS[row(f3)][kind] } else { PRODUCTS[row(f3)][kind] };
    // The register forms take the shift from rs2 and accumulate on rd.
    let register = sum && kind & 1 == 1;
    if register && shift != 0 {
        return None;
    }
    let reads_rd = register || (!sum && f3 & 1 == 1);
    let inst = Inst { imm: shift, ..reg(w, Class::Scalar, op) };
    Some(Inst { reads: inst.reads | if reads_rd { x(w.rd()) } else { 0 }, ..inst })
}

/// Operations of opcode 0x57 that take any second operand, with whether the immediate is signed.
fn simd_op(base: u32) -> Option<(Op, bool)> {
    Some(match base {
        0x00 => (Op::Add, true),
        0x04 => (Op::Sub, true),
        0x08 => (Op::Avg, true),
        0x0c => (Op::Avgu, false),
        0x10 => (Op::Min, true),
        0x14 => (Op::Minu, false),
        0x18 => (Op::Max, true),
        0x1c => (Op::Maxu, false),
        0x20 => (Op::VSrl, false),
        0x24 => (Op::VSra, true),
        0x28 => (Op::VSll, false),
        0x2c => (Op::Or, true),
        0x30 => (Op::Xor, true),
        0x34 => (Op::And, true),
        0x40 => (Op::DotUp, false),
        0x44 => (Op::DotUsp, true),
        0x4c => (Op::DotSp, true),
        0x50 => (Op::SdotUp, false),
        0x54 => (Op::SdotUsp, true),
        0x5c => (Op::SdotSp, true),
        0x02 => (Op::CmpEq, true),
        0x06 => (Op::CmpNe, true),
        0x0a => (Op::CmpGt, true),
        0x0e => (Op::CmpGe, true),
        0x12 => (Op::CmpLt, true),
        0x16 => (Op::CmpLe, true),
        0x1a => (Op::CmpGtu, false),
        0x1e => (Op::CmpGeu, false),
        0x22 => (Op::CmpLtu, false),
        0x26 => (Op::CmpLeu, false),
        _ => return None,
    })
}

fn simd(w: Word) -> Option<Inst> {
    let bytes = w.f3() & 1 == 1;
    let class = if bytes { Class::SimdB } else { Class::SimdH };
    let imm6 = u32::from(w.rs2()) << 1 | w.f7() & 1;
    let form = w.f3() >> 1;
    if form == 1 {
        return None;
    }
    let Some((op, signed)) = simd_op(w.f7() & 0x7e) else { return lanes(w, class, bytes, imm6) };
    let accumulates = if matches!(op, Op::SdotUp | Op::SdotUsp | Op::SdotSp) { x(w.rd()) } else { 0 };
    let inst = if form == 3 {
        let value = if signed { ((imm6 << 26) as i32 >> 26) as u32 } else { imm6 };
        let splat = if bytes { (value & 0xff) * 0x0101_0101 } else { (value & 0xffff) * 0x0001_0001 };
        imm(w, class, op, splat as i32)
    } else {
        let mode = if form == 2 { Mode::Splat } else { Mode::Reg };
        Inst { mode, ..reg(w, class, op) }
    };
    Some(Inst { reads: inst.reads | accumulates, ..inst })
}

/// Operations that move lanes, and `abs`.
fn lanes(w: Word, class: Class, bytes: bool, imm6: u32) -> Option<Inst> {
    let keep = x(w.rd());
    let last = if bytes { 3 } else { 1 };
    let lane = |op, keeps| {
        (imm6 <= last).then(|| {
            let i = imm(w, class, op, imm6 as i32);
            Inst { reads: i.reads | keeps, ..i }
        })
    };
    let two = |op, keeps| {
        let i = reg(w, class, op);
        Some(Inst { reads: i.reads | keeps, ..i })
    };
    match (w.f3(), w.f7()) {
        (0 | 1, 0x38) if w.rs2() == 0 => Some(Inst { reads: x(w.rs1()), ..reg(w, class, Op::Abs) }),
        (6 | 7, 0x3c | 0x3d) => lane(Op::LaneExtract, 0),
        (6 | 7, 0x48 | 0x49) => lane(Op::LaneExtractU, 0),
        (6 | 7, 0x58 | 0x59) => lane(Op::LaneInsert, keep),
        (0 | 1, 0x60 | 0x61) => two(Op::Shuffle, 0),
        (0 | 1, 0x64 | 0x65) => two(Op::Shuffle2, keep),
        // Selectors of all lanes, two bits (bytes) or one bit each, as a constant of the shape `Shuffle` takes.
        (6, 0x60 | 0x61) => Some(imm(w, class, Op::Shuffle, ((imm6 & 1) | (imm6 >> 1 & 1) << 16) as i32)),
        (7, 0x60 | 0x61) => byte_shuffle(w, imm6, 0),
        (7, 0x74 | 0x75) => byte_shuffle(w, imm6, 1),
        (7, 0x78 | 0x79) => byte_shuffle(w, imm6, 2),
        (7, 0x7c | 0x7d) => byte_shuffle(w, imm6, 3),
        (0, 0x68) => two(Op::Pack, 0),
        (1, 0x6c | 0x6d) => two(Op::PackHi, keep),
        (1, 0x70 | 0x71) => two(Op::PackLo, keep),
        _ => None,
    }
}

fn byte_shuffle(w: Word, imm6: u32, last: u32) -> Option<Inst> {
    let select = (imm6 & 3) | (imm6 >> 2 & 3) << 8 | (imm6 >> 4 & 3) << 16 | last << 24;
    Some(imm(w, Class::SimdB, Op::Shuffle, select as i32))
}
