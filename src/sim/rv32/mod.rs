//! The RV32 core: decoding and execution of RV32IMFC with Xpulpv2.
//!
//! In: instruction words and operand values. Out: decoded instructions, results, register state. Never knows
//! the memory map, devices or other cores.

pub mod compressed;
pub mod decode;
pub mod decode_pulp;
pub mod float;
pub mod inst;
pub mod scalar;
pub mod simd;
pub mod soft;
pub mod state;

pub use inst::{Class, Inst, Mode, Op};
pub use state::CoreState;

/// Instructions a core has beyond RV32IMC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa {
    /// Single-precision float (F, with its compressed forms).
    pub float: bool,
    /// Xpulpv2 in RI5CY's encoding.
    pub xpulp: bool,
}
