//! The checker: finds what hardware lets pass.
//!
//! In: every access of cores and DMA, and who waited for whom. Out: what is wrong with an access. Never changes
//! what the program computes or how long it takes.
//!
//! Each byte of memory has a few flags (owned, written, moved by a DMA) and two stamps: who wrote it last and who
//! read it last, each a core with the number of times it had synchronised. A core knows the number of every other
//! core at their last synchronisation; a stamp beyond that number is a race (vector clocks, as in FastTrack,
//! Flanagan and Freund 2009, with one reader instead of all).

use super::loader::Program;
use super::memory::Memory;
use super::soc::{Side, Soc};

/// The program's section table has it.
const OWNED: u8 = 1;
/// Loaded or written.
const WRITTEN: u8 = 2;
/// Of a section that may not be written.
const CONSTANT: u8 = 4;
/// A DMA reads it.
const SOURCE: u8 = 8;
/// A DMA writes it.
const TARGET: u8 = 16;

/// Cores that stamps can tell apart.
const CORES: usize = 16;
/// Stands for several cores at once.
const MANY: u16 = 15;
/// Bits of a stamp that count synchronisations.
const COUNT: u16 = 0x0fff;

/// What an access is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The core, by its place in [`Soc::cores`].
    pub core: usize,
    /// Where: an address, for messages.
    pub addr: u32,
    /// The place of the first byte.
    pub place: usize,
    /// Bytes.
    pub size: u32,
    /// Whether it writes.
    pub write: bool,
}

/// An access to the byte that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// When, in ticks.
    pub now: u64,
    /// The instruction.
    pub pc: u32,
    /// Whether it wrote.
    pub write: bool,
}

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What, after the core's name.
    pub message: String,
    /// The byte.
    pub addr: u32,
    /// For a race: the place of the byte and the other core, if it was one.
    pub race: Option<(usize, Option<usize>)>,
}

/// Knows which bytes a program owns and what happened to them.
pub struct Checker {
    flags: Vec<u8>,
    writes: Vec<u16>,
    reads: Vec<u16>,
    names: Vec<String>,
    /// Whether a core takes part in the search for races: those of the cluster do.
    races: [bool; CORES],
    /// How often each core has synchronised, from 1.
    count: [u16; CORES],
    /// What each core knows of the others' counts.
    known: [[u16; CORES]; CORES],
    /// Synchronisations of all cores at once, from 1.
    rounds: u16,
    /// A byte whose accesses are remembered, per core.
    watch: Option<usize>,
    /// The last accesses to it.
    pub seen: [Option<Sighting>; CORES],
}

impl Checker {
    /// Everything loaded is written, everything in a section is owned.
    pub fn new(soc: &Soc, memory: &Memory, program: &Program, watch: Option<usize>) -> Self {
        let mut races = [false; CORES];
        for (i, core) in soc.cores.iter().enumerate().take(usize::from(MANY)) {
            races[i] = core.side == Side::Cluster;
        }
        let n = memory.bytes.len();
        let mut checker = Checker {
            flags: vec![0; n],
            writes: vec![0; n],
            reads: vec![0; n],
            names: soc.cores.iter().map(|c| c.name.clone()).collect(),
            races,
            count: [1; CORES],
            known: [[0; CORES]; CORES],
            rounds: 1,
            watch,
            seen: [None; CORES],
        };
        for section in &program.sections {
            let bits = if section.writable { OWNED } else { OWNED | CONSTANT };
            checker.set(memory, section.addr, section.size, bits);
        }
        for segment in &program.segments {
            checker.set(memory, segment.addr, segment.bytes.len() as u32, WRITTEN);
        }
        checker
    }
    fn set(&mut self, memory: &Memory, addr: u32, size: u32, bits: u8) {
        let Some(place) = memory.place(addr, size) else { return };
        if let Some(flags) = self.flags.get_mut(place..place + size as usize) {
            flags.iter_mut().for_each(|f| *f |= bits);
        }
    }

