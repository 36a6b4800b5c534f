//! Matrix products in full generality: what MatMul and Gemm are cases of.
//!
//! In: operand types and values (a, b, [c], [mul, add]). Out: `alpha * op(a) * op(b) + beta * c`, finished by an epilogue,
//! and the strides kernels walk by. Never knows which operator asks.

use ndarray::{ArrayD, IxDyn};
use serde_json::Value as Json;

use super::common::broadcast;
use super::contraction::{self, Number};
use super::{Activation, Params, Requant};
use crate::ir::access::{self, Reach, Space};
use crate::ir::dtype::DType;
use crate::ir::graph::TensorType;
use crate::ir::import::OpError;
use crate::ir::value::Value;

/// What is to be computed.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    /// Factor of the product.
    pub alpha: f32,
    /// Factor of c.
    pub beta: f32,
    /// Whether the last two axes of a are swapped.
    pub trans_a: bool,
    /// Whether the last two axes of b are swapped.
    pub trans_b: bool,
    /// Requantisation of an integer accumulator.
    pub requant: Option<&'a Requant>,
    /// Activation of a float accumulator.
    pub act: Activation,
}

/// Sizes of one product: `batch` times [m, k] by [k, n].
struct Sizes {
    batch: Vec<usize>,
    m: usize,
    k: usize,
    n: usize,
    /// The result's shape: vectors have lost their dimension.
    shape: Vec<usize>,
}

/// One batch dimension and the steps of the operands along it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    size: usize,
    /// Elements from one matrix to the next in a, b and c; 0 where it is the same one.
    steps: [usize; 3],
}

/// The last two dimensions of `shape`, swapped if `swap`; `None` for a vector.
fn matrix(shape: &[usize], swap: bool) -> Option<(usize, usize)> {
    match shape {
        [.., r, c] => Some(if swap { (*c, *r) } else { (*r, *c) }),
        _ => None,
    }
}

fn batch(shape: &[usize]) -> &[usize] {
    &shape[..shape.len().saturating_sub(2)]
}

/// Element strides of an operand of shape `own`, in elements, along the dimensions `full` it broadcasts to;
/// `unit` is the step of its innermost dimension.
fn strides(own: &[usize], full: &[usize], unit: usize) -> Vec<usize> {
    let mut step = unit;
    let mut all = vec![0; full.len()];
    for (i, size) in own.iter().enumerate().rev() {
        let at = full.len() + i - own.len();
        all[at] = if *size == 1 { 0 } else { step };
        step *= size;
    }
    all
}

