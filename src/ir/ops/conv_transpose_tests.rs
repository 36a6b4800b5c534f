//! Expected values from onnxruntime 1.31.

use super::super::Op;
use super::super::testing::*;
use super::*;

#[test]
fn one_axis_with_stride_and_bias() {
    let inputs = [pattern(&[1, 2, 4], 7, 3, 11), pattern(&[2, 2, 3], 5, 1, 7), pattern(&[2], 3, 2, 5)];
    let y = run("ConvTranspose", &[ints("strides", &[2]), ints("pads", &[1, 0])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 2, 8]);
    assert_eq!(
        elements(&y),
        [-14.0, 0.0, 15.0, 3.0, 11.0, -5.0, -15.0, 6.0, 0.0, -23.0, -17.0, 3.0, -1.0, 18.0, 4.0, -17.0]
    );
}

#[test]
fn two_axes_in_groups_with_output_padding() {
    let inputs = [pattern(&[1, 4, 2, 3], 7, 3, 11), pattern(&[4, 2, 3, 3], 5, 1, 7)];
    let y = run(
        "ConvTranspose",
        &[
            ints("strides", &[2, 2]),
            ints("pads", &[1, 1, 1, 1]),
            ints("output_padding", &[1, 0]),
            int("group", 2),
        ],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 4, 4, 5]);
    assert_eq!(
        elements(&y),
        [
            -6.0, -19.0, -6.0, 14.0, -6.0, -3.0, -34.0, -3.0, 32.0, -3.0, -6.0, -19.0, -6.0, 14.0, -6.0,
            21.0, -21.0, -14.0, 18.0, 6.0, 4.0, 29.0, -3.0, -18.0, 1.0, 11.0, 29.0, -3.0, -16.0, 5.0, 5.0,
            31.0, -2.0, -16.0, 2.0, -3.0, 29.0, 4.0, -12.0, 0.0, 13.0, -9.0, 1.0, -5.0, -11.0, 25.0, -6.0,
            1.0, 24.0, -23.0, 10.0, -8.0, -2.0, 29.0, -3.0, 16.0, 10.0, -4.0, -7.0, -2.0, -19.0, 22.0, 1.0,
            6.0, 21.0, -17.0, 9.0, -5.0, -17.0, 40.0, -14.0, 18.0, 6.0, -9.0, -7.0, -8.0, -6.0, 4.0, -10.0,
            -6.0
        ]
    );
}

#[test]
fn dilated() {
    let inputs = [pattern(&[2, 1, 2, 2], 7, 3, 11), pattern(&[1, 1, 2, 3], 5, 1, 7)];
    let y = run("ConvTranspose", &[ints("dilations", &[2, 1]), ints("strides", &[1, 2])], &inputs).unwrap();
    assert_eq!(y.shape(), [2, 1, 4, 5]);
    assert_eq!(
        elements(&y),
        [
            4.0, -6.0, -12.0, 15.0, 5.0, -2.0, 3.0, 7.0, -9.0, -3.0, 2.0, 6.0, -9.0, -15.0, 10.0, -1.0, -3.0,
            5.0, 9.0, -6.0, -8.0, 12.0, 4.0, 0.0, 0.0, 8.0, -12.0, -10.0, 9.0, 3.0, -4.0, -12.0, 8.0, 0.0,
            0.0, 4.0, 12.0, -11.0, -9.0, 6.0
        ]
    );
}

#[test]
fn same_upper() {
    let inputs = [pattern(&[1, 1, 2, 3], 7, 3, 11), pattern(&[1, 1, 3, 3], 5, 1, 7)];
    let y =
        run("ConvTranspose", &[text("auto_pad", "SAME_UPPER"), ints("strides", &[2, 2])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 1, 4, 6]);
    assert_eq!(
        elements(&y),
        [
            4.0, -6.0, -12.0, 15.0, 3.0, 3.0, 2.0, 6.0, -9.0, -15.0, 9.0, -3.0, 6.0, -5.0, -17.0, 2.0, 19.0,
            -2.0, 3.0, 9.0, -10.0, -12.0, 8.0, 0.0
        ]
    );
}

