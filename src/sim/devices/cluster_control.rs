//! Cluster control: boot addresses and fetch enables of the cluster's cores.
//!
//! In: register accesses. Out: cores started and stopped. Source: archi/cluster_ctrl_v2.h of the SDK, behaviour of
//! the public virtual platform.

use super::{Access, Device, Effect, Effects, Reply, narrow, no_register};

/// Registers without effect here.
const EVENT: u32 = 0x10;
const CONFIGURATION: u32 = 0x18;
const CLOCK: u32 = 0x20;
const DEBUG_STATUS: u32 = 0x28;
const DEBUG_MASK: u32 = 0x38;

/// The registers.
pub struct ClusterControl {
    boot: Vec<u32>,
    enabled: u32,
}

impl ClusterControl {
    /// For so many cores.
    pub fn new(cores: usize) -> Self {
        ClusterControl { boot: vec![0; cores], enabled: 0 }
    }
    fn boot(&mut self, offset: u32) -> Option<&mut u32> {
        self.boot.get_mut((offset.checked_sub(0x40)? / 4) as usize)
    }
}

impl Device for ClusterControl {
    fn name(&self) -> &'static str {
        "cluster control"
    }
    fn read(&mut self, access: &Access, _: &mut Effects) -> Reply {
        match (access.offset, self.boot(access.offset)) {
            _ if access.size != 4 => narrow(self.name(), "reads"),
            (_, Some(boot)) => Reply::Value(*boot),
            (0x08, _) => {
                Reply::Fault("reads the fetch enables of the cluster, which takes a read for a write".into())
            }
            (EVENT | CONFIGURATION | CLOCK | DEBUG_STATUS | DEBUG_MASK, _) => Reply::Value(0),
            _ => no_register(self.name(), access, "reads"),
        }
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        if access.size != 4 {
            return narrow(self.name(), "writes");
        }
        if let Some(boot) = self.boot(access.offset) {
            *boot = value;
            return Reply::Value(0);
        }
        match access.offset {
            0x08 => {
                for (core, boot) in self.boot.iter().enumerate() {
                    let (was, is) = (self.enabled >> core & 1, value >> core & 1);
                    if was < is {
                        effects.push(Effect::Start { core, pc: *boot });
                        effects.push(Effect::Follow { core, after: access.core });
                    } else if was > is {
                        effects.push(Effect::Stop(core));
                    }
                }
                self.enabled = value;
                Reply::Value(0)
            }
            EVENT | CONFIGURATION | CLOCK | DEBUG_STATUS | DEBUG_MASK => Reply::Value(0),
            _ => no_register(self.name(), access, "writes"),
        }
    }
}
