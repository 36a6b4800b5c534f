//! Networks on a chip: built with a cross compiler, run on its simulator, and everything that can be wrong about that.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::fixtures::{GOLDEN, arrays, case, declared, graph, initialiser, model, node};
use super::{seen, tilewright};

const COMPILER: &str = "riscv64-unknown-elf-gcc";

/// Whether chips can be built for; a machine without the cross compiler says so and tests nothing.
pub fn ready() -> bool {
    let found = Command::new(COMPILER).arg("--version").output().is_ok();
    if !found {
        eprintln!("{COMPILER} is not installed: not tested (make setup-test installs it)");
    }
    found
}

pub fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

#[test]
fn cases_are_exact_on_one_core_and_on_all() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let cases = [
        "DeployTest/Kernels/Integer/Conv",
        "DeployTest/Kernels/Integer/Gemm",
        "DeployTest/Kernels/Integer/iSoftmax",
        "DeployTest/Kernels/FP32/Add",
        "DeployTest/Kernels/FP32/Pad",
        "DeployTest/Kernels/FP32/Exp",
        "DeployTest/Layouts/TwoInputs",
        "DeployTest/Layouts/ThreeDataSets",
    ];
    let cases: Vec<String> = cases.iter().map(|c| repository(c)).collect();
    for cores in ["1", "3", "8"] {
        let mut args = vec!["test", "--target", "siracusa", "-j2", "--cores", cores];
        args.extend(cases.iter().map(String::as_str));
        if cores == "3" {
            args.extend(["--io", "caller"]);
        }
        let text = seen(tmp.path(), &tilewright(tmp.path(), &args));
        assert!(text.starts_with("exit code 0") && text.contains(" 0 failed, 0 skipped"), "{cores}: {text}");
    }
}

#[test]
fn a_run_shows_cores_cycles_and_a_profile() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let network = repository("DeployTest/Models/Int8/KeywordSpotting");
    let run = |more: &[&str]| {
        let args = [&["run", &network, "--target", "siracusa"], more].concat();
        let output = tilewright(tmp.path(), &args);
        assert!(output.status.success(), "{}", seen(tmp.path(), &output));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run(&["--profile", "--trace", "trace.json"]);
    for shown in ["cores", "cycles", "on 8 cores", "tw_barrier", "network_run", "PASS, exact"] {
        // Barriers are inlined: they are not a function of the profile.
        assert_eq!(text.contains(shown), shown != "tw_barrier", "{shown}: {text}");
    }
    let trace: serde_json::Value =
        serde_json::from_slice(&std::fs::read(tmp.path().join("trace.json")).unwrap()).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 20);
    let figures = |cores| -> serde_json::Value {
        serde_json::from_str(&run(&["--json", "--cores", cores, "--no-checks"])).unwrap()
    };
    let (one, all) = (figures("1"), figures("8"));
    assert_eq!((&one["cores"], &all["cores"]), (&1.into(), &8.into()));
    let cycles = |f: &serde_json::Value| f["cycles"].as_u64().unwrap() as f64;
    assert!(cycles(&one) > 5.0 * cycles(&all), "{one} {all}");
    assert_eq!(all["cycles"], figures("8")["cycles"], "two runs differ");
}

