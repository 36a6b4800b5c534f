"""Writes every case of DeployTest: `python3 DeployTest/generate`.

Needs onnx, onnxruntime and numpy (requirements.txt). The same versions write the same bytes, so a change of a
case shows in the diff.
"""

import os

import common
import float_cases
import integer_cases
import layout_cases
import mobile
import models
import row_cases

for part in (float_cases, row_cases, integer_cases, layout_cases, models, mobile):
    part.generate()

size = 0
for path in common.written:
    for folder, _, files in os.walk(os.path.join(common.ROOT, path)):
        size += sum(os.path.getsize(os.path.join(folder, f)) for f in files)
print(f"{len(common.written)} cases, {size / 1e6:.2f} MB")
