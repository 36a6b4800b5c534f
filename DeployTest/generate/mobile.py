"""Networks of the kinds that people run on microcontrollers, in the integer dialect; expected values by `formulas`.

Pictures come as the cameras give them: channels last. The small ones are cases of DeployTest; all of them are written by
`python3 DeployTest/generate/mobile.py DIR` (`cargo bench --bench ram` does).
"""

import sys

import common
import formulas as f
from common import *
from integer_cases import PACT, Region

M = "Models/Int8"


def channels(n, alpha, by=8):
    """As many as MobileNets have: a multiple of `by`, no less than nine tenths."""
    wanted = n * alpha
    rounded = max(by, int(wanted + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * wanted else rounded


class Net(Region):
    def picture(self, size, colours=3):
        x = self.input(1, size, size, colours)
        return self.op("Transpose", [x[0]], x[1].transpose(0, 3, 1, 2), perm=[0, 3, 1, 2])

    def layer(self, x, out, k=1, stride=1, group=1, linear=False):
        """A convolution of windows of k by k that keeps the size, or halves it."""
        before, behind = (k - stride) // 2 if k > 1 else 0, (k - 1) // 2
        pads = dict(pads=[max(before, 0), max(before, 0), behind, behind]) if k > 1 else {}
        y = self.conv(x, out, (k, k), group=group, strides=[stride, stride], bias=True, **pads)
        return self.requant(y, channel_axis=1, signed=linear)

    def depthwise(self, x, k=3, stride=1):
        c = x[1].shape[1]
        return self.layer(x, c, k, stride, group=c)

    def separable(self, x, out, stride=1):
        return self.layer(self.depthwise(x, 3, stride), out)

    def add(self, x, y):
        return self.requant(self.op("Add", [x[0], y[0]], x[1] + y[1]))

    def inverted(self, x, out, expansion=6, k=3, stride=1):
        """An inverted residual block."""
        c = x[1].shape[1]
        y = self.layer(x, c * expansion) if expansion > 1 else x
        y = self.layer(self.depthwise(y, k, stride), out, linear=True)
        return self.add(x, y) if stride == 1 and c == out else y

    def classes(self, x, n):
        x = self.op("IntegerMean", [x[0]], f.integer_mean(x[1], (2, 3), False), domain=PACT, axes=[2, 3], keepdims=0)
        w, wv = self.constant(n, x[1].shape[1])
        self.done(self.op("Gemm", [x[0], w], x[1] @ wv.T, transB=1))


def mobilenet_v1(name, alpha, size, colours=3, n=10):
    r = Net(f"{M}/{name}")
    c = lambda n: channels(n, alpha)
    x = r.layer(r.picture(size, colours), c(32), 3, 2)
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for out, stride in blocks:
        x = r.separable(x, c(out), stride)
    r.classes(x, n)


def fd_mobilenet(name, alpha, size, n=10):
    """Fast downsampling: a thirty-second of the size after a few layers."""
    r = Net(f"{M}/{name}")
    c = lambda n: channels(n, alpha)
    x = r.layer(r.picture(size), c(32), 3, 2)
    for out, stride in [(64, 2), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 4, (1024, 1)]:
        x = r.separable(x, c(out), stride)
    r.classes(x, n)


def inverted_residuals(name, size, stem, first, stages, n=10, colours=3):
    """Stages of (expansion, channels, repeats, stride, window)."""
    r = Net(f"{M}/{name}")
    x = r.layer(r.picture(size, colours), stem, 3, 2)
    x = r.layer(r.depthwise(x), first, linear=True)
    for expansion, out, repeats, stride, k in stages:
        for i in range(repeats):
            x = r.inverted(x, out, expansion, k, stride if i == 0 else 1)
    r.classes(x, n)


def mobilenet_v2(name, alpha, size, n=10, last=6):
    stages = [(6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3), (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3)]
    stages = [(e, channels(c, alpha), r, s, k) for e, c, r, s, k in stages[:last]]
    inverted_residuals(name, size, channels(32, alpha), channels(16, alpha), stages, n)


def resnet8(name, n=10, width=16, size=32):
    r = Net(f"{M}/{name}")
    x = r.layer(r.picture(size), width, 3)
    for stage in range(3):
        out, stride = width << stage, 1 if stage == 0 else 2
        y = r.layer(r.layer(x, out, 3, stride), out, 3, linear=True)
        x = r.add(x if stage == 0 else r.layer(x, out, 1, stride, linear=True), y)
    r.classes(x, n)


def small():
    """What DeployTest holds."""
    stages = [(4, 8, 2, 2, 5), (4, 16, 2, 2, 3)]
    inverted_residuals("InvertedResiduals", 48, 8, 8, stages, n=4)


def all_of_them():
    mobilenet_v1("MobileNetV1_025_96", 0.25, 96)
    mobilenet_v1("MobileNetV1_025_128", 0.25, 128)
    mobilenet_v1("MobileNetV1_025_96_grey", 0.25, 96, colours=1)
    mobilenet_v1("MobileNetV1_050_96", 0.5, 96)
    mobilenet_v2("MobileNetV2_035_96", 0.35, 96)
    mobilenet_v2("MobileNetV2_035_128", 0.35, 128)
    mobilenet_v2("MobileNetV2_050_96", 0.5, 96)
    fd_mobilenet("FDMobileNet_050_96", 0.5, 96)
    fd_mobilenet("FDMobileNet_025_128", 0.25, 128)
    mcunet = [(3, 16, 2, 2, 7), (4, 24, 2, 2, 5), (5, 40, 2, 2, 5), (4, 48, 2, 1, 7), (5, 96, 2, 2, 3), (6, 160, 1, 1, 3)]
    inverted_residuals("MCUNet_128", 128, 16, 8, mcunet)
    inverted_residuals("MCUNet_160", 160, 16, 8, mcunet)
    inverted_residuals("MCUNet_96_vww", 96, 16, 8, [(5, 16, 2, 2, 3), (6, 24, 2, 2, 7), (4, 40, 3, 2, 5), (5, 48, 2, 1, 3)], n=2)
    proxyless = [(3, 8, 2, 2, 5), (3, 16, 3, 2, 7), (6, 24, 2, 2, 7), (3, 32, 2, 1, 5), (6, 56, 3, 2, 7), (6, 96, 1, 1, 7)]
    inverted_residuals("ProxylessNAS_112", 112, 16, 8, proxyless)
    mnasnet = [(3, 8, 3, 2, 3), (3, 16, 3, 2, 5), (6, 32, 2, 2, 5), (6, 32, 2, 1, 3), (6, 64, 2, 2, 5)]
    inverted_residuals("MnasNet_035_96", 96, 16, 8, mnasnet)
    resnet8("ResNet8_32")
    resnet8("ResNet8_64", size=64)
    small()


def generate():
    small()


if __name__ == "__main__":
    common.ROOT = sys.argv[1]
    all_of_them()
