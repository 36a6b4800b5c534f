"""Softmaxes, norms, quantisation and training; expected values from onnxruntime, gradients from numpy."""

from common import *

F = "Kernels/FP32"
MS = "com.microsoft"


def one(path, op, inputs, opset=17, weights=None, outputs=("y",), domain="", by_reference=False, **attributes):
    nodes = [node(op, [*inputs, *(weights or {})], outputs, domain=domain, **attributes)]
    used = [o for o in outputs if o]
    float_case(f"{F}/{path}", nodes, inputs, weights, opset, used, by_reference, [domain] if domain else [],
               check=not op.startswith("Simplified"))  # onnxruntime's own, in the standard's domain


def softmaxes():
    x = {"x": floats("rows", 2, 3, 5)}
    one("Softmax/Coerced_Axis0_Opset7", "Softmax", x, 7, axis=0)
    one("Softmax/Rank1", "Softmax", {"x": floats("rank1", 9)}, 13)
    one("Softmax/Large", "Softmax", {"x": floats("large", 2, 7, scale=200.0)}, 13)
    one("LogSoftmax/Coerced_Opset11", "LogSoftmax", x, 11, axis=1)
    one("LogSoftmax/InnerAxis", "LogSoftmax", x, 13, axis=1)
    one("Hardmax/InnerAxis", "Hardmax", x, 13, axis=1)
    one("Hardmax/Coerced_Opset11", "Hardmax", x, 11, axis=1)


def norms():
    x = {"x": floats("norms", 2, 6, 5)}
    scale, bias = floats("norms/s", 6, 5), floats("norms/b", 6, 5)
    one("LayerNormalization/Statistics", "LayerNormalization", x, weights={"s": scale, "b": bias},
        outputs=("y", "mean", "inv"), axis=1)
    one("LayerNormalization/Deviation", "LayerNormalization", x, weights={"s": scale[0]}, outputs=("y", "", "inv"))
    one("RMSNorm/Simplified", "SimplifiedLayerNormalization", x, weights={"s": scale[0]}, axis=-1, epsilon=0.01)
    one("LpNormalization/L1", "LpNormalization", x, p=1, axis=1)
    one("LpNormalization/L2", "LpNormalization", x)
    one("LRN/Odd", "LRN", {"x": floats("lrn", 1, 7, 3, 2, scale=3.0)}, 13, size=3, alpha=0.9, beta=0.6, bias=1.5)
    # onnx's reference evaluator is right where there are as many images as channels.
    one("LRN/Even", "LRN", {"x": floats("lrn", 5, 5, 1, 2, scale=3.0)}, 13, by_reference=True, size=4, alpha=0.5)
    one("InstanceNormalization/OneD", "InstanceNormalization", {"x": floats("in", 2, 3, 9)},
        weights={"s": floats("in/s", 3), "b": floats("in/b", 3)}, epsilon=0.1)
    one("GroupNormalization/OneGroup", "GroupNormalization", {"x": floats("gn", 2, 3, 9)}, 21,
        {"s": floats("gn/s", 3), "b": floats("gn/b", 3)}, num_groups=1)


def quantisation():
    x = {"x": floats("quant", 2, 3, 6, scale=40.0)}
    scales = np.array([0.5, 0.25, 1.75], dtype=np.float32)
    for kind, lo, hi in (("int8", -20, 20), ("uint8", 0, 255), ("int16", -3000, 3000), ("uint16", 0, 60000)):
        zero = rng(kind).integers(lo, hi, 3).astype(kind)
        opset = 21 if "16" in kind else 13
        one(f"QuantizeLinear/PerAxis_{kind}", "QuantizeLinear", x, opset, {"s": scales, "z": zero}, axis=1)
        q = rng(kind + "x").integers(np.iinfo(kind).min, np.iinfo(kind).max, (2, 3, 6)).astype(kind)
        one(f"DequantizeLinear/PerAxis_{kind}", "DequantizeLinear", {"x": q}, opset, {"s": scales, "z": zero}, axis=-2)
    ties = {"x": np.array([[0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 127.5, 128.5, -128.5, 300.0, -300.0]], dtype=np.float32)}
    scalar = np.array(1.0, dtype=np.float32)
    one("QuantizeLinear/Ties", "QuantizeLinear", ties, 13, {"s": scalar, "z": np.array(3, dtype=np.int8)})
    one("QuantizeLinear/NoZeroPoint", "QuantizeLinear", ties, 10, {"s": scalar})
    one("DequantizeLinear/Int32", "DequantizeLinear", {"x": rng("i32").integers(-(2**20), 2**20, (5, 3)).astype(np.int32)}, 10,
        {"s": np.array(0.125, dtype=np.float32)})