#[test]
fn same_lower() {
    let inputs = [pattern(&[1, 1, 2, 3], 7, 3, 11), pattern(&[1, 1, 3, 3], 5, 1, 7)];
    let y =
        run("ConvTranspose", &[text("auto_pad", "SAME_LOWER"), ints("strides", &[2, 2])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 1, 4, 6]);
    assert_eq!(
        elements(&y),
        [
            6.0, -9.0, -15.0, 9.0, -3.0, 2.0, -5.0, -17.0, 2.0, 19.0, -2.0, 3.0, 9.0, -10.0, -12.0, 8.0, 0.0,
            0.0, 6.0, -9.0, -8.0, 12.0, 0.0, 0.0
        ]
    );
}

#[test]
fn output_shape() {
    let inputs = [pattern(&[1, 1, 3], 7, 3, 11), pattern(&[1, 1, 4], 5, 1, 7)];
    let y = run("ConvTranspose", &[ints("output_shape", &[6]), ints("strides", &[2])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 1, 6]);
    assert_eq!(elements(&y), [-6.0, -12.0, 17.0, 3.0, -2.0, 1.0]);
}

#[test]
fn output_shape_odd_total() {
    let inputs = [pattern(&[1, 1, 3], 7, 3, 11), pattern(&[1, 1, 4], 5, 1, 7)];
    let y = run("ConvTranspose", &[ints("output_shape", &[5]), ints("strides", &[2])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 1, 5]);
    assert_eq!(elements(&y), [-12.0, 17.0, 3.0, -2.0, 1.0]);
}

#[test]
fn output_shape_odd_total_upper() {
    let inputs = [pattern(&[1, 1, 3], 7, 3, 11), pattern(&[1, 1, 4], 5, 1, 7)];
    let y = run(
        "ConvTranspose",
        &[ints("output_shape", &[5]), ints("strides", &[2]), text("auto_pad", "SAME_UPPER")],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 5]);
    assert_eq!(elements(&y), [-6.0, -12.0, 17.0, 3.0, -2.0]);
}

#[test]
fn output_shape_odd_total_lower() {
    let inputs = [pattern(&[1, 1, 3], 7, 3, 11), pattern(&[1, 1, 4], 5, 1, 7)];
    let y = run(
        "ConvTranspose",
        &[ints("output_shape", &[5]), ints("strides", &[2]), text("auto_pad", "SAME_LOWER")],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 1, 5]);
    assert_eq!(elements(&y), [-12.0, 17.0, 3.0, -2.0, 1.0]);
}

#[test]
fn same_smaller_kernel() {
    let inputs = [pattern(&[1, 1, 3], 7, 3, 11), pattern(&[1, 1, 2], 5, 1, 7)];
    let y = run("ConvTranspose", &[text("auto_pad", "SAME_UPPER"), ints("strides", &[3])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 1, 8]);
    assert_eq!(elements(&y), [4.0, -6.0, 0.0, -10.0, 15.0, 0.0, -2.0, 3.0]);
}

#[test]
fn three_axes() {
    let inputs = [pattern(&[1, 1, 2, 2, 2], 7, 3, 11), pattern(&[1, 2, 1, 2, 2], 5, 1, 7)];
    let y = run("ConvTranspose", &[ints("strides", &[2, 1, 1])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 2, 3, 3, 3]);
    assert_eq!(
        elements(&y),
        [
            4.0, -16.0, 15.0, -4.0, 16.0, -14.0, 1.0, -4.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            -8.0, 12.0, 0.0, 12.0, -22.0, 9.0, -4.0, 7.0, -3.0, 6.0, -19.0, 10.0, -3.0, 15.0, -16.0, 0.0,
            -2.0, 6.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -12.0, 8.0, 0.0, 12.0, -25.0, 6.0, 0.0,
            8.0, -6.0
        ]
    );
}

#[test]
fn layouts_agree() {
    let (x, w) = (pattern(&[2, 4, 2, 3], 7, 3, 11), pattern(&[4, 3, 3, 2], 5, 1, 7));
    let attributes = [int("group", 2), ints("strides", &[2, 1]), ints("pads", &[1, 0, 0, 1])];
    let (op, _) = import("ConvTranspose", &attributes, &[x.clone(), w.clone()]).unwrap();
    let Op::ConvTranspose(conv) = op.clone() else { panic!("{op:?}") };
    let first = evaluate(&op, &[&x, &w]).unwrap();
    let op = Op::from(ConvTranspose { layout: Layout::ChannelsLast, ..conv });
    assert_eq!(evaluate(&op, &[&last(&x), &last(&w)]).unwrap(), last(&first));
}
