//! The memories of a target as the options leave them, and whether what was planned fits them.
//!
//! In: a platform and options, or what was made with them. Out: [`MemoryOptions`] for the planner, or a refusal with the bytes
//! that are missing. Never plans.

use super::{CompileOptions, Compiled, PLAN_SECONDS, TilingOptions};
use crate::diag::{Diagnostic, Result};
use crate::emit::Sources;
use crate::targets::Platform;
use crate::targets::platform::{Memory, Role};
use crate::tiling::fusion::Fusion;
use crate::tiling::tiles::{Buffering, Dma, Scratchpad};
use crate::tiling::{CheckedPlan, Interface, LAYERS_PER_SECOND, Level, MemoryOptions, Outside};

/// Bytes that code and tables are taken to need beside activations and constants, before a linker counts them.
const CODE: usize = 96 * 1024;

/// What the planner must know of the platform's memories.
///
/// # Errors
/// Options for memories that the target does not have, or more of one than there is.
pub(super) fn options(platform: &Platform, options: &CompileOptions) -> Result<MemoryOptions> {
    let tiling = &options.tiling;
    let mut memory = memory_options(platform, options.interface);
    memory.faster = faster(platform, tiling)?;
    memory.scratchpad = scratchpad(platform, tiling)?;
    memory.outside = outside(platform, tiling)?;
    let unified = platform.arena_memory().is_some_and(|m| m.role == Role::Unified);
    memory.holds_constants = unified && memory.constants_outside().is_none();
    memory.ram_budget = ram_budget(platform, tiling)?;
    memory.streams = !has_scratchpad(platform) && tiling.fusion != Fusion::Off;
    if let Some(bytes) = tiling.arena {
        let bytes = arena_bytes(&memory, bytes)?;
        memory.limit = (!memory.faster.is_empty()).then_some(bytes);
        memory.capacity = memory.capacity.min(Some(bytes)).or(Some(bytes));
    }
    Ok(memory)
}

/// Whether activations and constants leave their memory less than code is taken to need.
pub(super) fn is_tight(made: &Compiled) -> bool {
    let memory = made.target.platform.arena_memory().filter(|m| m.role == Role::Unified);
    let needed = |m: &Memory| unified_bytes(&made.plan, &made.sources, &m.name) + CODE;
    memory.is_some_and(|m| free(m).is_some_and(|size| needed(m) > size))
}

/// Bytes of activations and constants in a memory that holds both.
fn unified_bytes(plan: &CheckedPlan, sources: &Sources, memory: &str) -> usize {
    let arenas = plan.arenas.iter().filter(|a| a.level == memory);
    arenas.map(|a| a.bytes).sum::<usize>() + sources.report.totals.weight_bytes
}

/// Whether activations and constants fit a memory that holds both; the code is not known yet.
pub(super) fn fits(
    platform: &Platform,
    wanted: Option<u64>,
    plan: &CheckedPlan,
    sources: &Sources,
) -> Result<()> {
    let constants = sources.report.totals.weight_bytes;
    if let Some((flash, size)) = platform.flash().and_then(|m| Some((m, m.size?))) {
        if constants as u64 > size {
            let missing = constants as u64 - size;
            let message = format!("constants need {constants} bytes of `{}`, which has {size}", flash.name);
            let help = format!(
                "make the network's constants smaller by {missing} bytes, and by as much as its code takes"
            );
            return Err(Diagnostic::infeasible(message).help(help).into());
        }
    }
    let Some(memory) = platform.arena_memory().filter(|m| m.role == Role::Unified) else { return Ok(()) };
    let Some(size) = wanted.or(memory.size) else { return Ok(()) };
    let needed = unified_bytes(plan, sources, &memory.name);
    let (arena, needed) = (needed - constants, needed as u64);
    if needed <= size {
        return Ok(());
    }
    let message = format!(
        "activations ({arena} bytes) and constants ({constants} bytes) need {needed} bytes of `{}`, which has {size}",
        memory.name
    );
    let missing = needed - size;
    let smaller = format!("make the network smaller by {missing} bytes, and by as much as its code takes");
    let outside = platform.memories.iter().any(|m| m.role == Role::External);
    let help = if outside {
        format!("keep its constants outside of the chip (--default-level L3), or {smaller}")
    } else {
        smaller
    };
    Err(Diagnostic::infeasible(message).help(help).into())
}

/// Bytes of a memory for tensors, where there is a limit.
fn free(memory: &Memory) -> Option<usize> {
    memory.size.and_then(|s| usize::try_from(s.saturating_sub(memory.reserved)).ok())
}

fn memory_options(platform: &Platform, interface: Interface) -> MemoryOptions {
    let memory = platform.arena_memory();
    let size = memory.and_then(free);
    MemoryOptions {
        level: memory.map_or_else(|| "ram".into(), |m| m.name.clone()),
        capacity: size,
        size,
        alignment: platform.defaults.alignment,
        interface,
        ..MemoryOptions::default()
    }
}

