"""Runs of ONNX Runtime whose inputs and outputs stay on a device: nothing is copied on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from photocloak.engine.runtime import require_onnxruntime

Place = Literal["cpu", "cuda"]

OnDevice: TypeAlias = Any
"""An `onnxruntime.OrtValue`, whose package has no types."""


def put(array: npt.NDArray[np.float32], place: Place) -> OnDevice:
    """Copy an array to a device."""
    values = require_onnxruntime().OrtValue
    return values.ortvalue_from_numpy(np.ascontiguousarray(array), place, 0)


def run_on(
    session: Any, values: Mapping[str, OnDevice], outputs: Sequence[str], place: Place
) -> list[OnDevice]:
    """Run a session on values by name, among which its inputs are; its outputs stay on `place`."""
    binding = session.io_binding()
    for one in session.get_inputs():
        binding.bind_ortvalue_input(one.name, values[one.name])
    for name in outputs:
        binding.bind_output(name, place, 0)
    session.run_with_iobinding(binding)
    return list(binding.get_outputs())
