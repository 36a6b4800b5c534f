//! The cost table: what was measured on the public virtual platform of Siracusa beside what the simulator gives.

use tilewright::sim::{self, Options, Status};

/// One row.
pub struct Row {
    /// Its name in the program's output.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The smallest measured value, in cycles.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Whether the value is certain: then nothing else passes, and 10 % otherwise.
    pub exact: bool,
}

const fn exact(name: &'static str, what: &'static str, cycles: f64) -> Row {
    Row { name, what, low: cycles, high: cycles, exact: true }
}

const fn about(name: &'static str, what: &'static str, cycles: f64) -> Row {
    Row { name, what, low: cycles, high: cycles, exact: false }
}

/// Programs and their rows.
pub const TABLE: &[(&str, &[Row])] =
    &[("core_costs", CORE), ("cluster_costs", CLUSTER), ("fc_costs", CONTROLLER), ("dot_costs", DOT)];

const CORE: &[Row] = &[
    exact("load_l1", "load, L1", 1.0),
    exact("load_alias", "load, L1 by its alias", 1.0),
    exact("load_weights", "load, weight memory", 5.0),
    exact("load_l2", "load, L2", 15.0),
    exact("load_peripheral", "load, cluster peripheral", 3.0),
    exact("load_event_unit", "load, event unit by the core's port", 1.0),
    exact("load_apb", "load, SoC APB", 23.0),
    exact("store_l1", "store, L1", 1.0),
    exact("store_weights", "store, weight memory", 5.0),
    exact("store_l2", "store, L2", 15.0),
    exact("store_peripheral", "store, cluster peripheral", 3.0),
    exact("store_apb", "store, SoC APB", 23.0),
    exact("load_unaligned", "load over a word boundary, L1", 2.0),
    exact("load_use", "load, then its use in arithmetic", 3.0),
    exact("load_use_address", "load, then its use as an address", 3.0),
    exact("load_use_store", "load, then a store of it", 3.0),
    exact("load_use_branch", "load, then a branch on it", 3.0),
    exact("load_use_dot", "load, then its use in a dot product", 3.0),
    exact("load_use_sum", "load, then its use as accumulator", 3.0),
    exact("load_use_float", "flw, then its use", 3.0),
    exact("load_no_use", "load, then something else", 2.0),
    exact("load_pointer", "post-increment load, then use of the pointer", 2.0),
    exact("event_load_ready", "p.elw of an event that is there", 3.0),
    exact("alu", "arithmetic", 1.0),
    exact("csr", "csrr", 1.0),
    exact("branch_taken", "branch, taken", 3.0),
    exact("branch_not_taken", "branch, not taken", 1.0),
    exact("branch_immediate", "p.beqimm, taken", 3.0),
    exact("jal", "jal", 2.0),
    exact("jalr", "auipc and jalr", 3.0),
    exact("mul", "mul", 2.0),
    exact("mul_use", "mul, then its use in arithmetic", 4.0),
    exact("mulh", "mulh", 5.0),
    exact("mulh_use", "mulhu, then its use in arithmetic", 7.0),
    exact("div_by_3", "div by 3: clz + 3", 33.0),
    exact("div_by_minus_3", "rem by -3: clz + 2", 32.0),
    exact("div_by_0", "div by 0", 1.0),
    exact("divu_by_5", "divu by 5: clz + 3", 32.0),
    exact("divu_by_0", "remu by 0", 34.0),
    exact("dot", "pv.sdotsp.b, dependent", 1.0),
    exact("mac", "p.mac, dependent", 1.0),
    exact("mac_rounded", "p.macsRN, dependent", 1.0),
    exact("clip", "p.clip, dependent", 1.0),
    exact("hardware_loop", "hardware loop of 4 instructions, 1000 times", 4002.0),
    exact("fadd", "fadd, dependent", 1.0),
    exact("fmul", "fmul, dependent", 1.0),
    exact("fmadd", "fmadd, dependent", 1.0),
    exact("fconvert", "fcvt.s.w", 1.0),
    exact("fdiv", "fdiv", 14.0),
    exact("fsqrt", "fsqrt", 14.0),
    about("cold_line", "fetch of a cold 16-byte line, more than of a warm one", 19.0),
    about("code_3k", "3 KiB of straight code (512 B private cache): per instruction", 1.5),
    about("code_6k", "6 KiB of straight code: per instruction", 4.2),
    about("code_16k", "16 KiB of straight code: per instruction", 5.0),
    about("dma_in_16k", "DMA into L1, 16 KiB", 2081.0),
    about("dma_in_1k", "DMA into L1, 1 KiB: 33 + N/8", 161.0),
    about("dma_in_rows", "DMA into L1, 8 KiB in rows of 64 bytes", 1057.0),
    about("dma_out_16k", "DMA out of L1, 16 KiB at 7.6 bytes a cycle", 33.0 + 16384.0 / 7.6),
    about("dma_out_short_rows", "DMA out of L1, 8 KiB in rows of 8 bytes", 33.0 + 8192.0 / 4.0),
    about("dma_both_16k", "DMA both ways at once, 16 KiB each", 2070.0),
    about("l3_read", "HyperRAM read, 8 KiB: 1960 + N", 1960.0 + 8192.0),
    about("l3_write", "HyperRAM write, 8 KiB: 1960 + 1.8 N", 1960.0 + 1.8 * 8192.0),
];

