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
