"""Operators and small regions of the integer dialect; expected values from `formulas`."""

import formulas as f
from common import *

I = "Kernels/Integer"
PACT = "PACTOps"


def requant_node(x, y, name, div, n_levels, signed, domain=""):
    attributes = {
        "div": tensor_attribute(div),
        "n_levels_out": tensor_attribute(n_levels),
        "signed": tensor_attribute(float(signed)),
    }
    return node("RequantShift", [x, f"{name}.mul", f"{name}.add"], [y], domain=domain, **attributes)


def calibrate(name, acc, channel_axis=None, div=1 << 16, signed=True, n_levels=256, least=1):
    """mul and add that spread an accumulator over the output range, as a quantiser would; one of a channel that does
    hardly anything counts as `least`."""
    if channel_axis is None:
        spread = np.abs(acc).max()
        add = rng(name).integers(-div // 4, div // 4)
        mul = np.array(max(1, round(n_levels / 2 / max(spread, 1) * div)))
        return mul, np.array(add)
    rest = tuple(a for a in range(acc.ndim) if a != channel_axis)
    spread = np.maximum(np.abs(acc).max(axis=rest, keepdims=True), least)
    mul = np.maximum(1, np.round((n_levels / 2 if signed else n_levels) / spread * div)).astype(np.int64)
    add = rng(name).integers(-8 * div, 8 * div, size=mul.shape)
    return mul[0], add[0]  # the batch axis goes


class Region:
    """Builds a chain of nodes and, beside it, its expected value."""

    def __init__(self, path, opset=13):
        self.path, self.opset = path, opset
        self.nodes, self.inputs, self.initializers, self.domains = [], {}, {}, set()
        self.count = 0
        self.narrow = False  # whether constants are stored as bytes, which the graph casts

    def name(self, hint):
        self.count += 1
        return f"{hint}{self.count}"

    def input(self, *shape, lo=-128, hi=127):
        name = f"x{len(self.inputs)}"
        self.inputs[name] = ints(f"{self.path}/{name}", *shape, lo=lo, hi=hi)
        return name, f.i64(self.inputs[name])

    def constant(self, *shape, lo=-128, hi=127):
        name = self.name("w")
        value = ints(f"{self.path}/{name}", *shape, lo=lo, hi=hi)
        self.initializers[name] = value
        if self.narrow:
            self.initializers[name] = value.astype(np.int8)
            self.nodes.append(node("Cast", [name], [f"{name}.float"], to=TensorProto.FLOAT))
            name = f"{name}.float"
        return name, f.i64(value)

    def op(self, op, operands, result, domain="", **attributes):
        y = self.name(op.lower())
        self.nodes.append(node(op, operands, [y], domain=domain, **attributes))
        if domain:
            self.domains.add(domain)
        return y, result

    def conv(self, x, out, kernel, group=1, bias=False, **attributes):
        name, value = x
        w, wv = self.constant(out, value.shape[1] // group, *kernel)
        acc = f.conv(value, wv, group=group, **attributes)
        operands = [name, w]
        if bias:
            b, bv = self.constant(out, lo=-2000, hi=2000)
            operands.append(b)
            acc = acc + bv.reshape(1, -1, *[1] * len(kernel))
        return self.op("Conv", operands, acc, kernel_shape=list(kernel), group=group, **attributes)

    def requant(self, x, channel_axis=None, div=1 << 16, signed=True, n_levels=256, domain="", least=1):
        name, value = x
        label = self.name("rq")
        mul, add = calibrate(f"{self.path}/{label}", value, channel_axis, div, signed, n_levels, least)
        self.initializers[f"{label}.mul"] = np.asarray(mul, dtype=np.float32)
        self.initializers[f"{label}.add"] = np.asarray(add, dtype=np.float32)
        mul, add = f.i64(self.initializers[f"{label}.mul"]), f.i64(self.initializers[f"{label}.add"])
        self.nodes.append(requant_node(name, label, label, div, n_levels, signed, domain))
        if domain:
            self.domains.add(domain)
        return label, f.requant(value, mul, add, div, n_levels, signed)

    def done(self, *results):
        # An output needs its own name even where it is read again.
        outputs = {}
        for i, (name, value) in enumerate(results):
            outputs[name] = value
        integer_case(self.path, self.nodes, self.inputs, self.initializers, outputs, self.opset, sorted(self.domains))


def convolutions():
    for path, x, out, kernel, signed_in, more in [
        ("Regular_PerChannel", (1, 3, 9, 8), 5, (3, 3), True, dict(pads=[1, 1, 1, 1], bias=True)),
        ("Unsigned_Strided", (1, 4, 9, 9), 6, (3, 2), False, dict(strides=[2, 2], pads=[0, 1, 1, 0])),
        ("Pointwise", (2, 16, 5, 5), 12, (1, 1), True, {}),
        ("Depthwise", (1, 6, 8, 8), 6, (3, 3), True, dict(group=6, pads=[1, 1, 1, 1])),
        ("Depthwise_Multiplier2", (1, 3, 7, 7), 6, (3, 3), False, dict(group=3, pads=[1, 1, 1, 1])),
        ("Grouped", (1, 6, 7, 7), 4, (3, 3), True, dict(group=2)),
        ("Dilated", (1, 3, 10, 10), 4, (3, 3), True, dict(dilations=[2, 3], pads=[2, 3, 2, 3])),
        ("OneD", (1, 4, 17), 6, (5,), True, dict(strides=[2], pads=[2, 2])),
        ("OneD_Depthwise", (1, 4, 17), 4, (3,), False, dict(group=4, pads=[1, 1])),
        ("ThreeD", (1, 2, 4, 5, 4), 3, (2, 2, 2), True, {}),
        ("Deep", (1, 400, 3, 3), 5, (3, 3), False, dict(pads=[1, 1, 1, 1], bias=True)),
    ]:
        for signed_out in (True, False):
            r = Region(f"{I}/Conv/{path}_{'Signed' if signed_out else 'Unsigned'}")
            x0 = r.input(*x, lo=-128 if signed_in else 0, hi=127 if signed_in else 255)
            r.done(r.requant(r.conv(x0, out, kernel, **more), channel_axis=1, signed=signed_out))
    r = Region(f"{I}/Conv/Scalar_7Bit_PACT")
    acc = r.conv(r.input(1, 3, 6, 6, lo=0, hi=255), 4, (3, 3))
    r.done(r.requant(acc, signed=False, n_levels=128, domain=PACT))
    r = Region(f"{I}/Conv/WideMultiplier")  # x*mul does not fit 32 bits
    acc = r.conv(r.input(1, 16, 6, 6, lo=0, hi=255), 4, (3, 3), bias=True)
    r.done(r.requant(acc, channel_axis=1, div=1 << 22))
    r = Region(f"{I}/Conv/TwoRequants")  # these must not merge
    acc = r.conv(r.input(1, 3, 6, 6), 4, (3, 3))
    r.done(r.requant(r.requant(acc, channel_axis=1), signed=False, div=1 << 8))


def products():
    def gemm(path, x, w, rq, bias=None, alpha=1, beta=1, transA=0, transB=0):
        r = Region(f"{I}/Gemm/{path}")
        a, av = r.input(*x)
        b, bv = r.constant(*w)
        value = alpha * ((av.T if transA else av) @ (bv.T if transB else bv))
        operands = [a, b]
        if bias:
            c, cv = r.constant(*bias, lo=-5000, hi=5000)
            operands.append(c)
            value = value + beta * cv
        y = r.op("Gemm", operands, value, alpha=float(alpha), beta=float(beta), transA=transA, transB=transB)
        r.done(r.requant(y, **rq))

    gemm("TransB_Bias", (3, 20), (7, 20), {}, (7,), transB=1)
    gemm("AlphaBeta", (3, 20), (20, 7), {}, (3, 7), alpha=2, beta=3)
    gemm("TransA", (20, 3), (20, 7), {"signed": False}, transA=1)
    gemm("PerColumn", (4, 12), (12, 6), {"channel_axis": 1}, (6,))
    gemm("Deep", (2, 4001), (9, 4001), {"channel_axis": 1}, (9,), transB=1)

    r = Region(f"{I}/MatMul/BroadcastBatch_RQ")
    a, av = r.input(2, 1, 5, 12)
    b, bv = r.input(3, 12, 4)
    r.done(r.requant(r.op("MatMul", [a, b], av @ bv)))
    for path, lo, hi, (m, k, n) in [
        ("Computed_Signed_RQ", -128, 127, (5, 19, 7)), ("Computed_Unsigned_RQ", 0, 255, (11, 35, 13))
    ]:
        r = Region(f"{I}/MatMul/{path}")  # columns of b, then rows of it, side by side
        (a, av), (b, bv) = r.input(2, m, k, lo=lo, hi=hi), r.input(2, k, n)
        y = r.requant(r.op("MatMul", [a, b], av @ bv))
        t = r.op("Transpose", [b], bv.transpose(0, 2, 1), perm=[0, 2, 1])
        r.done(r.requant(r.op("MatMul", [y[0], t[0]], y[1] @ t[1])))
    r = Region(f"{I}/MatMul/Computed_Columns")
    (a, av), (b, bv) = r.input(2, 9, 6, lo=0, hi=255), r.input(2, 9, 3)
    t = r.op("Transpose", [a], av.transpose(0, 2, 1), perm=[0, 2, 1])
    r.done(r.op("MatMul", [t[0], b], t[1] @ bv))
    r = Region(f"{I}/MatMul/Unsigned_Constant")
    a, av = r.input(4, 9, lo=0, hi=255)
    b, bv = r.constant(9, 5)
    r.done(r.op("MatMul", [a, b], av @ bv))


def elementwise():
    r = Region(f"{I}/Add/Broadcast_RQ")
    (a, av), (b, bv) = r.input(1, 4, 5, 5), r.input(4, 1, 1, lo=-100, hi=100)
    r.done(r.requant(r.op("Add", [a, b], av + bv), signed=False, div=1 << 8))
    r = Region(f"{I}/Add/MixedSigns")
    (a, av), (b, bv) = r.input(3, 7), r.input(3, 7, lo=0, hi=255)
    r.done(r.op("Add", [a, b], av + bv))
    r = Region(f"{I}/Sub/Broadcast")
    (a, av), (b, bv) = r.input(2, 1, 4), r.input(3, 1)
    r.done(r.op("Sub", [a, b], av - bv))
    r = Region(f"{I}/Mul/Unsigned")
    (a, av), (b, bv) = r.input(2, 6, lo=0, hi=255), r.input(6, lo=0, hi=255)
    r.done(r.op("Mul", [a, b], av * bv))
    r = Region(f"{I}/iHardswish/RQ")
    x, v = r.input(2, 3, 16)
    y = r.op("iHardswish", [x], f.ihardswish(v, 42, 127, 255), one_over_six=42, three=127, six=255)
    r.done(r.requant(y))
    r = Region(f"{I}/iHardswish/Requant_Before")
    y, v = r.requant(r.conv(r.input(1, 2, 6, 6), 4, (3, 3)), channel_axis=1)
    y = r.op("iHardswish", [y], f.ihardswish(v, 33, 122, 244), one_over_six=33, three=122, six=244)
    r.done(r.requant(y, signed=False))
    r = Region(f"{I}/iGELU/RQ_PACT")
    x, v = r.input(2, 40)
    y = r.op("iGELU", [x], f.igelu(v, -42, 2674), domain=PACT, b=-42, one=2674)
    r.done(r.requant(y, domain=PACT))
    r = Region(f"{I}/TrueIntegerDiv/RQ")
    x, v = r.input(2, 40)
    y = r.op("TrueIntegerDiv", [x], f.true_integer_div(v, 2, 16384, 1, 200000), Delta=16384, eps=1, eta=200000, y=2)
    r.done(r.requant(y))
    r = Region(f"{I}/IntegerDiv/RQ")
    (a, av), (b, bv) = r.input(2, 5, 4), r.input(2, 5, 1, lo=20, hi=250)
    y = r.op("IntegerDiv", [a, b], f.integer_div(av, bv, 256, 1, 5), domain=PACT, Delta=256, eps=1, eta=5)
    r.done(r.requant(y))


def rows():
    r = Region(f"{I}/iSoftmax/Rows")
    x, v = r.input(2, 3, 9)
    attributes = dict(coeffA=1, coeffB=345, coeffC=62395, log2=255, n_levels=256)
    y = f.isoftmax(v, *attributes.values())
    r.done(r.op("iSoftmax", [x], y, **{k: tensor_attribute(a) for k, a in attributes.items()}))
    r = Region(f"{I}/iSoftmax/Long")
    x, v = r.input(5, 67)
    r.done(r.op("iSoftmax", [x], f.isoftmax(v, *attributes.values()), **{k: tensor_attribute(a) for k, a in attributes.items()}))
    r = Region(f"{I}/ITAMax/Rows")
    x, v = r.input(1, 2, 4, 16)
    r.done(r.op("ITAMax", [x], f.itamax(v, 256), n_levels=tensor_attribute(256)))
    r = Region(f"{I}/iRMSNorm/Rows")
    x, v = r.input(3, 24)
    w, wv = r.constant(24)
    r.done(r.op("iRMSNorm", [x, w], f.irmsnorm(v, wv, 16, 256), D=16, n_levels=256))
    r = Region(f"{I}/iLayerNorm/Rows_RQ")
    x, v = r.input(1, 3, 24)
    (w, wv), (b, bv) = r.constant(24), r.constant(24, lo=-500, hi=500)
    y = f.ilayernorm(v, wv, bv, 16)
    assert np.abs(y).max() < 128  # it is stored as int8
    attributes = dict(D=tensor_attribute(16), n_levels=tensor_attribute(256))
    r.done(r.requant(r.op("iLayerNorm", [x, w, b], y, **attributes)))
    r = Region(f"{I}/iNoNorm/Rows")
    x, v = r.input(4, 10)
    (w, wv), (b, bv) = r.constant(10, lo=-20, hi=20), r.constant(10, lo=-500, hi=500)
    y = f.inonorm(v, wv, bv, 3, 128)
    assert np.abs(y).max() < 128
    attributes = dict(D=tensor_attribute(128), mul=tensor_attribute(3), n_levels=tensor_attribute(256))
    r.done(r.op("iNoNorm", [x, w, b], y, **attributes))
    r = Region(f"{I}/IntegerMean/Spatial")
    x, v = r.input(1, 3, 5, 4)
    r.done(r.op("IntegerMean", [x], f.integer_mean(v, (2, 3), False), domain=PACT, axes=[2, 3], keepdims=0))
    r = Region(f"{I}/ReduceSum/KeepDims")
    x, v = r.input(2, 3, 5)
    a = r.name("axes")
    r.initializers[a] = np.array([-1], dtype=np.int64)
    r.done(r.op("ReduceSum", [x, a], v.sum(axis=-1, keepdims=True), keepdims=1))


def movement():
    r = Region(f"{I}/MaxPool/Unsigned")
    x, v = r.input(1, 3, 8, 8, lo=0, hi=255)
    r.done(r.op("MaxPool", [x], f.max_pool2d(v, 3, 2), kernel_shape=[3, 3], strides=[2, 2]))
    for kind, channels in [("Signed", 12), ("Unsigned", 36), ("Narrow", 5)]:
        r = Region(f"{I}/AveragePool/{kind}")
        x = r.requant(r.conv(r.input(1, 3, 9, 8), channels, (1, 1)), channel_axis=1, signed=kind != "Unsigned")
        pools = [(2, 2, 0, 0), (3, 2, 1, 0), (3, 2, 1, 1), (7, 3, 3, 0), (1, 2, 0, 0)]
        r.done(*[
            r.op("AveragePool", [x[0]], f.average_pool2d(x[1], k, s, p, c),
                 kernel_shape=[k, k], strides=[s, s], pads=[p] * 4, count_include_pad=c)
            for k, s, p, c in pools
        ])
    r = Region(f"{I}/Concat/Channels_Conv")
    x0, x1 = r.input(1, 3, 6, 6), r.input(1, 2, 6, 6)
    a = r.requant(r.conv(x0, 4, (3, 3)), channel_axis=1)
    b = r.requant(r.conv(x1, 3, (3, 3)), channel_axis=1)
    y = r.op("Concat", [a[0], b[0]], np.concatenate([a[1], b[1]], axis=1), axis=1)
    r.done(r.requant(r.conv(y, 2, (1, 1)), channel_axis=1))
    r = Region(f"{I}/Transpose/Slice_Pad", opset=10)
    x, v = r.input(1, 3, 5, 4)
    y = r.op("Transpose", [x], v.transpose(0, 2, 3, 1), perm=[0, 2, 3, 1])
    y = r.op("Pad", [y[0]], np.pad(y[1], ((0, 0), (1, 0), (0, 2), (0, 0))), pads=[0, 1, 0, 0, 0, 0, 2, 0], value=0.0)
    r.initializers["shape"] = np.array([6, -1], dtype=np.int64)
    r.done(r.op("Reshape", [y[0], "shape"], y[1].reshape(6, -1)))


def regions():
    r = Region(f"{I}/Regions/Residual")
    x = r.input(1, 4, 8, 8)
    a = r.requant(r.conv(x, 4, (3, 3), pads=[1, 1, 1, 1]), channel_axis=1)
    b = r.requant(r.conv(a, 4, (3, 3), pads=[1, 1, 1, 1]), channel_axis=1)
    y = r.op("Add", [a[0], b[0]], a[1] + b[1])
    r.done(r.requant(y, signed=False, div=1 << 8))
    r = Region(f"{I}/Regions/SharedResult")  # one tensor is an output and is read on
    x = r.input(1, 4, 6, 6)
    a = r.requant(r.conv(x, 4, (3, 3)), channel_axis=1, signed=False)
    b = r.requant(r.conv(a, 3, (2, 2)), channel_axis=1)
    r.done(a, b)


def generate():
    convolutions()
    products()
    elementwise()
    rows()
    movement()
    regions()
