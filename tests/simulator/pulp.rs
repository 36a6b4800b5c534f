//! Xpulpv2 against definitions of its own: written from the instruction tables, on lanes and wide integers, without
//! a line of the simulator's.

use std::fmt::Write;

use tilewright::sim::{self, Options, Status};

use super::assembly::assembly;

/// Operands: rs1, rs2, old rd.
type Operands = [u32; 3];

/// What an instruction leaves in rd.
type Definition = Box<dyn Fn(Operands) -> u32>;

/// One instruction: its name, the `.insn` text with `{d}`, `{a}`, `{b}` for registers, and what it does.
struct Case {
    name: String,
    text: String,
    definition: Definition,
}

fn case(name: impl Into<String>, text: impl Into<String>, f: impl Fn(Operands) -> u32 + 'static) -> Case {
    Case { name: name.into(), text: text.into(), definition: Box::new(f) }
}

/// R-type with three registers.
fn r(op: u32, f3: u32, f7: u32) -> String {
    format!(".insn r {op:#x}, {f3}, {f7:#x}, {{d}}, {{a}}, {{b}}")
}

/// R-type with a number in the place of rs2.
fn rn(op: u32, f3: u32, f7: u32, number: u32) -> String {
    format!(".insn r {op:#x}, {f3}, {f7:#x}, {{d}}, {{a}}, x{number}")
}

fn s(v: u32) -> i64 {
    i64::from(v as i32)
}

fn wrap(v: i64) -> u32 {
    v as u32
}

/// Bits `width` wide from `start`, as a mask; nothing beyond bit 31.
fn mask(width: u32, start: u32) -> u32 {
    (0..width).map(|i| start + i).filter(|i| *i < 32).fold(0, |m, i| m | 1 << i)
}

fn scalar(all: &mut Vec<Case>) {
    all.push(case("p.abs", rn(0x33, 0, 2, 0), |[a, _, _]| wrap(s(a).abs())));
    all.push(case("p.avgu", r(0x33, 1, 2), |[a, b, _]| (u64::from(a) + u64::from(b)) as u32 / 2));
    all.push(case("p.slet", r(0x33, 2, 2), |[a, b, _]| u32::from(s(a) <= s(b))));
    all.push(case("p.sletu", r(0x33, 3, 2), |[a, b, _]| u32::from(a <= b)));
    all.push(case("p.min", r(0x33, 4, 2), |[a, b, _]| if s(a) < s(b) { a } else { b }));
    all.push(case("p.minu", r(0x33, 5, 2), |[a, b, _]| if a < b { a } else { b }));
    all.push(case("p.max", r(0x33, 6, 2), |[a, b, _]| if s(a) > s(b) { a } else { b }));
    all.push(case("p.maxu", r(0x33, 7, 2), |[a, b, _]| if a > b { a } else { b }));
    all.push(case("p.ror", r(0x33, 5, 4), |[a, b, _]| {
        let twice = u64::from(a) << 32 | u64::from(a);
        (twice >> (b % 32)) as u32
    }));
    let set = |a: u32| (0..32).filter(move |i| a >> i & 1 == 1);
    all.push(case("p.ff1", rn(0x33, 0, 8, 0), move |[a, _, _]| set(a).next().unwrap_or(32)));
    all.push(case("p.fl1", rn(0x33, 1, 8, 0), move |[a, _, _]| set(a).next_back().unwrap_or(32)));
    all.push(case("p.clb", rn(0x33, 2, 8, 0), |[a, _, _]| {
        let like_the_sign = (0..31).rev().take_while(|i| a >> i & 1 == a >> 31).count() as u32;
        if a == 0 { 0 } else { like_the_sign }
    }));
    all.push(case("p.cnt", rn(0x33, 3, 8, 0), move |[a, _, _]| set(a).count() as u32));
    all.push(case(
        "p.exths",
        rn(0x33, 4, 8, 0),
        |[a, _, _]| if a & 0x8000 != 0 { a | 0xffff_0000 } else { a & 0xffff },
    ));
    all.push(case("p.exthz", rn(0x33, 5, 8, 0), |[a, _, _]| a % 65536));
    all.push(case(
        "p.extbs",
        rn(0x33, 6, 8, 0),
        |[a, _, _]| if a & 0x80 != 0 { a | 0xffff_ff00 } else { a & 0xff },
    ));
    all.push(case("p.extbz", rn(0x33, 7, 8, 0), |[a, _, _]| a % 256));
    for i in 0..32 {
        let top = if i < 2 { 0 } else { (1i64 << (i - 1)) - 1 };
        let bottom = if i < 2 { -1 } else { -(1i64 << (i - 1)) };
        all.push(case(format!("p.clip {i}"), rn(0x33, 1, 0xa, i), move |[a, _, _]| {
            wrap(s(a).max(bottom).min(top))
        }));
        all.push(case(format!("p.clipu {i}"), rn(0x33, 2, 0xa, i), move |[a, _, _]| {
            wrap(s(a).max(0).min(top))
        }));
    }
    // Bounds that are not negative; others are not defined.
    all.push(case("p.clipr", format!("srli {{b}}, {{b}}, 1\n {}", r(0x33, 5, 0xa)), |[a, b, _]| {
        let b = s(b >> 1);
        wrap(s(a).max(-b - 1).min(b))
    }));
    all.push(case("p.clipur", format!("srli {{b}}, {{b}}, 1\n {}", r(0x33, 6, 0xa)), |[a, b, _]| {
        wrap(s(a).max(0).min(s(b >> 1)))
    }));
    all.push(case("p.mac", r(0x33, 0, 0x21), |[a, b, d]| {
        (u64::from(d) + u64::from(a) * u64::from(b)) as u32
    }));
    all.push(case("p.msu", r(0x33, 1, 0x21), |[a, b, d]| {
        (i128::from(d) - i128::from(a) * i128::from(b)) as u32
    }));
}

