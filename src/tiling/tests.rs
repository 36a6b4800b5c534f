//! Hand-made graphs whose best plan is known, and wrong plans the validator must refuse.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::ir::text;
use crate::ir::{Graph, NodeId};
use crate::targets::{Assignment, Choice, KernelId, Library, Platform, Tree};

/// Every node gets a kernel; those named in `inplace` may write result 0 over operand 0.
pub(super) fn kernels(graph: &Graph, inplace: &[&str]) -> Assignment {
    let choice = |id: NodeId| Choice {
        kernel: KernelId(0),
        types: vec![],
        params: Default::default(),
        operands: vec![],
        results: vec![],
        scratch_bytes: 0,
        inplace: if inplace.contains(&graph.node(id).op.name()) { vec![(0, 0)] } else { vec![] },
        overlay: Vec::new(),
        streamed: false,
        packs: vec![],
        engine_cycles: None,
        cycles: None,
        links: Vec::new(),
        shares: None,
    };
    let choices: BTreeMap<_, _> = graph.nodes().map(|(id, _)| (id, choice(id))).collect();
    Assignment { choices, ..Assignment::default() }
}

/// No kernel of it is called: there is no scratchpad.
pub(super) fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let tree = Tree::embedded();
        Library::load(&tree, &Platform::load(&tree, "host").unwrap()).unwrap()
    })
}

/// The validator's verdict, where memory has no limit.
fn judged(graph: &Graph, assignment: &Assignment, plan: Plan) -> crate::diag::Result<CheckedPlan> {
    let options = MemoryOptions { interface: plan.interface, ..MemoryOptions::default() };
    validate(graph, assignment, library(), &options, plan)
}

fn planned(source: &str, inplace: &[&str], interface: Interface) -> (Graph, Assignment, Plan) {
    let graph = text::parse(source).unwrap();
    let assignment = kernels(&graph, inplace);
    let options = MemoryOptions { interface, ..MemoryOptions::default() };
    let plan = plan(&graph, &assignment, library(), &options).unwrap();
    judged(&graph, &assignment, plan.clone()).unwrap();
    (graph, assignment, plan)
}

const CHAIN: &str = "graph g(%x: s8[100]) -> (y = %y) {
  %a: s8[100] = Relu(%x)
  %b: s8[100] = Relu(%a)
  %y: s8[100] = Relu(%b)
}";

#[test]
fn a_chain_needs_two_buffers_or_one_in_place() {
    let (.., plan) = planned(CHAIN, &[], Interface::Arena);
    assert_eq!((plan.arenas[0].bytes, plan.arenas[0].lower_bound), (200, 200));
    let (.., plan) = planned(CHAIN, &["Relu"], Interface::Arena);
    assert_eq!(plan.arenas[0].bytes, 100);
    assert_eq!(plan.aliases.len(), 3);
}

#[test]
fn the_callers_buffers_are_not_in_the_arena() {
    let (.., plan) = planned(CHAIN, &[], Interface::Caller);
    assert_eq!(plan.arenas[0].bytes, 200);
    let (graph, _, plan) = planned(CHAIN, &["Relu"], Interface::Caller);
    // a is written over by b, and b by y, so both live in the caller's output.
    assert_eq!(plan.arenas[0].bytes, 0);
    assert_eq!(plan.homes[&graph.inputs()[0]], Home::Input { index: 0, offset: 0 });
    assert_eq!(plan.homes[&graph.outputs()[0].tensor], Home::Output { index: 0, offset: 0 });
}

#[test]
fn an_operand_read_later_is_not_overwritten() {
    let source = "graph g(%x: s8[100]) -> (y = %y) {
  %a: s8[100] = Relu(%x)
  %b: s8[100] = Relu(%a)
  %y: s8[100] = Max(%a, %b)
}";
    let (.., plan) = planned(source, &["Relu"], Interface::Arena);
    assert_eq!(plan.arenas[0].bytes, 300);
    let (.., plan) = planned(source, &["Relu", "Max"], Interface::Arena);
    assert_eq!(plan.arenas[0].bytes, 200);
}

