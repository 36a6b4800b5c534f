//! Expected values from onnxruntime 1.31.

use super::super::testing::*;
use super::super::{Op, Real};
use super::*;
use crate::ir::import::Attr;

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

#[test]
fn layouts_agree() {
    for (x, w, group) in
        [([2, 4, 5, 3], [6, 2, 2, 2], 2), ([1, 3, 4, 4], [3, 1, 3, 3], 3), ([1, 2, 3, 3], [5, 2, 1, 1], 1)]
    {
        let (x, w) = (pattern(&x, 7, 3, 13), pattern(&w, 5, 1, 7));
        let attributes = [int("group", group), ints("pads", &[1, 0, 0, 1])];
        let (op, _) = import("Conv", &attributes, &[x.clone(), w.clone()]).unwrap();
        let Op::Conv(conv) = op.clone() else { panic!("{op:?}") };
        let first = evaluate(&op, &[&x, &w]).unwrap();
        let op = Op::from(Conv { layout: Layout::ChannelsLast, ..conv });
        assert_eq!(evaluate(&op, &[&last(&x), &last(&w)]).unwrap(), last(&first));
    }
}

fn pointwise(requant: Option<Requant>) -> Op {
    Conv {
        group: 1,
        strides: vec![1],
        dilations: vec![1],
        pads: vec![0, 0],
        layout: Layout::ChannelsFirst,
        requant,
        act: Activation::None,
    }
    .into()
}

fn whole(dtype: DType, shape: &[usize], v: &[i64]) -> Value {
    Value::s64(shape, v.to_vec()).unwrap().cast(dtype)
}

#[test]
fn integers_accumulate_in_32_bits_and_requantise_per_channel() {
    let x = whole(DType::U8, &[1, 2, 2], &[255, 3, 200, 4]);
    let w = whole(DType::S8, &[2, 2, 1], &[127, 1, -128, 2]);
    let bias = whole(DType::S32, &[2], &[10, -20]);
    let y = evaluate(&pointwise(None), &[&x, &w, &bias]).unwrap();
    assert_eq!((y.dtype(), elements(&y)), (DType::S32, vec![32595.0, 395.0, -32260.0, -396.0]));
    let requant = Requant { shift: 8, lo: -128, hi: 127, axis: 1 };
    let (mul, add) = (whole(DType::S32, &[2], &[1, 2]), whole(DType::S32, &[], &[100]));
    let y = evaluate(&pointwise(Some(requant)), &[&x, &w, &bias, &mul, &add]).unwrap();
    // 32595 + 100 + 128 >> 8; 395 + 228 >> 8; -64520 + 228 >> 8; -792 + 228 >> 8.
    assert_eq!((y.dtype(), elements(&y)), (DType::S8, vec![127.0, 2.0, -128.0, -3.0]));
}

#[test]
fn accumulators_wrap_before_the_requantisation() {
    let big = whole(DType::S32, &[1, 1, 1], &[0x4000_0000]);
    let w = whole(DType::S8, &[1, 1, 1], &[2]);
    let y = evaluate(&pointwise(None), &[&big, &w]).unwrap();
    assert_eq!(elements(&y), [-2147483648.0]);
    let requant = Requant { shift: 30, lo: -128, hi: 127, axis: 1 };
    let (mul, add) = (whole(DType::S32, &[], &[1]), whole(DType::S32, &[], &[0]));
    let y = evaluate(&pointwise(Some(requant)), &[&big, &w, &mul, &add]).unwrap();
    assert_eq!(elements(&y), [-2.0]);
}

#[test]
fn clips_floats() {
    let (x, w) = (pattern(&[1, 1, 5], 1, 0, 5), pattern(&[1, 1, 1], 1, 2, 3));
    let Op::Conv(conv) = pointwise(None) else { panic!() };
    let act = Activation::Clip { lo: Real(0.0), hi: Real(1.5) };
    let y = evaluate(&Conv { act, ..conv }.into(), &[&x, &w]).unwrap();
    assert_eq!(elements(&y), [0.0, 0.0, 0.0, 1.0, 1.5]);
}

#[test]
fn says_what_does_not_fit() {
    let (x, w) = (pattern(&[1, 4, 5], 7, 3, 13), pattern(&[6, 2, 2], 5, 1, 7));
    let fault = |attributes: &[(String, Attr)], w: &Value| {
        run("Conv", attributes, &[x.clone(), w.clone()]).unwrap_err().message
    };
    assert_eq!(fault(&[], &w), "x f32[1x4x5] with 4 channels does not fit w f32[6x2x2] in 1 groups");
    assert_eq!(fault(&[int("group", -2)], &w), "`group` is -2");
    assert_eq!(fault(&[ints("kernel_shape", &[3])], &w), "`kernel_shape` is [3], w is f32[6x2x2]");
    assert_eq!(fault(&[ints("pads", &[1])], &w), "`pads` has 1 entries, needs 2");
    assert_eq!(fault(&[ints("strides", &[0])], &w), "`strides` contains 0; supported are 1 to 65535");
    assert!(fault(&[int("group", 2), ints("dilations", &[5])], &w).contains("does not fit into 5 elements"));
    let quantised = Requant { shift: 0, lo: 0, hi: 255, axis: 2 };
    let types = [x.clone(), pattern(&[6, 4, 2], 5, 1, 7)].map(|v| TensorType::of(&v.cast(DType::S8)));
    let scalar = TensorType::new(DType::S32, []);
    let e = pointwise(Some(quantised)).infer(&[types[0].clone(), types[1].clone(), scalar.clone(), scalar]);
    assert_eq!(e.unwrap_err().message, "requantisation must run along the channels, axis 1");
}

#[test]
fn kernels_are_told_the_shape() {
    let (x, w) = (pattern(&[1, 3, 5, 4], 7, 3, 13), pattern(&[6, 1, 2, 3], 5, 1, 7));
    let attributes = [int("group", 3), ints("strides", &[2, 1]), ints("pads", &[1, 0, 0, 1])];
    let (op, _) = import("Conv", &attributes, &[x.clone(), w.clone()]).unwrap();
    let types = [TensorType::of(&x), TensorType::of(&w)];
    let p = op.params(&types, &op.infer(&types).unwrap());
    for (name, value) in [
        ("spatial", 2),
        ("in_d", 1),
        ("in_h", 5),
        ("out_h", 3),
        ("out_w", 3),
        ("pad_top", 1),
        ("pad_right", 1),
        ("stride_h", 2),
        ("group_out", 2),
        ("depthwise", 1),
        ("pointwise", 0),
        ("requant", 0),
        ("macs", 6 * 9 * 6),
    ] {
        assert_eq!(p[name], value, "{name}");
    }
    assert_eq!((&p["act_lo"], &p["layout"]), (&"-inf".into(), &"channels_first".into()));
}
