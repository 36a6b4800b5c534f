//! Random small networks, the same for the same seed on every machine: for properties that hold for any network
//! (passes change nothing; generated C computes what the interpreter does).
//!
//! Integer networks hold no operator whose result depends on how floats are rounded, so they must agree bit for
//! bit.

use tilewright::ir::ops::{
    Activation, Add, AveragePool, BatchNorm, Bound, Cast, Clip, Concat, Conv, Dequantize, Gemm, IGelu,
    IHardswish, Identity, MatMul, MaxPool, Mul, Pad, PadMode, Quantize, Real, ReduceMean, ReduceSum,
    ReducedAxes, Relu, Requant, RequantShift, Reshape, Sigmoid, Slice, Softmax, Split, Sub, Tanh, Transpose,
};
use tilewright::ir::{DType, Graph, Layout, Op, Patch, Tensor, TensorId, TensorType, Value};
use tilewright::runner::random::Random;

/// Which numbers a network computes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// 8-bit inputs, integers throughout.
    Integer,
    /// Floats throughout.
    Float,
}

/// How large the tensors of a network are.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// No axis of an input is longer.
    axis: usize,
    /// No tensor has more elements: the interpreter is slow.
    elements: usize,
}

/// A network of up to `nodes` random nodes.
#[allow(dead_code)]
pub fn random_graph(seed: u64, flavour: Flavour, nodes: usize) -> Graph {
    random_graph_of(seed, flavour, nodes, Sizes { axis: 5, elements: 600 })
}

/// The same with tensors large enough to be worth computing in parts.
#[allow(dead_code)]
pub fn large_random_graph(seed: u64, flavour: Flavour, nodes: usize) -> Graph {
    random_graph_of(seed, flavour, nodes, Sizes { axis: 20, elements: 12_000 })
}

/// Layers as networks for pictures have them, which are mostly computed row by row: convolutions with all sorts of windows,
/// pools, additions of what came before.
#[allow(dead_code)]
pub fn picture_graph(seed: u64) -> Graph {
    let mut graph = Graph::new("random");
    let empty = graph.clone();
    let mut b = Builder {
        random: Random::new(seed),
        flavour: Flavour::Integer,
        sizes: Sizes { axis: 24, elements: 12_000 },
        patch: Patch::new(&empty),
        tensors: Vec::new(),
        read: Vec::new(),
        nodes: 0,
    };
    // Pictures come channels last.
    let shape = [1, 8 + b.below(16), 8 + b.below(16), 4];
    let input = b.patch.input(Tensor::new("input", TensorType::new(DType::S8, shape)));
    let turned = b.node(Transpose { perm: vec![0, 3, 1, 2] }, &[input]);
    let mut x = turned.unwrap_or(input);
    let mut seen = Vec::new();
    for _ in 0..6 + b.below(8) {
        seen.push(x);
        x = b.picture_layer(x, &seen).unwrap_or(x);
    }
    b.patch.output("output", x);
    let edits = b.patch.finish();
    graph.apply(edits);
    graph
}

fn random_graph_of(seed: u64, flavour: Flavour, nodes: usize, sizes: Sizes) -> Graph {
    let mut graph = Graph::new("random");
    let empty = graph.clone();
    let mut b = Builder {
        random: Random::new(seed),
        flavour,
        sizes,
        patch: Patch::new(&empty),
        tensors: Vec::new(),
        read: Vec::new(),
        nodes: 0,
    };
    let inputs = b.below(2) + 1;
    (0..inputs).for_each(|_| b.input());
    // Steps that do not fit the tensors at hand make nothing; so does a cap on tries.
    for _ in 0..nodes * 20 {
        if b.nodes < nodes {
            b.step();
        }
    }
    b.outputs();
    let edits = b.patch.finish();
    graph.apply(edits);
    graph
}

struct Builder<'g> {
    random: Random,
    flavour: Flavour,
    sizes: Sizes,
    patch: Patch<'g>,
    /// What a node may read, inputs first.
    tensors: Vec<TensorId>,
    /// What some node reads.
    read: Vec<TensorId>,
    nodes: usize,
}