impl Product<'_> {
    fn sizes(&self, a: &TensorType, b: &TensorType) -> Result<Sizes, OpError> {
        let wrong = || OpError::invalid(format!("a {a} and b {b} cannot be multiplied"));
        if a.rank() == 0 || b.rank() == 0 {
            return Err(wrong());
        }
        let (m, k) = matrix(&a.shape, self.trans_a).unwrap_or((1, a.shape[0]));
        let (rows, n) = matrix(&b.shape, self.trans_b).unwrap_or((b.shape[0], 1));
        if rows != k {
            return Err(wrong());
        }
        let batch = broadcast(batch(&a.shape), batch(&b.shape))?;
        let mut shape = batch.clone();
        shape.extend((a.rank() > 1).then_some(m));
        shape.extend((b.rank() > 1).then_some(n));
        Ok(Sizes { batch, m, k, n, shape })
    }
    /// Number of operands before the epilogue's.
    fn leading(&self, count: usize) -> usize {
        if self.requant.is_some() { count.saturating_sub(2) } else { count }
    }
    /// The type of the result.
    ///
    /// # Errors
    /// The operands do not fit.
    pub fn infer(&self, inputs: &[TensorType]) -> Result<Vec<TensorType>, OpError> {
        let (operands, epilogue) = inputs.split_at(self.leading(inputs.len()));
        let s = self.sizes(&inputs[0], &inputs[1])?;
        if let Some(c) = operands.get(2) {
            if broadcast(&c.shape, &s.shape).as_ref() != Ok(&s.shape) {
                return Err(OpError::invalid(format!("c {c} does not broadcast to {:?}", s.shape)));
            }
        }
        let acc = contraction::accumulator(operands)?;
        if !acc.is_float() && (self.alpha.fract() != 0.0 || self.beta.fract() != 0.0) {
            let message = format!("`alpha` {} and `beta` {} must be integers here", self.alpha, self.beta);
            return Err(OpError::unsupported(message));
        }
        Ok(vec![contraction::result_type(acc, s.shape, self.requant, self.act, epilogue)?])
    }
    /// The definition.
    ///
    /// # Errors
    /// The operands do not fit.
    pub fn reference(&self, inputs: &[&Value], outputs: &[TensorType]) -> Result<Vec<Value>, OpError> {
        let (operands, epilogue) = inputs.split_at(self.leading(inputs.len()));
        let types: Vec<TensorType> = operands.iter().map(|v| TensorType::of(v)).collect();
        let s = self.sizes(&types[0], &types[1])?;
        let acc = contraction::accumulator(&types)?;
        let (a, b, c) = (operands[0], operands[1], operands.get(2));
        Ok(vec![if acc == DType::F32 {
            let mut y = self.multiply(&s, a.to_f64(), b.to_f64())?;
            y.mapv_inplace(|x| x * f64::from(self.alpha));
            self.add(&s, &mut y, c.map(|c| c.to_f64()), |y, c| y + c * f64::from(self.beta))?;
            contraction::finish_float(y, self.act)
        } else {
            let (alpha, beta) = (self.alpha as i64, self.beta as i64);
            let mut y = self.multiply(&s, a.to_i64(), b.to_i64())?;
            y.mapv_inplace(|x| x.wrapping_mul(alpha));
            self.add(&s, &mut y, c.map(|c| c.to_i64()), |y, c| y.mac(c, beta))?;
            contraction::finish_int(y, acc, self.requant, epilogue, &outputs[0])?
        }])
    }
    fn multiply<T: Number>(&self, s: &Sizes, a: ArrayD<T>, b: ArrayD<T>) -> Result<ArrayD<T>, OpError> {
        let (a_shape, b_shape) = (a.shape().to_vec(), b.shape().to_vec());
        let (a, b) = (straight(a, self.trans_a), straight(b, self.trans_b));
        let (a_size, b_size, y_size) = (s.m * s.k, s.k * s.n, s.m * s.n);
        let count: usize = s.batch.iter().product();
        let mut y = vec![T::ZERO; count * y_size];
        let a_steps = strides(batch(&a_shape), &s.batch, a_size);
        let b_steps = strides(batch(&b_shape), &s.batch, b_size);
        for i in 0..count {
            let (mut rest, mut from_a, mut from_b) = (i, 0, 0);
            for (axis, size) in s.batch.iter().enumerate().rev() {
                from_a += rest % size * a_steps[axis];
                from_b += rest % size * b_steps[axis];
                rest /= size;
            }
            let (a, b) = (&a[from_a..][..a_size], &b[from_b..][..b_size]);
            contraction::product(a, b, &mut y[i * y_size..][..y_size], s.k, s.n);
        }
        ArrayD::from_shape_vec(IxDyn(&s.shape), y).map_err(|e| OpError::invalid(e.to_string()))
    }
    fn add<T: Copy>(
        &self,
        s: &Sizes,
        y: &mut ArrayD<T>,
        c: Option<ArrayD<T>>,
        f: impl Fn(T, T) -> T,
    ) -> Result<(), OpError> {
        if let Some(c) = c {
            let wide = c.broadcast(IxDyn(&s.shape));
            let wide = wide.ok_or_else(|| OpError::invalid("c does not broadcast to the result"))?;
            ndarray::Zip::from(y).and(wide).for_each(|y, c| *y = f(*y, *c));
        }
        Ok(())
    }
    /// What kernels need: `m`, `k`, `n`; element strides `a_row`, `a_col`, `b_row`, `b_col`, `c_row`, `c_col` (0 where c
    /// broadcasts); the number of products `batch` and its dimensions and steps as lists `batch_dims`, `a_batch`,
    /// `b_batch`, `c_batch` of length `batch_rank`, at least 1 (merged as far as strides allow, and into `m` where b
    /// stays the same); `alpha`, `beta`, `scaled` (0/1: either is not 1), `bias` (0/1: c is given), `macs`; the
    /// epilogue's (see `contraction`); and, counting the rows of the whole batch by r, the element of `mul` for row r
    /// and column j: `r / rq_inner % rq_count * mul_row + j * mul_col`, likewise for `add`.
    pub fn params(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Params {
        let mut p = Params::new();
        let Ok(s) = self.sizes(&inputs[0], &inputs[1]) else { return p };
        let leading = self.leading(inputs.len());
        contraction::epilogue_params(self.requant, self.act, &inputs[leading..], &mut p);
        let mut walk = self.walk(&s, inputs, leading);
        if walk.batch.is_empty() {
            walk.batch.push(Step { size: 1, steps: [0; 3] });
        }
        let steps = |i: usize| -> Vec<usize> { walk.batch.iter().map(|b| b.steps[i]).collect() };
        let mut put = |name: &str, x: Json| p.insert(name.into(), x);
        put("m", walk.m.into());
        put("k", s.k.into());
        put("n", s.n.into());
        for (name, (row, col)) in ["a", "b", "c"].into_iter().zip(walk.strides) {
            put(&format!("{name}_row"), row.into());
            put(&format!("{name}_col"), col.into());
        }
        put("batch_rank", walk.batch.len().into());
        put("batch_dims", walk.batch.iter().map(|b| b.size).collect::<Vec<_>>().into());
        put("batch", s.batch_count(walk.m).into());
        for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
            put(&format!("{name}_batch"), steps(i).into());
        }
        put("alpha", number(self.alpha));
        put("beta", number(self.beta));
        put("scaled", usize::from(self.alpha != 1.0 || self.beta != 1.0).into());
        put("bias", usize::from(leading == 3).into());
        put("macs", self.macs(inputs, outputs).into());
        self.requant_params(&s, &inputs[leading..], &mut p);
        p
    }
    fn requant_params(&self, s: &Sizes, epilogue: &[TensorType], p: &mut Params) {
        let axis = self.requant.map_or(0, |r| r.axis);
        // A result without columns (b a vector) has only rows.
        let columns = axis + 1 == s.shape.len() && s.shape.last() == Some(&s.n);
        let behind: usize = s.shape.iter().skip(axis + 1).product();
        let mut put = |name: String, x: usize| p.insert(name, x.into());
        put("rq_inner".into(), if columns { 1 } else { (behind / s.n.max(1)).max(1) });
        put("rq_count".into(), s.shape.get(axis).copied().unwrap_or(1).max(1));
        for (name, t) in ["mul", "add"].into_iter().zip([epilogue.first(), epilogue.get(1)]) {
            let step = usize::from(t.is_some_and(|t| t.elements() != 1));
            put(format!("{name}_row"), if columns { 0 } else { step });
            put(format!("{name}_col"), if columns { step } else { 0 });
        }
    }
    fn walk(&self, s: &Sizes, inputs: &[TensorType], leading: usize) -> Walk {
        let (a, b) = (&inputs[0].shape, &inputs[1].shape);
        let a_unit = if self.trans_a { (1, s.m) } else { (s.k, 1) };
        let b_unit = if self.trans_b { (1, s.k) } else { (s.n, 1) };
        let mut full = s.batch.clone();
        full.extend([s.m, s.n]);
        let c = match inputs[..leading].get(2) {
            Some(c) => strides(&c.shape, &full, 1),
            None => vec![0; full.len()],
        };
        let a_steps = strides(batch(a), &s.batch, s.m * s.k);
        let b_steps = strides(batch(b), &s.batch, s.k * s.n);
        let all = (0..s.batch.len())
            .map(|i| Step { size: s.batch[i], steps: [a_steps[i], b_steps[i], c[i]] })
            .filter(|step| step.size != 1);
        let mut walk =
            Walk { m: s.m, strides: [a_unit, b_unit, (c[full.len() - 2], c[full.len() - 1])], batch: vec![] };
        for step in all {
            match walk.batch.last_mut() {
                Some(outer) if (0..3).all(|i| outer.steps[i] == step.size * step.steps[i]) => {
                    *outer = Step { size: outer.size * step.size, steps: step.steps };
                }
                _ => walk.batch.push(step),
            }
        }
        walk.fold();
        walk
    }
    /// The iteration space: the batch, the rows, the columns. Operands are reached as the result's dimensions are; a and b
    /// are needed whole along the summed axis.
    pub fn space(&self, inputs: &[TensorType], outputs: &[TensorType]) -> Option<Space> {
        let (a, b, y) = (&inputs[0], &inputs[1], &outputs[0].shape);
        if a.rank() < 2 || b.rank() < 2 {
            return None;
        }
        let (row, column) = (y.len() - 2, y.len() - 1);
        let factor = |t: &TensorType, own: Reach, first: bool| -> Vec<Reach> {
            let skip = y.len() - t.rank();
            let batch = t.shape[..t.rank() - 2].iter().enumerate();
            let mut reach: Vec<Reach> = batch
                .map(|(i, n)| if *n == y[skip + i] { Reach::same(skip + i) } else { Reach::Whole })
                .collect();
            reach.extend(if first { [own, Reach::Whole] } else { [Reach::Whole, own] });
            reach
        };
        let leading = self.leading(inputs.len());
        let mut operands =
            vec![factor(a, Reach::same(row), !self.trans_a), factor(b, Reach::same(column), self.trans_b)];
        let others =
            access::elementwise(y, &inputs[2..leading].iter().map(|t| &*t.shape).collect::<Vec<_>>());
        operands.extend(others.operands);
        let rq = self.requant.copied();
        operands.extend(inputs[leading..].iter().map(|t| rq.map_or(vec![], |rq| rq.reach(t, rq.axis))));
        Some(Space { axes: y.clone(), operands, results: others.results })
    }
    /// Multiply-accumulates.
    pub fn macs(&self, inputs: &[TensorType], _outputs: &[TensorType]) -> u64 {
        let Ok(s) = self.sizes(&inputs[0], &inputs[1]) else { return 0 };
        (s.batch.iter().product::<usize>() * s.m * s.n) as u64 * s.k as u64
    }
}