def training():
    x = {"x": floats("loss", 4, 5, 3), "labels": rng("labels").integers(0, 5, (4, 3))}
    weights = {"w": np.abs(floats("loss/w", 5))}
    for reduction in ("mean", "sum", "none"):
        one(f"SoftmaxCrossEntropyLoss/Weighted_{reduction}", "SoftmaxCrossEntropyLoss", x, 13, weights,
            outputs=("loss", "log_prob"), reduction=reduction, ignore_index=2)
        one(f"SoftmaxCrossEntropyLoss/Loss_{reduction}", "SoftmaxCrossEntropyLoss", x, 13,
            outputs=("loss",), reduction=reduction)
    gradients()


def write(path, op, inputs, results, opset=17, **attributes):
    """A case of an operator onnxruntime's inference build lacks; `results` were computed here in double precision."""
    stored = {k: v.astype(np.float32) for k, v in results.items()}
    nodes = [node(op, list(inputs), list(results), domain=MS, **attributes)]
    save(f"{F}/{path}", model(path, nodes, inputs, {}, stored, opset, [MS]), inputs, stored)


def log_softmax(x):
    x = x.astype(np.float64)
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def gradients():
    log_prob = log_softmax(floats("grad", 4, 5, 3))
    labels = rng("grad/labels").integers(0, 5, (4, 3))
    hot = (np.arange(5)[None, :, None] == labels[:, None, :]).astype(np.float64)
    dy, dys = floats("grad/dy"), floats("grad/dys", 4, 3)
    plain = np.exp(log_prob) - hot
    inputs = {"dy": dy, "log_prob": log_prob.astype(np.float32), "labels": labels}
    write("SoftmaxCrossEntropyLossGrad/Mean", "SoftmaxCrossEntropyLossGrad", inputs, {"dx": plain * dy / 12}, reduction="mean")
    write("SoftmaxCrossEntropyLossGrad/Sum", "SoftmaxCrossEntropyLossGrad", inputs, {"dx": plain * dy}, reduction="sum")
    write("SoftmaxCrossEntropyLossGrad/None", "SoftmaxCrossEntropyLossGrad", inputs | {"dy": dys},
          {"dx": plain * dys[:, None, :]}, reduction="none")
    d, v = floats("grad/d", 2, 3, 4), floats("grad/v", 2, 3, 4)
    y = np.exp(log_softmax(v))
    inputs = {"dy": d, "y": y.astype(np.float32)}
    write("SoftmaxGrad/InnerAxis", "SoftmaxGrad_13", inputs, {"dx": y * (d - (d * y).sum(axis=1, keepdims=True))}, axis=1)
    flat = np.exp(log_softmax(v.reshape(2, 12))).reshape(v.shape)
    inputs = {"dy": d, "y": flat.astype(np.float32)}
    write("SoftmaxGrad/Coerced", "SoftmaxGrad", inputs, {"dx": flat * (d - (d * flat).sum(axis=(1, 2), keepdims=True))}, axis=1)
    layer_norm_gradients(d, v)
    tanh = np.sqrt(2 / np.pi) * (v + 0.044715 * v.astype(np.float64) ** 3)
    slope = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * v.astype(np.float64) ** 2)
    dx = d * (0.5 * (1 + np.tanh(tanh)) + 0.5 * v * slope / np.cosh(tanh) ** 2)
    write("GeluGrad/Tanh", "FastGeluGrad", {"dy": d, "x": v}, {"dx": dx})


def layer_norm_gradients(dy, x):
    scale = floats("grad/scale", 3, 4)
    rows = (1, 2)
    mean = x.astype(np.float64).mean(axis=rows, keepdims=True)
    inv = 1 / np.sqrt(((x - mean) ** 2).mean(axis=rows, keepdims=True) + 1e-5)
    h, g = (x - mean) * inv, dy * scale
    dx = inv * (g - g.mean(axis=rows, keepdims=True) - h * (g * h).mean(axis=rows, keepdims=True))
    inputs = {"dy": dy, "x": x, "scale": scale, "mean": mean.astype(np.float32), "inv": inv.astype(np.float32)}
    results = {"dx": dx, "dscale": (dy * h).sum(axis=0), "dbias": dy.sum(axis=0)}
    write("LayerNormalizationGrad/Statistics", "LayerNormalizationGrad", inputs, results, axis=1)


def generate():
    softmaxes()
    norms()
    quantisation()
    training()
