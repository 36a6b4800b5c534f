//! Networks in two memories whose best split is known, and wrong splits the validator must refuse.

use crate::ir::text;
use crate::tiling::plan::{Home, Hot, Plan};
use crate::tiling::planner::{Level, MemoryOptions, plan};
use crate::tiling::tests::{kernels, library};
use crate::tiling::validate;

/// Two chains: what is small is read and written more often for each byte that is live.
const CHAINS: &str = "graph g(%x: s8[100], %z: s8[30]) -> (y = %y, w = %w) {
  %a: s8[30] = Relu(%z)
  %b: s8[30] = Relu(%a)
  %w: s8[30] = Relu(%b)
  %y: s8[100] = Relu(%x)
}";

fn memories(near: usize, far: usize) -> MemoryOptions {
    let faster = vec![Level { name: "dtcm".into(), capacity: Some(near) }];
    MemoryOptions { level: "sram".into(), capacity: Some(far), faster, ..MemoryOptions::default() }
}

/// The plan, judged by what a broken one is judged by.
fn planned(options: &MemoryOptions) -> crate::diag::Result<Plan> {
    let graph = text::parse(CHAINS).unwrap();
    let kernels = kernels(&graph, &[]);
    let plan = plan(&graph, &kernels, library(), options)?;
    validate(&graph, &kernels, library(), options, plan.clone()).unwrap();
    Ok(plan)
}

fn bytes(plan: &Plan) -> Vec<(&str, usize)> {
    plan.arenas.iter().map(|a| (a.level.as_str(), a.bytes)).collect()
}

#[test]
fn the_first_memory_takes_what_is_used_most() {
    let plan = planned(&memories(60, 1000)).unwrap();
    assert_eq!(bytes(&plan), [("dtcm", 60), ("sram", 200)]);
    let hot = Hot { level: "dtcm".into(), accesses: 640, served: 240, most: 240 };
    assert_eq!(plan.hot, Some(hot));
    // All of it, if it is large enough; nothing else is said then.
    let plan = planned(&memories(1000, 1000)).unwrap();
    assert_eq!((bytes(&plan).len(), plan.arenas[0].level.as_str(), &plan.hot), (1, "dtcm", &None));
    let plan = planned(&memories(0, 1000)).unwrap();
    assert_eq!((bytes(&plan).len(), plan.arenas[0].level.as_str()), (1, "sram"));
}

#[test]
fn what_the_last_memory_does_not_hold_lies_in_the_first() {
    // The chain of 100 bytes would not be chosen for its accesses alone.
    let plan = planned(&memories(130, 160)).unwrap();
    assert!(bytes(&plan)[0].1 <= 130 && bytes(&plan)[1].1 <= 160, "{:?}", bytes(&plan));
    let error = planned(&memories(90, 150)).unwrap_err().to_string();
    assert!(error.contains("`dtcm`, which has 90, and of `sram`, which has 150"), "{error}");
    let limited = MemoryOptions { limit: Some(200), ..memories(60, 1000) };
    assert!(planned(&limited).unwrap_err().to_string().contains("(of both 200 may be used)"));
}

#[test]
fn the_validator_knows_the_memories() {
    let options = memories(60, 1000);
    let good = planned(&options).unwrap();
    let graph = text::parse(CHAINS).unwrap();
    let tensor = |name: &str| graph.tensors().find(|(_, t)| t.name == name).unwrap().0;
    let refused = |options: &MemoryOptions, break_it: &dyn Fn(&mut Plan), why: &str| {
        let mut plan = good.clone();
        break_it(&mut plan);
        let judged = validate(&graph, &kernels(&graph, &[]), library(), options, plan);
        let said = judged.unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    };
    refused(&options, &|p| p.arenas.swap(0, 1), "is to be");
    refused(&options, &|p| p.arenas[1].level = "dtcm".into(), "memory 1 is to be `dtcm`");
    refused(&memories(50, 1000), &|_| {}, "`dtcm` is to hold 60 bytes: too many");
    let limited = MemoryOptions { limit: Some(259), ..options.clone() };
    refused(&limited, &|_| {}, "hold 260 bytes together");
    let move_to = |arena, offset| {
        let b = tensor("b");
        move |p: &mut Plan| p.homes.extend([(b, Home::Arena { arena, offset })])
    };
    // Where `x` waits to be read, and beyond the end.
    let Some(Home::Arena { arena, offset }) = good.homes.get(&tensor("x")).copied() else { panic!() };
    refused(&options, &move_to(arena, offset), "x");
    refused(&options, &move_to(0, 40), "needs bytes 40..70");
    refused(&options, &move_to(2, 0), "does not exist");
}
