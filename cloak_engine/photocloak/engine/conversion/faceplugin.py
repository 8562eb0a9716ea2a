"""Faceplugin's MobileFaceNet from its ONNX file. Not shipped.

A PyTorch export with batch normalisations folded. The package feeds RGB, less 127 and divided by
128; in BGR one person's photos are more alike (mean cosine on LFW .68 instead of .64), so that the
file was hardly trained on RGB. Scale and order of colours fold into the first kernel.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from photocloak.core import ModelError
from photocloak.engine.conversion.writer import GraphWriter

MEAN = SCALE = 127.5


def convert(path: Path) -> onnx.ModelProto:
    """Return the network: chips (N, 3, 112, 112) RGB 0..255 to embedding (N, 512)."""
    source = onnx.load(path)
    weights = {
        t.name: numpy_helper.to_array(t).astype(np.float64) for t in source.graph.initializer
    }
    graph = GraphWriter("faceplugin", "chips", ["N", 3, 112, 112])
    image = source.graph.input[0].name
    tensors = {image: graph.op("Sub", "chips", np.reshape(MEAN, (1, 1, 1, 1)))}
    for node in source.graph.node:
        x, [output] = tensors[node.input[0]], node.output
        match node.op_type:
            case "Conv":
                kernel, bias = (weights[name] for name in node.input[1:])
                if node.input[0] == image:
                    kernel = kernel[:, ::-1] / SCALE  # takes RGB instead of BGR
                attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
                stride, _ = attributes["strides"]
                pads, group = attributes["pads"], attributes["group"]
                tensors[output] = graph.conv(x, kernel, bias, stride=stride, pads=pads, group=group)
            case "PRelu":
                tensors[output] = graph.op("PRelu", x, weights[node.input[1]])
            case "Add":
                tensors[output] = graph.op("Add", x, tensors[node.input[1]])
            case "Reshape":
                graph.op("Flatten", x, output="embedding")
            case other:
                raise ModelError(f"{path} is not Faceplugin's MobileFaceNet: it has a {other}.")
    graph.output("embedding", ["N", 512])
    return graph.model()