#[test]
fn a_profile_shows_parts_and_transfers() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let network = repository("DeployTest/Models/Int8/KeywordSpotting");
    let run = |more: &[&str]| {
        let options = ["--target", "siracusa", "--l1", "12KiB", "--no-checks"];
        let output = tilewright(tmp.path(), &[&["run", &network], &options[..], more].concat());
        assert!(output.status.success(), "{}", seen(tmp.path(), &output));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run(&["--profile"]);
    for shown in ["moved", "predicted", "exposed", "1 of ", "bytes out", "waited for"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let record: serde_json::Value = serde_json::from_str(&run(&["--json"])).unwrap();
    let number = |v: &serde_json::Value| v.as_u64().unwrap();
    let mut tiled = 0;
    for layer in record["layers"].as_array().unwrap().iter().filter(|l| l["mode"] == "parts") {
        let (measured, moved) = (&layer["measured"], &layer["moved"]);
        let parts = measured["parts"].as_array().unwrap();
        assert_eq!(parts.len() as u64, number(&layer["tiles"]["count"]), "{layer}");
        let sum = |what: &str| parts.iter().map(|p| number(&p[what])).sum::<u64>();
        // What the plan says is what the DMA does, but for tables; other layers' operands are no part's, and neither is what
        // comes with the layer before.
        assert_eq!(sum("stored"), number(&moved["stored"]), "{layer}");
        let fetched = number(&moved["fetched"]);
        assert!(sum("fetched") < fetched + 2000, "{layer}");
        assert!(number(&measured["fetched"]) >= fetched, "{layer}");
        assert!(sum("kernel") + sum("wait") <= number(&measured["cycles"]), "{layer}");
        assert!(sum("wait") <= number(&measured["exposed"]), "{layer}");
        tiled += 1;
    }
    assert!(tiled > 3, "{record}");
    let total = |what: &str| number(&record["totals"]["moved"][what]);
    let measured = record["layers"].as_array().unwrap().iter().chain([&record["ending"]]);
    let measured = measured.map(|l| l.get("measured").unwrap_or(l));
    let seen: u64 = measured.filter_map(|m| Some(m["fetched"].as_u64()? + m["stored"].as_u64()?)).sum();
    let planned = total("fetched") + total("stored");
    assert!((planned..planned + 2000 * tiled).contains(&seen), "{seen} {planned}");
}

#[test]
fn cases_have_profiles_too() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let cases = ["DeployTest/Kernels/Integer/Gemm", "DeployTest/Layouts/TwoInputs"].map(repository);
    let args = ["test", &cases[0], &cases[1], "--target", "siracusa", "--profile", "--json"];
    let output = tilewright(tmp.path(), &[&args[..], &["cases.json"]].concat());
    let text = seen(tmp.path(), &output);
    assert!(text.starts_with("exit code 0") && text.contains("exposed"), "{text}");
    let json = std::fs::read(tmp.path().join("cases.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    for case in json["cases"].as_array().unwrap() {
        assert!(
            case["status"] == "pass" && !case["timeline"]["kernels"].as_array().unwrap().is_empty(),
            "{case}"
        );
    }
}

#[test]
fn what_compile_writes_builds_without_tilewright() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let args = ["compile", "case/network.onnx", "-o", "out", "--target", "siracusa"];
    let output = tilewright(tmp.path(), &args);
    assert!(output.status.success(), "{}", seen(tmp.path(), &output));
    let inputs: Vec<u8> = [1.5f32, -2.0, 3.0, -4.0, 5.0, -6.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(tmp.path().join("out/inputs.bin"), inputs).unwrap();
    let make = Command::new("make")
        .args(["-s", "CORES=2", "INPUTS=inputs.bin"])
        .current_dir(tmp.path().join("out"))
        .output()
        .unwrap();
    assert!(make.status.success(), "{}", String::from_utf8_lossy(&make.stderr));
    let output = tilewright(tmp.path(), &["simulate", "out/build/network.elf"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let golden: String = GOLDEN.iter().flat_map(|x| x.to_le_bytes()).map(|b| format!("{b:02x}")).collect();
    let start = format!("tilewright output 0 24\n{golden}\ntilewright result cycles ");
    assert!(output.status.success() && text.starts_with(&start), "{text}");
    assert!(text.trim_end().ends_with(" cores 2"), "{text}");
}

#[test]
fn transfers_arrive() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let args = ["compile", "case/network.onnx", "-o", "out", "--target", "siracusa"];
    assert!(tilewright(tmp.path(), &args).status.success());
    // A program of the user's own in place of the one that runs the network.
    let out = tmp.path().join("out");
    std::fs::copy(repository("tests/siracusa/transfers.c"), out.join("runtime/main.c")).unwrap();
    for cores in ["1", "8"] {
        let cores = format!("CORES={cores}");
        let make = Command::new("make").args(["-s", "-B", &cores]).current_dir(&out).output().unwrap();
        assert!(make.status.success(), "{}", String::from_utf8_lossy(&make.stderr));
        let output = tilewright(tmp.path(), &["simulate", "out/build/network.elf"]);
        let text = seen(tmp.path(), &output);
        assert!(text.starts_with("exit code 0") && text.contains("failed 0"), "{cores}: {text}");
    }
}

/// Writes a kernel for Relu whose loop is `body`.
fn kernel(dir: &Path, manifest: &str, body: &str) {
    std::fs::create_dir_all(dir).unwrap();
    let text = format!(
        "op = \"Relu\"\nkernel = \"bad\"\nsources = [\"bad.c\"]\ntemplate = \"bad.c.hbs\"\ncost = \"1\"\n{manifest}\n\
         [operands]\nx = \"f32\"\n[results]\ny = \"f32\"\n"
    );
    std::fs::write(dir.join("bad.toml"), text).unwrap();
    std::fs::write(dir.join("bad.c.hbs"), "{{kernel}}({{x.ptr}}, {{y.ptr}}, {{x.elements}});\n").unwrap();
    let text = format!(
        "#include <stdint.h>\n#include \"tw_cluster.h\"\n\nvoid TW_KERNEL(const float *x, float *y, int32_t n)\n{{\n{body}\n}}\n"
    );
    std::fs::write(dir.join("bad.c"), text).unwrap();
}

#[test]
fn faults_of_kernels_are_explained() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let run = |manifest: &str, body: &str| {
        kernel(&tmp.path().join("mine"), manifest, body);
        let args = ["run", "case", "--target", "siracusa", "--kernels", "mine"];
        let output = tilewright(tmp.path(), &args);
        assert_eq!(output.status.code(), Some(70), "{}", seen(tmp.path(), &output));
        String::from_utf8(output.stderr).unwrap()
    };
    let text = run("", "    for (int32_t i = 0; i < n; i++) y[i] = x[i] + y[i];");
    assert!(
        text.contains("nobody has written") && text.contains("network_bad") && text.contains("tensor y"),
        "{text}"
    );
    // All cores, each writing everything.
    let text = run("parallel = true", "    for (int32_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : 0;");
    assert!(text.contains("cluster core") && text.contains("bad.c"), "{text}");
    let text = run("", "    y[0] = x[0];\n    *(volatile int *)0x1003fff0 = n;");
    assert!(text.contains("0x1003fff0"), "{text}");
}

#[test]
fn endless_programs_end() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let output = tilewright(tmp.path(), &["run", "case", "--target", "siracusa", "--max-cycles", "500"]);
    let text = seen(tmp.path(), &output);
    assert!(
        text.contains("did not end within 500 cycles") && text.contains("--max-cycles N allows more"),
        "{text}"
    );
}