fn extract(a: u32, width: u32, start: u32, signed: bool) -> u32 {
    let width = width.min(32 - start);
    let value = (u64::from(a) >> start) % (1u64 << width);
    let negative = signed && value >> (width - 1) == 1;
    if negative { value.wrapping_sub(1u64 << width) as u32 } else { value as u32 }
}

/// Bit fields by immediate and by register.
fn fields(all: &mut Vec<Case>) {
    type Field = fn(Operands, u32, u32) -> u32;
    let ops: [(&str, Field); 5] = [
        ("extract", |[a, _, _], w, i| extract(a, w, i, true)),
        ("extractu", |[a, _, _], w, i| extract(a, w, i, false)),
        ("insert", |[a, _, d], w, i| {
            let m = mask(w, i);
            d & !m | ((u64::from(a) << i) as u32) & m
        }),
        ("bclr", |[a, _, _], w, i| a & !mask(w, i)),
        ("bset", |[a, _, _], w, i| a | mask(w, i)),
    ];
    for (f3, (name, op)) in ops.into_iter().enumerate() {
        for (w, i) in [(1, 0), (1, 31), (4, 3), (8, 24), (16, 20), (32, 0), (32, 7), (17, 15)] {
            let text = rn(0x33, f3 as u32, 0x60 | (w - 1), i);
            all.push(case(format!("p.{name} {w},{i}"), text, move |x| op(x, w, i)));
        }
        let by_register = move |x: Operands| op(x, (x[1] >> 5) % 32 + 1, x[1] % 32);
        all.push(case(format!("p.{name}r"), r(0x33, f3 as u32, 0x40), by_register));
    }
}