impl Sizes {
    /// Number of products when `m` rows belong to one.
    fn batch_count(&self, m: usize) -> usize {
        (self.batch.iter().product::<usize>() * self.m).checked_div(m).unwrap_or(0)
    }
}

/// An integer where it is one.
fn number(x: f32) -> Json {
    if x.fract() == 0.0 && x.abs() < 1e9 { (x as i64).into() } else { f64::from(x).into() }
}

/// How a kernel walks the operands.
struct Walk {
    m: usize,
    /// Row and column strides of a, b and c.
    strides: [(usize, usize); 3],
    batch: Vec<Step>,
}

impl Walk {
    /// Makes the innermost batch dimension more rows of one product, where b stays the same.
    fn fold(&mut self) {
        let Some(step) = self.batch.last().copied() else { return };
        let rows = |i: usize| step.steps[i] == self.m * self.strides[i].0;
        if step.steps[1] != 0 || !(self.m == 1 || (rows(0) && rows(2))) {
            return;
        }
        if self.m == 1 {
            self.strides[0].0 = step.steps[0];
            self.strides[2].0 = step.steps[2];
        }
        self.m *= step.size;
        self.batch.pop();
        self.fold();
    }
}

/// Elements of `a` with the last two axes swapped if `swap`.
fn straight<T: Clone>(mut a: ArrayD<T>, swap: bool) -> Vec<T> {
    let rank = a.ndim();
    if swap && rank >= 2 {
        a.swap_axes(rank - 2, rank - 1);
    }
    contraction::flat(&a)
}

#[cfg(test)]
#[path = "product_tests.rs"]
mod tests;
