//! What a system on chip is, as data: cores, memories, devices, and what each costs to reach.
//!
//! In: nothing. Out: [`Soc`] and its parts; the chips themselves are tables such as `siracusa`. Never simulates.
//!
//! Time is counted in ticks, a unit that every clock period is a whole number of.

use super::rv32::Isa;

/// Kinds of cores that reach memories at different costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A core of the cluster.
    Cluster = 0,
    /// The fabric controller.
    Controller = 1,
}

/// Cycles that a blocking access costs: from the cluster, from the controller (each in its own cycles).
pub type Costs = [u32; 2];

/// Cost of a window's access that a side does not have.
pub const UNREACHABLE: u32 = u32::MAX;

/// One core.
#[derive(Clone, Debug)]
pub struct CoreSpec {
    /// `cluster core 3`, for messages.
    pub name: String,
    /// `mhartid`.
    pub hart: u32,
    /// Where it is.
    pub side: Side,
    /// Its extensions.
    pub isa: Isa,
    /// Ticks per cycle.
    pub period: u64,
    /// Number inside the cluster, or 0.
    pub index: usize,
    /// Its private instruction cache, if it has one: sets of four 16-byte lines.
    pub cache: Option<usize>,
}

/// One memory.
#[derive(Clone, Debug)]
pub struct MemorySpec {
    /// Name, for messages.
    pub name: &'static str,
    /// First address, a multiple of 4096.
    pub base: u32,
    /// Bytes, a multiple of 4096.
    pub size: u32,
    /// Further first addresses of the same memory.
    pub aliases: &'static [u32],
    /// Cost of an access.
    pub costs: Costs,
    /// Word-interleaved banks that conflict among the cluster's cores; 0 if accesses never conflict.
    pub banks: usize,
    /// Whether a program's segments may be loaded into it.
    pub loadable: bool,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// Boot addresses and fetch enables of the cluster's cores.
    ClusterControl,
    /// Two 32-bit counters; the period of its clock in ticks.
    Timer {
        /// Ticks per count.
        period: u64,
    },
    /// Events, barriers, mutexes, dispatch.
    EventUnit,
    /// Instruction cache control of the cluster.
    IcacheControl,
    /// Instruction cache control of the controller.
    ControllerIcacheControl,
    /// The cluster's DMA.
    Mchan,
    /// Clock generators.
    Fll,
    /// The SoC controller with the exit register.
    SocControl,
    /// Character output.
    Stdout,
    /// The micro-DMA with HyperBus.
    MicroDma,
    /// The controller's interrupt controller.
    InterruptController,
    /// The accelerator's seat.
    Neureka,
    /// SiFive's test device: ends the program.
    Finisher,
}

/// One place where a device is reached.
#[derive(Clone, Debug)]
pub struct Window {
    /// First address.
    pub base: u32,
    /// Bytes.
    pub size: u32,
    /// The device.
    pub device: usize,
    /// What the device adds to the offset: tells ports apart.
    pub offset: u32,
    /// Cost of an access.
    pub costs: Costs,
}

/// The shared instruction cache of the cluster.
#[derive(Clone, Copy, Debug)]
pub struct CacheSpec {
    /// Banks, interleaved by line.
    pub banks: usize,
    /// Sets of four 16-byte lines in a bank.
    pub sets: usize,
    /// Cycles of a miss in the private cache that hits here.
    pub hit: u32,
    /// Further cycles of a miss.
    pub miss: u32,
    /// Cycles of a fetch while the caches are off.
    pub off: u32,
}

/// A system on chip.
#[derive(Clone, Debug)]
pub struct Soc {
    /// Its name.
    pub name: &'static str,
    /// Cores; those of the cluster first, in order.
    pub cores: Vec<CoreSpec>,
    /// The core that starts at the program's entry.
    pub boot_core: usize,
    /// Memories.
    pub memories: Vec<MemorySpec>,
    /// Devices.
    pub devices: Vec<DeviceKind>,
    /// Where devices are reached; the first that fits is taken.
    pub windows: Vec<Window>,
    /// The cluster's instruction cache.
    pub cache: CacheSpec,
    /// Cycles of a line change of a core without a cache.
    pub uncached_fetch: u32,
    /// Float units, shared by cores of the same number modulo this.
    pub float_units: usize,
    /// Cycles of float division and square root; one unit serves all.
    pub float_division: u32,
    /// Ticks per reported cycle.
    pub period: u64,
    /// Reported cycles per second.
    pub frequency: u64,
}
