//! Devices: everything on the bus that is not a memory.
//!
//! In: reads and writes of registers, events at times that a device asked for. Out: values, and [`Effect`]s that
//! the machine carries out. A device never sees the machine, a core or another device.

mod cluster_control;
mod event_unit;
mod mchan;
mod micro_dma;
mod simple;
mod timer;

use super::soc::{DeviceKind, Soc};

/// One access to a register.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Offset inside the window, with the window's marks.
    pub offset: u32,
    /// Bytes: 1, 2 or 4.
    pub size: u32,
    /// The core, by its place in [`Soc::cores`].
    pub core: usize,
    /// When, in ticks.
    pub now: u64,
}

/// What an access comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done; the value read.
    Value(u32),
    /// Done, but the core may only go on at this time (in ticks).
    Until(u32, u64),
    /// The core stands still until the device wakes it; what it waits for.
    Sleep(&'static str),
    /// The hardware has no such register, or the access is wrong: what is wrong with it.
    Fault(String),
}

/// A transfer between two memories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What moves it, for traces: 0 out of L1, 1 into L1, 2 over HyperBus.
    pub kind: usize,
    /// Core that started it.
    pub core: usize,
    /// What tells of its end, together with that of others, if the device has counters.
    pub counter: Option<usize>,
    /// Rows: source address, destination address, bytes.
    pub rows: Vec<(Place, Place, u32)>,
    /// First and last tick.
    pub from: u64,
    /// See `from`.
    pub until: u64,
}

/// One end of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An address on the bus.
    Bus(u32),
    /// An offset in the memory behind HyperBus with this chip select.
    Hyper(usize, u32),
}

/// What a device does to the rest of the chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Lets a sleeping core go on at a time, with the value it was waiting for.
    Wake {
        /// The core.
        core: usize,
        /// The value.
        value: u32,
        /// When, in ticks.
        at: u64,
    },
    /// Calls `Device::event` of this device at a time.
    Schedule {
        /// When, in ticks.
        at: u64,
        /// Passed on.
        token: u32,
    },
    /// Raises event lines of cluster cores (a mask of cores, 0 for all).
    Raise {
        /// Lines.
        events: u32,
        /// Cores.
        cores: u32,
    },
    /// The controller's interrupt lines that are pending and not masked, after a change.
    Interrupt(u32),
    /// Starts a core.
    Start {
        /// The core.
        core: usize,
        /// Its first instruction.
        pc: u32,
    },
    /// Stops a core.
    Stop(usize),
    /// Starts moving bytes.
    Move(Transfer),
    /// Switches the cluster's instruction caches on or off.
    EnableCaches(bool),
    /// Empties them.
    FlushCaches,
    /// Prints a byte.
    Print {
        /// The stream: which core's.
        stream: u32,
        /// The byte.
        byte: u8,
    },
    /// Ends the program.
    Exit(u32),
    /// Cores synchronise: each knows what the others did before. A mask of cores.
    Synchronise(u32),
    /// A core goes on after another did what it was waiting for.
    Follow {
        /// The core that waited.
        core: usize,
        /// The core that it waited for.
        after: usize,
    },
    /// A core is done with the transfers of a counter.
    Ended {
        /// The core.
        core: usize,
        /// The counter.
        counter: usize,
    },
    /// A core has asked whether a transfer is under way that it may be waiting for.
    Polled {
        /// The core.
        core: usize,
        /// Whether it is.
        busy: bool,
    },
    /// Somebody has asked whether transfers have ended: those that have may be used.
    Asked,
}

pub use event_unit::EVENT;
pub use mchan::COUNTER;
pub use micro_dma::HYPER_SIZES;

/// What a device wants done.
pub type Effects = Vec<Effect>;

/// A device.
pub trait Device {
    /// Its name, for messages.
    fn name(&self) -> &'static str;
    /// A read.
    fn read(&mut self, access: &Access, effects: &mut Effects) -> Reply;
    /// A write.
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply;
    /// A time it asked for has come.
    fn event(&mut self, _token: u32, _now: u64, _effects: &mut Effects) {}
    /// Event lines are raised; only event units and interrupt controllers listen.
    fn raise(&mut self, _events: u32, _cores: u32, _now: u64, _effects: &mut Effects) {}
}

/// A register that is not there.
fn no_register(name: &str, access: &Access, verb: &str) -> Reply {
    Reply::Fault(format!(
        "{verb} the {name} at offset {:#x}, where it has no register",
        access.offset & 0xffff
    ))
}

/// An access of fewer than 32 bits to a device that takes no others.
fn narrow(name: &str, verb: &str) -> Reply {
    Reply::Fault(format!("{verb} the {name} with less than 32 bits"))
}

/// Makes the devices of a chip.
pub fn build(soc: &Soc) -> Vec<Box<dyn Device>> {
    soc.devices.iter().map(|kind| one(*kind, soc)).collect()
}

fn one(kind: DeviceKind, soc: &Soc) -> Box<dyn Device> {
    let cluster = soc.cores.iter().filter(|c| c.side == super::soc::Side::Cluster).count();
    match kind {
        DeviceKind::ClusterControl => Box::new(cluster_control::ClusterControl::new(cluster)),
        DeviceKind::Timer { period } => Box::new(timer::Timer::new(period)),
        DeviceKind::EventUnit => Box::new(event_unit::EventUnit::new(cluster, soc.period)),
        DeviceKind::IcacheControl => Box::new(simple::IcacheControl { cluster: true }),
        DeviceKind::ControllerIcacheControl => Box::new(simple::IcacheControl { cluster: false }),
        DeviceKind::Mchan => Box::new(mchan::Mchan::new(cluster, soc.period)),
        DeviceKind::Fll => Box::new(simple::Registers::new("clock generator", 0x30)),
        DeviceKind::SocControl => Box::new(simple::SocControl::new()),
        DeviceKind::Stdout => Box::new(simple::Stdout),
        DeviceKind::MicroDma => {
            let l2 = soc.memories.iter().find(|m| m.name == "L2").map_or((0, 0), |m| (m.base, m.size));
            Box::new(micro_dma::MicroDma::new(soc.period, l2))
        }
        DeviceKind::InterruptController => Box::new(simple::InterruptController::default()),
        DeviceKind::Finisher => Box::new(simple::Finisher),
        DeviceKind::Neureka => Box::new(simple::NotBuilt("NEUREKA accelerator")),
    }
}
