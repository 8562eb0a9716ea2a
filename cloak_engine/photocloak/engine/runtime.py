"""ONNX Runtime: found or explained, and sessions opened the way this project uses them."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from photocloak.core import ModelError, install_hint, installed_version, replace_hint

if TYPE_CHECKING:
    import onnx

Device = Literal["cpu", "cuda", "auto"]

_LOG: Final = logging.getLogger(__name__)
_VARIANTS: Final = ("onnxruntime", "onnxruntime-gpu")
_EXTERNAL: Final = "session.optimized_model_external_initializers"

TINY: Final = bytes.fromhex(
    "08083a360a0c0a0178120179220452656c75120474696e795a0f0a0178120a0a08080112040a0208"
    "01620f0a0179120a0a08080112040a02080142040a001010"
)
"""A model that does next to nothing, y = max(x, 0); made here, it would take the onnx package."""

WEIGHTS: Final = "weights.bin"
"""File beside a written model that holds its weights; sessions map it."""


def require_onnxruntime() -> Any:
    """Return the onnxruntime module, whose official builds else send telemetry over HTTPS.

    From 1.32 at the latest they do so by default; only this variable, set before the first import,
    keeps the uploader and a device ID in the user's cache from being made (its Privacy.md).

    Raises:
        ModelError: none is installed, or both variants are: they own the same Python package, and
            whichever was installed last has overwritten half of the other.

    """
    if (there := sys.modules.get("onnxruntime")) is not None:
        return there
    installed = [name for name in _VARIANTS if installed_version(name) is not None]
    if len(installed) > 1:
        raise ModelError(
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other: "
            f"{replace_hint(*_VARIANTS, by='onnxruntime>=1.19')} (or onnxruntime-gpu for an NVIDIA "
            "card)."
        )
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            "ONNX Runtime, which runs the face models, is not installed: "
            f"{install_hint('onnxruntime>=1.19')} (or onnxruntime-gpu for an NVIDIA card)."
        ) from error
    return onnxruntime


def open_session(
    model: onnx.ModelProto, *, threads: int, device: Device, exact: bool = False
) -> Any:
    """Return an InferenceSession; see `session_from_file`."""
    # Through a file, because a session opened from bytes keeps them: all weights once more.
    data = model.SerializeToString()
    try:
        with tempfile.TemporaryDirectory(prefix="photocloak-") as folder:
            path = Path(folder, "model.onnx")
            path.write_bytes(data)
            return session_from_file(path, threads=threads, device=device, exact=exact)
    except OSError as error:
        _LOG.info("A model is opened from memory: %s", error)
        return session_from_file(data, threads=threads, device=device, exact=exact)


def session_from_file(
    source: Path | bytes,
    *,
    threads: int,
    device: Device,
    optimise: bool = True,
    exact: bool = False,
    write: Path | None = None,
    profile: Path | None = None,
) -> Any:
    """Return an InferenceSession on an ONNX file, or on what is in one.

    Args:
        source: the file, or its bytes.
        threads: 0 leaves the number to ONNX Runtime.
        device: where CUDA is asked for and not there, the CPU, and a warning is logged.
        optimise: False for a graph that was optimised before.
        exact: products on a card in whole float32, where CUDA else takes ten bits (TF32): enough
            for a recogniser, not for differences of squares of grey levels.
        write: where to write what is optimised; its large weights go to WEIGHTS beside it.
        profile: how the names of files with timings begin; `end_profiling` writes them.

    """
    runtime = require_onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Several recognisers take turns: a pool that spins after its run takes the next one's cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A copy of a product's matrix, packed, makes its run a fiftieth faster; but it is no longer the
    # mapped file, which processes share, and takes longer to make than all else here.
    options.add_session_config_entry("session.disable_prepacking", "1")
    if not optimise:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if write is not None:
        options.optimized_model_filepath = str(write)
        options.add_session_config_entry(f"{_EXTERNAL}_file_name", WEIGHTS)
        options.add_session_config_entry(f"{_EXTERNAL}_min_size_in_bytes", "1024")
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    providers: list[Any] = ["CPUExecutionProvider"]
    if has_cuda(device):
        cuda = "CUDAExecutionProvider"
        providers.insert(0, (cuda, {"use_tf32": "0"}) if exact else cuda)
    try:
        # Its own way to fall back tells of it on stdout, which is ours.
        session = runtime.InferenceSession(source, options, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime's errors share no other base
        if len(providers) == 1:
            raise
        _LOG.info("CUDA does not start: %s", error)
        session = runtime.InferenceSession(
            source, options, providers=providers[1:], enable_fallback=0
        )
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        _warn_without_cuda()
    return session


@cache
def _share_memory() -> None:
    """Let all sessions work in the same memory: they run by turns, and each would keep its own."""
    runtime = require_onnxruntime()
    runtime.create_and_register_allocator(
        runtime.OrtMemoryInfo(
            "Cpu", runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, runtime.OrtMemType.DEFAULT
        ),
        runtime.OrtArenaCfg(0, -1, -1, -1),
    )


@cache
def _warn_without_cuda() -> None:
    """Say it once, and not for every model."""
    _LOG.warning(no_cuda())


def no_cuda() -> str:
    """Say that there is no CUDA, and what to do about it."""
    return (
        "CUDA is not available to ONNX Runtime, so the CPU is used; check the NVIDIA driver, and "
        "that onnxruntime-gpu is installed: "
        f"{replace_hint('onnxruntime', by='onnxruntime-gpu>=1.19')}."
    )


def release_memory() -> None:
    """Give back what models worked in and do not need now, about 80 MB; they take it again."""
    options = require_onnxruntime().RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    _broom().run(["y"], {"x": np.zeros(1, np.float32)}, run_options=options)


@cache
def _broom() -> Any:
    return session_from_file(TINY, threads=1, device="cpu")


def starts_cuda() -> bool:
    """Tell whether a model really comes to run on a card here: being listed is not enough."""
    session = session_from_file(TINY, threads=1, device="auto")
    return "CUDAExecutionProvider" in session.get_providers()


def has_cuda(device: Device) -> bool:
    """Tell whether `device` asks for CUDA and the runtime was built with it."""
    return (
        device != "cpu"
        and "CUDAExecutionProvider" in require_onnxruntime().get_available_providers()
    )
