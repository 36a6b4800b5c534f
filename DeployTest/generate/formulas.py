"""The integer dialect's formulas, in numpy on 64-bit integers.

Independent of tilewright: written from the definitions of the operators, and used to compute the expected
values of the integer cases.
"""

import math

import numpy as np


def i64(x):
    return np.asarray(x).astype(np.int64)


def requant(x, mul, add, div, n_levels, signed):
    lo, hi = (-(n_levels // 2), n_levels // 2 - 1) if signed else (0, n_levels - 1)
    shift = int(div).bit_length() - 1
    assert 1 << shift == div
    return np.clip((i64(x) * i64(mul) + i64(add) + div // 2) >> shift, lo, hi)


def trunc_div(a, b):
    """C's division: towards zero."""
    a, b = np.broadcast_arrays(i64(a), i64(b))
    return np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))


def conv(x, w, strides=None, pads=None, dilations=None, group=1):
    """Direct convolution of any rank, channels first."""
    x, w = i64(x), i64(w)
    n = w.ndim - 2
    strides, dilations = strides or [1] * n, dilations or [1] * n
    pads = pads or [0] * (2 * n)
    x = np.pad(x, [(0, 0), (0, 0)] + [(pads[i], pads[n + i]) for i in range(n)])
    extent = [(w.shape[2 + i] - 1) * dilations[i] + 1 for i in range(n)]
    size = [(x.shape[2 + i] - extent[i]) // strides[i] + 1 for i in range(n)]
    per_in, per_out = x.shape[1] // group, w.shape[0] // group
    y = np.zeros((x.shape[0], w.shape[0], *size), dtype=np.int64)
    for tap in np.ndindex(*w.shape[2:]):
        window = tuple(
            slice(tap[i] * dilations[i], tap[i] * dilations[i] + (size[i] - 1) * strides[i] + 1, strides[i])
            for i in range(n)
        )
        for g in range(group):
            part = x[(slice(None), slice(g * per_in, (g + 1) * per_in), *window)]
            weights = w[(slice(g * per_out, (g + 1) * per_out), slice(None), *tap)]
            y[:, g * per_out : (g + 1) * per_out] += np.einsum("nc...,oc->no...", part, weights)
    return y


def max_pool2d(x, kernel, stride):
    h = (x.shape[2] - kernel) // stride + 1
    w = (x.shape[3] - kernel) // stride + 1
    y = np.full((*x.shape[:2], h, w), np.iinfo(np.int64).min)
    for i in range(kernel):
        for j in range(kernel):
            y = np.maximum(y, i64(x)[:, :, i : i + h * stride : stride, j : j + w * stride : stride][:, :, :h, :w])
    return y


def average_pool2d(x, kernel, stride, pad, count_pads):
    h, w = ((size + 2 * pad - kernel) // stride + 1 for size in x.shape[2:])
    padded = np.pad(i64(x), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    inside = np.pad(np.ones(x.shape[2:], dtype=np.int64), pad, constant_values=int(count_pads))
    y = np.zeros((*x.shape[:2], h, w), dtype=np.int64)
    for i, j in np.ndindex(h, w):
        at = (slice(i * stride, i * stride + kernel), slice(j * stride, j * stride + kernel))
        count = inside[at].sum()
        y[:, :, i, j] = (2 * padded[:, :, *at].sum(axis=(2, 3)) + count) // (2 * count)
    return y


def isqrt(x):
    return np.vectorize(math.isqrt, otypes=[np.int64])(i64(x))


def isoftmax(x, a, b, c, log2, n_levels):
    t = i64(x) - i64(x).max(axis=-1, keepdims=True)
    z = np.clip(trunc_div(-t, log2), 0, 31)
    p = t + z * log2
    y = (a * (p + b) ** 2 + c) >> z
    return y * (n_levels - 1) // y.sum(axis=-1, keepdims=True)


def igelu(x, b, one):
    x = i64(x)
    q = np.minimum(np.abs(x), -b)
    d = q + b
    erf = np.sign(x) * (-d * d + one)
    return x * ((one + erf) >> 1)


def ihardswish(x, one_over_six, three, six):
    return i64(x) * np.clip(i64(x) + three, 0, six) * one_over_six


def irmsnorm(x, weight, d, n_levels):
    x, weight = i64(x), i64(weight)
    std = isqrt((x * x).sum(axis=-1, keepdims=True) // x.shape[-1] + 1)
    y = trunc_div(x * weight, std) >> (int(d).bit_length() - 1)
    return np.clip(y, -(n_levels // 2), n_levels // 2 - 1)


def ilayernorm(x, weight, bias, d):
    x = i64(x)
    mean = trunc_div(x.sum(axis=-1, keepdims=True), x.shape[-1])
    s = ((x - mean) ** 2).sum(axis=-1, keepdims=True) // x.shape[-1] + 1
    return (trunc_div((x - mean) * i64(weight), isqrt(s)) + i64(bias)) >> (int(d).bit_length() - 1)


def integer_mean(x, axes, keepdims=True):
    n = int(np.prod([x.shape[a] for a in axes]))
    total = i64(x).sum(axis=tuple(axes), keepdims=keepdims)
    return (2 * total + n) // (2 * n)


def inonorm(x, weight, bias, mul, d):
    return ((i64(x) * i64(weight) + i64(bias)) * mul) >> (int(d).bit_length() - 1)


def true_integer_div(x, y, delta, eps, eta):
    return (delta * eta * i64(x)) // (eta * y + eps)


def integer_div(num, den, delta, eps, eta):
    n = delta * eta * i64(num)
    d = eta * i64(den) + eps
    return trunc_div(n + np.sign(n) * (d >> 1), d)


def itamax(x, n_levels):
    x = i64(x)
    shift = (x.max(axis=-1, keepdims=True) - x + 16) >> 5
    inverse = ((n_levels - 1) * 256) // (256 >> shift).sum(axis=-1, keepdims=True)
    return inverse >> shift
