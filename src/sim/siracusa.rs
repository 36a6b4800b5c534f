//! Siracusa as data: memory map, cores, devices, costs.
//!
//! In: nothing. Out: a [`Soc`]. Never simulates. Source: the chip's public virtual platform (memory map) and
//! measurements on it (costs, in cycles of the core that pays).

use super::rv32::Isa;
use super::soc::{CacheSpec, CoreSpec, DeviceKind, MemorySpec, Side, Soc, UNREACHABLE, Window};

/// Ticks per cycle: the cluster runs at 72 MHz, the controller at 50 MHz; 1.8 GHz is their least common multiple.
const CLUSTER_PERIOD: u64 = 25;
const CONTROLLER_PERIOD: u64 = 36;
/// Cores of the cluster.
const CLUSTER_CORES: u32 = 9;

/// First address of the cluster's L1.
pub const L1_BASE: u32 = 0x1000_0000;

/// The chip.
pub fn soc() -> Soc {
    Soc {
        name: "siracusa",
        cores: cores(),
        boot_core: CLUSTER_CORES as usize,
        memories: memories(),
        devices: DEVICES.to_vec(),
        windows: windows(),
        cache: CacheSpec { banks: 2, sets: 32, hit: 2, miss: 16, off: 15 },
        uncached_fetch: 5,
        float_units: 4,
        float_division: 14,
        period: CLUSTER_PERIOD,
        frequency: 72_000_000,
    }
}

fn cores() -> Vec<CoreSpec> {
    let cluster = (0..CLUSTER_CORES).map(|i| CoreSpec {
        name: format!("cluster core {i}"),
        hart: i,
        side: Side::Cluster,
        isa: Isa { float: true, xpulp: true },
        period: CLUSTER_PERIOD,
        index: i as usize,
        // Core 8 has 2 KiB, the others 512 bytes.
        cache: Some(if i == 8 { 32 } else { 8 }),
    });
    let controller = CoreSpec {
        name: "fabric controller".into(),
        hart: 0x3e0,
        side: Side::Controller,
        isa: Isa { float: false, xpulp: true },
        period: CONTROLLER_PERIOD,
        index: 0,
        cache: None,
    };
    cluster.chain([controller]).collect()
}

fn memories() -> Vec<MemorySpec> {
    let memory = |name, base, size, aliases, costs, banks, loadable| MemorySpec {
        name,
        base,
        size,
        aliases,
        costs,
        banks,
        loadable,
    };
    vec![
        memory("L1", L1_BASE, 0x4_0000, &[0], [1, 15], 16, false),
        // Two private parts of 32 KiB and the shared part follow each other.
        memory("L2", 0x1c00_0000, 0x20_0000, &[], [15, 1], 0, true),
        memory("weight memory", 0x1040_0000, 0x80_0000, &[], [5, 17], 0, true),
    ]
}

const CONTROL: usize = 0;
const CLUSTER_TIMER: usize = 1;
const EVENT_UNIT: usize = 2;
const NEUREKA: usize = 3;
const ICACHE: usize = 4;
const MCHAN: usize = 5;
const FLL: usize = 6;
const MICRO_DMA: usize = 7;
const SOC_CONTROL: usize = 8;
const CONTROLLER_ICACHE: usize = 9;
const INTERRUPTS: usize = 10;
const TIMER: usize = 11;
const SECOND_TIMER: usize = 12;
const STDOUT: usize = 13;

const DEVICES: [DeviceKind; 14] = [
    DeviceKind::ClusterControl,
    DeviceKind::Timer { period: CLUSTER_PERIOD },
    DeviceKind::EventUnit,
    DeviceKind::Neureka,
    DeviceKind::IcacheControl,
    DeviceKind::Mchan,
    DeviceKind::Fll,
    DeviceKind::MicroDma,
    DeviceKind::SocControl,
    DeviceKind::ControllerIcacheControl,
    DeviceKind::InterruptController,
    DeviceKind::Timer { period: CONTROLLER_PERIOD },
    DeviceKind::Timer { period: CONTROLLER_PERIOD },
    DeviceKind::Stdout,
];

/// Offset that marks the per-core ports of the event unit and the DMA.
pub const DEMUX: u32 = 0x8000_0000;

/// Where the cluster's cores also see their devices.
const ALIAS: u32 = 0x0020_0000;

fn windows() -> Vec<Window> {
    let mut all = Vec::new();
    for base in [0x1020_0000, ALIAS] {
        let mut add = |at: u32, size, device, offset, [cluster, controller]: [u32; 2]| {
            let costs = [cluster, if base == ALIAS { UNREACHABLE } else { controller }];
            all.push(Window { base: base + at, size, device, offset, costs });
        };
        let peripheral = [3, 15];
        add(0x0000, 0x400, CONTROL, 0, peripheral);
        add(0x0400, 0x400, CLUSTER_TIMER, 0, peripheral);
        add(0x0800, 0x800, EVENT_UNIT, 0, peripheral);
        add(0x1000, 0x400, NEUREKA, 0, peripheral);
        add(0x1400, 0x400, ICACHE, 0, peripheral);
        add(0x1800, 0x400, MCHAN, 0, peripheral);
        add(0x4000, 0x400, EVENT_UNIT, DEMUX, [1, 15]);
        add(0x4400, 0x400, MCHAN, DEMUX, [1, 15]);
    }
    let mut add = |base, size, device| {
        all.push(Window { base, size, device, offset: 0, costs: [23, 9] });
    };
    add(0x1a10_0000, 0x30, FLL);
    add(0x1a10_2000, 0x2000, MICRO_DMA);
    add(0x1a10_4000, 0x1000, SOC_CONTROL);
    add(0x1a10_8800, 0x800, CONTROLLER_ICACHE);
    add(0x1a10_9800, 0x800, INTERRUPTS);
    add(0x1a10_b000, 0x800, TIMER);
    add(0x1a10_b800, 0x800, SECOND_TIMER);
    add(0x1a10_f000, 0x1000, STDOUT);
    all
}
