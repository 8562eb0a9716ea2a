"""Choose the runtime of a recogniser."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from photocloak.core import ModelError
from photocloak.engine.autodiff import InvalidModelError, UnsupportedOperatorError
from photocloak.engine.extractors.cache import ModelCache
from photocloak.engine.extractors.forward import forward_model
from photocloak.engine.extractors.onnx_extractor import OnnxExtractor
from photocloak.engine.extractors.weights import read_model
from photocloak.engine.runtime import Device, require_onnxruntime

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from photocloak.engine.extractors.protocol import Extractor
    from photocloak.engine.extractors.spec import ExtractorSpec

_LOG: Final = logging.getLogger(__name__)


def load_extractor(
    spec: ExtractorSpec, *, threads: int = 0, device: Device = "cpu", cache: Path | None = None
) -> Extractor:
    """Return the recogniser, differentiable: on ONNX Runtime, or PyTorch where a rule is missing.

    Args:
        spec: its manifest.
        threads: CPU threads, 0: as many as the runtime likes.
        device: "cuda" and "auto" use an NVIDIA card where the runtime finds one, else the CPU.
        cache: folder for models that are ready to run; None: they are made at every start.

    Raises:
        ModelError: the file is missing, damaged or not what its manifest says, ONNX Runtime is
            missing or cannot run it, or PyTorch is needed and missing.

    """
    require_onnxruntime()

    def read() -> onnx.ModelProto:
        return forward_model(read_model(spec.model, spec.sha256), spec)

    try:
        return OnnxExtractor(spec, read, threads=threads, device=device, cache=ModelCache(cache))
    except InvalidModelError as error:
        raise ModelError(
            f"ONNX Runtime cannot run the model {spec.model} of {spec.name}: {error}. "
            "Export it again, or use another model."
        ) from error
    except UnsupportedOperatorError as missing:
        from photocloak.engine.extractors.torch_extractor import TorchExtractor

        _LOG.info("%s runs on PyTorch: %s", spec.name, missing)
        return TorchExtractor(spec, read(), threads=threads, device=device, because=missing)
