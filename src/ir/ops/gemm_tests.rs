//! Expected values from onnxruntime 1.31.

use super::super::testing::*;

#[test]
fn plain() {
    let inputs = [pattern(&[2, 3], 7, 3, 11), pattern(&[3, 4], 5, 1, 7)];
    let y = run("Gemm", &[], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 4]);
    assert_eq!(elements(&y), [-8.0, 5.0, -3.0, -11.0, -6.0, -1.0, -3.0, -5.0]);
}

#[test]
fn transposed_and_scaled() {
    let inputs = [pattern(&[3, 2], 7, 3, 11), pattern(&[4, 3], 5, 1, 7), pattern(&[4], 3, 1, 7)];
    let y =
        run("Gemm", &[int("transA", 1), int("transB", 1), float("alpha", 0.5), float("beta", 2.0)], &inputs)
            .unwrap();
    assert_eq!(y.shape(), [2, 4]);
    assert_eq!(elements(&y), [1.5, 5.5, -1.0, -7.5, -13.5, 4.0, -3.0, 4.0]);
}

#[test]
fn column_c() {
    let inputs = [pattern(&[2, 3], 7, 3, 11), pattern(&[4, 3], 5, 1, 7), pattern(&[2, 1], 3, 1, 7)];
    let y = run("Gemm", &[int("transB", 1)], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 4]);
    assert_eq!(elements(&y), [18.0, -13.0, -9.0, -12.0, 19.0, -8.0, -7.0, -6.0]);
}

#[test]
fn scalar_c() {
    let inputs = [pattern(&[2, 3], 7, 3, 11), pattern(&[3, 4], 5, 1, 7), pattern(&[], 3, 6, 7)];
    let y = run("Gemm", &[], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 4]);
    assert_eq!(elements(&y), [-5.0, 8.0, 0.0, -8.0, -3.0, 2.0, 0.0, -2.0]);
}

#[test]
fn zero_beta() {
    let inputs = [pattern(&[2, 3], 7, 3, 11), pattern(&[3, 2], 5, 1, 7), pattern(&[2, 2], 3, 6, 7)];
    let y = run("Gemm", &[float("beta", 0.0)], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 2]);
    assert_eq!(elements(&y), [6.0, -9.0, 10.0, -13.0]);
}

#[test]
fn integers_take_integral_factors_only() {
    let [a, b, c] = [(&[2, 3][..], 3), (&[3, 2], 1), (&[2], 2)]
        .map(|(shape, start)| pattern(shape, 7, start, 11).cast(crate::ir::DType::S8));
    let y =
        run("Gemm", &[float("alpha", 2.0), float("beta", 3.0)], &[a.clone(), b.clone(), c.clone()]).unwrap();
    let plain = run("Gemm", &[], &[a.clone(), b.clone()]).unwrap();
    let expected = elements(&plain)
        .iter()
        .zip(elements(&c).iter().cycle())
        .map(|(x, c)| 2.0 * x + 3.0 * c)
        .collect::<Vec<_>>();
    assert_eq!((y.dtype(), elements(&y)), (crate::ir::DType::S32, expected));
    let e = run("Gemm", &[float("alpha", 0.5)], &[a, b, c]).unwrap_err();
    assert_eq!(e.message, "`alpha` 0.5 and `beta` 1 must be integers here");
}
