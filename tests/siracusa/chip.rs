//! Programs of the cluster's kernels for Siracusa, built with the target's compiler and runtime.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tilewright::driver::{self, CompileOptions};
use tilewright::emit;
use tilewright::sim::{self, Options, Report, Status};

/// The compiler for the chip.
pub const COMPILER: &str = "riscv64-unknown-elf-gcc";
/// Its flags.
pub const CHIP: &[&str] = &[
    "--specs=picolibc.specs",
    "-misa-spec=2.2",
    "-march=rv32imfc",
    "-mabi=ilp32f",
    "-O2",
    "-ffunction-sections",
    "-fdata-sections",
];
const BOTH: &[&str] = &["-std=c99", "-g", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Ikernels"];

/// A kernel of a program: its symbol, its source below `kernels/`, more flags.
pub type Kernel = (&'static str, &'static str, &'static [&'static str]);

/// The kernels of `on_chip.c`.
pub const KERNELS: &[Kernel] = &[
    ("conv", "siracusa/conv_xp.c", &["-DB_T=int32_t"]),
    ("conv_copy", "siracusa/conv_copy_xp.c", &["-DB_T=int32_t"]),
    ("conv_pad", "siracusa/conv_pad_xp.c", &["-DB_T=int32_t"]),
    ("conv_pw", "siracusa/conv_pw_xp.c", &["-DB_T=int32_t"]),
    ("depthwise", "siracusa/conv_dw_xp.c", &["-DB_T=int32_t"]),
    ("depthwise_any", "siracusa/conv_dw_any_xp.c", &["-DB_T=int32_t"]),
    ("matmul", "siracusa/matmul_xp.c", &["-DB_T=int8_t", "-DTW_PACKED=0"]),
    ("matmul_packed", "siracusa/matmul_xp.c", &["-DB_T=int8_t", "-DTW_PACKED=1"]),
    ("gemv", "siracusa/gemv_xp.c", &["-DB_T=int8_t"]),
    ("dots", "siracusa/matmul_dots_xp.c", &["-DB_T=int8_t"]),
    ("sum_rq", "siracusa/add_rq_xp.c", &["-DB_T=uint8_t", "-UB_MIN", "-DB_MIN=0"]),
    ("requant_bytes", "siracusa/requant_shift_xp.c", &["-DX_BITS=8", "-DTW_FITS=1"]),
    (
        "requant_words",
        "siracusa/requant_shift_xp.c",
        &["-UX_T", "-DX_T=int32_t", "-UX_MIN", "-DX_MIN=INT32_MIN", "-DX_BITS=32", "-DTW_FITS=0"],
    ),
    ("lookup", "siracusa/lookup_xp.c", &[]),
    ("softmax", "siracusa/i_softmax_xp.c", &[]),
    ("rms_norm", "siracusa/i_rms_norm_xp.c", &["-UW_T", "-DW_T=int32_t"]),
    ("strided", "siracusa/strided_xp.c", &["-DX_BITS=8"]),
    ("matmul_s32", "siracusa/matmul_s32_xp.c", &[]),
    ("softmax_f32", "siracusa/softmax_f32_xp.c", &[]),
    ("gelu_f32", "siracusa/gelu_f32_xp.c", &[]),
    ("mul_f32", "siracusa/binary_xp.c", &FLOATS),
    ("matmul_f32", "siracusa/matmul_f32_xp.c", &[]),
    ("conv_f32", "siracusa/conv_f32_xp.c", &[]),
];

const FLOATS: [&str; 8] =
    ["-UA_T", "-UY_T", "-DA_T=float", "-DB_T=float", "-DY_T=float", "-DWORK_T=float", "-DOP=v*w", "-O2"];

/// Unsigned activations, signed weights, unsigned results.
const TYPES: &[&str] = &[
    "-DX_T=uint8_t",
    "-DX_MIN=0",
    "-DW_T=int8_t",
    "-DW_MIN=INT8_MIN",
    "-DA_T=uint8_t",
    "-DA_MIN=0",
    "-DB_MIN=INT8_MIN",
    "-DC_T=int32_t",
    "-DY_T=uint8_t",
    "-DY_BITS=8",
];

/// A folder with the runtime and all headers.
pub struct Folder(tempfile::TempDir);

