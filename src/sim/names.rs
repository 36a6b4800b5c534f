//! Names for addresses: functions and lines, symbols, tensors.
//!
//! In: a program, its file, labels from whoever laid out the memory. Out: text for messages. Never fails: what has
//! no name gets none. Lines come from DWARF, if the program has any.

use std::cell::OnceCell;

use addr2line::Context;
use addr2line::gimli::{self, Dwarf, EndianSlice, LittleEndian, SectionId};

use super::loader::{self, Program};

/// A named range of memory, valid for some layers: a tensor in an arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// `tensor x`.
    pub name: String,
    /// First address.
    pub start: u32,
    /// Bytes.
    pub size: u32,
    /// First and last layer (as in `tw_layer`) that it is there for.
    pub layers: (u32, u32),
}

/// Looks names up.
pub struct Names<'a> {
    program: &'a Program,
    labels: &'a [Label],
    elf: &'a [u8],
    /// The line table, once it is needed.
    lines: OnceCell<Option<Lines<'a>>>,
}

type Lines<'a> = Context<EndianSlice<'a, LittleEndian>>;

/// A function's name, and a file with a line.
type Frame = (Option<String>, Option<(String, u32)>);

/// Distances beyond this say nothing about what was meant.
const NEAR: u32 = 4096;

impl<'a> Names<'a> {
    /// Reads nothing yet.
    pub fn new(program: &'a Program, elf: &'a [u8], labels: &'a [Label]) -> Self {
        Names { program, labels, elf, lines: OnceCell::new() }
    }
    /// The line table; what is damaged is left out.
    fn lines(&self) -> Option<&Lines<'a>> {
        let section = |id: SectionId| -> Result<_, gimli::Error> {
            let bytes = loader::section_bytes(self.elf, id.name()).unwrap_or_default();
            Ok(EndianSlice::new(bytes, LittleEndian))
        };
        let read = || Dwarf::load(section).and_then(Context::from_dwarf).ok();
        self.lines.get_or_init(read).as_ref()
    }

    /// `conv (conv.c:120)`; for inlined code `tw_walk (tw_walk.h:55) inlined into network_run`.
    pub fn code(&self, pc: u32) -> Option<String> {
        let function = self.function(pc);
        let Some((inner, line)) = self.frame(pc) else { return function };
        let place = line.map_or_else(String::new, |(file, line)| format!(" ({file}:{line})"));
        match (inner, function) {
            (Some(inner), Some(f)) if !f.starts_with(&inner) => {
                Some(format!("{inner}{place} inlined into {f}"))
            }
            (Some(inner), _) => Some(format!("{inner}{place}")),
            (None, Some(f)) => Some(format!("{f}{place}")),
            (None, None) => None,
        }
    }
    /// The symbol that an instruction belongs to.
    pub fn function(&self, pc: u32) -> Option<String> {
        let symbols = &self.program.symbols;
        let behind = symbols.partition_point(|s| s.addr <= pc);
        let fits = |s: &&loader::Symbol| pc - s.addr < s.size || (s.size == 0 && pc - s.addr < NEAR);
        symbols[..behind].iter().rev().find(fits).map(|s| s.name.clone())
    }
    /// The innermost function at an instruction, and its line.
    fn frame(&self, pc: u32) -> Option<Frame> {
        let mut frames = self.lines()?.find_frames(u64::from(pc)).skip_all_loads().ok()?;
        let frame = frames.next().ok()??;
        let name = frame.function.and_then(|f| f.raw_name().ok().map(|n| n.into_owned()));
        let line = frame.location.and_then(|l| {
            // The folders are those of the machine that built it.
            let file = l.file?.rsplit('/').next()?.to_string();
            Some((file, l.line?))
        });
        Some((name, line))
    }

    /// What an address belongs to, or what it misses: `tensor x + 12`, `64 bytes behind tensor x`.
    pub fn data(&self, addr: u32, layer: Option<u32>) -> Option<String> {
        let live = |l: &&Label| layer.is_none_or(|k| l.layers.0 <= k && k <= l.layers.1);
        let labels = || self.labels.iter().filter(live).map(|l| (l.name.as_str(), l.start, l.size));
        let objects = || self.program.symbols.iter().filter(|s| s.size != 0);
        let symbols = || objects().map(|s| (s.name.as_str(), s.addr, s.size));
        if let Some(label) = inside(addr, labels()) {
            return Some(label);
        }
        // A tensor that is missed says more than the array it lies in.
        match (inside(addr, symbols()), near(addr, labels())) {
            (Some(symbol), Some(label)) => Some(format!("{symbol}, {label}")),
            (None, None) => near(addr, symbols()),
            (symbol, label) => symbol.or(label),
        }
    }
}

type Named<'a> = (&'a str, u32, u32);

fn inside<'a>(addr: u32, mut all: impl Iterator<Item = Named<'a>>) -> Option<String> {
    let (name, start, _) = all.find(|(_, start, size)| addr.wrapping_sub(*start) < *size)?;
    Some(if addr == start { name.to_string() } else { format!("{name} + {}", addr - start) })
}

fn near<'a>(addr: u32, all: impl Iterator<Item = Named<'a>>) -> Option<String> {
    let distance = |(_, start, size): &Named| {
        let end = start.saturating_add(*size);
        if addr >= end { addr - end } else { start.saturating_sub(addr) }
    };
    let nearest = all.min_by_key(distance).filter(|n| distance(n) < NEAR)?;
    let (name, start, size) = nearest;
    let end = start.saturating_add(size);
    Some(match (addr >= end, addr.wrapping_sub(end)) {
        (true, 0) => format!("the first byte behind {name}"),
        (true, far) => format!("{far} bytes behind the end of {name}"),
        (false, _) => format!("{} bytes before {name}", start - addr),
    })
}
