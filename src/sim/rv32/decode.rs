//! Decoding of RV32IMFC; hands Xpulp words on to `decode_pulp`.
//!
//! In: an instruction word and the core's extensions. Out: an [`Inst`]; what the core lacks becomes
//! [`Class::Illegal`]. Never fails and never executes. Source: RISC-V unprivileged specification 20191213.

use super::compressed::expand;
use super::inst::{Class, Inst, Mode, Op};
use super::{Isa, decode_pulp};

/// Decodes the instruction that starts with `word` at `pc`; only the low half counts if it is compressed.
pub fn decode(word: u32, pc: u32, isa: Isa) -> Inst {
    let compressed = word & 3 != 3;
    let full = if compressed { expand(word as u16, isa.float) } else { Some(word) };
    let mut inst =
        full.and_then(|w| decode_word(w, pc, isa)).unwrap_or(Inst { class: Class::Illegal, ..Inst::UNKNOWN });
    inst.len = if compressed { 2 } else { 4 };
    inst.crosses = !compressed && pc & 15 == 14;
    inst.line = pc.wrapping_add(u32::from(inst.len) - 2) >> 4;
    inst.shared = matches!(
        inst.class,
        Class::Load | Class::Store | Class::Float | Class::FloatDiv | Class::FloatLoad | Class::FloatStore
    );
    inst
}

/// The fields of an instruction word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word(pub u32);

impl Word {
    pub fn op(self) -> u32 {
        self.0 & 0x7f
    }
    pub fn rd(self) -> u8 {
        (self.0 >> 7 & 31) as u8
    }
    pub fn f3(self) -> u32 {
        self.0 >> 12 & 7
    }
    pub fn rs1(self) -> u8 {
        (self.0 >> 15 & 31) as u8
    }
    pub fn rs2(self) -> u8 {
        (self.0 >> 20 & 31) as u8
    }
    pub fn rs3(self) -> u8 {
        (self.0 >> 27) as u8
    }
    pub fn f7(self) -> u32 {
        self.0 >> 25
    }
    pub fn imm_i(self) -> i32 {
        self.0 as i32 >> 20
    }
    pub fn imm_s(self) -> i32 {
        (self.0 as i32 >> 25) << 5 | (self.0 >> 7 & 31) as i32
    }
    pub fn imm_b(self) -> i32 {
        let w = self.0;
        (w as i32 >> 31) << 12 | ((w >> 7 & 1) << 11 | (w >> 25 & 0x3f) << 5 | (w >> 8 & 15) << 1) as i32
    }
    pub fn imm_j(self) -> i32 {
        let w = self.0;
        (w as i32 >> 31) << 20 | (w & 0xff000 | (w >> 20 & 1) << 11 | (w >> 21 & 0x3ff) << 1) as i32
    }
    pub fn imm_u(self) -> i32 {
        (self.0 & 0xffff_f000) as i32
    }
}

/// The bit of an integer register in [`Inst::reads`].
pub(super) fn x(r: u8) -> u64 {
    // x0 never stalls anybody.
    if r == 0 { 0 } else { 1 << r }
}

/// The bit of a float register in [`Inst::reads`].
pub(super) fn f(r: u8) -> u64 {
    1 << (32 + u32::from(r))
}

/// `rd = op(rs1, rs2)`.
pub(super) fn reg(w: Word, class: Class, op: Op) -> Inst {
    let (rd, rs1, rs2) = (w.rd(), w.rs1(), w.rs2());
    Inst { class, op, rd, rs1, rs2, reads: x(rs1) | x(rs2), ..Inst::UNKNOWN }
}

/// `rd = op(rs1, imm)`.
pub(super) fn imm(w: Word, class: Class, op: Op, imm: i32) -> Inst {
    let (rd, rs1) = (w.rd(), w.rs1());
    Inst { class, op, mode: Mode::Imm, rd, rs1, imm, reads: x(rs1), ..Inst::UNKNOWN }
}

