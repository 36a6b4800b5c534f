//! Expected values from onnxruntime 1.31.

use super::super::testing::*;

#[test]
fn matrices() {
    let inputs = [pattern(&[2, 3], 7, 3, 11), pattern(&[3, 4], 5, 1, 7)];
    let y = run("MatMul", &[], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 4]);
    assert_eq!(elements(&y), [-8.0, 5.0, -3.0, -11.0, -6.0, -1.0, -3.0, -5.0]);
}

#[test]
fn batches_broadcast() {
    let inputs = [pattern(&[2, 1, 2, 3], 7, 3, 11), pattern(&[3, 3, 2], 5, 1, 7)];
    let y = run("MatMul", &[], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 3, 2, 2]);
    assert_eq!(
        elements(&y),
        [
            6.0, -9.0, 10.0, -13.0, 14.0, 6.0, 12.0, 10.0, -13.0, 14.0, -14.0, 12.0, 14.0, -17.0, 18.0,
            -21.0, 10.0, 14.0, 8.0, 18.0, -15.0, 10.0, -16.0, 8.0
        ]
    );
}

#[test]
fn vector_left() {
    let inputs = [pattern(&[3], 7, 3, 11), pattern(&[2, 3, 2], 5, 1, 7)];
    let y = run("MatMul", &[], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 2]);
    assert_eq!(elements(&y), [6.0, -9.0, 14.0, 6.0]);
}

#[test]
fn vector_right() {
    let inputs = [pattern(&[2, 2, 3], 7, 3, 11), pattern(&[3], 5, 1, 7)];
    let y = run("MatMul", &[], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 2]);
    assert_eq!(elements(&y), [20.0, 18.0, 16.0, 14.0]);
}

#[test]
fn two_vectors() {
    let inputs = [pattern(&[4], 7, 3, 11), pattern(&[4], 5, 1, 7)];
    let y = run("MatMul", &[], &inputs).unwrap();
    assert!(y.shape().is_empty());
    assert_eq!(elements(&y), [23.0]);
}
