"""ONNX Runtime: found or explained, and sessions opened the way this project uses them."""

from __future__ import annotations

import logging
import os
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from photocloak.core import ModelError

if TYPE_CHECKING:
    import onnx

Device = Literal["cpu", "cuda", "auto"]

_LOG: Final = logging.getLogger(__name__)
_VARIANTS: Final = ("onnxruntime", "onnxruntime-gpu")


def require_onnxruntime() -> Any:
    """Return the onnxruntime module, whose official builds else send telemetry over HTTPS.

    From 1.32 at the latest they do so by default; only this variable, set before the first import,
    keeps the uploader and a device ID in the user's cache from being made (its Privacy.md).

    Raises:
        ModelError: none is installed, or both variants are: they own the same Python package, and
            whichever was installed last has overwritten half of the other.

    """
    installed = [name for name in _VARIANTS if _is_installed(name)]
    if len(installed) > 1:
        raise ModelError(
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other: "
            "pip uninstall onnxruntime onnxruntime-gpu, then pip install 'photocloak[cpu]' "
            "(or 'photocloak[gpu]')."
        )
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            "ONNX Runtime, which runs the face models, is not installed: "
            "pip install 'photocloak[cpu]' (or 'photocloak[gpu]' for an NVIDIA card)."
        ) from error
    return onnxruntime


def open_session(model: onnx.ModelProto, *, threads: int, device: Device) -> Any:
    """Return an InferenceSession; `threads` 0 leaves the number to ONNX Runtime.

    Where CUDA is asked for and not there, the session runs on the CPU and a warning is logged.
    """
    runtime = require_onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Several recognisers take turns: a pool that spins after its run takes the next one's cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = ["CPUExecutionProvider"]
    if device != "cpu" and "CUDAExecutionProvider" in runtime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    # Through a file, because a session opened from bytes keeps them: all weights once more.
    with tempfile.TemporaryDirectory(prefix="photocloak-") as folder:
        path = Path(folder, "model.onnx")
        path.write_bytes(model.SerializeToString())
        session = runtime.InferenceSession(path, options, providers=providers)
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        _LOG.warning(
            "CUDA is not available to ONNX Runtime, so the CPU is used; "
            "pip install 'photocloak[gpu]' and check the NVIDIA driver."
        )
    return session


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
