"""Building blocks: models of one node, cases on disk.

In: nodes and arrays. Out: case directories. Never computes an expected value itself: floats come from
onnxruntime (or onnx's own reference evaluator), integers from `formulas`.
"""

import os
import shutil
import zlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ort.set_default_logger_severity(3)

# The oldest format version that admits an operator set; onnxruntime refuses newer files than it knows.
IR_VERSION = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10}

written = []


def rng(name):
    """A generator that depends on the case's name only, so that adding a case changes no other."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def floats(name, *shape, scale=1.0, offset=0.0):
    return (rng(name).standard_normal(shape) * scale + offset).astype(np.float32)


def ints(name, *shape, lo=-128, hi=127):
    """Integers stored as floats, as the integer dialect has them."""
    return rng(name).integers(lo, hi, size=shape, endpoint=True).astype(np.float32)


def node(op, inputs, outputs=("y",), domain="", **attributes):
    attributes = {k: v for k, v in attributes.items() if v is not None}
    return helper.make_node(op, list(inputs), list(outputs), name="", domain=domain, **attributes)


def model(name, nodes, inputs, initializers, outputs, opset, domains=()):
    """`inputs` and `outputs`: name → array (its type and shape are declared)."""
    for i, n in enumerate(nodes):
        n.name = n.name or f"{n.op_type}_{i}"
    graph = helper.make_graph(
        nodes,
        name,
        # Before format version 4 every initialiser had to be listed as an input, too.
        [declare(k, v) for k, v in [*inputs.items(), *(initializers.items() if IR_VERSION[opset] < 4 else ())]],
        [declare(k, v) for k, v in outputs.items()],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in initializers.items()],
    )
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    made = helper.make_model(graph, opset_imports=opsets, producer_name="DeployTest")
    made.ir_version = IR_VERSION[opset]
    return made


def declare(name, array):
    if array is None:
        return helper.make_empty_tensor_value_info(name)
    array = np.asarray(array)
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def evaluate(made, inputs, by_reference=False):
    if by_reference:
        return ReferenceEvaluator(made).run(None, inputs)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def float_case(path, nodes, inputs, initializers=None, opset=13, outputs=("y",), by_reference=False, domains=(), check=True):
    """A case whose expected values come from an independent implementation of ONNX."""
    initializers = initializers or {}
    draft = model(path, nodes, inputs, initializers, {o: None for o in outputs}, opset, domains)
    values = evaluate(draft, inputs, by_reference)
    results = dict(zip(outputs, values))
    made = model(path, nodes, inputs, initializers, results, opset, domains)
    if not domains and check:
        onnx.checker.check_model(made, full_check=True)
    save(path, made, inputs, results)


def integer_case(path, nodes, inputs, initializers, results, opset=13, domains=()):
    """A case of the integer dialect: everything is stored as float, `results` were computed by formulas."""
    results = {k: np.asarray(v) for k, v in results.items()}
    for k, v in results.items():
        assert np.all(v == np.round(v)), (path, k)
    stored = {k: v.astype(np.float32) for k, v in results.items()}
    made = model(path, nodes, inputs, initializers, stored, opset, domains)
    save(path, made, inputs, {k: v.astype(np.int32) for k, v in results.items()})


def directory(path):
    full = os.path.join(ROOT, path)
    if os.path.isdir(full):
        shutil.rmtree(full)
    os.makedirs(full)
    written.append(path)
    return full


def save(path, made, inputs, outputs):
    full = directory(path)
    with open(os.path.join(full, "network.onnx"), "wb") as f:
        f.write(made.SerializeToString(deterministic=True))
    np.savez(os.path.join(full, "inputs.npz"), **inputs)
    np.savez(os.path.join(full, "outputs.npz"), **outputs)


def save_onnx_layout(path, made, data_sets, by_reference=False):
    """`model.onnx` with `test_data_set_N/input_M.pb`, the layout of onnx's own node tests."""
    full = directory(path)
    with open(os.path.join(full, "model.onnx"), "wb") as f:
        f.write(made.SerializeToString(deterministic=True))
    for i, inputs in enumerate(data_sets):
        folder = os.path.join(full, f"test_data_set_{i}")
        os.makedirs(folder)
        results = evaluate(made, inputs, by_reference)
        names = [o.name for o in made.graph.output]
        for kind, arrays in (("input", inputs), ("output", dict(zip(names, results)))):
            for j, (name, array) in enumerate(arrays.items()):
                tensor = numpy_helper.from_array(np.asarray(array), name)
                with open(os.path.join(folder, f"{kind}_{j}.pb"), "wb") as f:
                    f.write(tensor.SerializeToString(deterministic=True))


def tensor_attribute(x):
    """A scalar as the integer dialect's exporters write it: a float tensor of one element."""
    return numpy_helper.from_array(np.array([x], dtype=np.float32))


__all__ = [
    "ROOT", "TensorProto", "declare", "directory", "evaluate", "float_case", "floats", "helper", "integer_case", "ints",
    "model", "node", "np", "numpy_helper", "rng", "save", "save_onnx_layout", "tensor_attribute", "written",
]
