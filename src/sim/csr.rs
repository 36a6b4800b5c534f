//! Control and status registers.
//!
//! In: a core and a CSR instruction. Out: changed registers, or why the register cannot be used. Interrupts and
//! traps are not modelled: their registers only remember what is written. Numbers: archi/riscv/priv_1_10.h of the
//! SDK, which puts the set-up of the performance counters at 0xcc0 and 0xcc1.

use super::rv32::{CoreState, Inst, Mode, Op};
use super::soc::CoreSpec;

/// Carries out a CSR instruction at a time (in ticks).
pub fn access(c: &mut CoreState, spec: &CoreSpec, inst: &Inst, now: u64) -> Result<(), String> {
    let number = inst.imm as u32 & 0xfff;
    let old =
        read(c, spec, number, now).ok_or_else(|| format!("uses CSR {number:#x}, which it does not have"))?;
    let operand = if inst.mode == Mode::Imm { u32::from(inst.rs1) } else { c.get(inst.rs1) };
    let new = match inst.op {
        Op::Csrrw => operand,
        Op::Csrrs => old | operand,
        _ => old & !operand,
    };
    if inst.op == Op::Csrrw || inst.rs1 != 0 {
        write(c, spec, number, new, now);
    }
    c.set(inst.rd, old);
    Ok(())
}

fn machine_register(number: u32) -> Option<usize> {
    Some(match number {
        0x300 => 0,
        0x305 => 1,
        0x341 => 2,
        0x342 => 3,
        0x340 => 4,
        _ => return None,
    })
}

/// Cycles and instructions since reset.
fn totals(c: &CoreState, spec: &CoreSpec, now: u64) -> [u64; 2] {
    [now / spec.period, c.retired]
}

/// Whether performance counter `i` counts: enabled itself and as a whole.
fn counts(c: &CoreState, i: usize) -> bool {
    c.counter_enable[0] >> i & 1 == 1 && c.counter_enable[1] & 1 == 1
}

fn counter(c: &CoreState, i: usize, total: [u64; 2]) -> u64 {
    let more = if counts(c, i) { total[i].wrapping_sub(c.counter_since[i]) } else { 0 };
    c.counted[i].wrapping_add(more)
}

/// Brings the performance counters up to date before their set-up changes.
fn settle(c: &mut CoreState, total: [u64; 2]) {
    for i in 0..2 {
        c.counted[i] = counter(c, i, total);
        c.counter_since[i] = total[i];
    }
}

fn read(c: &CoreState, spec: &CoreSpec, number: u32, now: u64) -> Option<u32> {
    let loops = |i: usize| {
        let l = &c.loops[i];
        [l.start, l.end, l.count]
    };
    let has_loops = spec.isa.xpulp;
    let total = totals(c, spec, now);
    Some(match number {
        0x001 if spec.isa.float => u32::from(c.fflags),
        0x002 if spec.isa.float => u32::from(c.frm),
        0x003 if spec.isa.float => u32::from(c.frm) << 5 | u32::from(c.fflags),
        0x7c0..=0x7c2 if has_loops => loops(0)[(number - 0x7c0) as usize],
        0x7c4..=0x7c6 if has_loops => loops(1)[(number - 0x7c4) as usize],
        0xf14 => spec.hart,
        0xf11..=0xf13 => 0,
        0x301 => 0x4000_0000 | 1 << 8 | 1 << 12 | 1 << 2 | if spec.isa.float { 1 << 5 } else { 0 },
        // The cores have no other standard counters, and silicon not even this one.
        0xb00 | 0xc00 => total[0] as u32,
        0x780 | 0x781 => counter(c, (number - 0x780) as usize, total) as u32,
        // Events that are not modelled.
        0x782..=0x79f => 0,
        0xcc0 => c.counter_enable[0],
        0xcc1 => c.counter_enable[1],
        0x304 | 0x306 | 0x310 | 0x320 | 0x343 | 0x344 => 0,
        // The privilege level: always machine.
        0xc10 => 3,
        _ => c.machine.get(machine_register(number)?).copied()?,
    })
}

fn write(c: &mut CoreState, spec: &CoreSpec, number: u32, value: u32, now: u64) {
    settle(c, totals(c, spec, now));
    let l = &mut c.loops;
    match number {
        0x001 => c.fflags = value as u8 & 31,
        0x002 => c.frm = value as u8 & 7,
        0x003 => {
            c.fflags = value as u8 & 31;
            c.frm = (value >> 5) as u8 & 7;
        }
        0x7c0 => l[0].start = value,
        0x7c1 => l[0].end = value,
        0x7c2 => l[0].count = value,
        0x7c4 => l[1].start = value,
        0x7c5 => l[1].end = value,
        0x7c6 => l[1].count = value,
        0x780 | 0x781 => c.counted[(number - 0x780) as usize] = u64::from(value),
        // All counters at once.
        0x79f => c.counted = [u64::from(value); 2],
        0xcc0 => c.counter_enable[0] = value & 0x7fff_ffff,
        0xcc1 => c.counter_enable[1] = value,
        _ => {
            if let Some(register) = machine_register(number).and_then(|i| c.machine.get_mut(i)) {
                *register = value;
            }
        }
    }
}