    /// One access of a core, at a time and an instruction; a mask of the bytes read that nobody has written.
    ///
    /// # Errors
    /// The access is wrong.
    #[inline]
    pub fn access(&mut self, reach: Reach, now: u64, pc: u32) -> Result<u8, Finding> {
        let end = reach.place + reach.size as usize;
        let Some(flags) = self.flags.get_mut(reach.place..end) else { return Ok(0) };
        let mut unwritten = 0;
        if reach.write {
            if flags.iter().any(|f| f & !WRITTEN != OWNED) {
                return Err(self.explain_flags(reach));
            }
            flags.iter_mut().for_each(|f| *f |= WRITTEN);
        } else if flags.iter().any(|f| f & !(CONSTANT | SOURCE) != OWNED | WRITTEN) {
            if flags.iter().any(|f| f & (OWNED | TARGET) != OWNED) {
                return Err(self.explain_flags(reach));
            }
            for (i, f) in flags.iter().enumerate() {
                unwritten |= u8::from(f & WRITTEN == 0) << (i & 7);
            }
        }
        if self.watch.is_some_and(|w| (reach.place..end).contains(&w)) {
            self.seen[reach.core % CORES] = Some(Sighting { now, pc, write: reach.write });
        }
        self.stamp(reach)?;
        Ok(unwritten)
    }
    /// What a core has written here was itself never written: the bytes of a mask.
    #[cold]
    pub fn unwrite(&mut self, place: usize, size: u32, mask: u8) {
        for i in (0..size as usize).filter(|i| mask >> i & 1 == 1) {
            if let Some(flags) = self.flags.get_mut(place + i) {
                *flags &= !WRITTEN;
            }
        }
    }

    #[cold]
    fn explain_flags(&self, reach: Reach) -> Finding {
        let verb = if reach.write { "writes" } else { "reads" };
        let bad = |f: u8| {
            if f & OWNED == 0 {
                Some("memory that no section of the program covers")
            } else if reach.write && f & CONSTANT != 0 {
                Some("a section that may not be written")
            } else if f & TARGET != 0 {
                Some("bytes that a DMA transfer is still writing, or whose end nobody has waited for")
            } else if reach.write && f & SOURCE != 0 {
                Some("bytes that a DMA transfer is still reading, or whose end nobody has waited for")
            } else {
                None
            }
        };
        let at = |i: u32| self.flags.get(reach.place + i as usize).copied().and_then(bad);
        let first = (0..reach.size).find_map(|i| Some((i, at(i)?)));
        let (offset, what) = first.unwrap_or((0, "memory that it may not"));
        let addr = reach.addr.wrapping_add(offset);
        let message = format!("{verb} {} bytes at {:#010x}: {what}", reach.size, reach.addr);
        Finding { message, addr, race: None }
    }

    /// Whether somebody's access with this stamp is unknown to a core.
    #[inline(always)]
    fn is_concurrent(&self, core: usize, stamp: u16) -> bool {
        let (other, count) = (stamp >> 12, stamp & COUNT);
        if usize::from(other) == core {
            return false;
        }
        let known = if other == MANY { self.rounds - 1 } else { self.known[core][usize::from(other)] };
        count > known
    }

    /// Looks for races, and leaves the access's stamp.
    #[inline]
    fn stamp(&mut self, reach: Reach) -> Result<(), Finding> {
        let core = reach.core % CORES;
        if !self.races[core] {
            if reach.write {
                self.clear_stamps(reach.place, reach.size);
            }
            return Ok(());
        }
        let own = (core as u16) << 12 | self.count[core];
        for i in reach.place..reach.place + reach.size as usize {
            let (Some(written), Some(read)) = (self.writes.get(i).copied(), self.reads.get(i).copied())
            else {
                return Ok(());
            };
            if written != own && self.is_concurrent(core, written) {
                return Err(self.explain_race(reach, i, written, "wrote"));
            }
            if read == own && !reach.write {
                continue;
            }
            let read_by_other = self.is_concurrent(core, read);
            if reach.write {
                if read_by_other {
                    return Err(self.explain_race(reach, i, read, "read"));
                }
                self.writes[i] = own;
            } else {
                self.reads[i] = if read_by_other { MANY << 12 | self.rounds } else { own };
            }
        }
        Ok(())
    }
    fn clear_stamps(&mut self, place: usize, size: u32) {
        for stamps in [&mut self.writes, &mut self.reads] {
            if let Some(stamps) = stamps.get_mut(place..place + size as usize) {
                stamps.fill(0);
            }
        }
    }

    #[cold]
    fn explain_race(&self, reach: Reach, place: usize, stamp: u16, did: &str) -> Finding {
        let other = usize::from(stamp >> 12);
        let who = if stamp >> 12 == MANY {
            "other cores"
        } else {
            self.names.get(other).map_or("another core", |n| n.as_str())
        };
        let verb = if reach.write { "writes" } else { "reads" };
        let message = format!(
            "{verb} {} bytes at {:#010x}, which {who} {did} without a barrier between the two",
            reach.size, reach.addr
        );
        let addr = reach.addr.wrapping_add((place - reach.place) as u32);
        Finding { message, addr, race: Some((place, (stamp >> 12 != MANY).then_some(other))) }
    }

