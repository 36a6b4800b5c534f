use super::*;
use crate::ir::ops::Relu;
use crate::ir::{Patch, Tensor};
use crate::targets::Tree;

fn relu(dtypes: &[DType]) -> Graph {
    let mut graph = Graph::new("net");
    let mut patch = Patch::new(&graph);
    for (i, dtype) in dtypes.iter().enumerate() {
        let x = patch.input(Tensor::new(format!("x{i}"), TensorType::new(*dtype, [2, 3])));
        let y = patch.node(format!("relu{i}"), Relu {}.into(), &[x]).unwrap();
        patch.output(format!("y{i}"), y[0]);
    }
    let edits = patch.finish();
    graph.apply(edits);
    graph
}

fn manifest(kernel: &str, types: &str, extra: &str) -> String {
    format!(
        "op = \"Relu\"\nkernel = \"{kernel}\"\nsources = [\"k.c\"]\ntemplate = \"k.hbs\"\ninplace = [[\"x\", \"y\"]]\n\
         {extra}\n[types]\nT = [{types}]\nW = [\"u8\"]\n[operands]\nx = \"T\"\nw = \"W\"\n[results]\ny = \"T\"\n"
    )
}

fn tree(manifests: &[(&str, String)]) -> Tree {
    let mut tree = Tree::default();
    tree.add_file(
        "t/platform.toml",
        include_str!("../../kernels/host/platform.toml").replace("generic", "k"),
    );
    tree.add_file("k/k.c", "");
    tree.add_file("k/k.hbs", "");
    for (path, text) in manifests {
        tree.add_file(path, text.as_str());
    }
    tree
}

fn assigned(graph: &Graph, manifests: &[(&str, String)]) -> Result<(Assignment, Library)> {
    let tree = tree(manifests);
    let platform = Platform::load(&tree, "t")?;
    let library = Library::load(&tree, &platform)?;
    Ok((assign(&crate::ir::verify::verify(graph.clone())?, &platform, &library)?, library))
}

#[test]
fn the_cheapest_fitting_kernel_wins() {
    let kernels = [
        ("k/a.toml", manifest("a", "'s8'", "")),
        ("k/b.toml", manifest("b", "'s8'", "cost = 'x.elements * 4'")),
        ("k/c.toml", manifest("c", "'s8'", "cost = 'x.elements * 3'\nscratch = '2 * x.bytes + y.shape.1'")),
        ("k/d.toml", manifest("d", "'f32'", "cost = '1'")),
        ("k/e.toml", manifest("e", "'s8'", "cost = 'x.elements * 3'")),
    ];
    let (assignment, library) = assigned(&relu(&[DType::S8]), &kernels).unwrap();
    let choice = assignment.choices.values().next().unwrap();
    assert_eq!(library.kernel(choice.kernel).manifest.name, "c");
    assert_eq!((choice.cycles, choice.scratch_bytes), (Some(18), 15));
    assert_eq!(choice.inplace, [(0, 0)]);
    assert_eq!(choice.types, [("T".into(), DType::S8), ("W".into(), DType::U8)]);
    let refused = &assignment.rejections.values().next().unwrap()[0];
    assert_eq!(
        (refused.kernel.as_str(), refused.reason.as_str()),
        ("d", "needs x of type f32, has s8; needs y of type f32, has s8")
    );
}

#[test]
fn every_node_without_a_kernel_is_reported() {
    let kernels = [
        ("k/a.toml", manifest("a", "'s8', 'u8'", "")),
        (
            "k/b.toml",
            manifest("b", "'f32', 's16'", "requires = ['x.rank == 4', 'w.present == 0', 'speling == 1']"),
        ),
    ];
    let faults = assigned(&relu(&[DType::S8, DType::F32, DType::S64]), &kernels).unwrap_err();
    let shown = faults.to_string();
    let expected = "error[unsupported]: node `relu1` (Relu): no kernel of target `t` fits Relu (x f32[2x3] -> y f32[2x3]); \
        nearest: `a` needs x of type s8 or u8, has f32; needs y of type s8 or u8, has f32\n  \
        help: change the model so that `a` fits, or write a kernel: `tilewright new kernel NAME --op Relu`";
    assert_eq!(faults.0.len(), 2);
    assert!(shown.starts_with(expected), "{shown}");
    assert_eq!(faults.exit_code(), 4);
    let (partly, _) = assigned(&relu(&[DType::S8]), &kernels).unwrap();
    let reason = &partly.rejections.values().next().unwrap()[0].reason;
    assert!(reason.contains("needs x.rank == 4, has 2"), "{reason}");
    assert!(reason.contains("needs speling == 1: `speling` is not a number"), "{reason}");
    let none = assigned(&relu(&[DType::S8]), &[]).unwrap_err().to_string();
    assert!(none.contains("target `t` has no kernel for Relu (x s8[2x3] -> y s8[2x3])"), "{none}");
}

#[test]
fn empty_results_need_no_kernel() {
    let mut graph = Graph::new("net");
    let mut patch = Patch::new(&graph);
    let x = patch.input(Tensor::new("x", TensorType::new(DType::S8, [2, 0])));
    let y = patch.node("relu", Relu {}.into(), &[x]).unwrap();
    patch.output("y", y[0]);
    let edits = patch.finish();
    graph.apply(edits);
    assert!(assigned(&graph, &[]).unwrap().0.choices.is_empty());
}

#[test]
fn loose_manifests_hide_those_of_the_same_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.toml"), manifest("mine", "'s8'", "")).unwrap();
    let mut tree = tree(&[("k/a.toml", manifest("a", "'s8'", ""))]);
    tree.add_dir(dir.path()).unwrap();
    let platform = Platform::load(&tree, "t").unwrap();
    let library = Library::load(&tree, &platform).unwrap();
    let names: Vec<&str> = library.kernels().map(|(_, k)| k.manifest.kernel.as_str()).collect();
    assert_eq!(names, ["mine"]);
}

#[test]
fn missing_files_are_reported() {
    let text = manifest("a", "'s8'", "headers = ['tw_absent.h']").replace("k.hbs", "gone.hbs");
    let shown = assigned(&relu(&[DType::S8]), &[("k/a.toml", text)]).unwrap_err().to_string();
    assert!(shown.contains("kernels/k/a.toml: names the file `gone.hbs`, which does not exist"), "{shown}");
    assert!(shown.contains("`tw_absent.h`"), "{shown}");
}

#[test]
fn the_embedded_kernels_load_on_every_target() {
    let tree = Tree::embedded();
    for target in tree.targets() {
        let platform = Platform::load(&tree, &target).unwrap();
        if let Err(faults) = Library::load(&tree, &platform) {
            panic!("{target}: {faults}");
        }
    }
}

/// Two s64 elements have the bytes of the sixteen truth values that they are compared for.
#[test]
fn operands_that_repeat_are_not_overwritten() {
    let source = "graph net(%a: s64[2x1], %b: s64[8]) -> (y = %y) { %y: bool[2x8] = Less(%a, %b) }";
    let manifest = "op = 'Less'\nkernel = 'a'\nsources = ['k.c']\ntemplate = 'k.hbs'\n\
        inplace = [['a', 'y'], ['b', 'y']]\n[operands]\na = 's64'\nb = 's64'\n[results]\ny = 'bool'\n";
    let graph = crate::ir::text::parse(source).unwrap();
    let (assignment, _) = assigned(&graph, &[("k/a.toml", manifest.to_string())]).unwrap();
    assert_eq!(assignment.choices.values().next().unwrap().inplace, []);
}
