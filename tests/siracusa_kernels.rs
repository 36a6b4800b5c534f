//! Property: the cluster's kernels compute what the generic ones do, on random shapes, once for each core. They are
//! compiled here with their twins instead of the instructions, under the sanitizers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

const FLAGS: [&str; 11] = [
    "-std=c99",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
    "-Wno-unused-function",
    "-fno-strict-aliasing",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn gcc() -> Option<Command> {
    let works = Command::new("gcc").arg("--version").output().is_ok_and(|o| o.status.success());
    let mut gcc = Command::new("gcc");
    gcc.args(FLAGS)
        .arg("-I")
        .arg(root().join("kernels/siracusa"))
        .arg("-I")
        .arg(root().join("kernels/generic"));
    works.then_some(gcc)
}

fn succeed(mut command: Command, what: &str) {
    let output = command.output().unwrap();
    let shown = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&shown));
}

/// C types of an element type, its least value and its sign.
fn facts(dtype: &str) -> [&'static str; 3] {
    match dtype {
        "s8" => ["int8_t", "INT8_MIN", "1"],
        "u8" => ["uint8_t", "0", "0"],
        _ => ["int32_t", "INT32_MIN", "1"],
    }
}

/// `X=s8`: what emission would put into a kernel, and what the tests ask.
fn define(words: &[(&str, &str)]) -> Vec<String> {
    let mut flags =
        vec!["-DTW_REQUANT=tw_requant".to_string(), "-DM_T=int32_t".into(), "-DD_T=int32_t".into()];
    for (name, dtype) in words {
        let [c_type, least, sign] = facts(dtype);
        flags.push(format!("-D{name}_T={c_type}"));
        flags.push(format!("-D{name}_MIN={least}"));
        flags.push(format!("-D{name}_SIGNED={sign}"));
        flags.push(format!("-D{name}_BITS={}", if *dtype == "s32" { 32 } else { 8 }));
    }
    flags
}

/// Builds a test program from `tests/siracusa/NAME.c` and kernels (symbol, file, more flags), and runs it.
fn check(name: &str, words: &[(&str, &str)], kernels: &[(&str, &str, &str)]) {
    if gcc().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let words = define(words);
    let mut link = gcc().unwrap();
    link.args(&words).arg(root().join("tests/siracusa").join(format!("{name}.c"))).arg("-o").arg(&program);
    for (symbol, file, more) in kernels {
        let object = folder.path().join(format!("{symbol}.o"));
        let mut compile = gcc().unwrap();
        compile.args(&words).arg(format!("-DTW_KERNEL={symbol}")).args(more.split_whitespace());
        compile.arg("-c").arg(root().join("kernels").join(file)).arg("-o").arg(&object);
        succeed(compile, file);
        link.arg(object);
    }
    link.arg("-lm");
    succeed(link, name);
    let mut run = Command::new(Path::new(&program));
    run.arg("1500").env("UBSAN_OPTIONS", "print_stacktrace=1");
    succeed(run, &format!("{name} {words:?}"));
}

#[test]
fn convolutions() {
    for (x, w, y) in [("s8", "s8", "s8"), ("u8", "s8", "u8"), ("u8", "u8", "s8"), ("s8", "u8", "s32")] {
        let generic = if y == "s32" { "generic/conv_int.c" } else { "generic/conv_rq.c" };
        let words = [("X", x), ("W", w), ("B", "s32"), ("Y", y)];
        let own = [
            ("conv", "siracusa/conv_xp.c", ""),
            ("conv_copy", "siracusa/conv_copy_xp.c", ""),
            ("conv_pad", "siracusa/conv_pad_xp.c", ""),
            ("conv_pw", "siracusa/conv_pw_xp.c", ""),
        ];
        check("conv", &words, &[&[("ref", generic, "")], &own[..]].concat());
    }
}

#[test]
fn depthwise_convolutions() {
    for (x, w, y) in [("s8", "s8", "u8"), ("u8", "s8", "s8"), ("s8", "u8", "s8"), ("u8", "s8", "s32")] {
        let generic = if y == "s32" { "generic/conv_dw_int.c" } else { "generic/conv_dw_rq.c" };
        let words = [("X", x), ("W", w), ("B", "s32"), ("Y", y)];
        let own =
            [("depthwise", "siracusa/conv_dw_xp.c", ""), ("depthwise_any", "siracusa/conv_dw_any_xp.c", "")];
        check("depthwise", &words, &[&[("ref", generic, "")], &own[..]].concat());
    }
}

