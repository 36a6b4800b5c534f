//! Disassembly: what each instruction does to the stack pointer, and where control goes from there.
//!
//! In: the text of binutils' `objdump -d`, for Thumb and RISC-V. Out: [`Listing`]. Never follows a way; an instruction that
//! changes the stack pointer in a way unknown here is [`Flow::Unknown`], and so is a call through a pointer.

use std::collections::{BTreeMap, HashMap};

/// Where control goes behind an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// To the next one.
    Next,
    /// Elsewhere.
    Jump(u64),
    /// Elsewhere, or to the next one.
    Branch(u64),
    /// To a function, and back.
    Call(u64),
    /// To the caller.
    Return,
    /// To the caller, or to the next one.
    MayReturn,
    /// To a routine that saves registers on the stack, and back; meanwhile it may be so many bytes deeper.
    Save(i64),
    /// By a table.
    Computed,
    /// Nowhere: a trap.
    Stop,
    /// It cannot be said, and why.
    Unknown(String),
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes by which the stack gets deeper.
    pub grows: i64,
    /// Where control goes.
    pub flow: Flow,
    /// The instruction behind it.
    pub next: u64,
}

/// A program.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Instructions by address.
    pub steps: BTreeMap<u64, Step>,
    /// Names of functions by address.
    pub functions: BTreeMap<u64, String>,
}

/// Constants that registers hold, on the way here.
type Registers = HashMap<String, i64>;

impl Listing {
    /// Reads a disassembly.
    pub fn read(text: &str) -> Listing {
        let mut listing = Listing::default();
        let mut registers = Registers::new();
        let mut last: Option<u64> = None;
        for line in text.lines() {
            if let Some((address, name)) = header(line) {
                listing.functions.insert(address, name.to_string());
                registers.clear();
                continue;
            }
            let Some((address, mnemonic, operands)) = instruction(line) else { continue };
            if let Some(step) = last.and_then(|l| listing.steps.get_mut(&l)) {
                step.next = address;
            }
            last = None;
            // Tables between instructions.
            if mnemonic.starts_with('.') {
                continue;
            }
            // What disassemblers add.
            let (operands, comment) = ["\t@", " @ ", "\t;", " ; ", " # "]
                .iter()
                .find_map(|mark| operands.split_once(mark))
                .map_or((operands, ""), |(code, comment)| (code.trim(), comment));
            let step = step(mnemonic, operands, comment, &registers);
            note(mnemonic, operands, &mut registers);
            if step.flow != Flow::Next {
                registers.clear();
            }
            listing.steps.insert(address, step);
            last = Some(address);
        }
        listing
    }

    /// Where a jump by a table in the same function may lead: behind instructions that never go on to the next. What goes on
    /// to data is padding.
    pub fn entries(&self, jump: u64) -> Vec<u64> {
        let start = self.functions.range(..=jump).next_back().map_or(0, |(address, _)| *address);
        let end = self.functions.range(jump + 1..).next().map_or(u64::MAX, |(address, _)| *address);
        let mut found = Vec::new();
        let mut ended = false;
        for (address, step) in self.steps.range(start..end) {
            let padding = step.flow == Flow::Next && !self.steps.contains_key(&step.next);
            if ended && !padding {
                found.push(*address);
            }
            ended = matches!(step.flow, Flow::Jump(_) | Flow::Return | Flow::Computed | Flow::Stop);
        }
        found
    }
}

/// `0000abcd <name>:`
fn header(line: &str) -> Option<(u64, &str)> {
    let (address, rest) = line.split_once(" <")?;
    Some((u64::from_str_radix(address, 16).ok()?, rest.strip_suffix(">:")?))
}

/// `    abcd:\tmnemonic\toperands`
fn instruction(line: &str) -> Option<(u64, &str, &str)> {
    let (address, rest) = line.split_once(":\t")?;
    let address = u64::from_str_radix(address.trim(), 16).ok()?;
    let (mnemonic, operands) = rest.split_once('\t').unwrap_or((rest, ""));
    Some((address, mnemonic.trim(), operands.trim()))
}

