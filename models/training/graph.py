"""The ONNX graph of the Loom x2 networks, written node by node.

Only Pad, Conv, Relu and Add are used, so that ONNX Runtime fuses every
activation into its convolution and keeps the features in its blocked layout.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def cubic_base() -> np.ndarray:
    """Cubic interpolation (a = -0.5) by two as a 5x5 convolution to 4 phases.

    Output sample 2*i + d of an aligned x2 picture lies at i - 0.25 + d / 2 in
    input samples. Channel = 2 * dy + dx, the order of PyTorch's pixel_shuffle.
    """

    def kernel(x):
        x = np.abs(x)
        near = (1.5 * x - 2.5) * x * x + 1.0
        far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
        return np.where(x <= 1, near, np.where(x < 2, far, 0.0))

    taps = np.arange(-2, 3, dtype=np.float64)
    row = [kernel(taps + 0.25), kernel(taps - 0.25)]
    weight = np.zeros((4, 1, 5, 5), dtype=np.float32)
    for dy in range(2):
        for dx in range(2):
            weight[2 * dy + dx, 0] = np.outer(row[dy], row[dx])
    return weight


def build(layers, base, producer="loom-training", doc=""):
    """layers: list of (weight, bias); the first is 5x5, the others 3x3.
    base: (4, 1, 5, 5). Returns a checked ModelProto."""
    nodes, inits = [], []

    def const(name, array):
        inits.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    pads = const("pads", np.array([0, 0, 2, 2, 0, 0, 2, 2], dtype=np.int64))
    nodes.append(helper.make_node("Pad", ["y", pads], ["padded"], "pad", mode="edge"))
    x = "padded"
    last = len(layers) - 1
    for i, (weight, bias) in enumerate(layers):
        k = weight.shape[-1]
        pad = [0, 0, 0, 0] if i == 0 else [k // 2] * 4
        out = "residual" if i == last else f"conv{i}_out"
        nodes.append(
            helper.make_node(
                "Conv",
                [x, const(f"w{i}", weight.astype(np.float32)), const(f"b{i}", bias.astype(np.float32))],
                [out],
                f"conv{i}",
                kernel_shape=[k, k],
                pads=pad,
            )
        )
        x = out
        if i != last:
            nodes.append(helper.make_node("Relu", [x], [f"relu{i}_out"], f"relu{i}"))
            x = f"relu{i}_out"
    nodes.append(
        helper.make_node("Conv", ["padded", const("w_base", base.astype(np.float32))], ["base"], "base", kernel_shape=[5, 5])
    )
    nodes.append(helper.make_node("Add", ["residual", "base"], ["subpixel"], "add"))
    graph = helper.make_graph(
        nodes,
        "loom",
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, "h", "w"])],
        [helper.make_tensor_value_info("subpixel", TensorProto.FLOAT, [1, 4, "h", "w"])],
        inits,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name=producer)
    model.ir_version = 8
    model.doc_string = doc
    onnx.checker.check_model(model, full_check=True)
    return model