/// `y = x w` with x [1, rows] and w [rows, columns].
pub fn product(dir: &Path, rows: usize, columns: usize) {
    std::fs::create_dir_all(dir).unwrap();
    let mut network = graph(vec![node("MatMul", &["x", "w"], "y")]);
    network.input = vec![declared("x", &[1, rows as i64])];
    network.output = vec![declared("y", &[1, columns as i64])];
    // Different numbers: equal rows would share a table.
    let weights: Vec<f32> = (0..rows * columns).map(|i| (i % 1021) as f32).collect();
    network.initializer.push(initialiser("w", &[rows as i64, columns as i64], &weights));
    std::fs::write(dir.join("network.onnx"), model(network, 13)).unwrap();
    arrays(&dir.join("inputs.npz"), &[("x", &[1, rows], &vec![1.0; rows])]);
}

#[test]
fn networks_larger_than_l2_are_refused() {
    let tmp = tempfile::tempdir().unwrap();
    product(&tmp.path().join("large"), 700, 1000);
    let args = ["compile", "large/network.onnx", "-o", "out", "--target", "siracusa"];
    let text = seen(tmp.path(), &tilewright(tmp.path(), &args));
    assert!(text.starts_with("exit code 5") && text.contains("constants on their way"), "{text}");
    let inside = [&args[..], &["--default-level", "L2"]].concat();
    let text = seen(tmp.path(), &tilewright(tmp.path(), &inside));
    assert!(text.starts_with("exit code 5"), "{text}");
    assert!(
        text.contains("constants (2800000 bytes)") && text.contains("of `l2`, which has 2031616"),
        "{text}"
    );
    assert!(!tmp.path().join("out").exists());
    if !ready() {
        return;
    }
    // Everything but the code and the inputs fits.
    product(&tmp.path().join("tight"), 700, 723);
    let text = seen(tmp.path(), &tilewright(tmp.path(), &["test", "tight", "large", "--target", "siracusa"]));
    assert!(text.starts_with("exit code 0") && text.contains("0 passed, 0 failed, 2 skipped"), "{text}");
    assert!(text.contains("bytes more than `l2` holds"), "{text}");
    let text = seen(tmp.path(), &tilewright(tmp.path(), &["run", "tight", "--target", "siracusa"]));
    assert!(text.starts_with("exit code 5") && text.contains("REFUSED"), "{text}");
}