/// Sums and products that are shifted.
fn rounding(all: &mut Vec<Case>) {
    let half = |n: u32| if n == 0 { 0 } else { 1i64 << (n - 1) };
    let shift = |v: u32, n: u32, signed: bool| if signed { (s(v) >> n) as u32 } else { v >> n };
    for n in [0, 1, 7, 15, 16, 31] {
        for (f3, minus, round) in [(2, false, false), (3, true, false), (6, false, true), (7, true, true)] {
            for signed in [true, false] {
                let high = if signed { 0 } else { 0x40 };
                let extra = move |n| if round { half(n) } else { 0 };
                let sum = move |x: u32, y: u32| if minus { s(x) - s(y) } else { s(x) + s(y) };
                all.push(case(format!("addN {f3} {n} {signed}"), r(0x5b, f3, high | n), move |[a, b, _]| {
                    shift(wrap(sum(a, b) + extra(n)), n, signed)
                }));
                if n == 0 {
                    all.push(case(
                        format!("addNr {f3} {signed}"),
                        r(0x5b, f3, high | 0x20),
                        move |[a, b, d]| shift(wrap(sum(d, a) + extra(b % 32)), b % 32, signed),
                    ));
                }
            }
        }
        for signed in [true, false] {
            for high in [false, true] {
                let f7 = n | if signed { 0x40 } else { 0 } | if high { 0x20 } else { 0 };
                let product = move |a: u32, b: u32| {
                    let part = |v: u32| if high { v >> 16 } else { v & 0xffff };
                    let value = |v: u32| if signed { i64::from(part(v) as i16) } else { i64::from(part(v)) };
                    value(a) * value(b)
                };
                all.push(case(format!("mulN {f7:#x}"), r(0x5b, 0, f7), move |[a, b, _]| {
                    shift(wrap(product(a, b)), n, signed)
                }));
                all.push(case(format!("macN {f7:#x}"), r(0x5b, 1, f7), move |[a, b, d]| {
                    shift(wrap(product(a, b) + s(d)), n, signed)
                }));
                all.push(case(format!("mulRN {f7:#x}"), r(0x5b, 4, f7), move |[a, b, _]| {
                    shift(wrap(product(a, b) + half(n)), n, signed)
                }));
                all.push(case(format!("macRN {f7:#x}"), r(0x5b, 5, f7), move |[a, b, d]| {
                    // The sum wraps, its rounding does not.
                    let sum = wrap(product(a, b) + s(d));
                    let sum = if signed { s(sum) } else { i64::from(sum) };
                    ((sum + half(n)) >> n) as u32
                }));
            }
        }
    }
}

/// Lanes of a word as signed or unsigned numbers.
fn lanes(v: u32, bits: u32, signed: bool) -> Vec<i64> {
    let whole = 1i64 << bits;
    let lane = |k: u32| i64::from(v >> (k * bits)) % whole;
    let sign = |x: i64| if signed && x >= whole / 2 { x - whole } else { x };
    (0..32 / bits).map(|k| sign(lane(k))).collect()
}

fn join(lanes: &[i64], bits: u32) -> u32 {
    lanes.iter().enumerate().fold(0, |v, (k, x)| v | ((*x as u32) & mask(bits, 0)) << (k as u32 * bits))
}