#[test]
fn reshapes_and_concatenations_cost_nothing() {
    let source = "graph g(%x: s8[4x25]) -> (y = %y) {
  %a: s8[100] = Reshape(%x) {shape: [100]}
  %b: s8[100] = Relu(%a)
  %c: s8[50] = Relu(%u)
  %u: s8[50] = Slice(%a) {starts: [0], sizes: [50], steps: [1]}
  %y: s8[150] = Concat(%b, %c) {axis: 0}
}";
    let (graph, _, plan) = planned(source, &[], Interface::Arena);
    let elided: Vec<_> = plan.elided.iter().map(|n| graph.node(*n).op.name()).collect();
    assert_eq!(elided, ["Reshape", "Slice", "Concat"]);
    assert_eq!(plan.arenas[0].bytes, 250);
}

#[test]
fn a_concatenation_inside_rows_copies() {
    let source = "graph g(%x: s8[2x10]) -> (y = %y) {
  %a: s8[2x10] = Relu(%x)
  %y: s8[2x20] = Concat(%a, %x) {axis: 1}
}";
    let (.., plan) = planned(source, &[], Interface::Arena);
    assert!(plan.elided.is_empty());
}

#[test]
fn an_operand_concatenated_twice_is_copied_once() {
    let source = "graph g(%x: s8[10]) -> (y = %y) {
  %a: s8[10] = Relu(%x)
  %y: s8[20] = Concat(%a, %a) {axis: 0}
}";
    let (.., plan) = planned(source, &[], Interface::Arena);
    assert!(plan.elided.is_empty());
}

#[test]
fn an_output_that_is_still_read_survives() {
    let source = "graph g(%x: s8[10]) -> (a = %a, y = %y) {
  %a: s8[10] = Relu(%x)
  %y: s8[10] = Relu(%a)
}";
    let (.., plan) = planned(source, &["Relu"], Interface::Arena);
    assert_eq!(plan.arenas[0].bytes, 20);
}

#[test]
fn too_small_a_memory_is_refused_with_numbers() {
    let graph = text::parse(CHAIN).unwrap();
    let options = MemoryOptions { capacity: Some(150), level: "sram".into(), ..MemoryOptions::default() };
    let error = plan(&graph, &kernels(&graph, &[]), library(), &options).unwrap_err();
    assert_eq!(error.exit_code(), 5);
    assert!(error.to_string().contains("need 200 bytes of `sram`, which has 150"), "{error}");
}

#[test]
fn the_validator_names_each_fault() {
    let (graph, assignment, good) = planned(CHAIN, &[], Interface::Arena);
    let refused = |break_it: &dyn Fn(&mut Plan)| {
        let mut plan = good.clone();
        break_it(&mut plan);
        judged(&graph, &assignment, plan).unwrap_err().to_string()
    };
    let tensors: Vec<_> = good.homes.keys().copied().collect();
    let at = |offset| Home::Arena { arena: 0, offset };
    assert!(
        refused(&|p| {
            let _ = p.homes.remove(&tensors[1]);
        })
        .contains("has no home")
    );
    assert!(
        refused(&|p| {
            let _ = p.homes.insert(tensors[1], at(150));
        })
        .contains("needs bytes 150..250")
    );
    assert!(
        refused(&|p| {
            let _ = p.homes.insert(tensors[1], at(50));
        })
        .contains("overwrites its operand")
    );
    assert!(refused(&|p| p.order.swap(0, 1)).contains("whose result it reads"));
    assert!(
        refused(&|p| {
            let _ = p.order.pop();
        })
        .contains("is never run")
    );
    assert!(
        refused(&|p| {
            let _ = p.elided.insert(p.order[1]);
        })
        .contains("is left out but computes something")
    );
    assert!(refused(&|p| p.arenas.clear()).contains("a memory that does not exist"));
}

#[test]
fn the_validator_sees_a_buffer_reused_too_early() {
    let source = "graph g(%x: s8[10]) -> (y = %y) {
  %a: s8[10] = Relu(%x)
  %b: s8[10] = Relu(%a)
  %c: s8[10] = Relu(%b)
  %y: s8[10] = Max(%a, %c)
}";
    let (graph, assignment, mut plan) = planned(source, &[], Interface::Arena);
    let find = |name: &str| graph.tensors().find(|(_, t)| t.name == name).unwrap().0;
    plan.homes.insert(find("c"), plan.homes[&find("a")]);
    let error = judged(&graph, &assignment, plan).unwrap_err().to_string();
    assert!(error.contains("reads `a`") && error.contains("bytes of `c`"), "{error}");
}

