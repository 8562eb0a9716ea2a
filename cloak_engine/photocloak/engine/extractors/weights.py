"""Reading a model file: its hash is checked, its half-precision weights become float32."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photocloak.core import ModelError

if TYPE_CHECKING:
    import onnx


def read_model(path: Path, sha256: str) -> onnx.ModelProto:
    """Return the model of an ONNX file, computing in float32 throughout.

    Args:
        path: the file.
        sha256: what the file must hash to, in hexadecimal of either case.

    Raises:
        ModelError: the file is missing, is not what the manifest pinned, or is not a model.

    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The model {path} cannot be read ({error.strerror}); reinstall photocloak, or correct "
            "`model` in its manifest."
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.lower():
        raise ModelError(
            f"The model {path} is not the one its manifest pins (sha256 {found}, expected "
            f"{sha256.lower()}): it was damaged or replaced. Reinstall photocloak, or put the new "
            "hash into the manifest if you replaced the file yourself."
        )
    try:
        model = onnx.load_from_string(data)
    except DecodeError as error:
        raise ModelError(f"{path} is not an ONNX model; check `model` in its manifest.") from error
    return widen(model)


def widen(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace, in place, each float16 initialiser that only feeds a Cast to float32 by its value.

    That is how the shipped weights are stored: half the size, and still a model that any runtime
    can run. The optimiser wants plain constants instead.
    """
    from onnx import TensorProto, numpy_helper

    half = {t.name: t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT16}
    casts = [
        node
        for node in model.graph.node
        if node.op_type == "Cast"
        and node.input[0] in half
        and any(a.name == "to" and a.i == TensorProto.FLOAT for a in node.attribute)
    ]
    for node in casts:
        values = numpy_helper.to_array(half[node.input[0]]).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        model.graph.node.remove(node)
    used = {name for node in model.graph.node for name in node.input}
    for name in {node.input[0] for node in casts} - used:
        model.graph.initializer.remove(half[name])
    return model