fn decode_word(word: u32, pc: u32, isa: Isa) -> Option<Inst> {
    let w = Word(word);
    let inst = match w.op() {
        0x37 => Inst { rs1: 0, reads: 0, ..imm(w, Class::Alu, Op::Lui, w.imm_u()) },
        0x17 => Inst { rs1: 0, reads: 0, ..imm(w, Class::Alu, Op::Lui, w.imm_u().wrapping_add(pc as i32)) },
        0x6f => Inst { rs1: 0, reads: 0, cycles: 2, ..imm(w, Class::Jump, Op::None, w.imm_j()) },
        0x67 if w.f3() == 0 => Inst { cycles: 2, ..imm(w, Class::JumpRegister, Op::None, w.imm_i()) },
        0x63 => return branch(w, isa),
        0x03 => return load(w, isa),
        0x23 => return store(w, isa),
        0x13 => return op_imm(w),
        0x33 => return op_reg(w).or_else(|| decode_pulp::scalar(w).filter(|_| isa.xpulp)),
        0x0f => Inst { class: Class::System, op: Op::Fence, ..Inst::UNKNOWN },
        0x73 => return system(w),
        0x07 if isa.float && w.f3() == 2 => {
            let mut i = imm(w, Class::FloatLoad, Op::W, w.imm_i());
            i.late = 32 + i.rd;
            i
        }
        0x27 if isa.float && w.f3() == 2 => {
            let (rs1, rs2) = (w.rs1(), w.rs2());
            let reads = x(rs1) | f(rs2);
            Inst {
                class: Class::FloatStore,
                mode: Mode::Imm,
                rs1,
                rs2,
                imm: w.imm_s(),
                reads,
                ..Inst::UNKNOWN
            }
        }
        0x43 | 0x47 | 0x4b | 0x4f if isa.float => return fused(w),
        0x53 if isa.float => return float(w),
        _ if isa.xpulp => return decode_pulp::word(w),
        _ => return None,
    };
    Some(inst)
}

fn branch(w: Word, isa: Isa) -> Option<Inst> {
    let op = match w.f3() {
        0 => Op::Beq,
        1 => Op::Bne,
        2 if isa.xpulp => Op::BeqImm,
        3 if isa.xpulp => Op::BneImm,
        4 => Op::Blt,
        5 => Op::Bge,
        6 => Op::Bltu,
        7 => Op::Bgeu,
        _ => return None,
    };
    let inst = Inst { rd: 0, imm: w.imm_b(), ..reg(w, Class::Branch, op) };
    Some(if matches!(op, Op::BeqImm | Op::BneImm) { Inst { reads: x(w.rs1()), ..inst } } else { inst })
}

/// Width and extension of a load by its `funct3`.
pub(super) fn load_width(f3: u32) -> Option<Op> {
    Some(match f3 {
        0 => Op::B,
        1 => Op::H,
        2 => Op::W,
        4 => Op::Bu,
        5 => Op::Hu,
        _ => return None,
    })
}

fn load(w: Word, isa: Isa) -> Option<Inst> {
    if isa.xpulp && w.f3() == 7 {
        let inst = reg(w, Class::Load, decode_pulp::load_width_by_f7(w)?);
        return Some(Inst { late: inst.rd, ..inst });
    }
    let op = match w.f3() {
        6 if isa.xpulp => Op::EventLoad,
        f3 => load_width(f3)?,
    };
    Some(Inst { late: w.rd(), ..imm(w, Class::Load, op, w.imm_i()) })
}

fn store(w: Word, isa: Isa) -> Option<Inst> {
    let inst = reg(w, Class::Store, Op::None);
    let op = match w.f3() & 3 {
        0 => Op::B,
        1 => Op::H,
        2 => Op::W,
        _ => return None,
    };
    if w.f3() < 4 {
        return Some(Inst { op, rd: 0, mode: Mode::Imm, imm: w.imm_s(), ..inst });
    }
    // [rs1 + r3] with r3 in the place of rd.
    let r3 = w.rd();
    let inst = Inst { op, rd: 0, rs3: r3, mode: Mode::Reg, reads: inst.reads | x(r3), ..inst };
    (isa.xpulp && w.f7() == 0).then_some(inst)
}

fn op_imm(w: Word) -> Option<Inst> {
    let shift = w.imm_i() & 31;
    let (op, value) = match (w.f3(), w.f7()) {
        (0, _) => (Op::Add, w.imm_i()),
        (2, _) => (Op::Slt, w.imm_i()),
        (3, _) => (Op::Sltu, w.imm_i()),
        (4, _) => (Op::Xor, w.imm_i()),
        (6, _) => (Op::Or, w.imm_i()),
        (7, _) => (Op::And, w.imm_i()),
        (1, 0) => (Op::Sll, shift),
        (5, 0) => (Op::Srl, shift),
        (5, 0x20) => (Op::Sra, shift),
        _ => return None,
    };
    Some(imm(w, Class::Alu, op, value))
}

fn op_reg(w: Word) -> Option<Inst> {
    let (op, cycles) = match (w.f7(), w.f3()) {
        (0, 0) => (Op::Add, 1),
        (0x20, 0) => (Op::Sub, 1),
        (0, 1) => (Op::Sll, 1),
        (0, 2) => (Op::Slt, 1),
        (0, 3) => (Op::Sltu, 1),
        (0, 4) => (Op::Xor, 1),
        (0, 5) => (Op::Srl, 1),
        (0x20, 5) => (Op::Sra, 1),
        (0, 6) => (Op::Or, 1),
        (0, 7) => (Op::And, 1),
        (1, 0) => (Op::Mul, 2),
        (1, 1) => (Op::Mulh, 5),
        (1, 2) => (Op::Mulhsu, 5),
        (1, 3) => (Op::Mulhu, 5),
        (1, 4) => (Op::Div, 1),
        (1, 5) => (Op::Divu, 1),
        (1, 6) => (Op::Rem, 1),
        (1, 7) => (Op::Remu, 1),
        _ => return None,
    };
    let divides = matches!(op, Op::Div | Op::Divu | Op::Rem | Op::Remu);
    let class = if divides { Class::Div } else { Class::Alu };
    Some(Inst { cycles, late: if cycles > 1 { w.rd() } else { 0 }, ..reg(w, class, op) })
}

