#!/usr/bin/env python3
"""Makes vectors.json: one-node models and what onnxruntime computes for them.

Needs numpy, onnx and onnxruntime. With a folder as argument, also writes each case there as a model with its
inputs and outputs (network.onnx, inputs.npz, outputs.npz).
"""
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

F, S8, U8, S32, S64 = np.float32, np.int8, np.uint8, np.int32, np.int64
rng = np.random.default_rng(7)
CASES = []


class K:
    """A constant operand."""

    def __init__(self, value, dtype=S64):
        self.value = np.array(value, dtype)


def case(op, inputs, opset=18, outputs=1, domain="", name="", **attributes):
    CASES.append((op, inputs, opset, outputs, domain, name, attributes))


def floats(*shape, lo=-3.0, hi=3.0):
    return rng.uniform(lo, hi, shape).astype(F)


def ints(*shape, dtype=S32, lo=-9, hi=9):
    return rng.integers(lo, hi, shape, endpoint=True).astype(dtype)


edges = np.array([-np.inf, -3.0, -1.0, -0.5, -0.0, 0.0, 0.3, 0.5, 1.5, 2.5, 30.0, np.inf], F)
for op in "Exp Sin Cos Tan Tanh Sinh Cosh Atan Sigmoid Softplus Softsign Erf Reciprocal Ceil Floor Round Abs Neg Sign Relu LeakyRelu Elu Celu Selu HardSigmoid ThresholdedRelu Mish HardSwish".split():
    x = floats(2, 7)
    case(op, [x])
    if op in ("Ceil", "Floor", "Round", "Abs", "Neg", "Sign", "Sigmoid", "Softplus", "Erf", "LeakyRelu", "HardSigmoid", "HardSwish"):
        case(op, [edges], name="edges")
for op in ("Sqrt", "Log"):
    case(op, [floats(9, lo=0.01, hi=40)])
for op in ("Asin", "Acos"):
    case(op, [floats(9, lo=-1, hi=1)])
case("LeakyRelu", [floats(5)], alpha=0.3)
case("Elu", [floats(5)], alpha=0.7)
case("Celu", [floats(5)], alpha=0.7)
case("Selu", [floats(5)], alpha=1.5, gamma=0.7)
case("HardSigmoid", [floats(5)], alpha=0.3, beta=0.4)
case("ThresholdedRelu", [floats(9)], alpha=0.7)
case("Gelu", [floats(9)], opset=20)
case("Gelu", [edges], opset=20, name="edges")
case("Gelu", [floats(9)], opset=20, approximate="tanh")
case("Gelu", [floats(9)], domain="com.microsoft")
case("FastGelu", [floats(2, 4), floats(4)], domain="com.microsoft")
case("BiasGelu", [floats(2, 4), floats(4)], domain="com.microsoft")
case("PRelu", [floats(2, 3, 4), floats(3, 1)])
case("Clip", [floats(9)], opset=10, min=-1.0, max=0.5)
case("Clip", [floats(9), K(-1.0, F), K(0.5, F)])
case("Clip", [floats(9), None, K(0.5, F)])
case("Clip", [floats(9), K(0.1, F)])
case("Clip", [floats(9), np.array(-1.0, F), np.array(0.5, F)], name="run-time")
case("Clip", [floats(9), None, np.array(0.5, F)], name="run-time")
case("Clip", [floats(9), K(2.0, F), K(-2.0, F)], name="crossed")
case("Clip", [ints(9, dtype=S8), K(-3, S8), K(5, S8)])
case("Not", [ints(6, lo=0, hi=1).astype(bool)])
case("IsNaN", [np.array([1, np.nan, np.inf, -0.0], F)])
case("Abs", [ints(6)])
case("Neg", [ints(6)])
case("Sign", [ints(6)])
case("Identity", [floats(3)])
case("Dropout", [floats(3)])

SHAPES = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 4)), ((), (2, 2)), ((2, 1, 4, 1), (3, 1, 5)), ((1,), (1,)), ((2, 0, 3), (3,)), ((2, 3, 4, 5), (3, 1, 1))]
for op in "Add Sub Mul Div Pow".split():
    for a, b in SHAPES:
        x = floats(*a, lo=0.5) if op == "Pow" else floats(*a)
        case(op, [x, floats(*b)])
    for dtype in (S32, S64):
        y = ints(3, 4, dtype=dtype)
        y[y == 0] = 3
        case(op, [ints(2, 3, 4, dtype=dtype), np.abs(y) if op == "Pow" else y])
