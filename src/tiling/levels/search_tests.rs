//! Small networks, whose best near blocks are also found by trying them all.

use super::*;
use crate::ir::text;
use crate::targets::{Library, Platform, Tree, assign};
use crate::tiling::blocks::Sharing;
use crate::tiling::planner::MemoryOptions;
use crate::tiling::schedule;
use crate::tiling::tiles::{Buffering, Dma, Scratchpad};

/// A chain, a residual block, and tensors that live long beside short ones.
const NETWORKS: [&str; 3] = [
    "graph g(%x: f32[600]) -> (y = %y) {
  %a: f32[600] = Relu(%x)
  %b: f32[600] = Sqrt(%a)
  %c: f32[600] = Floor(%b)
  %d: f32[600] = Relu(%c)
  %y: f32[600] = Ceil(%d)
}",
    "graph g(%x: f32[8x64]) -> (y = %y) {
  %a: f32[8x64] = Relu(%x)
  %b: f32[64x8] = Transpose(%a) {perm: [1, 0]}
  %c: f32[8x8] = MatMul(%a, %b) {requant: null, act: \"none\"}
  %d: f32[8x8] = Relu(%c)
  %e: f32[8x64] = MatMul(%d, %a) {requant: null, act: \"none\"}
  %f: f32[8x64] = Add(%e, %a)
  %y: f32[8x64] = Sqrt(%f)
}",
    "graph g(%x: f32[900], %z: f32[100]) -> (y = %y) {
  %a: f32[900] = Relu(%x)
  %s: f32[100] = Relu(%z)
  %b: f32[900] = Sqrt(%a)
  %t: f32[100] = Sqrt(%s)
  %c: f32[900] = Max(%a, %b)
  %u: f32[100] = Max(%s, %t)
  %d: f32[900] = Add(%c, %b)
  %v: f32[100] = Add(%u, %t)
  %y: f32[1000] = Concat(%d, %v) {axis: 0}
}",
];

fn pad(capacity: usize, buffering: Buffering) -> Scratchpad {
    Scratchpad {
        arena: 1,
        level: "l1".into(),
        capacity,
        alignment: 8,
        dma: Dma { latency: 33, bandwidth: 8.0 },
        buffering,
        budget: 1_000_000,
        seen: Default::default(),
    }
}

/// Runs a test on each network with each scratchpad.
fn each(test: impl Fn(&Network, &Scratchpad)) {
    let tree = Tree::embedded();
    let platform = Platform::load(&tree, "siracusa").unwrap();
    let library = Library::load(&tree, &platform).unwrap();
    for source in NETWORKS {
        let graph = text::parse(source).unwrap();
        let verified = crate::ir::verify::verify(graph).unwrap();
        let assignment = assign(&verified, &platform, &library).unwrap();
        let graph = &*verified;
        let order = schedule::candidates(graph).unwrap().remove(0);
        for (capacity, buffering) in [
            (1500, Buffering::Auto),
            (3000, Buffering::Single),
            (4000, Buffering::Auto),
            (6000, Buffering::Double),
            (9000, Buffering::Auto),
            (64_000, Buffering::Auto),
        ] {
            let pad = pad(capacity, buffering);
            let options = MemoryOptions { scratchpad: Some(pad.clone()), ..MemoryOptions::default() };
            let blocks = Sharing::build(graph, &assignment, &options, &order, &Default::default());
            let (library, order, blocks) = (&library, &order[..], &blocks);
            let (assignment, outside) = (&assignment, None);
            test(&Network { graph, assignment, library, order, blocks, outside }, &pad);
        }
    }
}

#[test]
fn the_best_of_all_sets_is_found() {
    each(|network, pad| {
        let tiler = Tiler::new(network.graph, network.assignment, network.library, pad);
        let layers = Layers::of(network, pad.capacity);
        let (blocks, n) = (network.blocks.blocks.len(), layers.candidates.len());
        assert!(n <= 8);
        let all = (0..1u32 << n).map(|set| {
            let mut near = vec![false; blocks];
            (0..n).for_each(|i| near[layers.candidates[i].block] = set >> i & 1 != 0);
            let outcome = Timeline::run(&layers, &tiler, &near, pad.capacity);
            (outcome.overflow, outcome.cycles)
        });
        let best = all.min().unwrap();
        let decision = decide(network, &layers, &tiler, pad.capacity, pad.budget);
        assert_eq!(decision.bound, decision.cycles.values().sum::<u64>());
        let near: Vec<bool> = (0..blocks).map(|b| decision.near.contains(&b)).collect();
        let outcome = Timeline::run(&layers, &tiler, &near, pad.capacity);
        assert_eq!((outcome.overflow, outcome.cycles), best);
    });
}

#[test]
fn without_a_budget_the_bound_is_still_one() {
    each(|network, pad| {
        let tiler = Tiler::new(network.graph, network.assignment, network.library, pad);
        let layers = Layers::of(network, pad.capacity);
        let best = decide(network, &layers, &tiler, pad.capacity, pad.budget);
        let hasty = decide(network, &layers, &tiler, pad.capacity, 0);
        let cycles = |d: &Decision| d.cycles.values().sum::<u64>();
        assert!(hasty.bound <= cycles(&best) && cycles(&best) <= cycles(&hasty));
    });
}
