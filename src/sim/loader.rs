//! Reading ELF files.
//!
//! In: the bytes of a file, a [`Soc`]. Out: a [`Program`]: segments to load, sections the program owns, symbols.
//! Never trusts the file: what is malformed or does not fit the chip is a diagnostic.

use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym};
use object::{Endianness, elf};

use super::soc::Soc;
use crate::diag::{Diagnostic, Result};

/// Bytes to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First address.
    pub addr: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Memory that the program owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Name.
    pub name: String,
    /// First address.
    pub addr: u32,
    /// Bytes.
    pub size: u32,
    /// Whether the program may write it.
    pub writable: bool,
    /// Whether it holds instructions.
    pub executable: bool,
}

/// A named range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Name.
    pub name: String,
    /// First address.
    pub addr: u32,
    /// Bytes; 0 if the file does not say.
    pub size: u32,
    /// Whether it is a function.
    pub function: bool,
}

/// What a file contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// First instruction.
    pub entry: u32,
    /// What to load.
    pub segments: Vec<Segment>,
    /// Allocated sections.
    pub sections: Vec<Section>,
    /// Functions and objects, by address.
    pub symbols: Vec<Symbol>,
}

type Header = elf::FileHeader32<Endianness>;

fn malformed(e: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::invalid(format!("is not a whole ELF file: {e}"))
        .help("the file may be truncated; build the program again")
}

/// Reads a file for a chip.
///
/// # Errors
/// It is no ELF file, one of another machine, truncated, or does not fit the chip's memories.
pub fn load(data: &[u8], soc: &Soc) -> Result<Program> {
    identify(data)?;
    let header = Header::parse(data).map_err(malformed)?;
    let endian = header.endian().map_err(malformed)?;
    let mut program = Program { entry: header.e_entry(endian), ..Program::default() };
    for segment in header.program_headers(endian, data).map_err(malformed)? {
        if segment.p_type(endian) == elf::PT_LOAD {
            let bytes =
                segment.data(endian, data).map_err(|()| malformed("a segment ends behind the file"))?;
            let addr = segment.p_paddr(endian);
            if !bytes.is_empty() {
                fits(soc, addr, bytes.len())?;
                program.segments.push(Segment { addr, bytes: bytes.to_vec() });
            }
        }
    }
    let sections = header.sections(endian, data).map_err(malformed)?;
    for section in sections.iter() {
        let flags = section.sh_flags(endian);
        if flags & elf::SHF_ALLOC != elf::SectionFlags(0) && section.sh_size(endian) != 0 {
            let name = sections.section_name(endian, section).map_err(malformed)?;
            program.sections.push(Section {
                name: String::from_utf8_lossy(name).into_owned(),
                addr: section.sh_addr(endian),
                size: section.sh_size(endian),
                writable: flags & elf::SHF_WRITE != elf::SectionFlags(0),
                executable: flags & elf::SHF_EXECINSTR != elf::SectionFlags(0),
            });
        }
    }
    let symbols = sections.symbols(endian, data, elf::SHT_SYMTAB).map_err(malformed)?;
    for symbol in symbols.iter() {
        let kind = symbol.st_type();
        let name = symbol.name(endian, symbols.strings()).unwrap_or_default();
        let named = !name.is_empty() && symbol.st_shndx(endian) != elf::SHN_UNDEF;
        if named && (kind == elf::STT_FUNC || kind == elf::STT_OBJECT || kind == elf::STT_NOTYPE) {
            let name = String::from_utf8_lossy(name).into_owned();
            // Mapping symbols of the assembler say nothing.
            if name.starts_with('$') || name.starts_with(".L") {
                continue;
            }
            let (addr, size) = (symbol.st_value(endian), symbol.st_size(endian));
            program.symbols.push(Symbol { name, addr, size, function: kind == elf::STT_FUNC });
        }
    }
    program.symbols.sort_by(|a, b| (a.addr, a.size, &a.name).cmp(&(b.addr, b.size, &b.name)));
    if program.segments.is_empty() {
        return Err(Diagnostic::invalid("has nothing to load").into());
    }
    Ok(program)
}

/// The bytes of a section of a file that was loaded before.
pub fn section_bytes<'a>(data: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let header = Header::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let (_, section) = header.sections(endian, data).ok()?.section_by_name(endian, name.as_bytes())?;
    section.data(endian, data).ok()
}

/// Refuses what is no RISC-V program before anything else is read.
fn identify(data: &[u8]) -> Result<()> {
    let at = |i: usize| data.get(i).copied().unwrap_or(0);
    if data.get(..4) != Some(b"\x7fELF") {
        return Err(Diagnostic::invalid("is not an ELF file").into());
    }
    if data.len() < 52 {
        return Err(malformed("its header is cut off").into());
    }
    let little = at(5) == 1;
    let machine = u16::from(at(18)) | u16::from(at(19)) << 8;
    let machine = if little { machine } else { machine.swap_bytes() };
    let bits = if at(4) == 1 { 32 } else { 64 };
    if machine != elf::EM_RISCV.0 || bits != 32 || !little {
        let order = if little { "little" } else { "big" };
        let name = match machine {
            3 => "x86".to_string(),
            40 => "ARM".to_string(),
            62 => "x86-64".to_string(),
            183 => "AArch64".to_string(),
            243 => "RISC-V".to_string(),
            other => format!("machine number {other}"),
        };
        return Err(Diagnostic::invalid(format!(
            "is a program for {name} ({bits} bits, {order}-endian); this chip runs 32-bit little-endian RISC-V"
        ))
        .help("build it with the target's compiler, riscv64-unknown-elf-gcc -march=rv32imc for example")
        .into());
    }
    Ok(())
}

/// A segment must lie in one memory that the hardware's loader can write.
fn fits(soc: &Soc, addr: u32, size: usize) -> Result<()> {
    let inside = |base: u32, length: u32| {
        addr.checked_sub(base).is_some_and(|o| u64::from(o) + size as u64 <= u64::from(length))
    };
    let memory =
        soc.memories.iter().find(|m| inside(m.base, m.size) || m.aliases.iter().any(|a| inside(*a, m.size)));
    let known = || soc.memories.iter().filter(|m| m.loadable).map(|m| m.name).collect::<Vec<_>>().join(", ");
    match memory {
        None => Err(Diagnostic::invalid(format!(
            "loads {size} bytes at {addr:#010x}, where {} has no memory for them",
            soc.name
        ))
        .help(format!("memories that programs are loaded into: {}", known()))
        .into()),
        Some(m) if !m.loadable => Err(Diagnostic::invalid(format!(
            "loads {size} bytes at {addr:#010x} in {}, which cannot be loaded into: the hardware hangs at start",
            m.name
        ))
        .help("keep its sections NOBITS and out of the program headers, and copy the data when the program runs")
        .into()),
        Some(_) => Ok(()),
    }
}
