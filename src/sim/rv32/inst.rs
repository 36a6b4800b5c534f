//! Decoded instructions: what the decoder makes and the executor runs.
//!
//! In: nothing. Out: [`Inst`], [`Class`], [`Op`]. Never knows encodings or timing beyond the fixed cycles it carries.

/// How an instruction is executed: the outer dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Not decoded yet.
    Unknown,
    /// `rd = op(rs1, b)`, base integer arithmetic.
    Alu,
    /// `rd = op(rs1, b, rd)`, Xpulp scalar arithmetic.
    Scalar,
    /// SIMD on halfwords.
    SimdH,
    /// SIMD on bytes.
    SimdB,
    /// Division and remainder.
    Div,
    /// Memory read; `mode` is the addressing.
    Load,
    /// Memory write; `mode` is the addressing.
    Store,
    /// Conditional branch.
    Branch,
    /// `jal`.
    Jump,
    /// `jalr`.
    JumpRegister,
    /// Hardware loop set-up.
    Loop,
    /// Float arithmetic that uses the (shared) FPU.
    Float,
    /// Float division and square root.
    FloatDiv,
    /// Moves between register files.
    FloatMove,
    /// Float load.
    FloatLoad,
    /// Float store.
    FloatStore,
    /// Control and status registers.
    Csr,
    /// Everything else: fences, `wfi`, `ecall`.
    System,
    /// Not an instruction of this core.
    Illegal,
}

/// What is computed: the inner dispatch. Lane width and operands come from [`Class`] and [`Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[rustfmt::skip]
#[allow(missing_docs)]
pub enum Op {
    None,
    // Base integer and multiplication.
    Add, Sub, Sll, Slt, Sltu, Xor, Srl, Sra, Or, And, Lui, Mul, Mulh, Mulhsu, Mulhu,
    Div, Divu, Rem, Remu,
    // Branches.
    Beq, Bne, Blt, Bge, Bltu, Bgeu, BeqImm, BneImm,
    // Memory, by width and extension.
    B, H, W, Bu, Hu, EventLoad,
    // Hardware loops.
    LoopStart, LoopEnd, LoopCount, LoopCountImm, LoopSetup, LoopSetupImm,
    // Xpulp scalar.
    Abs, Sle, Sleu, Avgu, Min, Minu, Max, Maxu, Ror, Ff1, Fl1, Clb, Cnt, ExtHs, ExtHz, ExtBs, ExtBz,
    Clip, ClipU, Mac, Msu, Extract, ExtractU, Insert, Bclr, Bset,
    AddN, SubN, AddUn, SubUn, AddRn, SubRn, AddURn, SubURn,
    AddNr, SubNr, AddUnr, SubUnr, AddRnr, SubRnr, AddURnr, SubURnr,
    MulS, MulHhS, MulU, MulHhU, MulSRn, MulHhSRn, MulURn, MulHhURn,
    MacS, MacHhS, MacU, MacHhU, MacSRn, MacHhSRn, MacURn, MacHhURn,
    // SIMD that has no scalar name above.
    Avg, VSrl, VSra, VSll, DotUp, DotUsp, DotSp, SdotUp, SdotUsp, SdotSp,
    CmpEq, CmpNe, CmpGt, CmpGe, CmpLt, CmpLe, CmpGtu, CmpGeu, CmpLtu, CmpLeu,
    LaneExtract, LaneExtractU, LaneInsert, Shuffle, Shuffle2, ShuffleImm, Pack, PackHi, PackLo,
    // Float.
    Fadd, Fsub, Fmul, Fmadd, Fmsub, Fnmsub, Fnmadd, Fmin, Fmax, Fsgnj, Fsgnjn, Fsgnjx,
    Feq, Flt, Fle, Fclass, FcvtWs, FcvtWus, FcvtSw, FcvtSwu, FmvXw, FmvWx, Fdiv, Fsqrt,
    // System.
    Csrrw, Csrrs, Csrrc, Fence, Wfi, Mret, Ecall, Ebreak,
}

