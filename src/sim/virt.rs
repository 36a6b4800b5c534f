//! A plain RV32IMFC core where QEMU's `virt` machine has its memory, serial port and test device.
//!
//! In: nothing. Out: a [`Soc`]. Never simulates. It exists to run the same program here and there; its costs mean
//! nothing.

use super::rv32::Isa;
use super::soc::{CacheSpec, CoreSpec, DeviceKind, MemorySpec, Side, Soc, Window};

/// The machine.
pub fn soc() -> Soc {
    let window = |base, size, device| Window { base, size, device, offset: 0, costs: [1, 1] };
    Soc {
        name: "virt",
        cores: vec![CoreSpec {
            name: "core 0".into(),
            hart: 0,
            side: Side::Cluster,
            isa: Isa { float: true, xpulp: false },
            period: 1,
            index: 0,
            cache: None,
        }],
        boot_core: 0,
        memories: vec![MemorySpec {
            name: "RAM",
            base: 0x8000_0000,
            size: 0x80_0000,
            aliases: &[],
            costs: [1, 1],
            banks: 0,
            loadable: true,
        }],
        devices: vec![DeviceKind::Stdout, DeviceKind::Finisher],
        windows: vec![window(0x1000_0000, 0x100, 0), window(0x0010_0000, 0x1000, 1)],
        cache: CacheSpec { banks: 1, sets: 1, hit: 0, miss: 0, off: 0 },
        uncached_fetch: 0,
        float_units: 1,
        float_division: 14,
        period: 1,
        frequency: 1_000_000,
    }
}