/// Base of `funct7`, name, whether lanes are signed (both operands), and what happens to a pair of lanes.
type LaneOp = (u32, &'static str, bool, fn(i64, i64, u32) -> i64);

const LANE_OPS: &[LaneOp] = &[
    (0x00, "add", true, |a, b, _| a + b),
    (0x04, "sub", true, |a, b, _| a - b),
    (0x08, "avg", true, |a, b, n| {
        // The sum wraps to the lane before it is halved.
        let sum = (a + b).rem_euclid(1 << n);
        (if sum >= 1 << (n - 1) { sum - (1 << n) } else { sum }) >> 1
    }),
    (0x0c, "avgu", false, |a, b, n| ((a + b) % (1 << n)) / 2),
    (0x10, "min", true, |a, b, _| a.min(b)),
    (0x14, "minu", false, |a, b, _| a.min(b)),
    (0x18, "max", true, |a, b, _| a.max(b)),
    (0x1c, "maxu", false, |a, b, _| a.max(b)),
    (0x20, "srl", false, |a, b, n| a >> (b % i64::from(n))),
    (0x24, "sra", true, |a, b, n| a >> b.rem_euclid(i64::from(n))),
    (0x28, "sll", false, |a, b, n| a << (b % i64::from(n))),
    (0x2c, "or", true, |a, b, _| a | b),
    (0x30, "xor", true, |a, b, _| a ^ b),
    (0x34, "and", true, |a, b, _| a & b),
    (0x02, "cmpeq", true, |a, b, _| -i64::from(a == b)),
    (0x06, "cmpne", true, |a, b, _| -i64::from(a != b)),
    (0x0a, "cmpgt", true, |a, b, _| -i64::from(a > b)),
    (0x0e, "cmpge", true, |a, b, _| -i64::from(a >= b)),
    (0x12, "cmplt", true, |a, b, _| -i64::from(a < b)),
    (0x16, "cmple", true, |a, b, _| -i64::from(a <= b)),
    (0x1a, "cmpgtu", false, |a, b, _| -i64::from(a > b)),
    (0x1e, "cmpgeu", false, |a, b, _| -i64::from(a >= b)),
    (0x22, "cmpltu", false, |a, b, _| -i64::from(a < b)),
    (0x26, "cmpleu", false, |a, b, _| -i64::from(a <= b)),
];

/// The six forms of a SIMD instruction: width, and how the second operand is made from rs2 or an immediate.
fn forms(signed: bool) -> Vec<(u32, u32, &'static str, Option<u32>)> {
    let mut all = vec![(0, 16, "h", None), (1, 8, "b", None), (4, 16, "sc.h", None), (5, 8, "sc.b", None)];
    let _ = signed;
    for imm in [0, 1, 5, 31, 32, 40, 63] {
        all.push((6, 16, "sci.h", Some(imm)));
        all.push((7, 8, "sci.b", Some(imm)));
    }
    all
}

/// Lanes of the second operand.
fn second(b: u32, f3: u32, bits: u32, signed: bool, imm: Option<u32>) -> Vec<i64> {
    let n = (32 / bits) as usize;
    match imm {
        Some(imm) => {
            let value = if signed && imm >= 32 { i64::from(imm) - 64 } else { i64::from(imm) };
            vec![value; n]
        }
        None if f3 >= 4 => vec![lanes(b, bits, signed)[0]; n],
        None => lanes(b, bits, signed),
    }
}

fn simd_text(f3: u32, base: u32, imm: Option<u32>) -> String {
    match imm {
        None => r(0x57, f3, base),
        Some(imm) => rn(0x57, f3, base | imm & 1, imm >> 1),
    }
}

fn simd(all: &mut Vec<Case>) {
    for (base, name, signed, op) in LANE_OPS {
        for (f3, bits, form, imm) in forms(*signed) {
            let (signed, op) = (*signed, *op);
            all.push(case(
                format!("pv.{name}.{form} {imm:?}"),
                simd_text(f3, *base, imm),
                move |[a, b, _]| {
                    let pairs = lanes(a, bits, signed).into_iter().zip(second(b, f3, bits, signed, imm));
                    join(&pairs.map(|(x, y)| op(x, y, bits)).collect::<Vec<_>>(), bits)
                },
            ));
        }
    }
    for (f3, bits) in [(0, 16), (1, 8)] {
        all.push(case(format!("pv.abs {bits}"), rn(0x57, f3, 0x38, 0), move |[a, _, _]| {
            join(&lanes(a, bits, true).iter().map(|x| x.abs()).collect::<Vec<_>>(), bits)
        }));
    }
    let dots = [("up", 0x40, false, false), ("usp", 0x44, false, true), ("sp", 0x4c, true, true)];
    for (name, base, left, right) in dots {
        for (accumulate, base) in [(false, base), (true, base + 0x10)] {
            for (f3, bits, form, imm) in forms(right) {
                let text = simd_text(f3, base, imm);
                all.push(case(format!("dot{name}.{form} {imm:?} {accumulate}"), text, move |[a, b, d]| {
                    let pairs = lanes(a, bits, left).into_iter().zip(second(b, f3, bits, right, imm));
                    let start = if accumulate { i64::from(d) } else { 0 };
                    wrap(start + pairs.map(|(x, y)| x * y).sum::<i64>())
                }));
            }
        }
    }
}

fn moves(all: &mut Vec<Case>) {
    for (f3, bits) in [(6, 16), (7, 8)] {
        for i in 0..32 / bits {
            let at = move |base: u32| rn(0x57, f3, base | i & 1, i >> 1);
            all.push(case(format!("extract {bits} {i}"), at(0x3c), move |[a, _, _]| {
                wrap(lanes(a, bits, true)[i as usize])
            }));
            all.push(case(format!("extractu {bits} {i}"), at(0x48), move |[a, _, _]| {
                wrap(lanes(a, bits, false)[i as usize])
            }));
            all.push(case(format!("insert {bits} {i}"), at(0x58), move |[a, _, d]| {
                let mut result = lanes(d, bits, false);
                result[i as usize] = lanes(a, bits, false)[0];
                join(&result, bits)
            }));
        }
    }
    for (f3, bits) in [(0, 16), (1, 8)] {
        let n = i64::from(32 / bits);
        all.push(case(format!("shuffle {bits}"), r(0x57, f3, 0x60), move |[a, b, _]| {
            let from = lanes(a, bits, false);
            join(&lanes(b, bits, false).iter().map(|k| from[(k % n) as usize]).collect::<Vec<_>>(), bits)
        }));
        all.push(case(format!("shuffle2 {bits}"), r(0x57, f3, 0x64), move |[a, b, d]| {
            let (own, old) = (lanes(a, bits, false), lanes(d, bits, false));
            let pick = |k: &i64| if (k / n) % 2 == 1 { own[(k % n) as usize] } else { old[(k % n) as usize] };
            join(&lanes(b, bits, false).iter().map(pick).collect::<Vec<_>>(), bits)
        }));
    }
    for imm in 0..4 {
        all.push(case(
            format!("shuffle.sci.h {imm}"),
            rn(0x57, 6, 0x60 | imm & 1, imm >> 1),
            move |[a, _, _]| {
                let from = lanes(a, 16, false);
                join(&[from[(imm & 1) as usize], from[(imm >> 1 & 1) as usize]], 16)
            },
        ));
    }
    for (i, base) in [0x60, 0x74, 0x78, 0x7c].into_iter().enumerate() {
        for imm in [0, 27, 36, 57, 63] {
            all.push(case(
                format!("shuffleI{i} {imm}"),
                rn(0x57, 7, base | imm & 1, imm >> 1),
                move |[a, _, _]| {
                    let from = lanes(a, 8, false);
                    let pick = |k: u32| from[(imm >> (2 * k) & 3) as usize];
                    join(&[pick(0), pick(1), pick(2), from[i]], 8)
                },
            ));
        }
    }
    all.push(case("pack.h", r(0x57, 0, 0x68), |[a, b, _]| (a % 65536) << 16 | (b % 65536)));
    all.push(case("packhi.b", r(0x57, 1, 0x6c), |[a, b, d]| (a % 256) << 24 | (b % 256) << 16 | (d % 65536)));
    all.push(case("packlo.b", r(0x57, 1, 0x70), |[a, b, d]| d / 65536 * 65536 + (a % 256) * 256 + b % 256));
}

fn operands() -> Vec<Operands> {
    let mut all = vec![[0; 3], [u32::MAX; 3], [0x8000_0000, 0x8000_0000, 1], [0x7fff_ffff, 1, 0x8000_0000]];
    all.extend([[0x8080_8080, 0x8080_8080, 0x7fff_ffff], [0x7f80_00ff, 0x0102_0304, 0xdead_beef]]);
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    all.extend((0..10).map(|_| [next(), next(), next()]));
    all
}

/// A program for the fabric controller that runs all cases on all operands and prints what they leave.
fn program(cases: &[Case], operands: &[Operands]) -> String {
    let mut text = String::from(".globl _start\n.text\n.option norvc\n_start:\n");
    for (i, c) in cases.iter().enumerate() {
        let code = c.text.replace("{d}", "a3").replace("{a}", "a1").replace("{b}", "a2");
        // Once per operands; the result goes to the serial port byte by byte.
        let _ = writeln!(
            text,
            " la s0, operands\n la s1, operands_end\n1: lw a1, 0(s0)\n lw a2, 4(s0)\n lw a3, 8(s0)\n {code}\n\
             li s2, 0x1a10f000\n li s3, 4\n2: sb a3, 0(s2)\n srli a3, a3, 8\n addi s3, s3, -1\n bnez s3, 2b\n\
             addi s0, s0, 12\n bne s0, s1, 1b\n# {i}"
        );
    }
    text += " li a3, 10\n sb a3, 0(s2)\n li a0, 0x80000000\n li a1, 0x1a1040a0\n sw a0, 0(a1)\n1: j 1b\n.data\noperands:\n";
    for o in operands {
        let _ = writeln!(text, " .word {}, {}, {}", o[0], o[1], o[2]);
    }
    text + "operands_end:\n"
}

#[test]
fn arithmetic_is_as_defined() {
    let mut cases = Vec::new();
    scalar(&mut cases);
    fields(&mut cases);
    rounding(&mut cases);
    simd(&mut cases);
    moves(&mut cases);
    let operands = operands();
    let elf = assembly(&program(&cases, &operands), 0x1c00_8000);
    let soc = sim::soc("siracusa").unwrap();
    let report =
        sim::simulate(&elf, &soc, &Options { max_cycles: Some(50_000_000), ..Options::default() }).unwrap();
    assert_eq!(report.status, Status::Exit(0));
    let mut words = report.stdout.chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().unwrap()));
    let mut wrong = Vec::new();
    for c in &cases {
        for o in &operands {
            let (is, should) = (words.next().unwrap(), (c.definition)(*o));
            if is != should {
                wrong.push(format!("{} of {o:08x?}: {is:#010x} instead of {should:#010x}", c.name));
            }
        }
    }
    assert!(words.next().is_none());
    println!("{} instructions on {} operands", cases.len(), operands.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

/// Runs assembly on the fabric controller; it leaves 16 words at `results`, which are printed.
fn results(code: &str) -> Vec<u32> {
    let text = format!(
        ".globl _start\n.text\n.option norvc\n_start:\n la s0, data\n la s1, results\n{code}\n\
         la s1, results\n li s2, 0x1a10f000\n li s3, 64\n\
         2: lbu a3, 0(s1)\n sb a3, 0(s2)\n addi s1, s1, 1\n addi s3, s3, -1\n bnez s3, 2b\n\
         li a3, 10\n sb a3, 0(s2)\n\
         li a0, 0x80000000\n li a1, 0x1a1040a0\n sw a0, 0(a1)\n1: j 1b\n\
         .data\n.balign 16\ndata: .word 0x84838281, 0x11223344, 0x55667788, 0x99aabbcc\n\
         results: .zero 64\n"
    );
    let elf = assembly(&text, 0x1c00_8000);
    let report = sim::simulate(&elf, &sim::soc("siracusa").unwrap(), &Options::default()).unwrap();
    assert_eq!(report.status, Status::Exit(0));
    report.stdout.chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().unwrap())).collect()
}