/// `abcd <name+0x12>`: the address.
fn target(text: &str) -> Option<u64> {
    let (before, _) = text.split_once(" <")?;
    let word = before.rsplit([' ', ',', '\t']).next()?;
    u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()
}

/// What an instruction does.
fn step(mnemonic: &str, operands: &str, comment: &str, registers: &Registers) -> Step {
    let base = mnemonic.trim_end_matches(".n").trim_end_matches(".w");
    if let Some((saved, meanwhile)) = saves(base, operands) {
        return Step { grows: saved, flow: Flow::Save(meanwhile), next: u64::MAX };
    }
    let grows = grows(base, operands, registers);
    let flow = match grows {
        None => Flow::Unknown(format!("changes the stack pointer by `{mnemonic} {operands}`")),
        Some(_) => flow(base, operands, comment),
    };
    Step { grows: grows.unwrap_or(0), flow, next: u64::MAX }
}

/// What the routines of RISC-V's ABI take that save `ra` and so many other registers, and what they take meanwhile.
fn saves(base: &str, operands: &str) -> Option<(i64, i64)> {
    let (_, name) = operands.strip_prefix("t0,").filter(|_| base == "jal")?.split_once("<__riscv_save_")?;
    match name.strip_suffix('>')?.parse().ok()? {
        0..=3 => Some((16, 16)),
        n @ 4..=12 => Some(((n / 4 + 1) * 16, 64)),
        _ => None,
    }
}

const CONDITIONS: [&str; 18] = [
    "eq", "ne", "cs", "hs", "cc", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al",
    "nv",
];

/// Where control goes.
fn flow(base: &str, operands: &str, comment: &str) -> Flow {
    let registers = ["pop", "ldmia", "ldmfd", "ldm"].iter().any(|m| base.starts_with(m));
    let through = |name: &str| Flow::Unknown(format!("{name} through a pointer"));
    let returns = |plain: &[&str]| {
        let conditional = CONDITIONS.iter().any(|c| base.ends_with(c)) && !plain.contains(&base);
        if conditional { Flow::MayReturn } else { Flow::Return }
    };
    match (base, target(operands)) {
        ("bl" | "blx" | "jal" | "call", Some(_)) if operands.starts_with("t0,") => through("calls"),
        ("bl" | "blx" | "jal" | "call", Some(address)) => Flow::Call(address),
        ("b" | "j", Some(address)) => Flow::Jump(address),
        ("jr" | "jalr" | "tail", _) if target(comment).is_some() => {
            let address = target(comment).unwrap_or_default();
            if base == "jalr" { Flow::Call(address) } else { Flow::Jump(address) }
        }
        // Compilers make no branches ahead; binutils takes `vctp` for one.
        ("bf" | "bfx" | "bfl" | "bflx" | "bfcsel", _) => match operands.starts_with("0,") {
            true => Flow::Next,
            false => through("branches ahead"),
        },
        (_, Some(address))
            if base.starts_with('b') || ["cb", "le", "wls"].iter().any(|m| base.starts_with(m)) =>
        {
            Flow::Branch(address)
        }
        ("jr", None) if operands == "ra" => Flow::Return,
        ("ret", _) => Flow::Return,
        ("udf" | "unimp" | "ebreak", _) => Flow::Stop,
        ("jr", None) if operands == "t0" => through("jumps"),
        ("tbb" | "tbh" | "jr", None) => Flow::Computed,
        ("jalr", _) => through("calls"),
        _ if base.starts_with("blx") => through("calls"),
        _ if base.starts_with("bx") && operands == "lr" => returns(&["bx"]),
        _ if base.starts_with("bx") => through("jumps"),
        _ if registers && operands.contains("pc}") => returns(&["pop", "ldmia", "ldmfd", "ldm"]),
        _ if operands.starts_with("pc, [sp], ") => returns(&["ldr"]),
        _ if operands == "pc, lr" => returns(&["mov"]),
        _ if operands.starts_with("pc,") && !base.starts_with("cmp") => through("jumps"),
        _ => Flow::Next,
    }
}