const CLUSTER: &[Row] = &[
    exact("same_word", "9 cores load one word: per load", 9.0),
    exact("own_bank", "9 cores load from their own banks: per load", 1.0),
    Row {
        name: "same_words",
        what: "9 cores walk over the same 64 words (128 alone)",
        low: 143.0,
        high: 152.0,
        exact: false,
    },
    exact("float_1", "fadd, 2 cores with a unit each", 1.0),
    exact("float_2", "fadd, 2 cores that share a unit", 2.0),
    exact("float_3", "fadd, 3 cores that share a unit", 3.0),
    exact("divide_2", "fsqrt, 2 cores", 28.0),
    exact("divide_9", "fsqrt, 9 cores", 126.0),
    about("barrier", "barrier of 9 cores, in a loop", 14.0),
    Row {
        name: "fork",
        what: "fork of 8 cores as the SDK does, of a function not called before",
        low: 54.0,
        high: 94.0,
        exact: false,
    },
];

const CONTROLLER: &[Row] = &[
    exact("fc_load_l2", "controller: load, L2", 1.0),
    exact("fc_load_l1", "controller: load, L1", 15.0),
    exact("fc_load_weights", "controller: load, weight memory", 17.0),
    exact("fc_load_peripheral", "controller: load, cluster peripheral", 15.0),
    exact("fc_load_apb", "controller: load, SoC APB", 9.0),
    about("fc_straight", "controller: straight code, per instruction", 2.3),
    about("fc_loop_line", "controller: loop of 2 instructions in one line", 2.0),
    about("fc_loop_lines", "controller: loop of 4 instructions over two lines", 14.0),
];

const DOT: &[Row] = &[
    about("dot_plain", "dot product of 1024 bytes, plain C", 11349.0),
    about("dot_plain_off", "the same without instruction caches", 39987.0),
    about("dot_pulp", "the same with SIMD, post-increment and hardware loop", 799.0),
];

/// A row with what the simulator gives.
pub struct Measured {
    /// The row.
    pub row: &'static Row,
    /// Cycles.
    pub cycles: f64,
}

impl Measured {
    /// How far off, relative to the nearest measured value.
    pub fn deviation(&self) -> f64 {
        let nearest = self.cycles.max(self.row.low).min(self.row.high);
        (self.cycles - nearest) / nearest
    }
    /// Whether it is near enough.
    pub fn passes(&self) -> bool {
        // Programs print hundredths.
        let allowed = if self.row.exact { 0.005 } else { 0.1 };
        self.deviation().abs() <= allowed
    }
}

/// Runs a program of the table.
pub fn measure(program: &[u8], rows: &'static [Row]) -> Vec<Measured> {
    let soc = sim::soc("siracusa").unwrap();
    let options = Options { max_cycles: Some(100_000_000), ..Options::default() };
    let report = sim::simulate(program, &soc, &options).unwrap();
    let printed = String::from_utf8(report.stdout).unwrap();
    assert_eq!(report.status, Status::Exit(0), "{printed}");
    let value = |name: &str| {
        let line = printed.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} was not measured:\n{printed}")).parse::<f64>().unwrap()
    };
    rows.iter().map(|row| Measured { row, cycles: value(row.name) / 100.0 }).collect()
}

/// The table as text.
pub fn table(measured: &[Measured]) -> String {
    let mut text = format!("{:64} {:>10} {:>10} {:>7}\n", "cycles", "measured", "simulator", "");
    for m in measured {
        let spec = if m.row.low == m.row.high {
            format!("{}", (m.row.low * 10.0).round() / 10.0)
        } else {
            format!("{}-{}", m.row.low, m.row.high)
        };
        let (what, cycles, off) = (m.row.what, m.cycles, 100.0 * m.deviation());
        let verdict = if m.passes() { "" } else { " too far off" };
        text += &format!("{what:64} {spec:>10} {cycles:>10} {off:>+6.1}%{verdict}\n");
    }
    text
}