#[test]
fn loads_and_stores_move_pointers() {
    let out = results(
        " mv a0, s0\n .insn i 0x0b, 0, a1, 4(a0)\n sw a1, 0(s1)\n .insn i 0x0b, 5, a1, -2(a0)\n sw a1, 4(s1)\n\
         sub a0, a0, s0\n sw a0, 8(s1)\n\
         li a2, 8\n .insn r 0x03, 7, 0x10, a1, s0, a2\n sw a1, 12(s1)\n .insn r 0x03, 7, 0x08, a1, s0, x0\n\
         sw a1, 16(s1)\n\
         mv a0, s0\n .insn r 0x0b, 7, 0x20, a1, a0, a2\n sw a1, 20(s1)\n sub a0, a0, s0\n sw a0, 24(s1)\n\
         addi a0, s1, 28\n li a1, 0x1234\n .insn s 0x2b, 2, a1, 4(a0)\n .insn r 0x2b, 6, 0, a2, a0, a1\n\
         sub a0, a0, s1\n sw a0, 40(s1)\n li a3, 44\n .insn r 0x23, 6, 0, a3, s1, a2\n\
         mv a0, s0\n .insn i 0x0b, 2, a0, 4(a0)\n sw a0, 48(s1)\n\
         mv a0, s0\n .insn r 0x0b, 7, 0x10, a0, a0, a2\n sub a0, a0, s0\n sw a0, 52(s1)\n",
    );
    assert_eq!(out[0], 0xffff_ff81, "p.lb, pointer moved by 4");
    assert_eq!(out[1], 0x3344, "p.lhu at the moved pointer");
    assert_eq!(out[2], 2, "4 - 2");
    assert_eq!(out[3], 0x5566_7788, "lw with register offset");
    assert_eq!(out[4], 0xffff_8281, "lh with register offset");
    assert_eq!(out[5], 0x81, "lbu, register post-increment");
    assert_eq!(out[6], 8);
    assert_eq!(out[7], 0x1234, "p.sw");
    assert_eq!(out[8], 0x1234, "p.sw at the moved pointer");
    assert_eq!(out[10], 40, "28 + 4 + 8");
    assert_eq!(out[11], 8, "sw with register offset");
    assert_eq!(out[12], 0x8483_8285, "the loaded value, moved");
    assert_eq!(out[13], 8, "the pointer, moved");
}

