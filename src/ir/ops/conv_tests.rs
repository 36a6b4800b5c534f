//! Expected values from onnxruntime 1.31.

use super::super::testing::*;

#[test]
fn one_axis_with_stride_pads_and_bias() {
    let inputs = [pattern(&[2, 2, 7], 7, 3, 11), pattern(&[3, 2, 3], 5, 1, 7), pattern(&[3], 3, 2, 5)];
    let y = run("Conv", &[ints("strides", &[2]), ints("pads", &[1, 2]), ints("kernel_shape", &[3])], &inputs)
        .unwrap();
    assert_eq!(y.shape(), [2, 3, 4]);
    assert_eq!(
        elements(&y),
        [
            -12.0, 10.0, 32.0, -20.0, 17.0, -15.0, -21.0, 10.0, -5.0, 7.0, -6.0, 17.0, -15.0, -23.0, 32.0,
            -17.0, 20.0, -24.0, -19.0, 12.0, -3.0, 15.0, -9.0, 11.0
        ]
    );
}

#[test]
fn two_axes_dilated_in_groups() {
    let inputs = [pattern(&[1, 4, 4, 5], 7, 3, 11), pattern(&[4, 2, 2, 3], 5, 1, 7)];
    let y = run(
        "Conv",
        &[ints("strides", &[1, 2]), ints("pads", &[1, 0, 2, 1]), ints("dilations", &[2, 1]), int("group", 2)],
        &inputs,
    )
    .unwrap();
    assert_eq!(y.shape(), [1, 4, 5, 2]);
    assert_eq!(
        elements(&y),
        [
            11.0, -15.0, 22.0, -39.0, -37.0, 12.0, 11.0, 9.0, 6.0, 4.0, 11.0, 4.0, 1.0, 24.0, 20.0, -12.0,
            -13.0, 6.0, 7.0, -18.0, -17.0, 8.0, -8.0, 24.0, -38.0, 16.0, 9.0, 16.0, -12.0, 6.0, 1.0, 3.0,
            10.0, -39.0, 25.0, -35.0, -20.0, 6.0, 12.0, 16.0
        ]
    );
}

#[test]
fn depthwise_with_multiplier() {
    let inputs = [pattern(&[1, 3, 5, 4], 7, 3, 13), pattern(&[6, 1, 2, 3], 5, 1, 7), pattern(&[6], 2, 1, 5)];
    let y =
        run("Conv", &[int("group", 3), text("auto_pad", "SAME_UPPER"), ints("strides", &[2, 2])], &inputs)
            .unwrap();
    assert_eq!(y.shape(), [1, 6, 3, 2]);
    assert_eq!(
        elements(&y),
        [
            -2.0, 36.0, -2.0, -15.0, -8.0, -13.0, -20.0, -3.0, 11.0, 15.0, 21.0, 1.0, -10.0, -17.0, -11.0,
            -6.0, -4.0, 4.0, 34.0, 37.0, -1.0, -2.0, -14.0, -15.0, -4.0, -2.0, -21.0, -13.0, -15.0, 20.0,
            14.0, -7.0, 2.0, -12.0, -8.0, 5.0
        ]
    );
}

#[test]
fn same_lower() {
    let inputs = [pattern(&[1, 1, 4, 4], 7, 3, 13), pattern(&[1, 1, 2, 2], 5, 1, 7)];
    let y = run("Conv", &[text("auto_pad", "SAME_LOWER")], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 1, 4, 4]);
    assert_eq!(
        elements(&y),
        [3.0, -7.0, 6.0, -7.0, -8.0, 11.0, -8.0, 25.0, -4.0, 26.0, -19.0, -12.0, 0.0, -11.0, 9.0, -10.0]
    );
}

#[test]
fn valid_ignores_pads() {
    let inputs = [pattern(&[1, 2, 3, 3], 7, 3, 13), pattern(&[2, 2, 2, 2], 5, 1, 7)];
    let y = run("Conv", &[text("auto_pad", "VALID")], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 2, 2, 2]);
    assert_eq!(elements(&y), [49.0, -43.0, -32.0, 32.0, -32.0, 15.0, 57.0, -13.0]);
}

#[test]
fn three_axes() {
    let inputs =
        [pattern(&[1, 2, 3, 3, 3], 7, 3, 13), pattern(&[2, 2, 2, 2, 3], 5, 1, 7), pattern(&[2], 2, 1, 5)];
    let y = run("Conv", &[ints("pads", &[1, 0, 0, 0, 1, 0]), ints("strides", &[2, 1, 1])], &inputs).unwrap();
    assert_eq!(y.shape(), [1, 2, 2, 3, 1]);
    assert_eq!(elements(&y), [-23.0, 47.0, 34.0, 2.0, 5.0, -15.0, -28.0, 0.0, 14.0, 22.0, 6.0, -15.0]);
}
