//! CMSIS-NN on the layers of a network: what its functions take, built with the compiler, the flags and the runtime of a
//! target, counted on the same QEMU.
//!
//! In: the folder of CMSIS-NN's sources, layers of a report. Out: instructions of each layer that it has a function for. Values
//! are made up, so outputs are not compared. Its functions take signed bytes, and give such.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::shape;

/// CMSIS-NN's sources.
pub struct Cmsis {
    dir: PathBuf,
}

/// What a layer's output takes and what its call is.
struct Call {
    text: String,
    bytes: [u64; 3],
}

impl Cmsis {
    /// The sources in a folder.
    pub fn new(dir: &Path) -> Result<Cmsis, String> {
        let header = dir.join("Include/arm_nnfunctions.h");
        let missing = |what: &Path| {
            format!(
                "--cmsis {}: there is no {}; give the folder of CMSIS-NN's sources \
                (git clone https://github.com/ARM-software/CMSIS-NN)",
                dir.display(),
                what.display()
            )
        };
        let text = std::fs::read_to_string(&header).map_err(|_| missing(&header))?;
        for name in ["arm_convolve_wrapper_s8", "arm_depthwise_conv_wrapper_s8", "arm_fully_connected_s8"] {
            if !text.contains(name) {
                return Err(format!("{}: declares no {name}; version 4 or later does", header.display()));
            }
        }
        if text.contains("weight_sum_ctx") {
            // Forks pass the sums of the weights by an argument of their own.
            return Err(format!(
                "{}: its convolutions take `weight_sum_ctx`, as those of a fork; give Arm's own sources, whose do not",
                header.display()
            ));
        }
        if !dir.join("Source").is_dir() {
            return Err(missing(&dir.join("Source")));
        }
        Ok(Cmsis { dir: dir.canonicalize().map_err(|e| e.to_string())? })
    }

    /// Instructions of each layer of a model, `None` where it has no function for one.
    pub fn count(&self, model: &Path, target: &str, layers: &[Value]) -> Vec<Option<u64>> {
        let calls: Vec<Option<Call>> = layers.iter().map(call).collect();
        let tmp = tempfile::tempdir().unwrap();
        let out = tmp.path().join("out");
        let compile = ["compile", "--target", target, "--name", "network", "-o"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_tilewright"));
        done(command.args(compile).arg(&out).arg(model).output().unwrap(), "compile");
        // The network's own code gives way to calls of the library, behind the same interface.
        let api = std::fs::read_to_string(out.join("Network.h")).unwrap();
        std::fs::write(out.join("Network.c"), program(&calls, &api)).unwrap();
        let makefile = std::fs::read_to_string(out.join("Makefile")).unwrap();
        let setting = |name: &str| {
            let line = makefile.lines().find_map(|l| l.strip_prefix(name)).unwrap();
            line.trim_start_matches([' ', '?', '=']).to_string()
        };
        let (cc, flags, link) = (setting("CC "), setting("CFLAGS "), setting("LDFLAGS "));
        let include = format!("-I{} -w", self.dir.join("Include").display());
        let objects = self.objects(&format!("{cc} {flags} {include}"), tmp.path());
        let make = ["-s", "run", &format!("CC={cc}"), &format!("CFLAGS={flags} {include}")].map(String::from);
        let mut command = Command::new("make");
        command.args(make).arg(format!("LDFLAGS={objects} {link}")).current_dir(&out);
        let printed = done(command.output().unwrap(), "make");
        let counted = |i: usize| {
            let line =
                printed.lines().find_map(|l| l.strip_prefix(&format!("tilewright layer {i} instructions ")));
            let found = line.and_then(|n| n.trim().parse().ok());
            found.unwrap_or_else(|| panic!("CMSIS-NN: layer {i} was not counted: {printed}"))
        };
        calls.iter().enumerate().map(|(i, c)| c.as_ref().map(|_| counted(i))).collect()
    }

    /// All that can be compiled for the core; the linker says what is missing.
    fn objects(&self, cc: &str, dir: &Path) -> String {
        let mut objects = String::new();
        let folders = std::fs::read_dir(self.dir.join("Source")).unwrap().map(|e| e.unwrap().path());
        let mut sources: Vec<PathBuf> = folders
            .filter(|p| p.is_dir())
            .flat_map(|p| std::fs::read_dir(p).unwrap().map(|e| e.unwrap().path()))
            .filter(|p| p.extension().is_some_and(|e| e == "c"))
            .collect();
        sources.sort();
        let words: Vec<&str> = cc.split_whitespace().collect();
        for (i, source) in sources.iter().enumerate() {
            let object = dir.join(format!("cmsis{i}.o"));
            let mut command = Command::new(words[0]);
            // It is written in the dialect of GNU.
            command.args(&words[1..]).arg("-std=gnu11").arg("-c").arg(source).arg("-o").arg(&object);
            if command.output().unwrap().status.success() {
                write!(objects, "{} ", object.display()).unwrap();
            } else {
                eprintln!("note: {} does not compile with {}: left out", source.display(), words[0]);
            }
        }
        objects
    }
}

/// What a command printed: QEMU writes what programs print to its standard error.
fn done(output: Output, what: &str) -> String {
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "CMSIS-NN: {what}: {said}");
    said
}