#[test]
fn hardware_loops_nest_and_end() {
    let out = results(
        // 3 x 4 iterations with a common end; inner count set again by the outer body.
        " li a0, 0\n li a1, 0\n li a2, 4\n .insn i 0x7b, 5, x1, x8, 3\n .insn i 0x7b, 4, x0, a2, 6\n\
         addi a0, a0, 1\n addi a0, a0, 1\n addi a0, a0, 1\n sw a0, 0(s1)\n\
         li a0, 0\n .insn i 0x7b, 4, x0, x0, 2\n addi a0, a0, 1\n sw a0, 4(s1)\n\
         csrr a0, 0x7c2\n sw a0, 8(s1)\n\
         li a0, 0\n .insn i 0x7b, 5, x0, x2, 5\n addi a0, a0, 1\n sw a0, 12(s1)\n\
         li a0, 0\n .insn i 0x7b, 0, x0, x0, 6\n .insn i 0x7b, 1, x0, x0, 6\n .insn i 0x7b, 3, x0, x0, 7\n\
         addi a0, a0, 1\n addi a0, a0, 2\n sw a0, 16(s1)\n\
         li a0, -3\n .insn b 0x63, 2, a0, x29, 1f\n li a0, 7\n1: sw a0, 20(s1)\n\
         .insn b 0x63, 3, a0, x29, 1f\n li a0, 9\n1: sw a0, 24(s1)\n",
    );
    assert_eq!(out[0], 36, "3 x 4 iterations of 3");
    assert_eq!(out[1], 1, "a count of 0 runs once");
    assert_eq!(out[2], 0);
    assert_eq!(out[3], 5, "one instruction, five times");
    assert_eq!(out[4], 21, "start, end and count set apart");
    assert_eq!(out[5], 0xffff_fffd, "p.beqimm taken");
    assert_eq!(out[6], 9, "p.bneimm not taken");
}

#[test]
fn bits_that_must_be_zero_are_checked() {
    let words = [
        rn(0x33, 0, 2, 1),
        rn(0x33, 0, 8, 3),
        r(0x33, 5, 0x40),
        rn(0x57, 0, 0x39, 0),
        r(0x57, 0, 0x69),
        r(0x57, 2, 0),
        r(0x5b, 2, 0x21),
        ".insn i 0x7b, 4, x2, {a}, 8".into(),
        ".insn r 0x2b, 6, 1, {d}, {a}, {b}".into(),
        ".insn r 0x0b, 7, 0x11, {d}, {a}, {b}".into(),
    ];
    for text in words {
        let code = text.replace("{d}", "a3").replace("{a}", "a1").replace("{b}", "a2");
        let elf = assembly(&format!(".globl _start\n_start: la a1, _start\n {code}\n"), 0x1c00_8000);
        let report = sim::simulate(&elf, &sim::soc("siracusa").unwrap(), &Options::default()).unwrap();
        let Status::Fault(message) = &report.status else { panic!("{code}: {:?}", report.status) };
        assert!(message.contains("executes an instruction it does not have"), "{code}: {message}");
    }
}