/// Where the second operand, or a memory address, comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// `rs2`; for memory `[rs1 + rs2]`.
    Reg,
    /// `imm`; for memory `[rs1 + imm]`.
    Imm,
    /// Lane 0 of `rs2` in all lanes.
    Splat,
    /// `[rs1]`, then `rs1 += imm`.
    PostImm,
    /// `[rs1]`, then `rs1 += rs3`.
    PostReg,
}

/// One instruction, ready to execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inst {
    /// Registers read: bit `r` integer, bit `32 + r` float. Decides load-use stalls.
    pub reads: u64,
    /// Immediate, branch offset, splatted constant; meaning depends on `class`.
    pub imm: i32,
    /// Outer dispatch.
    pub class: Class,
    /// Inner dispatch.
    pub op: Op,
    /// Operand mode.
    pub mode: Mode,
    /// Destination register.
    pub rd: u8,
    /// First source.
    pub rs1: u8,
    /// Second source.
    pub rs2: u8,
    /// Third source; rounding mode of float arithmetic that has no third source.
    pub rs3: u8,
    /// Length in bytes: 2 or 4.
    pub len: u8,
    /// Cycles without stalls, taken branches, division.
    pub cycles: u8,
    /// The result comes one cycle late, and the next instruction stalls if it reads it: `rd`, or 32 + `rd` if it is a
    /// float register; 0 for none.
    pub late: u8,
    /// Line (address / 16) of its last halfword.
    pub line: u32,
    /// Lies across a 16-byte fetch line.
    pub crosses: bool,
    /// Rounding mode of float instructions.
    pub rm: u8,
    /// Uses something that cores share: a memory, a float unit.
    pub shared: bool,
}

impl Inst {
    /// A slot that has not been decoded.
    pub const UNKNOWN: Inst = Inst {
        reads: 0,
        imm: 0,
        class: Class::Unknown,
        op: Op::None,
        mode: Mode::Reg,
        rd: 0,
        rs1: 0,
        rs2: 0,
        rs3: 0,
        len: 4,
        cycles: 1,
        late: 0,
        // No instruction's: the first fetch finds that it has to be decoded.
        line: u32::MAX - 1,
        crosses: false,
        rm: 0,
        shared: false,
    };
    /// Whether it writes memory.
    #[inline(always)]
    pub fn writes(&self) -> bool {
        matches!(self.class, Class::Store | Class::FloatStore)
    }
    /// The register that a store writes, numbered as in `reads`.
    pub fn data(&self) -> u8 {
        self.rs2 + if self.class == Class::FloatStore { 32 } else { 0 }
    }
    /// The register that gets the result, numbered as in `reads`; 0 for none.
    pub fn result(&self) -> u8 {
        let to_integer = matches!(
            self.op,
            Op::Feq | Op::Flt | Op::Fle | Op::Fclass | Op::FcvtWs | Op::FcvtWus | Op::FmvXw
        );
        match self.class {
            Class::Float | Class::FloatDiv | Class::FloatMove if !to_integer => self.rd + 32,
            Class::FloatLoad => self.rd + 32,
            Class::Loop => 0,
            _ => self.rd,
        }
    }
    /// The register that it copies to `result` unchanged, if that is all it does.
    pub fn copied(&self) -> Option<u8> {
        match (self.class, self.op, self.mode) {
            (Class::Alu, Op::Add, Mode::Imm) if self.imm == 0 => Some(self.rs1),
            (Class::Alu, Op::Add, Mode::Reg) if self.rs1 == 0 => Some(self.rs2),
            (Class::Float, Op::Fsgnj, _) if self.rs1 == self.rs2 => Some(self.rs1 + 32),
            (Class::FloatMove, Op::FmvXw, _) => Some(self.rs1 + 32),
            (Class::FloatMove, _, _) => Some(self.rs1),
            _ => None,
        }
    }
}
