use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::ir::ops::Relu;
use crate::ir::verify::verify;
use crate::ir::{DType, Graph, Patch, QuantParams, Tensor, TensorType, Value};
use crate::targets::{Tree, assign};
use crate::tiling::{Interface, MemoryOptions, plan, validate};

/// Two independent chains of relus: one on bytes, one on a constant with awkward floats.
fn graph() -> Graph {
    let mut graph = Graph::new("tiny */ net");
    let mut patch = Patch::new(&graph);
    let mut x = Tensor::new("x:0", TensorType::new(DType::S8, [2, 3]));
    x.quant = Some(QuantParams { scale: vec![0.1], zero_point: vec![-3], axis: None });
    let x = patch.input(x);
    let a = patch.node("block/relu", Relu {}.into(), &[x]).unwrap()[0];
    let b = patch.node("relu", Relu {}.into(), &[a]).unwrap()[0];
    let odd = [f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e-45, f32::NAN, 0.1];
    let w = patch.constant("w", Value::f32(&[6], odd.to_vec()).unwrap());
    let v = patch.constant("v", Value::f32(&[6], odd.to_vec()).unwrap());
    let int = patch.constant("int", Value::s64(&[2], vec![i64::MIN, 5]).unwrap());
    let c = patch.node("relu_w", Relu {}.into(), &[w]).unwrap()[0];
    let d = patch.node("relu_v", Relu {}.into(), &[v]).unwrap()[0];
    let e = patch.node("while", Relu {}.into(), &[int]).unwrap()[0];
    for (name, t) in [("y", b), ("c", c), ("C", d), ("return", e)] {
        patch.output(name, t);
    }
    let edits = patch.finish();
    graph.apply(edits);
    graph
}

fn emit_with(tree: &Tree, graph: Graph, name: &str, interface: Interface) -> Result<Sources> {
    let graph = verify(graph)?;
    let platform = Platform::load(tree, "host")?;
    let library = Library::load(tree, &platform)?;
    let assignment = assign(&graph, &platform, &library)?;
    let options = MemoryOptions { interface, alignment: 4, ..MemoryOptions::default() };
    let plan = plan(&graph, &assignment, &library, &options)?;
    let plan = validate(&graph, &assignment, &library, &options, plan)?;
    render(&graph, &assignment, &plan, &library, &platform, &Options { name: name.into() })
}

fn emit(name: &str, interface: Interface) -> Sources {
    emit_with(&Tree::embedded(), graph(), name, interface).unwrap()
}

fn text<'a>(sources: &'a Sources, path: &str) -> &'a str {
    std::str::from_utf8(&sources.files[path]).unwrap()
}

/// The compiler that knows Cortex-M55's vectors, where it is installed.
fn vector_compiler() -> Vec<Vec<&'static str>> {
    let cc = ["arm-none-eabi-gcc", "-mcpu=cortex-m55", "-mfloat-abi=hard", "--specs=picolibc.specs"];
    let works = Command::new(cc[0]).arg("--version").output().is_ok_and(|o| o.status.success());
    works.then(|| cc.to_vec()).into_iter().collect()
}

/// Those of the host, each without arguments.
fn native_compilers() -> Vec<Vec<&'static str>> {
    compilers().into_iter().map(|cc| vec![cc]).collect()
}

/// The C compilers of this machine; tests that compile do nothing on a machine without any.
fn compilers() -> Vec<&'static str> {
    let works = |cc: &&str| Command::new(cc).arg("--version").output().is_ok_and(|o| o.status.success());
    ["gcc", "clang"].into_iter().filter(works).collect()
}

const STRICT: [&str; 6] = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fno-strict-aliasing"];