/// The stride, and the padding before the first element, by which windows of `k` of `n` elements give `out` results.
fn window(n: u64, k: u64, out: u64) -> (u64, u64) {
    let missing = |stride: u64| ((out - 1) * stride + k) as i64 - n as i64;
    let stride = (1..=n.max(1)).find(|s| missing(*s) > -(*s as i64)).unwrap_or(1);
    (stride, missing(stride).max(0) as u64 / 2)
}

/// The height, width and channels of an image of one dimension or two.
fn image(shape: &[u64]) -> Option<[u64; 3]> {
    match shape {
        [1, h, w, c] => Some([*h, *w, *c]),
        [1, w, c] => Some([1, *w, *c]),
        _ => None,
    }
}

/// The call for a layer, if the library has a function for it.
fn call(layer: &Value) -> Option<Call> {
    let (x, w, y) = (shape(&layer["inputs"][0]), shape(&layer["inputs"][1]), shape(&layer["outputs"][0]));
    let bytes = |shape: &[u64]| shape.iter().product::<u64>();
    let text = match layer["operator"].as_str()? {
        "Conv" => convolution(image(&x)?, &w, image(&y)?)?,
        "Gemm" | "MatMul" if layer["weight_bytes"] != 0 => {
            let (k, n) = (*x.last()?, *y.last()?);
            format!("fully_connected({}, {k}, {n})", bytes(&y) / n)
        }
        "ReduceMean" | "GlobalAveragePool" => {
            let [h, w, c] = image(&x)?;
            format!("pool(arm_avgpool_s8, {h}, {w}, {c}, {h}, {w}, 1, 1, 1, 1, 0, 0)")
        }
        operator @ ("AveragePool" | "MaxPool") => {
            // The window is not in the report: those that step by their own size are known.
            let ([h, w, c], [oh, ow, _]) = (image(&x)?, image(&y)?);
            let function = if operator == "MaxPool" { "arm_max_pool_s8" } else { "arm_avgpool_s8" };
            let (kh, kw) = (h / oh, w / ow);
            format!("pool({function}, {h}, {w}, {c}, {kh}, {kw}, {oh}, {ow}, {kh}, {kw}, 0, 0)")
        }
        "Add" if x == w => format!("add({})", bytes(&y)),
        "iSoftmax" | "Softmax" => format!("softmax({}, {})", bytes(&x) / *x.last()?, *x.last()?),
        _ => return None,
    };
    Some(Call { text, bytes: [bytes(&x), bytes(&w), bytes(&y)] })
}

fn convolution([h, w, c]: [u64; 3], weights: &[u64], [oh, ow, out]: [u64; 3]) -> Option<String> {
    let (kh, kw, each) = match weights {
        [_, kh, kw, each] => (*kh, *kw, *each),
        [_, kw, each] => (1, *kw, *each),
        _ => return None,
    };
    let ((sh, ph), (sw, pw)) = (window(h, kh, oh), window(w, kw, ow));
    let sizes = format!("{h}, {w}, {c}, {kh}, {kw}, {oh}, {ow}, {out}, {sh}, {sw}, {ph}, {pw}");
    match each {
        1 if c == out && c > 1 => Some(format!("depthwise({sizes})")),
        n if n == c => Some(format!("convolve({sizes})")),
        _ => None,
    }
}

/// The functions that declare the interface of a network in its header, made up.
fn accessors(api: &str) -> String {
    let mut text = String::new();
    for line in api.lines().filter(|l| l.contains("network_input_") || l.contains("network_output_")) {
        let Some(head) = line.strip_suffix("(void);") else { continue };
        writeln!(text, "{head}(void)\n{{\n    return (void *)ports;\n}}\n").unwrap();
    }
    text
}

/// The program that stands in for the network.
fn program(calls: &[Option<Call>], api: &str) -> String {
    let most = |of: usize| calls.iter().flatten().map(|c| c.bytes[of]).max().unwrap_or(0) + 4096;
    let sizes =
        api.lines().filter(|l| l.starts_with("#define") && l.contains("PUT_") && l.contains("_BYTES "));
    let ports = sizes.filter_map(|l| l.rsplit(' ').next()?.parse::<u64>().ok()).max().unwrap_or(0);
    let mut text = include_str!("cmsis.c.in").to_string();
    for (name, bytes) in [("@X@", most(0)), ("@W@", most(1)), ("@Y@", most(2)), ("@PORTS@", ports + 8)] {
        text = text.replace(name, &bytes.to_string());
    }
    text += &accessors(api);
    text += "void network_init(void)\n{\n}\n\nvoid network_run(void)\n{\n    fill();\n";
    for (i, call) in calls.iter().enumerate().filter_map(|(i, c)| Some((i, c.as_ref()?))) {
        writeln!(text, "    layer = {i};\n    {};", call.text).unwrap();
    }
    text + "}\n"
}
