"""A small recogniser as a user may add one: its manifest, its graph, and what to run it on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper, parser

from photocloak.engine.extractors import (
    ExtractorSpec,
    Objective,
    read_spec,
)

Array = npt.NDArray[np.float32]

SIZE, FEATURES = 8, 5
NODES = {
    "plain": """n = Sub(data, mean)
        c = Conv<pads=[1,1,1,1], strides=[2,2]>(n, w)
        r = Relu(c)
        f = Reshape(r, shape)
        y = Gemm<transB=1>(f, g)""",
    "with Elu": """c = Conv<pads=[1,1,1,1], strides=[2,2]>(data, w)
        r = Elu(c)
        f = Reshape(r, shape)
        y = Gemm<transB=1>(f, g)""",
    "with Bernoulli": "c = Bernoulli(data) r = Conv<strides=[2,2], pads=[1,1,1,1]>(c, w)\n"
    "f = Reshape(r, shape) y = Gemm<transB=1>(f, g)",
    "with Nonsense": "y = Nonsense(data)",
    "channels last": """t = Transpose<perm=[0,3,1,2]>(data)
        c = Conv<pads=[1,1,1,1], strides=[2,2]>(t, w)
        r = Relu(c)
        f = Reshape(r, shape)
        y = Gemm<transB=1>(f, g)""",
}
MANIFEST = """
name = "mine"
title = "A user's own"
model = "mine.onnx"
sha256 = "{sha256}"
size = {size}
template = [[2, 3], [5, 3], [4, 4], [3, 6], [5, 6]]
embedding = {features}
threshold = 0.4
licence = "MIT"
origin = "a test"
order = "bgr"
mean = [10, 20, 30]
scale = 0.0078125
"""


def user_spec(folder: Path, nodes: str, *, opset: int = 15, extra: str = "") -> ExtractorSpec:
    """Write a model as exporters do, with a batch fixed at 1, and its manifest."""
    rng = np.random.default_rng(3)
    dims = [1, SIZE, SIZE, 3] if nodes == "channels last" else [1, 3, SIZE, SIZE]
    floats = {
        "mean": rng.normal(size=(1, 3, 1, 1)),
        "w": rng.normal(size=(4, 3, 3, 3)),
        "g": rng.normal(size=(FEATURES, 64)) / 4,
    }
    lines = NODES[nodes].replace(") ", ")\n").splitlines()
    graph = helper.make_graph(
        [parser.parse_node(line) for line in lines],
        "mine",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, dims)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, FEATURES])],
        [
            *(numpy_helper.from_array(v.astype(np.float32), k) for k, v in floats.items()),
            numpy_helper.from_array(np.array([1, -1]), "shape"),
        ],
    )
    versions = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    data = model.SerializeToString()
    (folder / "mine.onnx").write_bytes(data)
    manifest = folder / "mine.toml"
    sha256 = hashlib.sha256(data).hexdigest()
    text = MANIFEST.format(sha256=sha256, size=SIZE, features=FEATURES) + extra
    manifest.write_text(text, encoding="utf-8")
    return read_spec(manifest)


def random_objective(rng: np.random.Generator, count: int, features: int) -> Objective:
    def directions() -> Array:
        drawn = rng.normal(size=(count, features))
        unit: Array = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        return unit

    return Objective(
        centre=(rng.normal(size=features) / 10).astype(np.float32),
        target=rng.normal(size=(count, features)).astype(np.float32),
        toward=directions(),
        own=directions(),
        weights=rng.uniform(0.2, 2, size=(count, 3)).astype(np.float32),
        margin=-1.0,
    )


def smooth_chips(rng: np.random.Generator, count: int, size: int) -> Array:
    """Return chips that look more like photos than like noise."""
    coarse = rng.uniform(30, 220, size=(count, 3, 8, 8))
    fine = np.repeat(np.repeat(coarse, -(-size // 8), axis=2), -(-size // 8), axis=3)
    chips = fine[:, :, :size, :size] + rng.normal(size=(count, 3, size, size)) * 8
    return np.clip(chips, 0, 255).astype(np.float32)
