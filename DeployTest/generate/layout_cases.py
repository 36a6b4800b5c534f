"""The layout of onnx's own node tests, and things about files: external data, dynamic dimensions."""

import os

import onnx

from common import *

L = "Layouts"


def linear(name, batch=2):
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Add", ["h", "b"], ["s"]), node("Relu", ["s"])]
    initial = {"w": floats(name + "/w", 6, 4), "b": floats(name + "/b", 4)}
    shapes = {"x": np.zeros((batch, 6), np.float32)}, {"y": np.zeros((batch, 4), np.float32)}
    return model(name, nodes, shapes[0], initial, shapes[1], 13)


def generate():
    data = [{"x": floats(f"{L}/set{i}", 2, 6)} for i in range(3)]
    save_onnx_layout(f"{L}/ThreeDataSets", linear("ThreeDataSets"), data)

    two = model("TwoInputs", [node("Sub", ["a", "b"])], {"a": np.zeros((2, 3), np.float32), "b": np.zeros(3, np.float32)},
                {}, {"y": np.zeros((2, 3), np.float32)}, 13)
    save_onnx_layout(f"{L}/TwoInputs", two, [{"a": floats("a", 2, 3), "b": floats("b", 3)}])

    dynamic = linear("DynamicBatch")
    for value in [*dynamic.graph.input, *dynamic.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    save_onnx_layout(f"{L}/DynamicBatch", dynamic, [{"x": floats("dynamic", 3, 6)}])

    path = f"{L}/ExternalData"
    made, inputs = linear("ExternalData"), {"x": floats("external", 2, 6)}
    results = {"y": evaluate(made, inputs)[0]}
    save(path, made, inputs, results)
    file = os.path.join(ROOT, path, "network.onnx")
    onnx.save_model(made, file, save_as_external_data=True, location="weights.bin", size_threshold=0)