/// The generic kernel's function, without spaces, which separate flags.
const GELU: &str = "-DX_T=float -DY_T=float -DOP=0.5f*v*(1.0f+erff(v*0.70710678f))";

const GELU_TANH: &str = "-DX_T=float -DY_T=float -DOP=0.5f*v*(1.0f+tanhf(0.79788456f*(v+0.044715f*v*v*v)))";

#[test]
fn words() {
    const SUM: &str = "-UB_T -DA_T=int8_t -DB_T=uint8_t -DY_T=int32_t -DWORK_T=int32_t -DOP=v-w";
    let kernels = [
        ("ref_matmul", "generic/matmul_int.c", "-DA_T=int32_t"),
        ("matmul", "siracusa/matmul_s32_xp.c", ""),
        ("ref_binary", "generic/binary_broadcast.c", SUM),
        ("binary", "siracusa/binary_xp.c", SUM),
    ];
    check("words", &[("B", "s32"), ("C", "s32")], &kernels);
}

#[test]
fn floats() {
    let kernels = [
        ("ref_matmul", "generic/matmul_f32.c", ""),
        ("matmul", "siracusa/matmul_f32_xp.c", ""),
        ("ref_conv", "generic/conv_f32.c", ""),
        ("conv", "siracusa/conv_f32_xp.c", ""),
        ("ref_softmax", "generic/softmax.c", ""),
        ("softmax", "siracusa/softmax_f32_xp.c", ""),
        ("ref_gelu", "generic/unary.c", GELU),
        ("gelu", "siracusa/gelu_f32_xp.c", ""),
        ("ref_depthwise", "generic/conv_dw_f32.c", ""),
        ("depthwise", "siracusa/conv_dw_f32_xp.c", ""),
        ("ref_max_pool", "generic/max_pool.c", "-DX_T=float"),
        ("max_pool", "siracusa/pool_f32_xp.c", "-DTW_MEAN=0"),
        ("ref_mean_pool", "generic/average_pool_f32.c", ""),
        ("mean_pool", "siracusa/pool_f32_xp.c", "-DTW_MEAN=1"),
        ("ref_gelu_tanh", "generic/unary.c", GELU_TANH),
        ("gelu_tanh", "siracusa/gelu_tanh_f32_xp.c", ""),
        ("ref_layer_norm", "generic/layer_norm.c", ""),
        ("layer_norm", "siracusa/layer_norm_f32_xp.c", ""),
        ("ref_quantize", "generic/quantize.c", "-DY_T=uint8_t"),
        ("quantize", "siracusa/quantize_xp.c", "-DY_T=uint8_t"),
    ];
    check("floats", &[], &kernels);
}

#[test]
fn pools() {
    for x in ["s8", "u8"] {
        let kernels = [
            ("ref", "generic/max_pool.c", ""),
            ("pool", "siracusa/max_pool_xp.c", ""),
            ("ref_average", "generic/average_pool_int.c", "-DSUM_T=int32_t"),
            ("average", "siracusa/average_pool_xp.c", ""),
        ];
        check("pool", &[("X", x)], &kernels);
    }
}

#[test]
fn bytes() {
    for (x, a, b, y) in [
        ("s8", "s8", "s8", "s8"),
        ("u8", "u8", "s8", "u8"),
        ("s32", "s8", "u8", "s8"),
        ("s32", "u8", "u8", "u8"),
    ] {
        let kernels = [
            ("ref_requant", "generic/requant_shift.c", ""),
            (
                "requant",
                "siracusa/requant_shift_xp.c",
                if x == "s32" { "-DTW_FITS=0" } else { "-DTW_FITS=1" },
            ),
            ("ref_add", "generic/add_rq.c", ""),
            ("sum", "siracusa/add_rq_xp.c", ""),
            ("lookup", "siracusa/lookup_xp.c", "-UX_T -DX_T=A_T"),
            ("ref_strided", "generic/strided.c", ""),
            ("strided", "siracusa/strided_xp.c", ""),
        ];
        check("bytes", &[("X", x), ("A", a), ("B", b), ("Y", y)], &kernels);
    }
}

