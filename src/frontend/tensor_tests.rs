//! Tensor records, encoded by the `onnx` Python package (1.23).

use prost::Message;

use super::*;

fn record(hex: &str) -> TensorProto {
    let bytes: Vec<u8> =
        (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
    TensorProto::decode(Bytes::from(bytes)).unwrap()
}

fn floats(hex: &str) -> Vec<f32> {
    match value(&record(hex), None).unwrap() {
        Value::F32(a) => a.iter().copied().collect(),
        other => panic!("{other:?}"),
    }
}

fn ints(hex: &str) -> (DType, Vec<i64>) {
    let v = value(&record(hex), None).unwrap();
    (v.dtype(), v.to_i64().iter().copied().collect())
}

#[test]
fn every_float_type_widens_to_f32() {
    let exact = [0.0, 1.5, -2.25, 112.0, 0.015625];
    let coarse = [0.0, 1.5, -2.0, 112.0, 0.015625];
    for (typed, raw, expected) in [
        ("0805100a2a0b00807c80810380ae018048420174", "0805100a4a0a0000003e80c000570024", exact), // float16
        ("080510102a0b00c07f908003e085018079420174", "080510104a0a0000c03f10c0e042803c", exact), // bfloat16
        ("080510112a06003cc1016e08420174", "080510114a05003cc16e08", exact), // float8e4m3fn
        ("080510122a060044c9017610420174", "080510124a050044c97610", exact), // float8e4m3fnuz
        ("080510132a06003ec0015724420174", "080510134a05003ec05724", coarse), // float8e5m2
        ("080510142a060042c4015b28420174", "080510144a050042c45b28", coarse), // float8e5m2fnuz
    ] {
        assert_eq!(floats(typed), expected, "{typed}");
        assert_eq!(floats(raw), expected, "{raw}");
    }
    assert_eq!(floats("0802100b42017452109a9999999999b93f00000000000004c0"), [0.1, -2.5]);
    assert_eq!(floats("0802100b4a109a9999999999b93f00000000000004c0"), [0.1, -2.5]);
}

#[test]
fn special_values_of_8_bit_floats() {
    use data_type::*;
    assert!(float8(0x7f, FLOAT8E4M3FN).is_nan() && float8(0xff, FLOAT8E4M3FN).is_nan());
    assert_eq!(float8(0x7e, FLOAT8E4M3FN), 448.0);
    assert_eq!(float8(0x01, FLOAT8E4M3FN), 2f32.powi(-9));
    assert!(float8(0x80, FLOAT8E4M3FNUZ).is_nan());
    assert_eq!(float8(0x7f, FLOAT8E4M3FNUZ), 240.0);
    assert_eq!((float8(0x7c, FLOAT8E5M2), float8(0xfc, FLOAT8E5M2)), (f32::INFINITY, f32::NEG_INFINITY));
    assert_eq!(float8(0x7b, FLOAT8E5M2), 57344.0);
    assert_eq!(float8(0x7f, FLOAT8E5M2FNUZ), 57344.0);
}

#[test]
fn integers_keep_their_type() {
    for (typed, raw, expected) in [
        ("080510162a03783f05420174", "080510164201744a03783f05", (DType::S8, vec![-8, 7, -1, 3, 5])),
        ("080510152a030f3908420174", "080510154201744a030f3908", (DType::U8, vec![15, 0, 9, 3, 8])),
        (
            "0802100d4201745a0703808080808020",
            "0802100d4a1003000000000000000000000000010000",
            (DType::S64, vec![3, 1 << 40]),
        ),
        ("0802100c4201745a0603ffffffff0f", "0802100c4a0803000000ffffffff", (DType::U32, vec![3, 4294967295])),
        ("080210052a0bd4fdffffffffffffff0105420174", "080210054a04d4fe0500", (DType::S16, vec![-300, 5])),
        ("080210042a04ffff0301420174", "080210044a04ffff0100", (DType::U16, vec![65535, 1])),
        ("080210032a0b80ffffffffffffffff0103420174", "080210034a028003", (DType::S8, vec![-128, 3])),
        ("080210092a020100420174", "080210094a020100", (DType::Bool, vec![1, 0])),
    ] {
        assert_eq!(ints(typed), expected, "{typed}");
        assert_eq!(ints(raw), expected, "{raw}");
    }
}

#[test]
fn sparse_tensors_become_dense() {
    let part = |data_type: i32, dims: &[i64], floats: &[f32], ints: &[i64]| TensorProto {
        dims: dims.to_vec(),
        data_type: Some(data_type),
        float_data: floats.to_vec(),
        int64_data: ints.to_vec(),
        ..TensorProto::default()
    };
    let sparse = |indices: TensorProto| SparseTensorProto {
        values: Some(part(data_type::FLOAT, &[2], &[5.0, -1.0], &[])),
        indices: Some(indices),
        dims: vec![2, 3],
    };
    let expected = Value::f32(&[2, 3], vec![0.0, 5.0, 0.0, 0.0, 0.0, -1.0]).unwrap();
    let linear = sparse(part(data_type::INT64, &[2], &[], &[1, 5]));
    let rows = sparse(part(data_type::INT64, &[2, 2], &[], &[0, 1, 1, 2]));
    assert_eq!(dense(&linear, None, 1000), Ok(expected.clone()));
    assert_eq!(dense(&rows, None, 1000), Ok(expected));
    let outside = sparse(part(data_type::INT64, &[2], &[], &[1, 6]));
    assert!(dense(&outside, None, 1000).is_err_and(|e| e.message.contains("outside of its shape")));
    assert!(dense(&linear, None, 10).is_err_and(|e| e.message.contains("too many to make dense")));
}

#[test]
fn counts_survive_hostile_dimensions() {
    assert_eq!(count(&[]), Some(1));
    assert_eq!(count(&[3, 0, 5]), Some(0));
    assert_eq!(count(&[0, usize::MAX]), None);
    assert_eq!(count(&[1 << 16, 1 << 15]), None);
    assert_eq!(count(&[i32::MAX as usize]), Some(i32::MAX as usize));
}

#[test]
fn only_constants_hold_types_that_c_lacks() {
    assert_eq!(run_time_type(data_type::FLOAT16), Ok(DType::F32));
    assert_eq!(run_time_type(data_type::INT8), Ok(DType::S8));
    for code in [data_type::INT4, data_type::UINT2, data_type::FLOAT8E5M2] {
        assert!(element_type(code).is_ok());
        assert!(run_time_type(code).is_err());
    }
}