/// A random graph: each node reads one or two earlier tensors.
fn random_source(picks: &[(u8, u8, u8)]) -> String {
    let mut lines = vec![];
    let mut sizes = vec![12usize];
    for (kind, a, b) in picks {
        let (a, b) = (*a as usize % sizes.len(), *b as usize % sizes.len());
        let n = sizes.len();
        let (size, text) = match kind % 4 {
            0 => (sizes[a], format!("Relu(%t{a})")),
            1 if sizes[a] == sizes[b] => (sizes[a], format!("Max(%t{a}, %t{b})")),
            2 if sizes[a] + sizes[b] < 200 => {
                (sizes[a] + sizes[b], format!("Concat(%t{a}, %t{b}) {{axis: 0}}"))
            }
            3 if sizes[a] > 4 => {
                let half = sizes[a] / 2;
                (half, format!("Slice(%t{a}) {{starts: [1], sizes: [{half}], steps: [1]}}"))
            }
            _ => (sizes[b], format!("Relu(%t{b})")),
        };
        lines.push(format!("  %t{n}: s8[{size}] = {text}"));
        sizes.push(size);
    }
    let last = sizes.len() - 1;
    let mid = last.div_ceil(2);
    let outputs = if mid == last { format!("y = %t{last}") } else { format!("y = %t{last}, z = %t{mid}") };
    format!("graph g(%t0: s8[12]) -> ({outputs}) {{\n{}\n}}", lines.join("\n"))
}

proptest! {
    #[test]
    fn every_plan_is_valid_and_never_below_its_bound(
        picks in proptest::collection::vec(any::<(u8, u8, u8)>(), 1..30),
        caller in any::<bool>(),
        inplace in any::<bool>(),
    ) {
        let interface = if caller { Interface::Caller } else { Interface::Arena };
        let kernels: &[&str] = if inplace { &["Relu", "Max"] } else { &[] };
        let (.., plan) = planned(&random_source(&picks), kernels, interface);
        prop_assert!(plan.arenas[0].bytes >= plan.arenas[0].lower_bound);
    }

    /// Moving one tensor anywhere either leaves a valid plan or is refused; it never slips through as
    /// overlapping live bytes (checked here by the plain pairwise definition).
    #[test]
    fn moved_tensors_are_caught(
        picks in proptest::collection::vec(any::<(u8, u8, u8)>(), 2..12),
        which in any::<u16>(),
        offset in 0usize..64,
    ) {
        let (graph, assignment, mut plan) = planned(&random_source(&picks), &[], Interface::Arena);
        let tensors: Vec<_> = plan.homes.keys().copied().collect();
        let t = tensors[which as usize % tensors.len()];
        plan.homes.insert(t, Home::Arena { arena: 0, offset });
        if judged(&graph, &assignment, plan.clone()).is_ok() {
            prop_assert!(!clobbered(&graph, &plan), "{plan:?}");
        }
    }
}

/// Replays the schedule on real bytes: every computed tensor writes its own number, every read checks it
/// (views and joins resolved by following elided nodes by hand is not needed: only computed ones are checked).
fn clobbered(graph: &Graph, plan: &Plan) -> bool {
    let mut memory = vec![u32::MAX; 4096];
    let place = |t| match plan.homes[&t] {
        Home::Arena { offset, .. } => offset,
        _ => unreachable!(),
    };
    let mut computed: Vec<_> = graph.inputs().to_vec();
    let write = |memory: &mut Vec<u32>, t: crate::ir::TensorId| {
        let at = place(t);
        memory[at..at + graph.tensor(t).ty.bytes()].fill(t.0);
    };
    for t in graph.inputs() {
        write(&mut memory, *t);
    }
    for id in &plan.order {
        let node = graph.node(*id);
        for t in node.inputs.iter().filter(|t| computed.contains(t)) {
            let at = place(*t);
            if memory[at..at + graph.tensor(*t).ty.bytes()].iter().any(|b| *b != t.0) {
                return true;
            }
        }
        if !plan.elided.contains(id) && node.op.name() != "Concat" {
            write(&mut memory, node.outputs[0]);
            computed.push(node.outputs[0]);
        }
    }
    false
}
