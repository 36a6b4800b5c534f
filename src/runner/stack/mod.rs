//! How deep the stack of a network gets: a bound for every run, from the machine code of the very program.
//!
//! In: the disassembly of a linked program, names of functions. Out: bytes below the stack pointer of whoever calls
//! them, C library included; or why there is no bound. Never guesses: code it does not understand has no bound.

mod listing;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Command, Stdio};

use self::listing::{Flow, Listing};
use super::objects::Flags;

/// Runs on a stack of its own; see `kernels/mcu/runtime/measure.c`.
const ASIDE: &str = "tw_layer_begin";

/// The deepest stack of these functions of a program, in bytes.
///
/// # Errors
/// Why it is not bounded.
pub fn bound(elf: &Path, flags: &Flags, functions: &[String]) -> Result<u64, String> {
    let tool =
        flags.cc.first().and_then(|cc| cc.strip_suffix("-gcc")).map(|prefix| format!("{prefix}-objdump"));
    let tool = tool.as_deref().unwrap_or("objdump");
    let mut command = Command::new(tool);
    let output = command.args(["-d", "--no-show-raw-insn"]).arg(elf).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => deepest(&String::from_utf8_lossy(&output.stdout), functions),
        Ok(output) => Err(format!("{tool} ended with {}", output.status)),
        Err(e) => Err(format!("cannot start `{tool}`: {e}")),
    }
}

/// The same from the disassembly.
fn deepest(text: &str, functions: &[String]) -> Result<u64, String> {
    let listing = Listing::read(text);
    let mut walk = Walk { listing: &listing, known: HashMap::new(), open: Vec::new() };
    let mut most = 0;
    for name in functions {
        let entry = listing.functions.iter().find(|(_, n)| *n == name);
        let entry = entry.ok_or_else(|| format!("the program has no function {name}"))?;
        most = most.max(walk.depth(*entry.0)?);
    }
    u64::try_from(most).map_err(|_| "it is negative".to_string())
}

/// A walk over the calls of a program.
struct Walk<'a> {
    listing: &'a Listing,
    /// Depths of functions that were walked.
    known: HashMap<u64, i64>,
    /// Functions on the way here.
    open: Vec<u64>,
}

impl Walk<'_> {
    /// How deep the stack gets from the first instruction of a function to its end.
    fn depth(&mut self, entry: u64) -> Result<i64, String> {
        if let Some(depth) = self.known.get(&entry) {
            return Ok(*depth);
        }
        if self.listing.functions.get(&entry).is_some_and(|n| n == ASIDE) {
            return Ok(0);
        }
        if self.open.contains(&entry) {
            return Err(format!("{} calls itself", self.name(entry)));
        }
        self.open.push(entry);
        let depth = self.function(entry)?;
        self.open.pop();
        self.known.insert(entry, depth);
        Ok(depth)
    }

    /// Follows every way through a function. What compilers make has one depth at each instruction, and none left at the end.
    fn function(&mut self, entry: u64) -> Result<i64, String> {
        let listing = self.listing;
        let mut depths: BTreeMap<u64, i64> = BTreeMap::new();
        let mut tabled: BTreeMap<u64, i64> = BTreeMap::new();
        let (mut ways, mut computed) = (vec![(entry, 0)], Vec::new());
        let mut most = 0;
        loop {
            while let Some((address, before)) = ways.pop() {
                match depths.insert(address, before) {
                    Some(other) if other == before => continue,
                    Some(_) => {
                        return Err(format!("{}: the stack has two depths at one place", self.at(address)));
                    }
                    None => {}
                }
                let step = listing.steps.get(&address);
                let step =
                    step.ok_or_else(|| format!("{}: no instruction is known there", self.at(address)))?;
                let after = before + step.grows;
                most = most.max(after);
                let ends = || match after {
                    0 => Ok(()),
                    _ => Err(format!("{}: returns with {after} bytes of stack", self.at(address))),
                };
                match &step.flow {
                    Flow::Next => ways.push((step.next, after)),
                    Flow::Jump(target) => ways.push((*target, after)),
                    Flow::Branch(target) => ways.extend([(*target, after), (step.next, after)]),
                    Flow::Call(target) => {
                        most = most.max(after + self.depth(*target)?);
                        ways.push((step.next, after));
                    }
                    Flow::Save(meanwhile) => {
                        most = most.max(before + meanwhile);
                        ways.push((step.next, after));
                    }
                    Flow::Stop => {}
                    Flow::Return => ends()?,
                    // Where it does not return, nothing was taken from the stack.
                    Flow::MayReturn => {
                        ends()?;
                        ways.push((step.next, before));
                    }
                    Flow::Computed => computed.push((address, after)),
                    Flow::Unknown(why) => return Err(format!("{} {why}", self.at(address))),
                }
            }
            let Some((address, depth)) = computed.pop() else { return Ok(most) };
            // A jump table: its targets are those that nothing else leads to, or that these lead to; of several tables the first
            // one that is looked at gets those of all.
            let targets = listing.entries(address);
            let followed = targets.iter().any(|t| tabled.get(t) == Some(&depth));
            let new: Vec<u64> = targets.into_iter().filter(|t| !depths.contains_key(t)).collect();
            if new.is_empty() && !followed {
                return Err(format!("{} jumps through a pointer", self.at(address)));
            }
            tabled.extend(new.iter().map(|t| (*t, depth)));
            ways.extend(new.into_iter().map(|t| (t, depth)));
        }
    }

    fn name(&self, address: u64) -> String {
        let found = self.listing.functions.range(..=address).next_back();
        found.map_or_else(|| format!("{address:#x}"), |(_, name)| name.clone())
    }

    fn at(&self, address: u64) -> String {
        format!("{} (at {address:#x})", self.name(address))
    }
}

#[cfg(test)]
mod tests;