case("Pow", [floats(2, 3), K(2.0, F)])
case("Pow", [floats(2, 3), K([[2.0]], F)])
case("Add", [np.array([2**31 - 1, -(2**31)], S32), np.array([1, -1], S32)], name="wraps")
case("Mul", [np.array([2**31 - 1, 65537], S32), np.array([2, 65537], S32)], name="wraps")
case("Div", [np.array([7, -7, 7, -7], S32), np.array([2, 2, -2, -2], S32)], name="truncates")
for op in "Min Max Mean Sum".split():
    case(op, [floats(2, 3)])
    case(op, [floats(2, 3), floats(3)])
    case(op, [floats(2, 3), floats(3), floats(2, 1), floats(1)])
for op in "Min Max".split():
    case(op, [ints(2, 3), ints(3)])
    case(op, [np.array([1, np.nan, 2], F), np.array([np.nan, 1, 3], F)], name="nan")
case("Mod", [ints(9), np.array([3, -3, 4, -4, 5, -5, 7, -7, 2], S32)])
case("Mod", [ints(9), np.array([3, -3, 4, -4, 5, -5, 7, -7, 2], S32)], fmod=1)
case("Mod", [floats(9), np.array([1, -1, 0.5, -0.5, 2, -2, 0.7, -0.7, 1], F)], fmod=1)
for op in "Equal Less LessOrEqual Greater GreaterOrEqual".split():
    case(op, [np.array([1, 2, 3, np.nan], F), np.array([2, 2, 2, np.nan], F)])
    case(op, [ints(3, 4, lo=-2, hi=2), ints(4, lo=-2, hi=2)])
for op in "And Or Xor".split():
    case(op, [ints(2, 4, lo=0, hi=1).astype(bool), ints(4, lo=0, hi=1).astype(bool)])
case("Where", [ints(2, 1, 4, lo=0, hi=1).astype(bool), floats(3, 1), floats(4)])
case("Where", [ints(2, 4, lo=0, hi=1).astype(bool), ints(4), ints(2, 1)])
case("BitShift", [np.array([1, 3, 255], U8), np.array([1, 7, 2], U8)], direction="LEFT")
case("BitShift", [np.array([1, 130, 255], U8), np.array([1, 7, 2], U8)], direction="RIGHT")
case("Cast", [np.array([-1.9, 1.9, 100.5, 0.0], F)], to=TensorProto.INT8)
case("Cast", [np.array([-1.9, 1.9, 100.5, 0.0], F)], to=TensorProto.INT64)
case("Cast", [np.array([-1.9, 0.0], F)], to=TensorProto.BOOL)
case("Cast", [np.array([300, -1, 127, -129], S32)], to=TensorProto.INT8)
case("Cast", [np.array([True, False])], to=TensorProto.FLOAT)
case("Cast", [ints(4, dtype=S64)], to=TensorProto.FLOAT)

REDUCTIONS = "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp".split()
for op in REDUCTIONS:
    positive = dict(lo=0.2, hi=2.0)
    old = 11
    case(op, [floats(2, 3, 4, **positive)], opset=old)
    case(op, [floats(2, 3, 4, **positive)], opset=old, axes=[1])
    case(op, [floats(2, 3, 4, **positive)], opset=old, axes=[-1, 0], keepdims=0)
    case(op, [floats(2, 3, 4, 5, **positive), K([1, 3])], opset=18, keepdims=0)
    case(op, [floats(2, 3, **positive), K([])], opset=18)
    case(op, [floats(2, 3, **positive)], opset=18, noop_with_empty_axes=1) if op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd") else None
for op in "ReduceSum ReduceMax ReduceMin ReduceProd".split():
    case(op, [ints(2, 3, 4, lo=-4, hi=4), K([1])], opset=18)
case("ReduceMax", [ints(2, 3, dtype=S8), K([1])], opset=18)
case("ReduceLogSumExp", [np.array([[90, 91, 89], [-np.inf, 1, -90]], F), K([1])], opset=18, name="large")
case("GlobalMaxPool", [floats(2, 3, 4, 5)])
case("GlobalAveragePool", [floats(2, 3, 4, 5)])
for op in "ArgMax ArgMin".split():
    case(op, [floats(2, 3, 4)])
    case(op, [floats(2, 3, 4)], axis=-1, keepdims=0)
    case(op, [ints(2, 9, lo=0, hi=2)], axis=1)
    case(op, [ints(2, 9, lo=0, hi=2)], axis=1, select_last_index=1)
