//! Networks on microcontrollers with one core: built with cross compilers, run on QEMU, counted in instructions.

use std::path::Path;
use std::process::{Command, Output};

use super::chip::{product, repository};
use super::fixtures::{GOLDEN, case};
use super::{seen, tilewright};

const TARGETS: [&str; 5] = ["cortex-m4", "cortex-m7", "cortex-m55", "rv32imc", "rv32imfc"];

/// Whether a target's compiler and simulator are there; where they are not, nothing is tested.
fn ready(target: &str) -> bool {
    let tools = match target.starts_with("rv32") {
        true => ["riscv64-unknown-elf-gcc", "qemu-system-riscv32"],
        false => ["arm-none-eabi-gcc", "qemu-system-arm"],
    };
    let missing = tools.iter().find(|t| Command::new(t).arg("--version").output().is_err());
    if let Some(tool) = missing {
        eprintln!("{tool} is not installed: not tested (make setup-test installs it)");
    }
    missing.is_none()
}

#[test]
fn cases_are_exact_on_every_core() {
    let tmp = tempfile::tempdir().unwrap();
    let cases = [
        "DeployTest/Kernels/Integer/Conv",
        "DeployTest/Kernels/Integer/iSoftmax",
        "DeployTest/Kernels/FP32/Exp",
        "DeployTest/Layouts/TwoInputs",
        "DeployTest/Layouts/ThreeDataSets",
    ];
    let cases: Vec<String> = cases.iter().map(|c| repository(c)).collect();
    let products: Vec<String> =
        ["AveragePool", "Gemm", "MatMul", "MaxPool", "Regions", "iLayerNorm", "iRMSNorm"]
            .map(|c| repository(&format!("DeployTest/Kernels/Integer/{c}")))
            .into();
    for target in TARGETS.into_iter().filter(|t| ready(t)) {
        // The vectors of Cortex-M55 are in no other suite with these.
        let cases =
            if target == "cortex-m55" { [cases.clone(), products.clone()].concat() } else { cases.clone() };
        let io = if target.ends_with('c') { "caller" } else { "arena" };
        let mut args = vec!["test", "--target", target, "-j2", "--io", io];
        args.extend(cases.iter().map(String::as_str));
        let text = seen(tmp.path(), &tilewright(tmp.path(), &args));
        assert!(text.starts_with("exit code 0") && text.contains(" 0 failed, 0 skipped"), "{target}: {text}");
    }
}

