//! Expected values from onnxruntime 1.31.

use super::super::testing::*;
use super::super::{AveragePool, Op};
use super::*;

#[test]
fn max_one_axis() {
    let inputs = [pattern(&[1, 2, 7], 7, 3, 23)];
    let y = run("MaxPool", &[ints("kernel_shape", &[3]), ints("strides", &[2])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 2, 3]);
    assert_eq!(elements(&y), [6.0, 6.0, 11.0, 9.0, 9.0, 7.0]);
}

#[test]
fn max_padded() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "MaxPool",
        &[ints("kernel_shape", &[3, 2]), ints("strides", &[2, 2]), ints("pads", &[1, 0, 1, 1])],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 3]);
    assert_eq!(elements(&y), [11.0, 9.0, 4.0, 11.0, 9.0, 8.0, 10.0, 1.0, 11.0]);
}

#[test]
fn max_ceil() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "MaxPool",
        &[ints("kernel_shape", &[2, 3]), ints("strides", &[2, 2]), int("ceil_mode", 1)],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 3]);
    assert_eq!(elements(&y), [11.0, 9.0, 4.0, 10.0, 8.0, 8.0, 6.0, 4.0, 11.0]);
}

#[test]
fn max_ceil_drops_windows_in_padding() {
    let inputs = [pattern(&[1, 1, 5], 7, 3, 23)];
    let y = run(
        "MaxPool",
        &[ints("kernel_shape", &[2]), ints("strides", &[3]), int("ceil_mode", 1), ints("pads", &[1, 1])],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 2]);
    assert_eq!(elements(&y), [-8.0, 6.0]);
}

#[test]
fn max_dilated() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run("MaxPool", &[ints("kernel_shape", &[2, 2]), ints("dilations", &[2, 3])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 3]);
    assert_eq!(elements(&y), [7.0, -1.0, 6.0, 11.0, 10.0, 2.0, 7.0, 6.0, 11.0]);
}

#[test]
fn max_same_lower() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "MaxPool",
        &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2]), text("auto_pad", "SAME_LOWER")],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 3]);
    assert_eq!(elements(&y), [-1.0, 6.0, 4.0, 11.0, 9.0, 0.0, 10.0, 1.0, 11.0]);
}

#[test]
fn max_three_axes() {
    let inputs = [pattern(&[1, 1, 3, 3, 3], 7, 3, 29)];
    let y = run("MaxPool", &[ints("kernel_shape", &[2, 2, 2])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 1, 2, 2, 2]);
    assert_eq!(elements(&y), [10.0, 8.0, 14.0, 14.0, 6.0, 13.0, 14.0, 14.0]);
}

#[test]
fn average_one_axis() {
    let inputs = [pattern(&[1, 2, 7], 7, 3, 23)];
    let y = run("AveragePool", &[ints("kernel_shape", &[2]), ints("strides", &[1])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 2, 6]);
    assert_eq!(elements(&y), [-4.5, 2.5, -2.0, -6.5, 0.5, 7.5, -1.5, 5.5, 1.0, -3.5, 3.5, -1.0]);
}

#[test]
fn average_padded() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "AveragePool",
        &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2]), ints("pads", &[1, 1, 0, 1])],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 4]);
    assert_eq!(elements(&y), [-8.0, 2.5, -6.5, 4.0, 9.0, -3.5, -1.0, -2.0, 1.0, 0.0, 2.5, 1.5]);
}

#[test]
fn average_counting_pads() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "AveragePool",
        &[
            ints("kernel_shape", &[2, 2]),
            ints("strides", &[2, 2]),
            ints("pads", &[1, 1, 0, 1]),
            int("count_include_pad", 1),
        ],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 4]);
    assert_eq!(elements(&y), [-2.0, 1.25, -3.25, 1.0, 4.5, -3.5, -1.0, -1.0, 0.5, 0.0, 2.5, 0.75]);
}

#[test]
fn average_ceil() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "AveragePool",
        &[ints("kernel_shape", &[2, 4]), ints("strides", &[2, 4]), int("ceil_mode", 1)],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 2]);
    assert_eq!(elements(&y), [0.5, -1.5, 1.125, -3.75, -2.0, 7.5]);
}

#[test]
fn average_ceil_counting_pads() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "AveragePool",
        &[
            ints("kernel_shape", &[2, 4]),
            ints("strides", &[2, 3]),
            int("ceil_mode", 1),
            ints("pads", &[0, 1, 0, 1]),
            int("count_include_pad", 1),
        ],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 3]);
    assert_eq!(elements(&y), [0.625, 0.125, 1.0, 0.375, -2.125, -3.0, -1.25, 0.5, 5.5]);
}

#[test]
fn average_ceil_counting_pads_old() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "AveragePool",
        &[
            ints("kernel_shape", &[2, 4]),
            ints("strides", &[2, 3]),
            int("ceil_mode", 1),
            ints("pads", &[0, 1, 0, 1]),
            int("count_include_pad", 1),
        ],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 3]);
    assert_eq!(elements(&y), [0.625, 0.125, 1.0, 0.375, -2.125, -3.0, -1.25, 0.5, 5.5]);
}