case("CumSum", [floats(2, 3, 4), K(1)])
case("CumSum", [floats(2, 3, 4), K(-1)], reverse=1)
case("CumSum", [ints(2, 5), K(1)], exclusive=1)
case("CumSum", [ints(2, 5), K(0)], exclusive=1, reverse=1)

case("Reshape", [floats(2, 3, 4), K([0, -1])])
case("Reshape", [floats(2, 3, 4), K([4, 0, -1])])
case("Reshape", [floats(0, 3), K([3, 0])], allowzero=1)
case("Flatten", [floats(2, 3, 4)])
case("Flatten", [floats(2, 3, 4)], axis=0)
case("Flatten", [floats(2, 3, 4)], axis=3)
case("Flatten", [floats(2, 3, 4)], axis=-1)
case("Squeeze", [floats(1, 3, 1)])
case("Squeeze", [floats(1, 3, 1)], opset=11, axes=[0])
case("Squeeze", [floats(1, 3, 1), K([-1])])
case("Unsqueeze", [floats(3, 4)], opset=11, axes=[0, 3])
case("Unsqueeze", [floats(3, 4), K([-1, 1])])
case("Transpose", [floats(2, 3, 4)])
case("Transpose", [floats(2, 3, 4)], perm=[0, 2, 1])
case("Transpose", [floats(2, 3, 1, 4, 5)], perm=[1, 2, 0, 4, 3])
case("Transpose", [ints(2, 3, dtype=S8)], perm=[1, 0])
case("DepthToSpace", [floats(1, 8, 2, 3)], blocksize=2)
case("DepthToSpace", [floats(1, 8, 2, 3)], blocksize=2, mode="CRD")
case("SpaceToDepth", [floats(1, 2, 4, 6)], blocksize=2)
case("Concat", [floats(2, 3), floats(2, 1), floats(2, 2)], axis=1)
case("Concat", [floats(2, 3), floats(1, 3)], axis=-2)
case("Concat", [floats(1, 2, 0, 4), floats(1, 2, 3, 4)], axis=2)
case("Concat", [floats(2)], axis=0)
case("Slice", [floats(4, 5)], opset=9, starts=[1, -3], ends=[3, 2147483647])
case("Slice", [floats(4, 5)], opset=9, axes=[1], starts=[0], ends=[-1])
case("Slice", [floats(4, 5), K([0]), K([100]), K([-1]), K([2])])
case("Slice", [floats(4, 5), K([-1, 3]), K([-100, 0]), K([0, 1]), K([-1, -2])])
case("Slice", [floats(4, 5), K([3]), K([1])])
case("Slice", [floats(4, 5), K([2]), K([2**63 - 1]), K([0]), K([1])])
case("Slice", [floats(4, 5), K([-1]), K([-(2**63)]), K([0]), K([-1])])
case("Split", [floats(2, 6)], outputs=3, axis=1, num_outputs=3)
case("Split", [floats(2, 7)], outputs=3, axis=-1, num_outputs=3)
case("Split", [floats(6, 2)], opset=11, outputs=2, split=[2, 4])
case("Split", [floats(6, 2), K([1, 5])], opset=13, outputs=2)
case("Gather", [floats(3, 4), K([0, 2, -1])])
case("Gather", [floats(3, 4), np.array([[0, 3], [-1, -4]], S64)], axis=1)
case("Gather", [floats(3, 4), np.array(1, S32)], axis=-1)
case("Gather", [floats(3, 4), K(-2)], axis=1)
case("Gather", [floats(3, 4), K([1])], axis=0)
case("GatherElements", [floats(3, 4), np.array([[0, -1, 2, 1]], S64)], axis=0)
case("GatherElements", [floats(3, 4), np.array([[0], [-1], [2]], S32)], axis=1)
case("Pad", [floats(2, 3)], opset=10, pads=[0, 1, 2, 0], value=1.5)
case("Pad", [floats(2, 3), K([0, 1, 2, 0]), K(-np.inf, F)])
case("Pad", [floats(3, 4), K([-1, 1, 0, -2])])
case("Pad", [ints(2, 3, dtype=S8), K([1, 1, 1, 1]), K(-7, S8)])
case("Pad", [floats(2, 3, 4), K([1, 2]), None, K([-1])])
for mode in ("reflect", "edge"):
    case("Pad", [floats(2, 3, 4), K([0, 2, 1, 0, 1, 2])], mode=mode)