#[test]
fn instructions_are_counted_and_never_called_cycles() {
    let tmp = tempfile::tempdir().unwrap();
    let network = repository("DeployTest/Models/Int8/KeywordSpotting");
    for target in ["cortex-m4", "cortex-m55", "rv32imc"].into_iter().filter(|t| ready(t)) {
        let run = |more: &[&str]| {
            let output = tilewright(tmp.path(), &[&["run", &network, "--target", target], more].concat());
            assert!(output.status.success(), "{}", seen(tmp.path(), &output));
            String::from_utf8(output.stdout).unwrap()
        };
        let text = run(&["--report", "page.html"]);
        for shown in ["instructions", "per MAC", "instructions, not cycles", "stack", "PASS, exact"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        assert_eq!(text.matches("cycles").count(), 1, "{text}");
        let record = || -> serde_json::Value { serde_json::from_str(&run(&["--json"])).unwrap() };
        let (one, two) = (record(), record());
        let number = |v: &serde_json::Value| v.as_u64().unwrap();
        assert!(one["cycles"].is_null() && one["cores"].is_null() && one["timeline"].is_null(), "{one}");
        assert_eq!(one["instructions"], two["instructions"]);
        assert_eq!(one["stack_bytes"], two["stack_bytes"]);
        let (used, bound) = (number(&one["stack_bytes"]), number(&one["stack_bound_bytes"]));
        assert!((100..4000).contains(&used) && used <= bound && 4 * bound <= 5 * used, "{one}");
        // The layers are all of it but some instructions before the first one.
        let layers = one["layers"].as_array().unwrap().iter().chain([&one["ending"]]);
        let measured = layers.map(|l| l.get("measured").unwrap_or(l));
        let sum: u64 = measured.filter_map(|m| m["instructions"].as_u64()).sum();
        assert_eq!(sum, number(&one["instructions"]), "{one}");
    }
}

/// Writes a kernel for Relu that begins with these statements.
fn kernel(dir: &Path, statements: &str) {
    std::fs::create_dir_all(dir).unwrap();
    let text = "op = \"Relu\"\nkernel = \"slow\"\nsources = [\"slow.c\"]\ntemplate = \"slow.c.hbs\"\n\
        cost = \"1\"\n[operands]\nx = \"f32\"\n[results]\ny = \"f32\"\n";
    std::fs::write(dir.join("slow.toml"), text).unwrap();
    std::fs::write(dir.join("slow.c.hbs"), "{{kernel}}({{x.ptr}}, {{y.ptr}}, {{x.elements}});\n").unwrap();
    let text = format!(
        "#include <stdint.h>\n\nvoid TW_KERNEL(const float *x, float *y, int32_t n)\n{{\n{statements}\
         \x20   for (int32_t i = 0; i < n; i++) {{\n        y[i] = x[i] > 0 ? x[i] : 0;\n    }}\n}}\n"
    );
    std::fs::write(dir.join("slow.c"), text).unwrap();
}

#[test]
fn an_added_instruction_is_counted() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    for target in TARGETS.into_iter().filter(|t| ready(t)) {
        let count = |nops: usize| {
            kernel(&tmp.path().join("mine"), &"    __asm__ volatile(\"nop\");\n".repeat(nops));
            let args = ["run", "case", "--target", target, "--kernels", "mine", "--json"];
            let output = tilewright(tmp.path(), &args);
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            json["layers"][0]["measured"]["instructions"].as_u64().unwrap()
        };
        let least = count(0);
        assert_eq!((count(1), count(7)), (least + 1, least + 7), "{target}");
    }
}

#[test]
fn stacks_are_bounded_or_said_not_to_be() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    for target in ["cortex-m4", "cortex-m55", "rv32imc"].into_iter().filter(|t| ready(t)) {
        let run = |statements: &str| {
            kernel(&tmp.path().join("mine"), statements);
            let args = ["run", "case", "--target", target, "--kernels", "mine", "--json"];
            let output = tilewright(tmp.path(), &args);
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let number = |name: &str| json[name].as_u64();
            let said = String::from_utf8(output.stderr).unwrap();
            (number("stack_bytes").unwrap(), number("stack_bound_bytes"), said)
        };
        let buffer = "    volatile char deep[4000];\n    deep[0] = (char)n;\n    (void)deep[0];\n";
        let (used, bound, said) = run(buffer);
        assert!(
            used >= 4000 && (used..used + 32).contains(&bound.unwrap()),
            "{target}: {used} {bound:?} {said}"
        );
        let (_, bound, said) =
            run("    static int32_t (*volatile call)(int32_t);\n    n = call ? call(n) : n;\n");
        assert!(bound.is_none() && said.contains("slow"), "{target}: {bound:?} {said}");
        assert!(said.contains("calls through a pointer"), "{target}: {said}");
    }
}

#[test]
fn faults_and_endless_loops_end() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    for target in ["cortex-m4", "cortex-m55", "rv32imc"].into_iter().filter(|t| ready(t)) {
        let run = |statements: &str, seconds: &str| {
            kernel(&tmp.path().join("mine"), statements);
            let args = ["run", "case", "--target", target, "--kernels", "mine", "--timeout", seconds];
            let output = tilewright(tmp.path(), &args);
            assert_eq!(output.status.code(), Some(70), "{}", seen(tmp.path(), &output));
            String::from_utf8(output.stderr).unwrap()
        };
        let text = run("    *(volatile int *)0xfffffff0u = n;\n", "60");
        assert!(text.contains("the program trapped (cause "), "{target}: {text}");
        let text = run("    while (*(volatile const int32_t *)(const void *)x != 7) { }\n", "1");
        assert!(text.contains("did not end within 1 s"), "{target}: {text}");
    }
}