/// What was built: the program's path.
pub struct Program(PathBuf);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> String {
    let output =
        command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; scripts/setup.sh riscv helps"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Folder {
    /// The runtime is that of any network: it is emitted with one.
    pub fn new() -> Folder {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("any.ir");
        std::fs::write(&model, "graph any(%x: s8[4]) -> (y = %y) {\n  %y: s8[4] = Relu(%x)\n}\n").unwrap();
        let options = CompileOptions { target: "siracusa".into(), ..CompileOptions::default() };
        let compiled = driver::compile(&model, &options).unwrap();
        emit::write(&dir.path().join("any"), &compiled.sources, false).unwrap();
        for folder in ["generic", "siracusa"] {
            for entry in std::fs::read_dir(root().join("kernels").join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|e| e == "h") {
                    std::fs::copy(&path, dir.path().join("any/kernels").join(path.file_name().unwrap()))
                        .unwrap();
                }
            }
        }
        Folder(dir)
    }
    fn place(&self) -> PathBuf {
        self.0.path().join("any")
    }
    /// Compiles a source to the object NAME.o.
    pub fn object(&self, compiler: &str, flags: &[&str], source: &Path, name: &str) -> PathBuf {
        let object = self.place().join(format!("{name}.o"));
        let mut command = Command::new(compiler);
        command.current_dir(self.place()).args(BOTH).args(flags).arg("-c").arg(source).arg("-o").arg(&object);
        run(&mut command);
        object
    }
    /// A program of `tests/siracusa/NAME.c` and objects, for so many cores.
    pub fn chip_program(&self, name: &str, objects: &[PathBuf], cores: u32) -> Program {
        let main = self.place().join("kernels").join(format!("{name}.c"));
        std::fs::copy(root().join("tests/siracusa").join(format!("{name}.c")), &main).unwrap();
        let main = self.object(COMPILER, &[CHIP, TYPES].concat(), &main, name);
        let elf = self.place().join(format!("{name}{cores}.elf"));
        let mut command = Command::new(COMPILER);
        command.current_dir(self.place()).args(BOTH).args(CHIP).arg(main).args(objects);
        command.args(["runtime/start.S", "runtime/fc.c", "runtime/measure.c", "-nostartfiles"]);
        command.args(["-Wl,--gc-sections", "-T", "runtime/link.ld", "-lm", "-o"]).arg(&elf);
        run(command.arg(format!("-Wl,--defsym=tw_cluster_cores={cores}")));
        Program(elf)
    }
    /// The kernels of `on_chip.c`, for the chip.
    pub fn kernels(&self) -> Vec<PathBuf> {
        let compile = |(symbol, source, more): &Kernel| {
            let name = format!("-DTW_KERNEL={symbol}");
            let flags = [CHIP, TYPES, *more, &[name.as_str()]].concat();
            self.object(COMPILER, &flags, &root().join("kernels").join(source), &format!("chip_{symbol}"))
        };
        KERNELS.iter().map(compile).collect()
    }
    /// What `on_chip.c` prints on this machine, with the twins.
    pub fn twins(&self) -> String {
        let mut objects = Vec::new();
        for (symbol, source, more) in KERNELS {
            let name = format!("-DTW_KERNEL={symbol}");
            let flags = [&["-O1"], TYPES, *more, &[name.as_str()]].concat();
            let source = root().join("kernels").join(source);
            objects.push(self.object("gcc", &flags, &source, &format!("host_{symbol}")));
        }
        let main = root().join("tests/siracusa/on_chip.c");
        objects.push(self.object("gcc", &[&["-O1"], TYPES].concat(), &main, "host_main"));
        let program = self.place().join("twins");
        run(Command::new("gcc").args(objects).arg("-lm").arg("-o").arg(&program));
        run(&mut Command::new(program))
    }
}

impl Program {
    /// Simulates it.
    pub fn simulate(&self) -> Report {
        let elf = std::fs::read(&self.0).unwrap();
        let soc = sim::soc("siracusa").unwrap();
        let report = sim::simulate(&elf, &soc, &Options::default()).unwrap();
        assert_eq!(report.status, Status::Exit(0), "{}", String::from_utf8_lossy(&report.stdout));
        report
    }
}

/// One line of `on_chip.c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    pub macs: u64,
    pub cycles: u64,
    pub instructions: u64,
    pub checksum: u64,
}

/// The lines of `on_chip.c` by name.
pub fn lines(text: &str) -> BTreeMap<String, Measured> {
    let mut all = BTreeMap::new();
    for (name, numbers) in text.lines().filter_map(|l| l.rsplit_once(": ")) {
        let n: Vec<u64> = numbers.split(' ').map(|n| n.parse().unwrap()).collect();
        let measured = Measured { macs: n[0], cycles: n[1], instructions: n[2], checksum: n[3] };
        all.insert(name.to_string(), measured);
    }
    all
}