fn system(w: Word) -> Option<Inst> {
    let plain = |op, cycles| Some(Inst { class: Class::System, op, cycles, ..Inst::UNKNOWN });
    match w.0 {
        0x0000_0073 => return plain(Op::Ecall, 1),
        0x0010_0073 => return plain(Op::Ebreak, 1),
        0x3020_0073 => return plain(Op::Mret, 5),
        0x1050_0073 => return plain(Op::Wfi, 1),
        _ => {}
    }
    let op = match w.f3() & 3 {
        1 => Op::Csrrw,
        2 => Op::Csrrs,
        3 => Op::Csrrc,
        _ => return None,
    };
    let inst = imm(w, Class::Csr, op, (w.0 >> 20) as i32);
    // With an immediate operand, `rs1` is the value.
    Some(if w.f3() & 4 != 0 { Inst { reads: 0, ..inst } } else { Inst { mode: Mode::Reg, ..inst } })
}

fn rounding(w: Word) -> Option<u8> {
    let rm = w.f3();
    (rm != 5 && rm != 6).then_some(rm as u8)
}

fn fused(w: Word) -> Option<Inst> {
    let op = match w.op() {
        0x43 => Op::Fmadd,
        0x47 => Op::Fmsub,
        0x4b => Op::Fnmsub,
        _ => Op::Fnmadd,
    };
    if w.0 >> 25 & 3 != 0 {
        return None;
    }
    let (rs1, rs2, rs3) = (w.rs1(), w.rs2(), w.rs3());
    let reads = f(rs1) | f(rs2) | f(rs3);
    Some(Inst {
        class: Class::Float,
        op,
        rd: w.rd(),
        rs1,
        rs2,
        rs3,
        reads,
        rm: rounding(w)?,
        ..Inst::UNKNOWN
    })
}

fn float(w: Word) -> Option<Inst> {
    let (rs1, rs2) = (w.rs1(), w.rs2());
    let make = |class, op, reads, rm: Option<u8>| {
        Some(Inst { class, op, rd: w.rd(), rs1, rs2, reads, rm: rm?, ..Inst::UNKNOWN })
    };
    let two = f(rs1) | f(rs2);
    let rm = rounding(w);
    match (w.f7(), w.f3(), rs2) {
        (0x00, _, _) => make(Class::Float, Op::Fadd, two, rm),
        (0x04, _, _) => make(Class::Float, Op::Fsub, two, rm),
        (0x08, _, _) => make(Class::Float, Op::Fmul, two, rm),
        (0x0c, _, _) => make(Class::FloatDiv, Op::Fdiv, two, rm),
        (0x2c, _, 0) => make(Class::FloatDiv, Op::Fsqrt, f(rs1), rm),
        (0x10, 0, _) => make(Class::Float, Op::Fsgnj, two, Some(0)),
        (0x10, 1, _) => make(Class::Float, Op::Fsgnjn, two, Some(0)),
        (0x10, 2, _) => make(Class::Float, Op::Fsgnjx, two, Some(0)),
        (0x14, 0, _) => make(Class::Float, Op::Fmin, two, Some(0)),
        (0x14, 1, _) => make(Class::Float, Op::Fmax, two, Some(0)),
        (0x50, 2, _) => make(Class::Float, Op::Feq, two, Some(0)),
        (0x50, 1, _) => make(Class::Float, Op::Flt, two, Some(0)),
        (0x50, 0, _) => make(Class::Float, Op::Fle, two, Some(0)),
        (0x60, _, 0) => make(Class::Float, Op::FcvtWs, f(rs1), rm),
        (0x60, _, 1) => make(Class::Float, Op::FcvtWus, f(rs1), rm),
        (0x68, _, 0) => make(Class::Float, Op::FcvtSw, x(rs1), rm),
        (0x68, _, 1) => make(Class::Float, Op::FcvtSwu, x(rs1), rm),
        (0x70, 1, 0) => make(Class::Float, Op::Fclass, f(rs1), Some(0)),
        (0x70, 0, 0) => make(Class::FloatMove, Op::FmvXw, f(rs1), Some(0)),
        (0x78, 0, 0) => make(Class::FloatMove, Op::FmvWx, x(rs1), Some(0)),
        _ => None,
    }
}