#[test]
fn average_dilated() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "AveragePool",
        &[ints("kernel_shape", &[2, 2]), ints("dilations", &[2, 2]), ints("pads", &[1, 0, 1, 0])],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 5, 4]);
    assert_eq!(
        elements(&y),
        [
            6.5, 2.0, -2.5, 4.5, 0.75, -3.75, -2.5, -1.25, 2.5, 3.75, -0.75, 0.5, -1.5, -0.25, -4.75, 2.25,
            -1.5, 5.5, 1.0, -3.5
        ]
    );
}

#[test]
fn average_dilated_counting() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "AveragePool",
        &[
            ints("kernel_shape", &[2, 2]),
            ints("dilations", &[2, 2]),
            ints("pads", &[1, 0, 1, 0]),
            int("count_include_pad", 1),
        ],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 5, 4]);
    assert_eq!(
        elements(&y),
        [
            3.25, 1.0, -1.25, 2.25, 0.75, -3.75, -2.5, -1.25, 2.5, 3.75, -0.75, 0.5, -1.5, -0.25, -4.75,
            2.25, -0.75, 2.75, 0.5, -1.75
        ]
    );
}

#[test]
fn average_same_upper() {
    let inputs = [pattern(&[1, 1, 5, 6], 7, 3, 23)];
    let y = run(
        "AveragePool",
        &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2]), text("auto_pad", "SAME_UPPER")],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 3, 3]);
    assert_eq!(elements(&y), [-0.75, 1.75, -1.5, 2.75, -0.5, -3.75, 2.5, -6.5, 7.5]);
}

#[test]
fn average_three_axes() {
    let inputs = [pattern(&[1, 1, 3, 3, 3], 7, 3, 29)];
    let y = run("AveragePool", &[ints("kernel_shape", &[1, 2, 2]), ints("strides", &[2, 1, 1])], &inputs)
        .unwrap();
    assert_eq!(y.shape(), [1, 1, 2, 2, 2]);
    assert_eq!(elements(&y), [-4.25, -4.5, 2.25, -5.25, -1.5, 5.5, -2.25, -2.5]);
}

fn whole(dtype: DType, shape: &[usize], v: &[i64]) -> Value {
    Value::s64(shape, v.to_vec()).unwrap().cast(dtype)
}

#[test]
fn integer_means_round_half_up() {
    let x = whole(DType::S8, &[1, 1, 6], &[-3, -2, 1, 2, 127, 127]);
    let attributes = [ints("kernel_shape", &[2]), ints("strides", &[2])];
    let y = run("AveragePool", &attributes, &[x]).unwrap();
    assert_eq!((y.dtype(), elements(&y)), (DType::S8, vec![-2.0, 2.0, 127.0]));
}

#[test]
fn windows_in_padding_hold_the_lowest_value() {
    let x = whole(DType::S8, &[1, 1, 2], &[-5, -6]);
    let attributes = [ints("kernel_shape", &[1]), ints("pads", &[1, 1])];
    let y = run("MaxPool", &attributes, std::slice::from_ref(&x)).unwrap();
    assert_eq!(elements(&y), [-128.0, -5.0, -6.0, -128.0]);
    let (op, _) = import("MaxPool", &attributes, std::slice::from_ref(&x)).unwrap();
    let types = [TensorType::of(&x)];
    assert_eq!(op.params(&types, &op.infer(&types).unwrap())["covered"], 0);
}

#[test]
fn layouts_agree() {
    let x = pattern(&[2, 3, 5, 4], 7, 3, 23);
    let attributes = [ints("kernel_shape", &[2, 3]), ints("pads", &[1, 1, 0, 1]), int("ceil_mode", 1)];
    for name in ["MaxPool", "AveragePool"] {
        let (op, _) = import(name, &attributes, std::slice::from_ref(&x)).unwrap();
        let first = evaluate(&op, &[&x]).unwrap();
        let op = match op {
            Op::MaxPool(p) => Op::from(MaxPool { layout: Layout::ChannelsLast, ..p }),
            Op::AveragePool(p) => Op::from(AveragePool { layout: Layout::ChannelsLast, ..p }),
            other => panic!("{other:?}"),
        };
        assert_eq!(evaluate(&op, &[&last(&x)]).unwrap(), last(&first));
    }
}

#[test]
fn refuses_what_is_not_a_pool() {
    let x = pattern(&[2, 3, 5], 7, 3, 23);
    let fault = |x: &Value| run("MaxPool", &[], std::slice::from_ref(x)).unwrap_err().message;
    assert_eq!(fault(&x), "attribute `kernel_shape` is missing");
    assert_eq!(fault(&pattern(&[4], 1, 0, 3)), "x f32[4] must have rank 3 or more");
}
