//! RV32IMFC against QEMU: random instruction streams must leave the same registers and the same memory.

use std::fmt::Write;
use std::process::Command;

use tilewright::sim::{self, Options, Status};

use super::assembly::assembly;

/// A small generator of random numbers, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as u32
    }
    fn below(&mut self, n: u32) -> u32 {
        self.next() % n
    }
    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u32) as usize]
    }
    /// Small numbers, extremes, and anything.
    fn word(&mut self) -> u32 {
        match self.below(6) {
            0 => self.below(4),
            1 => 0u32.wrapping_sub(self.below(4)),
            2 => [0x8000_0000, 0x7fff_ffff, 0xffff_8000, 0x0000_ffff][self.below(4) as usize],
            _ => self.next(),
        }
    }
    /// Floats of all kinds, NaNs and subnormal ones among them.
    fn float(&mut self) -> u32 {
        let special = [
            0,
            0x8000_0000,
            0x7f80_0000,
            0xff80_0000,
            0x7fc0_0000,
            0x7f80_0001,
            1,
            0x807f_ffff,
            0x0080_0000,
            0x7f7f_ffff,
        ];
        match self.below(4) {
            0 => special[self.below(special.len() as u32) as usize],
            // Near one, where sums cancel.
            1 => 0x3f80_0000 ^ (self.next() & 0x8fff_ffff & 0x80ff_ffff),
            2 => (self.next() % 2000) as i32 as f32 as u32,
            _ => self.next(),
        }
    }
}

/// Registers that streams compute with; `s0` points to the data, `s1` is a scratch register of jumps.
const INTEGER: &[&str] = &["a0", "a1", "a2", "a3", "a4", "a5", "t0", "t1", "t2", "t3", "s2", "s3", "zero"];
const FLOAT: &[&str] = &["fa0", "fa1", "fa2", "fa3", "fa4", "ft0", "ft1", "ft2", "fs0", "fs1"];
const MODES: &[&str] = &["", ", rne", ", rtz", ", rdn", ", rup", ", rmm", ", dyn"];

fn instruction(r: &mut Random, text: &mut String, label: &mut u32) {
    let x = |r: &mut Random| r.pick(INTEGER);
    let f = |r: &mut Random| r.pick(FLOAT);
    let line = match r.below(20) {
        0..=3 => {
            let op = r.pick(&["add", "sub", "sll", "slt", "sltu", "xor", "srl", "sra", "or", "and"]);
            format!("{op} {}, {}, {}", x(r), x(r), x(r))
        }
        4 | 5 => {
            let op = r.pick(&["addi", "slti", "sltiu", "xori", "ori", "andi"]);
            format!("{op} {}, {}, {}", x(r), x(r), r.below(4096) as i32 - 2048)
        }
        6 => format!("{} {}, {}, {}", r.pick(&["slli", "srli", "srai"]), x(r), x(r), r.below(32)),
        // The same register twice: what can be compressed is.
        7 => {
            let (op, to) = (r.pick(&["add", "sub", "xor", "or", "and"]), x(r));
            format!("{op} {to}, {to}, {}", x(r))
        }
        8 | 9 => {
            let op = r.pick(&["mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"]);
            format!("{op} {}, {}, {}", x(r), x(r), x(r))
        }
        10 => format!("lui {}, {}", x(r), r.below(1 << 20)),
        11 | 12 => memory(r),
        13 => {
            *label += 1;
            let (op, skipped) = (r.pick(&["beq", "bne", "blt", "bge", "bltu", "bgeu"]), x(r));
            format!("{op} {}, {}, 9{label}f\n addi {skipped}, {skipped}, 77\n9{label}:", x(r), x(r))
        }
        14 => {
            *label += 1;
            match r.below(3) {
                0 => format!("j 9{label}f\n li a0, 1\n9{label}:"),
                1 => format!("jal s1, 9{label}f\n li a1, 1\n9{label}:"),
                _ => format!("la s1, 9{label}f\n jalr s1, s1\n li a2, 1\n9{label}:"),
            }
        }
        15 | 16 => {
            let op = r.pick(&["fadd.s", "fsub.s", "fmul.s", "fdiv.s"]);
            let mode = r.pick(MODES);
            format!("{op} {}, {}, {}{mode}", f(r), f(r), f(r))
        }
        17 => {
            let op = r.pick(&["fmadd.s", "fmsub.s", "fnmadd.s", "fnmsub.s"]);
            let mode = r.pick(MODES);
            format!("{op} {}, {}, {}, {}{mode}", f(r), f(r), f(r), f(r))
        }
        18 => compare(r),
        _ => convert(r),
    };
    let _ = writeln!(text, " {line}");
}