#[test]
fn options_that_chips_do_not_have() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let refused = |args: &[&str], code: i32, said: &str| {
        let text = seen(tmp.path(), &tilewright(tmp.path(), &[&["run", "case"], args].concat()));
        assert!(text.starts_with(&format!("exit code {code}")) && text.contains(said), "{args:?}: {text}");
    };
    let chip = ["--target", "siracusa"];
    for (cores, said) in [("0", "--cores 0"), ("9", "--cores 9: target `siracusa` has 8 cores")] {
        refused(&[&chip[..], &["--cores", cores]].concat(), 3, said);
    }
    refused(&["--cores", "2"], 3, "target `host` has one core");
    refused(&["--profile"], 3, "only simulators of chips measure");
    refused(&["--simulator", "gvsoc"], 3, "only programs for a chip have one");
    refused(&[&chip[..], &["--sanitize"]].concat(), 3, "have no sanitizers");
    refused(&[&chip[..], &["--simulator", "spike"]].concat(), 3, "knows no simulator `spike`");
    refused(&[&chip[..], &["--simulator", "gvsoc"]].concat(), 6, "TILEWRIGHT_GVSOC is not set");
}

#[test]
fn memories_that_are_not_there_are_refused_with_numbers() {
    let tmp = tempfile::tempdir().unwrap();
    let network = repository("DeployTest/Models/Int8/KeywordSpotting/network.onnx");
    let refused = |args: &[&str], code: i32, said: &[&str]| {
        let text =
            seen(tmp.path(), &tilewright(tmp.path(), &[&["compile", &network, "-o", "out"], args].concat()));
        assert!(text.starts_with(&format!("exit code {code}")), "{args:?}: {text}");
        assert!(said.iter().all(|s| text.contains(s)), "{args:?}: {text}");
    };
    refused(&["--l1", "64000"], 3, &["--l1: target `host` has no scratchpad to compute in"]);
    refused(&["--buffering", "double"], 3, &["--buffering: target `host` has no scratchpad"]);
    refused(&["--plan-seconds", "1"], 3, &["--plan-seconds: target `host` has no scratchpad"]);
    refused(&["--default-level", "L3"], 3, &["--default-level: target `host` has no external memory"]);
    let chip = ["--target", "siracusa"];
    for seconds in ["-1", "nan", "inf", "1e9", "soon"] {
        let option = format!("--plan-seconds={seconds}");
        refused(&[&chip[..], &[&option]].concat(), 2, &["a number of seconds from 0 to 86400"]);
    }
    refused(&[&chip[..], &["--l1", "300000"]].concat(), 3, &["--l1 300000", "give at most 225280"]);
    refused(&[&chip[..], &["--l2", "100000000"]].concat(), 3, &["--l2 100000000", "give at most 2031616"]);
    refused(&["--l3", "1000"], 3, &["--l3: target `host` has no external memory"]);
    refused(&[&chip[..], &["--l3", "100000000"]].concat(), 3, &["--l3 100000000", "give at most 8388608"]);
    let outside = [&chip[..], &["--default-level", "L3"]].concat();
    refused(&[&outside[..], &["--l3", "1000"]].concat(), 5, &["bytes of `l3`, of which 1000 may be used"]);
    refused(&[&outside[..], &["--l2", "1000"]].concat(), 5, &["bytes of `l2`, which has 1000", "is enough"]);
    for small in ["0", "1", "1000"] {
        let said = ["smallest part needs", "bytes of `l1`", "is enough for every layer", "--untiled"];
        refused(&[&chip[..], &["--l1", small]].concat(), 5, &said);
    }
    refused(&[&chip[..], &["--l2", "1000"]].concat(), 5, &["bytes of `l2`, which has 1000"]);
    refused(&[&chip[..], &["--l2", "400"]].concat(), 5, &["bytes of `l2`, which has 400"]);
}