impl Builder<'_> {
    /// Uniform below `n`.
    fn below(&mut self, n: usize) -> usize {
        self.random.int(0, n as i64 - 1) as usize
    }
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    fn ty(&self, t: TensorId) -> TensorType {
        self.patch.get(t).ty.clone()
    }
    fn shape(&self, t: TensorId) -> Vec<usize> {
        self.ty(t).shape
    }

    fn input(&mut self) {
        let rank = [4, 4, 4, 3, 2][self.below(5)];
        let mut shape: Vec<usize> = (0..rank).map(|_| self.below(self.sizes.axis) + 1).collect();
        if rank > 2 {
            shape[0] = if self.chance(80) { 1 } else { 2 };
        }
        let dtype = match self.flavour {
            Flavour::Float => DType::F32,
            Flavour::Integer => [DType::S8, DType::S8, DType::U8][self.below(3)],
        };
        let name = format!("input{}", self.tensors.len());
        let t = self.patch.input(Tensor::new(name, TensorType::new(dtype, shape)));
        self.tensors.push(t);
    }

    /// A recent tensor more often than an old one, so that networks are deep.
    fn pick(&mut self) -> TensorId {
        let n = self.tensors.len();
        let back = self.below(n).min(self.below(n)).min(self.below(n));
        self.tensors[n - 1 - back]
    }
    fn constant(&mut self, dtype: DType, shape: &[usize], limit: i64) -> TensorId {
        let ty = TensorType::new(if dtype == DType::F32 { dtype } else { DType::S64 }, shape);
        let value = self.random.value(&ty, limit).cast(dtype);
        self.patch.constant("constant", value)
    }
    /// Adds the node if it fits its operands and stays small.
    fn node(&mut self, op: impl Into<Op>, inputs: &[TensorId]) -> Option<TensorId> {
        let op = op.into();
        let types: Vec<_> = inputs.iter().map(|t| self.ty(*t)).collect();
        let results = op.infer(&types).ok()?;
        if results.iter().any(|t| t.elements() > self.sizes.elements || t.elements() == 0) {
            return None;
        }
        let results = self.patch.node(format!("{}{}", op.name(), self.nodes), op, inputs).ok()?;
        self.nodes += 1;
        self.read.extend(inputs);
        self.tensors.extend(&results);
        results.first().copied()
    }

    /// Everything unread is an output, and sometimes something in the middle.
    fn outputs(&mut self) {
        let inner = self.pick();
        let extra = self.chance(20);
        let chosen = |t: &TensorId, b: &Self| !b.read.contains(t) || (extra && *t == inner);
        let made: Vec<_> = self.tensors.iter().copied().filter(|t| chosen(t, self)).collect();
        for (i, t) in made.into_iter().enumerate() {
            self.patch.output(format!("output{i}"), t);
        }
    }

    fn step(&mut self) -> Option<()> {
        let x = self.pick();
        let int = self.flavour == Flavour::Integer;
        // Wide integers are brought back to 8 bits soon, as real networks do.
        if int && self.ty(x).dtype.bytes() > 1 && self.chance(50) {
            return self.requant(x);
        }
        match self.below(20) {
            0..4 => self.conv(x),
            4..6 => self.product(x),
            6 => self.pool(x),
            7..9 => self.addition(x),
            9 => self.scaling(x),
            10 => self.reshape(x),
            11 => self.transpose(x),
            12 => self.concat(x),
            13 => self.slice_or_split(x),
            14 => self.pad(x),
            15 => self.reduce(x),
            16 => self.node(Relu {}, &[x]).map(drop),
            17 => self.clip(x),
            _ if int => self.integer_map(x),
            _ => self.float_map(x),
        }
    }

    fn conv(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let spatial = ty.rank().checked_sub(2).filter(|s| *s > 0 && ty.dtype.bytes() != 8)?;
        let channels = ty.shape[1];
        let depthwise = self.chance(30);
        let group = if depthwise { channels } else { 1 };
        let outputs = if depthwise { channels } else { self.below(5) + 1 };
        let mut shape = vec![outputs, channels / group];
        shape.extend((0..spatial).map(|_| self.below(3) + 1));
        let op = Conv {
            group,
            strides: (0..spatial).map(|_| self.below(2) + 1).collect(),
            dilations: (0..spatial).map(|_| self.below(5) / 4 + 1).collect(),
            pads: (0..2 * spatial).map(|_| self.below(2)).collect(),
            layout: Layout::ChannelsFirst,
            requant: None,
            act: Activation::None,
        };
        let (weights, wide) = self.weight_types();
        let w = self.constant(weights, &shape, 8);
        let mut inputs = vec![x, w];
        if self.chance(40) {
            inputs.push(self.constant(wide, &[outputs], 1000));
        }
        let mut y = self.node(op, &inputs)?;
        if !self.int() && self.chance(30) {
            let parameters: Vec<_> = (0..3).map(|_| self.constant(DType::F32, &[outputs], 0)).collect();
            let var = self.patch.constant("var", Value::f32(&[outputs], vec![0.75; outputs])?);
            let inputs = [y, parameters[0], parameters[1], parameters[2], var];
            y = self.node(BatchNorm { epsilon: Real(1e-3), axis: 1 }, &inputs)?;
        }
        self.behind(y, 1)
    }
    fn picture_layer(&mut self, x: TensorId, seen: &[TensorId]) -> Option<TensorId> {
        let shape = self.shape(x);
        let alike: Vec<_> = seen.iter().copied().filter(|t| *t != x && self.shape(*t) == shape).collect();
        if !alike.is_empty() && self.chance(60) {
            let other = alike[self.below(alike.len())];
            let sum = self.node(Add::default(), &[x, other])?;
            return self.bytes(sum);
        }
        if self.chance(15) {
            self.pool(x)?;
            return self.tensors.last().copied();
        }
        let depthwise = self.chance(40);
        let group = if depthwise { shape[1] } else { 1 };
        let outputs = if depthwise { shape[1] } else { 4 * (1 + self.below(4)) };
        let kernel = [1 + self.below(5), 1 + self.below(4)];
        let op = Conv {
            group,
            strides: vec![1 + self.below(4) / 3, 1 + self.below(4) / 3],
            dilations: vec![1 + self.below(6) / 5, 1],
            pads: (0..4).map(|i| if self.chance(70) { kernel[i % 2] / 2 } else { 0 }).collect(),
            layout: Layout::ChannelsFirst,
            requant: None,
            act: Activation::None,
        };
        let w = self.constant(DType::S8, &[outputs, shape[1] / group, kernel[0], kernel[1]], 8);
        let y = self.node(op, &[x, w])?;
        self.bytes(y)
    }

    /// A requantisation to bytes.
    fn bytes(&mut self, x: TensorId) -> Option<TensorId> {
        let channels = self.shape(x)[1];
        let mul = self.constant(DType::S32, &[channels], 100);
        let add = self.constant(DType::S32, &[channels], 10_000);
        let requant = Requant { shift: 4 + self.below(6) as u32, lo: -128, hi: 127, axis: 1 };
        self.node(RequantShift { requant }, &[x, mul, add])
    }

    fn int(&self) -> bool {
        self.flavour == Flavour::Integer
    }
    fn weight_types(&self) -> (DType, DType) {
        if self.int() { (DType::S8, DType::S32) } else { (DType::F32, DType::F32) }
    }

    /// What often stands behind accumulators: a bias, a requantisation, an activation.
    fn behind(&mut self, mut y: TensorId, axis: usize) -> Option<()> {
        let ty = self.ty(y);
        if self.chance(30) {
            let mut shape = vec![1; ty.rank() - axis];
            shape[0] = ty.shape[axis];
            let wide = self.weight_types().1;
            let bias = self.constant(wide, &shape, 1000);
            y = self.node(Add::default(), &[y, bias])?;
        }
        if self.int() && self.chance(70) {
            return self.requant(y);
        }
        if self.chance(30) {
            self.node(Relu {}, &[y])?;
        }
        Some(())
    }

    fn requant(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let axis = if ty.rank() > 2 || self.chance(50) { 1.min(ty.rank().checked_sub(1)?) } else { 0 };
        let per_channel = self.chance(50);
        let shape: Vec<usize> = if per_channel { vec![ty.shape[axis]] } else { vec![] };
        let mul = self.constant(DType::S32, &shape, 100);
        let add_shape: &[usize] = if self.chance(50) { &shape } else { &[] };
        let add = self.constant(DType::S32, add_shape, 10_000);
        let (lo, hi) = [(-128, 127), (0, 255), (-8, 7), (0, 127)][self.below(4)];
        let shift = self.below(14) as u32;
        let y = self.node(RequantShift { requant: Requant { shift, lo, hi, axis } }, &[x, mul, add])?;
        if self.chance(20) {
            self.node(Relu {}, &[y])?;
        }
        Some(())
    }

    fn product(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let (weights, wide) = self.weight_types();
        if ty.rank() < 2 || ty.dtype.bytes() == 8 {
            return None;
        }
        let (k, n) = (ty.shape[ty.rank() - 1], self.below(5) + 1);
        let y = if ty.rank() == 2 && self.chance(50) {
            let trans_b = self.chance(50);
            let shape = if trans_b { [n, k] } else { [k, n] };
            let mut inputs = vec![x, self.constant(weights, &shape, 8)];
            if self.chance(50) {
                inputs.push(self.constant(wide, &[n], 1000));
            }
            let one = Real(1.0);
            let op =
                Gemm { alpha: one, beta: one, trans_a: false, trans_b, requant: None, act: Activation::None };
            self.node(op, &inputs)?
        } else if self.chance(60) {
            let w = self.constant(weights, &[k, n], 8);
            self.node(MatMul::default(), &[x, w])?
        } else {
            let mut perm: Vec<usize> = (0..ty.rank()).collect();
            perm.swap(ty.rank() - 1, ty.rank() - 2);
            let t = self.node(Transpose { perm }, &[x])?;
            self.node(MatMul::default(), &[x, t])?
        };
        self.behind(y, self.ty(y).rank() - 1)
    }

    fn pool(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let axes = ty.rank().checked_sub(2).filter(|s| *s > 0)?;
        let kernel: Vec<usize> = (0..axes).map(|_| self.below(3) + 1).collect();
        let strides = (0..axes).map(|_| self.below(2) + 1).collect();
        let pads = (0..2 * axes).map(|i| self.below(kernel[i % axes].min(2))).collect();
        let (ceil, layout) = (self.chance(20), Layout::ChannelsFirst);
        let dilations = vec![1; axes];
        if self.chance(60) {
            return self.node(MaxPool { kernel, strides, dilations, pads, ceil, layout }, &[x]).map(drop);
        }
        let count_pads = self.chance(50);
        self.node(AveragePool { kernel, strides, dilations, pads, ceil, count_pads, layout }, &[x]).map(drop)
    }

    fn addition(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let fits = |b: &Self, t: &TensorId| b.shape(*t) == ty.shape && b.ty(*t).dtype.bytes() <= 4;
        let partners: Vec<_> = self.tensors.iter().copied().filter(|t| fits(self, t)).collect();
        let y = if self.chance(70) && !partners.is_empty() {
            let partner = partners[self.below(partners.len())];
            self.node(Add::default(), &[x, partner])?
        } else {
            let c = self.broadcast_constant(&ty);
            if self.chance(50) { self.node(Add::default(), &[c, x])? } else { self.node(Sub {}, &[x, c])? }
        };
        if self.int() && self.chance(60) { self.requant(y) } else { Some(()) }
    }
    /// One number, one per index of some axis, or as many as the tensor has.
    fn broadcast_constant(&mut self, ty: &TensorType) -> TensorId {
        let dtype = self.weight_types().0;
        let shape: Vec<usize> = match self.below(3) {
            0 => vec![],
            1 => ty.shape.clone(),
            _ => {
                let axis = self.below(ty.rank().max(1));
                (axis..ty.rank()).map(|d| if d == axis { ty.shape[d] } else { 1 }).collect()
            }
        };
        self.constant(dtype, &shape, 8)
    }
    fn scaling(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let c = self.broadcast_constant(&ty);
        self.node(Mul {}, &[x, c]).map(drop)
    }

    fn reshape(&mut self, x: TensorId) -> Option<()> {
        let shape = self.shape(x);
        let elements: usize = shape.iter().product();
        let batch = *shape.first()?;
        let rest = elements / batch;
        let new = match self.below(5) {
            0 | 1 => vec![batch, rest],
            2 if shape.len() > 2 => vec![batch, shape[1], shape[2..].iter().product()],
            3 if shape.len() == 3 => vec![batch, shape[1], shape[2], 1],
            4 if shape.len() == 2 => {
                let d = (1..=rest).filter(|d| rest % *d == 0).nth(1).unwrap_or(1);
                vec![batch, d, rest / d, 1]
            }
            _ => vec![elements / shape[shape.len() - 1], shape[shape.len() - 1]],
        };
        let y = self.node(Reshape { shape: new }, &[x])?;
        // Flattened activations usually meet a matrix.
        if self.chance(60) { self.product(y) } else { Some(()) }
    }
    fn transpose(&mut self, x: TensorId) -> Option<()> {
        let rank = self.shape(x).len();
        let mut perm: Vec<usize> = (0..rank).collect();
        match self.below(3) {
            0 if rank > 2 => perm[1..].rotate_left(1),
            1 if rank > 2 => perm[1..].rotate_right(1),
            _ => (1..rank).for_each(|i| perm.swap(i, self.below(i + 1))),
        }
        self.node(Transpose { perm }, &[x]).map(drop)
    }
    fn concat(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let axis = self.below(ty.rank().max(1));
        let fits = |b: &Self, t: &TensorId| {
            let o = b.ty(*t);
            let same = |d: usize| d == axis || o.shape[d] == ty.shape[d];
            o.dtype == ty.dtype && o.rank() == ty.rank() && (0..ty.rank()).all(same)
        };
        let partners: Vec<_> = self.tensors.iter().copied().filter(|t| fits(self, t)).collect();
        let mut inputs = vec![x];
        for _ in 0..=self.below(2) {
            inputs.push(partners[self.below(partners.len())]);
        }
        self.node(Concat { axis }, &inputs).map(drop)
    }
    fn slice_or_split(&mut self, x: TensorId) -> Option<()> {
        let shape = self.shape(x);
        let axis = self.below(shape.len().max(1));
        let n = *shape.get(axis)?;
        if n > 1 && self.chance(40) {
            let first = self.below(n - 1) + 1;
            return self.node(Split { axis, sizes: vec![first, n - first] }, &[x]).map(drop);
        }
        let (mut starts, mut sizes, mut steps) = (vec![0; shape.len()], shape.clone(), vec![1; shape.len()]);
        starts[axis] = self.below(n);
        sizes[axis] = self.below(n - starts[axis]) + 1;
        if self.chance(20) {
            steps[axis] = 2;
            sizes[axis] = (n - starts[axis]).div_ceil(2);
        }
        self.node(Slice { starts, sizes, steps }, &[x]).map(drop)
    }
    fn pad(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let first = if ty.rank() > 2 { 2 } else { 0 };
        let mut count = |d: usize| if d < first { 0 } else { self.random.int(0, 1) };
        let (before, after) =
            ((0..ty.rank()).map(&mut count).collect(), (0..ty.rank()).map(&mut count).collect());
        let lowest = ty.dtype.range().map_or(f64::NEG_INFINITY, |(lo, _)| lo as f64);
        let value = if self.int() && self.chance(30) { lowest } else { 0.0 };
        let op = Pad { mode: PadMode::Constant, before, after, value: Bound(value) };
        let y = self.node(op, &[x])?;
        match self.below(3) {
            0 => self.conv(y),
            1 => self.pool(y),
            _ => Some(()),
        }
    }
    fn reduce(&mut self, x: TensorId) -> Option<()> {
        let ty = self.ty(x);
        let axes: Vec<usize> = if ty.rank() > 2 && self.chance(60) {
            (2..ty.rank()).collect()
        } else {
            vec![self.below(ty.rank().max(1))]
        };
        let keepdims = self.chance(50) || axes.len() == ty.rank();
        let reduction = ReducedAxes { axes, keepdims };
        if self.chance(60) {
            return self.node(ReduceMean { reduction }, &[x]).map(drop);
        }
        self.node(ReduceSum { reduction }, &[x]).map(drop)
    }
    fn clip(&mut self, x: TensorId) -> Option<()> {
        let lo = self.random.int(-10, 0) as f64;
        let hi = self.random.int(1, 50) as f64;
        self.node(Clip { lo: Bound(lo), hi: Bound(hi) }, &[x]).map(drop)
    }
    /// Exact functions of one integer.
    fn integer_map(&mut self, x: TensorId) -> Option<()> {
        if self.ty(x).dtype.bytes() > 1 {
            return self.node(Identity {}, &[x]).map(drop);
        }
        let scale = |s: f32| vec![Real(s)];
        match self.below(4) {
            0 => {
                let y = self.node(IHardswish { three: 48, six: 96, one_over_six: 11 }, &[x])?;
                self.requant(y)
            }
            1 => {
                let y = self.node(IGelu { b: -1000, one: 500_000 }, &[x])?;
                self.requant(y)
            }
            2 => {
                let f = self.node(Dequantize { scale: scale(0.05), zero: scale(3.0), axis: 0 }, &[x])?;
                let (lo, hi, dtype) = (-128, 127, DType::S8);
                let q = Quantize {
                    scale: scale(0.07),
                    zero: scale(-2.0),
                    axis: 0,
                    lo,
                    hi,
                    dtype,
                    add_last: true,
                };
                self.node(q, &[f]).map(drop)
            }
            _ => {
                let to = [DType::S8, DType::U8, DType::S32][self.below(3)];
                self.node(Cast { to }, &[x]).map(drop)
            }
        }
    }
    fn float_map(&mut self, x: TensorId) -> Option<()> {
        match self.below(4) {
            0 => self.node(Sigmoid {}, &[x]).map(drop),
            1 => self.node(Tanh {}, &[x]).map(drop),
            2 => {
                let axis = self.below(self.shape(x).len().max(1));
                self.node(Softmax { axis, span: 1 }, &[x]).map(drop)
            }
            _ => self.node(Identity {}, &[x]).map(drop),
        }
    }
}