#[test]
fn what_compile_writes_builds_and_runs_without_tilewright() {
    for target in ["cortex-m7", "rv32imfc"].into_iter().filter(|t| ready(t)) {
        let tmp = tempfile::tempdir().unwrap();
        case(&tmp.path().join("case"), Some(GOLDEN));
        let output =
            tilewright(tmp.path(), &["compile", "case/network.onnx", "-o", "out", "--target", target]);
        assert!(output.status.success(), "{}", seen(tmp.path(), &output));
        let inputs = [1.5f32, -2.0, 3.0, -4.0, 5.0, -6.0];
        let inputs: Vec<u8> = inputs.iter().flat_map(|x| x.to_le_bytes()).collect();
        std::fs::write(tmp.path().join("out/inputs.bin"), inputs).unwrap();
        let make =
            Command::new("make").args(["-s", "run"]).current_dir(tmp.path().join("out")).output().unwrap();
        let text = String::from_utf8_lossy(&[make.stdout, make.stderr].concat()).into_owned();
        let golden: String =
            GOLDEN.iter().flat_map(|x| x.to_le_bytes()).map(|b| format!("{b:02x}")).collect();
        assert!(make.status.success() && text.contains(&golden), "{text}");
        assert!(text.contains("tilewright result instructions "), "{text}");
    }
}

/// Builds a project with CMake; what its program is called.
fn cmake(dir: &Path, lists: &str, options: &[&str]) -> std::path::PathBuf {
    std::fs::write(dir.join("CMakeLists.txt"), lists).unwrap();
    let build = dir.join("built");
    let configure: Vec<&str> =
        ["-S", ".", "-B", "built"].into_iter().chain(options.iter().copied()).collect();
    for args in [configure, vec!["--build", "built"]] {
        let output = Command::new("cmake").args(&args).current_dir(dir).output();
        let output = output.expect("cmake is not installed (make setup-test installs it)");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && !text.contains("warning"), "{text}");
    }
    build.join("app")
}

#[test]
fn what_compile_writes_is_a_package_for_cmake() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let compile = |target: &str, name: &str, io: &str| {
        let args =
            ["compile", "case/network.onnx", "-o", name, "--name", name, "--target", target, "--io", io];
        let output = tilewright(tmp.path(), &args);
        assert!(output.status.success(), "{}", seen(tmp.path(), &output));
    };
    // Two networks in one program, one of them with the caller's buffers, of which one is misaligned on demand.
    compile("host", "one", "arena");
    compile("host", "two", "caller");
    let golden: Vec<String> = GOLDEN.iter().map(|x| format!("{x:?}f")).collect();
    let main = format!(
        "#include <string.h>\n#include \"one/Network.h\"\n#include \"two/Network.h\"\n\
        int main(int n, char **names)\n{{\n    static const float in[] = {{1.5f, -2, 3, -4, 5, -6}}, out[] = {{{}}};\n\
        \x20   static double a[8], b[8];\n    float *const to = (float *)b + (n > 1);\n    (void)names;\n\
        \x20   memcpy(one_input_x(), in, sizeof in);\n    one_run();\n    memcpy(a, in, sizeof in);\n\
        \x20   two_run((const float *)a, n > 2 ? 0 : to);\n\
        \x20   return memcmp(one_output_y(), out, sizeof out) != 0 || memcmp(to, out, sizeof out) != 0;\n}}\n",
        golden.join(", ")
    );
    std::fs::write(tmp.path().join("main.c"), main).unwrap();
    let lists = "cmake_minimum_required(VERSION 3.13)\nproject(mine C)\nadd_subdirectory(one)\nadd_subdirectory(two)\n\
        add_executable(app main.c)\ntarget_include_directories(app PRIVATE ${CMAKE_SOURCE_DIR})\n\
        target_link_libraries(app PRIVATE one two)\n";
    let app = cmake(tmp.path(), lists, &["-DCMAKE_BUILD_TYPE=Debug", "-DONE_EXAMPLE=ON", "-DTWO_EXAMPLE=ON"]);
    let run = |args: &[&str]| Command::new(&app).args(args).output().unwrap();
    assert!(run(&[]).status.success());
    // Misaligned, and none at all.
    for args in [&["x"][..], &["x", "y"][..]] {
        let output = run(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains("two/Network.c"), "{text}");
        assert!(text.contains("y != ") && text.contains("(uintptr_t)y % 8 == 0"), "{text}");
    }
    for example in ["one/one_example", "two/two_example"] {
        assert!(Command::new(tmp.path().join("built").join(example)).status().unwrap().success());
    }
}

