"""What the figures were measured on, and how fast it could be at best."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from photocloak.core.cores import cores
from photocloak.engine.runtime import open_session

_EDGE = 1024  # of the square matrices multiplied: large enough for any core, 4 MB each


@dataclass(frozen=True)
class Machine:
    """Where and with what: for people, so that figures of two machines are not mixed up."""

    processor: str
    cores: int
    load: float
    versions: dict[str, str]

    @classmethod
    def here(cls) -> "Machine":
        """Look at this machine; `load` is the average of the last minute, on `cores`."""
        names = ["photocloak", "onnxruntime", "numpy"]
        versions = {name: metadata.version(name) for name in names}
        versions["torch"] = metadata.version("torch") if has_torch() else "none"
        return cls(_processor(), len(cores()), round(os.getloadavg()[0], 2), versions)


def has_torch() -> bool:
    """Tell whether PyTorch can be compared with."""
    return find_spec("torch") is not None


def product(threads: int) -> tuple[Callable[[], Any], float]:
    """Return a matrix product on ONNX Runtime with so many threads, and its 10⁹ operations.

    Its own product, because nothing it runs can be faster; NumPy's is no faster here.
    """
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((2, _EDGE, _EDGE)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["left", "right"], ["product"])],
        "peak",
        [helper.make_tensor_value_info("left", TensorProto.FLOAT, [_EDGE, _EDGE])],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, [_EDGE, _EDGE])],
        [numpy_helper.from_array(right, "right")],
    )
    opset = [helper.make_opsetid("", 16)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    session = open_session(model, threads=threads, device="cpu")
    return lambda: session.run(None, {"left": left}), 2 * _EDGE**3 / 1e9


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