case("Pad", [floats(3, 4), K([1, 2, 4, 1])], opset=19, mode="wrap")
case("Expand", [floats(3, 1), K([2, 1, 4])])
case("Expand", [floats(2, 3), K([1])])
case("Tile", [floats(2, 3), K([2, 1])])
case("Tile", [floats(2, 1, 3), K([1, 3, 2])])
case("Shape", [floats(2, 3, 4)])
case("Shape", [floats(2, 3, 4)], start=1, end=-1)
case("Size", [floats(2, 3, 4)])
case("ConstantOfShape", [K([2, 3])])
case("ConstantOfShape", [K([2])], value=numpy_helper.from_array(np.array([7], S64)))
case("Range", [K(3), K(-4), K(-2)])
case("Range", [K(0.5, F), K(2.0, F), K(0.25, F)])
case("EyeLike", [floats(3, 4)], k=1)
case("OneHot", [np.array([0, 2, -1, 5], S64), K(3), K([0.5, 2.0], F)])
case("OneHot", [np.array([[0, 2], [1, 1]], S64), K(3), K([0, 1], S32)], axis=1)
case("Trilu", [floats(2, 3, 4)])
case("Trilu", [floats(2, 3, 4), K(-1)], upper=0)
case("Trilu", [floats(3, 3), K(1)])
image = floats(1, 2, 4, 5)
for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
    for mode in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"):
        case("Resize", [image, None, None, K([1, 2, 7, 3])], nearest_mode=nearest, coordinate_transformation_mode=mode)
case("Resize", [image, None, K([1, 1, 2, 2], F)], mode="nearest")
case("Resize", [image, K([1, 1, 2, 3], F)], opset=10)
case("Upsample", [image, K([1, 1, 2, 3], F)], opset=9)
for mode in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"):
    case("Resize", [image, None, None, K([1, 2, 7, 3])], mode="linear", coordinate_transformation_mode=mode)
case("Resize", [image, None, K([1, 1, 2, 2], F)], mode="linear")
case("Upsample", [image, K([1, 1, 2, 2], F)], opset=9, mode="linear")


def plain(array):
    array = np.asarray(array)
    flat = array.reshape(-1)
    if array.dtype == F:
        data = [float(f"{v:.9g}") if np.isfinite(v) else str(v) for v in flat]
    else:
        data = [int(v) for v in flat]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}


def main():
    vectors = []
    for number, (op, inputs, opset, count, domain, name, attributes) in enumerate(CASES):
        names, graph_inputs, constants, feeds = [], [], [], {}
        for i, x in enumerate(inputs):
            if x is None:
                names.append("")
                continue
            names.append(f"x{i}")
            if isinstance(x, K):
                constants.append(numpy_helper.from_array(x.value, f"x{i}"))
            else:
                kind = helper.np_dtype_to_tensor_dtype(x.dtype)
                graph_inputs.append(helper.make_tensor_value_info(f"x{i}", kind, x.shape))
                feeds[f"x{i}"] = x
        results = [f"y{i}" for i in range(count)]
        node = helper.make_node(op, names, results, domain=domain, **attributes)
        outputs = [helper.make_tensor_value_info(r, TensorProto.UNDEFINED, None) for r in results]
        for o in outputs:
            o.ClearField("type")
        graph = helper.make_graph([node], "case", graph_inputs, outputs, constants)
        imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
        model = helper.make_model(graph, opset_imports=imports, ir_version=8)
        try:
            session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            values = session.run(None, feeds)
        except Exception as error:
            print(f"left out: {op} {attributes} opset {opset}: {str(error)[:160]}", file=sys.stderr)
            continue
        vectors.append({
            "op": op,
            "opset": opset,
            "name": name,
            "attributes": {k: plain(numpy_helper.to_array(v)) if isinstance(v, TensorProto) else v for k, v in attributes.items()},
            "inputs": [None if x is None else dict(plain(x.value), constant=True) if isinstance(x, K) else plain(x) for x in inputs],
            "outputs": [plain(v) for v in values],
        })
        if len(sys.argv) > 1 and feeds:
            for o, v in zip(graph.output, values):
                o.CopyFrom(helper.make_tensor_value_info(o.name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape))
            folder = pathlib.Path(sys.argv[1]) / f"{number:03}_{op}"
            folder.mkdir(parents=True, exist_ok=True)
            model = helper.make_model(graph, opset_imports=imports, ir_version=8)
            onnx.save(model, folder / "network.onnx")
            np.savez(folder / "inputs.npz", **feeds)
            np.savez(folder / "outputs.npz", **dict(zip(results, values)))
    lines = ",\n".join(json.dumps(v) for v in vectors)
    pathlib.Path(__file__).with_name("vectors.json").write_text(f"[\n{lines}\n]\n")
    print(len(vectors), "vectors")


main()
