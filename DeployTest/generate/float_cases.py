"""Single float operators in all the forms ONNX gives them; expected values from onnxruntime."""

from common import *

F = "Kernels/FP32"
INT64_MAX = 2**63 - 1


def one(path, op, shapes, opset=13, scale=1.0, offset=0.0, weights=None, by_reference=False, **attributes):
    """One operator on random inputs; `weights`: further operands as initialisers."""
    inputs = {f"x{i}": floats(f"{path}/{i}", *s, scale=scale, offset=offset) for i, s in enumerate(shapes)}
    names = list(inputs) + list(weights or {})
    check = (op, opset) != ("GroupNormalization", 18)  # withdrawn, which the checker takes for a fault
    nodes = [node(op, names, **attributes)]
    float_case(f"{F}/{path}", nodes, inputs, weights, opset, by_reference=by_reference, check=check)


def axes(*values):
    return np.array(values, dtype=np.int64)


def convolutions():
    def conv(path, x, w, bias=False, opset=13, **attributes):
        weights = {"w": floats(path + "/w", *w, scale=0.3)}
        if bias:
            weights["b"] = floats(path + "/b", w[0])
        # onnxruntime refuses dilations with automatic padding, which the standard allows.
        odd = "auto_pad" in attributes and "dilations" in attributes
        one(f"Conv/{path}", "Conv", [x], opset, weights=weights, by_reference=odd, **attributes)

    conv("SameUpper_Stride2", (1, 3, 9, 10), (4, 3, 3, 4), True, auto_pad="SAME_UPPER", strides=[2, 2])
    conv("SameLower_Stride2", (1, 3, 9, 10), (4, 3, 4, 2), True, auto_pad="SAME_LOWER", strides=[2, 2])
    conv("Valid", (1, 2, 7, 7), (3, 2, 3, 3), auto_pad="VALID", kernel_shape=[3, 3])
    conv("Dilated", (1, 2, 12, 11), (3, 2, 3, 2), True, dilations=[2, 3], pads=[1, 2, 2, 1])
    conv("SameUpper_Dilated", (1, 2, 10, 10), (3, 2, 3, 3), dilations=[2, 2], auto_pad="SAME_UPPER")
    conv("AsymmetricPads", (2, 3, 8, 6), (4, 3, 3, 3), True, pads=[2, 0, 0, 1], strides=[1, 2])
    conv("Grouped", (1, 6, 7, 7), (4, 3, 3, 3), True, group=2, pads=[1, 1, 1, 1])
    conv("Depthwise_Multiplier2", (1, 4, 7, 7), (8, 1, 3, 3), True, group=4, pads=[1, 1, 1, 1])
    conv("OneD_Strided", (1, 3, 20), (5, 3, 5), True, strides=[3], pads=[2, 1])
    conv("OneD_Depthwise_Batch2", (2, 4, 16), (4, 1, 3), group=4, dilations=[2])
    conv("ThreeD", (1, 2, 5, 6, 7), (3, 2, 2, 3, 2), True, pads=[0, 1, 1, 1, 0, 0], strides=[1, 2, 1])
    conv("Opset7", (1, 2, 6, 6), (2, 2, 3, 3), True, opset=7, pads=[1, 1, 1, 1])

    def transposed(path, x, w, bias=False, **attributes):
        weights = {"w": floats(path + "/w", *w, scale=0.3)}
        if bias:
            weights["b"] = floats(path + "/b", w[1] * attributes.get("group", 1))
        one(f"ConvTranspose/{path}", "ConvTranspose", [x], weights=weights, **attributes)

    transposed("Stride2_OutputPadding", (1, 3, 5, 4), (3, 4, 3, 3), True, strides=[2, 2], output_padding=[1, 1], pads=[1, 1, 1, 1])
    transposed("OutputShape", (1, 2, 5, 5), (2, 3, 3, 3), strides=[2, 2], output_shape=[10, 10])
    transposed("SameUpper", (1, 2, 5, 5), (2, 3, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER")
    transposed("Grouped_Dilated", (1, 4, 6, 6), (4, 2, 2, 3), True, group=2, dilations=[2, 1])
    transposed("OneD", (1, 2, 7), (2, 3, 4), True, strides=[2], pads=[1, 0])


def pooling():
    def pool(path, op, x, opset=13, **attributes):
        one(f"{op}/{path}", op, [x], opset, **attributes)

    pool("CeilMode", "MaxPool", (1, 2, 7, 8), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    pool("Dilated_Padded", "MaxPool", (1, 2, 9, 9), kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 1, 1, 1])
    pool("SameLower", "MaxPool", (1, 2, 7, 7), kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER")
    pool("OneD", "MaxPool", (2, 3, 11), kernel_shape=[4], strides=[3], pads=[1, 2])
    pool("ThreeD", "MaxPool", (1, 2, 4, 5, 6), kernel_shape=[2, 2, 3], strides=[1, 2, 2])
    pool("ExcludePad", "AveragePool", (1, 2, 6, 7), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    pool("IncludePad", "AveragePool", (1, 2, 6, 7), kernel_shape=[3, 3], pads=[1, 0, 1, 2], count_include_pad=1)
    pool("CeilMode", "AveragePool", (1, 2, 7, 7), kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    pool("SameUpper", "AveragePool", (1, 2, 7, 7), kernel_shape=[4, 4], strides=[2, 2], auto_pad="SAME_UPPER")
    pool("ThreeD", "AveragePool", (1, 2, 4, 4, 5), kernel_shape=[2, 2, 2])
    pool("OneD", "GlobalAveragePool", (2, 3, 11))
    pool("ThreeD", "GlobalMaxPool", (1, 3, 4, 2, 5))


def products():
    def gemm(path, a, b, c=None, opset=13, **attributes):
        weights = {"b": floats(path + "/b", *b)}
        if c is not None:
            weights["c"] = floats(path + "/c", *c)
        one(f"Gemm/{path}", "Gemm", [a], opset, weights=weights, **attributes)

    gemm("TransA_AlphaBeta", (6, 4), (6, 5), (5,), transA=1, alpha=0.5, beta=2.0)
    gemm("TransB_BiasColumn", (4, 6), (5, 6), (4, 1), transB=1)
    gemm("TransBoth_BiasScalar", (6, 4), (5, 6), (), transA=1, transB=1)
    gemm("Beta0", (3, 4), (4, 5), (3, 5), beta=0.0)
    gemm("Opset7_BiasRow", (3, 4), (4, 5), (1, 5), opset=7)
    gemm("Opset11_NoBias", (3, 4), (4, 5), opset=11)
    one("Gemm/ComputedOperands", "Gemm", [(3, 4), (4, 5), (3, 5)])

    for path, a, b in [
        ("VectorMatrix", (5,), (5, 3)),
        ("MatrixVector", (4, 5), (5,)),
        ("VectorVector", (5,), (5,)),
        ("BroadcastBatch", (2, 1, 3, 4), (5, 4, 2)),
        ("BatchVector", (2, 3, 4), (4,)),
    ]:
        one(f"MatMul/{path}", "MatMul", [a, b])


def elementwise():
    for op in ["Add", "Sub", "Mul", "Div"]:
        one(f"{op}/BroadcastBoth", op, [(2, 1, 4), (3, 1)], opset=14, offset=3.0)
    one("Add/Rank6", "Add", [(2, 1, 3, 1, 2, 2), (1, 3, 1, 2, 1, 2)])
    one("Sub/Opset7", "Sub", [(2, 3), (3,)], opset=7)
    one("Pow/Broadcast", "Pow", [(2, 3, 4), (4,)], scale=0.3, offset=2.0)
    one("Max/Three", "Max", [(2, 3), (3,), (2, 1)])
    one("Min/Two_Opset8", "Min", [(2, 3), (3,)], opset=8)
    one("Sum/Three", "Sum", [(2, 3), (3,), (2, 1)])
    for op, opset in [("Relu", 7), ("Sigmoid", 13), ("Tanh", 13), ("Erf", 13), ("Softplus", 13), ("Neg", 13), ("Abs", 13), ("Exp", 13)]:
        one(f"{op}/Regular", op, [(2, 3, 5)], opset, scale=2.0)
    for op in ["Log", "Sqrt", "Reciprocal"]:
        one(f"{op}/Regular", op, [(2, 3, 5)], scale=0.2, offset=2.0)
    half = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, -0.2], dtype=np.float32)
    float_case(f"{F}/Round/HalfToEven", [node("Round", ["x"])], {"x": half})
    one("LeakyRelu/Alpha", "LeakyRelu", [(2, 7)], alpha=0.2)
    one("Elu/Alpha", "Elu", [(2, 7)], alpha=0.7)
    one("Selu/Default", "Selu", [(2, 7)])
    one("PRelu/PerChannel", "PRelu", [(1, 3, 4)], weights={"slope": floats("slope", 3, 1)}, opset=16)
    one("HardSigmoid/Default", "HardSigmoid", [(2, 7)], scale=3.0)
    one("HardSwish/Opset14", "HardSwish", [(2, 7)], opset=14, scale=3.0)
    one("Gelu/Tanh", "Gelu", [(2, 9)], opset=20, approximate="tanh", scale=2.0)
    one("Gelu/Exact", "Gelu", [(2, 9)], opset=20, scale=2.0)
    one("Clip/Attributes_Opset6", "Clip", [(3, 5)], opset=7, min=-0.5, max=0.25)
    one("Clip/Inputs", "Clip", [(3, 5)], weights={"lo": np.float32(-0.5), "hi": np.float32(0.25)})
    x = floats("clip", 3, 5)
    float_case(f"{F}/Clip/OnlyMax", [node("Clip", ["x", "", "hi"])], {"x": x}, {"hi": np.float32(0.1)})
    condition = rng("where").integers(0, 2, (2, 3)).astype(bool)
    float_case(f"{F}/Where/Broadcast", [node("Where", ["c", "a", "b"])],
               {"c": condition, "a": floats("where/a", 2, 3), "b": floats("where/b", 3)}, opset=16)


def movement():
    x = floats("move", 2, 3, 4)
    pads = np.array([0, 1, 2, 1, 0, 1], dtype=np.int64)
    float_case(f"{F}/Pad/Constant_Value", [node("Pad", ["x", "p", "v"])], {"x": x}, {"p": pads, "v": np.float32(1.5)})
    one("Pad/Attributes_Opset10", "Pad", [(2, 3, 4)], opset=10, pads=[0, 1, 2, 1, 0, 1], value=-1.0)
    for mode in ["reflect", "edge"]:
        float_case(f"{F}/Pad/{mode.capitalize()}", [node("Pad", ["x", "p"], mode=mode)], {"x": x}, {"p": pads})
    float_case(f"{F}/Pad/Wrap_Opset19", [node("Pad", ["x", "p"], mode="wrap")], {"x": x}, {"p": pads}, 19)
    negative = np.array([0, -1, 1, 1, 0, -2], dtype=np.int64)
    float_case(f"{F}/Pad/Negative", [node("Pad", ["x", "p"])], {"x": x}, {"p": negative})
    float_case(f"{F}/Pad/Axes_Opset18", [node("Pad", ["x", "p", "", "a"])], {"x": x},
               {"p": np.array([1, 2, 0, 1], dtype=np.int64), "a": axes(-1, 0)}, 18)

    one("Slice/Attributes_Opset9", "Slice", [(4, 5)], opset=9, starts=[1, -3], ends=[10, -1], axes=[0, 1])
    for path, starts, ends, ax, steps in [
        ("NegativeSteps", [-1, 3], [-INT64_MAX, 0], [0, 1], [-1, -2]),
        ("Strided_NegativeAxis", [0], [INT64_MAX], [-1], [2]),
        ("OuterContiguous", [1], [3], [0], [1]),
    ]:
        initial = {"s": axes(*starts), "e": axes(*ends), "a": axes(*ax), "t": axes(*steps)}
        float_case(f"{F}/Slice/{path}", [node("Slice", ["x", *initial])], {"x": floats(path, 4, 5)}, initial)

    one("Squeeze/Attribute_Opset11", "Squeeze", [(1, 3, 1, 2)], opset=11, axes=[0, -2])
    one("Squeeze/AllOnes", "Squeeze", [(1, 3, 1, 2)])
    one("Unsqueeze/Attribute_Opset11", "Unsqueeze", [(3, 2)], opset=11, axes=[0, -1])
    one("Unsqueeze/Input_Opset13", "Unsqueeze", [(3, 2)], weights={"a": axes(-1, 1)})
    one("Flatten/NegativeAxis", "Flatten", [(2, 3, 4)], axis=-1)
    one("Flatten/Axis0", "Flatten", [(2, 3, 4)], axis=0)
    one("Reshape/CopyAndInfer", "Reshape", [(2, 3, 4)], weights={"s": axes(0, -1)})
    one("Transpose/Default", "Transpose", [(2, 3, 4)])
    one("Transpose/Rank5", "Transpose", [(2, 3, 1, 4, 2)], perm=[3, 0, 4, 2, 1])
    one("Concat/NegativeAxis", "Concat", [(2, 3, 1), (2, 3, 2), (2, 3, 4)], axis=-1)
    float_case(f"{F}/Concat/ManyOperands", [node("Concat", ["x"] * 70, axis=1)], {"x": floats("m", 2, 3)})
    one("Concat/Outer", "Concat", [(1, 3, 2), (2, 3, 2)], axis=0)
    index = np.array([[0, -1], [2, 1]], dtype=np.int64)
    one("Gather/NegativeIndices", "Gather", [(2, 4, 3)], weights={"i": index}, axis=-2)
    one("Gather/ScalarIndex", "Gather", [(2, 4, 3)], weights={"i": np.int64(2)}, axis=1)
    float_case(f"{F}/Gather/ComputedIndices", [node("Gather", ["x", "i"])], {"x": floats("g", 5, 3), "i": index})
    one("Expand/Broadcast", "Expand", [(3, 1)], weights={"s": axes(2, 1, 4)})
    float_case(f"{F}/Split/Uneven", [node("Split", ["x", "s"], ["a", "b"], axis=1)],
               {"x": floats("split", 2, 7)}, {"s": axes(3, 4)}, outputs=("a", "b"))
    float_case(f"{F}/Split/Attribute_Opset11", [node("Split", ["x"], ["a", "b"], axis=-1, split=[1, 4])],
               {"x": floats("split", 2, 5)}, opset=11, outputs=("a", "b"))
    nodes = [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "first"], ["batch"]),
        node("Unsqueeze", ["batch", "zero"], ["batch_1"]),
        node("Concat", ["batch_1", "rest"], ["target"], axis=0),
        node("Reshape", ["x", "target"]),
    ]
    float_case(f"{F}/Reshape/ShapeArithmetic", nodes, {"x": x},
               {"first": np.int64(0), "zero": axes(0), "rest": axes(-1)})


def reductions_and_norms():
    one("ReduceMean/Attribute_Opset11", "ReduceMean", [(2, 3, 4)], opset=11, axes=[-1, 0], keepdims=0)
    one("ReduceMean/Input_Opset18", "ReduceMean", [(2, 3, 4)], opset=18, weights={"a": axes(1)}, keepdims=1)
    one("ReduceMean/AllAxes_Opset18", "ReduceMean", [(2, 3, 4)], opset=18, keepdims=0)
    one("ReduceSum/Input_Opset13", "ReduceSum", [(2, 3, 4)], weights={"a": axes(-2)}, keepdims=0)
    one("ReduceSum/Noop", "ReduceSum", [(2, 3, 4)], noop_with_empty_axes=1)
    one("ReduceMax/Attribute", "ReduceMax", [(2, 3, 4)], axes=[1])
    one("Softmax/Coerced2D_Opset11", "Softmax", [(2, 3, 4)], opset=11, axis=1)
    one("Softmax/InnerAxis_Opset13", "Softmax", [(2, 3, 4)], axis=1)
    one("LogSoftmax/LastAxis", "LogSoftmax", [(2, 5)], axis=-1)

    scale, bias = floats("ln/s", 3, 4, offset=1.0, scale=0.2), floats("ln/b", 3, 4)
    one("LayerNormalization/Axis1_Bias", "LayerNormalization", [(2, 3, 4)], opset=17, weights={"s": scale, "b": bias}, axis=1)
    one("LayerNormalization/NoBias_Epsilon", "LayerNormalization", [(2, 3, 4)], opset=17, weights={"s": scale[0]}, epsilon=0.01)
    for opset, count in [(18, 2), (21, 4)]:
        weights = {"s": floats("gn/s", count, offset=1.0, scale=0.2), "b": floats("gn/b", count)}
        one(f"GroupNormalization/Opset{opset}", "GroupNormalization", [(1, 4, 3, 2)], opset=opset, weights=weights,
            num_groups=2, by_reference=True)
    channel = {k: floats("bn/" + k, 3, scale=0.2, offset=o) for k, o in [("s", 1), ("b", 0), ("m", 0)]}
    channel["v"] = np.abs(floats("bn/v", 3)) + np.float32(0.5)
    one("BatchNormalization/Opset9", "BatchNormalization", [(2, 3, 4, 4)], opset=9, weights=channel, epsilon=1e-3)
    one("BatchNormalization/Opset15_Rank2", "BatchNormalization", [(2, 3)], opset=15, weights=channel)
    one("InstanceNormalization/Regular", "InstanceNormalization", [(2, 3, 4, 4)],
        weights={"s": channel["s"], "b": channel["b"]})
    w = {"w": floats("cb/w", 4, 3, 3, 3, scale=0.3)}
    four = {k: floats("cb/" + k, 4, scale=0.2, offset=o) for k, o in [("s", 1), ("b", 0), ("m", 0)]}
    four["v"] = np.abs(floats("cb/v", 4)) + np.float32(0.5)
    nodes = [
        node("Pad", ["x", "p"], ["padded"]),
        node("Conv", ["padded", "w"], ["c"]),
        node("BatchNormalization", ["c", *four], ["n"]),
        node("Relu", ["n"]),
    ]
    float_case(f"{F}/Conv/Pad_BatchNorm_Relu", nodes, {"x": floats("cb", 1, 3, 6, 6)},
               {**w, **four, "p": axes(0, 0, 1, 1, 0, 0, 1, 1)}, 15)


def types():
    """Element types other than float32 in the file."""
    x = floats("types", 2, 6)
    for kind in [np.float16, np.float64]:
        name = np.dtype(kind).name
        w = (rng(name).integers(-8, 8, (6, 3)) / 8).astype(kind)
        code = helper.np_dtype_to_tensor_dtype(np.dtype(np.float32))
        nodes = [node("Cast", ["w"], ["wide"], to=code), node("MatMul", ["x", "wide"])]
        float_case(f"{F}/Cast/Weights_{name}", nodes, {"x": x}, {"w": w})
    values = np.array([-2.7, -0.2, 0.0, 1.9, 300.4], dtype=np.float32)
    float_case(f"{F}/Cast/FloatToInt32", [node("Cast", ["x"], to=TensorProto.INT32)], {"x": values})
    float_case(f"{F}/Cast/FloatToBool", [node("Cast", ["x"], to=TensorProto.BOOL)], {"x": values})
    float_case(f"{F}/ArgMax/NegativeAxis", [node("ArgMax", ["x"], axis=-1, keepdims=0)], {"x": x})


def generate():
    convolutions()
    pooling()
    products()
    elementwise()
    movement()
    reductions_and_norms()
    types()
