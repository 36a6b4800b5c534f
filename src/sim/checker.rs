//! The checker: what real hardware lets pass.
//!
//! In: every access. Out: what is wrong with it. Never changes what the program computes or how long it takes.

/// Knows which bytes a program owns and what happened to them.
pub struct Checker {}

impl Checker {
    /// One access of a core.
    pub fn access(
        &mut self,
        _core: usize,
        _place: usize,
        _size: u32,
        _write: bool,
        _now: u64,
        _pc: u32,
    ) -> Result<(), String> {
        Ok(())
    }
}