fn memory(r: &mut Random) -> String {
    let (x, f) = (r.pick(INTEGER), r.pick(FLOAT));
    match r.below(8) {
        0 => format!("lw {x}, {}(s0)", 4 * r.below(32)),
        1 => format!("sw {x}, {}(s0)", 4 * r.below(32)),
        2 => format!("{} {x}, {}(s0)", r.pick(&["lb", "lbu"]), r.below(256) as i32 - 128),
        3 => format!("{} {x}, {}(s0)", r.pick(&["lh", "lhu"]), 2 * r.below(128) as i32 - 128),
        4 => format!("sb {x}, {}(s0)", r.below(256) as i32 - 128),
        5 => format!("sh {x}, {}(s0)", 2 * r.below(128) as i32 - 128),
        6 => format!("flw {f}, {}(s0)", 4 * r.below(32)),
        // Not aligned.
        _ => format!("{} {x}, {}(s0)", r.pick(&["lw", "lh", "sw"]), r.below(64)),
    }
}

fn compare(r: &mut Random) -> String {
    let (x, f, g, h) = (r.pick(INTEGER), r.pick(FLOAT), r.pick(FLOAT), r.pick(FLOAT));
    match r.below(4) {
        0 => format!("{} {x}, {f}, {g}", r.pick(&["feq.s", "flt.s", "fle.s"])),
        1 => format!("{} {h}, {f}, {g}", r.pick(&["fmin.s", "fmax.s"])),
        2 => format!("{} {h}, {f}, {g}", r.pick(&["fsgnj.s", "fsgnjn.s", "fsgnjx.s"])),
        _ => format!("fclass.s {x}, {f}"),
    }
}

fn convert(r: &mut Random) -> String {
    let (x, f, g) = (r.pick(INTEGER), r.pick(FLOAT), r.pick(FLOAT));
    let mode = r.pick(MODES);
    match r.below(8) {
        0 | 1 => format!("{} {x}, {f}{mode}", r.pick(&["fcvt.w.s", "fcvt.wu.s"])),
        2 => format!("{} {f}, {x}{mode}", r.pick(&["fcvt.s.w", "fcvt.s.wu"])),
        3 => format!("fmv.x.w {x}, {f}"),
        4 => format!("fmv.w.x {f}, {x}"),
        5 => format!("fsqrt.s {f}, {g}{mode}"),
        6 => format!("fsw {f}, {}(s0)", 4 * r.below(32)),
        _ => format!("csrwi frm, {}\n csrr {x}, fflags\n csrwi fflags, {}", r.below(5), r.below(32)),
    }
}

