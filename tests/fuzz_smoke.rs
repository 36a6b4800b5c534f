//! A bounded, deterministic run of what the fuzz target `load` does: damaged models never panic, never allocate
//! madly, and always end in a graph or in diagnostics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod models;

use tilewright::frontend::proto::*;
use tilewright::frontend::{LoadOptions, import, parse_bytes};
use tilewright::ir::Op;

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// One small damage: a flipped bit, an interesting byte, a removed, repeated or foreign piece.
fn damage(bytes: &mut Vec<u8>, donor: &[u8], random: &mut Random) {
    let at = random.below(bytes.len());
    let length = 1 + random.below(12);
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, 8, 63][random.below(7)],
        2 => {
            let end = (at + length).min(bytes.len());
            bytes.drain(at..end);
        }
        3 => {
            let piece: Vec<u8> = bytes[at..(at + length).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => {
            let from = random.below(donor.len());
            let piece = &donor[from..(from + length).min(donor.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
        5 => bytes.truncate(at.max(1)),
        // A varint of many bytes: huge sizes and dimensions.
        _ => {
            bytes.splice(at..at, [0xff; 8].into_iter().chain([0x7f]));
        }
    }
    if bytes.is_empty() {
        bytes.push(8);
    }
}

/// Numbers that break careless arithmetic, and small ones that are often valid.
fn number(random: &mut Random) -> i64 {
    const EXTREME: [i64; 9] =
        [i64::MIN, i64::MAX, -1, 1 << 31, 1 << 62, -(1 << 62), i32::MIN as i64, 1 << 20, 65536];
    if random.below(3) == 0 { EXTREME[random.below(EXTREME.len())] } else { random.below(6) as i64 - 1 }
}

fn numbers(random: &mut Random) -> Vec<i64> {
    (0..random.below(6)).map(|_| number(random)).collect()
}

fn attribute(random: &mut Random) -> AttributeProto {
    const NAMES: [&str; 40] = [
        "axis",
        "axes",
        "pads",
        "strides",
        "dilations",
        "kernel_shape",
        "group",
        "perm",
        "to",
        "alpha",
        "beta",
        "transA",
        "transB",
        "keepdims",
        "epsilon",
        "num_groups",
        "output_padding",
        "output_shape",
        "auto_pad",
        "ceil_mode",
        "count_include_pad",
        "mode",
        "starts",
        "ends",
        "split",
        "num_outputs",
        "shape",
        "blocksize",
        "n_levels",
        "n_levels_out",
        "signed",
        "div",
        "D",
        "Delta",
        "eps",
        "eta",
        "y",
        "log2",
        "direction",
        "noop_with_empty_axes",
    ];
    let name = NAMES[random.below(NAMES.len())];
    match random.below(4) {
        0 => models::ints(name, &numbers(random)),
        1 => models::float(name, [0.0, -1.5, f32::NAN, f32::INFINITY, 1e38, 1e-45, 2.0][random.below(7)]),
        _ => models::int(name, number(random)),
    }
}

/// Damage that keeps the file well formed, so that it reaches the operators.
fn distort(model: &mut ModelProto, operators: &[&str], random: &mut Random) {
    if random.below(8) == 0 {
        if let Some(o) = model.opset_import.first_mut() {
            o.version = Some(7 + random.below(20) as i64);
        }
    }
    let Some(graph) = &mut model.graph else { return };
    let names: Vec<String> = (graph.node.iter().flat_map(|n| n.input.iter().chain(&n.output).cloned()))
        .chain([String::new()])
        .collect();
    let (nodes, inputs, constants) = (graph.node.len(), graph.input.len(), graph.initializer.len());
    match random.below(9) {
        0 | 1 if nodes > 0 => {
            graph.node[random.below(nodes)].op_type = Some(operators[random.below(operators.len())].into());
        }
        2 | 3 if nodes > 0 => {
            let a = attribute(random);
            let node = &mut graph.node[random.below(nodes)];
            node.attribute.retain(|b| b.name != a.name);
            node.attribute.push(a);
        }
        4 if nodes > 0 => {
            let node = &mut graph.node[random.below(nodes)];
            let name = names[random.below(names.len())].clone();
            match random.below(3) {
                0 => node.input.push(name),
                1 => drop(node.input.pop()),
                _ => node.input.iter_mut().take(1).for_each(|i| i.clone_from(&name)),
            }
        }
        5 if nodes > 0 => graph.node[random.below(nodes)].output.push(format!("extra{}", random.below(99))),
        6 if constants > 0 => {
            let t = &mut graph.initializer[random.below(constants)];
            t.data_type = Some(1 + random.below(26) as i32);
        }
        7 if constants > 0 => {
            let t = &mut graph.initializer[random.below(constants)];
            if t.data_type() == models::INT64 {
                t.int64_data.iter_mut().for_each(|x| *x = number(random));
            } else {
                t.dims = if random.below(2) == 0 { numbers(random) } else { vec![t.float_data.len() as i64] };
            }
        }
        _ if inputs > 0 => {
            let dims: Vec<i64> = numbers(random).into_iter().map(|d| d.max(0)).collect();
            let name = graph.input[0].name().to_string();
            let types = [models::FLOAT, models::INT64, data_type::INT8, data_type::INT32, data_type::BOOL];
            graph.input[0] = models::value(&name, types[random.below(types.len())], &dims);
        }
        _ => {}
    }
}

fn rounds() -> usize {
    std::env::var("TILEWRIGHT_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(6000)
}

fn load(bytes: Vec<u8>) -> bool {
    // A small allowance, so that a mad constant is refused instead of being computed thousands of times.
    let options = LoadOptions { fold_limit: 1 << 20, default_integer: None, ..LoadOptions::default() };
    match parse_bytes(bytes).and_then(|model| import(&model, &options)) {
        Ok(_) => true,
        Err(e) => {
            assert!(e.has_errors(), "a refusal without a reason");
            assert_ne!(e.exit_code(), 70, "a fault of our own: {e}");
            false
        }
    }
}

#[test]
fn damaged_files_are_refused_or_loaded() {
    let samples: Vec<Vec<u8>> = models::samples().iter().map(models::bytes).collect();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut loaded = 0;
    for _ in 0..rounds() {
        let mut bytes = samples[random.below(samples.len())].clone();
        let donor = &samples[random.below(samples.len())];
        for _ in 0..1 + random.below(4) {
            damage(&mut bytes, donor, &mut random);
        }
        loaded += usize::from(load(bytes));
    }
    assert!(loaded > 0, "not one damaged file loaded: the damage is too coarse to reach the importer");
}

#[test]
fn distorted_models_are_refused_or_loaded() {
    let mut operators: Vec<&str> = Op::importable().collect();
    operators.extend(["Constant", "Shape", "Size", "If", "Loop", "Nothing"]);
    let samples = models::samples();
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let (mut loaded, rounds) = (0, rounds());
    for _ in 0..rounds {
        let mut model = samples[random.below(samples.len())].clone();
        for _ in 0..1 + random.below(5) {
            distort(&mut model, &operators, &mut random);
        }
        loaded += usize::from(load(models::bytes(&model)));
    }
    assert!(loaded > rounds / 50, "only {loaded} of {rounds} distorted models loaded");
}

#[test]
fn every_prefix_of_a_model_is_refused() {
    for model in models::samples() {
        let bytes = models::bytes(&model);
        for end in 0..bytes.len() {
            // Only the operator sets and functions lie behind the graph, so a short prefix never holds a network.
            let whole = load(bytes[..end].to_vec());
            assert!(!whole || end > bytes.len() / 2);
        }
    }
}

/// A model of a few random operators on random operands.
fn scribble(operators: &[&str], random: &mut Random) -> ModelProto {
    let mut g = GraphProto::default();
    let mut names = vec![String::new()];
    for i in 0..1 + random.below(4) {
        let name = format!("t{i}");
        let mut dims: Vec<i64> = (0..random.below(5)).map(|_| [1, 2, 3, 4, 0, 2][random.below(6)]).collect();
        let float = random.below(3) > 0;
        if random.below(2) == 0 {
            if random.below(8) == 0 {
                dims.iter_mut().take(1).for_each(|d| *d = 1 << random.below(31));
            }
            let types = [models::INT64, data_type::INT8, data_type::UINT8, data_type::BOOL, data_type::INT32];
            let elements = if float { models::FLOAT } else { types[random.below(types.len())] };
            g.input.push(models::value(&name, elements, &dims));
        } else {
            let n = dims.iter().product::<i64>() as usize;
            g.initializer.push(if float {
                models::floats(&name, &dims, &(0..n).map(|_| number(random) as f32).collect::<Vec<_>>())
            } else {
                models::int64s(&name, &dims, &(0..n).map(|_| number(random)).collect::<Vec<_>>())
            });
        }
        names.push(name);
    }
    for i in 0..1 + random.below(3) {
        let op = operators[random.below(operators.len())];
        let inputs: Vec<&str> =
            (0..1 + random.below(4)).map(|_| names[random.below(names.len())].as_str()).collect();
        let outputs: Vec<String> = (0..1 + random.below(3)).map(|k| format!("r{i}_{k}")).collect();
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        let mut node = models::node(op, &inputs, &outputs);
        for a in (0..random.below(5)).map(|_| attribute(random)).collect::<Vec<_>>() {
            node.attribute.retain(|b| b.name != a.name);
            node.attribute.push(a);
        }
        names.extend(outputs.iter().take(1).map(|o| o.to_string()));
        g.node.push(node);
    }
    let last = names.last().cloned().unwrap_or_default();
    g.output.push(models::value(&last, models::FLOAT, &[]));
    let mut model = models::model(g);
    model.opset_import = vec![models::opset("", 7 + random.below(20) as i64)];
    model
}

#[test]
fn random_nodes_are_refused_or_loaded() {
    let operators: Vec<&str> = Op::importable().collect();
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let loaded = (0..rounds()).filter(|_| load(models::bytes(&scribble(&operators, &mut random)))).count();
    assert!(loaded > rounds() / 50, "only {loaded} of {} random models loaded", rounds());
}