#[test]
fn the_package_becomes_part_of_firmware() {
    let memory = |flash: &str, ram: &str| {
        let size = "-Wl,--defsym=__flash_size=0x80000,--defsym=__ram_size=0x80000,--defsym=__stack_size=4k";
        format!("--oslib=semihost --crt0=hosted {size},--defsym=__flash={flash},--defsym=__ram={ram}")
    };
    let cores = [
        (
            "cortex-m4",
            "arm-none-eabi",
            "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16",
            memory("0x0", "0x20000000"),
            vec!["qemu-system-arm", "-machine", "mps2-an386"],
        ),
        (
            "rv32imc",
            "riscv64-unknown-elf",
            "-misa-spec=2.2 -march=rv32imc -mabi=ilp32",
            memory("0x80000000", "0x80100000"),
            vec!["qemu-system-riscv32", "-machine", "virt", "-bios", "none"],
        ),
    ];
    for (target, tools, flags, link, mut board) in cores.into_iter().filter(|(t, ..)| ready(t)) {
        let tmp = tempfile::tempdir().unwrap();
        let network = repository("DeployTest/Models/Int8/KeywordSpotting/network.onnx");
        let output = tilewright(tmp.path(), &["compile", &network, "-o", "net", "--target", target]);
        assert!(output.status.success(), "{}", seen(tmp.path(), &output));
        let lists = "cmake_minimum_required(VERSION 3.13)
project(firmware C)
add_subdirectory(net)
            add_executable(app net/example/main.c)
target_link_libraries(app PRIVATE network)
";
        let options = [
            "-DCMAKE_SYSTEM_NAME=Generic".to_string(),
            "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY".to_string(),
            format!("-DCMAKE_C_COMPILER={tools}-gcc"),
            format!("-DCMAKE_C_FLAGS={flags} --specs=picolibc.specs"),
            format!("-DCMAKE_EXE_LINKER_FLAGS={link}"),
        ];
        let app = cmake(tmp.path(), lists, &options.each_ref().map(String::as_str));
        board.extend(["-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config"]);
        board.extend(["enable=on,target=native", "-kernel", app.to_str().unwrap()]);
        let ran = Command::new(board[0]).args(&board[1..]).output().unwrap();
        assert!(ran.status.success(), "{target}: {ran:?}");
        // Of the C library an integer network needs nothing else; what begins with underscores is the compiler's.
        let library = tmp.path().join("built/net/libnetwork.a");
        let nm = Command::new(format!("{tools}-nm")).arg("-g").arg(library).output().unwrap();
        let text = String::from_utf8(nm.stdout).unwrap();
        let symbols: Vec<Vec<&str>> = text.lines().map(|l| l.split_whitespace().collect()).collect();
        let defined = |s: &str| symbols.iter().any(|l| l.len() == 3 && l[2] == s);
        let needed = symbols.iter().filter(|l| l.len() == 2 && l[0] == "U" && !defined(l[1]));
        let needed: Vec<&str> = needed.map(|l| l[1]).collect();
        let known = |s: &&str| s.starts_with("__") || ["memcpy", "memset"].contains(s);
        assert!(needed.iter().all(known), "{target}: {needed:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_numbers() {
    let tmp = tempfile::tempdir().unwrap();
    product(&tmp.path().join("large"), 1100, 1000);
    let refused = |more: &[&str], said: &str| {
        let args = ["compile", "large/network.onnx", "-o", "out", "--target", "cortex-m4"];
        let text = seen(tmp.path(), &tilewright(tmp.path(), &[&args, more].concat()));
        assert!(text.starts_with("exit code 5") && text.contains(said), "{text}");
    };
    refused(&[], "constants need 4400000 bytes of `flash`, which has 4194304");
    refused(&["--l2", "8000"], "bytes of `sram`, which has 8000");
    refused(&["--l2", "8000"], "--l2 8400 is enough");
}

#[test]
fn activations_lie_in_the_first_memory_that_holds_them() {
    let tmp = tempfile::tempdir().unwrap();
    let network = repository("DeployTest/Models/Int8/KeywordSpotting");
    let board = tmp.path().join("boards/small");
    std::fs::create_dir_all(&board).unwrap();
    let text = "inherits = \"cortex-m7\"\ndescription = \"a small one\"\n[[memories]]\nname = \"dtcm\"\nrole = \"arena\"\n\
        base = 0x20000000\nsize = \"24000\"\nreserved = \"8 KiB\"\n";
    std::fs::write(board.join("platform.toml"), text).unwrap();
    for (target, memories) in [("cortex-m7", &["dtcm"][..]), ("small", &["dtcm", "sram"])]
        .into_iter()
        .filter(|_| ready("cortex-m7"))
    {
        let args = ["run", &network, "--target", target, "--kernels", "boards", "--json"];
        let output = tilewright(tmp.path(), &args);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["status"], "pass", "{json}");
        let levels = json["memories"].as_array().unwrap().iter().map(|m| m["level"].as_str().unwrap());
        assert_eq!(levels.collect::<Vec<_>>(), memories);
        // All of it, stack included, is at most what hand-written kernels take; in two memories each has a peak of its own.
        assert!(
            memories.len() > 1
                || json["ram_bytes"].as_u64().unwrap() + json["stack_bound_bytes"].as_u64().unwrap()
                    <= 16_900,
            "{json}"
        );
    }
}

#[test]
fn what_is_used_most_lies_in_the_tightly_coupled_memory() {
    let tmp = tempfile::tempdir().unwrap();
    let network = |name: &str| repository(&format!("DeployTest/Models/Int8/{name}"));
    let (words, rows) = (network("KeywordSpotting"), network("InvertedResiduals"));
    for target in ["cortex-m7", "cortex-m55"].into_iter().filter(|t| ready(t)) {
        let run = |case: &str, l1: usize, more: &[&str]| {
            let bytes = l1.to_string();
            let args = ["run", case, "--target", target, "--json", "--l1", &bytes];
            let output = tilewright(tmp.path(), &[&args, more].concat());
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((&json["status"], &json["max_error"]), (&"pass".into(), &0.0.into()), "{json}");
            assert!(json["stack_bound_bytes"].as_u64().is_some(), "{json}");
            let bytes = |level: &str| {
                let found = json["memories"].as_array().unwrap().iter().find(|m| m["level"] == level);
                found.map_or(0, |m| m["bytes"].as_u64().unwrap() as usize)
            };
            let hot = |name: &str| json["hot"][name].as_u64();
            (bytes("dtcm"), bytes("sram"), hot("served"), hot("most"))
        };
        // The more of it there is the more it serves.
        let mut before = 0;
        for l1 in [0, 2_000, 9_000, 12_000] {
            let (near, far, served, most) = run(&words, l1, &[]);
            assert!(near <= l1 && far > 0 && served >= Some(before) && most >= served, "{target}: {l1}");
            before = served.unwrap();
        }
        let (near, far, served, _) = run(&words, 20_000, &[]);
        assert!(near > 0 && far == 0 && served.is_none(), "{target}");
        // Rows are buffers like others, and both memories together keep to the budget.
        for (l1, budget) in [(3_000, 18_000), (8_000, 14_000)] {
            let (near, far, ..) = run(&rows, l1, &["--ram-budget", &budget.to_string()]);
            assert!(near <= l1 && near + far <= budget && far > 0, "{target}: {near} {far}");
        }
        let (near, far, ..) = run(&rows, 8_000, &["--l2", "14000"]);
        assert!(near > 0 && near + far <= 14_000, "{target}");
    }
}

#[test]
fn a_budget_of_ram_is_kept_row_by_row() {
    let tmp = tempfile::tempdir().unwrap();
    let network = repository("DeployTest/Models/Int8/InvertedResiduals");
    let run = |target: &str, more: &[&str]| {
        let args = ["run", &network, "--target", target];
        seen(tmp.path(), &tilewright(tmp.path(), &[&args, more].concat()))
    };
    for (target, budget) in [("host", "10000"), ("cortex-m4", "12000"), ("rv32imc", "10000")] {
        if target != "host" && !ready(target) {
            continue;
        }
        let text = run(target, &["--ram-budget", budget]);
        assert!(text.starts_with("exit code 0") && text.contains("PASS, exact"), "{target}: {text}");
        assert!(target == "host" || text.contains(" B bound, "), "{target}: {text}");
        assert!(text.contains("at a time: ") && text.contains("no extra MACs"), "{target}: {text}");
        // The memory there is does not have to be named a budget.
        let more = if target == "host" { "96KiB" } else { budget };
        assert!(run(target, &["--l2", more]).contains("PASS, exact"), "{target}");
        for budget in ["0", "1", "8000"] {
            let text = run(target, &["--ram-budget", budget]);
            let said = ["exit code 5", &format!("the budget is {budget}"), "--ram-budget "];
            assert!(said.iter().all(|s| text.contains(s)), "{target}: {text}");
            if budget == "8000" {
                // What it says is enough.
                let least = text.split("--ram-budget ").nth(1).and_then(|s| s.split(' ').next()).unwrap();
                assert!(run(target, &["--ram-budget", least]).contains("PASS, exact"), "{target}: {least}");
            }
        }
    }
    let text = run("host", &["--ram-budget", "10000", "--no-fusion"]);
    assert!(text.starts_with("exit code 5") && text.contains("every layer by itself"), "{text}");
    let text = run("siracusa", &["--ram-budget", "10000"]);
    assert!(text.starts_with("exit code 3") && text.contains("say --l1 and --l2 instead"), "{text}");
}

/// Runs a case where only these commands are to be found.
fn with_only(dir: &Path, tools: &[&str], args: &[&str]) -> Output {
    let bin = dir.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for tool in tools {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap();
        let path = String::from_utf8(found.stdout).unwrap();
        std::os::unix::fs::symlink(path.trim(), bin.join(tool)).unwrap();
    }
    Command::new(env!("CARGO_BIN_EXE_tilewright"))
        .args(args)
        .current_dir(dir)
        .env("PATH", bin)
        .output()
        .unwrap()
}

#[test]
fn missing_tools_are_named_with_their_packages() {
    let tmp = tempfile::tempdir().unwrap();
    case(&tmp.path().join("case"), Some(GOLDEN));
    let without = |tools: &[&str], target: &str, said: &[&str]| {
        let text = seen(tmp.path(), &with_only(tmp.path(), tools, &["run", "case", "--target", target]));
        assert!(text.starts_with("exit code 6") && said.iter().all(|s| text.contains(s)), "{text}");
    };
    without(&[], "cortex-m4", &["arm-none-eabi-gcc", "apt install gcc-arm-none-eabi picolibc-arm-none-eabi"]);
    without(&[], "rv32imc", &["apt install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"]);
    if ready("cortex-m4") {
        let said = ["cannot start `qemu-system-arm`", "apt install qemu-system-arm"];
        without(&["arm-none-eabi-gcc"], "cortex-m4", &said);
    }
}