/// A program that runs a stream and sends its registers and its data to the serial port.
fn stream(seed: u64, length: usize) -> String {
    let mut r = Random(seed);
    let mut text = String::from(
        ".globl _start\n.text\n_start:\n li t0, 0x6000\n csrs mstatus, t0\n la s0, data\n addi s0, s0, 128\n",
    );
    for x in INTEGER.iter().filter(|x| **x != "zero") {
        let _ = writeln!(text, " li {x}, {}", r.word());
    }
    for f in FLOAT {
        let _ = writeln!(text, " li s1, {}\n fmv.w.x {f}, s1", r.float());
    }
    let mut label = 0;
    for _ in 0..length {
        instruction(&mut r, &mut text, &mut label);
        // New floats now and then, before everything is a NaN.
        if r.below(6) == 0 {
            let f = r.pick(FLOAT);
            let _ = writeln!(text, " li s1, {}\n fmv.w.x {f}, s1", r.float());
        }
        if r.below(12) == 0 {
            let x = r.pick(&INTEGER[..12]);
            let _ = writeln!(text, " li {x}, {}", r.word());
        }
        // A checkpoint: everything computed so far flows into what is compared.
        if r.below(8) == 0 {
            let (x, f) = (r.pick(INTEGER), r.pick(FLOAT));
            let _ = writeln!(
                text,
                " la s1, log_at\n lw s4, 0(s1)\n sw {x}, 0(s4)\n fsw {f}, 4(s4)\n addi s4, s4, 8\n sw s4, 0(s1)"
            );
        }
    }
    text += " csrr s4, fcsr\n la s1, registers\n sw s4, 0(s1)\n";
    for (i, x) in INTEGER.iter().enumerate() {
        let _ = writeln!(text, " sw {x}, {}(s1)", 4 * i + 4);
    }
    for (i, f) in FLOAT.iter().enumerate() {
        let _ = writeln!(text, " fsw {f}, {}(s1)", 64 + 4 * i);
    }
    text += "\n la a0, data\n la a1, end\n li a2, 0x10000000\n\
        1: lbu a3, 0(a0)\n sb a3, 0(a2)\n addi a0, a0, 1\n bne a0, a1, 1b\n li a3, 10\n sb a3, 0(a2)\n\
        li a0, 0x100000\n li a1, 0x5555\n sw a1, 0(a0)\n2: j 2b\n.data\n.balign 16\ndata:\n";
    for _ in 0..64 {
        let _ = writeln!(text, " .word {}", r.next());
    }
    // The address in `log_at` is the same for both: it is compared too.
    let _ = writeln!(text, "registers: .zero 128\nlog_at: .word log\nlog: .zero {}\nend:\n", 8 * length);
    text
}

/// What a program sends to QEMU's serial port.
fn qemu(elf: &[u8]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (program, output) = (dir.path().join("program.elf"), dir.path().join("serial"));
    std::fs::write(&program, elf).unwrap();
    let mut command = Command::new("qemu-system-riscv32");
    command.args(["-M", "virt", "-cpu", "rv32", "-display", "none", "-monitor", "none", "-bios", "none"]);
    command.arg("-serial").arg(format!("file:{}", output.display())).arg("-kernel").arg(&program);
    let run = command.output().unwrap_or_else(|e| {
        panic!(
            "qemu-system-riscv32 cannot be started ({e}): scripts/setup.sh qemu-system-riscv32 installs it"
        )
    });
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    std::fs::read(&output).unwrap()
}

#[test]
fn random_streams_end_as_on_qemu() {
    let soc = sim::soc("virt").unwrap();
    for seed in 0..12 {
        let elf = assembly(&stream(seed, 1500), 0x8000_0000);
        let theirs = qemu(&elf);
        let report =
            sim::simulate(&elf, &soc, &Options { max_cycles: Some(10_000_000), ..Options::default() });
        let report = report.unwrap();
        assert_eq!(report.status, Status::Exit(0), "seed {seed}");
        assert!(theirs.len() > 12_000, "seed {seed}: QEMU sent {} bytes", theirs.len());
        let at = report.stdout.iter().zip(&theirs).position(|(a, b)| a != b);
        assert!(
            at.is_none(),
            "seed {seed}: byte {} differs (data at 0, registers at 256, log at 388)",
            at.unwrap()
        );
        assert_eq!(report.stdout.len(), theirs.len(), "seed {seed}");
    }
}