fn compile(cc: &str, dirs: &[&Path], main: &Path, program: &Path) {
    let mut command = Command::new(cc);
    command.args(STRICT).args([
        "-Wmissing-prototypes",
        "-Wstrict-prototypes",
        "-fsanitize=address,undefined",
        "-o",
    ]);
    command.arg(program).arg(main);
    for dir in dirs {
        for folder in [dir.to_path_buf(), dir.join("kernels")] {
            let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
            files.sort();
            command.args(files.iter().filter(|p| p.extension().is_some_and(|e| e == "c")));
        }
    }
    let output = command.arg("-lm").output().unwrap();
    assert!(output.status.success(), "{cc}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_emitted_text_is_pretty() {
    let sources = emit("tiny", Interface::Arena);
    insta::assert_snapshot!("arena_network_c", text(&sources, "Network.c"));
    insta::assert_snapshot!("arena_network_h", text(&sources, "Network.h"));
    insta::assert_snapshot!("arena_weights_c", text(&sources, "Weights.c"));
    insta::assert_snapshot!("arena_weights_h", text(&sources, "Weights.h"));
    insta::assert_snapshot!("arena_kernels_h", text(&sources, "kernels/kernels.h"));
    insta::assert_snapshot!("arena_relu_s8_c", text(&sources, "kernels/relu_s8.c"));
    insta::assert_snapshot!("arena_makefile", text(&sources, "Makefile"));
    insta::assert_snapshot!("arena_report_json", text(&sources, "report.json"));
}

#[test]
fn the_callers_buffers_are_parameters() {
    let sources = emit("tiny", Interface::Caller);
    insta::assert_snapshot!("caller_network_c", text(&sources, "Network.c"));
    insta::assert_snapshot!("caller_network_h", text(&sources, "Network.h"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(emit("tiny", Interface::Arena).files, emit("tiny", Interface::Arena).files);
}

const MAIN: &str = r#"
#include <stdio.h>
#include <string.h>
#include "one/Network.h"
#include "two/Network.h"
int main(void)
{
    static const int8_t x[ONE_INPUT_X_0_ELEMENTS] = { -128, -1, 0, 1, 5, 127 };
    static const int32_t shape[ONE_INPUT_X_0_RANK] = ONE_INPUT_X_0_SHAPE;
    int8_t y[TWO_OUTPUT_Y_ELEMENTS];
    float c[6], d[6];
    int64_t r[2];
    one_init();
    two_init();
    memcpy(one_input_x_0(), x, ONE_INPUT_X_0_BYTES);
    one_run();
    two_run(x, y, c, d, r);
    for (int i = 0; i < 6; i++)
        printf("%d %d %g %g|", one_output_y()[i], y[i], (double)c[i], (double)one_output_C_2()[i]);
    printf("%d %d %d %.1f %d\n", (int)r[0], (int)one_output_return_()[1], (int)(shape[0] * 10 + shape[1]),
           (double)ONE_INPUT_X_0_SCALE, ONE_INPUT_X_0_ZERO_POINT);
    return 0;
}
"#;

#[test]
fn two_networks_build_without_warning_link_and_run() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    write(&one, &emit("one", Interface::Arena), false).unwrap();
    write(&two, &emit("two", Interface::Caller), false).unwrap();
    let main = dir.path().join("main.c");
    std::fs::write(&main, MAIN).unwrap();
    for cc in compilers() {
        let program = dir.path().join(cc);
        compile(cc, &[&one, &two], &main, &program);
        let output = Command::new(&program).output().unwrap();
        let expected =
            "0 0 inf inf|0 0 0 0|0 0 -0 -0|1 1 1.4013e-45 1.4013e-45|5 5 0 0|127 127 0.1 0.1|0 5 23 0.1 -3\n";
        let shown = String::from_utf8_lossy(&output.stdout).replace("-0 ", "0 ").replace("-0|", "0|");
        assert_eq!(shown, expected.replace("-0 ", "0 ").replace("-0|", "0|"), "{cc}");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_makefile_builds_a_library() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    write(&out, &emit("tiny", Interface::Arena), false).unwrap();
    let Ok(made) = Command::new("make").arg("-C").arg(&out).output() else { return };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(out.join("build/libtiny.a").exists());
    // The build folder is no obstacle to writing again, and stale files go.
    write(&out, &emit("tiny", Interface::Caller), false).unwrap();
    assert!(out.join("build/libtiny.a").exists());
}

/// A kernel that uses everything a manifest offers: defines, hoisted tables, shared headers, scratch.
fn elaborate() -> Tree {
    let mut tree = Tree::embedded();
    tree.add_file("generic/relu.toml", include_str!("testdata/scaled.toml"));
    tree.add_file("generic/scaled.c", include_str!("testdata/scaled.c"));
    tree.add_file("generic/scaled.c.hbs", include_str!("testdata/scaled.c.hbs"));
    tree.add_file(
        "generic/tw_outer.h",
        "#ifndef TW_OUTER_H\n#define TW_OUTER_H\n#include \"tw_inner.h\"\n#endif\n",
    );
    tree.add_file("generic/tw_inner.h", "#ifndef TW_INNER_H\n#define TW_INNER_H\n#define TW_TWO 2\n#endif\n");
    tree
}

#[test]
fn kernels_may_hoist_tables_and_share_headers() {
    let sources = emit_with(&elaborate(), graph(), "one", Interface::Arena).unwrap();
    insta::assert_snapshot!("elaborate_network_c", text(&sources, "Network.c"));
    insta::assert_snapshot!("elaborate_kernel_c", text(&sources, "kernels/scaled_s8_s8.c"));
    assert!(sources.files.contains_key("kernels/tw_inner.h"));
    assert_eq!(sources.report.totals.predicted_cycles, None);
    let dir = tempfile::tempdir().unwrap();
    let main = dir.path().join("main.c");
    std::fs::write(&main, "int main(void)\n{\n    return 0;\n}\n").unwrap();
    let out = dir.path().join("out");
    write(&out, &sources, false).unwrap();
    for cc in compilers() {
        compile(cc, &[&out], &main, &dir.path().join(cc));
    }
}

#[test]
fn faults_of_kernel_files_are_shown() {
    let fault = |path: &str, text: &str| {
        let mut tree = elaborate();
        tree.add_file(path, text);
        emit_with(&tree, graph(), "one", Interface::Arena).unwrap_err().to_string()
    };
    let shown = fault("generic/scaled.c.hbs", "{{kernel}}({{x.ptr}},\n    {{z.ptr}});\n");
    assert!(
        shown.contains("node `block/relu` (Relu): kernels/generic/scaled.c.hbs: template error at line 2"),
        "{shown}"
    );
    assert!(shown.contains("there is no `z.ptr` here"), "{shown}");
    let shown = fault("generic/scaled.c", "static void TW_KERNEL(int x)\n{\n}\n");
    assert!(shown.contains("kernels/generic/scaled.c: does not define the kernel"), "{shown}");
    let shown = fault("generic/tw_inner.h", "#include \"tw_missing.h\"\n");
    assert!(
        shown.contains("kernels/generic/tw_inner.h: includes `tw_missing.h`, which does not exist"),
        "{shown}"
    );
    let shown = emit_with(&elaborate(), graph(), "no name", Interface::Arena).unwrap_err().to_string();
    assert!(shown.contains("for example `no_name`"), "{shown}");
}

#[test]
fn foreign_files_are_never_touched() {
    let dir = tempfile::tempdir().unwrap();
    let sources = emit("tiny", Interface::Arena);
    let precious = dir.path().join("thesis.tex");
    std::fs::write(&precious, "years").unwrap();
    let shown = write(dir.path(), &sources, false).unwrap_err();
    assert!(shown.to_string().contains("is not empty: it holds `thesis.tex`"), "{shown}");
    assert_eq!(shown.exit_code(), 6);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    write(dir.path(), &sources, true).unwrap();
    assert!(dir.path().join("Network.c").exists());
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "years");
    assert!(write(dir.path(), &sources, false).is_err());
    assert!(write(&precious, &sources, true).unwrap_err().to_string().contains("it is not a folder"));
    assert!(write(&precious.join("below"), &sources, false).is_err());
}

#[test]
fn an_earlier_output_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/er/out");
    let mut sources = emit("tiny", Interface::Arena);
    sources.files.insert("stale.c".into(), vec![]);
    sources.report.files.push("stale.c".into());
    sources.files.insert("report.json".into(), sources.report.json().into_bytes());
    write(&out, &sources, false).unwrap();
    assert!(out.join("stale.c").exists());
    write(&out, &emit("tiny", Interface::Arena), false).unwrap();
    assert!(!out.join("stale.c").exists());
    assert!(out.join("Network.c").exists());
    let left: Vec<_> = std::fs::read_dir(out.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary folder is left");
    // A report that names files elsewhere must not make us delete them.
    let precious = dir.path().join("precious");
    std::fs::write(&precious, "x").unwrap();
    std::fs::write(out.join("report.json"), r#"{"generator":"tilewright","files":["../../../precious"]}"#)
        .unwrap();
    write(&out, &emit("tiny", Interface::Arena), true).unwrap();
    assert!(precious.exists());
}

/// Bindings of a manifest's type variables in which every variable takes each of its types: all variables
/// moving together, and each alone. (All combinations are thousands.)
fn bindings(types: &[(String, Vec<DType>)]) -> BTreeSet<Vec<(String, DType)>> {
    let bind = |pick: &dyn Fn(usize) -> usize| -> Vec<(String, DType)> {
        types.iter().enumerate().map(|(v, (name, list))| (name.clone(), list[pick(v) % list.len()])).collect()
    };
    let most = types.iter().map(|(_, list)| list.len()).max().unwrap_or(1);
    let together = (0..most).map(|i| bind(&|_| i));
    let alone = (0..types.len()).flat_map(|v| (0..types[v].1.len()).map(move |i| (v, i)));
    together.chain(alone.map(|(v, i)| bind(&|w| if v == w { i } else { 0 }))).collect()
}

/// Whether a manifest rules out a combination of types by name (`x.dtype == y.dtype`).
fn allowed(manifest: &crate::targets::Manifest, types: &[(String, DType)]) -> bool {
    use crate::targets::manifest::Pattern;
    let named = manifest.operands.iter().chain(&manifest.results);
    let scope: BTreeMap<String, crate::targets::expr::Val> = named
        .filter_map(|(name, pattern)| {
            let dtype = match pattern {
                Pattern::Type(d) => *d,
                Pattern::Variable(v) => types.iter().find(|(n, _)| n == v)?.1,
            };
            Some((format!("{name}.dtype"), crate::targets::expr::Val::Str(dtype.name().into())))
        })
        .collect();
    let mut about_types = manifest.requires.iter().filter(|p| p.text().contains(".dtype"));
    about_types.all(|p| p.eval(&scope) != Ok(crate::targets::expr::Val::Int(0)))
}

#[test]
fn every_kernel_compiles_for_every_type() {
    compile_all(&native_compilers(), "host", "generic", |_| true);
}

/// With the twins of their instructions; a bias of one narrow and one wide type stands for all.
#[test]
fn every_kernel_of_chips_compiles_for_every_type() {
    let bias = |t: &(String, DType)| match t.0.as_str() {
        "B" | "C" => matches!(t.1, DType::S8 | DType::U8 | DType::S32),
        _ => true,
    };
    compile_all(&native_compilers(), "siracusa", "siracusa", |types| types.iter().all(bias));
    compile_all(&native_compilers(), "cortex-m4", "cortex-m", |types| types.iter().all(bias));
    compile_all(&native_compilers(), "rv32imc", "rv32", |types| types.iter().all(bias));
    compile_all(&vector_compiler(), "cortex-m55", "cortex-m55", |types| types.iter().all(bias));
}

fn compile_all(
    compilers: &[Vec<&str>],
    target: &str,
    folder: &str,
    wanted: impl Fn(&[(String, DType)]) -> bool,
) {
    let tree = Tree::embedded();
    let platform = Platform::load(&tree, target).unwrap();
    let library = Library::load(&tree, &platform).unwrap();
    let mut kernels = Kernels::default();
    for (id, kernel) in library.kernels().filter(|(_, k)| k.manifest.folder == folder) {
        let all = bindings(&kernel.manifest.types).into_iter();
        for types in all.filter(|t| wanted(t) && allowed(&kernel.manifest, t)) {
            let choice = crate::targets::Choice {
                kernel: id,
                types,
                params: Map::new(),
                operands: vec![],
                results: vec![],
                scratch_bytes: 0,
                inplace: vec![],
                overlay: Vec::new(),
                streamed: false,
                packs: vec![],
                engine_cycles: None,
                cycles: None,
                links: Vec::new(),
                shares: None,
            };
            kernels.add("all", &library, &choice).unwrap();
        }
        let (path, text) = (kernel.manifest.template.clone(), library.template(kernel, false).unwrap().0);
        Templates::default().add(&path, text).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let mut context = Map::new();
    context.insert("title".into(), json!("all"));
    context.insert("NET".into(), json!("ALL"));
    extend(&mut context, &kernels, &platform);
    let mut templates = Templates::default();
    let text = include_str!("templates/kernels.h.hbs");
    templates.add("kernels.h", text).unwrap();
    let header = templates.render("kernels.h", text, &Json::Object(context)).unwrap().text;
    std::fs::write(dir.path().join("kernels.h"), header).unwrap();
    for (name, text) in &kernels.headers {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let mut files = Vec::new();
    for variant in kernels.variants.values() {
        files.push(dir.path().join(variant.path.trim_start_matches("kernels/")));
        std::fs::write(files.last().unwrap(), &variant.text).unwrap();
    }
    // Half of the files each, side by side: two compilers object to much the same, and there are many files.
    let share = |i: usize| files.iter().skip(i).step_by(compilers.len());
    let start = |(i, cc): (usize, &Vec<&str>)| {
        let mut command = Command::new(cc[0]);
        command.args(&cc[1..]).args(STRICT).arg("-fsyntax-only").args(share(i));
        command.stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = compilers.iter().enumerate().map(start).collect();
    let outputs = running.into_iter().map(|child| child.wait_with_output().unwrap());
    let faults: Vec<_> = outputs.filter(|o| !o.status.success()).collect();
    let faults: Vec<_> = faults.iter().map(|o| String::from_utf8_lossy(&o.stderr)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_kernel_source_stands_alone() {
    let tree = Tree::embedded();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let mut sources = BTreeSet::new();
    for target in ["host", "cortex-m4", "cortex-m55", "rv32imc"] {
        let library = Library::load(&tree, &Platform::load(&tree, target).unwrap()).unwrap();
        let source = |(_, k): (_, &crate::targets::library::Kernel)| {
            let (_, origin) = library.source(&k.manifest).unwrap();
            Path::new(env!("CARGO_MANIFEST_DIR")).join(origin)
        };
        sources.extend(library.kernels().map(source));
    }
    let (vectors, sources): (Vec<PathBuf>, Vec<PathBuf>) =
        sources.into_iter().partition(|s| s.starts_with(folder.join("cortex-m55")));
    let native = native_compilers().into_iter().map(|cc| (cc, &sources));
    for (cc, sources) in native.chain(vector_compiler().into_iter().map(|cc| (cc, &vectors))) {
        let output = Command::new(cc[0])
            .args(&cc[1..])
            .args(STRICT)
            .arg("-I")
            .arg(folder.join("generic"))
            .arg("-fsyntax-only")
            .args(sources)
            .output()
            .unwrap();
        assert!(output.status.success(), "{cc:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn call_templates_for_all_cores_replace_something_and_are_well_formed() {
    let tree = Tree::embedded();
    let platform = Platform::load(&tree, "siracusa").unwrap();
    let library = Library::load(&tree, &platform).unwrap();
    let mut used = BTreeSet::new();
    for (_, kernel) in library.kernels() {
        let parallel = kernel.manifest.parallel || kernel.shared.is_some();
        assert_eq!(kernel.cores, if parallel { 8 } else { 1 }, "{}", kernel.manifest.origin);
        let (text, path) = library.template(kernel, true).unwrap();
        Templates::default().add(&path, text).unwrap();
        used.insert(path);
    }
    for file in tree.list("siracusa/parallel/generic") {
        let origin = tree.origin(file);
        assert!(used.contains(&origin), "{origin} replaces no template of generic");
    }
}