/// The size that a refusal names does, and one byte less does not.
#[test]
fn the_smallest_memories_that_are_named_are_enough() {
    let tmp = tempfile::tempdir().unwrap();
    let network = repository("DeployTest/Models/Int8/KeywordSpotting/network.onnx");
    for (memory, more) in [("--l1", &[][..]), ("--l2", &[]), ("--l2", &["--default-level", "L3"])] {
        let compile = |bytes: &str| {
            let args =
                [&["compile", &network, "--target", "siracusa", memory, bytes, "-o", "out", "--force"], more];
            seen(tmp.path(), &tilewright(tmp.path(), &args.concat()))
        };
        let text = compile("0");
        let (before, _) = text.split_once(" is enough").unwrap();
        let bytes: u32 = before.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(compile(&bytes.to_string()).starts_with("exit code 0"), "{memory} {bytes}");
        // With less L2, layers may go together.
        if memory == "--l1" {
            assert!(compile(&(bytes - 1).to_string()).starts_with("exit code 5"), "{memory} {bytes}");
        }
    }
}

/// Where L2 has no room for constants, they go outside of the chip unless the user says that they shall not.
#[test]
fn constants_leave_a_chip_that_is_too_small() {
    let tmp = tempfile::tempdir().unwrap();
    let network = repository("DeployTest/Models/Int8/KeywordSpotting/network.onnx");
    let compile = |bytes: &str, more: &[&str]| {
        let args = ["compile", &network, "--target", "siracusa", "--l2", bytes, "-o", "out", "--force"];
        let text = seen(tmp.path(), &tilewright(tmp.path(), &[&args[..], more].concat()));
        (text, tmp.path().join("out/external.bin").exists())
    };
    let (text, outside) = compile("30000", &[]);
    assert!(text.starts_with("exit code 0") && !outside, "{text}");
    let (text, outside) = compile("22000", &[]);
    assert!(text.starts_with("exit code 0") && text.contains("kB of l3") && outside, "{text}");
    let (text, _) = compile("22000", &["--default-level", "L2"]);
    assert!(text.starts_with("exit code 5") && text.contains("--default-level L3"), "{text}");
}

#[test]
fn a_missing_cross_compiler_names_its_packages() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let output = Command::new(env!("CARGO_BIN_EXE_tilewright"))
        .args(["run", "case", "--target", "siracusa"])
        .current_dir(tmp.path())
        .env("PATH", "")
        .output()
        .unwrap();
    let text = seen(tmp.path(), &output);
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(text.contains("cannot start `riscv64-unknown-elf-gcc`"), "{text}");
    assert!(text.contains("gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"), "{text}");
}

#[test]
fn an_installed_simulator_is_called() {
    if !ready() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let command = tmp.path().join("gvsoc");
    let simulator = |script: &str| -> String {
        write_script(&command, script);
        let output = Command::new(env!("CARGO_BIN_EXE_tilewright"))
            .args(["run", "case", "--target", "siracusa", "--simulator", "gvsoc", "--timeout", "2"])
            .current_dir(tmp.path())
            .env("TILEWRIGHT_GVSOC", &command)
            .output()
            .unwrap();
        seen(tmp.path(), &output)
    };
    let golden: String = GOLDEN.iter().flat_map(|x| x.to_le_bytes()).map(|b| format!("{b:02x}")).collect();
    let good = format!(
        "for a; do case $a in --binary=*) test -s \"${{a#--binary=}}\" || exit 1 ;; esac; done\n\
         printf 'noise\\ntilewright output 0 24\\n{golden}\\ntilewright result cycles 77 instructions 5 cores 8\\n'"
    );
    let text = simulator(&good);
    assert!(
        text.starts_with("exit code 0") && text.contains("PASS, exact") && text.contains("77 on 8 cores"),
        "{text}"
    );
    let text = simulator("echo something else");
    assert!(text.contains("did not print output 0") && text.contains("something else"), "{text}");
    let text = simulator("echo broken >&2; exit 9");
    assert!(text.contains("exit status: 9") && text.contains("broken"), "{text}");
    let text = simulator("sleep 20");
    assert!(text.contains("did not end within 2 s"), "{text}");
}

fn write_script(path: &PathBuf, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
