//! Walking operands by the parameters kernels get must give what the reference gives.

use super::super::testing::*;
use super::super::{Gemm, MatMul, Op, Real, Requant};
use super::*;

fn number_of(p: &Params, name: &str) -> usize {
    p[name].as_u64().unwrap_or_else(|| panic!("{name} is {}", p[name])) as usize
}

fn list(p: &Params, name: &str) -> Vec<usize> {
    p[name].as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

/// What a kernel computes, from parameters and flat operands alone.
fn walk(p: &Params, a: &[f64], b: &[f64], c: &[f64]) -> Vec<f64> {
    let n = |name: &str| number_of(p, name);
    let dims = list(p, "batch_dims");
    let steps = ["a_batch", "b_batch", "c_batch"].map(|name| list(p, name));
    assert_eq!((dims.len(), dims.iter().product::<usize>()), (n("batch_rank"), n("batch")));
    let mut y = vec![];
    for t in 0..n("batch") {
        let mut from = [0; 3];
        let mut rest = t;
        for axis in (0..dims.len()).rev() {
            for i in 0..3 {
                from[i] += rest % dims[axis] * steps[i][axis];
            }
            rest /= dims[axis];
        }
        for row in 0..n("m") {
            for col in 0..n("n") {
                let term = |k| {
                    let x = a[from[0] + row * n("a_row") + k * n("a_col")];
                    x * b[from[1] + k * n("b_row") + col * n("b_col")]
                };
                let sum: f64 = (0..n("k")).map(term).sum();
                let c = c.get(from[2] + row * n("c_row") + col * n("c_col")).copied();
                y.push(n("alpha") as f64 * sum + n("beta") as f64 * c.unwrap_or(0.0));
            }
        }
    }
    y
}

#[test]
fn parameters_describe_matrix_products() {
    let shapes: [(&[usize], &[usize]); 10] = [
        (&[2, 3], &[3, 4]),
        (&[3], &[3, 4]),
        (&[2, 3], &[3]),
        (&[3], &[3]),
        (&[5, 2, 3], &[3, 4]),
        (&[1, 3], &[2, 3, 4]),
        (&[2, 1, 2, 3], &[5, 3, 4]),
        (&[2, 5, 1, 3], &[1, 1, 3, 4]),
        (&[2, 5, 2, 3], &[2, 5, 3, 1]),
        (&[2, 1, 3, 2, 2], &[4, 1, 2, 3]),
    ];
    for (a, b) in shapes {
        let (a, b) = (pattern(a, 7, 3, 11), pattern(b, 5, 1, 7));
        let op = Op::from(MatMul::default());
        let types = [TensorType::of(&a), TensorType::of(&b)];
        let p = op.params(&types, &op.infer(&types).unwrap());
        let y = evaluate(&op, &[&a, &b]).unwrap();
        assert_eq!(walk(&p, &elements(&a), &elements(&b), &[]), elements(&y), "{types:?}: {p:?}");
        assert_eq!(op.macs(&types, &[]), (y.len() * number_of(&p, "k")) as u64);
    }
}

#[test]
fn parameters_describe_gemm() {
    let shapes: [([&[usize]; 3], bool, bool); 6] = [
        ([&[2, 3], &[3, 4], &[4]], false, false),
        ([&[3, 2], &[4, 3], &[2, 1]], true, true),
        ([&[5, 2, 3], &[3, 4], &[2, 4]], false, false),
        ([&[5, 2, 3], &[1, 4, 3], &[4]], false, true),
        ([&[5, 1, 3], &[1, 4, 3], &[5, 1, 4]], false, true),
        ([&[2, 3, 2], &[2, 3, 4], &[]], true, false),
    ];
    for ([a, b, c], trans_a, trans_b) in shapes {
        let operands = [pattern(a, 7, 3, 11), pattern(b, 5, 1, 7), pattern(c, 3, 2, 5)];
        let op = Gemm {
            alpha: Real(2.0),
            beta: Real(3.0),
            trans_a,
            trans_b,
            requant: None,
            act: Activation::None,
        };
        let op = Op::from(op);
        let types = operands.each_ref().map(TensorType::of);
        let p = op.params(&types, &op.infer(&types).unwrap());
        let y = evaluate(&op, &operands.each_ref()).unwrap();
        let [a, b, c] = operands.each_ref().map(elements);
        assert_eq!(walk(&p, &a, &b, &c), elements(&y), "{types:?}: {p:?}");
    }
}

#[test]
fn batches_with_one_matrix_are_one_product() {
    let op = Op::from(MatMul::default());
    let types = [&[1, 64, 16, 8][..], &[8, 4]].map(|s| TensorType::new(DType::S8, s));
    let p = op.params(&types, &op.infer(&types).unwrap());
    assert_eq!((number_of(&p, "m"), number_of(&p, "batch")), (1024, 1));
}

#[test]
fn parameters_find_multipliers_along_any_axis() {
    let (a, b) = (pattern(&[2, 3, 2, 4], 7, 3, 11), pattern(&[2, 3, 4, 5], 5, 1, 7));
    let (a, b) = (a.cast(DType::S8), b.cast(DType::S8));
    for (axis, count) in [2, 3, 2, 5].into_iter().enumerate() {
        let mul = pattern(&[count], 3, 1, 9).cast(DType::S32);
        let add = Value::scalar_f32(100.0).cast(DType::S32);
        let requant = Requant { shift: 2, lo: -128, hi: 127, axis };
        let op = Op::from(MatMul { requant: Some(requant), act: Activation::None });
        let types = [&a, &b, &mul, &add].map(TensorType::of);
        let p = op.params(&types, &op.infer(&types).unwrap());
        let y = evaluate(&op, &[&a, &b, &mul, &add]).unwrap();
        let sums = walk(&p, &elements(&a), &elements(&b), &[]);
        let mul = mul.to_i64();
        let n = |name: &str| number_of(&p, name);
        let expected = sums.iter().enumerate().map(|(i, x)| {
            let (row, col) = (i / n("n"), i % n("n"));
            let channel = row / n("rq_inner") % n("rq_count") * n("mul_row") + col * n("mul_col");
            requant.apply(*x as i64, mul[channel], 100) as f64
        });
        assert_eq!(elements(&y), expected.collect::<Vec<_>>(), "axis {axis}");
    }
}