/// The external memory, where programs can reach it.
///
/// # Errors
/// Options for one that the target does not have, or more of it than there is.
fn outside(platform: &Platform, options: &TilingOptions) -> Result<Option<Outside>> {
    let memory = platform.memories.iter().find(|m| m.role == Role::External);
    let Some(memory) = memory.filter(|_| platform.runtime.as_ref().is_some_and(|r| r.call.is_some())) else {
        let asked =
            [("--default-level", options.external == Some(true)), ("--l3", options.outside.is_some())];
        let asked = asked.iter().find(|(_, set)| *set);
        return asked.map_or(Ok(None), |(option, _)| {
            let message = format!("{option}: target `{}` has no external memory", platform.name);
            Err(Diagnostic::invalid(message).help("leave the option out").into())
        });
    };
    let size = memory.size.unwrap_or(u64::MAX);
    if let Some(wanted) = options.outside.filter(|wanted| *wanted > size) {
        let message = format!("--l3 {wanted}: `{}` has {size} bytes", memory.name);
        return Err(Diagnostic::invalid(message).help(format!("give at most {size}")).into());
    }
    let bandwidth = memory.bandwidth.unwrap_or(1.0);
    Ok(Some(Outside {
        level: memory.name.clone(),
        capacity: usize::try_from(options.outside.unwrap_or(size)).unwrap_or(usize::MAX),
        latency: memory.latency.unwrap_or(0),
        bandwidth,
        store_bandwidth: memory.store_bandwidth.unwrap_or(bandwidth),
        constants: options.external == Some(true),
    }))
}

/// The bytes of the memories of the activations that the user leaves.
///
/// # Errors
/// There are fewer.
fn arena_bytes(memory: &MemoryOptions, wanted: u64) -> Result<usize> {
    let sizes: Option<usize> = memory.levels().iter().map(|l| l.capacity).sum();
    let size = sizes.map_or(u64::MAX, |n| n as u64);
    if wanted > size {
        let message = format!("--l2 {wanted}: there are {size} bytes");
        return Err(Diagnostic::invalid(message).help(format!("give at most {size}")).into());
    }
    Ok(usize::try_from(wanted).unwrap_or(usize::MAX))
}

/// The memories that activations may lie in beside the one for all that these do not hold, as far as the options leave them.
///
/// # Errors
/// More of one than there is.
fn faster(platform: &Platform, options: &TilingOptions) -> Result<Vec<Level>> {
    let level = |m: &&Memory| Level { name: m.name.clone(), capacity: free(m) };
    let mut levels: Vec<Level> = platform.arena_memories().iter().map(level).collect();
    levels.pop();
    if let (Some(first), Some(wanted)) = (levels.first_mut(), options.scratchpad) {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        if let Some(size) = first.capacity.filter(|size| wanted > *size) {
            let message = format!("--l1 {wanted}: `{}` has {size} bytes for activations", first.name);
            return Err(Diagnostic::invalid(message).help(format!("give at most {size}")).into());
        }
        first.capacity = Some(wanted);
    }
    Ok(levels)
}

fn has_scratchpad(platform: &Platform) -> bool {
    platform.memories.iter().any(|m| m.role == Role::Scratchpad)
}

/// The bytes that the user leaves the activations, where layers are computed row by row to keep to it.
///
/// # Errors
/// The target computes in parts, in a scratchpad.
fn ram_budget(platform: &Platform, options: &TilingOptions) -> Result<Option<usize>> {
    let Some(budget) = options.ram_budget else { return Ok(None) };
    if has_scratchpad(platform) {
        let message =
            format!("--ram-budget: target `{}` computes in parts, in its scratchpad", platform.name);
        return Err(Diagnostic::invalid(message).help("say --l1 and --l2 instead").into());
    }
    Ok(Some(usize::try_from(budget).unwrap_or(usize::MAX)))
}

/// The scratchpad of a platform that computes in parts, as far as the options leave it.
///
/// # Errors
/// Options for a scratchpad that the target does not have, or more of it than there is.
fn scratchpad(platform: &Platform, options: &TilingOptions) -> Result<Option<Scratchpad>> {
    let memory = platform.memories.iter().find(|m| m.role == Role::Scratchpad);
    let parts = platform.runtime.as_ref().is_some_and(|r| r.tiled.is_some());
    let (Some(memory), Some(from)) = (memory.filter(|_| parts), platform.arena_memory()) else {
        let asked = [
            ("--l1", options.scratchpad.is_some() && platform.arena_memories().len() < 2),
            ("--buffering", options.buffering != Buffering::Auto),
            ("--plan-seconds", options.seconds.is_some()),
        ];
        let asked = asked.iter().find(|(_, set)| *set);
        return asked.map_or(Ok(None), |(option, _)| {
            let message = format!("{option}: target `{}` has no scratchpad to compute in", platform.name);
            Err(Diagnostic::invalid(message).help("leave the option out").into())
        });
    };
    let free = memory.size.unwrap_or(0).saturating_sub(memory.reserved);
    let wanted = options.scratchpad.unwrap_or(free);
    if wanted > free {
        let (name, reserved) = (&memory.name, memory.reserved);
        let message = format!(
            "--l1 {wanted}: `{name}` has {free} bytes for layers ({reserved} of it are stacks and the runtime's)"
        );
        return Err(Diagnostic::invalid(message).help(format!("give at most {free}")).into());
    }
    let capacity = usize::try_from(wanted).unwrap_or(usize::MAX);
    let pad = Scratchpad {
        arena: 1,
        level: memory.name.clone(),
        capacity,
        alignment: platform.defaults.alignment.max(8),
        dma: Dma { latency: from.latency.unwrap_or(0), bandwidth: from.bandwidth.unwrap_or(1.0) },
        buffering: options.buffering,
        budget: (options.seconds.unwrap_or(PLAN_SECONDS) * LAYERS_PER_SECOND as f64) as u64,
        seen: Default::default(),
    };
    Ok(Some(pad).filter(|_| !options.untiled))
}