#[test]
fn reductions() {
    const SUM: &str = "-DY_T=int32_t -DACC_T=uint32_t -DINIT=0 -DRESULT=(Y_T)acc -DTW_SUM=1 -DSCALE=1";
    const MEAN: &str = "-DY_T=X_T -DINIT=0 -DSTEP=acc+v";
    const ROUNDED: &str = "-DACC_T=int64_t -DRESULT=(Y_T)((2*acc+count)/(2*(int64_t)count)-((2*acc+count)%(2*(int64_t)count)<0))";
    const FLOATS: &str = "-UX_T -UX_BITS -UX_MIN -DX_T=float -DX_BITS=32 -DX_MIN=0 -DY_T=float -DACC_T=float";
    let float_mean = format!("{FLOATS} -DINIT=0.0f -DSTEP=acc+v");
    let float_max =
        format!("{FLOATS} -DINIT=-INFINITY -DSTEP=v>acc||v!=v?v:acc -DRESULT=acc -DTW_SUM=0 -DSCALE=1");
    for x in ["s8", "u8"] {
        let kernels = [
            ("ref_sum", "generic/reduce.c", &format!("{SUM} -DSTEP=acc+(uint32_t)v")),
            ("sum", "siracusa/reduce_xp.c", &format!("{SUM} -DSTEP=acc+v")),
            ("ref_mean", "generic/reduce.c", &format!("{MEAN} {ROUNDED}")),
            (
                "mean",
                "siracusa/reduce_xp.c",
                &format!("{MEAN} -DACC_T=int32_t -DSCALE=count -DRESULT=tw_mean(acc,scale) -DTW_SUM=1"),
            ),
            ("ref_float_mean", "generic/reduce.c", &format!("{float_mean} -DRESULT=acc/(float)count")),
            (
                "float_mean",
                "siracusa/reduce_xp.c",
                &format!("{float_mean} -DSCALE=1.0f/(float)count -DRESULT=acc*scale -DTW_SUM=1"),
            ),
            ("ref_float_max", "generic/reduce.c", &float_max),
            ("float_max", "siracusa/reduce_xp.c", &float_max),
        ];
        check("reduce", &[("X", x)], &kernels.map(|(symbol, file, more)| (symbol, file, more.as_str())));
    }
}

#[test]
fn norms() {
    for x in ["s8", "u8"] {
        let kernels = [
            ("ref_rms", "generic/i_rms_norm.c", "-DSUM_T=uint32_t"),
            ("rms", "siracusa/i_rms_norm_xp.c", ""),
            ("ref_layer", "generic/i_layer_norm.c", "-DSUM_T=int32_t -DSQUARES_T=uint32_t"),
            ("layer", "siracusa/i_layer_norm_xp.c", ""),
            ("ref_softmax", "generic/i_softmax.c", ""),
            ("softmax", "siracusa/i_softmax_xp.c", ""),
            ("ref_ita", "generic/ita_partial_max.c", ""),
            ("ita", "siracusa/ita_max_xp.c", ""),
            ("ref_scale", "generic/i_no_norm.c", "-UW_T -DW_T=int8_t"),
            ("scale", "siracusa/i_no_norm_xp.c", "-UW_T -DW_T=int8_t"),
            ("ref_gelu", "generic/i_gelu.c", "-DWIDE_T=int32_t"),
            ("gelu", "siracusa/i_gelu_xp.c", ""),
            ("ref_swish", "generic/i_hardswish.c", "-DWIDE_T=int32_t"),
            ("swish", "siracusa/i_hardswish_xp.c", ""),
        ];
        check("norms", &[("X", x), ("W", "s32"), ("B", "s32")], &kernels);
    }
}

#[test]
fn matrix_products() {
    for (a, b, y) in [("s8", "s8", "s8"), ("u8", "s8", "u8"), ("s8", "u8", "s8"), ("u8", "u8", "s32")] {
        let generic = if y == "s32" { "generic/matmul_int.c" } else { "generic/matmul_rq.c" };
        let words = [("A", a), ("B", b), ("C", "s32"), ("Y", y)];
        let own = [
            ("matmul", "siracusa/matmul_xp.c", "-DTW_PACKED=0"),
            ("matmul_packed", "siracusa/matmul_xp.c", "-DTW_PACKED=1"),
            ("gemv", "siracusa/gemv_xp.c", ""),
            ("dots", "siracusa/matmul_dots_xp.c", ""),
        ];
        let own = if y == "s32" { &own[..2] } else { &own[..] };
        check("matmul", &words, &[&[("ref", generic, "")], own].concat());
    }
}
