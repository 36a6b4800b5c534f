//! Cluster control: boot addresses and fetch enables of the cluster's cores.
//!
//! In: register accesses. Out: cores started and stopped.

use super::{Access, Device, Effect, Effects, Reply, no_register};

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
            (_, Some(boot)) => Reply::Value(*boot),
            // End of computation, clock gate, and the like read as written elsewhere: zero.
            (0x08, _) => Reply::Value(self.enabled),
            (0..0x40, _) => Reply::Value(0),
            _ => no_register(self.name(), access, "reads"),
        }
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
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
            0..0x40 => Reply::Value(0),
            _ => no_register(self.name(), access, "writes"),
        }
    }
}