    /// Cores of a mask have waited for each other; `running` are those that execute meanwhile.
    pub fn synchronise(&mut self, mask: u32, running: u32) {
        let mask = mask & 0x7fff;
        let members = || (0..CORES).filter(move |i| mask >> i & 1 == 1);
        for core in members() {
            for other in members() {
                for i in 0..CORES {
                    let theirs = if i == other { self.count[i] } else { self.known[other][i] };
                    self.known[core][i] = self.known[core][i].max(theirs);
                }
            }
        }
        for core in members() {
            self.count[core] += 1;
        }
        if running & 0x7fff & !mask == 0 {
            self.rounds += 1;
        }
        self.rewind();
    }
    /// A core goes on after what another has done up to now.
    pub fn follow(&mut self, core: usize, after: usize) {
        let (core, after) = (core % CORES, after % CORES);
        if core == after {
            return;
        }
        for i in 0..CORES {
            let theirs = if i == after { self.count[i] } else { self.known[after][i] };
            self.known[core][i] = self.known[core][i].max(theirs);
        }
        self.count[after] += 1;
        self.rewind();
    }
    /// Counts that reach their end begin again, and everything before is forgotten.
    fn rewind(&mut self) {
        if self.rounds < COUNT && self.count.iter().all(|c| *c < COUNT) {
            return;
        }
        self.writes.fill(0);
        self.reads.fill(0);
        self.count = [1; CORES];
        self.known = [[0; CORES]; CORES];
        self.rounds = 1;
    }

    /// A DMA is about to move bytes: the core that starts it must be allowed to read or write them.
    ///
    /// # Errors
    /// Somebody else still uses them.
    pub fn check_move(&self, reach: Reach) -> Result<(), Finding> {
        for i in reach.place..reach.place + reach.size as usize {
            let addr = reach.addr.wrapping_add((i - reach.place) as u32);
            let flags = self.flags.get(i).copied().unwrap_or(0);
            let (verb, blocked) = if reach.write { ("to", SOURCE | TARGET) } else { ("from", TARGET) };
            let what = if flags & OWNED == 0 {
                "memory that no section of the program covers"
            } else if reach.write && flags & CONSTANT != 0 {
                "a section that may not be written"
            } else if flags & blocked != 0 {
                "bytes that another transfer is still moving, or whose end nobody has waited for"
            } else {
                let core = reach.core % CORES;
                let written = self.writes.get(i).copied().unwrap_or(0);
                let read = self.reads.get(i).copied().unwrap_or(0);
                if self.races[core] && self.is_concurrent(core, written) {
                    return Err(self.explain_race(reach, i, written, "wrote"));
                }
                if self.races[core] && reach.write && self.is_concurrent(core, read) {
                    return Err(self.explain_race(reach, i, read, "read"));
                }
                continue;
            };
            let message =
                format!("starts a transfer {verb} {} bytes at {:#010x}: {what}", reach.size, reach.addr);
            return Err(Finding { message, addr, race: None });
        }
        Ok(())
    }
    /// Marks bytes as being moved.
    pub fn mark(&mut self, place: usize, size: u32, target: bool) {
        if let Some(flags) = self.flags.get_mut(place..place + size as usize) {
            flags.iter_mut().for_each(|f| *f |= if target { TARGET } else { SOURCE });
        }
    }
    /// Ends it; other transfers must be marked again.
    pub fn unmark(&mut self, place: usize, size: u32, target: bool) {
        if let Some(flags) = self.flags.get_mut(place..place + size as usize) {
            flags.iter_mut().for_each(|f| *f &= !(if target { TARGET } else { SOURCE }));
        }
    }
    /// Bytes have been copied: what was written at one place is so at the other.
    pub fn copied(&mut self, from: usize, to: usize, size: u32) {
        for i in 0..size as usize {
            let written = self.flags.get(from + i).copied().unwrap_or(0) & WRITTEN;
            if let Some(flags) = self.flags.get_mut(to + i) {
                *flags = *flags & !WRITTEN | written;
            }
        }
        self.clear_stamps(to, size);
    }
    /// A byte came from outside the memories, where it was written or not.
    pub fn filled(&mut self, to: usize, written: bool) {
        if let Some(flags) = self.flags.get_mut(to) {
            *flags = *flags & !WRITTEN | if written { WRITTEN } else { 0 };
        }
        self.clear_stamps(to, 1);
    }
    /// Whether a byte was ever written.
    pub fn is_written(&self, place: usize) -> bool {
        self.flags.get(place).is_some_and(|f| f & WRITTEN != 0)
    }
    /// Whether instructions may be executed here.
    ///
    /// # Errors
    /// They may not.
    pub fn execute(&self, place: usize) -> Result<(), String> {
        let flags = self.flags.get(place).copied().unwrap_or(0);
        if flags & OWNED == 0 {
            return Err("executes memory that no section of the program covers".into());
        }
        if flags & WRITTEN == 0 {
            return Err("executes bytes that nobody has written".into());
        }
        Ok(())
    }
}