/// By how many bytes the stack gets deeper; `None` where that is unknown.
fn grows(base: &str, operands: &str, registers: &Registers) -> Option<i64> {
    let list =
        || operands.split_once('{').and_then(|(_, list)| list.split_once('}')).and_then(|(l, _)| bytes(l));
    let first = operands.split(',').next().unwrap_or_default().trim();
    match base {
        "push" | "vpush" => return list(),
        "pop" | "vpop" => return Some(-list()?),
        "stmdb" | "stmfd" | "vstmdb" if first == "sp!" => return list(),
        "ldmia" | "ldmfd" | "vldmia" if first == "sp!" => return Some(-list()?),
        _ if first == "sp!" => return None,
        _ => {}
    }
    let conditional = |plain: &str| CONDITIONS.iter().any(|c| base.strip_suffix(c) == Some(plain));
    if conditional("pop") || conditional("ldmia") {
        return if base.starts_with("pop") || first == "sp!" { Some(-list()?) } else { Some(0) };
    }
    if let Some((_, offset)) = operands.split_once("[sp], ") {
        return Some(-number(offset)?);
    }
    if let Some((_, inside)) = operands.split_once("[sp, ") {
        return inside.strip_suffix("]!").map_or(Some(0), |offset| Some(-number(offset)?));
    }
    let reads = ["cmp", "cmn", "tst", "str", "stm", "sw", "ldm", "v", "b"];
    if first != "sp" || reads.iter().any(|m| base.starts_with(m)) {
        return if operands.contains("[sp]!") { None } else { Some(0) };
    }
    let words: Vec<&str> = operands.split(',').map(str::trim).collect();
    let by = match words.as_slice() {
        ["sp", n] | ["sp", "sp", n] => number(n).or_else(|| registers.get(*n).copied())?,
        _ => return None,
    };
    match base {
        "add" | "addi" | "addw" | "add.w" => Some(-by),
        "sub" | "subw" | "sub.w" => Some(by),
        _ => None,
    }
}

/// Bytes of a list of registers: `r4, r5, lr` or `d8-d11`.
fn bytes(list: &str) -> Option<i64> {
    let mut sum = 0;
    for item in list.split(',').map(str::trim) {
        let each = if item.starts_with('d') { 8 } else { 4 };
        let count = match item.split_once('-') {
            None => 1,
            Some((from, to)) => {
                let index = |r: &str| r.get(1..).and_then(|n| n.parse::<i64>().ok());
                index(to)? - index(from)? + 1
            }
        };
        sum += each * count;
    }
    Some(sum)
}

/// `#-16`, `-16` or `0x10`.
fn number(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('#');
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Keeps track of constants for frames that no immediate holds.
fn note(mnemonic: &str, operands: &str, registers: &mut Registers) {
    let words: Vec<&str> = operands.split(',').map(str::trim).collect();
    let base = mnemonic.trim_end_matches(".n").trim_end_matches(".w");
    let value = match (base, words.as_slice()) {
        ("li" | "mov" | "movs" | "movw", [_, n]) => number(n),
        // The upper 20 of 32 bits.
        ("lui", [_, n]) => number(n).map(|n| i64::from(((n << 12) as u32) as i32)),
        ("add" | "addi", [_, from, n]) => registers.get(*from).and_then(|r| Some(r + number(n)?)),
        _ => None,
    };
    let Some(to) = words.first() else { return };
    match value {
        Some(value) => registers.insert((*to).to_string(), value),
        None => registers.remove(*to),
    };
}
