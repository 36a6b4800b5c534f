"""Whole networks of the integer dialect, expected values by `formulas`."""

import formulas as f
from common import *
from integer_cases import PACT, Region

M = "Models/Int8"


def keyword_spotting():
    """A depthwise-separable network on 49 frames of 10 features, 12 keywords: the size of DS-CNN S."""
    r = Region(f"{M}/KeywordSpotting")
    x = r.input(1, 1, 49, 10)
    x = r.conv(x, 64, (10, 4), strides=[2, 2], pads=[4, 1, 5, 1])
    x = r.requant(x, channel_axis=1, signed=False)
    for _ in range(4):
        x = r.conv(x, 64, (3, 3), group=64, pads=[1, 1, 1, 1])
        x = r.requant(x, channel_axis=1, signed=False)
        x = r.conv(x, 64, (1, 1))
        x = r.requant(x, channel_axis=1, signed=False)
    x = r.op("IntegerMean", [x[0]], f.integer_mean(x[1], (2, 3), False), domain=PACT, axes=[2, 3], keepdims=0)
    w, wv = r.constant(12, 64)
    b, bv = r.constant(12, lo=-2000, hi=2000)
    x = r.op("Gemm", [x[0], w, b], x[1] @ wv.T + bv, transB=1)
    r.done(x)


def visual_wake_words():
    """MobileNetV1 of a quarter of its width on 96x96 pixels of three colours, person or not: the size of MLPerf Tiny's."""
    r = Region(f"{M}/VisualWakeWords")
    r.narrow = True
    x = r.input(1, 3, 96, 96)
    down = dict(strides=[2, 2], pads=[0, 0, 1, 1])
    x = r.requant(r.conv(x, 8, (3, 3), **down), channel_axis=1, signed=False)
    blocks = [(16, False), (32, True), (32, False), (64, True), (64, False), (128, True)]
    for out, halved in blocks + 5 * [(128, False)] + [(256, True), (256, False)]:
        stride = down if halved else dict(pads=[1, 1, 1, 1])
        x = r.conv(x, x[1].shape[1], (3, 3), group=x[1].shape[1], **stride)
        x = r.requant(x, channel_axis=1, signed=False, least=8000)
        x = r.requant(r.conv(x, out, (1, 1)), channel_axis=1, signed=False)
    x = r.op("IntegerMean", [x[0]], f.integer_mean(x[1], (2, 3), False), domain=PACT, axes=[2, 3], keepdims=0)
    w, wv = r.constant(2, 256)
    x = r.op("Gemm", [x[0], w], x[1] @ wv.T, transB=1)
    r.done(x)


def autoencoder():
    """Dense layers down and up again: the shape of an anomaly detector, small."""
    r = Region(f"{M}/AutoEncoder")
    x = r.input(1, 64)
    for size in (32, 32, 8, 32, 32, 64):
        w, wv = r.constant(size, x[1].shape[1])
        x = r.op("Gemm", [x[0], w], x[1] @ wv.T, transB=1)
        x = r.requant(x, channel_axis=1, signed=size == 64)
    r.done(x)


def attention():
    """One attention head with integer softmax."""
    r = Region(f"{M}/Attention")
    x = r.input(1, 6, 16)
    parts = []
    for _ in range(3):
        w, wv = r.constant(16, 16)
        parts.append(r.requant(r.op("MatMul", [x[0], w], x[1] @ wv)))
    (q, qv), (k, kv), (v, vv) = parts
    kt = r.op("Transpose", [k], kv.transpose(0, 2, 1), perm=[0, 2, 1])
    scores = r.requant(r.op("MatMul", [q, kt[0]], qv @ kt[1]))
    attributes = dict(coeffA=1, coeffB=345, coeffC=62395, log2=255, n_levels=256)
    value = f.isoftmax(scores[1], *attributes.values())
    p = r.op("iSoftmax", [scores[0]], value, **{a: tensor_attribute(n) for a, n in attributes.items()})
    r.done(r.requant(r.op("MatMul", [p[0], v], p[1] @ vv)))


def generate():
    keyword_spotting()
    visual_wake_words()
    autoencoder()
    attention()
