//! Devices of a few registers: SoC controller, standard output, cache control, interrupt controller, stores.
//!
//! In: register accesses. Out: values and effects. Register layouts: the SDK's archi headers of the chip family.

use super::{Access, Device, Effect, Effects, Reply, narrow, no_register};

/// Registers that only remember what was written.
pub struct Registers {
    name: &'static str,
    words: Vec<u32>,
}

impl Registers {
    /// `bytes` of registers.
    pub fn new(name: &'static str, bytes: usize) -> Self {
        Registers { name, words: vec![0; bytes / 4] }
    }
}

impl Device for Registers {
    fn name(&self) -> &'static str {
        self.name
    }
    fn read(&mut self, access: &Access, _: &mut Effects) -> Reply {
        Reply::Value(self.words.get(access.offset as usize / 4).copied().unwrap_or(0))
    }
    fn write(&mut self, access: &Access, value: u32, _: &mut Effects) -> Reply {
        if let Some(word) = self.words.get_mut(access.offset as usize / 4) {
            *word = value;
        }
        Reply::Value(0)
    }
}

/// The SoC controller: boot address, exit register.
pub struct SocControl {
    words: Vec<u32>,
}

/// Writing bit 31 here ends the program with the other bits as its status.
const CORE_STATUS: u32 = 0xa0;

impl SocControl {
    /// As after reset.
    pub fn new() -> Self {
        SocControl { words: vec![0; 0x400] }
    }
}

impl Device for SocControl {
    fn name(&self) -> &'static str {
        "SoC controller"
    }
    fn read(&mut self, access: &Access, _: &mut Effects) -> Reply {
        if access.size != 4 {
            return narrow(self.name(), "reads");
        }
        Reply::Value(self.words.get(access.offset as usize / 4).copied().unwrap_or(0))
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        if access.size != 4 {
            return narrow(self.name(), "writes");
        }
        if let Some(word) = self.words.get_mut(access.offset as usize / 4) {
            *word = value;
        }
        if access.offset == CORE_STATUS && value >> 31 != 0 {
            effects.push(Effect::Exit(value & 0x7fff_ffff));
        }
        Reply::Value(0)
    }
}

/// SiFive's test device: 0x5555 ends the program well, 0x3333 with the status in the upper half.
pub struct Finisher;

impl Device for Finisher {
    fn name(&self) -> &'static str {
        "test device"
    }
    fn read(&mut self, access: &Access, _: &mut Effects) -> Reply {
        no_register(self.name(), access, "reads")
    }
    fn write(&mut self, _: &Access, value: u32, effects: &mut Effects) -> Reply {
        match value & 0xffff {
            0x5555 => effects.push(Effect::Exit(0)),
            0x3333 => effects.push(Effect::Exit(value >> 16)),
            _ => {}
        }
        Reply::Value(0)
    }
}

/// Character output: a byte per write, a stream per core.
pub struct Stdout;

impl Device for Stdout {
    fn name(&self) -> &'static str {
        "standard output"
    }
    fn read(&mut self, access: &Access, _: &mut Effects) -> Reply {
        no_register(self.name(), access, "reads")
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        effects.push(Effect::Print { stream: access.offset >> 3, byte: value as u8 });
        Reply::Value(0)
    }
}

/// Instruction cache control: the cluster's, or the controller's (which has no effect here).
pub struct IcacheControl {
    /// Whether it is the cluster's.
    pub cluster: bool,
}

impl Device for IcacheControl {
    fn name(&self) -> &'static str {
        "instruction cache control"
    }
    fn read(&mut self, _: &Access, _: &mut Effects) -> Reply {
        Reply::Value(0)
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        match access.offset {
            _ if !self.cluster => {}
            // The platform looks at the lowest byte only.
            0 => effects.push(Effect::EnableCaches(value & 0xff != 0)),
            4 => effects.push(Effect::FlushCaches),
            _ => {}
        }
        Reply::Value(0)
    }
}

/// The controller's interrupt lines: mask, status, acknowledge, each with set and clear.
#[derive(Default)]
pub struct InterruptController {
    mask: u32,
    status: u32,
    acknowledged: u32,
}

impl InterruptController {
    fn register(&mut self, offset: u32) -> Option<&mut u32> {
        match offset {
            0x00..0x0c => Some(&mut self.mask),
            0x0c..0x18 => Some(&mut self.status),
            0x18..0x24 => Some(&mut self.acknowledged),
            _ => None,
        }
    }
}

impl Device for InterruptController {
    fn name(&self) -> &'static str {
        "interrupt controller"
    }
    fn read(&mut self, access: &Access, _: &mut Effects) -> Reply {
        match self.register(access.offset) {
            _ if access.size != 4 => narrow(self.name(), "reads"),
            // Set and clear are written only.
            Some(register) if access.offset / 4 % 3 == 0 => Reply::Value(*register),
            _ => no_register(self.name(), access, "reads"),
        }
    }
    fn write(&mut self, access: &Access, value: u32, effects: &mut Effects) -> Reply {
        let offset = access.offset;
        match self.register(offset) {
            _ if access.size != 4 => return narrow(self.name(), "writes"),
            Some(register) => match offset / 4 % 3 {
                0 => *register = value,
                1 => *register |= value,
                _ => *register &= !value,
            },
            None => return no_register(self.name(), access, "writes"),
        }
        self.check(effects);
        Reply::Value(0)
    }
    fn raise(&mut self, events: u32, _: u32, _: u64, effects: &mut Effects) {
        self.status |= events;
        self.check(effects);
    }
}

impl InterruptController {
    /// A pending line that is not masked ends `wfi`.
    fn check(&self, effects: &mut Effects) {
        effects.push(Effect::Interrupt(self.status & self.mask));
    }
}

/// The seat of a device that has no model.
pub struct NotBuilt(pub &'static str);

impl Device for NotBuilt {
    fn name(&self) -> &'static str {
        self.0
    }
    fn read(&mut self, _: &Access, _: &mut Effects) -> Reply {
        Reply::Fault(format!("reads the {}, which this simulator does not model yet", self.0))
    }
    fn write(&mut self, _: &Access, _: u32, _: &mut Effects) -> Reply {
        Reply::Fault(format!("writes the {}, which this simulator does not model yet", self.0))
    }
}
